#include "export/exporter.h"

#include <fmt/format.h>

#include <algorithm>
#include <atomic>
#include <future>
#include <utility>

#include "base/executor.h"
#include "base/log.h"

namespace contextcore::exporter {
namespace {

bool is_loopback(const std::string& host) {
  return host == "localhost" || host == "::1" || host.starts_with("127.");
}

bool is_own(const Url& url, const std::vector<std::string>& own_addresses) {
  return std::any_of(own_addresses.begin(), own_addresses.end(), [&](const std::string& address) {
    const auto own = parse_endpoint(address, 0);
    if (!own.ok() || own->port != url.port) return false;
    const bool everywhere = own->host == "0.0.0.0" || own->host == "::";
    return own->host == url.host ||
           (is_loopback(url.host) && (everywhere || is_loopback(own->host)));
  });
}

// Encodes, compresses and sends where nothing else wants the processor. Reading the store stays with
// the caller: whoever holds one of its locks must not stand aside.
class AsideSender : public Sender {
 public:
  explicit AsideSender(std::unique_ptr<Sender> sender) : sender_(std::move(sender)) {}
  Outcome send(std::span<const Item> items) override {
    std::promise<Outcome> outcome;
    executor_->post([&] { outcome.set_value(sender_->send(items)); });
    return outcome.get_future().get();
  }

 private:
  std::unique_ptr<Sender> sender_;
  std::unique_ptr<Executor> executor_ = make_thread_executor("export-send", 1, Priority::idle);
};

class ExporterImpl : public Exporter {
 public:
  explicit ExporterImpl(ExporterOptions options) : options_(std::move(options)) {}
  ~ExporterImpl() override { stop(); }

  Status open() {
    for (const DestinationSettings& settings : options_.settings.destinations)
      CC_TRY(add(settings));
    return {};
  }

  Result<std::vector<std::string>> start(const std::vector<std::string>& own_addresses) override {
    std::vector<std::string> notes;
    for (size_t i = 0; i < destinations_.size();) {
      const DestinationSettings& settings = settings_[i];
      if (!is_own(settings.url, own_addresses)) {
        ++i;
        continue;
      }
      const std::string what = settings.origin + " names this server itself";
      if (!settings.origin.starts_with("OTEL_"))
        return Error{Code::invalid_argument, what, "export to another back end", {}, {}};
      notes.push_back(what + ": no " + std::string(kind_name(settings.kind)) +
                      " are exported there");
      if (options_.backlog) options_.backlog->forget(destinations_[i]->name());
      destinations_.erase(destinations_.begin() + static_cast<std::ptrdiff_t>(i));
      settings_.erase(settings_.begin() + static_cast<std::ptrdiff_t>(i));
    }
    if (destinations_.empty()) return notes;
    executor_ = make_thread_executor("export", static_cast<unsigned>(destinations_.size()),
                                     Priority::giving_way);
    wakes_ = std::vector<std::atomic<uint64_t>>(destinations_.size());
    for (size_t i = 0; i < destinations_.size(); ++i) {
      log_info("exporting", {{"destination", destinations_[i]->name()},
                             {"address", settings_[i].url.to_string()},
                             {"from", settings_[i].origin}});
      wake(i);
    }
    return notes;
  }

  void stop() override {
    if (!executor_) return;
    cancelled_ = true;
    executor_->stop();
    executor_.reset();
    for (const auto& destination : destinations_) destination->finish();
  }

  Result<Json> status(bool letters) const override {
    JsonArray out;
    for (const auto& destination : destinations_) {
      Json json = status_json(destination->status());
      if (letters) {
        CC_ASSIGN(const DeadLetters dead, destination->dead_letters());
        JsonArray array;
        for (const DeadLetter& letter : dead.letters) array.push_back(letter_json(letter));
        std::get<JsonObject>(json.data).emplace_back("letters", std::move(array));
      }
      out.push_back(std::move(json));
    }
    return Json(
        JsonObject{{"schema", int64_t{1}}, {"running", true}, {"destinations", std::move(out)}});
  }

  Result<Json> retry(std::string_view destination) override {
    int64_t letters = 0;
    JsonArray names;
    for (size_t i = 0; i < destinations_.size(); ++i) {
      const Destination& one = *destinations_[i];
      if (!destination.empty() && destination != one.name() && destination != kind_name(one.kind()))
        continue;
      CC_ASSIGN(const int64_t count, destinations_[i]->retry());
      letters += count;
      names.push_back(one.name());
      if (executor_) wake(i);
    }
    if (names.empty() && !destination.empty()) {
      return Error{Code::not_found,
                   "no destination " + std::string(destination),
                   "contextcore export status lists them",
                   {},
                   {}};
    }
    return Json(JsonObject{
        {"schema", int64_t{1}}, {"letters", letters}, {"destinations", std::move(names)}});
  }

  void append_metrics(std::string& out) const override;

