#include "api/trace_context.h"

#include <algorithm>

namespace contextcore::api {
namespace {

constexpr size_t kBytes = 55;  // 2 + 1 + 32 + 1 + 16 + 1 + 2

bool is_hex(char c) { return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'f'); }

}  // namespace

std::optional<TraceParent> parse_traceparent(std::string_view text) {
  if (text.size() < kBytes) return std::nullopt;
  for (size_t i = 0; i < kBytes; ++i) {
    const bool dash = i == 2 || i == 35 || i == 52;
    if (dash ? text[i] != '-' : !is_hex(text[i])) return std::nullopt;
  }
  const std::string_view version = text.substr(0, 2);
  if (version == "ff" || (version == "00" && text.size() != kBytes)) return std::nullopt;
  if (text.size() > kBytes && text[kBytes] != '-') return std::nullopt;
  TraceParent parent;
  if (!otlp::parse_hex(text.substr(3, 32), parent.trace_id) ||
      !otlp::parse_hex(text.substr(36, 16), parent.span_id) || parent.trace_id.empty() ||
      parent.span_id.empty()) {
    return std::nullopt;
  }
  const char low = text[kBytes - 1];
  parent.sampled = ((low <= '9' ? low - '0' : low - 'a' + 10) & 1) != 0;
  return parent;
}

}  // namespace contextcore::api
