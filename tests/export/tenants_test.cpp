// What several tenants have sent: a request is of one of them, and says of which.

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <memory>
#include <set>
#include <string>
#include <utility>
#include <vector>

#include "export/sender.h"
#include "export_kit.h"

namespace contextcore::exporter::test {
namespace {

using ::testing::ElementsAre;
using ::testing::IsEmpty;
using ::testing::UnorderedElementsAre;

// ---- what goes over the wire -----------------------------------------------------------------------

// Answers every request with 200, and keeps what it was sent.
class WireConnection : public Connection {
 public:
  explicit WireConnection(std::vector<std::string>& requests) : requests_(requests) {}
  Result<size_t> read(char* out, size_t n, int64_t) override {
    const size_t size = std::min(n, answer_.size());
    std::copy_n(answer_.begin(), size, out);
    answer_.erase(0, size);
    return size;
  }
  Status write(std::string_view data, int64_t) override {
    if (answer_.empty()) {
      requests_.emplace_back();
      answer_ = "HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n";
    }
    requests_.back() += data;
    return {};
  }

 private:
  std::vector<std::string>& requests_;
  std::string answer_;
};

class WireNetwork : public Network {
 public:
  explicit WireNetwork(std::vector<std::string>& requests) : requests_(requests) {}
  Result<std::unique_ptr<Connection>> connect(const Endpoint&, int64_t) override {
    return std::unique_ptr<Connection>(std::make_unique<WireConnection>(requests_));
  }

 private:
  std::vector<std::string>& requests_;
};

class TenantHeaderTest : public ::testing::Test {
 protected:
  // The header lines with a name like X-Scope-OrgID, and Authorization, of a request of this tenant.
  std::vector<std::string> headers_of(const std::string& tenant) {
    DestinationSettings settings;
    settings.kind = kind_;
    settings.url = *parse_url("http://backend:4318/v1/x");
    settings.headers = headers_;
    settings.timeout_ns = kSecondNs;
    if (sender_ == nullptr)
      sender_ = make_http_sender(std::make_unique<WireNetwork>(requests_),
                                 {settings, "contextcore/1", "store-1", &clock_});
    Item item;
    item.resource = std::make_shared<otlp::Resource>();
    item.scope = std::make_shared<otlp::Scope>();
    item.tenant = tenant;
    if (kind_ == Kind::traces) item.what = otlp::Span();
    if (kind_ == Kind::logs || kind_ == Kind::loki) item.what = otlp::LogRecord();
    EXPECT_EQ(sender_->send(std::span<const Item>(&item, 1)).fate, Fate::accepted);
    std::vector<std::string> found;
    const std::string head = requests_.back().substr(0, requests_.back().find("\r\n\r\n"));
    for (size_t at = head.find("\r\n"); at != std::string::npos;) {
      const size_t end = head.find("\r\n", at + 2);
      std::string line = head.substr(at + 2, end == std::string::npos ? end : end - at - 2);
      std::string name = line.substr(0, line.find(':'));
      for (char& c : name) c = c >= 'A' && c <= 'Z' ? static_cast<char>(c + 32) : c;
      if (name == "x-scope-orgid" || name == "authorization") found.push_back(std::move(line));
      at = end;
    }
    return found;
  }

