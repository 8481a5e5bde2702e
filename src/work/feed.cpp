#include "work/feed.h"

#include <algorithm>

#include "base/time.h"
#include "work/event.h"
#include "work/names.h"
#include "work/questions.h"

namespace contextcore::work {
namespace {

bool name_matches(const std::string& pattern, std::string_view name) {
  if (!pattern.ends_with(".*")) return pattern == name;
  return name.starts_with(std::string_view(pattern).substr(0, pattern.size() - 1));
}

bool wanted(const FeedFilter& filter, const Event& event) {
  if (!filter.task.empty() && event.text(names::field::kTaskId) != filter.task) return false;
  return filter.events.empty() ||
         std::any_of(filter.events.begin(), filter.events.end(),
                     [&](const std::string& pattern) { return name_matches(pattern, event.name); });
}

Json json_of(const Event& event, uint64_t sequence) {
  JsonObject out{{"sequence", static_cast<int64_t>(sequence)},
                 {"time", format_rfc3339(event.time_ns)},
                 {"project", event.project},
                 {"trace_id", otlp::to_hex(event.trace_id)},
                 {"span_id", otlp::to_hex(event.span_id)},
                 {"revision", event.revision},
                 {"words", event_text(event)}};
  for (const auto& member : event.line) {
    if (member.first != names::field::kSchema) out.push_back(member);
  }
  return Json(std::move(out));
}

}  // namespace

Status check_feed_filter(const FeedFilter& filter) {
  for (const std::string& pattern : filter.events) {
    const std::string_view name = pattern.ends_with(".*")
                                      ? std::string_view(pattern).substr(0, pattern.size() - 2)
                                      : std::string_view(pattern);
    const bool plain = !name.empty() && std::all_of(name.begin(), name.end(), [](char c) {
      return (c >= 'a' && c <= 'z') || c == '.' || c == '_';
    });
    if (plain) continue;
    return Status(Error{Code::invalid_argument,
                        "\"" + pattern + "\" is no name of an event",
                        "for example task.completed, or task.* for all of them",
                        {},
                        {}});
  }
  return {};
}

Result<FeedPage> read_feed(const store::Source& source, uint64_t visible, uint64_t after,
                           const FeedFilter& filter, size_t limit) {
  FeedPage page;
  page.next = std::max(after, visible);
  if (after >= visible) return page;
  store::LogFetchRequest request;
  request.journal_only = true;
  request.after_sequence = after;
  if (!filter.project.empty()) {
    request.stream_filter = [&filter](const store::LabelPairs& labels) {
      return std::any_of(labels.begin(), labels.end(), [&](const auto& label) {
        return label.first == "project_id" && label.second == filter.project;
      });
    };
  }
  if (!filter.task.empty()) request.line_contains = {to_string(Json(filter.task))};
  CC_ASSIGN(const auto entries, source.fetch_logs(request));
  store::LogEntry entry;
  for (;;) {
    CC_ASSIGN(const bool more, entries->next(entry));
    if (!more) break;
    if (page.items.size() >= limit && entry.sequence != page.items.back().sequence) {
      page.next = entry.sequence - 1;
      break;
    }
    CC_ASSIGN(const Event event, event_from_entry(entry));
    if (!wanted(filter, event)) continue;
    if (!page.items.empty() && page.items.back().sequence != entry.sequence)
      page.items.back().last = true;
    page.items.push_back({entry.sequence, false, event.name, json_of(event, entry.sequence)});
  }
  if (!page.items.empty()) page.items.back().last = true;
  return page;
}

}  // namespace contextcore::work
