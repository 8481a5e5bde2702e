#include "export/streams.h"

#include <algorithm>
#include <utility>

#include "work/fold_task.h"
#include "work/names.h"
#include "work/sprint.h"

namespace contextcore::exporter {
namespace {

using store::ArrivalPlace;

// A command that is being written while its end settles: its arrival is stamped before it is seen.
constexpr int64_t kGraceNs = 1'000'000'000;

size_t bytes_of(const otlp::Value& value) {
  if (const std::string* text = value.as_string()) return text->size() + 6;
  if (const otlp::Bytes* bytes = value.as_bytes()) return bytes->data.size() + 6;
  size_t bytes = 12;
  if (const otlp::Array* array = value.as_array()) {
    for (const otlp::Value& element : *array) bytes += bytes_of(element);
  } else if (const otlp::KeyValueList* list = value.as_kvlist()) {
    for (const otlp::KeyValue& member : *list) bytes += member.key.size() + bytes_of(member.value);
  }
  return bytes;
}

size_t bytes_of(const otlp::Attributes& attributes) {
  size_t bytes = 0;
  for (const otlp::KeyValue& attribute : attributes)
    bytes += attribute.key.size() + bytes_of(attribute.value) + 6;
  return bytes;
}

size_t bytes_of(const otlp::Span& span) {
  size_t bytes = 80 + span.name.size() + span.status_message.size() + bytes_of(span.attributes);
  for (const otlp::SpanEvent& event : span.events)
    bytes += 16 + event.name.size() + bytes_of(event.attributes);
  for (const otlp::SpanLink& link : span.links) bytes += 40 + bytes_of(link.attributes);
  return bytes;
}

size_t bytes_of(const otlp::LogRecord& record) {
  return 80 + bytes_of(record.body) + bytes_of(record.attributes) + record.event_name.size();
}

// Adds to a batch until it is full; the place moves with what was added or passed over.
class Filler {
 public:
  Filler(const ReadContext& context, const ArrivalPlace& after) : context_(context) {
    batch_.next = after;
  }
  bool full() const {
    return batch_.items.size() >= context_.items_max || bytes_ >= context_.bytes_max;
  }
  void add(Item item) {
    bytes_ += item.bytes;
    batch_.items.push_back(std::move(item));
  }
  void passed(const ArrivalPlace& place) { batch_.next = place; }
  Batch& batch() { return batch_; }

 private:
  const ReadContext& context_;
  Batch batch_;
  size_t bytes_ = 0;
};

// Fills a batch with a pass over arrivals. fn(entry) gives what to add and whether to go on.
template <typename Entry, typename Fn>
Result<Batch> fill(const ReadContext& context, const ArrivalPlace& after,
                   std::unique_ptr<store::ArrivalIterator<Entry>> entries, const Fn& fn) {
  Filler filler(context, after);
  Entry entry;
  while (true) {
    if (filler.full()) {
      filler.batch().more = true;
      break;
    }
    CC_ASSIGN(const bool found, entries->next(entry));
    if (!found) {
      filler.passed(entries->end());
      filler.batch().more = entries->end().done != ArrivalPlace::kAll;
      break;
    }
    CC_ASSIGN(const bool go_on, fn(entry, filler));
    if (!go_on) break;
    filler.passed(entry.place);
  }
  return std::move(filler.batch());
}

Item item_of(std::string_view stream, store::ArrivedSpan& entry) {
  Item item;
  item.reference = {std::string(stream), entry.place, otlp::to_hex(entry.span.span_id)};
  item.bytes = bytes_of(entry.span);
  item.resource = std::move(entry.resource);
  item.scope = std::move(entry.scope);
  item.tenant = std::move(entry.tenant);
  item.what = std::move(entry.span);
  return item;
}

class ReceivedSpans : public Stream {
 public:
  std::string_view name() const override { return kReceivedStream; }

  Result<Batch> next(const ReadContext& context, const ArrivalPlace& after) const override {
    CC_ASSIGN(auto entries, store::arrived_spans(*context.read.source, after));
    return fill<store::ArrivedSpan>(
        context, after, std::move(entries),
        [this](store::ArrivedSpan& entry, Filler& filler) -> Result<bool> {
          filler.add(item_of(name(), entry));
          return true;
        });
  }

