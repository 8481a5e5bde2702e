#include "work/transfer.h"

#include <algorithm>
#include <map>
#include <set>

#include "base/sort.h"
#include "base/time.h"
#include "work/fold.h"
#include "work/names.h"
#include "work/questions.h"

namespace contextcore::work {
namespace {

using store::JournalSpan;

constexpr size_t kEventsPerTransaction = 5000;
constexpr int64_t kPageEvents = 1000;

std::string event_id_of(const Event& event) {
  const store::JournalEvent wire = to_journal_event(event);
  return std::string(otlp::find_string(wire.record.attributes, names::meta::kEventId));
}

Error bad_line(const std::string& why) {
  return Error{Code::invalid_argument, why, "give lines as contextcore export writes them", {}, {}};
}

Result<int64_t> time_field(const Json& json, std::string_view name) {
  auto time = parse_rfc3339(json.string_or(name));
  if (!time.ok()) return bad_line("\"" + std::string(name) + "\" is not a time");
  return time;
}

Result<int64_t> integer_field(const Json& json, std::string_view name) {
  const Json* value = json.find(name);
  if (!value || !value->as_int() || *value->as_int() <= 0)
    return bad_line("\"" + std::string(name) + "\" is not a positive integer");
  return *value->as_int();
}

// What the importer knows of the log: the histories, and what has been written of them.
class Importer {
 public:
  explicit Importer(store::Store& store) : store_(store) {}

  Result<ImportReport> run(std::vector<Event> events) {
    CC_TRY(load());
    std::vector<Event> fresh;
    for (Event& event : events) {
      CC_ASSIGN(const bool known, is_known(event));
      if (known) {
        report_.known++;
        continue;
      }
      ids_[{event.span_id, {event.revision, event.seq}}] = event_id_of(event);
      last_[event.span_id] = {event.revision, event.seq};
      fresh.push_back(std::move(event));
    }
    for (size_t at = 0; at < fresh.size();) {
      const size_t end = slice_end(fresh, at);
      CC_TRY(write(fresh, at, end));
      at = end;
    }
    return report_;
  }

 private:
  using Place = std::pair<int64_t, int64_t>;  // revision, ordinal

  Status load() {
    CC_ASSIGN(const store::Store::Read read, store_.read());
    CC_TRY(read_events(*read.source, {}, [&](Event& event) {
      ids_[{event.span_id, {event.revision, event.seq}}] = event_id_of(event);
      last_[event.span_id] = {event.revision, event.seq};
      traces_.insert(event.trace_id);
      return fold(histories_, event);
    }));
    derive(histories_, {});
    for (const auto& forward : forwards_of(histories_, traces_)) forwards_.insert(forward);
    for (JournalSpan& span : spans_of(histories_)) {
      const otlp::SpanId id = span.span.span_id;
      written_.emplace(id, std::move(span));
    }
    return {};
  }

  Result<bool> is_known(const Event& event) const {
    const Place place{event.revision, event.seq};
    const auto known = ids_.find({event.span_id, place});
    if (known != ids_.end() && known->second == event_id_of(event)) return true;
    const auto last = last_.find(event.span_id);
    if (last == last_.end() || place > last->second) return false;
    std::string subject = event.text(names::field::kTaskId);
    if (subject.empty()) subject = "span " + otlp::to_hex(event.span_id);
    return Error{Code::conflict,
                 "this store tells another story of " + subject + " at revision " +
                     std::to_string(event.revision),
                 "import into a store that does not have it, or under another project",
                 {},
                 {}};
  }

  // Whole instants, so that the events of one command stay together.
  static size_t slice_end(const std::vector<Event>& events, size_t at) {
    size_t end = std::min(events.size(), at + kEventsPerTransaction);
    while (end < events.size() && events[end].time_ns == events[end - 1].time_ns) end++;
    return end;
  }

  Status write(const std::vector<Event>& events, size_t from, size_t to) {
    store::WorkTransaction transaction;
    std::set<otlp::SpanId> touched;
    for (size_t i = from; i < to; i++) {
      CC_TRY(fold(histories_, events[i]));
      traces_.insert(events[i].trace_id);
      transaction.events.push_back(to_journal_event(events[i]));
      touched.insert(events[i].span_id);
    }
    derive(histories_, {});
    std::map<otlp::SpanId, int64_t> expected;
    for (JournalSpan& span : spans_of(histories_)) add_changed(span, transaction, expected);
    for (const auto& forward : forwards_of(histories_, traces_)) {
      if (forwards_.insert(forward).second) transaction.forwards.push_back(forward);
    }
    const size_t spans = transaction.spans.size();
    const auto plan = [&](const store::WorkView& view) -> Result<store::WorkTransaction> {
      for (const auto& [id, revision] : expected) {
        const store::WorkRow* row = view.index().find(id);
        if ((row ? row->revision : 0) == revision) continue;
        return Error{Code::conflict,
                     "a task was changed while its past was imported",
                     "import again: what is in the store already is left out",
                     {},
                     {}};
      }
      return transaction;
    };
    CC_TRY(store_.commit({}, plan).status());
    report_.imported += static_cast<int64_t>(to - from);
    report_.spans += static_cast<int64_t>(spans);
    return {};
  }

