#pragma once
// Writing protobuf messages, for the encoders of this room only. The fields of each message are
// listed once, as a function over a sink; it runs twice: over Sizer, which notes the length of
// every sub-message in the order it is met, and over Writer, which takes these lengths in the same
// order and fills a buffer of exactly the right size.

#include <bit>
#include <cassert>
#include <cstdint>
#include <cstring>
#include <protozero/varint.hpp>
#include <string>
#include <string_view>
#include <vector>

namespace contextcore::otlp {

enum class WireType : uint32_t { varint = 0, fixed64 = 1, length_delimited = 2, fixed32 = 5 };

constexpr uint64_t key_of(uint32_t field, WireType type) {
  return (static_cast<uint64_t>(field) << 3) | static_cast<uint64_t>(type);
}

inline size_t varint_size(uint64_t value) {
  return (static_cast<size_t>(std::bit_width(value | 1)) + 6) / 7;
}

using Sizes = std::vector<size_t>;

class Sizer {
 public:
  explicit Sizer(Sizes& sizes) : sizes_(sizes) {}
  void varint(uint32_t field, uint64_t value) {
    total_ += varint_size(key_of(field, WireType::varint)) + varint_size(value);
  }
  void fixed64(uint32_t field, uint64_t) {
    total_ += varint_size(key_of(field, WireType::fixed64)) + 8;
  }
  void fixed32(uint32_t field, uint32_t) {
    total_ += varint_size(key_of(field, WireType::fixed32)) + 4;
  }
  void bytes(uint32_t field, std::string_view data) { add_length_delimited(field, data.size()); }
  template <typename Fields>
  void message(uint32_t field, Fields&& fields) {
    const size_t slot = sizes_.size();
    sizes_.push_back(0);
    const size_t before = total_;
    fields(*this);
    const size_t size = total_ - before;
    sizes_[slot] = size;
    total_ = before;
    add_length_delimited(field, size);
  }
  size_t total() const { return total_; }

 private:
  void add_length_delimited(uint32_t field, size_t size) {
    total_ += varint_size(key_of(field, WireType::length_delimited)) + varint_size(size) + size;
  }

  Sizes& sizes_;
  size_t total_ = 0;
};

class Writer {
 public:
  Writer(const Sizes& sizes, char* out) : next_size_(sizes.data()), out_(out) {}
  void varint(uint32_t field, uint64_t value) {
    put_varint(key_of(field, WireType::varint));
    put_varint(value);
  }
  void fixed64(uint32_t field, uint64_t value) {
    put_varint(key_of(field, WireType::fixed64));
    put_little_endian(value);
  }
  void fixed32(uint32_t field, uint32_t value) {
    put_varint(key_of(field, WireType::fixed32));
    put_little_endian(value);
  }
  void bytes(uint32_t field, std::string_view data) {
    put_varint(key_of(field, WireType::length_delimited));
    put_varint(data.size());
    if (!data.empty()) std::memcpy(out_, data.data(), data.size());
    out_ += data.size();
  }
  template <typename Fields>
  void message(uint32_t field, Fields&& fields) {
    put_varint(key_of(field, WireType::length_delimited));
    put_varint(*next_size_++);
    fields(*this);
  }
  const char* position() const { return out_; }

 private:
  void put_varint(uint64_t value) { out_ += protozero::add_varint_to_buffer(out_, value); }
  template <typename T>
  void put_little_endian(T value) {
    for (size_t i = 0; i < sizeof(T); ++i) out_[i] = static_cast<char>(value >> (8 * i));
    out_ += sizeof(T);
  }

  const size_t* next_size_;
  char* out_;
};

template <typename Fields>
void append(std::string& out, Fields&& fields) {
  Sizes sizes;
  Sizer sizer(sizes);
  fields(sizer);
  const size_t start = out.size();
  out.resize(start + sizer.total());
  Writer writer(sizes, out.data() + start);
  fields(writer);
  assert(writer.position() == out.data() + out.size());
}

}  // namespace contextcore::otlp
