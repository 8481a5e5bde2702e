// Go's built-in functions of templates, and those of lines, dates and JSON.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>

#include "query/logql/template_functions.h"
#include "query/logql/template_time.h"

namespace contextcore::logql {
namespace {

using Values = TemplateValues;
using Answer = Result<TemplateValue>;

Error bad(std::string message) {
  return Error{Code::invalid_argument, std::move(message), {}, {}, {}};
}

std::string text(const Values& values, size_t index) { return template_text(values[index]); }

// ---- comparing ----

enum class Kind : uint8_t { text, flag, integer, real, other };
Kind kind_of(const TemplateValue& value) {
  if (std::holds_alternative<std::string>(value)) return Kind::text;
  if (std::holds_alternative<bool>(value)) return Kind::flag;
  if (std::holds_alternative<int64_t>(value)) return Kind::integer;
  if (std::holds_alternative<double>(value)) return Kind::real;
  return Kind::other;
}

// Go compares values of one kind only.
Result<bool> equal(const TemplateValue& a, const TemplateValue& b) {
  if (a.is_nil() || b.is_nil()) return a.is_nil() && b.is_nil();
  if (kind_of(a) != kind_of(b)) return bad("incompatible types for comparison");
  if (const auto* time = std::get_if<TemplateTime>(&a))
    return std::holds_alternative<TemplateTime>(b) && *time == std::get<TemplateTime>(b);
  if (kind_of(a) == Kind::other) return bad("non-comparable type " + std::string(template_type(a)));
  switch (kind_of(a)) {
    case Kind::text:
      return std::get<std::string>(a) == std::get<std::string>(b);
    case Kind::flag:
      return std::get<bool>(a) == std::get<bool>(b);
    case Kind::integer:
      return std::get<int64_t>(a) == std::get<int64_t>(b);
    default:
      return std::get<double>(a) == std::get<double>(b);
  }
}

Result<bool> less(const TemplateValue& a, const TemplateValue& b) {
  if (kind_of(a) == Kind::other || kind_of(a) == Kind::flag)
    return bad("invalid type for comparison");
  if (kind_of(a) != kind_of(b)) return bad("incompatible types for comparison");
  if (kind_of(a) == Kind::text) return std::get<std::string>(a) < std::get<std::string>(b);
  if (kind_of(a) == Kind::integer) return std::get<int64_t>(a) < std::get<int64_t>(b);
  return std::get<double>(a) < std::get<double>(b);
}

Answer is_any(const Values& v) {
  for (size_t i = 1; i < v.size(); ++i) {
    CC_ASSIGN(const bool same, equal(v[0], v[i]));
    if (same) return TemplateValue(true);
  }
  return TemplateValue(false);
}

// ---- collections ----

Answer length_of(const TemplateValue& value) {
  size_t size = 0;
  if (const auto* text = std::get_if<std::string>(&value)) {
    size = text->size();
  } else if (const TemplateList* list = value.list()) {
    size = list->size();
  } else if (const TemplateMap* map = value.map()) {
    size = map->size();
  } else {
    return bad("len of type " + std::string(template_type(value)));
  }
  return TemplateValue(static_cast<int64_t>(size));
}

Result<size_t> position(const TemplateValue& value, size_t end) {
  const auto* number = std::get_if<int64_t>(&value);
  if (number == nullptr)
    return bad("cannot index slice/array with type " + std::string(template_type(value)));
  if (*number < 0 || static_cast<uint64_t>(*number) >= end)
    return bad("index out of range: " + std::to_string(*number));
  return static_cast<size_t>(*number);
}

Answer element(const Values& v) {
  TemplateValue value = v[0];
  for (size_t i = 1; i < v.size(); ++i) {
    TemplateValue inner;
    if (const TemplateMap* map = value.map()) {
      const auto* name = std::get_if<std::string>(&v[i]);
      if (name == nullptr)
        return bad("value has type " + std::string(template_type(v[i])) + "; should be string");
      const auto found = map->find(*name);
      if (found != map->end()) inner = found->second;
    } else if (const TemplateList* list = value.list()) {
      CC_ASSIGN(const size_t at, position(v[i], list->size()));
      inner = (*list)[at];
    } else if (const auto* text = std::get_if<std::string>(&value)) {
      CC_ASSIGN(const size_t at, position(v[i], text->size()));
      inner = static_cast<int64_t>(static_cast<unsigned char>((*text)[at]));
    } else {
      return bad(value.is_nil() ? "index of untyped nil"
                                : "can't index item of type " + std::string(template_type(value)));
    }
    value = std::move(inner);
  }
  return value;
}

Answer slice_of(const Values& v) {
  const auto* text = std::get_if<std::string>(&v[0]);
  const TemplateList* list = v[0].list();
  if (text == nullptr && list == nullptr)
    return bad("can't slice item of type " + std::string(template_type(v[0])));
  if (text != nullptr && v.size() > 3) return bad("cannot 3-index slice a string");
  const size_t size = text != nullptr ? text->size() : list->size();
  size_t from = 0;
  size_t to = size;
  if (v.size() > 1) {
    CC_ASSIGN(from, position(v[1], size + 1));
  }
  if (v.size() > 2) {
    CC_ASSIGN(to, position(v[2], size + 1));
  }
  if (from > to) return bad(fmt::format("invalid slice index: {} > {}", from, to));
  if (text != nullptr) return TemplateValue(text->substr(from, to - from));
  return TemplateValue(
      std::make_shared<const TemplateList>(list->begin() + static_cast<std::ptrdiff_t>(from),
                                           list->begin() + static_cast<std::ptrdiff_t>(to)));
}

// ---- escaping ----

std::string html_escaped(std::string_view value) {
  std::string out;
  for (const char c : value) {
    switch (c) {
      case '"':
        out += "&#34;";
        break;
      case '\'':
        out += "&#39;";
        break;
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '\0':
        out += "\xEF\xBF\xBD";
        break;
      default:
        out += c;
    }
  }
  return out;
}

std::string js_escaped(std::string_view value) {
  std::string out;
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '\\' || c == '\'' || c == '"') {
      out += {'\\', c};
    } else if (byte < 0x20 || c == '<' || c == '>' || c == '&' || c == '=') {
      out += fmt::format("\\u{:04X}", byte);
    } else {
      out += c;
    }
  }
  return out;
}