  void add_changed(JournalSpan& span, store::WorkTransaction& transaction,
                   std::map<otlp::SpanId, int64_t>& expected) {
    const otlp::SpanId id = span.span.span_id;
    const auto [at, is_new] = written_.try_emplace(id);
    JournalSpan& before = at->second;
    if (!is_new && before.revision == span.revision && before.span == span.span) return;
    expected[id] = is_new ? 0 : before.revision;
    before = span;
    transaction.spans.push_back(std::move(span));
  }

  store::Store& store_;
  Histories histories_;
  std::map<std::pair<otlp::SpanId, Place>, std::string> ids_;
  std::map<otlp::SpanId, Place> last_;
  std::map<otlp::SpanId, JournalSpan> written_;
  std::set<otlp::TraceId> traces_;                              // of the events
  std::set<std::pair<otlp::TraceId, otlp::TraceId>> forwards_;  // that the store has
  ImportReport report_;
};

}  // namespace

Json export_json(const Event& event) {
  JsonObject out{{"time", Json(format_rfc3339(event.time_ns))},
                 {"observed", Json(format_rfc3339(event.observed_ns))},
                 {"project", Json(event.project)},
                 {"service", Json(event.service_name)},
                 {"trace_id", Json(otlp::to_hex(event.trace_id))},
                 {"span_id", Json(otlp::to_hex(event.span_id))},
                 {"revision", Json(event.revision)},
                 {"seq", Json(event.seq)},
                 {"event_id", Json(event_id_of(event))}};
  if (!event.command_id.empty()) out.emplace_back("command_id", Json(event.command_id));
  out.emplace_back("line", Json(event.line));
  return Json(std::move(out));
}

Result<Event> event_from_export(const Json& json) {
  Event event;
  CC_ASSIGN(event.time_ns, time_field(json, "time"));
  CC_ASSIGN(event.observed_ns, time_field(json, "observed"));
  CC_ASSIGN(event.revision, integer_field(json, "revision"));
  CC_ASSIGN(event.seq, integer_field(json, "seq"));
  event.project = json.string_or("project");
  event.service_name = json.string_or("service");
  event.command_id = json.string_or("command_id");
  if (event.project.empty() || event.service_name.empty())
    return bad_line("\"project\" or \"service\" is missing");
  if (!otlp::parse_hex(json.string_or("trace_id"), event.trace_id) ||
      !otlp::parse_hex(json.string_or("span_id"), event.span_id))
    return bad_line("\"trace_id\" or \"span_id\" is not one");
  const Json* line = json.find("line");
  if (!line || !line->as_object()) return bad_line("\"line\" is not an object");
  event.line = *line->as_object();
  event.name = event.text(names::field::kEvent);
  if (json.string_or("event_id") != event_id_of(event))
    return bad_line("event_id is not of these contents: the line was changed or cut");
  return event;
}

Result<std::vector<Event>> read_export(std::string_view text) {
  std::vector<Event> events;
  int64_t number = 0;
  while (!text.empty()) {
    const size_t end = std::min(text.find('\n'), text.size());
    const std::string_view line = text.substr(0, end);
    text.remove_prefix(std::min(text.size(), end + 1));
    number++;
    if (line.find_first_not_of(" \t\r") == std::string_view::npos) continue;
    auto json = parse_json(line);
    auto event = json.ok() ? event_from_export(*json) : Result<Event>(json.error());
    if (!event.ok()) {
      Error error = std::move(event).error();
      error.message = "line " + std::to_string(number) + ": " + error.message;
      return error;
    }
    events.push_back(std::move(*event));
  }
  sort_stably(events, [](const Event& a, const Event& b) { return a.time_ns < b.time_ns; });
  return events;
}

Result<ImportReport> import_events(store::Store& store, std::vector<Event> events) {
  return Importer(store).run(std::move(events));
}

// One page of the log, oldest first: whole instants, `next` to go on with, null at the end.
Result<Json> ask_export(const Reading& reading, const Question& question, const Args& args) {
  CC_ASSIGN(const auto after, args.integer("after", 0, INT64_MAX - 1));
  CC_ASSIGN(const auto limit, args.integer("limit", 1, 100'000));
  CC_ASSIGN(const bool all_projects, args.flag("all_projects"));
  EventFilter filter;
  CC_ASSIGN(filter.project, args.text("project"));
  if (filter.project.empty() && !all_projects) filter.project = question.project;
  if (after) filter.from_ns = *after + 1;
  filter.enough = static_cast<size_t>(limit.value_or(kPageEvents));
  JsonArray items;
  int64_t last_ns = 0;
  CC_TRY(read_events(reading.source, filter, [&](Event& event) -> Status {
    last_ns = event.time_ns;
    items.push_back(export_json(event));
    return {};
  }));
  const bool more = items.size() >= filter.enough;
  JsonObject out{{"items", Json(std::move(items))}};
  out.emplace_back("next", more ? Json(last_ns) : Json());
  return Json(std::move(out));
}

}  // namespace contextcore::work
