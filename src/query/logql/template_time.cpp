#include "query/logql/template_time.h"

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <chrono>

namespace contextcore::logql {
namespace {

constexpr int64_t kNsPerSecond = 1'000'000'000;
constexpr std::array<std::string_view, 12> kMonths = {
    "January", "February", "March",     "April",   "May",      "June",
    "July",    "August",   "September", "October", "November", "December"};
constexpr std::array<std::string_view, 7> kDays = {"Sunday",   "Monday", "Tuesday", "Wednesday",
                                                   "Thursday", "Friday", "Saturday"};

enum class Part : uint8_t {
  none,
  long_month,
  short_month,
  month,
  zero_month,
  long_day,
  short_day,
  day,
  blank_day,
  zero_day,
  zero_year_day,
  blank_year_day,
  hour,
  hour12,
  zero_hour12,
  minute,
  zero_minute,
  second,
  zero_second,
  long_year,
  year,
  upper_pm,
  lower_pm,
  zone_name,
  zulu_colon,
  zulu,
  zulu_hours,
  zulu_seconds,
  zulu_colon_seconds,
  offset_colon,
  offset,
  offset_hours,
  offset_seconds,
  offset_colon_seconds,
  fraction_zeros,
  fraction_nines,
};

struct Spelling {
  std::string_view text;
  Part part;
};
// Longer ones before those that they begin with.
constexpr std::array kSpellings = {
    Spelling{"January", Part::long_month},
    Spelling{"Monday", Part::long_day},
    Spelling{"Z07:00:00", Part::zulu_colon_seconds},
    Spelling{"-07:00:00", Part::offset_colon_seconds},
    Spelling{"Z070000", Part::zulu_seconds},
    Spelling{"-070000", Part::offset_seconds},
    Spelling{"Z07:00", Part::zulu_colon},
    Spelling{"-07:00", Part::offset_colon},
    Spelling{"Z0700", Part::zulu},
    Spelling{"-0700", Part::offset},
    Spelling{"2006", Part::long_year},
    Spelling{"Jan", Part::short_month},
    Spelling{"Mon", Part::short_day},
    Spelling{"MST", Part::zone_name},
    Spelling{"Z07", Part::zulu_hours},
    Spelling{"-07", Part::offset_hours},
    Spelling{"__2", Part::blank_year_day},
    Spelling{"002", Part::zero_year_day},
    Spelling{"01", Part::zero_month},
    Spelling{"02", Part::zero_day},
    Spelling{"03", Part::zero_hour12},
    Spelling{"04", Part::zero_minute},
    Spelling{"05", Part::zero_second},
    Spelling{"06", Part::year},
    Spelling{"15", Part::hour},
    Spelling{"_2", Part::blank_day},
    Spelling{"PM", Part::upper_pm},
    Spelling{"pm", Part::lower_pm},
    Spelling{"1", Part::month},
    Spelling{"2", Part::day},
    Spelling{"3", Part::hour12},
    Spelling{"4", Part::minute},
    Spelling{"5", Part::second},
};

bool is_digit(char c) { return c >= '0' && c <= '9'; }

// ".000" and ",999": the digits behind the point, or 0.
size_t fraction_length(std::string_view layout) {
  if (layout.size() < 2 || (layout[0] != '.' && layout[0] != ',')) return 0;
  if (layout[1] != '0' && layout[1] != '9') return 0;
  size_t end = 1;
  while (end < layout.size() && layout[end] == layout[1]) ++end;
  return end < layout.size() && is_digit(layout[end]) ? 0 : end - 1;
}

struct Piece {
  Part part = Part::none;  // none: text
  std::string_view text;
  size_t digits = 0;  // of fractions
};

Piece next_piece(std::string_view& layout) {
  size_t literal = 0;
  for (; literal < layout.size(); ++literal) {
    const std::string_view rest = layout.substr(literal);
    Piece found;
    if (const size_t digits = fraction_length(rest); digits > 0) {
      found = {rest[1] == '0' ? Part::fraction_zeros : Part::fraction_nines,
               rest.substr(0, digits + 1), digits};
    } else {
      for (const Spelling& spelling : kSpellings) {
        if (!rest.starts_with(spelling.text)) continue;
        // "_2006" is an underscore and a year; "January" without its end is no month.
        if (spelling.part == Part::blank_day && rest.starts_with("_2006")) break;
        found = {spelling.part, rest.substr(0, spelling.text.size()), 0};
        break;
      }
    }
    // "Jan" and "Mon" must not run on in lower case.
    if ((found.part == Part::short_month || found.part == Part::short_day) && rest.size() > 3 &&
        rest[3] >= 'a' && rest[3] <= 'z') {
      found = {};
    }
    if (found.part == Part::none) continue;
    if (literal > 0) break;
    layout.remove_prefix(found.text.size());
    return found;
  }
  const Piece text{Part::none, layout.substr(0, literal), 0};
  layout.remove_prefix(literal);
  return text;
}

struct Fields {
  int64_t year = 1;
  unsigned month = 1, day = 1, week_day = 1;
  int64_t year_day = 1;
  int hour = 0, minute = 0, second = 0;
};

Fields fields_of(const TemplateTime& time) {
  namespace chrono = std::chrono;
  constexpr int64_t kDaySeconds = 86'400;
  int64_t local = 0;
  if (__builtin_add_overflow(time.seconds, int64_t{time.offset_seconds}, &local)) local = 0;
  int64_t day = local / kDaySeconds;
  int64_t rest = local % kDaySeconds;
  if (rest < 0) {
    rest += kDaySeconds;
    --day;
  }
  // The calendar repeats every 400 years; chrono's years have 16 bits.
  constexpr int64_t kCycleDays = 146'097;
  int64_t cycles = day / kCycleDays;
  day %= kCycleDays;
  if (day < 0) {
    day += kCycleDays;
    --cycles;
  }
  const chrono::sys_days days{chrono::days{static_cast<int>(day)}};
  const chrono::year_month_day date{days};
  Fields out;
  out.year = static_cast<int>(date.year()) + cycles * 400;
  out.month = static_cast<unsigned>(date.month());
  out.day = static_cast<unsigned>(date.day());
  out.week_day = chrono::weekday{days}.c_encoding();
  out.year_day = (days - chrono::sys_days{date.year() / chrono::January / 1}).count() + 1;
  out.hour = static_cast<int>(rest / 3600);
  out.minute = static_cast<int>(rest / 60 % 60);
  out.second = static_cast<int>(rest % 60);
  return out;
}

std::string offset_text(int32_t seconds, bool zulu, bool colon, bool minutes, bool with_seconds) {
  if (zulu && seconds == 0) return "Z";
  const int32_t size = seconds < 0 ? -seconds : seconds;
  const std::string_view between = colon ? ":" : "";
  std::string out = fmt::format("{}{:02}", seconds < 0 ? '-' : '+', size / 3600);
  if (minutes) out += fmt::format("{}{:02}", between, size / 60 % 60);
  if (with_seconds) out += fmt::format("{}{:02}", between, size % 60);
  return out;
}

std::string fraction_text(int32_t nanoseconds, const Piece& piece) {
  std::string digits = fmt::format("{:09}", nanoseconds);
  digits.resize(std::min<size_t>(piece.digits, 9));
  if (piece.part == Part::fraction_nines) {
    while (digits.ends_with('0')) digits.pop_back();
    if (digits.empty()) return {};
  } else {
    digits.append(piece.digits - digits.size(), '0');
  }
  return piece.text[0] + digits;
}

std::string year_text(int64_t year) {
  return year < 0 ? fmt::format("-{:04}", -year) : fmt::format("{:04}", year);
}

std::string zone_text(const TemplateTime& time) {
  if (!time.zone.empty()) return time.zone;
  const int32_t minutes = time.offset_seconds / 60;
  return minutes % 60 == 0 ? offset_text(time.offset_seconds, false, false, false, false)
                           : offset_text(time.offset_seconds, false, false, true, false);
}

// The parts of a day in the calendar; nullopt: another part.
std::optional<std::string> calendar_text(const Piece& piece, const Fields& f) {
  switch (piece.part) {
    case Part::none:
      return std::string(piece.text);
    case Part::long_month:
      return std::string(kMonths[f.month - 1]);
    case Part::short_month:
      return std::string(kMonths[f.month - 1].substr(0, 3));
    case Part::month:
      return std::to_string(f.month);
    case Part::zero_month:
      return fmt::format("{:02}", f.month);
    case Part::long_day:
      return std::string(kDays[f.week_day]);
    case Part::short_day:
      return std::string(kDays[f.week_day].substr(0, 3));
    case Part::day:
      return std::to_string(f.day);
    case Part::blank_day:
      return fmt::format("{:2}", f.day);
    case Part::zero_day:
      return fmt::format("{:02}", f.day);
    case Part::zero_year_day:
      return fmt::format("{:03}", f.year_day);
    case Part::blank_year_day:
      return fmt::format("{:3}", f.year_day);
    case Part::long_year:
      return year_text(f.year);
    case Part::year:
      return fmt::format("{:02}", (f.year < 0 ? -f.year : f.year) % 100);
    default:
      return std::nullopt;
  }
}

std::string part_text(const Piece& piece, const TemplateTime& time, const Fields& f) {
  if (auto text = calendar_text(piece, f)) return std::move(*text);
  const int hour12 = f.hour % 12 == 0 ? 12 : f.hour % 12;
  const int32_t offset = time.offset_seconds;
  switch (piece.part) {
    case Part::hour:
      return fmt::format("{:02}", f.hour);
    case Part::hour12:
      return std::to_string(hour12);
    case Part::zero_hour12:
      return fmt::format("{:02}", hour12);
    case Part::minute:
      return std::to_string(f.minute);
    case Part::zero_minute:
      return fmt::format("{:02}", f.minute);
    case Part::second:
      return std::to_string(f.second);
    case Part::zero_second:
      return fmt::format("{:02}", f.second);
    case Part::upper_pm:
      return f.hour >= 12 ? "PM" : "AM";
    case Part::lower_pm:
      return f.hour >= 12 ? "pm" : "am";
    case Part::zone_name:
      return zone_text(time);
    case Part::zulu_colon:
    case Part::offset_colon:
      return offset_text(offset, piece.part == Part::zulu_colon, true, true, false);
    case Part::zulu:
    case Part::offset:
      return offset_text(offset, piece.part == Part::zulu, false, true, false);
    case Part::zulu_hours:
    case Part::offset_hours:
      return offset_text(offset, piece.part == Part::zulu_hours, false, false, false);
    case Part::zulu_seconds:
    case Part::offset_seconds:
      return offset_text(offset, piece.part == Part::zulu_seconds, false, true, true);
    case Part::zulu_colon_seconds:
    case Part::offset_colon_seconds:
      return offset_text(offset, piece.part == Part::zulu_colon_seconds, true, true, true);
    case Part::fraction_zeros:
    case Part::fraction_nines:
      return fraction_text(time.nanoseconds, piece);
    default:
      return {};
  }
}

// ---- reading ----

class TimeReader {
 public:
  explicit TimeReader(std::string_view text) : text_(text) {}

