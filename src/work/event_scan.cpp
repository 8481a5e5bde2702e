#include "work/event_scan.h"

#include <algorithm>
#include <bit>
#include <tuple>

#include "base/flat_json.h"
#include "base/sort.h"
#include "store/log_batch.h"
#include "work/names.h"

namespace contextcore::work {
namespace {

enum Integer : size_t { kRevision, kSeq };

struct Place {
  int64_t time_ns = INT64_MIN, revision = 0, seq = 0;
  auto operator<=>(const Place&) const = default;
};
Place place_of(const Event& event) { return {event.time_ns, event.revision, event.seq}; }

// Spans by number. Open addressing: every event asks.
class SpanNumbers {
 public:
  uint32_t number_of(const otlp::SpanId& id) {
    if (!ids_.empty() && ids_[last_] == id) return last_;
    if (4 * (ids_.size() + 1) > 3 * slots_.size()) grow();
    uint32_t& slot = slots_[slot_of(id)];
    if (slot == 0) {
      ids_.push_back(id);
      slot = static_cast<uint32_t>(ids_.size());
    }
    return last_ = slot - 1;
  }
  size_t size() const { return ids_.size(); }
  const otlp::SpanId& id(size_t number) const { return ids_[number]; }

 private:
  size_t slot_of(const otlp::SpanId& id) const {
    const size_t mask = slots_.size() - 1;
    size_t slot = SpanIdHash()(id) & mask;
    while (slots_[slot] != 0 && !(ids_[slots_[slot] - 1] == id)) slot = (slot + 1) & mask;
    return slot;
  }
  void grow() {
    slots_.assign(slots_.empty() ? 1024 : 2 * slots_.size(), 0);
    for (uint32_t number = 0; number < ids_.size(); ++number) slots_[slot_of(ids_[number])] = number + 1;
  }
  std::vector<otlp::SpanId> ids_;
  std::vector<uint32_t> slots_;  // number + 1; a power of two, at most 3/4 full
  uint32_t last_ = 0;            // events of one command follow one another
};

std::string pick(const store::LabelPairs& labels, std::string_view name) {
  for (const auto& [key, value] : labels) {
    if (key == name) return value;
  }
  return {};
}

Error bad_line(std::string_view what, std::string_view line) {
  return {Code::corruption, std::string(what) + std::string(line.substr(0, 120)), {}, {}, {}};
}

Result<Json> json_of(const store::FieldValue& value) {
  using Type = store::FieldValue::Type;
  switch (value.type) {
    case Type::string:
      return Json(value.text);
    case Type::boolean:
      return Json(value.number != 0);
    case Type::integer:
      return Json(static_cast<int64_t>(value.number));
    case Type::real:
      return Json(std::bit_cast<double>(value.number));
    case Type::json:
    case Type::none:
      break;
  }
  return parse_json(value.text);
}

// Columns of a batch, one event after the other.
class Reader {
 public:
  Reader(const store::Source& source, const EventFilter& filter, const FieldsOf& fields)
      : source_(source), filter_(filter), fields_of_(fields) {}

  // Calls fn(span, event) for the events of those spans of the filter that fn wanted(span) wants.
  template <typename Wanted, typename Fn>
  Status read(Wanted wanted, Fn fn) {
    Event event;
    return for_each([&](const store::LogBatch& batch, size_t i) -> Status {
      const uint32_t span = spans_.number_of(batch.span_ids[i]);
      if (!wanted(span, Place{batch.times_ns[i], batch.integers[kRevision][i], batch.integers[kSeq][i]})) return {};
      if (names_.empty()) names_.resize(batch.metadata[0].values.size());
      if (batch.streams[i] != stream_) enter(*batch.streams[i], event);
      CC_TRY(fill(batch, i, event));
      return fn(span, event);
    });
  }
  const SpanNumbers& spans() const { return spans_; }

 private:
  // What is wanted of the events of one name, and where it lies in the batch.
  struct Name {
    bool known = false;
    Fields fields;
    std::vector<const store::FieldColumn*> columns;
  };

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

  // Calls fn for the entries that the filter wants.
  template <typename Fn>
  Status for_each(Fn fn) {
    store::LogProjection projection;
    projection.ids = projection.fields = true;
    projection.integers = {std::string(names::meta::kRevision), std::string(names::meta::kEventSeq)};
    projection.metadata = {"event_name"};
    CC_ASSIGN(const auto batches, store::scan_logs(source_, request(), projection));
    for (store::LogBatch batch;;) {
      stream_ = nullptr;
      names_.clear();
      CC_ASSIGN(const bool more, batches->next(batch));
      if (!more) return {};
      const store::LabelPairs* known = nullptr;
      bool of_project = false;
      for (size_t i = 0; i < batch.size; ++i) {
        const int64_t time_ns = batch.times_ns[i];
        if (time_ns < filter_.from_ns || time_ns > filter_.as_of_ns) continue;
        if (batch.observed_ns[i] > filter_.known_at_ns) continue;
        if (filter_.wanted && !batch.span_ids[i].empty() && !filter_.wanted(batch.span_ids[i])) continue;
        if (batch.streams[i] != known) {
          known = batch.streams[i];
          of_project = filter_.project.empty() || pick(*known, "project_id") == filter_.project;
        }
        if (of_project) CC_TRY(fn(batch, i));
      }
    }
  }

