// What LogQL sees of an OTLP log record: labels, metadata and line (rules in fetch.h).

#include <algorithm>
#include <array>
#include <cmath>
#include <string>
#include <string_view>
#include <vector>

#include "base/hash.h"
#include "base/json.h"
#include "otlp/loki_push.h"
#include "store/log_parts.h"

namespace contextcore::store {
namespace {

using otlp::Attributes;
using otlp::Value;

constexpr std::array<std::string_view, 21> kStreamAttributes = {
    "service.name",
    "service.namespace",
    "service.instance.id",
    "deployment.environment",
    "cloud.region",
    "deployment.environment.name",
    "k8s.cluster.name",
    "cloud.availability_zone",
    "k8s.namespace.name",
    "k8s.container.name",
    "k8s.pod.name",
    "k8s.replicaset.name",
    "container.name",
    "k8s.statefulset.name",
    "k8s.daemonset.name",
    "k8s.deployment.name",
    "k8s.cronjob.name",
    "k8s.job.name",
    "service",
    "job",
    "project.id",
};

// Where a level may be written, the more trusted name first.
constexpr std::array<std::string_view, 14> kLevelNames = {
    "level",    "LEVEL",         "Level",         "log.level",     "severity",
    "SEVERITY", "Severity",      "SeverityText",  "lvl",           "LVL",
    "Lvl",      "severity_text", "Severity_Text", "SEVERITY_TEXT",
};

// Which attributes of a resource are labels of its stream: the usual ones, and those that it names
// itself.
class StreamAttributes {
 public:
  explicit StreamAttributes(const otlp::Resource& resource)
      : hint_(otlp::find(resource.attributes, otlp::kLokiLabelsHint)) {}

  bool contains(std::string_view key) const {
    return std::find(kStreamAttributes.begin(), kStreamAttributes.end(), key) !=
               kStreamAttributes.end() ||
           (hint_ != nullptr && named(key));
  }
  bool has_hint() const { return hint_ != nullptr; }

 private:
  bool named(std::string_view key) const {
    if (const auto* names = hint_->as_array()) {
      return std::any_of(names->begin(), names->end(), [key](const Value& name) {
        return name.as_string() != nullptr && *name.as_string() == key;
      });
    }
    std::string_view list =
        hint_->as_string() != nullptr ? *hint_->as_string() : std::string_view();
    while (!list.empty()) {
      const size_t comma = std::min(list.find(','), list.size());
      std::string_view name = list.substr(0, comma);
      while (name.starts_with(' ')) name.remove_prefix(1);
      while (name.ends_with(' ')) name.remove_suffix(1);
      if (name == key) return true;
      list.remove_prefix(std::min(comma + 1, list.size()));
    }
    return false;
  }

