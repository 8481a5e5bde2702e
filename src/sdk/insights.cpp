#include "contextcore/insights.h"

#include "sdk/library.h"

namespace contextcore {
namespace {

void put(JsonObject& args, std::string_view key, std::string_view value) {
  if (!value.empty()) args.emplace_back(key, value);
}

Json evidence_json(const std::vector<Evidence>& evidence) {
  JsonArray out;
  for (const Evidence& one : evidence) {
    JsonObject item{{"type", one.type}, {"ref", one.ref}};
    put(item, "description", one.description);
    out.emplace_back(std::move(item));
  }
  return out;
}

Result<Insight> insight_from(Result<Json> answer) {
  if (!answer.ok()) return std::move(answer).error();
  return sdk::insight_of(*answer);
}

}  // namespace

Result<InsightEmitter> InsightEmitter::open(ConnectOptions options) {
  CC_ASSIGN(auto impl, TaskTracker::Impl::open(options, true));
  if (!impl->agent_named) {
    return Error{Code::invalid_argument,
                 "no agent",
                 "set ConnectOptions::agent_id or CONTEXTCORE_AGENT",
                 {},
                 {}};
  }
  return InsightEmitter(std::move(impl));
}

Result<Insight> InsightEmitter::emit(std::string_view type, std::string_view summary,
                                     const InsightOptions& options) {
  JsonObject args{{"type", type}, {"summary", summary}, {"confidence", options.confidence}};
  put(args, "subject", options.subject);
  put(args, "category", options.category);
  put(args, "audience", options.audience);
  put(args, "rationale", options.rationale);
  if (!options.applies_to.empty())
    args.emplace_back("applies_to", sdk::list_json(options.applies_to));
  put(args, "valid_until", options.valid_until);
  put(args, "supersedes", options.supersedes);
  put(args, "task_id", options.task_id);
  if (!options.evidence.empty()) args.emplace_back("evidence", evidence_json(options.evidence));
  if (!options.context.empty()) args.emplace_back("context", sdk::attributes_json(options.context));
  return insight_from(impl_->command("insight.emit", std::move(args)));
}

Result<Insight> InsightEmitter::emit_decision(std::string_view summary,
                                              const InsightOptions& options) {
  return emit("decision", summary, options);
}
Result<Insight> InsightEmitter::emit_lesson(std::string_view summary,
                                            const InsightOptions& options) {
  return emit("lesson", summary, options);
}
Result<Insight> InsightEmitter::emit_blocker(std::string_view summary,
                                             const InsightOptions& options) {
  return emit("blocker", summary, options);
}

Result<Insight> InsightEmitter::supersede(std::string_view id, std::string_view by_id) {
  return insight_from(impl_->command("insight.supersede", {{"id", id}, {"by", by_id}}));
}

Result<Insight> InsightEmitter::retract(std::string_view id, std::string_view reason) {
  JsonObject args{{"id", id}};
  put(args, "reason", reason);
  return insight_from(impl_->command("insight.retract", std::move(args)));
}

Result<Insight> InsightEmitter::resolve(std::string_view id, std::string_view resolution) {
  JsonObject args{{"id", id}};
  put(args, "resolution", resolution);
  return insight_from(impl_->command("insight.resolve", std::move(args)));
}

Result<InsightQuerier> InsightQuerier::open(ConnectOptions options) {
  CC_ASSIGN(auto impl, TaskTracker::Impl::open(options, false));
  return InsightQuerier(std::move(impl));
}

Result<std::vector<Insight>> InsightQuerier::query(const InsightFilter& filter) {
  JsonObject args{{"limit", filter.limit}};
  put(args, "type", filter.type);
  put(args, "subject", filter.subject);
  put(args, "agent", filter.agent_id);
  put(args, "task_id", filter.task_id);
  put(args, "text", filter.text);
  put(args, "since", filter.since);
  put(args, "status", filter.status);
  if (filter.confidence_min) args.emplace_back("min_confidence", *filter.confidence_min);
  CC_ASSIGN(const Json answer, impl_->question("insight.query", std::move(args)));
  std::vector<Insight> out;
  if (const Json* items = answer.find("items"); items != nullptr && items->as_array() != nullptr) {
    for (const Json& item : *items->as_array()) out.push_back(sdk::insight_of(item));
  }
  return out;
}

}  // namespace contextcore