  bool read(const Piece& piece, bool fraction_follows) {
    switch (piece.part) {
      case Part::none:
        if (!text_.starts_with(piece.text)) return false;
        text_.remove_prefix(piece.text.size());
        return true;
      case Part::long_month:
        return name(kMonths, 0, month_);
      case Part::short_month:
        return name(kMonths, 3, month_);
      case Part::long_day:
        return name(kDays, 0, ignored_);
      case Part::short_day:
        return name(kDays, 3, ignored_);
      case Part::month:
        return number(1, 2, month_);
      case Part::zero_month:
        return number(2, 2, month_);
      case Part::blank_day:
        if (text_.starts_with(' ')) text_.remove_prefix(1);
        return number(1, 2, day_);
      case Part::day:
        return number(1, 2, day_);
      case Part::zero_day:
        return number(2, 2, day_);
      case Part::zero_year_day:
        return number(3, 3, year_day_);
      case Part::blank_year_day:
        while (text_.starts_with(' ')) text_.remove_prefix(1);
        return number(1, 3, year_day_);
      case Part::hour:
        return number(1, 2, hour_) && hour_ < 24;
      case Part::hour12:
        return number(1, 2, hour_) && hour_ <= 12;
      case Part::zero_hour12:
        return number(2, 2, hour_) && hour_ <= 12;
      case Part::minute:
        return number(1, 2, minute_) && minute_ < 60;
      case Part::zero_minute:
        return number(2, 2, minute_) && minute_ < 60;
      case Part::second:
      case Part::zero_second:
        if (!number(piece.part == Part::second ? 1 : 2, 2, second_) || second_ >= 60) return false;
        // A fraction may stand behind the seconds, asked for or not.
        return fraction_follows || text_.size() < 2 || (text_[0] != '.' && text_[0] != ',') ||
               !is_digit(text_[1]) || fraction(0);
      case Part::long_year:
        return number(4, 4, year_);
      case Part::year:
        if (!number(2, 2, year_)) return false;
        year_ += year_ >= 69 ? 1900 : 2000;
        return true;
      case Part::upper_pm:
        return half_day("AM", "PM");
      case Part::lower_pm:
        return half_day("am", "pm");
      case Part::zone_name:
        return zone();
      case Part::fraction_zeros:
        return fraction(piece.digits);
      case Part::fraction_nines:
        return text_.size() < 2 || (text_[0] != '.' && text_[0] != ',') || !is_digit(text_[1]) ||
               fraction(0);
      default:
        return offset(piece.text);
    }
  }

