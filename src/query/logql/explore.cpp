#include "query/logql/explore.h"

#include <algorithm>
#include <map>
#include <set>
#include <unordered_map>
#include <utility>

#include "query/logql/field_types.h"
#include "query/logql/log_query.h"
#include "query/logql/match.h"
#include "query/logql/parser.h"
#include "query/logql/pipeline.h"
#include "query/logql/scan.h"
#include "query/logql/text.h"
#include "query/logql/validate.h"

namespace contextcore::logql {
namespace {

constexpr int64_t kMillisecondNs = 1'000'000;
constexpr size_t kVolumeSamplesMax = 5'000'000;

Error bad(std::string message) {
  return Error{Code::invalid_argument, std::move(message), {}, {}, {}};
}

Result<std::vector<Matcher>> selective_matchers(std::string_view selector) {
  CC_ASSIGN(std::vector<Matcher> matchers, parse_matchers(selector));
  Status selective = require_selective(matchers);
  if (selective.ok()) return matchers;
  Error error = std::move(selective).error();
  error.message.insert(0, "parse error : ");
  return error;
}

ScanRequest scan_of(const ExploreRange& range) { return {range.start_ns, range.end_ns, false}; }

}  // namespace

Result<IndexStats> index_stats(const store::Source& source, std::string_view selector,
                               const ExploreRange& range) {
  CC_ASSIGN(std::vector<Matcher> matchers, selective_matchers(selector));
  CC_ASSIGN(const Pipeline pipeline, Pipeline::compile(LogSelector{std::move(matchers), {}}));
  IndexStats out;
  std::set<LabelPairs> streams;
  const LabelPairs* last = nullptr;
  Statistics statistics;
  CC_TRY(
      scan(source, pipeline, scan_of(range), range.cancelled, statistics,
           [&](const store::LogEntry& entry, EntryLabels&, std::string_view line) -> Result<bool> {
             if (std::exchange(last, entry.stream) != entry.stream) streams.insert(*entry.stream);
             ++out.entries;
             out.bytes += line.size();
             return true;
           }));
  out.streams = streams.size();
  return out;
}

// ---- volume ----

namespace {

// The buckets that a range falls into: the first may be short at its start, the last at its end.
struct Buckets {
  int64_t start_ns = 0, end_ns = 0, step_ns = 0, first_end_ns = 0;

  size_t of(int64_t time_ns) const {
    if (step_ns == 0 || time_ns < first_end_ns) return 0;
    return static_cast<size_t>((time_ns - first_end_ns) / step_ns) + 1;
  }
  // Where the sample of a bucket stands: a millisecond before the next one, as in Loki.
  int64_t sample_ns(size_t bucket) const {
    if (step_ns == 0) return end_ns;
    const int64_t end = first_end_ns + static_cast<int64_t>(bucket) * step_ns;
    return end >= end_ns ? end_ns : end - kMillisecondNs;
  }
};

Buckets make_buckets(const ExploreRange& range, int64_t step_ns) {
  Buckets out{range.start_ns, range.end_ns, step_ns, range.end_ns};
  if (step_ns == 0) return out;
  const int64_t rest = range.start_ns % step_ns;
  if (__builtin_add_overflow(range.start_ns - (rest < 0 ? rest + step_ns : rest), step_ns,
                             &out.first_end_ns)) {
    out.step_ns = 0;
  }
  return out;
}

// Which series the streams count to.
class VolumeNames {
 public:
  VolumeNames(const VolumeParams& params, const std::vector<Matcher>& matchers)
      : by_label_(params.by_label) {
    if (!params.target_labels.empty()) {
      names_.insert(params.target_labels.begin(), params.target_labels.end());
      return;
    }
    for (const Matcher& matcher : matchers) names_.insert(matcher.name);
    all_ = matchers.empty() || by_label_;
  }

