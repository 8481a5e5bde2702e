// Bodies of requests: items of one sort as a back end takes them.

#include <map>

#include "base/json.h"
#include "export/sender.h"
#include "otlp/protobuf.h"
#include "store/rows.h"

namespace contextcore::exporter {
namespace {

// The group of a resource and scope, made where it is new. Objects that are the same are found by
// address first.
template <typename Group, typename Scoped>
class Groups {
 public:
  Groups(std::vector<Group>& groups, std::vector<Scoped> Group::* scopes)
      : groups_(groups), scopes_(scopes) {}

  Scoped& of(const Item& item) {
    const auto [known, is_new] =
        by_address_.try_emplace({item.resource.get(), item.scope.get()}, std::pair{0UL, 0UL});
    if (is_new) known->second = place_of(*item.resource, *item.scope);
    const auto [group, scope] = known->second;
    return (groups_[group].*scopes_)[scope];
  }

 private:
  std::pair<size_t, size_t> place_of(const otlp::Resource& resource, const otlp::Scope& scope) {
    size_t group = 0;
    while (group < groups_.size() && !(groups_[group].resource == resource)) ++group;
    if (group == groups_.size()) groups_.emplace_back().resource = resource;
    std::vector<Scoped>& scopes = groups_[group].*scopes_;
    size_t at = 0;
    while (at < scopes.size() && !(scopes[at].scope == scope)) ++at;
    if (at == scopes.size()) scopes.emplace_back().scope = scope;
    return {group, at};
  }

  std::vector<Group>& groups_;
  std::vector<Scoped> Group::* scopes_;
  std::map<std::pair<const void*, const void*>, std::pair<size_t, size_t>> by_address_;
};

}  // namespace

std::string encode_otlp_traces(std::span<const Item> items) {
  otlp::TracesData data;
  Groups<otlp::ResourceSpans, otlp::ScopeSpans> groups(data.resource_spans,
                                                       &otlp::ResourceSpans::scope_spans);
  for (const Item& item : items) groups.of(item).spans.push_back(std::get<otlp::Span>(item.what));
  return otlp::encode_protobuf(data);
}

std::string encode_otlp_logs(std::span<const Item> items) {
  otlp::LogsData data;
  Groups<otlp::ResourceLogs, otlp::ScopeLogs> groups(data.resource_logs,
                                                     &otlp::ResourceLogs::scope_logs);
  for (const Item& item : items)
    groups.of(item).records.push_back(std::get<otlp::LogRecord>(item.what));
  return otlp::encode_protobuf(data);
}

std::string encode_loki_push(std::span<const Item> items) {
  std::map<store::LabelPairs, std::vector<const Item*>> streams;
  for (const Item& item : items) streams[store::stream_labels(*item.resource)].push_back(&item);
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.key("streams");
  json.begin_array();
  for (const auto& [labels, entries] : streams) {
    json.begin_object();
    json.key("stream");
    json.begin_object();
    for (const auto& [name, value] : labels) json.field(name, std::string_view(value));
    json.end_object();
    json.key("values");
    json.begin_array();
    for (const Item* item : entries) {
      const auto& record = std::get<otlp::LogRecord>(item->what);
      json.begin_array();
      json.string(std::to_string(record.time_ns != 0 ? record.time_ns : record.observed_time_ns));
      json.string(store::log_line(record));
      json.begin_object();
      for (const auto& [name, value] :
           store::structured_metadata(*item->resource, *item->scope, record)) {
        json.field(name, std::string_view(value));
      }
      json.end_object();
      json.end_array();
    }
    json.end_array();
    json.end_object();
  }
  json.end_array();
  json.end_object();
  return out;
}

std::string encode_metrics(std::span<const Item> items) {
  otlp::RemoteWriteRequest request;
  for (const Item& item : items)
    request.series.push_back(std::get<otlp::RemoteWriteSeries>(item.what));
  return otlp::encode_remote_write_body(request);
}

}  // namespace contextcore::exporter
