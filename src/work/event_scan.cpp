#include "work/event_scan.h"

#include <algorithm>
#include <bit>
#include <deque>
#include <memory>
#include <tuple>

#include "base/flat_json.h"
#include "base/read_ahead.h"
#include "base/sort.h"
#include "store/log_batch.h"
#include "work/log_merge.h"
#include "work/names.h"
#include "work/span_numbers.h"

namespace contextcore::work {
namespace {

using store::FieldValue;

enum Integer : size_t { kRevision, kSeq };
// How far ahead of the event at hand memory is asked for.
constexpr size_t kAhead = 12, kNear = 4;
// Pages of a log that are read before that gets a thread of its own.
constexpr size_t kPagesAlone = 16;

struct Place {
  int64_t time_ns = INT64_MIN, revision = 0, seq = 0;
  auto operator<=>(const Place&) const = default;
};
Place place_of(const Event& event) { return {event.time_ns, event.revision, event.seq}; }

std::string_view pick(const store::LabelPairs& labels, std::string_view name) {
  for (const auto& [key, value] : labels) {
    if (key == name) return value;
  }
  return {};
}

Error bad_line(std::string_view what, std::string_view line) {
  return {Code::corruption, std::string(what) + std::string(line.substr(0, 120)), {}, {}, {}};
}

void copy_all_but_fields(const EventView& view, Event& event) {
  event.name = view.name;
  event.project = view.project;
  event.service_name = view.service_name;
  event.trace_id = view.trace_id;
  event.span_id = view.span_id;
  event.time_ns = view.time_ns;
  event.revision = view.revision;
  event.seq = view.seq;
}

Result<Json> json_of(const FieldValue& value) {
  switch (value.type) {
    case FieldValue::Type::string:
      return Json(value.text);
    case FieldValue::Type::boolean:
      return Json(value.number != 0);
    case FieldValue::Type::integer:
      return Json(static_cast<int64_t>(value.number));
    case FieldValue::Type::real:
      return Json(std::bit_cast<double>(value.number));
    case FieldValue::Type::json:
    case FieldValue::Type::none:
      break;
  }
  return parse_json(value.text);
}

// The fields of one row after the other, out of the columns of a batch.
class ColumnFields : public EventFields {
 public:
  struct Column {
    std::string_view name;
    const store::FieldColumn* values = nullptr;
  };
  void stand_at(const std::vector<Column>& columns, size_t row) {
    columns_ = &columns;
    row_ = row;
    next_ = 0;
    if (!respelled_.empty()) respelled_.clear();
  }
  const std::vector<Column>& columns() const { return *columns_; }
  size_t row() const { return row_; }

  // Cheapest in the order in which the columns were asked for.
  FieldValue find(std::string_view field) const override {
    const std::vector<Column>& columns = *columns_;
    for (size_t i = 0; i < columns.size(); ++i, ++next_) {
      if (next_ >= columns.size()) next_ = 0;
      if (!is_same(columns[next_].name, field)) continue;
      const FieldValue& value = columns[next_++].values->at(row_);
      return value.type == FieldValue::Type::json && value.text.starts_with('"') ? respelled(value) : value;
    }
    return {};
  }

 private:
  // Names mostly are the very constants that were asked for.
  static bool is_same(std::string_view a, std::string_view b) {
    return a.size() == b.size() && (a.data() == b.data() || a == b);
  }
  // A string with escapes that nobody needs.
  FieldValue respelled(const FieldValue& value) const {
    const Result<Json> json = parse_json(value.text);
    if (!json.ok() || json->as_string() == nullptr) return value;
    return {FieldValue::Type::string, respelled_.emplace_back(*json->as_string()), 0};
  }

  const std::vector<Column>* columns_ = nullptr;
  size_t row_ = 0;
  mutable size_t next_ = 0;
  mutable std::deque<std::string> respelled_;
};

// Columns of a batch, one event after the other.
class Reader {
 public:
  Reader(const store::Source& source, const EventFilter& filter, SpanFold& fold)
      : source_(source), filter_(filter), fold_(fold) {}

