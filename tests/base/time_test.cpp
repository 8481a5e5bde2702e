#include "base/time.h"

#include <gtest/gtest.h>

#include <cstdlib>
#include <ctime>
#include <limits>

#include "base/random.h"

namespace contextcore {
namespace {

constexpr int64_t kMax = std::numeric_limits<int64_t>::max();
constexpr int64_t kMin = std::numeric_limits<int64_t>::min();
// 2026-11-22T15:24:29.123456789Z
constexpr int64_t kNow = 1'795'361'069'123'456'789;

// Sets the local time zone for one test.
class LocalZone {
 public:
  explicit LocalZone(const char* zone) {
    const char* old = std::getenv("TZ");
    if (old != nullptr) old_ = old;
    had_ = old != nullptr;
    setenv("TZ", zone, 1);
    tzset();
  }
  ~LocalZone() {
    had_ ? setenv("TZ", old_.c_str(), 1) : unsetenv("TZ");
    tzset();
  }

 private:
  std::string old_;
  bool had_ = false;
};

// One hour ahead of UTC in winter, two in summer; written out, so that no zone database is needed.
constexpr const char* kBerlin = "CET-1CEST,M3.5.0,M10.5.0/3";

int64_t utc(std::string_view text) {
  const Result<int64_t> ns = parse_rfc3339(text);
  EXPECT_TRUE(ns.ok()) << text;
  return ns.ok() ? *ns : 0;
}

TEST(Rfc3339, Formats) {
  const std::pair<int64_t, const char*> cases[] = {
      {0, "1970-01-01T00:00:00Z"},
      {kNow, "2026-11-22T15:24:29.123456789Z"},
      {1'500'000'000, "1970-01-01T00:00:01.5Z"},
      {-1, "1969-12-31T23:59:59.999999999Z"},
      {-1'000'000'000, "1969-12-31T23:59:59Z"},
      {951'782'400'000'000'000, "2000-02-29T00:00:00Z"},
      {kMax, "2262-04-11T23:47:16.854775807Z"},
      {kMin, "1677-09-21T00:12:43.145224192Z"},
  };
  for (const auto& [ns, text] : cases) {
    EXPECT_EQ(format_rfc3339(ns), text);
    const Result<int64_t> back = parse_rfc3339(text);
    ASSERT_TRUE(back.ok()) << text;
    EXPECT_EQ(*back, ns);
  }
}

TEST(Rfc3339, ReadsOffsetsFractionsAndDates) {
  const std::pair<const char*, int64_t> cases[] = {
      {"2026-11-22T15:24:29Z", 1'795'361'069'000'000'000},
      {"2026-11-22t15:24:29z", 1'795'361'069'000'000'000},
      {"2026-11-22 16:24:29+01:00", 1'795'361'069'000'000'000},
      {"2026-11-22T00:54:29-14:30", 1'795'361'069'000'000'000},
      {"2026-11-22T15:24:29.1234567891234Z", kNow},
      {"2026-11-22T15:24:29.5Z", 1'795'361'069'500'000'000},
      {"2026-11-22", 1'795'305'600'000'000'000},
      {"2016-12-31T23:59:60Z", 1'483'228'800'000'000'000},  // a leap second
      {"1969-12-31T23:59:59.25Z", -750'000'000},
  };
  for (const auto& [text, ns] : cases) EXPECT_EQ(utc(text), ns) << text;
}

TEST(Rfc3339, RefusesTheRest) {
  for (const char* text : {"",
                           "2026",
                           "2026-11",
                           "2026-13-01",
                           "2026-00-01",
                           "2026-11-31",
                           "2026-02-29",
                           "2100-02-29",
                           "2026-11-22T",
                           "2026-11-22T15:24",
                           "2026-11-22T15:24Z",
                           "2026-11-22T15:24:29",
                           "2026-11-22T24:00:00Z",
                           "2026-11-22T15:60:00Z",
                           "2026-11-22T15:24:61Z",
                           "2026-11-22T15:24:29.Z",
                           "2026-11-22T15:24:29+0100",
                           "2026-11-22T15:24:29+24:00",
                           "2026-11-22T15:24:29+01:60",
                           "2026-11-22T15:24:29Zx",
                           " 2026-11-22",
                           "26-11-22",
                           "+2026-11-22",
                           "2026-11-22T15:24:29,Z"}) {
    const Result<int64_t> result = parse_rfc3339(text);
    ASSERT_FALSE(result.ok()) << text;
    EXPECT_EQ(result.error().code, Code::invalid_argument);
    EXPECT_FALSE(result.error().hint.empty());
  }
  for (const char* text : {"0001-01-01T00:00:00Z", "9999-12-31T23:59:59Z",
                           "2262-04-11T23:47:16.854775808Z", "1677-09-21T00:12:43.145224191Z"}) {
    const Result<int64_t> result = parse_rfc3339(text);
    ASSERT_FALSE(result.ok()) << text;
    EXPECT_NE(result.error().message.find("out of range"), std::string::npos);
  }
}

TEST(Rfc3339, RandomTimesSurvive) {
  SeededRandom random(2);
  for (int i = 0; i < 20'000; ++i) {
    const auto ns = static_cast<int64_t>(random.next_u64());
    ASSERT_EQ(utc(format_rfc3339(ns)), ns);
  }
}

TEST(LocalTime, FormatsMinutes) {
  const LocalZone zone(kBerlin);
  EXPECT_EQ(format_local_minute(kNow), "2026-11-22 16:24");
  EXPECT_EQ(format_local_minute(utc("2026-07-01T22:30:59Z")), "2026-07-02 00:30");
  EXPECT_EQ(format_local_minute(-1), "1970-01-01 00:59");
  EXPECT_EQ(format_local_minute(kMin).substr(0, 4), "1677");
}

TEST(ParseTime, WhatPeopleWrite) {
  const LocalZone zone(kBerlin);
  const std::pair<const char*, const char*> cases[] = {
      {"2026-11-22T15:24:29.5Z", "2026-11-22T15:24:29.5Z"},
      {"2026-11-22T15:24:29+02:00", "2026-11-22T13:24:29Z"},
      {"2026-11-22 15:24", "2026-11-22T14:24:00Z"},
      {"2026-07-22 15:24", "2026-07-22T13:24:00Z"},
      {"2026-11-22 15:24:05", "2026-11-22T14:24:05Z"},
      {"2026-11-22", "2026-11-21T23:00:00Z"},
      {"now", "2026-11-22T15:24:29.123456789Z"},
      {" NOW ", "2026-11-22T15:24:29.123456789Z"},
      {"today", "2026-11-21T23:00:00Z"},
      {"Yesterday", "2026-11-20T23:00:00Z"},
      {"yesterday 14:00", "2026-11-21T13:00:00Z"},
      {"tomorrow 09:30", "2026-11-23T08:30:00Z"},
      {"2d ago", "2026-11-20T15:24:29.123456789Z"},
      {"3h30m ago", "2026-11-22T11:54:29.123456789Z"},
      {"3 hours 30 minutes ago", "2026-11-22T11:54:29.123456789Z"},
      {"1 week ago", "2026-11-15T15:24:29.123456789Z"},
      {"in 2h", "2026-11-22T17:24:29.123456789Z"},
      {"in 1 day", "2026-11-23T15:24:29.123456789Z"},
      {"1700000000", "2023-11-14T22:13:20Z"},
      {"1700000000123", "2023-11-14T22:13:20.123Z"},
      {"1700000000123456789", "2023-11-14T22:13:20.123456789Z"},
  };
  for (const auto& [text, expected] : cases) {
    const Result<int64_t> result = parse_time(text, kNow);
    ASSERT_TRUE(result.ok()) << text << ": " << result.error().message;
    EXPECT_EQ(format_rfc3339(*result), expected) << text;
  }
}

TEST(ParseTime, DaysAreCalendarDaysWhenTheClocksChange) {
  const LocalZone zone(kBerlin);
  // 2026-10-25 has 25 hours in Berlin.
  const int64_t now = utc("2026-10-25T20:00:00Z");
  EXPECT_EQ(format_rfc3339(*parse_time("today", now)), "2026-10-24T22:00:00Z");
  EXPECT_EQ(format_rfc3339(*parse_time("tomorrow", now)), "2026-10-25T23:00:00Z");
  // The first of a month and of a year.
  EXPECT_EQ(format_rfc3339(*parse_time("yesterday", utc("2026-01-01T12:00:00Z"))),
            "2025-12-30T23:00:00Z");
}

TEST(ParseTime, RefusesTheRest) {
  for (const char* text : {"",
                           "   ",
                           "soon",
                           "12",
                           "170000000",
                           "17000000000",
                           "-1700000000",
                           "1700000000.5",
                           "2d",
                           "ago",
                           " ago",
                           "d ago",
                           "2 ago",
                           "2x ago",
                           "-2d ago",
                           "2d  agon",
                           "in",
                           "in ",
                           "in 2h ago",
                           "yesterday14:00",
                           "yesterday 25:00",
                           "yesterday 14",
                           "today x",
                           "2026-11-22 15",
                           "2026-11-22 15:24:",
                           "2026-11-31",
                           "22.11.2026",
                           "11/22/2026"}) {
    const Result<int64_t> result = parse_time(text, kNow);
    ASSERT_FALSE(result.ok()) << text << " is " << format_rfc3339(*result);
    EXPECT_EQ(result.error().code, Code::invalid_argument);
    EXPECT_NE(result.error().message.find(text), std::string::npos);
  }
  for (const char* text :
       {"9999999999", "9999999999999", "9999999999999999999", "9999-01-01", "1500-01-01 10:00",
        "299 years ago", "300y ago", "in 300y", "99999999999999999999y ago"}) {
    EXPECT_FALSE(parse_time(text, text[0] == 'i' ? kMax - 5 : kMin + 5).ok()) << text;
  }
}

TEST(PrometheusDuration, Reads) {
  const std::pair<const char*, int64_t> cases[] = {
      {"0", 0},
      {"0s", 0},
      {"5ms", 5 * kMillisecondNs},
      {"1h30m", 90 * kMinuteNs},
      {"1y2w3d4h5m6s7ms", 365 * kDayNs + 14 * kDayNs + 3 * kDayNs + 4 * kHourNs + 5 * kMinuteNs +
                              6 * kSecondNs + 7 * kMillisecondNs},
      {"292y", 292 * 365 * kDayNs},
  };
  for (const auto& [text, ns] : cases) {
    const Result<int64_t> result = parse_prometheus_duration(text);
    ASSERT_TRUE(result.ok()) << text << ": " << result.error().message;
    EXPECT_EQ(*result, ns) << text;
  }
  for (const char* text : {"", "1", "00", "s", "-1s", "1.5h", "1m1h", "1s1s", "1h 30m", " 1s",
                           "1us", "1H", "1ms1s", "293y", "99999999999999999999s", "9223372037s"}) {
    const Result<int64_t> result = parse_prometheus_duration(text);
    ASSERT_FALSE(result.ok()) << text;
    EXPECT_EQ(result.error().code, Code::invalid_argument);
  }
}

TEST(GoDuration, Reads) {
  const std::pair<const char*, int64_t> cases[] = {
      {"0", 0},
      {"-0", 0},
      {"+0", 0},
      {"5s", 5 * kSecondNs},
      {"-5s", -5 * kSecondNs},
      {"+1.5h", 90 * kMinuteNs},
      {"300ms", 300 * kMillisecondNs},
      {"-2h45m", -165 * kMinuteNs},
      {"100us", 100 * kMicrosecondNs},
      {"100\xc2\xb5s", 100 * kMicrosecondNs},
      {"100\xce\xbcs", 100 * kMicrosecondNs},
      {"10ns", 10},
      {"1.9ns", 1},
      {".5s", 500 * kMillisecondNs},
      {"5.s", 5 * kSecondNs},
      {"3s1h", kHourNs + 3 * kSecondNs},  // any order
      {"0.3333333333333333333h", 20 * kMinuteNs},
      {"0.100000000000000000000h", 6 * kMinuteNs},
      {"0.9223372036854775807h", 3'320'413'933'267},
      {"39h9m14.425s", 39 * kHourNs + 9 * kMinuteNs + 14'425 * kMillisecondNs},
      {"9223372036854775807ns", kMax},
      {"-9223372036854775808ns", kMin},
      {"9223372036.854775807s", kMax},
      {"-9223372036.854775808s", kMin},
  };
  for (const auto& [text, ns] : cases) {
    const Result<int64_t> result = parse_go_duration(text);
    ASSERT_TRUE(result.ok()) << text << ": " << result.error().message;
    EXPECT_EQ(*result, ns) << text;
  }
  for (const char* text : {"",
                           "-",
                           "+",
                           "3",
                           "s",
                           ".s",
                           "-.s",
                           "1.2",
                           "+-1s",
                           "1 s",
                           "1d",
                           "1w",
                           "1S",
                           "00",
                           "9223372036854775808ns",
                           "-9223372036854775809ns",
                           "9223372036854775808us",
                           "99999999999999999999h",
                           "3000000h",
                           "9223372036854775.808us",
                           "9223372036854ms775us808ns"}) {
    const Result<int64_t> result = parse_go_duration(text);
    ASSERT_FALSE(result.ok()) << text << " is " << *result;
    EXPECT_EQ(result.error().code, Code::invalid_argument);
  }
}

TEST(GoDuration, Formats) {
  const std::pair<int64_t, const char*> cases[] = {
      {0, "0s"},
      {1, "1ns"},
      {1100, "1.1\xc2\xb5s"},
      {2'200'000, "2.2ms"},
      {100 * kMillisecondNs, "100ms"},
      {1500 * kMillisecondNs, "1.5s"},
      {3'300'000'001, "3.300000001s"},
      {4 * kMinuteNs + 5 * kSecondNs, "4m5s"},
      {kMinuteNs, "1m0s"},
      {90 * kMinuteNs, "1h30m0s"},
      {5 * kHourNs + 6 * kMinuteNs + 7'001 * kMillisecondNs, "5h6m7.001s"},
      {-90 * kMinuteNs, "-1h30m0s"},
      {kMax, "2562047h47m16.854775807s"},
      {kMin, "-2562047h47m16.854775808s"},
  };
  for (const auto& [ns, text] : cases) {
    EXPECT_EQ(format_go_duration(ns), text);
    EXPECT_EQ(*parse_go_duration(text), ns);
  }
}

TEST(GoDuration, RandomDurationsSurvive) {
  SeededRandom random(9);
  for (int i = 0; i < 20'000; ++i) {
    const auto ns = static_cast<int64_t>(random.next_u64()) >> random.below(64);
    const Result<int64_t> back = parse_go_duration(format_go_duration(ns));
    ASSERT_TRUE(back.ok()) << ns;
    // Fractions of seconds have at most 9 digits, so nothing is lost.
    ASSERT_EQ(*back, ns);
  }
}

TEST(ShortDuration, Formats) {
  const std::pair<int64_t, const char*> cases[] = {
      {0, "0s"},
      {999, "999ns"},
      {1'500, "1\xc2\xb5s"},
      {85 * kMillisecondNs, "85ms"},
      {4'250 * kMillisecondNs, "4.2s"},
      {4 * kSecondNs, "4s"},
      {59'999 * kMillisecondNs, "59.9s"},
      {12 * kMinuteNs, "12m"},
      {12 * kMinuteNs + 30 * kSecondNs, "12m 30s"},
      {3 * kHourNs + 59 * kSecondNs, "3h"},
      {3 * kDayNs + 4 * kHourNs + 30 * kMinuteNs, "3d 4h"},
      {400 * kDayNs, "400d"},
      {-90 * kMinuteNs, "-1h 30m"},
      {kMax, "106751d 23h"},
      {kMin, "-106751d 23h"},
  };
  for (const auto& [ns, text] : cases) EXPECT_EQ(format_duration_short(ns), text) << ns;
}

TEST(Times, RandomTextNeverCrashes) {
  static constexpr char kAlphabet[] = "0123456789 -+:.TZyagoinwdhmsu";
  SeededRandom random(12);
  for (int i = 0; i < 50'000; ++i) {
    std::string text;
    for (uint64_t n = random.below(24); n > 0; --n) {
      text += kAlphabet[random.below(sizeof kAlphabet - 1)];
    }
    const auto now = static_cast<int64_t>(random.next_u64());
    if (const Result<int64_t> ns = parse_rfc3339(text); ns.ok()) {
      EXPECT_EQ(utc(format_rfc3339(*ns)), *ns);
    }
    if (const Result<int64_t> ns = parse_go_duration(text); ns.ok()) {
      EXPECT_EQ(*parse_go_duration(format_go_duration(*ns)), *ns);
    }
    if (const Result<int64_t> ns = parse_prometheus_duration(text); ns.ok()) {
      EXPECT_GE(*ns, 0);
    }
    if (const Result<int64_t> ns = parse_time(text, now); !ns.ok()) {
      EXPECT_FALSE(ns.error().message.empty());
    }
  }
}

}  // namespace
}  // namespace contextcore
