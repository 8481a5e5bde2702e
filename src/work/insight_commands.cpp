// Insights: emitted once, then superseded, retracted or resolved by later facts.

#include <algorithm>

#include "base/hash.h"
#include "base/time.h"
#include "work/execute_ops.h"
#include "work/ids.h"
#include "work/names.h"
#include "work/read.h"
#include "work/status.h"

namespace contextcore::work {
namespace {

namespace field = names::field;
namespace attr = names::attr;
namespace ev = names::event;

Status check_type_name(std::string_view type) {
  const bool good =
      !type.empty() && type.size() <= 64 && type.front() >= 'a' && type.front() <= 'z' &&
      std::all_of(type.begin(), type.end(), [](char c) {
        return (c >= 'a' && c <= 'z') || (c >= '0' && c <= '9') || c == '_' || c == '-';
      });
  if (good) return {};
  Error error = unknown_name("insight type", type, kInsightTypes);
  error.hint += "; a type of your own is lower-case letters, digits, '_' and '-'";
  return Status(std::move(error));
}

// An id that nobody has: a function of the command.
std::string make_id(const Transaction& transaction, std::string_view summary) {
  const Command& command = transaction.command();
  std::string seed = command.command_id;
  if (seed.empty()) seed = std::string(summary) + std::to_string(transaction.now_ns());
  const auto digest = sha256("contextcore.insight_id" + std::string(1, '\0') + seed);
  const std::string hex =
      to_hex(std::string_view(reinterpret_cast<const char*>(digest.data()), digest.size()));
  for (size_t length = 12; length < hex.size(); length++) {
    std::string id = "insight-" + hex.substr(0, length);
    if (!transaction.view().index().find(span_id("insight", command.project, id))) return id;
  }
  return "insight-" + hex;
}

Result<std::unique_ptr<InsightEntry>> load_insight(const Transaction& transaction,
                                                   std::string_view id) {
  CC_ASSIGN(const store::WorkRow* row,
            find_insight(transaction.view(), transaction.command().project, id));
  CC_ASSIGN(std::optional<store::JournalSpan> span, transaction.view().span(row->span_id));
  if (!span) {
    return Error{Code::corruption,
                 "the span of insight " + std::string(id) + " is missing",
                 "run contextcore rebuild",
                 {},
                 {}};
  }
  const auto expected = transaction.command().expected_revision;
  if (expected && *expected != span->revision) {
    return Error{Code::conflict,
                 "insight " + std::string(id) + " is at revision " +
                     std::to_string(span->revision) + ", not " + std::to_string(*expected),
                 "read it again and decide anew",
                 {},
                 {}};
  }
  const auto time = transaction.command().time_ns;
  if (time && *time < static_cast<int64_t>(span->span.start_ns)) {
    return Error{Code::failed_precondition,
                 "the time " + format_rfc3339(*time) + " is before insight " + std::string(id) +
                     " was emitted, at " +
                     format_rfc3339(static_cast<int64_t>(span->span.start_ns)),
                 {},
                 {},
                 {}};
  }
  auto entry = std::make_unique<InsightEntry>();
  entry->history.insight = std::move(span);
  entry->existed = true;
  return entry;
}

std::string text_of(const InsightEntry& entry, std::string_view key) {
  return std::string(otlp::find_string(entry.history.insight->span.attributes, key));
}

// The later fact that closed an insight; "" while it is open.
std::string closed_as(const InsightEntry& entry) {
  const otlp::Attributes& attributes = entry.history.insight->span.attributes;
  if (const std::string by = text_of(entry, attr::kInsightSupersededBy); !by.empty())
    return "superseded by " + by;
  if (otlp::find(attributes, attr::kInsightRetracted)) return "retracted";
  if (otlp::find(attributes, attr::kInsightResolved)) return "resolved";
  return {};
}

Status close(Transaction& transaction, InsightEntry& entry, std::string_view event, Line line) {
  const std::string id = text_of(entry, attr::kInsightId);
  if (const std::string closed = closed_as(entry); !closed.empty()) {
    return Status(Error{Code::failed_precondition,
                        "insight " + id + " is " + closed + " already",
                        "emit a new one, or supersede the newer one",
                        {},
                        {}});
  }
  Line whole;
  whole.text(field::kInsightId, id).text(field::kInsightType, text_of(entry, attr::kInsightType));
  for (const auto& [name, value] : line.take()) {
    if (value.as_string()) whole.text(name, *value.as_string());
  }
  const std::string& mode = transaction.settings().emit_mode;
  whole.text(field::kEmitMode, mode == "dual" ? "" : mode);
  const otlp::Span& span = entry.history.insight->span;
  const otlp::TraceId trace = span.trace_id;
  const otlp::SpanId id_of_span = span.span_id;
  return transaction.emit(entry, trace, id_of_span, event, std::move(whole),
                          text_of(entry, attr::kInsightTaskId));
}

struct Evidence {
  std::string type, ref, description;
};

Result<std::vector<Evidence>> evidence_of(const Args& args) {
  static constexpr std::array<std::string_view, 3> kFields = {"type", "ref", "description"};
  std::vector<Evidence> result;
  const Json* json = args.find("evidence");
  if (!json) return result;
  if (!json->as_array())
    return Error{Code::invalid_argument,
                 "evidence must be an array of {type, ref, description}",
                 {},
                 {},
                 {}};
  for (const Json& element : *json->as_array()) {
    CC_ASSIGN(const Args one, Args::make("evidence", element, kFields));
    Evidence evidence;
    CC_ASSIGN(evidence.type, one.required("type"));
    CC_ASSIGN(evidence.ref, one.required("ref"));
    CC_ASSIGN(evidence.description, one.text("description"));
    result.push_back(std::move(evidence));
  }
  return result;
}

Status check_keys(std::string_view what, const JsonObject& object) {
  for (const auto& [key, value] : object) {
    if (key.empty() || key.size() > kIdBytesMax) {
      return Status(Code::invalid_argument,
                    "a key of " + std::string(what) + " is empty or longer than 256 bytes");
    }
    const auto same =
        std::count_if(object.begin(), object.end(), [&](const auto& m) { return m.first == key; });
    if (same > 1)
      return Status(Code::invalid_argument,
                    "key " + key + " of " + std::string(what) + " stands twice");
    const bool ours = key.starts_with("insight.") || key.starts_with("task.") ||
                      key.starts_with("contextcore.") || key == attr::kProjectId ||
                      key == attr::kAgentId || key == attr::kAgentSessionId ||
                      key == attr::kGenAiAgentId || key == attr::kGenAiConversationId;
    if (what == "attributes" && ours) {
      return Status(Error{Code::invalid_argument,
                          "attribute " + key + " is set by the emitter",
                          "use the field for it",
                          {},
                          {}});
    }
  }
  return {};
}

std::string default_subject(const std::string& category,
                            const std::vector<std::string>& applies_to) {
  const std::string path = applies_to.empty() ? "" : applies_to.front();
  if (category.empty() || path.empty()) return category + path;
  return category + ":" + path;
}

Result<Line> emitted_line(const Transaction& transaction, const Args& args, std::string_view id) {
  CC_ASSIGN(const std::string type, args.required("type"));
  CC_TRY(check_type_name(type));
  CC_ASSIGN(const std::string summary, args.required("summary"));
  CC_ASSIGN(const auto confidence, args.number("confidence"));
  if (confidence && !(*confidence >= 0 && *confidence <= 1)) {
    return Error{
        Code::invalid_argument,
        "confidence must be a number from 0 to 1, not " + to_string(*args.find("confidence")),
        {},
        {},
        {}};
  }
  CC_ASSIGN(std::string audience, args.choice("audience", kAudiences));
  CC_ASSIGN(const std::string category, args.text("category"));
  CC_ASSIGN(const auto applies_to, args.list("applies_to"));
  CC_ASSIGN(std::string subject, args.text("subject"));
  if (subject.empty()) subject = default_subject(category, applies_to);
  CC_ASSIGN(const std::string rationale, args.text("rationale"));
  CC_ASSIGN(const std::string valid_until, args.time("valid_until"));
  CC_ASSIGN(const std::string supersedes, args.text("supersedes"));
  CC_ASSIGN(const JsonObject context, args.object("context"));
  CC_ASSIGN(const JsonObject attributes, args.object("attributes"));
  CC_ASSIGN(const JsonObject usage, args.object("usage"));
  CC_TRY(check_keys("context", context));
  CC_TRY(check_keys("attributes", attributes));
  CC_TRY(check_keys("usage", usage));
  CC_ASSIGN(const std::string provider, args.text("provider"));
  CC_ASSIGN(const std::string model, args.text("model"));
  const Actor& actor = transaction.command().actor;
  const std::string& mode = transaction.settings().emit_mode;
  Line line;
  line.text(field::kInsightId, id)
      .text(field::kInsightType, type)
      .text(field::kSubject, subject)
      .text(field::kSummary, summary)
      .number(field::kConfidence, confidence)
      .text(field::kAudience, audience.empty() ? "both" : audience)
      .text(field::kRationale, rationale)
      .text(field::kCategory, category)
      .list(field::kAppliesTo, applies_to)
      .text(field::kValidUntil, valid_until)
      .text(field::kSupersedes, supersedes)
      .object(field::kContextJson, context)
      .object(field::kAttrsJson, attributes)
      .text(field::kAgentName,
            !actor.agent_id.empty() && actor.actor != actor.agent_id && actor.actor_type == "agent"
                ? actor.actor
                : "")
      .text(field::kProvider, provider)
      .text(field::kModel, model)
      .object(field::kUsageJson, usage)
      .text(field::kEmitMode, mode == "dual" ? "" : mode);
  return line;
}

Status supersede(Transaction& transaction, std::string_view old_id, const std::string& by,
                 InsightEntry** out) {
  CC_ASSIGN(std::unique_ptr<InsightEntry> entry, load_insight(transaction, old_id));
  const bool already = text_of(*entry, attr::kInsightSupersededBy) == by;
  InsightEntry& kept = transaction.keep(std::move(entry));
  if (out) *out = &kept;
  if (already) return {};
  return close(transaction, kept, ev::kInsightSuperseded, Line().text(field::kByInsightId, by));
}

}  // namespace

Status run_insight_emit(Transaction& transaction, const Args& args, Answer& answer) {
  const std::string& project = transaction.command().project;
  if (project.empty()) {
    return Status(Error{Code::invalid_argument,
                        "a new insight needs a project",
                        "give one, or run contextcore init",
                        {},
                        {}});
  }
  CC_TRY(check_id("project", project));
  CC_ASSIGN(const std::string summary, args.text("summary"));
  const std::string id = make_id(transaction, summary);
  CC_ASSIGN(Line line, emitted_line(transaction, args, id));
  CC_ASSIGN(const auto evidence, evidence_of(args));
  CC_ASSIGN(const std::string task_id, args.text("task_id"));
  otlp::TraceId trace = trace_id("insight", project, id);
  if (!task_id.empty()) {
    CC_ASSIGN(const store::WorkRow* task, find_task(transaction.view(), project, task_id));
    trace = task->trace_id;
  }
  InsightEntry& entry = transaction.keep(std::make_unique<InsightEntry>());
  answer.insight = &entry;
  const otlp::SpanId span = span_id("insight", project, id);
  CC_TRY(transaction.emit(entry, trace, span, ev::kInsightEmitted, std::move(line), task_id));
  for (const Evidence& one : evidence) {
    CC_TRY(transaction.emit(entry, trace, span, ev::kEvidenceAdded,
                            Line()
                                .text(field::kInsightId, id)
                                .text(field::kEvidenceType, one.type)
                                .text(field::kEvidenceRef, one.ref)
                                .text(field::kEvidenceDescription, one.description),
                            task_id));
  }
  CC_ASSIGN(const std::string supersedes, args.text("supersedes"));
  if (!supersedes.empty()) CC_TRY(supersede(transaction, supersedes, id, nullptr));
  return {};
}

Status run_insight_supersede(Transaction& transaction, const Args& args, Answer& answer) {
  CC_ASSIGN(const std::string id, args.required("id"));
  CC_ASSIGN(const std::string by, args.required("by"));
  CC_ASSIGN(const store::WorkRow* newer,
            find_insight(transaction.view(), transaction.command().project, by));
  if (id == by) return Status(Code::invalid_argument, "insight " + id + " cannot supersede itself");
  return supersede(transaction, id, newer->id, &answer.insight);
}

Status run_insight_retract(Transaction& transaction, const Args& args, Answer& answer) {
  CC_ASSIGN(const std::string id, args.required("id"));
  CC_ASSIGN(const std::string reason, args.text("reason"));
  CC_ASSIGN(std::unique_ptr<InsightEntry> entry, load_insight(transaction, id));
  answer.insight = &transaction.keep(std::move(entry));
  if (closed_as(*answer.insight) == "retracted") return {};
  return close(transaction, *answer.insight, ev::kInsightRetracted,
               Line().text(field::kResolution, reason));
}

Status run_insight_resolve(Transaction& transaction, const Args& args, Answer& answer) {
  CC_ASSIGN(const std::string id, args.required("id"));
  CC_ASSIGN(const std::string resolution, args.text("resolution"));
  CC_ASSIGN(std::unique_ptr<InsightEntry> entry, load_insight(transaction, id));
  answer.insight = &transaction.keep(std::move(entry));
  if (closed_as(*answer.insight) == "resolved") return {};
  return close(transaction, *answer.insight, ev::kInsightResolved,
               Line().text(field::kResolution, resolution));
}

}  // namespace contextcore::work