  std::optional<TemplateTime> time() const {
    namespace chrono = std::chrono;
    if (!text_.empty()) return std::nullopt;
    chrono::year_month_day date{chrono::year{static_cast<int>(year_)},
                                chrono::month{static_cast<unsigned>(month_)},
                                chrono::day{static_cast<unsigned>(day_)}};
    if (!date.ok()) return std::nullopt;
    chrono::sys_days days{date};
    if (year_day_ > 0) {
      days = chrono::sys_days{date.year() / chrono::January / 1} +
             chrono::days{static_cast<int>(year_day_ - 1)};
      if (chrono::year_month_day{days}.year() != date.year()) return std::nullopt;
    }
    int64_t hour = hour_;
    if (pm_ && hour < 12) hour += 12;
    if (am_ && hour == 12) hour = 0;
    TemplateTime out;
    out.seconds = int64_t{days.time_since_epoch().count()} * 86'400 + hour * 3600 + minute_ * 60 +
                  second_ - offset_;
    out.nanoseconds = nanoseconds_;
    out.offset_seconds = offset_;
    out.zone = has_offset_ && offset_ != 0 ? zone_ : has_zone_ ? zone_ : "UTC";
    return out;
  }

 private:
  bool number(size_t digits_min, size_t digits_max, int64_t& out) {
    size_t length = 0;
    int64_t value = 0;
    while (length < digits_max && length < text_.size() && is_digit(text_[length]))
      value = value * 10 + (text_[length++] - '0');
    if (length < digits_min) return false;
    text_.remove_prefix(length);
    out = value;
    return true;
  }
  // Case does not matter. length 0: the whole name.
  template <typename Names>
  bool name(const Names& names, size_t length, int64_t& out) {
    for (size_t i = 0; i < names.size(); ++i) {
      const std::string_view wanted = length == 0 ? names[i] : names[i].substr(0, length);
      if (text_.size() < wanted.size()) continue;
      const bool equal = std::equal(wanted.begin(), wanted.end(), text_.begin(),
                                    [](char a, char b) { return (a | 32) == (b | 32); });
      if (!equal) continue;
      text_.remove_prefix(wanted.size());
      out = static_cast<int64_t>(i) + 1;
      return true;
    }
    return false;
  }
  bool half_day(std::string_view am, std::string_view pm) {
    am_ = text_.starts_with(am);
    pm_ = text_.starts_with(pm);
    if (!am_ && !pm_) return false;
    text_.remove_prefix(2);
    return true;
  }
  // digits 0: as many as there are.
  bool fraction(size_t digits) {
    if (text_.empty() || (text_[0] != '.' && text_[0] != ',')) return false;
    size_t length = 1;
    int64_t value = 0;
    while (length < text_.size() && is_digit(text_[length]) && (digits == 0 || length <= digits)) {
      if (length <= 9) value = value * 10 + (text_[length] - '0');
      ++length;
    }
    if (length == 1 || (digits > 0 && length != digits + 1)) return false;
    for (size_t i = length - 1; i < 9; ++i) value *= 10;
    nanoseconds_ = static_cast<int32_t>(value);
    text_.remove_prefix(length);
    return true;
  }
  bool zone() {
    if (text_.starts_with("UTC")) {
      text_.remove_prefix(3);
      return true;
    }
    size_t length = 0;
    while (length < text_.size() && text_[length] >= 'A' && text_[length] <= 'Z') ++length;
    if (length < 3 || length > 5) return false;
    zone_ = text_.substr(0, length);
    has_zone_ = true;
    text_.remove_prefix(length);
    return true;
  }
  // spelling: how the layout writes it, "Z07:00" or "-0700".
  bool offset(std::string_view spelling) {
    if (spelling.starts_with('Z') && text_.starts_with('Z')) {
      text_.remove_prefix(1);
      return true;
    }
    if (text_.empty() || (text_[0] != '+' && text_[0] != '-')) return false;
    const int32_t sign = text_[0] == '-' ? -1 : 1;
    text_.remove_prefix(1);
    const bool colon = spelling.find(':') != std::string_view::npos;
    const auto parts = static_cast<size_t>(
        std::count_if(spelling.begin(), spelling.end(), [](char c) { return is_digit(c); }) / 2);
    int32_t seconds = 0;
    int32_t weight = 3600;
    for (size_t i = 0; i < parts; ++i) {
      int64_t value = 0;
      if (i > 0 && colon) {
        if (!text_.starts_with(':')) return false;
        text_.remove_prefix(1);
      }
      if (!number(2, 2, value) || value > (i == 0 ? 24 : 59)) return false;
      seconds += static_cast<int32_t>(value) * weight;
      weight /= 60;
    }
    offset_ = sign * seconds;
    has_offset_ = true;
    return true;
  }