  // Calls fn(span, event) for the events of those spans of the filter that fn wanted(span) wants.
  template <typename Wanted, typename Fn>
  Status read(Wanted wanted, Fn fn) {
    store::LogProjection projection;
    projection.ids = projection.fields = projection.once = true;
    projection.integers = {std::string(names::meta::kRevision), std::string(names::meta::kEventSeq)};
    projection.metadata = {"event_name"};
    CC_ASSIGN(auto parts, store::scan_log_parts(source_, request(), projection));
    ReadAhead<Page> pages(parts.size(), kPagesAlone, [&](size_t part, Page& page) { return read_page(*parts[part], page); });
    std::vector<Cursor> cursors(parts.size());
    for (size_t i = 0; i < parts.size(); ++i) {
      cursors[i].pages = &pages;
      cursors[i].part = i;
      CC_TRY(advance(cursors[i]));
    }
    return merge_rows(cursors, [&](Cursor& cursor) -> Status {
      const std::vector<Chosen>& chosen = cursor.chosen;
      const auto [row, span] = chosen[cursor.at];
      if (cursor.at + kAhead < chosen.size()) fold_.prefetch(chosen[cursor.at + kAhead].span);
      if (cursor.at + kNear < chosen.size()) prefetch_fields(cursor, chosen[cursor.at + kNear].row);
      const store::LogBatch& batch = cursor.page.batch;
      if (wanted(span, Place{batch.times_ns[row], batch.integers[kRevision][row], batch.integers[kSeq][row]})) {
        CC_ASSIGN(const EventView event, view_of(cursor, row));
        if (event.whole == nullptr || fold_.wants(event.name)) CC_TRY(fn(span, event));
      }
      return advance(cursor);
    });
  }
  const SpanNumbers& spans() const { return spans_; }
  // The event at hand, with the fields that were wanted.
  Result<Event> copy_of(const EventView& view) const {
    if (view.whole != nullptr) return *view.whole;
    Event event;
    copy_all_but_fields(view, event);
    for (const ColumnFields::Column& column : fields_.columns()) {
      const FieldValue& value = column.values->at(fields_.row());
      if (value.type == FieldValue::Type::none) continue;
      CC_ASSIGN(Json json, json_of(value));
      event.line.emplace_back(column.name, std::move(json));
    }
    return event;
  }

 private:
  // What is wanted of the events of one name, and where it lies in the batch.
  struct Name {
    bool wanted = true;
    TaskChange change = TaskChange::other;
    Fields fields;
    std::vector<ColumnFields::Column> columns;
  };
  struct Chosen {
    uint32_t row = 0, span = 0;
  };
  // A batch with its columns decoded, which takes as long as reading the batch.
  struct Page {
    store::LogBatch batch;
    std::vector<Name> names;  // by number of the event's name in the batch
  };

  // A part of the log, and the row of it that is next.
  struct Cursor : LogPlace {
    ReadAhead<Page>* pages = nullptr;
    size_t part = 0;  // of the pages
    Page page;
    std::vector<Chosen> chosen;  // of the page
    size_t at = 0;               // in chosen
    const store::LabelPairs* known = nullptr;
    std::string_view project, service_name;  // of the known stream
  };

  // To the next row that the filter wants.
  Status advance(Cursor& cursor) {
    for (++cursor.at; cursor.at >= cursor.chosen.size(); cursor.at = 0) {
      CC_ASSIGN(const bool more, cursor.pages->take(cursor.part, cursor.page));
      if (!more) {
        cursor.stream = nullptr;
        return {};
      }
      choose(cursor);
    }
    const uint32_t row = cursor.chosen[cursor.at].row;
    const store::LogBatch& batch = cursor.page.batch;
    cursor.stream = batch.streams[row];
    cursor.time_ns = batch.times_ns[row];
    cursor.sequence = batch.sequences[row];
    return {};
  }

  // On any thread.
  Result<bool> read_page(store::LogBatchIterator& batches, Page& page) const {
    page.names.clear();
    CC_ASSIGN(const bool more, batches.next(page.batch));
    if (!more) return false;
    page.names.resize(page.batch.metadata[0].values.size());
    for (uint32_t number = 1; number < page.names.size(); ++number) CC_TRY(learn(page.batch, number, page.names[number]));
    return true;
  }

