#include "base/sim_disk.h"

#include <algorithm>
#include <set>
#include <utility>

namespace contextcore {
namespace {

// How much of what was not synced survives a power loss.
enum class Survival : uint8_t { nothing, everything, beginning, mixture };

Survival draw_survival(Random& random) {
  switch (random.below(8)) {
    case 0:
    case 1:
      return Survival::nothing;
    case 2:
      return Survival::everything;
    case 3:
    case 4:
      return Survival::beginning;
    default:
      return Survival::mixture;
  }
}

void place(std::string& image, uint64_t offset, std::string_view data) {
  if (data.empty()) return;
  if (image.size() < offset + data.size()) image.resize(offset + data.size(), '\0');
  image.replace(offset, data.size(), data);
}

// Calls fn(sector, offset, piece) for the parts of data that lie in different sectors.
template <typename Fn>
void for_each_sector(uint64_t offset, std::string_view data, const Fn& fn) {
  while (!data.empty()) {
    const uint64_t sector = offset / kSimSectorBytes;
    const uint64_t room = (sector + 1) * kSimSectorBytes - offset;
    const std::string_view piece = data.substr(0, static_cast<size_t>(room));
    fn(sector, offset, piece);
    offset += piece.size();
    data.remove_prefix(piece.size());
  }
}

}  // namespace

void SimContent::write(uint64_t offset, std::string_view data) {
  if (data.empty()) return;
  place(cache_, offset, data);
  changes_.push_back({false, offset, std::string(data)});
}

void SimContent::truncate(uint64_t size) {
  cache_.resize(size, '\0');
  changes_.push_back({true, size, {}});
}

void SimContent::apply(const Change& change, std::string& image) const {
  if (change.is_truncate) {
    image.resize(change.offset, '\0');
  } else {
    place(image, change.offset, change.data);
  }
}

void SimContent::sync() {
  for (const Change& change : changes_) apply(change, durable_);
  changes_.clear();
}

void SimContent::fail_sync(Random& random) {
  durable_ = survivors(random);
  changes_.clear();
}

void SimContent::lose_power(Random& random, bool flips) {
  std::string image = survivors(random);
  if (flips && !changes_.empty() && random.below(2) == 0) flip_in_flight(random, image);
  durable_ = std::move(image);
  changes_.clear();
  cache_ = durable_;
}

// A byte that was written over with itself was not at risk.
void SimContent::flip_in_flight(Random& random, std::string& image) const {
  const Change& change = changes_[static_cast<size_t>(random.below(changes_.size()))];
  if (change.is_truncate) return;
  const uint64_t at = change.offset + random.below(change.data.size());
  const bool at_risk = at >= durable_.size() || (at < cache_.size() && durable_[at] != cache_[at]);
  if (at < image.size() && at_risk) {
    image[at] = static_cast<char>(image[at] ^ (1 << random.below(8)));
  }
}

void SimContent::flip_bits(uint64_t offset, uint8_t mask) {
  for (std::string* image : {&cache_, &durable_}) {
    if (offset < image->size()) (*image)[offset] = static_cast<char>((*image)[offset] ^ mask);
  }
  for (Change& change : changes_) {
    if (change.is_truncate || offset < change.offset) continue;
    const uint64_t at = offset - change.offset;
    if (at < change.data.size()) change.data[at] = static_cast<char>(change.data[at] ^ mask);
  }
}

std::string SimContent::survivors(Random& random) const {
  if (changes_.empty()) return durable_;
  std::string image;
  switch (draw_survival(random)) {
    case Survival::nothing:
      image = durable_;
      break;
    case Survival::everything:
      image = durable_;
      for (const Change& change : changes_) apply(change, image);
      return image;
    case Survival::beginning:
      image = surviving_beginning(random);
      break;
    case Survival::mixture:
      image = surviving_mixture(random);
      break;
  }
  // The size may have reached the disk before the data did.
  if (image.size() < cache_.size() && random.below(4) == 0) image.resize(cache_.size(), '\0');
  return image;
}

std::string SimContent::surviving_beginning(Random& random) const {
  std::string image = durable_;
  const auto whole = static_cast<size_t>(random.below(changes_.size() + 1));
  for (size_t i = 0; i < whole; ++i) apply(changes_[i], image);
  if (whole == changes_.size() || changes_[whole].is_truncate) return image;
  const Change& torn = changes_[whole];
  uint64_t sectors = random.below(torn.data.size() / kSimSectorBytes + 2);
  for_each_sector(torn.offset, torn.data, [&](uint64_t, uint64_t at, std::string_view piece) {
    if (sectors == 0) return;
    --sectors;
    place(image, at, piece);
  });
  return image;
}

std::string SimContent::surviving_mixture(Random& random) const {
  // How often each sector was written since the last sync; then, how many of these it has seen.
  std::map<uint64_t, uint64_t> left;
  uint64_t truncates_left = 0;
  for (const Change& change : changes_) {
    if (change.is_truncate) ++truncates_left;
    for_each_sector(change.offset, change.data,
                    [&](uint64_t sector, uint64_t, std::string_view) { ++left[sector]; });
  }
  for (auto& [sector, count] : left) count = random.below(count + 1);
  truncates_left = random.below(truncates_left + 1);

  std::string image = durable_;
  for (const Change& change : changes_) {
    if (change.is_truncate) {
      if (truncates_left == 0) continue;
      --truncates_left;
      apply(change, image);
      continue;
    }
    for_each_sector(change.offset, change.data,
                    [&](uint64_t sector, uint64_t at, std::string_view piece) {
                      uint64_t& count = left[sector];
                      if (count == 0) return;
                      --count;
                      place(image, at, piece);
                    });
  }
  return image;
}

namespace {

std::vector<std::string> split_path(const std::string& path) {
  std::vector<std::string> names;
  for (size_t start = 0; start <= path.size();) {
    const size_t end = std::min(path.find('/', start), path.size());
    const std::string name = path.substr(start, end - start);
    if (name == "..") {
      if (!names.empty()) names.pop_back();
    } else if (!name.empty() && name != ".") {
      names.push_back(name);
    }
    start = end + 1;
  }
  return names;
}

SimNodePtr descend(SimNodePtr node, const std::vector<std::string>& names, size_t count) {
  for (size_t i = 0; i < count; ++i) {
    if (!node->is_directory) return nullptr;
    const auto entry = node->entries.find(names[i]);
    if (entry == node->entries.end()) return nullptr;
    node = entry->second;
  }
  return node;
}

}  // namespace

SimTree::SimTree() : root_(std::make_shared<SimNode>()) {
  root_->is_directory = true;
  root_->inode = next_inode_++;
}

SimNodePtr SimTree::find(const std::string& path) const {
  const std::vector<std::string> names = split_path(path);
  return descend(root_, names, names.size());
}

SimNodePtr SimTree::find_parent(const std::string& path, std::string& name) const {
  const std::vector<std::string> names = split_path(path);
  if (names.empty()) return nullptr;
  name = names.back();
  SimNodePtr parent = descend(root_, names, names.size() - 1);
  return parent != nullptr && parent->is_directory ? parent : nullptr;
}

void SimTree::change(Change edits) {
  for (const Edit& edit : edits) {
    auto& entries = edit.directory->entries;
    const auto old = entries.find(edit.name);
    if (old != entries.end()) {
      --old->second->names;
      entries.erase(old);
    }
  }
  for (const Edit& edit : edits) {
    if (edit.node == nullptr) continue;
    ++edit.node->names;
    edit.directory->entries[edit.name] = edit.node;
  }
  changes_.push_back(std::move(edits));
}

SimNodePtr SimTree::create(const SimNodePtr& directory, const std::string& name, bool is_directory,
                           int64_t now_ns) {
  auto node = std::make_shared<SimNode>();
  node->inode = next_inode_++;
  node->is_directory = is_directory;
  node->modified_ns = now_ns;
  change({{directory, name, node}});
  return node;
}

void SimTree::remove(const SimNodePtr& directory, const std::string& name) {
  change({{directory, name, nullptr}});
}

void SimTree::rename(const SimNodePtr& from, const std::string& from_name, const SimNodePtr& to,
                     const std::string& to_name) {
  const SimNodePtr node = from->entries.at(from_name);
  if (from == to && from_name == to_name) return;
  change({{from, from_name, nullptr}, {to, to_name, node}});
}

void SimTree::link(const SimNodePtr& node, const SimNodePtr& directory, const std::string& name) {
  change({{directory, name, node}});
}

void SimTree::make_durable(const Change& edits) {
  for (const Edit& edit : edits) {
    if (edit.node == nullptr) {
      edit.directory->durable_entries.erase(edit.name);
    } else {
      edit.directory->durable_entries[edit.name] = edit.node;
    }
  }
}

void SimTree::sync_directory(const SimNodePtr& directory) {
  // A rename from or to another directory comes along as a whole, and with it what happened before
  // to the same names there: otherwise that would seem to happen after it.
  std::set<std::pair<const SimNode*, std::string>> names;
  std::vector<bool> synced(changes_.size());
  for (size_t i = changes_.size(); i-- > 0;) {
    const Change& edits = changes_[i];
    synced[i] = std::any_of(edits.begin(), edits.end(), [&](const Edit& edit) {
      return edit.directory == directory || names.contains({edit.directory.get(), edit.name});
    });
    if (!synced[i]) continue;
    for (const Edit& edit : edits) names.insert({edit.directory.get(), edit.name});
  }
  std::vector<Change> rest;
  for (size_t i = 0; i < changes_.size(); ++i) {
    if (synced[i]) {
      make_durable(changes_[i]);
    } else {
      rest.push_back(std::move(changes_[i]));
    }
  }
  changes_ = std::move(rest);
}

namespace {

void forget_names(SimNode& node) {
  node.names = 0;
  for (auto& [name, child] : node.entries) forget_names(*child);
  for (auto& [name, child] : node.durable_entries) forget_names(*child);
}

void reload(SimNode& node, Random& random, bool flips) {
  if (++node.names > 1) return;  // a file that another name has led to
  node.lock = 0;
  if (!node.is_directory) {
    node.content.lose_power(random, flips);
    return;
  }
  node.entries = node.durable_entries;
  for (auto& [name, child] : node.entries) reload(*child, random, flips);
}

// seen: files with several names, which count once.
uint64_t sum_sizes(const SimNode& node, std::set<const SimNode*>& seen) {
  if (node.names > 1 && !seen.insert(&node).second) return 0;
  uint64_t total = node.content.cache().size();
  for (const auto& [name, child] : node.entries) total += sum_sizes(*child, seen);
  return total;
}

}  // namespace

void SimTree::lose_power(Random& random, bool flips) {
  const Survival survival = draw_survival(random);
  const uint64_t whole = random.below(changes_.size() + 1);
  // A change builds on the earlier ones of the same names and cannot survive without them.
  std::set<std::pair<const SimNode*, std::string>> lost_names;
  for (size_t i = 0; i < changes_.size(); ++i) {
    const Change& edits = changes_[i];
    const bool survives = survival == Survival::everything ||
                          (survival == Survival::beginning && i < whole) ||
                          (survival == Survival::mixture && random.below(2) == 0);
    const bool orphaned = std::any_of(edits.begin(), edits.end(), [&](const Edit& edit) {
      return lost_names.contains({edit.directory.get(), edit.name});
    });
    if (survives && !orphaned) {
      make_durable(edits);
    } else {
      for (const Edit& edit : edits) lost_names.insert({edit.directory.get(), edit.name});
    }
  }
  changes_.clear();
  forget_names(*root_);
  reload(*root_, random, flips);
}

uint64_t SimTree::used_bytes() const {
  std::set<const SimNode*> seen;
  return sum_sizes(*root_, seen);
}

}  // namespace contextcore
