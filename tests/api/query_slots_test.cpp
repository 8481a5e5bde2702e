#include "api/query_slots.h"

#include <gtest/gtest.h>

#include <functional>
#include <string>
#include <utility>
#include <vector>

#include "service_kit.h"

namespace contextcore::api {
namespace {

TEST(QuerySlotsTest, a_tenant_has_so_many_and_no_other_waits_for_it) {
  QuerySlots slots(2, {});
  std::vector<QuerySlots::Slot> held;
  for (const char* tenant : {"a", "a", "b", "", ""}) {
    held.push_back(slots.take(tenant));
    EXPECT_TRUE(held.back().held()) << tenant;
  }
  EXPECT_FALSE(slots.take("a").held());
  EXPECT_FALSE(slots.take("").held());
  EXPECT_TRUE(slots.take("b").held());
}

TEST(QuerySlotsTest, a_slot_is_given_back_once_however_it_moved) {
  QuerySlots slots(1, {});
  {
    QuerySlots::Slot first = slots.take("a");
    const QuerySlots::Slot second = std::move(first);
    EXPECT_TRUE(second.held());
    EXPECT_FALSE(slots.take("a").held());
  }
  const QuerySlots::Slot again = slots.take("a");
  EXPECT_TRUE(again.held());
  EXPECT_FALSE(slots.take("a").held()) << "one, not two";
}

TEST(QuerySlotsTest, who_got_none_gives_none_back) {
  QuerySlots slots(1, {});
  const QuerySlots::Slot held = slots.take("a");
  for (int i = 0; i < 3; ++i) EXPECT_FALSE(slots.take("a").held());
}

TEST(QuerySlotsTest, a_number_of_its_own_counts_instead) {
  QuerySlots slots(1, {{"large", 3}, {"any", 0}});
  std::vector<QuerySlots::Slot> held;
  for (int i = 0; i < 3; ++i) EXPECT_TRUE(held.emplace_back(slots.take("large")).held());
  EXPECT_FALSE(slots.take("large").held());
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(held.emplace_back(slots.take("any")).held());
  EXPECT_TRUE(held.emplace_back(slots.take("other")).held());
  EXPECT_FALSE(slots.take("other").held());
}

TEST(QuerySlotsTest, without_a_number_there_is_no_limit) {
  QuerySlots slots(0, {{"small", 1}});
  std::vector<QuerySlots::Slot> held;
  for (int i = 0; i < 100; ++i) EXPECT_TRUE(held.emplace_back(slots.take("a")).held());
  EXPECT_TRUE(held.emplace_back(slots.take("small")).held());
  EXPECT_FALSE(slots.take("small").held());
}

// Something happens while a query runs: it looks at the clock when it begins.
class BusyClock : public ManualClock {
 public:
  int64_t monotonic_ns() override {
    if (meanwhile && --looks == 0) std::exchange(meanwhile, nullptr)();
    return ManualClock::monotonic_ns();
  }
  int looks = 0;
  std::function<void()> meanwhile;
};

class QuerySlotsServiceTest : public ServiceTest {
 protected:
  void SetUp() override {
    ServiceTest::SetUp();
    ServiceOptions options;
    options.store = store_.get();
    options.work.store_id = store_->store_id();
    options.clock = &busy_;
    options.random = &random_;
    options.tenant_query_slots = 1;
    options.query_slots_of = {{"b", 2}};
    service_ = Service::make(std::move(options));
  }
  static Pairs as(const std::string& tenants) { return {{"x-scope-orgid", tenants}}; }
  // What a second request is answered while a query of the first tenants runs.
  Response beside(const std::string& tenants, const std::function<Response()>& second) {
    Response answer;
    answer.status = 0;
    busy_.looks = 2;  // the first look is before a slot is taken
    busy_.meanwhile = [&] { answer = second(); };
    EXPECT_EQ(get(kQuery, as(tenants)).status, 200);
    EXPECT_NE(answer.status, 0) << "nobody has asked";
    return answer;
  }
  int status_beside(const std::string& tenants, const std::string& second) {
    return beside(tenants, [&] { return get(kQuery, as(second)); }).status;
  }
  static constexpr const char* kQuery = "/loki/api/v1/query_range?query=%7Bapp%3D%22x%22%7D";
  BusyClock busy_;
};

TEST_F(QuerySlotsServiceTest, a_query_beyond_the_slots_of_its_tenant_is_refused_at_once) {
  const Response refused = beside("a", [&] { return get("/api/search?q=%7B%7D", as("a")); });
  EXPECT_EQ(refused.status, 429);
  EXPECT_EQ(refused.body, "too many outstanding requests\n");
  EXPECT_EQ(get(kQuery, as("a")).status, 200) << "the slot came back";
  EXPECT_EQ(status_beside("", ""), 429) << "the default tenant is one, too";
}

TEST_F(QuerySlotsServiceTest, others_are_answered_beside_it) {
  EXPECT_EQ(status_beside("a", "c"), 200);
  EXPECT_EQ(status_beside("a", ""), 200);
  EXPECT_EQ(status_beside("", "a"), 200);
  EXPECT_EQ(status_beside("b", "b"), 200) << "it has two";
}

TEST_F(QuerySlotsServiceTest, those_of_several_tenants_are_one_however_they_are_written) {
  EXPECT_EQ(status_beside("a|c", "c|a"), 429);
  EXPECT_EQ(status_beside("a|c", "a|a|c"), 429);
  EXPECT_EQ(status_beside("a", "a|a"), 429);
  EXPECT_EQ(status_beside("a|c", "a"), 200);
}

TEST_F(QuerySlotsServiceTest, a_name_that_is_none_is_named_instead) {
  EXPECT_EQ(status_beside("a", "a|"), 400);
  EXPECT_EQ(status_beside("a", "a b"), 400);
}

TEST_F(QuerySlotsServiceTest, what_is_no_query_needs_no_slot) {
  const Pairs json = {{"content-type", "application/json"}, {"x-scope-orgid", "a"}};
  EXPECT_EQ(beside("a", [&] { return send("POST", "/v1/traces", "{}", json); }).status, 200);
  EXPECT_EQ(beside("", [&] { return get("/tracker/v1/tasks"); }).status, 200);
  EXPECT_EQ(beside("", [&] { return get("/metrics"); }).status, 200);
}

}  // namespace
}  // namespace contextcore::api