  store::LogFetchRequest request() const {
    store::LogFetchRequest request;
    request.journal_only = true;
    request.start_ns = filter_.from_ns;
    if (filter_.as_of_ns != INT64_MAX) request.end_ns = filter_.as_of_ns + 1;
    request.line_contains = filter_.holding;
    if (!filter_.project.empty()) {
      request.stream_filter = [project = filter_.project](const store::LabelPairs& stream) {
        return pick(stream, "project_id") == project;
      };
    }
    return request;
  }

  // The rows that the filter wants, with their spans.
  void choose(Cursor& cursor) {
    const store::LogBatch& batch = cursor.page.batch;
    cursor.chosen.clear();
    const store::LabelPairs* known = nullptr;
    bool of_project = false;
    for (size_t i = 0; i < batch.size; ++i) {
      if (i + kAhead < batch.size) spans_.prefetch(batch.span_ids[i + kAhead]);
      const int64_t time_ns = batch.times_ns[i];
      if (time_ns < filter_.from_ns || time_ns > filter_.as_of_ns) continue;
      if (batch.observed_ns[i] > filter_.known_at_ns) continue;
      if (filter_.wanted && !batch.span_ids[i].empty() && !filter_.wanted(batch.span_ids[i])) continue;
      if (batch.streams[i] != known) {
        known = batch.streams[i];
        of_project = filter_.project.empty() || pick(*known, "project_id") == filter_.project;
      }
      if (!of_project) continue;
      if (!cursor.page.names[batch.metadata[0].ids[i]].wanted) continue;
      cursor.chosen.push_back({static_cast<uint32_t>(i), spans_.number_of(batch.span_ids[i])});
    }
  }

  static void prefetch_fields(const Cursor& cursor, uint32_t row) {
    for (const ColumnFields::Column& column : cursor.page.names[cursor.page.batch.metadata[0].ids[row]].columns) {
      __builtin_prefetch(&column.values->at(row));
    }
  }

  static void enter(Cursor& cursor) {
    cursor.known = cursor.stream;
    cursor.project = pick(*cursor.stream, "project_id");
    cursor.service_name = pick(*cursor.stream, "service_name");
  }

  Result<EventView> view_of(Cursor& cursor, size_t i) {
    if (cursor.known != cursor.stream) enter(cursor);
    const store::LogBatch& batch = cursor.page.batch;
    const uint32_t number = batch.metadata[0].ids[i];
    const Name& name = cursor.page.names[number];
    EventView event{batch.metadata[0].values[number],
                    name.change,
                    cursor.project,
                    cursor.service_name,
                    batch.trace_ids[i],
                    batch.span_ids[i],
                    batch.times_ns[i],
                    batch.integers[kRevision][i],
                    batch.integers[kSeq][i]};
    if (event.span_id.empty() || event.trace_id.empty() || event.project.empty() || event.revision == 0) {
      CC_ASSIGN(const std::string line, line_of(batch, i));
      return bad_line("an event lacks its project, ids, revision or event_seq: ", line);
    }
    const bool in_columns = batch.fields != nullptr && batch.fields->has(i);
    if (number != 0 && name.fields && (name.fields->empty() || in_columns)) {
      fields_.stand_at(name.columns, i);
      event.fields = &fields_;
      return event;
    }
    CC_TRY(read_whole(batch, i, number == 0 ? nullptr : &name.fields, event));
    return view_->view();
  }

  // fields: nullptr where the record has no event name of its own.
  Status read_whole(const store::LogBatch& batch, size_t i, const Fields* fields, const EventView& view) {
    copy_all_but_fields(view, whole_);
    whole_.observed_ns = batch.observed_ns[i];
    whole_.line.clear();
    if (batch.fields == nullptr || !batch.fields->has(i)) {
      CC_TRY(fill_text(batch.lines[i], fields));
    } else {
      CC_ASSIGN(const std::string line, line_of(batch, i));
      CC_TRY(fill_text(line, fields));
    }
    view_.emplace(whole_);
    return {};
  }

