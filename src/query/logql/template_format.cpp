// fmt.Sprintf and its kin, for the values of templates.

#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>

#include "query/logql/template_value.h"
#include "query/logql/text.h"

namespace contextcore::logql {
namespace {

constexpr int kWidthMax = 10'000;
constexpr size_t kTextBytesMax = 1 << 20;

struct Verb {
  bool minus = false, plus = false, sharp = false, blank = false, zero = false;
  int width = -1, precision = -1;
  char name = 0;
};

size_t runes(std::string_view text) {
  return static_cast<size_t>(std::count_if(text.begin(), text.end(), [](char c) {
    return (static_cast<unsigned char>(c) & 0xC0) != 0x80;
  }));
}

// The first so many characters.
std::string_view first_runes(std::string_view text, size_t count) {
  for (size_t at = 0; at < text.size(); ++at) {
    const bool starts = (static_cast<unsigned char>(text[at]) & 0xC0) != 0x80;
    if (starts && count-- == 0) return text.substr(0, at);
  }
  return text;
}

std::string padded(std::string text, const Verb& verb, bool number) {
  const size_t length = runes(text);
  if (verb.width < 0 || length >= static_cast<size_t>(verb.width)) return text;
  const size_t missing = static_cast<size_t>(verb.width) - length;
  if (verb.minus) return text + std::string(missing, ' ');
  if (!verb.zero) return std::string(missing, ' ') + text;
  const size_t sign = number && !text.empty() && (text[0] == '-' || text[0] == '+') ? 1 : 0;
  return text.insert(sign, missing, '0');
}

std::string hex(std::string_view text, bool upper) {
  std::string out;
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    out += upper ? fmt::format("{:02X}", byte) : fmt::format("{:02x}", byte);
  }
  return out;
}

std::string signed_text(std::string text, const Verb& verb) {
  if (text.starts_with('-')) return text;
  if (verb.plus) return "+" + text;
  return verb.blank ? " " + text : text;
}

std::string character(int64_t point) {
  if (point < 0 || point > 0x10FFFF || (point >= 0xD800 && point < 0xE000)) point = 0xFFFD;
  const auto p = static_cast<uint32_t>(point);
  std::string out;
  const auto tail = [&](int shift) { out += static_cast<char>(0x80 | ((p >> shift) & 0x3F)); };
  if (p < 0x80) {
    out += static_cast<char>(p);
  } else if (p < 0x800) {
    out += static_cast<char>(0xC0 | (p >> 6));
    tail(0);
  } else if (p < 0x10000) {
    out += static_cast<char>(0xE0 | (p >> 12));
    tail(6), tail(0);
  } else {
    out += static_cast<char>(0xF0 | (p >> 18));
    tail(12), tail(6), tail(0);
  }
  return out;
}

// False: no verb of integers.
bool format_integer(int64_t value, const Verb& verb, std::string& out) {
  const std::string sign = value < 0 ? "-" : "";
  const uint64_t size =
      value < 0 ? ~static_cast<uint64_t>(value) + 1 : static_cast<uint64_t>(value);
  std::string digits;
  switch (verb.name) {
    case 'd':
    case 'v':
      digits = std::to_string(size);
      break;
    case 'x':
      digits = (verb.sharp ? "0x" : "") + fmt::format("{:x}", size);
      break;
    case 'X':
      digits = (verb.sharp ? "0X" : "") + fmt::format("{:X}", size);
      break;
    case 'o':
      digits = (verb.sharp ? "0" : "") + fmt::format("{:o}", size);
      break;
    case 'b':
      digits = fmt::format("{:b}", size);
      break;
    case 'c':
      out = padded(character(value), verb, false);
      return true;
    case 'U':
      out = padded(fmt::format("U+{:04X}", size), verb, false);
      return true;
    case 'q':
      out = padded("'" + character(value) + "'", verb, false);
      return true;
    default:
      return false;
  }
  if (verb.precision >= 0 && digits.size() < static_cast<size_t>(verb.precision))
    digits.insert(0, static_cast<size_t>(verb.precision) - digits.size(), '0');
  out = padded(signed_text(sign + digits, verb), verb, true);
  return true;
}

bool format_real(double value, const Verb& verb, std::string& out) {
  std::string text;
  if (std::isnan(value)) {
    text = "NaN";
  } else if (std::isinf(value)) {
    text = value > 0 ? "+Inf" : "-Inf";
  } else if ((verb.name == 'v' || verb.name == 'g' || verb.name == 'G') && verb.precision < 0) {
    text = template_real_text(value);
  } else {
    const int precision = verb.precision < 0 ? 6 : verb.precision;
    switch (verb.name) {
      case 'f':
      case 'F':
        text = fmt::format("{:.{}f}", value, precision);
        break;
      case 'e':
        text = fmt::format("{:.{}e}", value, precision);
        break;
      case 'E':
        text = fmt::format("{:.{}E}", value, precision);
        break;
      case 'g':
      case 'v':
        text = fmt::format("{:.{}g}", value, std::max(precision, 1));
        break;
      case 'G':
        text = fmt::format("{:.{}G}", value, std::max(precision, 1));
        break;
      default:
        return false;
    }
  }
  Verb plain = verb;
  plain.zero = verb.zero && std::isfinite(value);
  out = padded(signed_text(std::move(text), verb), plain, true);
  return true;
}

bool format_string(std::string_view value, const Verb& verb, std::string& out) {
  if (verb.precision >= 0) value = first_runes(value, static_cast<size_t>(verb.precision));
  switch (verb.name) {
    case 's':
      out = value;
      break;
    case 'v':
      out = verb.sharp ? quote(value) : std::string(value);
      break;
    case 'q':
      out = verb.sharp && value.find('`') == std::string_view::npos ? "`" + std::string(value) + "`"
                                                                    : quote(value);
      break;
    case 'x':
    case 'X':
      out = hex(value, verb.name == 'X');
      break;
    default:
      return false;
  }
  out = padded(std::move(out), verb, false);
  return true;
}

std::string bad_verb(const TemplateValue& value, const Verb& verb) {
  if (value.is_nil()) return fmt::format("%!{}(<nil>)", verb.name);
  return fmt::format("%!{}({}={})", verb.name, template_type(value), template_text(value));
}

std::string formatted(const TemplateValue& value, const Verb& verb) {
  std::string out;
  if (verb.name == 'T')
    return padded(value.is_nil() ? "<nil>" : std::string(template_type(value)), verb, false);
  bool known = false;
  if (const auto* text = std::get_if<std::string>(&value)) {
    known = format_string(*text, verb, out);
  } else if (const auto* number = std::get_if<int64_t>(&value)) {
    known = format_integer(*number, verb, out);
  } else if (const auto* real = std::get_if<double>(&value)) {
    known = format_real(*real, verb, out);
  } else if (const auto* flag = std::get_if<bool>(&value)) {
    known = verb.name == 't' || verb.name == 'v';
    if (known) out = padded(*flag ? "true" : "false", verb, false);
  } else if (value.is_nil()) {
    known = verb.name == 'v';
    if (known) out = padded("<nil>", verb, false);
  } else if (const TemplateList* list = value.list(); list != nullptr && verb.name != 'v') {
    for (const TemplateValue& element : *list)
      out += (out.empty() ? "" : " ") + formatted(element, verb);
    return "[" + out + "]";
  } else {
    known = verb.name == 'v' || verb.name == 's';
    if (known) out = padded(template_text(value), verb, false);
  }
  return known ? out : bad_verb(value, verb);
}

// Reads flags, width and precision behind a %.
class VerbReader {
 public:
  VerbReader(std::string_view format, size_t& at, const TemplateValue* arguments, size_t count,
             size_t& next)
      : format_(format), at_(at), arguments_(arguments), count_(count), next_(next) {}

