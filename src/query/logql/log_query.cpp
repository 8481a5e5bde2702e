#include <algorithm>
#include <map>
#include <set>

#include "query/logql/engine.h"
#include "query/logql/log_query.h"
#include "query/logql/member_line.h"
#include "query/logql/parser.h"
#include "query/logql/pipeline.h"
#include "query/logql/scan.h"
#include "store/log_batch.h"

namespace contextcore::logql {
namespace {

constexpr uint64_t kCancelCheckEntries = 1024;

Error bad(std::string message) {
  return Error{Code::invalid_argument, std::move(message), {}, {}, {}};
}

}  // namespace

Status scan(const store::Source& source, const Pipeline& pipeline, const ScanRequest& request,
            const std::function<bool()>& cancelled, Statistics& statistics, const Visit& visit) {
  store::LogFetchRequest fetch;
  fetch.start_ns = request.start_ns;
  fetch.end_ns = request.end_ns;
  fetch.backward = request.backward;
  pipeline.push_down(fetch);
  CC_ASSIGN(auto entries, source.fetch_logs(fetch));
  store::LogEntry entry;
  EntryLabels labels;
  std::string buffer;
  const int64_t now_ns = source.now_ns();
  const LabelPairs* selected_stream = nullptr;
  bool selected = false;
  while (true) {
    if (cancelled && statistics.entries_read % kCancelCheckEntries == 0 && cancelled()) {
      return Status(Code::cancelled, "query was cancelled");
    }
    CC_ASSIGN(const bool more, entries->next(entry));
    if (!more) return {};
    ++statistics.entries_read;
    statistics.bytes_read += entry.line.size();
    // The store may give more than was asked for.
    if (entry.stream != selected_stream) {
      selected_stream = entry.stream;
      selected = pipeline.selects(*entry.stream);
    }
    if (!selected || entry.time_ns < request.start_ns || entry.time_ns >= request.end_ns) continue;
    labels.reset(*entry.stream, entry.metadata);
    labels.set_times(entry.time_ns, now_ns);
    std::string_view line = entry.line;
    if (!pipeline.process(labels, line, buffer)) continue;
    CC_ASSIGN(const bool go_on, visit(entry, labels, line));
    if (!go_on) return {};
  }
}

Status scan_needed(const store::Source& source, const Pipeline& pipeline, const ScanRequest& request,
                   const std::vector<std::string>& names, const std::optional<std::vector<std::string>>& members,
                   const std::function<bool()>& cancelled, Statistics& statistics, const Visit& visit) {
  store::LogFetchRequest fetch;
  fetch.start_ns = request.start_ns;
  fetch.end_ns = request.end_ns;
  pipeline.push_down(fetch);
  store::LogProjection projection;
  projection.line = !members;
  projection.fields = members && !members->empty();
  projection.metadata = names;
  CC_ASSIGN(const auto batches, store::scan_logs(source, fetch, projection));
  EntryLabels labels;
  labels.take_only(&names);
  LabelPairs metadata;
  store::LogEntry entry;
  std::string buffer, line;
  MemberLines lines(members.value_or(std::vector<std::string>()));
  std::vector<uint32_t> ids;
  const int64_t now_ns = source.now_ns();
  const LabelPairs* selected_stream = nullptr;
  bool selected = false;
  for (store::LogBatch batch;;) {
    if (cancelled && cancelled()) return Status(Code::cancelled, "query was cancelled");
    selected_stream = nullptr;
    CC_ASSIGN(const bool more, batches->next(batch));
    if (!more) return {};
    statistics.entries_read += batch.size;
    CC_TRY(lines.begin(batch));
    for (size_t i = 0; i < batch.size; ++i) {
      entry.time_ns = batch.times_ns[i];
      entry.sequence = batch.sequences[i];
      entry.stream = batch.streams[i];
      entry.line = batch.lines.empty() ? std::string_view() : batch.lines[i];
      if (entry.stream != selected_stream) {
        selected_stream = entry.stream;
        selected = pipeline.selects(*entry.stream);
      }
      if (!selected || entry.time_ns < request.start_ns || entry.time_ns >= request.end_ns) continue;
      if (projection.fields) {
        ids.clear();
        CC_ASSIGN(const bool fields, lines.ids_of(i, ids));
        if (fields) {
          line.clear();
          lines.append(i, line);
          entry.line = line;
        } else {
          CC_ASSIGN(entry.line, lines.whole(i, line));
        }
      }
      statistics.bytes_read += entry.line.size();
      metadata.clear();
      for (size_t name = 0; name < names.size(); ++name) {
        const std::string_view value = batch.metadata[name].at(i);
        if (!value.empty()) metadata.emplace_back(names[name], value);
      }
      entry.metadata = &metadata;
      labels.reset(*entry.stream, &metadata);
      labels.set_times(entry.time_ns, now_ns);
      std::string_view text = entry.line;
      if (!pipeline.process(labels, text, buffer)) continue;
      CC_ASSIGN(const bool go_on, visit(entry, labels, text));
      if (!go_on) return {};
    }
  }
}

Result<Streams> query_logs(const store::Source& source, const LogSelector& selector,
                           const RangeParams& params, Statistics& statistics) {
  if (params.limit <= 0) return bad("limit must be a positive value");
  if (params.limit > params.limits.entries_max) {
    return bad("max entries limit per query exceeded, limit > max_entries_limit_per_query (" +
               std::to_string(params.limit) + " > " + std::to_string(params.limits.entries_max) +
               ")");
  }
  CC_ASSIGN(const Pipeline pipeline, Pipeline::compile(selector));
  std::map<LabelPairs, std::vector<ResultEntry>> streams;
  int64_t taken = 0;
  const ScanRequest request{params.start_ns, params.end_ns,
                            params.direction == Direction::backward};
  CC_TRY(scan(
      source, pipeline, request, params.cancelled, statistics,
      [&](const store::LogEntry& entry, EntryLabels& labels,
          std::string_view line) -> Result<bool> {
        ResultEntry out;
        out.time_ns = entry.time_ns;
        out.line = line;
        out.metadata = labels.of(Category::metadata);
        out.parsed = labels.of(Category::parsed);
        streams[params.categorize_labels ? labels.of(Category::stream) : labels.merged()].push_back(
            std::move(out));
        return ++taken < params.limit;
      }));
  Streams result;
  for (auto& [labels, entries] : streams) result.push_back({labels, std::move(entries)});
  return result;
}

// ---- labels ----

Result<std::vector<LabelPairs>> series(const store::Source& source,
                                       const std::vector<std::string>& selectors, int64_t start_ns,
                                       int64_t end_ns) {
  std::vector<std::vector<CompiledMatcher>> compiled;
  for (const std::string& selector : selectors) {
    CC_ASSIGN(const auto matchers, parse_matchers(selector));
    auto& group = compiled.emplace_back();
    for (const Matcher& matcher : matchers) {
      CC_ASSIGN(CompiledMatcher one, CompiledMatcher::compile(matcher));
      group.push_back(std::move(one));
    }
  }
  CC_ASSIGN(auto streams, source.streams(start_ns, end_ns));
  std::erase_if(streams, [&](const LabelPairs& stream) {
    return !compiled.empty() &&
           std::none_of(compiled.begin(), compiled.end(),
                        [&](const auto& group) { return matches(group, stream); });
  });
  std::sort(streams.begin(), streams.end());
  return streams;
}

Result<std::vector<std::string>> label_names(const store::Source& source, std::string_view selector,
                                             int64_t start_ns, int64_t end_ns) {
  std::vector<std::string> selectors;
  if (!selector.empty()) selectors.emplace_back(selector);
  CC_ASSIGN(const auto streams, series(source, selectors, start_ns, end_ns));
  std::set<std::string> names;
  for (const LabelPairs& stream : streams) {
    for (const auto& label : stream) names.insert(label.first);
  }
  return std::vector<std::string>(names.begin(), names.end());
}

Result<std::vector<std::string>> label_values(const store::Source& source, std::string_view name,
                                              std::string_view selector, int64_t start_ns,
                                              int64_t end_ns) {
  std::vector<std::string> selectors;
  if (!selector.empty()) selectors.emplace_back(selector);
  CC_ASSIGN(const auto streams, series(source, selectors, start_ns, end_ns));
  std::set<std::string> values;
  for (const LabelPairs& stream : streams) {
    for (const auto& [label, value] : stream) {
      if (label == name) values.insert(value);
    }
  }
  return std::vector<std::string>(values.begin(), values.end());
}

}  // namespace contextcore::logql
