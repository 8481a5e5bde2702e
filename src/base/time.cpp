#include "base/time.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <cctype>
#include <ctime>
#include <limits>
#include <optional>

#include "base/text.h"

namespace contextcore {
namespace {

constexpr int64_t kMinNs = std::numeric_limits<int64_t>::min();

constexpr int64_t floor_div(int64_t a, int64_t b) { return a / b - (a % b < 0 ? 1 : 0); }

std::optional<int64_t> checked_add(int64_t a, int64_t b) {
  int64_t sum = 0;
  if (__builtin_add_overflow(a, b, &sum)) return std::nullopt;
  return sum;
}

std::optional<int64_t> checked_multiply(int64_t a, int64_t b) {
  int64_t product = 0;
  if (__builtin_mul_overflow(a, b, &product)) return std::nullopt;
  return product;
}

// seconds * 1e9 + ns, where the product alone may lie just outside of what the sum fits.
// REQUIRES: 0 <= ns < 1e9
std::optional<int64_t> from_seconds(int64_t seconds, int64_t ns) {
  if (seconds < 0 && ns > 0) {
    seconds += 1;
    ns -= kSecondNs;
  }
  const std::optional<int64_t> whole = checked_multiply(seconds, kSecondNs);
  return whole ? checked_add(*whole, ns) : std::nullopt;
}

struct CivilTime {
  int64_t year = 0;
  int month = 0, day = 0, hour = 0, minute = 0, second = 0;
  int64_t ns = 0;
};

// Days since 1970-01-01 in the proleptic Gregorian calendar, counted in eras of 400 years that
// begin on the first of March (so that the leap day is the last of its year).
constexpr int64_t days_from_civil(int64_t year, int month, int day) {
  if (month <= 2) --year;
  const int64_t era = floor_div(year, 400);
  const int64_t year_of_era = year - era * 400;
  const int64_t day_of_year = (153 * (month > 2 ? month - 3 : month + 9) + 2) / 5 + day - 1;
  return era * 146'097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year -
         719'468;
}

constexpr CivilTime civil_from_days(int64_t days) {
  days += 719'468;
  const int64_t era = floor_div(days, 146'097);
  const int64_t day_of_era = days - era * 146'097;
  const int64_t year_of_era =
      (day_of_era - day_of_era / 1460 + day_of_era / 36'524 - day_of_era / 146'096) / 365;
  const int64_t day_of_year =
      day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
  const int64_t shifted_month = (5 * day_of_year + 2) / 153;
  CivilTime civil;
  civil.day = static_cast<int>(day_of_year - (153 * shifted_month + 2) / 5 + 1);
  civil.month = static_cast<int>(shifted_month < 10 ? shifted_month + 3 : shifted_month - 9);
  civil.year = year_of_era + era * 400 + (civil.month <= 2 ? 1 : 0);
  return civil;
}

int days_in_month(int64_t year, int month) {
  static constexpr int kDays[] = {31, 28, 31, 30, 31, 30, 31, 31, 30, 31, 30, 31};
  const bool leap = (year % 4 == 0 && year % 100 != 0) || year % 400 == 0;
  return month == 2 && leap ? 29 : kDays[month - 1];
}

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// Reads text from the front. Every method leaves the position alone when it returns false.
class Cursor {
 public:
  explicit Cursor(std::string_view text) : text_(text) {}
  bool done() const { return at_ == text_.size(); }
  size_t position() const { return at_; }
  std::string_view rest() const { return text_.substr(at_); }

  bool take(char c) {
    if (done() || text_[at_] != c) return false;
    ++at_;
    return true;
  }
  bool take_any(std::string_view chars) {
    if (done() || chars.find(text_[at_]) == std::string_view::npos) return false;
    ++at_;
    return true;
  }
  // Exactly n digits, n < 10.
  bool digits(size_t n, int& out) {
    if (text_.size() - at_ < n) return false;
    int value = 0;
    for (size_t i = 0; i < n; ++i) {
      if (!is_digit(text_[at_ + i])) return false;
      value = value * 10 + (text_[at_ + i] - '0');
    }
    at_ += n;
    out = value;
    return true;
  }
  std::string_view take_while(bool (*wanted)(char)) {
    const size_t start = at_;
    while (!done() && wanted(text_[at_])) ++at_;
    return text_.substr(start, at_ - start);
  }

 private:
  std::string_view text_;
  size_t at_ = 0;
};

Error time_error(std::string_view text, std::string_view problem, size_t position,
                 std::string hint) {
  Error error;
  error.code = Code::invalid_argument;
  error.message = fmt::format("invalid time \"{}\": {}", text, problem);
  error.hint = std::move(hint);
  error.position = static_cast<int64_t>(position);
  return error;
}

Error duration_error(std::string_view text, std::string_view problem, size_t position = 0) {
  Error error;
  error.code = Code::invalid_argument;
  error.message = fmt::format("invalid duration \"{}\": {}", text, problem);
  error.position = static_cast<int64_t>(position);
  return error;
}

// "2026-11-22". Leaves the cursor behind it.
bool read_date(Cursor& cursor, CivilTime& out) {
  int year = 0;
  if (!cursor.digits(4, year) || !cursor.take('-') || !cursor.digits(2, out.month) ||
      !cursor.take('-') || !cursor.digits(2, out.day)) {
    return false;
  }
  out.year = year;
  return out.month >= 1 && out.month <= 12 && out.day >= 1 &&
         out.day <= days_in_month(year, out.month);
}

// "15:24", "15:24:29" or "15:24:29.123". A leap second counts as the first second after it.
bool read_clock(Cursor& cursor, CivilTime& out, bool seconds_needed) {
  if (!cursor.digits(2, out.hour) || !cursor.take(':') || !cursor.digits(2, out.minute)) {
    return false;
  }
  if (!cursor.take(':')) return !seconds_needed && out.hour <= 23 && out.minute <= 59;
  if (!cursor.digits(2, out.second)) return false;
  if (cursor.take_any(".,")) {
    const std::string_view fraction = cursor.take_while(is_digit);
    if (fraction.empty()) return false;
    for (size_t i = 0; i < 9; ++i) {  // what is finer than a nanosecond is cut off
      out.ns = out.ns * 10 + (i < fraction.size() ? fraction[i] - '0' : 0);
    }
  }
  return out.hour <= 23 && out.minute <= 59 && out.second <= 60;
}

// "Z" or "+01:00".
bool read_offset(Cursor& cursor, int64_t& offset_s) {
  offset_s = 0;
  if (cursor.take_any("Zz")) return true;
  const bool negative = cursor.take('-');
  int hours = 0;
  int minutes = 0;
  if ((!negative && !cursor.take('+')) || !cursor.digits(2, hours) || !cursor.take(':') ||
      !cursor.digits(2, minutes) || hours > 23 || minutes > 59) {
    return false;
  }
  offset_s = (hours * 60 + minutes) * 60 * (negative ? -1 : 1);
  return true;
}

std::optional<int64_t> utc_ns(const CivilTime& civil, int64_t offset_s) {
  const int64_t days = days_from_civil(civil.year, civil.month, civil.day);
  const int64_t seconds =
      days * 86'400 + civil.hour * 3600 + civil.minute * 60 + civil.second - offset_s;
  return from_seconds(seconds, civil.ns);
}

// The instant that the local clock shows as civil; where it is shown twice or never (the days on
// which clocks change), what mktime makes of it. Fields may exceed their ranges.
std::optional<int64_t> local_ns(const CivilTime& civil) {
  std::tm fields{};
  fields.tm_year = static_cast<int>(civil.year - 1900);
  fields.tm_mon = civil.month - 1;
  fields.tm_mday = civil.day;
  fields.tm_hour = civil.hour;
  fields.tm_min = civil.minute;
  fields.tm_sec = civil.second;
  fields.tm_isdst = -1;
  fields.tm_wday = -1;  // stays so if mktime fails; its -1 is also a valid second
  const std::time_t seconds = std::mktime(&fields);
  if (seconds == -1 && fields.tm_wday == -1) return std::nullopt;
  return from_seconds(int64_t{seconds}, civil.ns);
}

CivilTime local_civil(int64_t wall_ns) {
  const auto seconds = static_cast<std::time_t>(floor_div(wall_ns, kSecondNs));
  std::tm fields{};
  localtime_r(&seconds, &fields);
  CivilTime civil;
  civil.year = int64_t{fields.tm_year} + 1900;
  civil.month = fields.tm_mon + 1;
  civil.day = fields.tm_mday;
  civil.hour = fields.tm_hour;
  civil.minute = fields.tm_min;
  civil.second = fields.tm_sec;
  return civil;
}

constexpr std::string_view kRangeProblem = "out of range (years 1678 to 2261)";

}  // namespace

std::string format_rfc3339(int64_t wall_ns) {
  const int64_t seconds = floor_div(wall_ns, kSecondNs);
  const int64_t days = floor_div(seconds, 86'400);
  const int64_t second_of_day = seconds - days * 86'400;
  // Not wall_ns - seconds * kSecondNs, whose product overflows for the smallest values.
  const int64_t rest = wall_ns % kSecondNs;
  const int64_t fraction = rest < 0 ? rest + kSecondNs : rest;
  const CivilTime date = civil_from_days(days);
  std::string text = date.year >= 0 && date.year <= 9999 ? std::string() : fmt::format("{:04}", date.year);
  // By hand: lists show times by the hundred thousand.
  const auto append = [&text](int64_t number, int digits) {
    const size_t end = text.size() + static_cast<size_t>(digits);
    text.resize(end);
    for (size_t at = end; digits > 0; --digits, number /= 10) text[--at] = static_cast<char>('0' + number % 10);
  };
  text.reserve(32);
  if (text.empty()) append(date.year, 4);
  for (const auto& [before, number] : {std::pair('-', int64_t{date.month}), std::pair('-', int64_t{date.day}),
                                       std::pair('T', second_of_day / 3600), std::pair(':', second_of_day / 60 % 60),
                                       std::pair(':', second_of_day % 60)}) {
    text += before;
    append(number, 2);
  }
  if (fraction > 0) {
    text += '.';
    append(fraction, 9);
    while (text.back() == '0') text.pop_back();
  }
  text += 'Z';
  return text;
}

std::string format_local_minute(int64_t wall_ns) {
  const CivilTime civil = local_civil(wall_ns);
  return fmt::format("{:04}-{:02}-{:02} {:02}:{:02}", civil.year, civil.month, civil.day,
                     civil.hour, civil.minute);
}

Result<int64_t> parse_rfc3339(std::string_view text) {
  static const std::string kHint = "write it like 2026-11-22T15:24:29Z or 2026-11-22";
  Cursor cursor(text);
  CivilTime civil;
  int64_t offset_s = 0;
  if (!read_date(cursor, civil)) {
    return time_error(text, "no date YYYY-MM-DD", cursor.position(), kHint);
  }
  if (!cursor.done()) {
    if (!cursor.take_any("Tt ") || !read_clock(cursor, civil, true)) {
      return time_error(text, "no time of day hh:mm:ss after the date", cursor.position(), kHint);
    }
    if (!read_offset(cursor, offset_s)) {
      return time_error(text, "no UTC offset (Z or +hh:mm)", cursor.position(), kHint);
    }
    if (!cursor.done()) {
      return time_error(text, "text after the time", cursor.position(), kHint);
    }
  }
  const std::optional<int64_t> ns = utc_ns(civil, offset_s);
  if (!ns) return time_error(text, kRangeProblem, 0, kHint);
  return *ns;
}

namespace {

struct Unit {
  std::string_view name;
  int64_t ns;
};

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

// The words of "2d ago" and "in 3 weeks".
constexpr std::array kSpokenUnits = {
    Unit{"y", 365 * kDayNs},    Unit{"year", 365 * kDayNs}, Unit{"years", 365 * kDayNs},
    Unit{"w", 7 * kDayNs},      Unit{"week", 7 * kDayNs},   Unit{"weeks", 7 * kDayNs},
    Unit{"d", kDayNs},          Unit{"day", kDayNs},        Unit{"days", kDayNs},
    Unit{"h", kHourNs},         Unit{"hour", kHourNs},      Unit{"hours", kHourNs},
    Unit{"m", kMinuteNs},       Unit{"min", kMinuteNs},     Unit{"mins", kMinuteNs},
    Unit{"minute", kMinuteNs},  Unit{"minutes", kMinuteNs}, Unit{"s", kSecondNs},
    Unit{"sec", kSecondNs},     Unit{"secs", kSecondNs},    Unit{"second", kSecondNs},
    Unit{"seconds", kSecondNs}, Unit{"ms", kMillisecondNs},
};

std::optional<int64_t> parse_digits(std::string_view digits) {
  if (digits.empty()) return std::nullopt;
  int64_t value = 0;
  for (const char c : digits) {
    const std::optional<int64_t> shifted = checked_multiply(value, 10);
    const std::optional<int64_t> sum = shifted ? checked_add(*shifted, c - '0') : std::nullopt;
    if (!sum) return std::nullopt;
    value = *sum;
  }
  return value;
}

// "2d", "3h30m", "2 days 4 hours".
std::optional<int64_t> parse_spoken_duration(std::string_view text) {
  Cursor cursor(text);
  int64_t total = 0;
  if (cursor.done()) return std::nullopt;
  while (!cursor.done()) {
    const std::optional<int64_t> count = parse_digits(cursor.take_while(is_digit));
    while (cursor.take(' ')) {
    }
    const std::string_view name = cursor.take_while(is_letter);
    while (cursor.take(' ')) {
    }
    const auto* const unit = std::find_if(kSpokenUnits.begin(), kSpokenUnits.end(),
                                          [&](const Unit& u) { return u.name == name; });
    if (!count || unit == kSpokenUnits.end()) return std::nullopt;
    const std::optional<int64_t> part = checked_multiply(*count, unit->ns);
    const std::optional<int64_t> sum = part ? checked_add(total, *part) : std::nullopt;
    if (!sum) return std::nullopt;
    total = *sum;
  }
  return total;
}

std::string_view trim(std::string_view text) {
  while (text.starts_with(' ')) text.remove_prefix(1);
  while (text.ends_with(' ')) text.remove_suffix(1);
  return text;
}

// Outer nothing: text is of another form. Inner nothing: of this form, but out of range.
using Attempt = std::optional<std::optional<int64_t>>;

// "1700000000" and its kin; the number of digits tells the unit.
Attempt try_unix_time(std::string_view text) {
  if (!std::all_of(text.begin(), text.end(), is_digit)) return std::nullopt;
  const std::optional<int64_t> value = parse_digits(text);
  int64_t unit = 0;
  if (text.size() == 10) unit = kSecondNs;
  if (text.size() == 13) unit = kMillisecondNs;
  if (text.size() == 19) unit = 1;
  if (unit == 0) return std::nullopt;
  return Attempt(value ? checked_multiply(*value, unit) : std::nullopt);
}

// "today", "yesterday 14:00"; midnight unless a time of day follows.
Attempt try_day_word(std::string_view text, int64_t now_ns) {
  static constexpr std::pair<std::string_view, int> kWords[] = {
      {"today", 0}, {"yesterday", -1}, {"tomorrow", 1}};
  for (const auto& [word, days] : kWords) {
    if (!text.starts_with(word)) continue;
    CivilTime civil = local_civil(now_ns);
    civil.day += days;  // mktime carries it over the ends of months
    civil.hour = civil.minute = civil.second = 0;
    Cursor cursor(text.substr(word.size()));
    if (!cursor.done() &&
        (!cursor.take(' ') || !read_clock(cursor, civil, false) || !cursor.done())) {
      return std::nullopt;
    }
    return Attempt(local_ns(civil));
  }
  return std::nullopt;
}

// "2d ago", "in 2h".
Attempt try_relative(std::string_view text, int64_t now_ns) {
  const bool past = text.ends_with(" ago");
  if (!past && !text.starts_with("in ")) return std::nullopt;
  const std::string_view amount = past ? text.substr(0, text.size() - 4) : text.substr(3);
  const std::optional<int64_t> duration = parse_spoken_duration(trim(amount));
  if (!duration) return std::nullopt;
  return Attempt(checked_add(now_ns, past ? -*duration : *duration));
}

// "2026-11-22 15:24[:05]" and "2026-11-22" on the local clock.
Attempt try_local_date(std::string_view text) {
  Cursor cursor(text);
  CivilTime civil;
  if (!read_date(cursor, civil)) return std::nullopt;
  if (!cursor.done() &&
      (!cursor.take_any("Tt ") || !read_clock(cursor, civil, false) || !cursor.done())) {
    return std::nullopt;
  }
  return Attempt(local_ns(civil));
}

}  // namespace

Result<int64_t> parse_time(std::string_view text, int64_t now_ns) {
  const std::string lower = lower_ascii(trim(text));
  if (lower == "now") return now_ns;
  Attempt attempt = try_unix_time(lower);
  if (!attempt) attempt = try_day_word(lower, now_ns);
  if (!attempt) attempt = try_relative(lower, now_ns);
  if (!attempt) attempt = try_local_date(lower);
  if (attempt) {
    if (!*attempt) return time_error(text, kRangeProblem, 0, {});
    return **attempt;
  }
  if (Result<int64_t> parsed = parse_rfc3339(lower); parsed.ok()) return parsed;
  return time_error(text, "not a time", 0,
                    "write 2026-11-22T15:24:29Z, 2026-11-22 15:24, 2026-11-22, now, today, "
                    "yesterday 14:00, 2d ago, in 2h, or Unix seconds");
}

Result<int64_t> parse_prometheus_duration(std::string_view text) {
  static constexpr std::array kUnits = {
      Unit{"y", 365 * kDayNs},    Unit{"w", 7 * kDayNs}, Unit{"d", kDayNs},
      Unit{"h", kHourNs},         Unit{"m", kMinuteNs},  Unit{"s", kSecondNs},
      Unit{"ms", kMillisecondNs},
  };
  if (text.empty()) return duration_error(text, "it is empty");
  if (text == "0") return int64_t{0};  // the only number that needs no unit
  Cursor cursor(text);
  const auto* next = kUnits.begin();  // the units still allowed
  int64_t total = 0;
  while (!cursor.done()) {
    const size_t start = cursor.position();
    const std::string_view digits = cursor.take_while(is_digit);
    const std::string_view name = cursor.take_while(is_letter);
    const auto* const unit =
        std::find_if(next, kUnits.end(), [&](const Unit& u) { return u.name == name; });
    if (digits.empty() || unit == kUnits.end()) {
      return duration_error(text, "not integers with units y w d h m s ms, largest first", start);
    }
    next = unit + 1;
    const std::optional<int64_t> count = parse_digits(digits);
    const std::optional<int64_t> part = count ? checked_multiply(*count, unit->ns) : std::nullopt;
    const std::optional<int64_t> sum = part ? checked_add(total, *part) : std::nullopt;
    if (!sum) return duration_error(text, "out of range", start);
    total = *sum;
  }
  return total;
}

namespace {

bool is_unit_byte(char c) { return c != '.' && !is_digit(c); }

// digits.fraction * unit in nanoseconds, cut toward zero; nothing if it exceeds 2^63.
std::optional<uint64_t> scale(std::string_view digits, std::string_view fraction, uint64_t unit) {
  constexpr uint64_t kLimit = uint64_t{1} << 63;
  uint64_t whole = 0;
  for (const char c : digits) {
    const auto digit = static_cast<uint64_t>(c - '0');
    if (__builtin_mul_overflow(whole, uint64_t{10}, &whole) ||
        __builtin_add_overflow(whole, digit, &whole)) {
      return std::nullopt;
    }
  }
  uint64_t ns = 0;
  if (__builtin_mul_overflow(whole, unit, &ns)) return std::nullopt;
  // In doubles, because Go does: a third of an hour with 19 decimals is 20 minutes there.
  uint64_t numerator = 0;
  double denominator = 1;
  for (const char c : fraction) {
    if (numerator > (kLimit - 10) / 10) break;  // far below a nanosecond by now
    numerator = numerator * 10 + static_cast<uint64_t>(c - '0');
    denominator *= 10;
  }
  const double part = static_cast<double>(numerator) * (static_cast<double>(unit) / denominator);
  if (__builtin_add_overflow(ns, static_cast<uint64_t>(part), &ns) || ns > kLimit) {
    return std::nullopt;
  }
  return ns;
}

}  // namespace

Result<int64_t> parse_go_duration(std::string_view text) {
  static constexpr std::array kUnits = {
      Unit{"ns", 1},
      Unit{"us", kMicrosecondNs},
      Unit{"\xc2\xb5s", kMicrosecondNs},  // U+00B5, micro sign
      Unit{"\xce\xbcs", kMicrosecondNs},  // U+03BC, Greek mu
      Unit{"ms", kMillisecondNs},
      Unit{"s", kSecondNs},
      Unit{"m", kMinuteNs},
      Unit{"h", kHourNs},
  };
  constexpr uint64_t kLimit = uint64_t{1} << 63;
  Cursor cursor(text);
  const bool negative = cursor.take('-');
  if (!negative) cursor.take('+');
  if (cursor.rest() == "0") return int64_t{0};
  if (cursor.done()) return duration_error(text, "no number", cursor.position());
  uint64_t total = 0;
  while (!cursor.done()) {
    const size_t start = cursor.position();
    const std::string_view digits = cursor.take_while(is_digit);
    const std::string_view fraction = cursor.take('.') ? cursor.take_while(is_digit) : "";
    if (digits.empty() && fraction.empty()) return duration_error(text, "no number", start);
    const std::string_view name = cursor.take_while(is_unit_byte);
    if (name.empty()) return duration_error(text, "missing unit", cursor.position());
    const auto* const unit =
        std::find_if(kUnits.begin(), kUnits.end(), [&](const Unit& u) { return u.name == name; });
    if (unit == kUnits.end()) {
      return duration_error(text, fmt::format("unknown unit \"{}\"", name), start);
    }
    const std::optional<uint64_t> part = scale(digits, fraction, static_cast<uint64_t>(unit->ns));
    if (!part || *part > kLimit - total) return duration_error(text, "out of range", start);
    total += *part;
  }
  if (negative) return total == kLimit ? kMinNs : -static_cast<int64_t>(total);
  if (total == kLimit) return duration_error(text, "out of range");
  return static_cast<int64_t>(total);
}

namespace {

uint64_t magnitude(int64_t ns) {
  return ns < 0 ? uint64_t{0} - static_cast<uint64_t>(ns) : static_cast<uint64_t>(ns);
}

// value / unit as a decimal number without trailing zeros.
std::string decimal(uint64_t value, uint64_t unit) {
  std::string text = std::to_string(value / unit);
  uint64_t rest = value % unit;
  if (rest == 0) return text;
  text += '.';
  while (rest > 0) {
    unit /= 10;
    text += static_cast<char>('0' + rest / unit);
    rest %= unit;
  }
  return text;
}

}  // namespace

std::string format_go_duration(int64_t ns) {
  const uint64_t size = magnitude(ns);
  if (size == 0) return "0s";
  std::string text = ns < 0 ? "-" : "";
  if (size < kMicrosecondNs) return text + std::to_string(size) + "ns";
  if (size < kMillisecondNs) return text + decimal(size, kMicrosecondNs) + "\xc2\xb5s";
  if (size < kSecondNs) return text + decimal(size, kMillisecondNs) + "ms";
  if (size >= kHourNs) text += std::to_string(size / kHourNs) + "h";
  if (size >= kMinuteNs) text += std::to_string(size % kHourNs / kMinuteNs) + "m";
  return text + decimal(size % kMinuteNs, kSecondNs) + "s";
}

std::string format_duration_short(int64_t ns) {
  const uint64_t size = magnitude(ns);
  const std::string sign = ns < 0 ? "-" : "";
  if (size == 0) return "0s";
  if (size < kMicrosecondNs) return fmt::format("{}{}ns", sign, size);
  if (size < kMillisecondNs) return fmt::format("{}{}\xc2\xb5s", sign, size / kMicrosecondNs);
  if (size < kSecondNs) return fmt::format("{}{}ms", sign, size / kMillisecondNs);
  if (size < kMinuteNs) return sign + decimal(size / (kSecondNs / 10), 10) + "s";
  // The two largest units; a second one of zero is left out.
  static constexpr std::pair<uint64_t, char> kUnits[] = {
      {kDayNs, 'd'}, {kHourNs, 'h'}, {kMinuteNs, 'm'}, {kSecondNs, 's'}};
  for (size_t i = 0;; ++i) {
    const auto [unit, name] = kUnits[i];
    if (size < unit) continue;
    std::string text = fmt::format("{}{}{}", sign, size / unit, name);
    const auto [next_unit, next_name] = kUnits[i + 1];
    const uint64_t rest = size % unit / next_unit;
    if (rest > 0) text += fmt::format(" {}{}", rest, next_name);
    return text;
  }
}

}  // namespace contextcore