  Verb read(std::string& problems) {
    Verb verb;
    for (bool flag = true; flag && at_ < format_.size();) {
      switch (format_[at_]) {
        case '-':
          verb.minus = true;
          break;
        case '+':
          verb.plus = true;
          break;
        case '#':
          verb.sharp = true;
          break;
        case ' ':
          verb.blank = true;
          break;
        case '0':
          verb.zero = true;
          break;
        default:
          flag = false;
      }
      if (flag) ++at_;
    }
    if (!number(verb.width)) problems += "%!(BADWIDTH)";
    if (verb.width < -1) {
      verb.minus = true;
      verb.width = -verb.width;
    }
    if (at_ < format_.size() && format_[at_] == '.') {
      ++at_;
      verb.precision = 0;
      if (!number(verb.precision)) problems += "%!(BADPREC)";
      if (verb.precision < 0) verb.precision = -1;
    }
    if (at_ < format_.size()) verb.name = format_[at_++];
    return verb;
  }

 private:
  // Digits, or an argument for *. False: an argument that is no such number.
  bool number(int& out) {
    if (at_ < format_.size() && format_[at_] == '*') {
      ++at_;
      const auto* value = next_ < count_ ? std::get_if<int64_t>(&arguments_[next_]) : nullptr;
      if (next_ < count_) ++next_;
      if (value == nullptr || *value > kWidthMax || *value < -kWidthMax) return false;
      out = static_cast<int>(*value);
      return true;
    }
    int value = 0;
    const size_t start = at_;
    while (at_ < format_.size() && format_[at_] >= '0' && format_[at_] <= '9')
      value = std::min(value * 10 + (format_[at_++] - '0'), kWidthMax);
    if (at_ > start) out = value;
    return true;
  }

