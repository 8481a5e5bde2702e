#include "work/ids.h"

#include <algorithm>
#include <array>
#include <string>

#include "base/hash.h"

namespace contextcore::work {
namespace {

using std::string_view_literals::operator""sv;

std::string preimage(std::string_view domain, std::string_view kind, std::string_view project,
                     std::string_view id) {
  std::string text(domain);
  for (const std::string_view part : {kind, project, id}) {
    text += '\0';
    text += part;
  }
  return text;
}

// Zero means "no id" on the wire, so such a result is hashed again.
template <typename Id>
Id truncated_hash(std::string text) {
  Id id;
  while (id.empty()) {
    const auto digest = sha256(text);
    std::copy_n(digest.begin(), id.bytes.size(), id.bytes.begin());
    text += '\x01';
  }
  return id;
}

// Folds ask for the ids of the same parents and targets again and again.
class RecentSpanIds {
 public:
  otlp::SpanId of(std::string text) {
    Known& known = known_[xxh3_64(text) % known_.size()];
    if (known.text != text) {
      known.id = truncated_hash<otlp::SpanId>(text);
      known.text = std::move(text);
    }
    return known.id;
  }

 private:
  struct Known {
    std::string text;
    otlp::SpanId id;
  };
  std::array<Known, 1024> known_;
};

otlp::SpanId span_id_of(std::string text) {
  thread_local RecentSpanIds recent;
  return recent.of(std::move(text));
}

constexpr std::string_view kSpanDomain = "contextcore.span.v1";

}  // namespace

otlp::SpanId span_id(std::string_view kind, std::string_view project, std::string_view id) {
  return span_id_of(preimage(kSpanDomain, kind, project, id));
}

otlp::SpanId phase_span_id(std::string_view project, std::string_view task_id, int64_t ordinal) {
  std::string text = preimage(kSpanDomain, "phase", project, task_id);
  text += '\0';
  text += std::to_string(ordinal);
  return span_id_of(std::move(text));
}

otlp::SpanId life_span_id(std::string_view kind, std::string_view project, std::string_view id,
                          int64_t life) {
  std::string text = preimage(kSpanDomain, kind, project, id);
  text += "\0#"sv;
  text += std::to_string(life);
  return span_id_of(std::move(text));
}

otlp::SpanId fact_span_id(std::string_view project, std::string_view insight_id,
                          std::string_view fact) {
  std::string text = preimage(kSpanDomain, "insight", project, insight_id);
  text += '\0';
  text += fact;
  return span_id_of(std::move(text));
}

otlp::TraceId trace_id(std::string_view kind, std::string_view project, std::string_view root_id) {
  return truncated_hash<otlp::TraceId>(preimage("contextcore.trace.v1", kind, project, root_id));
}

}  // namespace contextcore::work