  Result<std::vector<Item>> find(const ReadContext& context,
                                 const Reference& reference) const override {
    std::vector<Item> items;
    CC_ASSIGN(auto entries, store::arrived_spans(*context.read.source, reference.place.before()));
    store::ArrivedSpan entry;
    CC_ASSIGN(const bool found, entries->next(entry));
    if (found && entry.place == reference.place) items.push_back(item_of(name(), entry));
    return items;
  }
};

Item item_of(std::string_view stream, store::ArrivedLog& entry) {
  Item item;
  item.reference = {std::string(stream), entry.place, {}};
  item.bytes = bytes_of(entry.record);
  item.arrived_ns = static_cast<int64_t>(entry.record.observed_time_ns);
  item.resource = std::move(entry.resource);
  item.scope = std::move(entry.scope);
  item.tenant = std::move(entry.tenant);
  item.what = std::move(entry.record);
  return item;
}

class LogRecords : public Stream {
 public:
  explicit LogRecords(bool received)
      : which_(received ? store::ArrivedLogs::all : store::ArrivedLogs::journal) {}
  std::string_view name() const override { return kLogsStream; }

  Result<Batch> next(const ReadContext& context, const ArrivalPlace& after) const override {
    // With everything or the journal's alone a transaction has the same order: of one command or
    // one request all records are of one sort.
    CC_ASSIGN(auto entries, store::arrived_logs(*context.read.source, after, which_));
    return fill<store::ArrivedLog>(
        context, after, std::move(entries),
        [this](store::ArrivedLog& entry, Filler& filler) -> Result<bool> {
          filler.add(item_of(name(), entry));
          return true;
        });
  }

  Result<std::vector<Item>> find(const ReadContext& context,
                                 const Reference& reference) const override {
    std::vector<Item> items;
    CC_ASSIGN(auto entries, store::arrived_logs(*context.read.source, reference.place.before(),
                                                store::ArrivedLogs::all));
    store::ArrivedLog entry;
    CC_ASSIGN(const bool found, entries->next(entry));
    if (found && entry.place == reference.place) items.push_back(item_of(name(), entry));
    return items;
  }

 private:
  store::ArrivedLogs which_;
};

int64_t integer_of(const otlp::LogRecord& record, std::string_view key) {
  const otlp::Value* value = otlp::find(record.attributes, key);
  return value != nullptr && value->as_int() != nullptr ? *value->as_int() : 0;
}
int64_t revision_of(const otlp::LogRecord& record) { return integer_of(record, "revision"); }

// Spans of the journal, told by their events: what leaves with the events of a batch.
class JournalSpans : public Stream {
 public:
  Result<Batch> next(const ReadContext& context, const ArrivalPlace& after) const override {
    CC_ASSIGN(auto entries,
              store::arrived_logs(*context.read.source, after, store::ArrivedLogs::journal));
    return fill<store::ArrivedLog>(context, after, std::move(entries),
                                   [&](store::ArrivedLog& entry, Filler& filler) -> Result<bool> {
                                     if (!matters(entry.record.event_name)) return true;
                                     const auto wait_until = ready_at(entry.record, context.settle);
                                     if (wait_until > context.now_ns) {
                                       filler.batch().wake_ns = wait_until;
                                       return false;
                                     }
                                     CC_ASSIGN(std::vector<Item> items, items_of(context, entry));
                                     for (Item& item : items) filler.add(std::move(item));
                                     return true;
                                   });
  }

  Result<std::vector<Item>> find(const ReadContext& context,
                                 const Reference& reference) const override {
    CC_ASSIGN(auto entries, store::arrived_logs(*context.read.source, reference.place.before(),
                                                store::ArrivedLogs::journal));
    store::ArrivedLog entry;
    CC_ASSIGN(const bool found, entries->next(entry));
    if (!found || entry.place != reference.place) return std::vector<Item>();
    CC_ASSIGN(std::vector<Item> items, items_of(context, entry));
    std::erase_if(items, [&](const Item& item) { return item.reference.id != reference.id; });
    return items;
  }