  const Value* hint_;
};

}  // namespace

std::string label_name(std::string_view key) {
  std::string name;
  name.reserve(key.size() + 4);
  if (!key.empty() && key[0] >= '0' && key[0] <= '9') name = "key_";
  bool continues = false;  // inside a multi-byte character, which becomes one underscore
  for (const char c : key) {
    const bool valid = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '_' || c == ':';
    const bool follows = (static_cast<unsigned char>(c) & 0xC0) == 0x80;
    if (valid) {
      name += c;
    } else if (!follows || !continues) {
      name += '_';
    }
    continues = !valid && static_cast<unsigned char>(c) >= 0x80;
  }
  return name;
}

namespace {

void write_json(const Value& value, JsonWriter& writer) {
  if (const auto* text = value.as_string()) return writer.string(*text);
  if (const auto* flag = value.as_bool()) return writer.boolean(*flag);
  if (const auto* integer = value.as_int()) return writer.number(*integer);
  if (const auto* real = value.as_double()) return writer.number(*real);
  if (const auto* bytes = value.as_bytes()) return writer.string(to_base64(bytes->data));
  if (const auto* array = value.as_array()) {
    writer.begin_array();
    for (const Value& element : *array) write_json(element, writer);
    return writer.end_array();
  }
  if (const auto* list = value.as_kvlist()) {
    writer.begin_object();
    for (const otlp::KeyValue& member : *list) {
      writer.key(member.key);
      write_json(member.value, writer);
    }
    return writer.end_object();
  }
  writer.null();
}

// A value as the text of a label or a line: strings as they are, everything else as JSON.
std::string text_of(const Value& value) {
  if (const auto* text = value.as_string()) return *text;
  if (const auto* bytes = value.as_bytes()) return to_base64(bytes->data);
  if (const auto* real = value.as_double(); real != nullptr && !std::isfinite(*real)) {
    return std::isnan(*real) ? "NaN" : *real > 0 ? "+Inf" : "-Inf";
  }
  if (!value.is_set()) return {};
  std::string text;
  JsonWriter writer(text);
  write_json(value, writer);
  return text;
}

void append_label(const std::string& name, const Value& value, LabelPairs& out) {
  if (const auto* list = value.as_kvlist()) {
    for (const otlp::KeyValue& member : *list)
      append_label(name + "_" + label_name(member.key), member.value, out);
    return;
  }
  std::string text = text_of(value);
  if (!text.empty()) out.emplace_back(name, std::move(text));
}

// The first pair of a name wins; what has no name or value is no label.
void sort_labels(LabelPairs& labels) {
  std::erase_if(labels, [](const auto& pair) { return pair.first.empty() || pair.second.empty(); });
  std::vector<size_t> order(labels.size());
  for (size_t i = 0; i < order.size(); ++i) order[i] = i;
  std::sort(order.begin(), order.end(), [&](size_t a, size_t b) {
    const int by_name = labels[a].first.compare(labels[b].first);
    return by_name != 0 ? by_name < 0 : a < b;
  });
  LabelPairs sorted;
  sorted.reserve(labels.size());
  for (const size_t i : order) {
    if (sorted.empty() || sorted.back().first != labels[i].first) {
      sorted.push_back(std::move(labels[i]));
    }
  }
  labels = std::move(sorted);
}

bool equals_folded(std::string_view text, std::string_view lower) {
  return std::equal(text.begin(), text.end(), lower.begin(), lower.end(), [](char a, char b) {
    return (a >= 'A' && a <= 'Z' ? static_cast<char>(a - 'A' + 'a') : a) == b;
  });
}

// Empty when text is no known level.
std::string_view known_level(std::string_view text) {
  struct Spelling {
    std::string_view text, level;
  };
  static constexpr std::array<Spelling, 14> kSpellings = {{{"trace", "trace"},
                                                           {"trc", "trace"},
                                                           {"debug", "debug"},
                                                           {"dbg", "debug"},
                                                           {"info", "info"},
                                                           {"inf", "info"},
                                                           {"information", "info"},
                                                           {"warn", "warn"},
                                                           {"wrn", "warn"},
                                                           {"warning", "warn"},
                                                           {"error", "error"},
                                                           {"err", "error"},
                                                           {"critical", "critical"},
                                                           {"fatal", "fatal"}}};
  for (const Spelling& spelling : kSpellings) {
    if (equals_folded(text, spelling.text)) return spelling.level;
  }
  return {};
}

std::string_view level_of_severity(int32_t number) {
  if (number <= 4) return "trace";
  if (number <= 8) return "debug";
  if (number <= 12) return "info";
  if (number <= 16) return "warn";
  if (number <= 20) return "error";
  if (number <= 24) return "fatal";
  return "unknown";
}

size_t level_name_rank(std::string_view name) {
  return static_cast<size_t>(std::find(kLevelNames.begin(), kLevelNames.end(), name) -
                             kLevelNames.begin());
}

std::string_view trimmed(std::string_view text) {
  constexpr std::string_view kBlanks = " \t\r\n\v\f";
  const size_t first = text.find_first_not_of(kBlanks);
  if (first == std::string_view::npos) return {};
  return text.substr(first, text.find_last_not_of(kBlanks) - first + 1);
}

// The first member with a level's name, two objects deep.
const std::string* level_in_json(const Json& object, int depth) {
  if (depth == 0 || object.as_object() == nullptr) return nullptr;
  for (const auto& [name, value] : *object.as_object()) {
    if (value.as_string() != nullptr && level_name_rank(name) < kLevelNames.size())
      return value.as_string();
    if (const std::string* found = level_in_json(value, depth - 1)) return found;
  }
  return nullptr;
}

// The value of the best ranked level name among key=value pairs; quotes are taken off.
std::string_view level_in_logfmt(std::string_view line) {
  std::string_view best;
  size_t best_rank = kLevelNames.size();
  size_t at = 0;
  while (at < line.size()) {
    const size_t equals = line.find_first_of("= ", at);
    if (equals == std::string_view::npos) break;
    if (line[equals] == ' ') {
      at = equals + 1;
      continue;
    }
    const std::string_view key = line.substr(at, equals - at);
    const bool quoted = equals + 1 < line.size() && line[equals + 1] == '"';
    const size_t begin = equals + (quoted ? 2 : 1);
    size_t end = std::min(line.find(quoted ? '"' : ' ', begin), line.size());
    for (size_t rank = 0; rank < best_rank; ++rank) {
      std::string lower(kLevelNames[rank]);
      for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
      if (equals_folded(key, lower)) {
        best_rank = rank;
        best = line.substr(begin, end - begin);
      }
    }
    at = end + 1;
  }
  return best;
}

// A level in the text stands between blanks, brackets, quotes and the like.
bool bounds_a_level(std::string_view line, size_t at, size_t length) {
  constexpr std::string_view kBefore = " \t\n[({\"'=|";
  constexpr std::string_view kBehind = " \t\n[]({}):,!\"'=|";
  const size_t end = at + length;
  return (at == 0 || kBefore.find(line[at - 1]) != std::string_view::npos) &&
         (end == line.size() || kBehind.find(line[end]) != std::string_view::npos);
}

// The first level in the text, in either case.
std::string_view level_of_words(std::string_view line) {
  struct Word {
    std::string_view word, level;
  };
  static constexpr std::array<Word, 9> kWords = {{{"trace", "trace"},
                                                  {"debug", "debug"},
                                                  {"fatal", "fatal"},
                                                  {"critical", "critical"},
                                                  {"error", "error"},
                                                  {"err", "error"},
                                                  {"warning", "warn"},
                                                  {"warn", "warn"},
                                                  {"info", "info"}}};
  std::string lower(line);
  for (char& c : lower) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c;
  size_t first = lower.size();
  std::string_view best = "unknown";
  for (const Word& word : kWords) {
    size_t at = lower.find(word.word);
    while (at < first && !bounds_a_level(lower, at, word.word.size()))
      at = lower.find(word.word, at + 1);
    if (at >= first) continue;
    first = at;
    best = word.level;
  }
  return best;
}

std::string_view level_of_line(std::string_view line) {
  const std::string_view text = trimmed(line);
  std::string_view level;
  if (text.size() >= 2 && text.front() == '{' && text.back() == '}') {
    const Result<Json> json = parse_json(text);
    const std::string* value = json.ok() ? level_in_json(*json, 2) : nullptr;
    if (value != nullptr) level = known_level(*value);
  } else if (text.find('=') != std::string_view::npos) {
    level = known_level(level_in_logfmt(text));
  }
  return level.empty() ? level_of_words(line) : level;
}

const std::string* find_label(const LabelPairs& labels, std::string_view name) {
  const auto at =
      std::lower_bound(labels.begin(), labels.end(), name,
                       [](const auto& pair, std::string_view key) { return pair.first < key; });
  return at != labels.end() && at->first == name ? &at->second : nullptr;
}

// Grafana colours lines by this: a label or metadata field, the severity number, then the line
// itself.
std::string detected_level(const otlp::Resource& resource, const LabelPairs& metadata,
                           const otlp::LogRecord& record) {
  // Among the usual stream attributes no level is.
  if (const StreamAttributes chosen(resource); chosen.has_hint()) {
    for (const std::string_view name : kLevelNames) {
      const std::string_view text = otlp::find_string(resource.attributes, name);
      if (text.empty() || !chosen.contains(name)) continue;
      const std::string_view level = known_level(text);
      return std::string(level.empty() ? text : level);
    }
  }
  for (const std::string_view name : kLevelNames) {
    if (const std::string* text = find_label(metadata, name)) {
      const std::string_view level = known_level(*text);
      return level.empty() ? *text : std::string(level);
    }
  }
  if (record.severity_number != 0) return std::string(level_of_severity(record.severity_number));
  if (const auto* text = record.body.as_string()) return std::string(level_of_line(*text));
  return std::string(level_of_line(log_line(record)));
}

void append_record_fields(const otlp::LogRecord& record, LabelPairs& out) {
  if (record.time_ns != 0 && record.observed_time_ns != 0) {
    out.emplace_back("observed_timestamp", std::to_string(record.observed_time_ns));
  }
  if (record.severity_number != 0)
    out.emplace_back("severity_number", std::to_string(record.severity_number));
  if (!record.severity_text.empty()) out.emplace_back("severity_text", record.severity_text);
  if (record.dropped_attributes_count != 0) {
    out.emplace_back("dropped_attributes_count", std::to_string(record.dropped_attributes_count));
  }
  if (record.flags != 0) out.emplace_back("flags", std::to_string(record.flags));
  if (!record.trace_id.empty()) out.emplace_back("trace_id", otlp::to_hex(record.trace_id));
  if (!record.span_id.empty()) out.emplace_back("span_id", otlp::to_hex(record.span_id));
}

}  // namespace

LabelPairs stream_labels(const otlp::Resource& resource) {
  LabelPairs labels;
  const StreamAttributes chosen(resource);
  for (const otlp::KeyValue& attribute : resource.attributes) {
    if (chosen.contains(attribute.key))
      append_label(label_name(attribute.key), attribute.value, labels);
  }
  sort_labels(labels);
  if (find_label(labels, "service_name") == nullptr) {
    // A service known by another name is better than none.
    const std::string* other = nullptr;
    for (const std::string_view name :
         {"service", "job", "container_name", "k8s_container_name", "k8s_job_name"}) {
      if (other == nullptr) other = find_label(labels, name);
    }
    labels.emplace_back("service_name", other != nullptr ? *other : "unknown_service");
    sort_labels(labels);
  }
  return labels;
}

LabelPairs structured_metadata(const otlp::Resource& resource, const otlp::Scope& scope,
                               const otlp::LogRecord& record) {
  LabelPairs out;
  // The event's own field goes before an attribute of its name.
  if (!record.event_name.empty()) out.emplace_back("event_name", record.event_name);
  for (const otlp::KeyValue& attribute : record.attributes) {
    append_label(label_name(attribute.key), attribute.value, out);
  }
  append_record_fields(record, out);
  const StreamAttributes chosen(resource);
  for (const otlp::KeyValue& attribute : resource.attributes) {
    if (!chosen.contains(attribute.key) && attribute.key != otlp::kLokiLabelsHint)
      append_label(label_name(attribute.key), attribute.value, out);
  }
  for (const otlp::KeyValue& attribute : scope.attributes) {
    append_label(label_name(attribute.key), attribute.value, out);
  }
  if (!scope.name.empty()) out.emplace_back("scope_name", scope.name);
  if (!scope.version.empty()) out.emplace_back("scope_version", scope.version);
  if (scope.dropped_attributes_count != 0) {
    out.emplace_back("scope_dropped_attributes_count",
                     std::to_string(scope.dropped_attributes_count));
  }
  sort_labels(out);
  if (const std::string* given = find_label(out, "detected_level"); given == nullptr) {
    out.emplace_back("detected_level", detected_level(resource, out, record));
  } else if (const std::string_view level = known_level(*given); !level.empty()) {
    std::find_if(out.begin(), out.end(), [](const auto& pair) {
      return pair.first == "detected_level";
    })->second = std::string(level);
  }
  sort_labels(out);
  return out;
}

std::string log_line(const otlp::LogRecord& record) { return text_of(record.body); }

std::string label_text(const otlp::Value& value) { return text_of(value); }

bool names_level(std::string_view label) { return level_name_rank(label) < kLevelNames.size(); }

}  // namespace contextcore::store
