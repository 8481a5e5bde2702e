#include "otlp/model.h"

#include <algorithm>
#include <bit>

namespace contextcore::otlp {
namespace {

constexpr char kHexDigits[] = "0123456789abcdef";

template <size_t N>
std::string bytes_to_hex(const std::array<uint8_t, N>& bytes) {
  std::string text(2 * N, '0');
  for (size_t i = 0; i < N; ++i) {
    text[2 * i] = kHexDigits[bytes[i] >> 4];
    text[2 * i + 1] = kHexDigits[bytes[i] & 15];
  }
  return text;
}

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

// Leaves out alone when the text is wrong.
template <size_t N>
bool hex_to_bytes(std::string_view text, std::array<uint8_t, N>& out) {
  if (text.empty() || text.size() > 2 * N) return false;
  std::array<uint8_t, N> bytes{};
  size_t nibble = 2 * N - text.size();
  for (const char c : text) {
    const int digit = hex_digit(c);
    if (digit < 0) return false;
    const int shift = nibble % 2 == 0 ? 4 : 0;
    bytes[nibble / 2] = static_cast<uint8_t>(bytes[nibble / 2] | (digit << shift));
    ++nibble;
  }
  out = bytes;
  return true;
}

}  // namespace

std::string to_hex(const TraceId& id) { return bytes_to_hex(id.bytes); }
std::string to_hex(const SpanId& id) { return bytes_to_hex(id.bytes); }
bool parse_hex(std::string_view text, TraceId& out) { return hex_to_bytes(text, out.bytes); }
bool parse_hex(std::string_view text, SpanId& out) { return hex_to_bytes(text, out.bytes); }

bool Value::operator==(const Value& other) const {
  const double* mine = as_double();
  const double* theirs = other.as_double();
  if (mine != nullptr && theirs != nullptr) {
    return std::bit_cast<uint64_t>(*mine) == std::bit_cast<uint64_t>(*theirs);
  }
  return data == other.data;
}

const Value* find(const Attributes& attributes, std::string_view key) {
  for (const KeyValue& attribute : attributes) {
    if (attribute.key == key) return &attribute.value;
  }
  return nullptr;
}

std::string_view find_string(const Attributes& attributes, std::string_view key) {
  const Value* value = find(attributes, key);
  const std::string* text = value != nullptr ? value->as_string() : nullptr;
  return text != nullptr ? std::string_view(*text) : std::string_view();
}

void set(Attributes& attributes, std::string_view key, Value value) {
  for (KeyValue& attribute : attributes) {
    if (attribute.key == key) {
      attribute.value = std::move(value);
      return;
    }
  }
  attributes.push_back({std::string(key), std::move(value)});
}

void erase(Attributes& attributes, std::string_view key) {
  std::erase_if(attributes, [key](const KeyValue& attribute) { return attribute.key == key; });
}

size_t TracesData::span_count() const {
  size_t count = 0;
  for (const ResourceSpans& resource : resource_spans) {
    for (const ScopeSpans& scope : resource.scope_spans) count += scope.spans.size();
  }
  return count;
}

size_t LogsData::record_count() const {
  size_t count = 0;
  for (const ResourceLogs& resource : resource_logs) {
    for (const ScopeLogs& scope : resource.scope_logs) count += scope.records.size();
  }
  return count;
}

}  // namespace contextcore::otlp
