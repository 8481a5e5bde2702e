#pragma once
// A store on a simulated disk with a clock that stands still, and a back end that answers by a
// script.

#include <gtest/gtest.h>

#include <deque>
#include <map>
#include <memory>
#include <string>
#include <vector>

#include "base/sim_file_system.h"
#include "base/time.h"
#include "export/destination.h"
#include "store/store.h"
#include "work/execute.h"
#include "work/hooks.h"

namespace contextcore::exporter::test {

class Workshop {
 public:
  Workshop() : disk_(1), files_(disk_.start_process()) { reopen(); }

  void reopen() {
    if (store) (void)store->close();
    store.reset();
    store::StoreOptions options;
    options.path = "/data/store";
    options.hooks = work::hooks();
    options.file_system = files_.get();
    options.clock = &clock;
    options.random = &random;
    auto opened = store::Store::open(std::move(options));
    ASSERT_TRUE(opened.ok()) << opened.error().to_string();
    store = std::move(*opened);
  }
  FileSystem& files() { return *files_; }

  void run(const std::string& op, const std::string& args) {
    work::Command command;
    command.op = op;
    command.project = "p";
    command.args = *parse_json(args);
    command.actor.actor = "alice";
    command.command_id = uuid_v7(1, random);
    std::erase(command.command_id, '-');
    const auto answer = work::execute(*store, command, {});
    ASSERT_TRUE(answer.ok()) << op << " " << args << ": " << answer.error().to_string();
  }
  void wait(int64_t ns) { clock.advance_ns(ns); }

  ManualClock clock;
  SeededRandom random{7};
  std::unique_ptr<store::Store> store;

 private:
  SimDisk disk_;
  std::unique_ptr<FileSystem> files_;
};

// Takes what it is sent, unless the script says otherwise.
class ScriptedSender : public Sender {
 public:
  Outcome send(std::span<const Item> items) override {
    sizes.push_back(items.size());
    tenants.push_back(items.front().tenant);
    for (const Item& item : items) EXPECT_EQ(item.tenant, tenants.back()) << "a request is of one tenant";
    Outcome outcome{Fate::accepted, 200, 0, {}, {}};
    if (!script.empty()) {
      outcome = script.front();
      script.pop_front();
    }
    for (const Item& item : items) {
      if (!bad.empty() && name_of(item).find(bad) != std::string::npos)
        outcome = {Fate::refused, 400, 0, {}, "bad item"};
    }
    if (outcome.fate != Fate::accepted) return outcome;
    for (const Item& item : items) {
      taken.push_back(item);
      ++count[key_of(item)];
    }
    return outcome;
  }
  static std::string name_of(const Item& item) {
    if (const auto* span = std::get_if<otlp::Span>(&item.what)) return span->name;
    if (const auto* series = std::get_if<otlp::RemoteWriteSeries>(&item.what)) {
      std::string name;
      for (const otlp::RemoteWriteLabel& label : series->labels)
        name += label.name + "=" + label.value + ",";
      return name;
    }
    const auto& record = std::get<otlp::LogRecord>(item.what);
    const std::string* body = record.body.as_string();
    return body ? *body : "";
  }
  static std::string key_of(const Item& item) {
    if (const auto* span = std::get_if<otlp::Span>(&item.what)) return otlp::to_hex(span->span_id);
    if (std::holds_alternative<otlp::RemoteWriteSeries>(item.what)) return item.reference.id;
    const auto& record = std::get<otlp::LogRecord>(item.what);
    return std::to_string(record.time_ns) + name_of(item);
  }

  std::deque<Outcome> script;
  std::string bad;  // an item whose name holds this is refused
  std::vector<size_t> sizes;
  std::vector<std::string> tenants;  // of each request
  std::vector<Item> taken;
  std::map<std::string, int> count;
};

// A destination with its sender.
class Outlet {
 public:
  Outlet(Workshop& shop, Kind kind, int64_t settle_ns = 10 * kMinuteNs) : shop_(shop) {
    common.settle_ns = settle_ns;
    common.backoff_min_ns = kSecondNs;
    common.backoff_max_ns = kMinuteNs;
    common.batch_items = 100;
    common.batch_bytes = 1 << 20;
    common.dead_letters_max = 3;
    kind_ = kind;
    common.save_every_ns = 0;
    open();
  }
  // Another process, after kill -9 of the one before; what the back end took stays known.
  void open() {
    auto made = std::make_unique<ScriptedSender>();
    if (sender != nullptr) *made = *sender;
    sender = made.get();
    destination.reset();
    DestinationParts parts;
    parts.settings.kind = kind_;
    parts.settings.url = *parse_url("http://backend:4318/v1/traces");
    if (kind_ == Kind::traces) {
      parts.streams = trace_streams(common.received);
    } else {
      parts.streams = kind_ == Kind::metrics ? metric_streams() : log_streams(common.received);
    }
    parts.sender = std::move(made);
    parts.store = shop_.store.get();
    parts.files = &shop_.files();
    parts.clock = &shop_.clock;
    parts.random = &shop_.random;
    auto opened = Destination::open(common, std::move(parts));
    ASSERT_TRUE(opened.ok()) << opened.error().to_string();
    destination = std::move(*opened);
  }
  // Steps until nothing is left to do now; waits for the next attempt are passed by the clock.
  void drain(int64_t wait_max_ns = 0) {
    for (int i = 0; i < 100'000; ++i) {
      const int64_t wait_ns = destination->step();
      if (wait_ns == 0) continue;
      if (destination->status().state == "idle" || wait_ns > wait_max_ns) return;
      shop_.clock.advance_ns(wait_ns);
    }
    FAIL() << "no end";
  }
  // name → how many spans or records with it were taken.
  std::map<std::string, int> names() const {
    std::map<std::string, int> out;
    for (const Item& item : sender->taken) ++out[ScriptedSender::name_of(item)];
    return out;
  }
  std::vector<const otlp::Span*> spans(std::string_view name) const {
    std::vector<const otlp::Span*> out;
    for (const Item& item : sender->taken) {
      if (const auto* span = std::get_if<otlp::Span>(&item.what); span && span->name == name)
        out.push_back(span);
    }
    return out;
  }

  Settings common;
  std::unique_ptr<Destination> destination;
  ScriptedSender* sender = nullptr;

 private:
  Workshop& shop_;
  Kind kind_ = Kind::traces;
};

}  // namespace contextcore::exporter::test