 private:
  Status add(const DestinationSettings& settings) {
    DestinationParts parts;
    parts.settings = settings;
    parts.store = options_.store;
    parts.files = options_.files;
    parts.clock = options_.clock;
    parts.random = options_.random;
    parts.backlog = options_.backlog.get();
    parts.streams = streams_of(settings.kind);
    CC_ASSIGN(auto sender, sender_of(settings));
    parts.sender = std::make_unique<AsideSender>(std::move(sender));
    CC_ASSIGN(auto destination, Destination::open(options_.settings, std::move(parts)));
    destinations_.push_back(std::move(destination));
    settings_.push_back(settings);
    return {};
  }

  std::vector<std::unique_ptr<Stream>> streams_of(Kind kind) const {
    if (kind == Kind::traces) return trace_streams(options_.settings.received);
    return kind == Kind::metrics ? metric_streams() : log_streams(options_.settings.received);
  }

  Result<std::unique_ptr<Sender>> sender_of(const DestinationSettings& settings) {
    CC_ASSIGN(auto network, network_of(settings));
    SenderOptions options{settings, "contextcore/" + options_.version, options_.store->store_id(),
                          options_.clock};
    if (!settings.grpc) return make_http_sender(std::move(network), std::move(options));
    if (!options_.grpc) {
      return Error{Code::unsupported,
                   "OTLP over gRPC is not built in here",
                   "set export.protocol to http/protobuf",
                   {},
                   {}};
    }
    return options_.grpc(std::move(network), std::move(options));
  }

  Result<std::unique_ptr<Network>> network_of(const DestinationSettings& settings) {
    auto plain = make_cancellable_network(*options_.network, cancelled_);
    if (!settings.url.tls) return plain;
    if (!options_.tls) {
      return Error{Code::unsupported, "https is not built in here", {}, {}, {}};
    }
    return options_.tls(std::move(plain), settings.tls, settings.grpc ? "h2" : "");
  }

  // A step of its own accord follows its predecessor; a wake begins a new row of them.
  void wake(size_t i) {
    const uint64_t row = ++wakes_[i];
    executor_->post([this, i, row] { run(i, row); });
  }
  void run(size_t i, uint64_t row) {
    if (cancelled_ || wakes_[i] != row) return;
    const int64_t wait_ns = destinations_[i]->step();
    if (cancelled_) return;
    executor_->post_after(wait_ns, [this, i, row] { run(i, row); });
  }

  ExporterOptions options_;
  std::atomic<bool> cancelled_{false};
  std::vector<DestinationSettings> settings_;
  std::vector<std::unique_ptr<Destination>> destinations_;
  std::vector<std::atomic<uint64_t>> wakes_;
  std::unique_ptr<Executor> executor_;
};

void ExporterImpl::append_metrics(std::string& out) const {
  struct Row {
    const char* name;
    const char* type;
    const char* help;
    double (*value)(const DestinationStatus&);
  };
  static constexpr Row kRows[] = {
      {"sent_total", "counter", "Spans and log records acknowledged.",
       [](const DestinationStatus& s) { return static_cast<double>(s.sent); }},
      {"requests_total", "counter", "Requests made.",
       [](const DestinationStatus& s) { return static_cast<double>(s.requests); }},
      {"failed_requests_total", "counter", "Requests that will be tried again.",
       [](const DestinationStatus& s) { return static_cast<double>(s.failed); }},
      {"retried_total", "counter", "Spans and log records sent again after a failure.",
       [](const DestinationStatus& s) { return static_cast<double>(s.retried); }},
      {"refused_total", "counter", "Spans and log records that were refused for good.",
       [](const DestinationStatus& s) { return static_cast<double>(s.refused); }},
      {"dead_letters", "gauge", "Dead letters that can be tried again.",
       [](const DestinationStatus& s) { return static_cast<double>(s.dead_letters); }},
      {"lag_transactions", "gauge", "Transactions that have not been sent.",
       [](const DestinationStatus& s) { return static_cast<double>(s.lag_transactions); }},
      {"lag_seconds", "gauge", "Age of the oldest that has not been sent.",
       [](const DestinationStatus& s) { return s.lag_seconds; }},
      {"overdue", "gauge", "1 while it is further behind than export.max_lag: retention does not wait for it.",
       [](const DestinationStatus& s) { return s.overdue ? 1.0 : 0.0; }},
      {"overdue_total", "counter", "How often it came to be that far behind.",
       [](const DestinationStatus& s) { return static_cast<double>(s.overdue_count); }},
  };
  if (destinations_.empty()) return;
  std::vector<DestinationStatus> all;
  for (const auto& destination : destinations_) all.push_back(destination->status());
  for (const Row& row : kRows) {
    out += fmt::format("# HELP contextcore_export_{0} {2}\n# TYPE contextcore_export_{0} {1}\n",
                       row.name, row.type, row.help);
    for (const DestinationStatus& status : all) {
      out += fmt::format("contextcore_export_{}{{destination=\"{}\"}} {}\n", row.name, status.name,
                         row.value(status));
    }
  }
}

}  // namespace

Result<std::unique_ptr<Exporter>> Exporter::make(ExporterOptions options) {
  auto made = std::make_unique<ExporterImpl>(std::move(options));
  CC_TRY(made->open());
  return std::unique_ptr<Exporter>(std::move(made));
}

}  // namespace contextcore::exporter
