#include "store/ingest_quota.h"

#include <gtest/gtest.h>

namespace contextcore::store {
namespace {

constexpr int64_t kSecond = 1'000'000'000;

TEST(IngestQuota, TakesWhatWasSavedAndThenTheRate) {
  IngestQuota quota(1000);
  EXPECT_TRUE(quota.take("", 1500, 0).ok());
  EXPECT_TRUE(quota.take("", 1000, 0).ok()) << "a request passes while there is no debt";
  const Status refused = quota.take("", 1, kSecond / 4);
  ASSERT_FALSE(refused.ok());
  EXPECT_EQ(refused.error().code, Code::resource_exhausted);
  EXPECT_EQ(refused.error().to_string(),
            "more than 1000 bytes of telemetry a second were sent (send it again in 0.2 s, or raise "
            "ingest_rate)");
  EXPECT_TRUE(quota.take("", 10, kSecond / 2).ok());
}

TEST(IngestQuota, ARequestLargerThanTheRateIsOnlySlowedDown) {
  IngestQuota quota(10);
  EXPECT_TRUE(quota.take("", 100, 0).ok());
  EXPECT_FALSE(quota.take("", 100, 7 * kSecond).ok());
  EXPECT_TRUE(quota.take("", 100, 8 * kSecond).ok());
}

TEST(IngestQuota, TenantsDoNotPayForEachOther) {
  IngestQuota quota(10);
  EXPECT_TRUE(quota.take("a", 100, 0).ok());
  EXPECT_TRUE(quota.take("b", 100, 0).ok());
  const Status refused = quota.take("a", 1, 0);
  ASSERT_FALSE(refused.ok());
  EXPECT_NE(refused.error().message.find("by tenant \"a\""), std::string::npos);
}

TEST(IngestQuota, AClockThatStepsBackTakesNothingAway) {
  IngestQuota quota(10);
  EXPECT_TRUE(quota.take("", 20, 5 * kSecond).ok());
  EXPECT_TRUE(quota.take("", 1, 0).ok());
  EXPECT_FALSE(quota.take("", 1, 0).ok());
}

TEST(IngestQuota, NoneIsNone) {
  IngestQuota quota(0);
  for (int i = 0; i < 10; ++i) EXPECT_TRUE(quota.take("", UINT64_MAX / 2, 0).ok());
}

}  // namespace
}  // namespace contextcore::store
