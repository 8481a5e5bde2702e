#include "cli/otlp_import.h"

#include <algorithm>
#include <set>

#include "cli/progress.h"
#include "otlp/otlp_file.h"

namespace contextcore::cli {
namespace {

// Of one request to the store; a server takes 16 MB at once, so what it finds too large is halved.
constexpr size_t kRecordsMax = 2000;

// The innermost lists, so that all kinds can be cut in one way.
std::vector<otlp::ResourceSpans>& resources_of(otlp::TracesData& data) {
  return data.resource_spans;
}
std::vector<otlp::ResourceLogs>& resources_of(otlp::LogsData& data) { return data.resource_logs; }
std::vector<otlp::ScopeSpans>& scopes_of(otlp::ResourceSpans& resource) {
  return resource.scope_spans;
}
std::vector<otlp::ScopeLogs>& scopes_of(otlp::ResourceLogs& resource) {
  return resource.scope_logs;
}
std::vector<otlp::Span>& records_of(otlp::ScopeSpans& scope) { return scope.spans; }
std::vector<otlp::LogRecord>& records_of(otlp::ScopeLogs& scope) { return scope.records; }

std::vector<otlp::ResourceMetrics>& resources_of(otlp::MetricsData& data) {
  return data.resource_metrics;
}
std::vector<otlp::ScopeMetrics>& scopes_of(otlp::ResourceMetrics& resource) {
  return resource.scope_metrics;
}
std::vector<otlp::Metric>& records_of(otlp::ScopeMetrics& scope) { return scope.metrics; }

size_t count_of(const otlp::TracesData& data) { return data.span_count(); }
size_t count_of(const otlp::LogsData& data) { return data.record_count(); }
size_t count_of(const otlp::MetricsData& data) {
  size_t count = 0;
  for (const auto& resource : data.resource_metrics) {
    for (const auto& scope : resource.scope_metrics) count += scope.metrics.size();
  }
  return count;
}

// Takes the first `count` records out of data, with their resources and scopes.
template <typename Data>
Data take_front(Data& data, size_t count) {
  Data out;
  for (auto& resource : resources_of(data)) {
    if (count == 0) break;
    auto& resource_out = resources_of(out).emplace_back();
    resource_out.resource = resource.resource;
    for (auto& scope : scopes_of(resource)) {
      auto& records = records_of(scope);
      const auto size = static_cast<std::ptrdiff_t>(std::min(count, records.size()));
      auto& scope_out = scopes_of(resource_out).emplace_back();
      scope_out.scope = scope.scope;
      records_of(scope_out).assign(std::make_move_iterator(records.begin()),
                                   std::make_move_iterator(records.begin() + size));
      records.erase(records.begin(), records.begin() + size);
      count -= static_cast<size_t>(size);
    }
    std::erase_if(scopes_of(resource), [](auto& scope) { return records_of(scope).empty(); });
  }
  std::erase_if(resources_of(data), [](auto& resource) { return scopes_of(resource).empty(); });
  return out;
}

class Importer {
 public:
  Importer(Context& context, sdk::Backend& backend) : context_(context), backend_(backend) {}

  Status import(const std::string& path, size_t number, size_t files) {
    const std::string name = path == "-" ? "standard input" : path;
    Result<std::string> bytes = context_.read_input(path);
    if (!bytes.ok()) return std::move(bytes).error();
    Result<std::string> raw = otlp::unpack_otlp_file(std::move(*bytes));
    if (!raw.ok()) return within(name, std::move(raw).error());
    otlp::OtlpFileReader reader(*raw);
    while (true) {
      Result<std::optional<otlp::OtlpFileRequest>> request = reader.next();
      if (!request.ok()) return within(name, std::move(request).error());
      if (!*request) return {};
      Status status = add((*request)->traces, spans_);
      if (status.ok()) status = add((*request)->logs, logs_);
      if (status.ok()) status = add((*request)->metrics, points_);
      if (!status.ok()) return within(name, std::move(status).error());
      const double of_file = static_cast<double>(reader.position()) /
                             static_cast<double>(std::max<size_t>(raw->size(), 1));
      bar_.show(context_, (static_cast<double>(number) + of_file) / static_cast<double>(files),
                counts());
    }
  }

  void report(size_t files) {
    bar_.clear();
    if (context_.flags.json) {
      JsonArray messages;
      for (const std::string& message : messages_) messages.emplace_back(message);
      context_.print(json_line("import", JsonObject{{"files", static_cast<int64_t>(files)},
                                                    {"spans", spans_},
                                                    {"logs", logs_},
                                                    {"points", points_},
                                                    {"rejected", rejected_},
                                                    {"messages", std::move(messages)}}));
      return;
    }
    context_.print("Imported " + counts() +
                   (rejected_ > 0 ? ", " + std::to_string(rejected_) + " rejected" : "") + ".\n");
    for (const std::string& message : messages_) context_.print_error("note: " + message + "\n");
  }
  // What an error leaves behind.
  std::string so_far() {
    bar_.clear();
    return spans_ + logs_ + points_ == 0 ? "nothing was imported"
                                         : counts() + " before it were imported";
  }

 private:
  template <typename Data>
  Status add(Data& data, int64_t& accepted) {
    while (count_of(data) > 0) {
      Data part = take_front(data, kRecordsMax);
      CC_TRY(send(part, accepted));
    }
    return {};
  }

  template <typename Data>
  Status send(Data& data, int64_t& accepted) {
    Result<sdk::Ingested> answer = backend_.ingest(data);
    const size_t count = count_of(data);
    if (!answer.ok() && answer.error().code == Code::resource_exhausted && count > 1) {
      Data first = take_front(data, count / 2);
      CC_TRY(send(first, accepted));
      return send(data, accepted);
    }
    if (!answer.ok()) return std::move(answer).error();
    accepted += answer->accepted;
    rejected_ += answer->rejected;
    if (!answer->message.empty() &&
        std::find(messages_.begin(), messages_.end(), answer->message) == messages_.end() &&
        messages_.size() < kMessagesMax) {
      messages_.push_back(answer->message);
    }
    return {};
  }

  static Error within(const std::string& name, Error error) {
    error.message.insert(0, name + ": ");
    return error;
  }
  // "2 spans, 1 log record and 0 metric points"
  std::string counts() const {
    const auto some = [](int64_t count, const std::string& what) {
      return std::to_string(count) + " " + what + (count == 1 ? "" : "s");
    };
    return some(spans_, "span") + ", " + some(logs_, "log record") + " and " +
           some(points_, "metric point");
  }

  static constexpr size_t kMessagesMax = 20;
  Context& context_;
  sdk::Backend& backend_;
  ProgressBar bar_;
  int64_t spans_ = 0, logs_ = 0, points_ = 0, rejected_ = 0;
  std::vector<std::string> messages_;
};

}  // namespace

int import_otlp(Context& context, const std::vector<std::string>& paths) {
  auto backend = context.backend();
  if (!backend.ok()) return context.fail(backend.error());
  Importer importer(context, **backend);
  for (size_t i = 0; i < paths.size(); ++i) {
    const Status status = importer.import(paths[i], i, paths.size());
    if (status.ok()) continue;
    Error error = status.error();
    const std::string left = importer.so_far();
    error.hint = error.hint.empty() ? left : error.hint + "; " + left;
    return context.fail(error);
  }
  importer.report(paths.size());
  return kDone;
}

}  // namespace contextcore::cli
