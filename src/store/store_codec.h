#pragma once
// Little-endian byte strings for the store's own files: a writer that appends and a reader that
// never reads past its end. A reader that met a wrong length stays failed and gives zeros; callers
// check ok() once, at the end.

#include <cstdint>
#include <cstring>
#include <string>
#include <string_view>

#include "otlp/model.h"

namespace contextcore::store {

class RecordWriter {
 public:
  explicit RecordWriter(std::string& out) : out_(out) {}
  void u8(uint8_t value) { out_.push_back(static_cast<char>(value)); }
  void u16(uint16_t value) { integer(value); }
  void u32(uint32_t value) { integer(value); }
  void u64(uint64_t value) { integer(value); }
  void i64(int64_t value) { integer(static_cast<uint64_t>(value)); }
  void raw(std::string_view bytes) { out_.append(bytes); }
  // Length (32 bit), then the bytes.
  void bytes(std::string_view value) {
    u32(static_cast<uint32_t>(value.size()));
    raw(value);
  }
  void id(const otlp::TraceId& value) { array(value.bytes); }
  void id(const otlp::SpanId& value) { array(value.bytes); }

 private:
  template <typename T>
  void integer(T value) {
    for (size_t i = 0; i < sizeof(T); ++i) {
      out_.push_back(static_cast<char>(static_cast<uint8_t>(value >> (8 * i))));
    }
  }
  template <size_t N>
  void array(const std::array<uint8_t, N>& bytes) {
    for (const uint8_t byte : bytes) u8(byte);
  }
  std::string& out_;
};

class RecordReader {
 public:
  explicit RecordReader(std::string_view data) : data_(data) {}
  uint8_t u8() { return integer<uint8_t>(); }
  uint16_t u16() { return integer<uint16_t>(); }
  uint32_t u32() { return integer<uint32_t>(); }
  uint64_t u64() { return integer<uint64_t>(); }
  int64_t i64() { return static_cast<int64_t>(u64()); }
  std::string_view raw(size_t n) {
    if (failed_ || data_.size() - at_ < n) {
      failed_ = true;
      return {};
    }
    const std::string_view result = data_.substr(at_, n);
    at_ += n;
    return result;
  }
  std::string_view bytes() { return raw(u32()); }
  otlp::TraceId trace_id() { return id<otlp::TraceId>(); }
  otlp::SpanId span_id() { return id<otlp::SpanId>(); }
  // A count of things that take at least bytes_each; fails when the rest cannot hold them.
  uint32_t count(size_t bytes_each) {
    const uint32_t n = u32();
    if (failed_ || (data_.size() - at_) / bytes_each < n) {
      failed_ = true;
      return 0;
    }
    return n;
  }
  bool ok() const { return !failed_; }
  bool done() const { return !failed_ && at_ == data_.size(); }
  size_t position() const { return at_; }

 private:
  template <typename T>
  T integer() {
    const std::string_view bytes = raw(sizeof(T));
    uint64_t value = 0;
    for (size_t i = 0; i < bytes.size(); ++i) {
      value |= static_cast<uint64_t>(static_cast<uint8_t>(bytes[i])) << (8 * i);
    }
    return static_cast<T>(value);
  }
  template <typename Id>
  Id id() {
    Id result;
    const std::string_view bytes = raw(result.bytes.size());
    if (!bytes.empty()) std::memcpy(result.bytes.data(), bytes.data(), bytes.size());
    return result;
  }
  std::string_view data_;
  size_t at_ = 0;
  bool failed_ = false;
};

}  // namespace contextcore::store
