#pragma once
// Distinct resources, scopes: numbered in order of first appearance, found by pointer, then by
// value.

#include <memory>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "store/column.h"
#include "store/column_value.h"

namespace contextcore::store {

inline void encode_shared(const otlp::Resource& resource, std::string& out) {
  encode_resource(resource, out);
}
inline void encode_shared(const otlp::Scope& scope, std::string& out) { encode_scope(scope, out); }
inline bool decode_shared(std::string_view bytes, otlp::Resource& out) {
  return decode_resource(bytes, out);
}
inline bool decode_shared(std::string_view bytes, otlp::Scope& out) {
  return decode_scope(bytes, out);
}

template <typename T>
class SharedObjects {
 public:
  uint32_t add(const std::shared_ptr<const T>& object) {
    // Telemetry comes in runs of one resource, in objects that live as long as their request.
    if (object == last_) return last_number_;
    if (const auto known = by_pointer_.find(object.get()); known != by_pointer_.end())
      return known->second;
    buffer_.clear();
    encode_shared(*object, buffer_);
    const uint32_t number = encoded_.intern(buffer_);
    if (number == objects_.size()) {
      objects_.push_back(object);
      by_pointer_.emplace(object.get(), number);
      bytes_ += 4 * buffer_.size() + sizeof(T);
    }
    last_ = object;
    last_number_ = number;
    return number;
  }
  size_t size() const { return objects_.size(); }
  const std::shared_ptr<const T>& at(size_t number) const { return objects_[number]; }
  std::string_view encoded(uint32_t number) const { return encoded_.at(number); }
  uint64_t memory_bytes() const { return bytes_ + encoded_.memory_bytes(); }

 private:
  StringPool encoded_;
  std::vector<std::shared_ptr<const T>> objects_;
  std::unordered_map<const T*, uint32_t> by_pointer_;  // only objects that are kept
  std::shared_ptr<const T> last_;
  uint32_t last_number_ = 0;
  uint64_t bytes_ = 0;
  std::string buffer_;
};

}  // namespace contextcore::store
