#include "otlp/loki_push.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>

#include "base/json.h"
#include "base/utf8.h"
#include "otlp/loki_push_build.h"

namespace contextcore::otlp {

namespace {

constexpr std::string_view kServiceName = "service_name";
constexpr std::string_view kUnknownService = "unknown_service";
// Where Loki finds the service of a stream, the better name first.
constexpr std::array<std::string_view, 13> kServiceLabels = {"service",
                                                             "app",
                                                             "application",
                                                             "app_name",
                                                             "name",
                                                             "app_kubernetes_io_name",
                                                             "container",
                                                             "container_name",
                                                             "k8s_container_name",
                                                             "component",
                                                             "workload",
                                                             "job",
                                                             "k8s_job_name"};

Error bad(std::string message) {
  return Error{Code::invalid_argument, std::move(message), {}, {}, {}};
}

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '_'; }
bool is_digit(char c) { return c >= '0' && c <= '9'; }

bool is_label(std::string_view name) {
  if (name.empty() || !(is_letter(name[0]) || name[0] == ':')) return false;
  return std::all_of(name.begin(), name.end(),
                     [](char c) { return is_letter(c) || is_digit(c) || c == ':'; });
}

// Reads {a="b", c=`d`}.
class LabelReader {
 public:
  explicit LabelReader(std::string_view text) : text_(text) {}

  Result<Attributes> read() {
    Attributes out;
    if (!take('{')) return unexpected("{");
    while (!take('}')) {
      if (!out.empty() && !take(',')) return unexpected(", or }");
      if (!out.empty() && take('}')) break;
      CC_ASSIGN(KeyValue label, this->label());
      out.push_back(std::move(label));
    }
    blanks();
    if (at_ != text_.size()) return unexpected("the end");
    return out;
  }

 private:
  void blanks() {
    while (at_ < text_.size() && (text_[at_] == ' ' || (text_[at_] >= '\t' && text_[at_] <= '\r')))
      ++at_;
  }
  bool take(char c) {
    blanks();
    if (at_ >= text_.size() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  Error unexpected(std::string_view wanted) const {
    return bad(fmt::format("couldn't parse labels: expected {} at byte {} of {}", wanted, at_,
                           text_.substr(0, 200)));
  }
  Result<KeyValue> label() {
    blanks();
    const size_t start = at_;
    while (at_ < text_.size() &&
           (is_letter(text_[at_]) || is_digit(text_[at_]) || text_[at_] == ':'))
      ++at_;
    KeyValue out;
    out.key = text_.substr(start, at_ - start);
    if (!is_label(out.key)) return unexpected("a label's name");
    if (!take('=')) return unexpected("=");
    blanks();
    const char quote = at_ < text_.size() ? text_[at_] : '\0';
    if (quote != '"' && quote != '`') return unexpected("a quoted value");
    ++at_;
    std::string value;
    while (true) {
      if (at_ >= text_.size()) return unexpected("the closing quote");
      const char c = text_[at_++];
      if (c == quote) break;
      if (c != '\\' || quote == '`') {
        value += c;
      } else if (!escape(value)) {
        return unexpected("an escape that is known");
      }
    }
    out.value = std::move(value);
    return out;
  }
  // Behind a backslash.
  bool escape(std::string& out) {
    if (at_ >= text_.size()) return false;
    const char c = text_[at_++];
    constexpr std::string_view kNames = "abfnrtv\\\"'";
    constexpr std::string_view kMeanings = "\a\b\f\n\r\t\v\\\"'";
    if (const size_t known = kNames.find(c); known != std::string_view::npos) {
      out += kMeanings[known];
      return true;
    }
    if (c == 'x') return byte(2, 16, out);
    if (c >= '0' && c <= '7') return --at_, byte(3, 8, out);
    uint32_t point = 0;
    if (c != 'u' && c != 'U') return false;
    if (!number(c == 'u' ? 4 : 8, 16, point)) return false;
    if (point > 0x10FFFF || (point >= 0xD800 && point < 0xE000)) return false;
    append_utf8(point, out);
    return true;
  }
  bool byte(size_t digits, int base, std::string& out) {
    uint32_t value = 0;
    if (!number(digits, base, value) || value > 255) return false;
    out += static_cast<char>(value);
    return true;
  }
  bool number(size_t digits, int base, uint32_t& out) {
    if (text_.size() - at_ < digits) return false;
    const char* end = text_.data() + at_ + digits;
    const auto result = std::from_chars(text_.data() + at_, end, out, base);
    at_ += digits;
    return result.ec == std::errc() && result.ptr == end;
  }
  static void append_utf8(uint32_t point, std::string& out) {
    const auto tail = [&](int shift) {
      out += static_cast<char>(0x80 | ((point >> shift) & 0x3F));
    };
    if (point < 0x80) {
      out += static_cast<char>(point);
    } else if (point < 0x800) {
      out += static_cast<char>(0xC0 | (point >> 6));
      tail(0);
    } else if (point < 0x10000) {
      out += static_cast<char>(0xE0 | (point >> 12));
      tail(6);
      tail(0);
    } else {
      out += static_cast<char>(0xF0 | (point >> 18));
      tail(12);
      tail(6);
      tail(0);
    }
  }

  std::string_view text_;
  size_t at_ = 0;
};

// ---- JSON ----

Result<Attributes> labels_of(const Json* stream) {
  Attributes out;
  if (stream == nullptr || stream->is_null()) return out;
  if (stream->as_object() == nullptr) return bad("stream must be an object of labels");
  for (const auto& [name, value] : *stream->as_object()) {
    if (value.as_string() == nullptr)
      return bad("the value of label " + name + " must be a string");
    if (!is_label(name)) return bad("couldn't parse labels: \"" + name + "\" is no label name");
    out.push_back({name, *value.as_string()});
  }
  return out;
}

Result<LogRecord> record_of(const Json& value, size_t index) {
  const auto wrong = [index](std::string_view what) {
    return bad(fmt::format("values[{}]: {}", index, what));
  };
  const JsonArray* parts = value.as_array();
  if (parts == nullptr || parts->size() < 2)
    return wrong("must be [\"<nanoseconds>\", \"<line>\"]");
  const std::string* time = (*parts)[0].as_string();
  const std::string* line = (*parts)[1].as_string();
  if (time == nullptr) return wrong("the time must be a string of nanoseconds");
  if (line == nullptr) return wrong("the line must be a string");
  LogRecord out;
  int64_t ns = 0;
  const auto [end, error] = std::from_chars(time->data(), time->data() + time->size(), ns);
  if (error != std::errc() || end != time->data() + time->size() || ns < 0)
    return wrong("\"" + time->substr(0, 40) + "\" is no time in nanoseconds");
  out.time_ns = static_cast<uint64_t>(ns);
  out.body = *line;
  if (parts->size() < 3) return out;
  const JsonObject* metadata = (*parts)[2].as_object();
  if (metadata == nullptr) return wrong("structured metadata must be an object");
  for (const auto& [name, text] : *metadata) {
    if (text.as_string() == nullptr)
      return wrong("the value of structured metadata " + name + " must be a string");
    add_loki_metadata(name, *text.as_string(), out);
  }
  return out;
}

Result<int32_t> severity_of(const std::string& text) {
  int32_t number = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), number);
  const bool whole = error == std::errc() && end == text.data() + text.size();
  if (!whole || number < 1 || number > 24 || std::to_string(number) != text)
    return bad("no severity number");
  return number;
}

}  // namespace