  std::string_view text_;
  int64_t year_ = 0, month_ = 1, day_ = 1, year_day_ = 0, hour_ = 0, minute_ = 0, second_ = 0;
  int64_t ignored_ = 0;
  int32_t nanoseconds_ = 0, offset_ = 0;
  bool am_ = false, pm_ = false, has_offset_ = false, has_zone_ = false;
  std::string zone_;
};

}  // namespace

TemplateTime time_of_ns(int64_t ns) {
  TemplateTime out;
  out.seconds = ns / kNsPerSecond;
  int64_t rest = ns % kNsPerSecond;
  if (rest < 0) {
    rest += kNsPerSecond;
    --out.seconds;
  }
  out.nanoseconds = static_cast<int32_t>(rest);
  return out;
}

int64_t time_ns(const TemplateTime& time) {
  return static_cast<int64_t>(static_cast<uint64_t>(time.seconds) *
                                  static_cast<uint64_t>(kNsPerSecond) +
                              static_cast<uint64_t>(int64_t{time.nanoseconds}));
}

std::string time_text(const TemplateTime& time) {
  return format_time("2006-01-02 15:04:05.999999999 -0700 MST", time);
}

std::string format_time(std::string_view layout, const TemplateTime& time) {
  const Fields fields = fields_of(time);
  std::string out;
  while (!layout.empty()) out += part_text(next_piece(layout), time, fields);
  return out;
}

std::optional<TemplateTime> parse_time_layout(std::string_view layout, std::string_view text) {
  TimeReader reader(text);
  while (!layout.empty()) {
    const Piece piece = next_piece(layout);
    if (!reader.read(piece, fraction_length(layout) > 0)) return std::nullopt;
  }
  return reader.time();
}

}  // namespace contextcore::logql
