#include <array>

#include "work/fold_task.h"
#include "work/ids.h"
#include "work/names.h"

namespace contextcore::work {
namespace {

namespace field = names::field;
namespace attr = names::attr;
namespace ev = names::event;

constexpr std::string_view kAgentScope = "contextcore.agent";

class Writer {
 public:
  explicit Writer(otlp::Attributes& out) : out_(out) {}
  void value(std::string_view key, otlp::Value v) {
    out_.push_back({std::string(key), std::move(v)});
  }
  void text(std::string_view key, std::string_view v) {
    if (!v.empty()) value(key, otlp::Value(v));
  }
  void list(std::string_view key, const std::vector<std::string>& v) {
    if (v.empty()) return;
    otlp::Array array;
    for (const std::string& element : v) array.emplace_back(element);
    value(key, otlp::Value(std::move(array)));
  }
  void each(std::string_view prefix, const JsonObject& object) {
    for (const auto& [key, json] : object) {
      if (auto v = attribute_value(json)) value(std::string(prefix) + key, std::move(*v));
    }
  }

 private:
  otlp::Attributes& out_;
};

store::JournalSpan instant(const Event& event) {
  store::JournalSpan out;
  Writer resource(out.resource.attributes);
  resource.text(attr::kServiceName, event.service_name);
  resource.text(attr::kProjectId, event.project);
  out.scope.name = kAgentScope;
  out.revision = event.revision;
  out.span.trace_id = event.trace_id;
  out.span.kind = otlp::SpanKind::internal;
  out.span.start_ns = out.span.end_ns = static_cast<uint64_t>(event.time_ns);
  return out;
}

void write_agent(const Event& event, Writer& write) {
  const std::string mode = event.text(field::kEmitMode);
  const std::string agent = event.text(field::kAgentId);
  const std::string session = event.text(field::kSessionId);
  if (mode != "otel") {
    write.text(attr::kAgentId, agent);
    write.text(attr::kAgentSessionId, session);
  }
  if (mode != "legacy") {
    write.text(attr::kGenAiAgentId, agent);
    write.text(attr::kGenAiAgentName, event.text(field::kAgentName));
    write.text(attr::kGenAiConversationId, session);
  }
}

store::JournalSpan emitted(const Event& event) {
  store::JournalSpan out = instant(event);
  out.span.span_id = event.span_id;
  out.span.name = "insight." + event.text(field::kInsightType);
  const std::string task_id = event.text(field::kTaskId);
  if (!task_id.empty()) out.span.parent_span_id = span_id("task", event.project, task_id);
  Writer write(out.span.attributes);
  write.text(attr::kInsightId, event.text(field::kInsightId));
  write.text(attr::kInsightType, event.text(field::kInsightType));
  write.text(attr::kInsightSubject, event.text(field::kSubject));
  write.text(attr::kInsightSummary, event.text(field::kSummary));
  if (const auto confidence = event.number_if(field::kConfidence)) {
    write.value(attr::kInsightConfidence, otlp::Value(*confidence));
  }
  write.text(attr::kInsightAudience, event.text(field::kAudience));
  write.text(attr::kInsightRationale, event.text(field::kRationale));
  write.text(attr::kInsightCategory, event.text(field::kCategory));
  write.list(attr::kInsightAppliesTo, event.list(field::kAppliesTo));
  write.text(attr::kInsightValidUntil, event.text(field::kValidUntil));
  write.text(attr::kInsightSupersedes, event.text(field::kSupersedes));
  write.text(attr::kInsightTaskId, task_id);
  write.text(attr::kProjectId, event.project);
  write_agent(event, write);
  write.text(attr::kGenAiProviderName, event.text(field::kProvider));
  write.text(attr::kGenAiRequestModel, event.text(field::kModel));
  write.each(attr::kGenAiUsage, event.object(field::kUsageJson));
  write.each(attr::kInsightContext, event.object(field::kContextJson));
  write.each("", event.object(field::kAttrsJson));
  write.value(attr::kContextcoreRevision, otlp::Value(event.revision));
  return out;
}

// A trace as evidence is a link besides the span event that the log event is mirrored to.
void fold_evidence(store::JournalSpan& insight, const Event& event) {
  otlp::SpanLink link;
  const std::string ref = event.text(field::kEvidenceRef);
  if (event.text(field::kEvidenceType) != "trace" || ref.size() != 32 ||
      !otlp::parse_hex(ref, link.trace_id)) {
    return;
  }
  Writer write(link.attributes);
  write.text(attr::kType, "evidence");
  write.text(attr::kLinkType, "evidence");
  insight.span.links.push_back(std::move(link));
}

store::JournalSpan fact_span(const store::JournalSpan& insight, const Event& event,
                             std::string_view fact, std::string_view link_type) {
  store::JournalSpan out = instant(event);
  const std::string id = event.text(field::kInsightId);
  out.span.trace_id = insight.span.trace_id;
  out.span.span_id = fact_span_id(event.project, id, fact);
  out.span.parent_span_id = insight.span.parent_span_id;
  out.span.name = "contextcore.insight." + std::string(fact);
  Writer write(out.span.attributes);
  write.text(attr::kInsightTargetId, id);
  write.text(attr::kInsightFact, fact);
  write.text(attr::kInsightByInsightId, event.text(field::kByInsightId));
  write.text(attr::kInsightResolution, event.text(field::kResolution));
  write.text(attr::kProjectId, event.project);
  write_agent(event, write);
  write.value(attr::kContextcoreRevision, otlp::Value(event.revision));
  otlp::SpanLink link;
  link.trace_id = insight.span.trace_id;
  link.span_id = insight.span.span_id;
  Writer link_write(link.attributes);
  link_write.text(attr::kType, link_type);
  link_write.text(attr::kLinkType, link_type);
  out.span.links.push_back(std::move(link));
  return out;
}

}  // namespace

bool is_insight_event(std::string_view event_name) {
  return event_name.starts_with("insight.") || event_name == ev::kEvidenceAdded;
}

Status fold(InsightHistory& history, const Event& event) {
  if (event.name == ev::kInsightEmitted) {
    if (history.insight) {
      return Status(Code::corruption,
                    "insight " + event.text(field::kInsightId) + " is emitted twice");
    }
    history.insight = emitted(event);
    return {};
  }
  if (!history.insight) {
    return Status(Code::corruption, "event " + event.name + " of insight " +
                                        event.text(field::kInsightId) +
                                        " comes before the insight");
  }
  store::JournalSpan& insight = *history.insight;
  insight.span.trace_id = event.trace_id;  // that of its task, which may have moved
  if (event.name == ev::kEvidenceAdded) fold_evidence(insight, event);
  Writer write(insight.span.attributes);
  if (event.name == ev::kInsightSuperseded) {
    write.text(attr::kInsightSupersededBy, event.text(field::kByInsightId));
    history.facts.push_back(fact_span(insight, event, "superseded", "supersedes"));
  } else if (event.name == ev::kInsightRetracted) {
    write.value(attr::kInsightRetracted, otlp::Value(true));
    write.text(attr::kInsightResolution, event.text(field::kResolution));
    history.facts.push_back(fact_span(insight, event, "retracted", "retracts"));
  } else if (event.name == ev::kInsightResolved) {
    write.value(attr::kInsightResolved, otlp::Value(true));
    write.text(attr::kInsightResolution, event.text(field::kResolution));
    history.facts.push_back(fact_span(insight, event, "resolved", "resolves"));
  }
  otlp::set(insight.span.attributes, attr::kContextcoreRevision, otlp::Value(event.revision));
  insight.revision = event.revision;
  return {};
}

}  // namespace contextcore::work