 protected:
  virtual bool matters(std::string_view event_name) const = 0;
  // The wall time from which on the event decides something.
  virtual int64_t ready_at(const otlp::LogRecord& record, const SettleTimes& settle) const = 0;
  virtual Result<std::vector<Leaving>> leaving(const ReadContext& context, const SpanLog& log,
                                               std::string_view event_name) const = 0;

 private:
  // A revision may have several events that matter: its spans leave once, with the last.
  bool is_last(const otlp::LogRecord& record, const SpanLog& log) const {
    const int64_t revision = revision_of(record), seq = integer_of(record, "event_seq");
    return std::none_of(log.records.begin(), log.records.end(), [&](const otlp::LogRecord& other) {
      return revision_of(other) == revision && integer_of(other, "event_seq") > seq &&
             matters(other.event_name);
    });
  }

  Result<std::vector<Item>> items_of(const ReadContext& context,
                                     const store::ArrivedLog& entry) const {
    SpanLog log;
    log.resource = *entry.resource;
    log.trace_id = entry.record.trace_id;
    const store::WorkRow* row = context.read.work->index().find(entry.record.span_id);
    if (row != nullptr) log.trace_id = row->trace_id;
    CC_ASSIGN(log.records, context.read.work->events(entry.record.span_id));
    const int64_t revision = revision_of(entry.record);
    std::vector<Item> items;
    if (!is_last(entry.record, log)) return items;
    CC_ASSIGN(std::vector<Leaving> all, leaving(context, log, entry.record.event_name));
    for (Leaving& one : all) {
      if (one.revision != revision) continue;
      Item item;
      item.reference = {std::string(name()), entry.place, otlp::to_hex(one.span.span.span_id)};
      item.arrived_ns = one.observed_ns;
      item.bytes = bytes_of(one.span.span);
      item.resource = std::make_shared<const otlp::Resource>(std::move(one.span.resource));
      item.scope = std::make_shared<const otlp::Scope>(std::move(one.span.scope));
      item.what = std::move(one.span.span);
      items.push_back(std::move(item));
    }
    return items;
  }
};

class Instants : public JournalSpans {
 public:
  std::string_view name() const override { return "instants"; }

 protected:
  bool matters(std::string_view event_name) const override {
    return work::is_insight_event(event_name);
  }
  int64_t ready_at(const otlp::LogRecord&, const SettleTimes&) const override { return INT64_MIN; }
  Result<std::vector<Leaving>> leaving(const ReadContext&, const SpanLog& log,
                                       std::string_view) const override {
    return leaving_of_insight(log);
  }
};

class Settled : public JournalSpans {
 public:
  std::string_view name() const override { return "settled"; }

 protected:
  bool matters(std::string_view event_name) const override { return may_end_span(event_name); }
  int64_t ready_at(const otlp::LogRecord& record, const SettleTimes& settle) const override {
    const auto observed_ns = static_cast<int64_t>(record.observed_time_ns);
    const int64_t settle_ns = settle.at(observed_ns);
    return observed_ns + settle_ns + std::min(settle_ns, kGraceNs);
  }
  Result<std::vector<Leaving>> leaving(const ReadContext& context, const SpanLog& log,
                                       std::string_view event_name) const override {
    if (work::is_sprint_event(event_name))
      return leaving_of_sprint(log, context.settle, context.now_ns);
    return leaving_of_task(log, context.settle, context.now_ns);
  }
};

}  // namespace

std::vector<std::unique_ptr<Stream>> trace_streams(bool received) {
  std::vector<std::unique_ptr<Stream>> streams;
  streams.push_back(std::make_unique<Settled>());
  streams.push_back(std::make_unique<Instants>());
  if (received) streams.push_back(std::make_unique<ReceivedSpans>());
  return streams;
}

std::vector<std::unique_ptr<Stream>> log_streams(bool received) {
  std::vector<std::unique_ptr<Stream>> streams;
  streams.push_back(std::make_unique<LogRecords>(received));
  return streams;
}

}  // namespace contextcore::exporter