  Kind kind_ = Kind::traces;
  Headers headers_;
  ManualClock clock_;
  std::vector<std::string> requests_;
  std::unique_ptr<Sender> sender_;
};

TEST_F(TenantHeaderTest, a_request_names_its_tenant) {
  for (const Kind kind : {Kind::traces, Kind::logs, Kind::loki}) {
    kind_ = kind;
    sender_.reset();
    EXPECT_THAT(headers_of("a"), ElementsAre("X-Scope-OrgID: a"));
    EXPECT_THAT(headers_of(""), IsEmpty());
    EXPECT_THAT(headers_of("b"), ElementsAre("X-Scope-OrgID: b"));
  }
}

TEST_F(TenantHeaderTest, what_is_configured_holds_for_the_default_tenant_whatever_its_case) {
  for (const std::string name : {"X-Scope-OrgID", "x-scope-orgid", "X-SCOPE-ORGID"}) {
    headers_ = {{name, "team"}, {"Authorization", "Bearer x"}};
    sender_.reset();
    EXPECT_THAT(headers_of(""), UnorderedElementsAre(name + ": team", "Authorization: Bearer x"));
    EXPECT_THAT(headers_of("a"), UnorderedElementsAre("X-Scope-OrgID: a", "Authorization: Bearer x"));
    EXPECT_THAT(headers_of(""), UnorderedElementsAre(name + ": team", "Authorization: Bearer x")) << "and again";
  }
}

// ---- which requests are made -----------------------------------------------------------------------

otlp::TracesData spans(const std::string& name, int first, int count) {
  otlp::TracesData data;
  otlp::ScopeSpans& out = data.resource_spans.emplace_back().scope_spans.emplace_back();
  for (int i = first; i < first + count; ++i) {
    otlp::Span& span = out.spans.emplace_back();
    span.trace_id.bytes = {1, static_cast<uint8_t>(i), 7};
    span.span_id.bytes = {9, static_cast<uint8_t>(i)};  // each tenant has the same ids
    span.name = name + " " + std::to_string(i);
    span.start_ns = static_cast<uint64_t>(1000 + i);
    span.end_ns = span.start_ns + 5;
  }
  return data;
}

otlp::LogsData lines(const std::string& name, int count) {
  otlp::LogsData data;
  otlp::ScopeLogs& out = data.resource_logs.emplace_back().scope_logs.emplace_back();
  for (int i = 0; i < count; ++i) {
    otlp::LogRecord& record = out.records.emplace_back();
    record.time_ns = static_cast<uint64_t>(1000 + i);
    record.body = name + " " + std::to_string(i);
  }
  return data;
}

// Sent by the default tenant, a and b by turns.
void send_by_turns(Workshop& shop) {
  for (int turn = 0; turn < 3; ++turn) {
    for (const std::string tenant : {"", "b", "a"}) {
      const std::string name = tenant.empty() ? "default" : tenant;
      ASSERT_TRUE(shop.store->ingest(spans(name, turn * 10, 5), {}, tenant).ok());
      ASSERT_TRUE(shop.store->ingest(lines(name + std::to_string(turn), 5), {}, tenant).ok());
    }
  }
}

// By tenant, what was taken of it; and no item's name is another tenant's.
std::map<std::string, size_t> taken(const Outlet& outlet) {
  std::map<std::string, size_t> out;
  for (const Item& item : outlet.sender->taken) {
    ++out[item.tenant];
    const std::string name = ScriptedSender::name_of(item);
    EXPECT_TRUE(name.starts_with(item.tenant.empty() ? "default" : item.tenant)) << name;
  }
  return out;
}

using Taken = std::map<std::string, size_t>;

TEST(TenantDestinationTest, a_batch_makes_a_request_for_each_tenant) {
  for (const Kind kind : {Kind::traces, Kind::loki, Kind::logs}) {
    for (const bool cut : {false, true}) {
      Workshop shop;
      Outlet outlet(shop, kind);
      send_by_turns(shop);
      if (cut) {
        ASSERT_TRUE(shop.store->cut().ok());
      }
      outlet.drain();
      EXPECT_EQ(outlet.sender->sizes, (std::vector<size_t>{15, 15, 15}));
      EXPECT_EQ(outlet.sender->tenants, (std::vector<std::string>{"", "a", "b"}));
      EXPECT_EQ(taken(outlet), (Taken{{"", 15}, {"a", 15}, {"b", 15}}));
      EXPECT_EQ(outlet.destination->status().sent, 45);
    }
  }
}

TEST(TenantDestinationTest, small_batches_and_a_crash_leave_none_out) {
  Workshop shop;
  Outlet outlet(shop, Kind::traces);
  outlet.common.batch_items = 7;
  outlet.open();
  send_by_turns(shop);
  ASSERT_EQ(outlet.destination->step(), 0);
  outlet.open();
  outlet.drain();
  std::set<std::pair<std::string, std::string>> seen;
  for (const Item& item : outlet.sender->taken) seen.emplace(item.tenant, ScriptedSender::name_of(item));
  EXPECT_EQ(seen.size(), 45u);
}

TEST(TenantDestinationTest, halves_and_dead_letters_keep_tenants_apart) {
  for (const bool cut : {false, true}) {
    Workshop shop;
    Outlet outlet(shop, Kind::traces);
    send_by_turns(shop);
    outlet.sender->bad = "a 12";
    outlet.drain();
    EXPECT_EQ(taken(outlet), (Taken{{"", 15}, {"a", 14}, {"b", 15}}));
    const auto dead = outlet.destination->dead_letters();
    ASSERT_TRUE(dead.ok());
    ASSERT_EQ(dead->letters.size(), 1u);
    EXPECT_EQ(dead->letters[0].items.size(), 1u);
    if (cut) {
      ASSERT_TRUE(shop.store->cut().ok());
    }
    outlet.open();
    outlet.sender->bad.clear();
    outlet.sender->tenants.clear();
    ASSERT_TRUE(outlet.destination->retry().ok());
    outlet.drain();
    EXPECT_EQ(outlet.sender->tenants, std::vector<std::string>{"a"});
    EXPECT_EQ(taken(outlet), (Taken{{"", 15}, {"a", 15}, {"b", 15}}));
    EXPECT_EQ(outlet.destination->status().dead_letters, 0);
  }
}

TEST(TenantDestinationTest, a_tenant_that_is_refused_takes_no_other_with_it) {
  Workshop shop;
  Outlet outlet(shop, Kind::logs);
  send_by_turns(shop);
  outlet.sender->bad = "b";
  outlet.drain();
  EXPECT_EQ(taken(outlet), (Taken{{"", 15}, {"a", 15}}));
  EXPECT_EQ(outlet.destination->status().refused, 15);
}

TEST(TenantDestinationTest, a_request_that_fails_is_tried_again_as_the_tenants) {
  Workshop shop;
  Outlet outlet(shop, Kind::traces);
  send_by_turns(shop);
  outlet.sender->script = {{Fate::accepted, 200, 0, {}, {}},
                           {Fate::retry, 503, 0, {}, "HTTP 503"},
                           {Fate::too_large, 413, 0, {}, "too large"}};
  outlet.drain(kDayNs);
  EXPECT_EQ(outlet.sender->tenants, (std::vector<std::string>{"", "a", "a", "a", "a", "b"}));
  EXPECT_EQ(taken(outlet), (Taken{{"", 15}, {"a", 15}, {"b", 15}}));
}

TEST(TenantDestinationTest, partial_success_names_the_items_of_one_tenant) {
  Workshop shop;
  Outlet outlet(shop, Kind::traces);
  send_by_turns(shop);
  outlet.sender->script = {{Fate::accepted, 200, 0, {}, {}}, {Fate::accepted, 200, 2, {}, "two were bad"}};
  outlet.drain();
  const auto dead = outlet.destination->dead_letters();
  ASSERT_EQ(dead->letters.size(), 1u);
  EXPECT_EQ(dead->letters[0].items.size(), 15u);
  EXPECT_EQ(dead->letters[0].refused, 2);
}

TEST(TenantDestinationTest, work_goes_out_as_the_default_tenants) {
  Workshop shop;
  Outlet outlet(shop, Kind::loki);
  shop.run("task.create", R"({"title":"one"})");
  ASSERT_TRUE(shop.store->ingest(lines("a", 2), {}, "a").ok());
  outlet.drain();
  EXPECT_EQ(outlet.sender->tenants, (std::vector<std::string>{"", "a"}));
}

}  // namespace
}  // namespace contextcore::exporter::test