  const std::vector<size_t>& series_of(const LabelPairs* stream) {
    const auto [at, is_new] = of_stream_.try_emplace(stream);
    if (!is_new) return at->second;
    LabelPairs together;
    for (const auto& [name, value] : *stream) {
      if (!all_ && names_.count(name) == 0) continue;
      if (by_label_) {
        at->second.push_back(number_of({{name, ""}}));
      } else {
        together.emplace_back(name, value);
      }
    }
    if (!by_label_) at->second.push_back(number_of(together));
    return at->second;
  }
  const LabelPairs& labels(size_t series) const { return *labels_[series]; }

 private:
  size_t number_of(const LabelPairs& labels) {
    const auto [at, is_new] = numbers_.try_emplace(labels, numbers_.size());
    if (is_new) labels_.push_back(&at->first);
    return at->second;
  }

  bool by_label_;
  bool all_ = false;
  std::set<std::string> names_;
  std::unordered_map<const LabelPairs*, std::vector<size_t>> of_stream_;
  std::map<LabelPairs, size_t> numbers_;
  std::vector<const LabelPairs*> labels_;
};

using Largest = std::vector<std::pair<uint64_t, size_t>>;  // bytes, series

Largest largest_of(const std::unordered_map<size_t, uint64_t>& bytes, const VolumeNames& names,
                   size_t limit) {
  Largest out;
  for (const auto& [series, size] : bytes) out.emplace_back(size, series);
  std::sort(out.begin(), out.end(), [&](const auto& a, const auto& b) {
    if (a.first != b.first) return a.first > b.first;
    return to_string(names.labels(a.second)) < to_string(names.labels(b.second));
  });
  if (out.size() > limit) out.resize(limit);
  return out;
}

}  // namespace

Result<std::vector<Series>> volume(const store::Source& source, const VolumeParams& params,
                                   const ExploreRange& range) {
  std::vector<Matcher> matchers;
  if (params.selector != "{}") {
    CC_ASSIGN(matchers, selective_matchers(params.selector));
  }
  VolumeNames names(params, matchers);
  for (const std::string& target : params.target_labels) {
    if (!is_label_name(target)) return bad("invalid target label \"" + target + "\"");
    matchers.push_back({target, MatchOp::regex, ".+"});
  }
  CC_ASSIGN(const Pipeline pipeline, Pipeline::compile(LogSelector{std::move(matchers), {}}));
  const Buckets buckets = make_buckets(range, params.step_ns);
  std::map<size_t, std::unordered_map<size_t, uint64_t>> bytes;  // bucket, series
  size_t samples = 0;
  Statistics statistics;
  CC_TRY(
      scan(source, pipeline, scan_of(range), range.cancelled, statistics,
           [&](const store::LogEntry& entry, EntryLabels&, std::string_view line) -> Result<bool> {
             auto& bucket = bytes[buckets.of(entry.time_ns)];
             for (const size_t series : names.series_of(entry.stream)) {
               uint64_t& size = bucket[series];
               samples += size == 0 ? 1 : 0;
               size += line.size();
             }
             if (samples > kVolumeSamplesMax)
               return Error{Code::resource_exhausted,
                            "the volume has too many series; narrow the selector or the labels",
                            {},
                            {},
                            {}};
             return true;
           }));
  std::map<size_t, Series> found;
  for (const auto& [bucket, sizes] : bytes) {
    for (const auto& [size, series] : largest_of(sizes, names, params.limit)) {
      found[series].samples.push_back({buckets.sample_ns(bucket), static_cast<double>(size)});
    }
  }
  std::vector<Series> out;
  for (auto& [series, one] : found) {
    one.labels = names.labels(series);
    out.push_back(std::move(one));
  }
  std::sort(out.begin(), out.end(), [](const Series& a, const Series& b) {
    if (a.samples[0].value != b.samples[0].value) return a.samples[0].value > b.samples[0].value;
    return to_string(a.labels) < to_string(b.labels);
  });
  return out;
}

// ---- labels and fields ----

Result<std::vector<DetectedLabel>> detected_labels(const store::Source& source,
                                                   std::string_view selector, int64_t start_ns,
                                                   int64_t end_ns) {
  std::vector<std::string> selectors;
  if (!selector.empty()) selectors.emplace_back(selector);
  CC_ASSIGN(const auto streams, series(source, selectors, start_ns, end_ns));
  std::map<std::string, std::set<std::string>> values;
  for (const LabelPairs& stream : streams) {
    for (const auto& [name, value] : stream) values[name].insert(value);
  }
  std::vector<DetectedLabel> out;
  for (const auto& [name, distinct] : values) {
    if (is_choice_label(name, distinct)) out.push_back({name, distinct.size()});
  }
  return out;
}

namespace {

Result<Streams> newest_entries(const store::Source& source, std::string_view query,
                               int64_t line_limit, const ExploreRange& range) {
  CC_ASSIGN(const Expr expr, parse(query));
  const auto* selector = std::get_if<LogSelector>(&expr.node);
  if (selector == nullptr) return bad("only log selector is supported");
  RangeParams params;
  params.start_ns = range.start_ns;
  params.end_ns = range.end_ns;
  params.limit = line_limit;
  params.categorize_labels = true;
  params.cancelled = range.cancelled;
  Statistics statistics;
  return query_logs(source, *selector, params, statistics);
}

struct FieldInfo {
  DetectedField field;
  std::set<std::string> values;
};

}  // namespace

Result<std::vector<DetectedField>> detected_fields(const store::Source& source,
                                                   std::string_view query, int64_t line_limit,
                                                   size_t field_limit, const ExploreRange& range) {
  CC_ASSIGN(const Streams streams, newest_entries(source, query, line_limit, range));
  std::map<std::string, FieldInfo> fields;
  const auto info_of = [&](const std::string& name) -> FieldInfo* {
    const auto at = fields.find(name);
    if (at != fields.end()) return &at->second;
    return fields.size() < field_limit ? &fields[name] : nullptr;
  };
  for (const ResultStream& stream : streams) {
    for (const ResultEntry& entry : stream.entries) {
      for (const auto& [name, value] : entry.metadata) {
        FieldInfo* info = info_of(name);
        if (info == nullptr) continue;
        info->field.type = field_type(value);
        info->values.insert(value);
      }
      const ParsedLine parsed = parse_fields(stream.labels, entry);
      for (const auto& [name, values] : parsed.values) {
        FieldInfo* info = info_of(name);
        if (info == nullptr) continue;
        auto& parsers = info->field.parsers;
        if (!parsed.parser.empty() &&
            std::find(parsers.begin(), parsers.end(), parsed.parser) == parsers.end()) {
          parsers.emplace_back(parsed.parser);
        }
        if (const auto path = parsed.json_paths.find(name); path != parsed.json_paths.end())
          info->field.json_path = path->second;
        info->field.type = field_type(*values.begin());
        info->values.insert(values.begin(), values.end());
      }
    }
  }
  std::vector<DetectedField> out;
  for (auto& [name, info] : fields) {
    info.field.name = name;
    info.field.cardinality = info.values.size();
    out.push_back(std::move(info.field));
  }
  return out;
}

Result<std::vector<std::string>> detected_field_values(const store::Source& source,
                                                       std::string_view query,
                                                       std::string_view field, int64_t line_limit,
                                                       size_t value_limit,
                                                       const ExploreRange& range) {
  CC_ASSIGN(const Streams streams, newest_entries(source, query, line_limit, range));
  std::set<std::string> values;
  for (const ResultStream& stream : streams) {
    for (const ResultEntry& entry : stream.entries) {
      if (values.size() >= value_limit) break;
      for (const auto& [name, value] : entry.metadata) {
        if (name == field) values.insert(value);
      }
      const ParsedLine parsed = parse_fields(stream.labels, entry);
      const auto found = parsed.values.find(std::string(field));
      if (found == parsed.values.end()) continue;
      // Sizes as a label filter takes them.
      for (const std::string& value : found->second) values.insert(filter_text(value));
    }
  }
  return std::vector<std::string>(values.begin(), values.end());
}

}  // namespace contextcore::logql
