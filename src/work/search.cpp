// task.search: text in titles, descriptions and comments, without regard to case.

#include <algorithm>
#include <map>

#include "base/time.h"
#include "work/filters.h"
#include "work/names.h"
#include "work/questions.h"
#include "work/view_json.h"

namespace contextcore::work {
namespace {

using store::WorkRow;

constexpr size_t kBeforeBytes = 40, kSnippetBytes = 160;

// Cuts at characters: a continuation byte of UTF-8 never starts a piece.
size_t character_start(std::string_view text, size_t at) {
  while (at > 0 && at < text.size() && (static_cast<unsigned char>(text[at]) & 0xc0) == 0x80) at--;
  return at;
}

std::string snippet(std::string_view text, size_t at) {
  const size_t from = character_start(text, at > kBeforeBytes ? at - kBeforeBytes : 0);
  const size_t to = character_start(text, std::min(text.size(), from + kSnippetBytes));
  std::string out = from > 0 ? "…" : "";
  out += text.substr(from, to - from);
  return to < text.size() ? out + "…" : out;
}

bool add_match(const TextPattern& pattern, std::string_view where, std::string_view text,
               JsonArray& matches, JsonObject more = {}) {
  const size_t at = pattern.find_in(text);
  if (at == std::string_view::npos) return false;
  JsonObject match{{"in", Json(where)}, {"text", Json(snippet(text, at))}};
  for (auto& member : more) match.push_back(std::move(member));
  matches.emplace_back(std::move(match));
  return true;
}

// Comments that hold the text, by task.
Result<std::map<otlp::SpanId, JsonArray>> find_comments(const Reading& reading,
                                                        const std::string& project,
                                                        const TextPattern& pattern) {
  EventFilter filter;
  filter.project = project;
  filter.as_of_ns = reading.moment.as_of_ns.value_or(INT64_MAX);
  filter.known_at_ns = reading.moment.known_at_ns.value_or(INT64_MAX);
  filter.holding = {"\"" + std::string(names::event::kTaskCommented) + "\""};
  std::map<otlp::SpanId, JsonArray> found;
  CC_TRY(read_events(reading.source, filter, [&](Event& event) -> Status {
    if (event.name != names::event::kTaskCommented) return {};
    JsonArray matches;
    if (add_match(pattern, "comment", event.text(names::field::kText), matches,
                  {{"time", Json(format_rfc3339(event.time_ns))},
                   {"author", Json(event.text(names::field::kAuthor))}})) {
      JsonArray& all = found[event.span_id];
      all.push_back(std::move(matches.front()));
    }
    return {};
  }));
  return found;
}

}  // namespace

Result<Json> ask_search(const Reading& reading, const Question& question, const Args& args) {
  CC_ASSIGN(const std::string text, args.required("text"));
  CC_ASSIGN(const size_t limit, limit_of(args));
  CC_ASSIGN(TaskFilter filter, task_filter(reading.view, question, args));
  const TextPattern pattern = std::move(filter.text);
  filter.text = {};
  CC_ASSIGN(std::vector<const WorkRow*> rows, filter.find(reading.view));
  CC_ASSIGN(auto comments, find_comments(reading, filter.project, pattern));
  std::sort(rows.begin(), rows.end(), [](const WorkRow* a, const WorkRow* b) {
    if (a->updated_ns != b->updated_ns) return a->updated_ns > b->updated_ns;
    return std::tie(a->project, a->id) < std::tie(b->project, b->id);
  });
  JsonArray items;
  int64_t total = 0;
  for (const WorkRow* row : rows) {
    CC_ASSIGN(const Task task, read_task(reading.view, *row));
    JsonArray matches;
    add_match(pattern, "title", task.title, matches);
    add_match(pattern, "description", task.description, matches);
    if (const auto more = comments.find(row->span_id); more != comments.end())
      std::move(more->second.begin(), more->second.end(), std::back_inserter(matches));
    if (matches.empty() || ++total > static_cast<int64_t>(limit)) continue;
    Json item = task_json(task, *row, reading.view.now_ns());
    std::get<JsonObject>(item.data).emplace_back("matches", Json(std::move(matches)));
    items.push_back(std::move(item));
  }
  return Json(JsonObject{{"items", Json(std::move(items))}, {"total", Json(total)}});
}

}  // namespace contextcore::work
