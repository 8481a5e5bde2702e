// insight.query and insight.get. Validity is computed here, at the view's now.

#include <algorithm>
#include <array>

#include "base/time.h"
#include "work/ids.h"
#include "work/names.h"
#include "work/questions.h"
#include "work/read.h"
#include "work/status.h"
#include "work/view_json.h"

namespace contextcore::work {
namespace {

namespace attr = names::attr;
using store::WorkRow;

constexpr std::array<std::string_view, 6> kStatuses = {"active",   "superseded", "retracted",
                                                       "resolved", "expired",    "all"};

struct InsightFilter {
  std::string project;
  std::vector<std::string> types, statuses;
  std::string subject, agent, text, category, audience, path;
  std::optional<double> min_confidence;
  std::optional<otlp::SpanId> task;
  int64_t since_ns = 0;
  bool by_span() const {
    return !subject.empty() || !text.empty() || !category.empty() || !audience.empty() ||
           !path.empty() || min_confidence;
  }
};

// '*' any characters but '/', '**' any, '?' one but '/'.
bool glob_matches(std::string_view glob, std::string_view path) {
  if (glob.empty()) return path.empty();
  if (glob.starts_with("**")) {
    std::string_view rest = glob.substr(2);
    if (rest.starts_with("/") && glob_matches(rest.substr(1), path)) return true;
    for (size_t i = 0; i <= path.size(); i++) {
      if (glob_matches(rest, path.substr(i))) return true;
    }
    return false;
  }
  if (glob.front() == '*') {
    for (size_t i = 0; i <= path.size(); i++) {
      if (glob_matches(glob.substr(1), path.substr(i))) return true;
      if (i < path.size() && path[i] == '/') break;
    }
    return false;
  }
  if (path.empty()) return false;
  if (glob.front() == '?' ? path.front() == '/' : glob.front() != path.front()) return false;
  return glob_matches(glob.substr(1), path.substr(1));
}

bool contains_folded(std::string_view text, std::string_view needle) {
  const auto lower = [](char c) {
    return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  };
  return std::search(text.begin(), text.end(), needle.begin(), needle.end(),
                     [&](char a, char b) { return lower(a) == lower(b); }) != text.end();
}

bool accepts_row(const InsightFilter& filter, const WorkRow& row, int64_t now_ns) {
  const auto one_of = [](const std::vector<std::string>& list, std::string_view value) {
    return list.empty() || std::find(list.begin(), list.end(), value) != list.end();
  };
  if (!is_insight(row) || row.start_ns < filter.since_ns) return false;
  if (!filter.project.empty() && row.project != filter.project) return false;
  if (!filter.agent.empty() && row.assignee != filter.agent) return false;
  if (filter.task && row.parent_span_id != *filter.task) return false;
  return one_of(filter.types, row.type) && one_of(filter.statuses, insight_status(row, now_ns));
}

bool accepts_path(const otlp::Attributes& attributes, std::string_view path) {
  const otlp::Value* globs = otlp::find(attributes, attr::kInsightAppliesTo);
  if (!globs || !globs->as_array()) return false;
  return std::any_of(
      globs->as_array()->begin(), globs->as_array()->end(), [&](const otlp::Value& value) {
        return value.as_string() &&
               (*value.as_string() == path || glob_matches(*value.as_string(), path));
      });
}

bool accepts_span(const InsightFilter& filter, const otlp::Attributes& attributes) {
  const auto text = [&](std::string_view key) { return otlp::find_string(attributes, key); };
  if (!filter.subject.empty() && text(attr::kInsightSubject) != filter.subject) return false;
  if (!filter.category.empty() && text(attr::kInsightCategory) != filter.category) return false;
  // What is meant for both is meant for either.
  const std::string_view audience = text(attr::kInsightAudience);
  if (!filter.audience.empty() && audience != filter.audience && audience != "both") return false;
  if (!filter.path.empty() && !accepts_path(attributes, filter.path)) return false;
  if (filter.min_confidence) {
    const otlp::Value* confidence = otlp::find(attributes, attr::kInsightConfidence);
    if (!confidence || !confidence->as_double() ||
        *confidence->as_double() < *filter.min_confidence)
      return false;
  }
  return filter.text.empty() || contains_folded(text(attr::kInsightSummary), filter.text) ||
         contains_folded(text(attr::kInsightRationale), filter.text) ||
         contains_folded(text(attr::kInsightSubject), filter.text);
}

Result<InsightFilter> insight_filter(const store::WorkView& view, const Question& question,
                                     const Args& args) {
  InsightFilter filter;
  filter.project = question.project;
  CC_ASSIGN(filter.types, args.list("type"));
  CC_ASSIGN(filter.statuses, args.choices("status", kStatuses));
  if (filter.statuses.empty()) filter.statuses.emplace_back("active");
  if (std::find(filter.statuses.begin(), filter.statuses.end(), "all") != filter.statuses.end())
    filter.statuses.clear();
  CC_ASSIGN(filter.subject, args.text("subject"));
  CC_ASSIGN(filter.agent, args.text("agent"));
  CC_ASSIGN(filter.text, args.text("text"));
  CC_ASSIGN(filter.category, args.text("category"));
  CC_ASSIGN(filter.audience, args.choice("audience", kAudiences));
  CC_ASSIGN(filter.path, args.text("applies_to"));
  CC_ASSIGN(filter.min_confidence, args.number("min_confidence"));
  CC_ASSIGN(const std::string since, args.text("since"));
  if (!since.empty()) {
    CC_ASSIGN(filter.since_ns, parse_time(since, view.now_ns()));
  }
  CC_ASSIGN(const std::string task, args.text("task_id"));
  if (!task.empty()) {
    CC_ASSIGN(const WorkRow* row, resolve_task(view, question.project, task));
    filter.task = row->span_id;
  }
  return filter;
}

// The insight with its evidence, which only the log has.
Result<Json> whole_insight(const store::WorkView& view, const WorkRow& row) {
  CC_ASSIGN(const std::optional<store::JournalSpan> span, view.span(row.span_id));
  if (!span)
    return Error{Code::corruption,
                 "the span of insight " + row.id + " is missing",
                 "run contextcore rebuild",
                 {},
                 {}};
  Json json = insight_json(*span, row, view.now_ns());
  CC_ASSIGN(const auto records, view.events(row.span_id));
  JsonArray evidence;
  for (const otlp::LogRecord& record : records) {
    if (record.event_name != names::event::kEvidenceAdded) continue;
    CC_ASSIGN(const Event event, event_from_record(record, nullptr));
    JsonObject one{{"type", Json(event.text(names::field::kEvidenceType))},
                   {"ref", Json(event.text(names::field::kEvidenceRef))}};
    if (const std::string text = event.text(names::field::kEvidenceDescription); !text.empty())
      one.emplace_back("description", Json(text));
    evidence.emplace_back(std::move(one));
  }
  if (!evidence.empty())
    std::get<JsonObject>(json.data).emplace_back("evidence", Json(std::move(evidence)));
  return json;
}

}  // namespace

Result<Json> ask_insights(const Reading& reading, const Question& question, const Args& args) {
  const store::WorkView& view = reading.view;
  CC_ASSIGN(const InsightFilter filter, insight_filter(view, question, args));
  CC_ASSIGN(const size_t limit, limit_of(args));
  std::vector<const WorkRow*> found;
  view.index().scan_keys(
      {store::WorkFilter::bit(store::WorkKind::insight), false, filter.project},
      [&](const store::WorkKey& key) {
        const WorkRow* row = key.start_ns < filter.since_ns ? nullptr : view.index().find(key.span_id);
        if (row != nullptr && accepts_row(filter, *row, view.now_ns())) found.push_back(row);
        return true;
      });
  std::sort(found.begin(), found.end(), [](const WorkRow* a, const WorkRow* b) {
    if (a->start_ns != b->start_ns) return a->start_ns > b->start_ns;
    return std::tie(a->project, a->id) < std::tie(b->project, b->id);
  });
  JsonArray items;
  int64_t total = 0;
  for (const WorkRow* row : found) {
    if (filter.by_span()) {
      CC_ASSIGN(const std::optional<store::JournalSpan> span, view.span(row->span_id));
      if (!span || !accepts_span(filter, span->span.attributes)) continue;
    }
    total++;
    if (items.size() >= limit) {
      if (filter.by_span()) continue;
      total = static_cast<int64_t>(found.size());
      break;
    }
    CC_ASSIGN(Json insight, whole_insight(view, *row));
    items.push_back(std::move(insight));
  }
  return Json(JsonObject{{"items", Json(std::move(items))}, {"total", Json(total)}});
}

Result<Json> ask_insight(const Reading& reading, const Question& question, const Args& args) {
  const store::WorkView& view = reading.view;
  CC_ASSIGN(const std::string id, args.required("id"));
  CC_ASSIGN(const WorkRow* row, find_insight(view, question.project, id));
  return whole_insight(view, *row);
}

}  // namespace contextcore::work