Result<Attributes> parse_loki_labels(std::string_view text) { return LabelReader(text).read(); }

void add_loki_metadata(const std::string& name, const std::string& value, LogRecord& out) {
  // Only where the field reads back as the same text.
  if (name == "trace_id" && value.size() == 32 && parse_hex(value, out.trace_id) &&
      to_hex(out.trace_id) == value) {
    return;
  }
  if (name == "span_id" && value.size() == 16 && parse_hex(value, out.span_id) &&
      to_hex(out.span_id) == value) {
    return;
  }
  if (name == "severity_number") {
    const Result<int32_t> severity = severity_of(value);
    if (severity.ok()) {
      out.severity_number = *severity;
      return;
    }
  }
  out.attributes.push_back({name, value});
}

Status add_loki_stream(Attributes labels, std::vector<LogRecord> records,
                       const LokiPushLimits& limits, LogsData& out) {
  std::erase_if(labels, [](const KeyValue& label) { return label.value.as_string()->empty(); });
  if (labels.size() > limits.labels_max) {
    return Error{Code::resource_exhausted,
                 fmt::format("a stream with more than {} labels", limits.labels_max),
                 {},
                 {},
                 {}};
  }
  std::sort(labels.begin(), labels.end(),
            [](const KeyValue& a, const KeyValue& b) { return a.key < b.key; });
  for (size_t i = 1; i < labels.size(); ++i) {
    if (labels[i].key == labels[i - 1].key)
      return bad("stream has duplicate label name: '" + labels[i].key + "'");
  }
  if (find(labels, kServiceName) == nullptr) {
    std::string_view service;
    for (const std::string_view name : kServiceLabels) {
      if (service.empty()) service = find_string(labels, name);
    }
    labels.push_back({std::string(kServiceName), service.empty() ? kUnknownService : service});
  }
  Array names;
  for (const KeyValue& label : labels) names.emplace_back(label.key);
  ResourceLogs& resource_logs = out.resource_logs.emplace_back();
  resource_logs.resource.attributes = std::move(labels);
  resource_logs.resource.attributes.push_back({std::string(kLokiLabelsHint), std::move(names)});
  resource_logs.scope_logs.emplace_back().records = std::move(records);
  return {};
}

Result<LogsData> decode_loki_push_json(std::string_view body, const LokiPushLimits& limits) {
  CC_ASSIGN(const Json json, parse_json(body));
  const Json* streams = json.find("streams");
  LogsData out;
  if (json.as_object() == nullptr) return bad("a push request must be an object");
  if (streams == nullptr || streams->is_null()) return out;
  if (streams->as_array() == nullptr) return bad("streams must be an array");
  for (size_t i = 0; i < streams->as_array()->size(); ++i) {
    const Json& stream = (*streams->as_array())[i];
    const auto within = [i](Error error) {
      error.message = fmt::format("streams[{}]: {}", i, error.message);
      return error;
    };
    if (stream.as_object() == nullptr) return within(bad("must be an object"));
    Result<Attributes> labels = labels_of(stream.find("stream"));
    if (!labels.ok()) return within(std::move(labels).error());
    std::vector<LogRecord> records;
    if (const Json* values = stream.find("values"); values != nullptr && !values->is_null()) {
      if (values->as_array() == nullptr) return within(bad("values must be an array"));
      for (size_t j = 0; j < values->as_array()->size(); ++j) {
        Result<LogRecord> record = record_of((*values->as_array())[j], j);
        if (!record.ok()) return within(std::move(record).error());
        records.push_back(std::move(*record));
      }
    }
    Status added = add_loki_stream(std::move(*labels), std::move(records), limits, out);
    if (!added.ok()) return within(std::move(added).error());
  }
  return out;
}

}  // namespace contextcore::otlp
