#include "work/event_scan.h"

#include <algorithm>
#include <bit>
#include <tuple>
#include <unordered_map>
#include <unordered_set>

#include "base/flat_json.h"
#include "base/sort.h"
#include "store/log_batch.h"
#include "work/names.h"

namespace contextcore::work {
namespace {

enum Integer : size_t { kRevision, kSeq };
enum Metadata : size_t { kName, kCommandId };

struct Place {
  int64_t time_ns = INT64_MIN, revision = 0, seq = 0;
  auto operator<=>(const Place&) const = default;
};
Place place_of(const Event& event) { return {event.time_ns, event.revision, event.seq}; }

using Spans = std::unordered_set<otlp::SpanId, SpanIdHash>;

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

  // Calls fn for every event of the filter.
  template <typename Fn>
  Status read(Fn fn) {
    store::LogProjection projection = places();
    projection.fields = true;
    projection.metadata = {"event_name", std::string(names::meta::kCommandId)};
    Event event;
    return for_each(projection, [&](const store::LogBatch& batch, size_t i) -> Status {
      if (names_.empty()) names_.resize(batch.metadata[kName].values.size());
      if (batch.streams[i] != stream_) enter(*batch.streams[i], event);
      CC_TRY(fill(batch, i, event));
      return fn(event);
    });
  }

  Result<Spans> disordered() {
    Spans out;
    std::unordered_map<otlp::SpanId, Place, SpanIdHash> last;
    CC_TRY(for_each(places(), [&](const store::LogBatch& batch, size_t i) -> Status {
      const Place here{batch.times_ns[i], batch.integers[kRevision][i], batch.integers[kSeq][i]};
      Place& before = last[batch.span_ids[i]];
      if (here < before) out.insert(batch.span_ids[i]);
      before = here;
      return {};
    }));
    return out;
  }

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

  static store::LogProjection places() {
    store::LogProjection projection;
    projection.ids = true;
    projection.integers = {std::string(names::meta::kRevision), std::string(names::meta::kEventSeq)};
    return projection;
  }

  // Calls fn for the entries that the filter wants.
  template <typename Fn>
  Status for_each(const store::LogProjection& projection, Fn fn) {
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
    event.command_id = batch.metadata[kCommandId].at(i);
    if (event.span_id.empty() || event.trace_id.empty() || event.project.empty() || event.revision == 0) {
      CC_ASSIGN(const std::string line, line_of(batch, i));
      return bad_line("an event lacks its project, ids, revision or event_seq: ", line);
    }
    const uint32_t number = batch.metadata[kName].ids[i];
    event.line.clear();
    Name& name = names_[number];
    if (number != 0) {
      event.name = batch.metadata[kName].values[number];
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
};

}  // namespace

Status scan_events(const store::Source& source, const EventFilter& filter, const FieldsOf& fields,
                   const std::function<Status(Event&)>& fn) {
  Reader reader(source, filter, fields);
  // Spans whose events lie in another order than they happened: written into the past, and in more than one file. Their
  // events are put in order, those of all others pass through.
  CC_ASSIGN(const Spans disordered, reader.disordered());
  std::vector<Event> held;
  CC_TRY(reader.read([&](Event& event) -> Status {
    if (disordered.empty() || !disordered.contains(event.span_id)) return fn(event);
    held.push_back(event);
    return {};
  }));
  sort_stably(held, [](const Event& a, const Event& b) {
    return std::tuple(a.span_id, place_of(a)) < std::tuple(b.span_id, place_of(b));
  });
  for (Event& event : held) CC_TRY(fn(event));
  return {};
}

}  // namespace contextcore::work