  std::string_view format_;
  size_t& at_;
  const TemplateValue* arguments_;
  size_t count_;
  size_t& next_;
};

}  // namespace

Result<std::string> template_printf(std::string_view format, const TemplateValue* arguments,
                                    size_t count) {
  std::string out;
  size_t next = 0;
  for (size_t at = 0; at < format.size();) {
    if (format[at] != '%') {
      out += format[at++];
      continue;
    }
    ++at;
    const Verb verb = VerbReader(format, at, arguments, count, next).read(out);
    if (verb.name == 0) {
      out += "%!(NOVERB)";
    } else if (verb.name == '%') {
      out += '%';
    } else if (next >= count) {
      out += fmt::format("%!{}(MISSING)", verb.name);
    } else {
      out += formatted(arguments[next++], verb);
    }
    if (out.size() > kTextBytesMax)
      return Error{Code::invalid_argument, "printf: the text is too long", {}, {}, {}};
  }
  if (next >= count) return out;
  out += "%!(EXTRA ";
  for (size_t i = next; i < count; ++i) {
    if (i > next) out += ", ";
    out += arguments[i].is_nil()
               ? "<nil>"
               : fmt::format("{}={}", template_type(arguments[i]), template_text(arguments[i]));
  }
  return out + ")";
}

std::string template_print(const TemplateValues& values) {
  std::string out;
  for (size_t i = 0; i < values.size(); ++i) {
    const auto is_text = [&](size_t n) { return std::holds_alternative<std::string>(values[n]); };
    if (i > 0 && !is_text(i) && !is_text(i - 1)) out += ' ';
    out += values[i].is_nil() ? "<nil>" : template_text(values[i]);
  }
  return out;
}

std::string template_println(const TemplateValues& values) {
  std::string out;
  for (const TemplateValue& value : values) {
    if (&value != &values.front()) out += ' ';
    out += value.is_nil() ? "<nil>" : template_text(value);
  }
  return out + "\n";
}

}  // namespace contextcore::logql
