#pragma once
// A sorted map that never changes: put() and erase() give a new version in O(log n) new nodes and
// share the rest. A treap whose priorities are hashes of the keys, so that its shape depends on the
// keys only.

#include <cstdint>
#include <cstring>
#include <memory>
#include <string_view>
#include <utility>
#include <vector>

#include "base/hash.h"

namespace contextcore::store {

// Key: trivially copyable without padding, ordered by <.
template <typename Key, typename Value>
class PersistentMap {
 public:
  size_t size() const { return size_; }

  const Value* find(const Key& key) const {
    const Node* node = root_.get();
    while (node != nullptr && node->key != key)
      node = (key < node->key ? node->left : node->right).get();
    return node != nullptr ? &node->value : nullptr;
  }

  void put(const Key& key, Value value) {
    bool added = true;
    root_ = put_at(root_, key, std::move(value), priority_of(key), added);
    size_ += added ? 1 : 0;
  }

  // REQUIRES: items ascending by key, each key once. In linear time.
  static PersistentMap from_sorted(std::vector<std::pair<Key, Value>> items) {
    // The right spine, from the root down: what comes next hangs below its last node of a higher
    // priority and takes the part below as its left child.
    std::vector<std::shared_ptr<Node>> spine;
    PersistentMap map;
    map.size_ = items.size();
    for (auto& [key, value] : items) {
      auto node =
          std::make_shared<Node>(Node{key, std::move(value), priority_of(key), nullptr, nullptr});
      std::shared_ptr<Node> below;
      while (!spine.empty() && spine.back()->priority < node->priority) {
        below = std::move(spine.back());
        spine.pop_back();
      }
      node->left = std::move(below);
      if (!spine.empty()) spine.back()->right = node;
      spine.push_back(std::move(node));
    }
    if (!spine.empty()) map.root_ = spine.front();
    return map;
  }

  void erase(const Key& key) {
    if (find(key) == nullptr) return;
    root_ = erase_at(root_, key);
    --size_;
  }

  // Calls fn(key, value) for every key not below `from`, ascending, until it returns false.
  template <typename Fn>
  void for_each_from(const Key& from, Fn&& fn) const {
    visit(root_.get(), from, fn);
  }

 private:
  struct Node;
  using Pointer = std::shared_ptr<const Node>;
  struct Node {
    Key key;
    Value value;
    uint64_t priority;
    Pointer left, right;
  };

  static uint64_t priority_of(const Key& key) {
    char bytes[sizeof(Key)];
    std::memcpy(bytes, &key, sizeof(Key));
    return xxh3_64({bytes, sizeof(Key)});
  }
  static Pointer make(const Node& like, Pointer left, Pointer right) {
    return std::make_shared<const Node>(
        Node{like.key, like.value, like.priority, std::move(left), std::move(right)});
  }

  static Pointer put_at(const Pointer& node, const Key& key, Value value, uint64_t priority,
                        bool& added) {
    if (node == nullptr)
      return std::make_shared<const Node>(Node{key, std::move(value), priority, nullptr, nullptr});
    if (node->key == key) {
      added = false;
      return std::make_shared<const Node>(
          Node{key, std::move(value), priority, node->left, node->right});
    }
    if (priority > node->priority) {
      // The key cannot be below a node of lower priority, so there is nothing to replace.
      auto [left, right] = split(node, key);
      return std::make_shared<const Node>(
          Node{key, std::move(value), priority, std::move(left), std::move(right)});
    }
    if (key < node->key)
      return make(*node, put_at(node->left, key, std::move(value), priority, added), node->right);
    return make(*node, node->left, put_at(node->right, key, std::move(value), priority, added));
  }

  static std::pair<Pointer, Pointer> split(const Pointer& node, const Key& key) {
    if (node == nullptr) return {};
    if (node->key < key) {
      auto [left, right] = split(node->right, key);
      return {make(*node, node->left, std::move(left)), std::move(right)};
    }
    auto [left, right] = split(node->left, key);
    return {std::move(left), make(*node, std::move(right), node->right)};
  }

  static Pointer merge(const Pointer& left, const Pointer& right) {
    if (left == nullptr) return right;
    if (right == nullptr) return left;
    if (left->priority > right->priority) return make(*left, left->left, merge(left->right, right));
    return make(*right, merge(left, right->left), right->right);
  }

  static Pointer erase_at(const Pointer& node, const Key& key) {
    if (node->key == key) return merge(node->left, node->right);
    if (key < node->key) return make(*node, erase_at(node->left, key), node->right);
    return make(*node, node->left, erase_at(node->right, key));
  }

  template <typename Fn>
  static bool visit(const Node* node, const Key& from, Fn& fn) {
    if (node == nullptr) return true;
    if (node->key < from) return visit(node->right.get(), from, fn);
    return visit(node->left.get(), from, fn) && fn(node->key, node->value) &&
           visit(node->right.get(), from, fn);
  }

  Pointer root_;
  size_t size_ = 0;
};

}  // namespace contextcore::store