  static Result<std::string> line_of(const store::LogBatch& batch, size_t i) {
    if (batch.fields != nullptr && batch.fields->has(i)) return batch.fields->line(i);
    return std::string(batch.lines[i]);
  }

  Status learn(const store::LogBatch& batch, uint32_t number, Name& out) const {
    const std::string_view name = batch.metadata[0].values[number];
    out.wanted = fold_.wants(name);
    out.change = task_change(name);
    if (!out.wanted) return {};
    out.fields = fold_.fields(name);
    if (!out.fields || batch.fields == nullptr) return {};
    for (const std::string_view field : *out.fields) {
      CC_ASSIGN(const store::FieldColumn* column, batch.fields->column(field));
      out.columns.push_back({field, column});
    }
    return {};
  }

  Status fill_text(std::string_view line, const Fields* fields) {
    if (fields != nullptr) return fill_line(line, *fields);
    // It is in the line.
    CC_TRY(fill_line(line, std::nullopt));
    whole_.name = whole_.text(names::field::kEvent);
    return {};
  }

  Status fill_line(std::string_view line, const Fields& fields) {
    if (!flat_.parse(line)) return fill_by_parser(line);
    if (!fields) {
      std::optional<JsonObject> all = flat_.all();
      if (!all) return fill_by_parser(line);
      whole_.line = *std::move(all);
      return {};
    }
    for (const std::string_view name : *fields) {
      if (std::optional<Json> value = flat_.find(name)) whole_.line.emplace_back(name, *std::move(value));
    }
    return {};
  }

  Status fill_by_parser(std::string_view line) {
    Result<Json> parsed = parse_json(line);
    if (!parsed.ok() || !parsed->as_object()) return bad_line("an event's line is not a JSON object: ", line);
    whole_.line = std::move(std::get<JsonObject>(parsed->data));
    return {};
  }

  const store::Source& source_;
  const EventFilter& filter_;
  SpanFold& fold_;
  ColumnFields fields_;
  Event whole_;
  std::optional<ViewOfEvent> view_;  // of whole_
  FlatJson flat_;
  SpanNumbers spans_;
};

}  // namespace

Status scan_events(const store::Source& source, const EventFilter& filter, SpanFold& fold) {
  Reader reader(source, filter, fold);
  std::vector<Place> last;
  // Spans whose events lie in another order than they happened: written into the past, and in more than one file. That
  // shows when one comes too late, and perhaps before that by an event that cannot be folded.
  std::vector<bool> disordered;
  bool any = false;
  const auto give_up = [&](uint32_t span) { disordered[span] = any = true; };
  const auto in_order = [&](uint32_t span, const Place& here) {
    if (span >= last.size()) {
      last.resize(reader.spans().size());
      disordered.resize(last.size());
    }
    if (disordered[span]) return false;
    if (here < last[span]) give_up(span);
    last[span] = here;
    return !disordered[span];
  };
  CC_TRY(reader.read(in_order, [&](uint32_t span, const EventView& event) -> Status {
    if (!fold.add(span, event).ok()) give_up(span);
    return {};
  }));
  if (!any) return {};
  struct Held {
    uint32_t span;
    Event event;
  };
  std::vector<Held> held;
  const auto is_disordered = [&](uint32_t span, const Place&) { return span < disordered.size() && disordered[span]; };
  CC_TRY(reader.read(is_disordered, [&](uint32_t span, const EventView& event) -> Status {
    CC_ASSIGN(Event copy, reader.copy_of(event));
    held.push_back({span, std::move(copy)});
    return {};
  }));
  sort_stably(held, [](const Held& a, const Held& b) {
    return std::tuple(a.span, place_of(a.event)) < std::tuple(b.span, place_of(b.event));
  });
  for (uint32_t span = 0; span < disordered.size(); ++span) {
    if (disordered[span]) fold.forget(span, reader.spans().id(span));
  }
  for (Held& one : held) CC_TRY(fold.add(one.span, ViewOfEvent(one.event).view()));
  return {};
}

}  // namespace contextcore::work