  void enter(const store::LabelPairs& stream, Event& event) {
    stream_ = &stream;
    event.project = pick(stream, "project_id");
    event.service_name = pick(stream, "service_name");
  }

  Status fill(const store::LogBatch& batch, size_t i, Event& event) {
    event.trace_id = batch.trace_ids[i];
    event.span_id = batch.span_ids[i];
    event.time_ns = batch.times_ns[i];
    event.observed_ns = batch.observed_ns[i];
    event.revision = batch.integers[kRevision][i];
    event.seq = batch.integers[kSeq][i];
    if (event.span_id.empty() || event.trace_id.empty() || event.project.empty() || event.revision == 0) {
      CC_ASSIGN(const std::string line, line_of(batch, i));
      return bad_line("an event lacks its project, ids, revision or event_seq: ", line);
    }
    const uint32_t number = batch.metadata[0].ids[i];
    event.line.clear();
    Name& name = names_[number];
    if (number != 0) {
      event.name = batch.metadata[0].values[number];
      if (!name.known) CC_TRY(learn(batch, event.name, name));
      if (name.fields && name.fields->empty()) return {};
      if (name.fields && batch.fields != nullptr && batch.fields->has(i)) return fill_fields(name, i, event);
    }
    if (batch.fields == nullptr || !batch.fields->has(i)) return fill_text(batch.lines[i], number, event);
    CC_ASSIGN(const std::string line, line_of(batch, i));
    return fill_text(line, number, event);
  }

  static Result<std::string> line_of(const store::LogBatch& batch, size_t i) {
    if (batch.fields != nullptr && batch.fields->has(i)) return batch.fields->line(i);
    return std::string(batch.lines[i]);
  }

  Status learn(const store::LogBatch& batch, const std::string& event_name, Name& out) const {
    out.known = true;
    out.fields = fields_of_(event_name);
    if (!out.fields || batch.fields == nullptr) return {};
    for (const std::string_view field : *out.fields) {
      CC_ASSIGN(const store::FieldColumn* column, batch.fields->column(field));
      out.columns.push_back(column);
    }
    return {};
  }

  static Status fill_fields(const Name& name, size_t i, Event& event) {
    for (size_t field = 0; field < name.columns.size(); ++field) {
      const store::FieldValue& value = name.columns[field]->at(i);
      if (value.type == store::FieldValue::Type::none) continue;
      CC_ASSIGN(Json json, json_of(value));
      event.line.emplace_back((*name.fields)[field], std::move(json));
    }
    return {};
  }

  Status fill_text(std::string_view line, uint32_t number, Event& event) {
    return number == 0 ? fill_unnamed(line, event) : fill_line(line, names_[number].fields, event);
  }

  // A record without an event name of its own has it in its line.
  Status fill_unnamed(std::string_view line, Event& event) {
    CC_TRY(fill_line(line, std::nullopt, event));
    event.name = event.text(names::field::kEvent);
    return {};
  }

  Status fill_line(std::string_view line, const Fields& fields, Event& event) {
    if (!flat_.parse(line)) return fill_by_parser(line, event);
    if (!fields) {
      std::optional<JsonObject> all = flat_.all();
      if (!all) return fill_by_parser(line, event);
      event.line = *std::move(all);
      return {};
    }
    for (const std::string_view name : *fields) {
      if (std::optional<Json> value = flat_.find(name)) event.line.emplace_back(name, *std::move(value));
    }
    return {};
  }

  static Status fill_by_parser(std::string_view line, Event& event) {
    Result<Json> parsed = parse_json(line);
    if (!parsed.ok() || !parsed->as_object()) return bad_line("an event's line is not a JSON object: ", line);
    event.line = std::move(std::get<JsonObject>(parsed->data));
    return {};
  }

  const store::Source& source_;
  const EventFilter& filter_;
  const FieldsOf& fields_of_;
  const store::LabelPairs* stream_ = nullptr;
  std::vector<Name> names_;  // by number of the event's name in the batch
  FlatJson flat_;
  SpanNumbers spans_;
};

}  // namespace

Status scan_events(const store::Source& source, const EventFilter& filter, const FieldsOf& fields, SpanFold& fold) {
  Reader reader(source, filter, fields);
  std::vector<Place> last;
  // Spans whose events lie in another order than they happened: written into the past, and in more than one file. That
  // shows when one comes too late, and perhaps before that by an event that cannot be folded.
  std::vector<bool> disordered;
  bool any = false;
  const auto give_up = [&](uint32_t span) { disordered[span] = any = true; };
  const auto in_order = [&](uint32_t span, const Place& here) {
    if (span >= last.size()) {
      last.resize(span + 1);
      disordered.resize(span + 1);
    }
    if (disordered[span]) return false;
    if (here < last[span]) give_up(span);
    last[span] = here;
    return !disordered[span];
  };
  CC_TRY(reader.read(in_order, [&](uint32_t span, Event& event) -> Status {
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
  CC_TRY(reader.read(is_disordered, [&](uint32_t span, Event& event) -> Status {
    held.push_back({span, event});
    return {};
  }));
  sort_stably(held, [](const Held& a, const Held& b) {
    return std::tuple(a.span, place_of(a.event)) < std::tuple(b.span, place_of(b.event));
  });
  for (uint32_t span = 0; span < disordered.size(); ++span) {
    if (disordered[span]) fold.forget(span, reader.spans().id(span));
  }
  for (Held& one : held) CC_TRY(fold.add(one.span, one.event));
  return {};
}

}  // namespace contextcore::work