std::string url_escaped(std::string_view value) {
  std::string out;
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    const bool plain = (byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
                       (byte >= 'a' && byte <= 'z') || c == '-' || c == '_' || c == '.' || c == '~';
    out += plain ? std::string(1, c) : c == ' ' ? "+" : fmt::format("%{:02X}", byte);
  }
  return out;
}

// Several arguments are printed together first.
std::string joined(const Values& v) { return template_print(v); }

// ---- dates ----

Result<TemplateTime> time_argument(const TemplateValue& value) {
  if (const auto* time = std::get_if<TemplateTime>(&value)) return *time;
  return bad("wrong type for value; expected time.Time; got " + std::string(template_type(value)));
}

bool is_known_zone(std::string_view zone) {
  return zone.empty() || zone == "UTC" || zone == "Local";
}

// Text that does not follow the layout is the zero time, as in Go where the error is not looked at.
TemplateValue read_date(const std::string& layout, const std::string& value) {
  const auto time = parse_time_layout(layout, value);
  return time ? *time : TemplateTime{};
}

Answer date_in_zone(const Values& v) {
  const std::string zone = text(v, 1);
  if (!is_known_zone(zone)) {
    return Error{Code::unsupported,
                 "time zone \"" + zone + "\" is not yet supported",
                 "UTC and offsets in the text are",
                 {},
                 {}};
  }
  return read_date(text(v, 0), text(v, 2));
}

// sprig: a time, or seconds; of anything else it makes now.
Answer date_text(const Values& v, const TemplateContext& context) {
  TemplateTime time = time_of_ns(context.now_ns);
  if (const auto* given = std::get_if<TemplateTime>(&v[1])) {
    time = *given;
  } else if (const auto* seconds = std::get_if<int64_t>(&v[1])) {
    time = TemplateTime{};
    time.seconds = *seconds;
  }
  time.offset_seconds = 0;
  time.zone = "UTC";
  return TemplateValue(format_time(text(v, 0), time));
}

// Days, seconds, milliseconds, microseconds or nanoseconds, by the number of digits.
Answer time_of_epoch(const std::string& value) {
  const auto unable = [&](std::string_view why) {
    return bad("unable to parse time '" + value + "': " + std::string(why));
  };
  int64_t number = 0;
  const auto [end, error] = std::from_chars(value.data(), value.data() + value.size(), number);
  if (error != std::errc() || end != value.data() + value.size() || value.empty())
    return unable("invalid syntax");
  TemplateTime time;
  switch (value.size()) {
    case 5:
      time.seconds = number * 86'400;
      return TemplateValue(time);
    case 10:
      time.seconds = number;
      return TemplateValue(time);
    case 13:
      return TemplateValue(time_of_ns(number * 1'000'000));
    case 16:
      return TemplateValue(time_of_ns(number * 1'000));
    case 19:
      return TemplateValue(time_of_ns(number));
    default:
      return unable("it has neither 5, 10, 13, 16 nor 19 digits");
  }
}

template <typename Number>
Answer epoch_text(const TemplateValue& value, Number number) {
  CC_ASSIGN(const TemplateTime time, time_argument(value));
  return TemplateValue(std::to_string(number(time)));
}

int64_t milliseconds(const TemplateTime& time) {
  return static_cast<int64_t>(static_cast<uint64_t>(time.seconds) * 1000U +
                              static_cast<uint64_t>(time.nanoseconds / 1'000'000));
}

constexpr std::array kFunctions = {
    TemplateFunction{"__line__", 0, 0,
                     [](const Values&, const TemplateContext& context) -> Answer {
                       return TemplateValue(std::string(context.line));
                     }},
    TemplateFunction{"__timestamp__", 0, 0,
                     [](const Values&, const TemplateContext& context) -> Answer {
                       return TemplateValue(time_of_ns(context.time_ns));
                     }},
    // The renderer stops at the argument that decides; this is what is left.
    TemplateFunction{"and", 1, kManyArguments,
                     [](const Values& v, const TemplateContext&) -> Answer { return v.back(); }},
    TemplateFunction{"call", 1, kManyArguments,
                     [](const Values& v, const TemplateContext&) -> Answer {
                       return bad("call of a non-function of type " +
                                  std::string(template_type(v[0])));
                     }},
    TemplateFunction{"date", 2, 2, date_text},
    TemplateFunction{"eq", 2, kManyArguments,
                     [](const Values& v, const TemplateContext&) -> Answer { return is_any(v); }},
    TemplateFunction{"fromJson", 1, 1,
                     [](const Values& v, const TemplateContext&) -> Answer {
                       return template_from_json(text(v, 0));
                     }},
    TemplateFunction{"ge", 2, 2,
                     [](const Values& v, const TemplateContext&) -> Answer {
                       CC_ASSIGN(const bool below, less(v[0], v[1]));
                       return TemplateValue(!below);
                     }},
    TemplateFunction{"gt", 2, 2,
                     [](const Values& v, const TemplateContext&) -> Answer {
                       CC_ASSIGN(const bool below, less(v[0], v[1]));
                       if (below) return TemplateValue(false);
                       CC_ASSIGN(const bool same, equal(v[0], v[1]));
                       return TemplateValue(!same);
                     }},
    TemplateFunction{"html", 1, kManyArguments,
                     [](const Values& v, const TemplateContext&) -> Answer {
                       return TemplateValue(html_escaped(joined(v)));
                     }},
    TemplateFunction{"index", 1, kManyArguments,
                     [](const Values& v, const TemplateContext&) -> Answer { return element(v); }},
    TemplateFunction{"js", 1, kManyArguments,
                     [](const Values& v, const TemplateContext&) -> Answer {
                       return TemplateValue(js_escaped(joined(v)));
                     }},
    TemplateFunction{"le", 2, 2,
                     [](const Values& v, const TemplateContext&) -> Answer {
                       CC_ASSIGN(const bool below, less(v[0], v[1]));
                       if (below) return TemplateValue(true);
                       CC_ASSIGN(const bool same, equal(v[0], v[1]));
                       return TemplateValue(same);
                     }},
    TemplateFunction{
        "len", 1, 1,
        [](const Values& v, const TemplateContext&) -> Answer { return length_of(v[0]); }},
    TemplateFunction{"lt", 2, 2,
                     [](const Values& v, const TemplateContext&) -> Answer {
                       CC_ASSIGN(const bool below, less(v[0], v[1]));
                       return TemplateValue(below);
                     }},
    TemplateFunction{"ne", 2, 2,
                     [](const Values& v, const TemplateContext&) -> Answer {
                       CC_ASSIGN(const bool same, equal(v[0], v[1]));
                       return TemplateValue(!same);
                     }},
    TemplateFunction{"not", 1, 1,
                     [](const Values& v, const TemplateContext&) -> Answer {
                       return TemplateValue(!template_truth(v[0]));
                     }},
    TemplateFunction{"now", 0, 0,
                     [](const Values&, const TemplateContext& context) -> Answer {
                       return TemplateValue(time_of_ns(context.now_ns));
                     }},
    TemplateFunction{"or", 1, kManyArguments,
                     [](const Values& v, const TemplateContext&) -> Answer { return v.back(); }},
    TemplateFunction{"print", 0, kManyArguments,
                     [](const Values& v, const TemplateContext&) -> Answer {
                       return TemplateValue(template_print(v));
                     }},
    TemplateFunction{"printf", 1, kManyArguments,
                     [](const Values& v, const TemplateContext&) -> Answer {
                       CC_ASSIGN(std::string out,
                                 template_printf(text(v, 0), v.data() + 1, v.size() - 1));
                       return TemplateValue(std::move(out));
                     }},
    TemplateFunction{"println", 0, kManyArguments,
                     [](const Values& v, const TemplateContext&) -> Answer {
                       return TemplateValue(template_println(v));
                     }},
    TemplateFunction{"slice", 1, 4,
                     [](const Values& v, const TemplateContext&) -> Answer { return slice_of(v); }},
    TemplateFunction{"toDate", 2, 2,
                     [](const Values& v, const TemplateContext&) -> Answer {
                       return read_date(text(v, 0), text(v, 1));
                     }},
    TemplateFunction{
        "toDateInZone", 3, 3,
        [](const Values& v, const TemplateContext&) -> Answer { return date_in_zone(v); }},
    TemplateFunction{"unixEpoch", 1, 1,
                     [](const Values& v, const TemplateContext&) -> Answer {
                       return epoch_text(v[0], [](const TemplateTime& t) { return t.seconds; });
                     }},
    TemplateFunction{"unixEpochMillis", 1, 1,
                     [](const Values& v, const TemplateContext&) -> Answer {
                       return epoch_text(v[0], milliseconds);
                     }},
    TemplateFunction{"unixEpochNanos", 1, 1,
                     [](const Values& v,
                        const TemplateContext&) -> Answer { return epoch_text(v[0], time_ns); }},
    TemplateFunction{"unixToTime", 1, 1,
                     [](const Values& v,
                        const TemplateContext&) -> Answer { return time_of_epoch(text(v, 0)); }},
    TemplateFunction{"urlquery", 1, kManyArguments,
                     [](const Values& v, const TemplateContext&) -> Answer {
                       return TemplateValue(url_escaped(joined(v)));
                     }},
};

}  // namespace

std::span<const TemplateFunction> template_builtins() { return kFunctions; }

}  // namespace contextcore::logql
