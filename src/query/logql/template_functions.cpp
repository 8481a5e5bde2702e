#include "query/logql/template_functions.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <cmath>
#include <optional>
#include <utility>

#include <re2/re2.h>

#include "base/text.h"
#include "base/time.h"
#include "query/common/regex.h"
#include "query/logql/text.h"

namespace contextcore::logql {
namespace {

constexpr std::string_view kSpaces = " \t\n\v\f\r";
constexpr size_t kTextBytesMax = 1 << 20;

Error bad(std::string message) {
  return Error{Code::invalid_argument, std::move(message), {}, {}, {}};
}

using Values = TemplateValues;
using Answer = Result<TemplateValue>;

std::string text(const Values& values, size_t index) { return template_text(values[index]); }

double real(const TemplateValue& value) {
  if (const auto* number = std::get_if<double>(&value)) return *number;
  if (const auto* number = std::get_if<int64_t>(&value)) return static_cast<double>(*number);
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? 1 : 0;
  const auto* text = std::get_if<std::string>(&value);
  double out = 0;
  return text != nullptr && parse_number(*text, out) ? out : 0;
}
// As sprig's int: what is not a number is 0, a fraction is cut off.
int64_t integer(const TemplateValue& value) {
  if (const auto* number = std::get_if<int64_t>(&value)) return *number;
  const double number = std::trunc(real(value));
  if (!(std::abs(number) < 9.2e18)) return 0;
  return static_cast<int64_t>(number);
}

std::string upper(std::string value) {
  std::transform(value.begin(), value.end(), value.begin(),
                 [](char c) { return c >= 'a' && c <= 'z' ? static_cast<char>(c - 32) : c; });
  return value;
}
std::string title(std::string value) {
  bool first = true;
  for (char& c : value) {
    if (first && c >= 'a' && c <= 'z') c = static_cast<char>(c - 32);
    first = kSpaces.find(c) != std::string_view::npos;
  }
  return value;
}

std::string trim(std::string_view value, std::string_view set, bool left, bool right) {
  if (left) value.remove_prefix(std::min(value.find_first_not_of(set), value.size()));
  if (right) value = value.substr(0, value.find_last_not_of(set) + 1);
  return std::string(value);
}
std::string without_prefix(std::string value, const std::string& prefix) {
  if (value.starts_with(prefix)) value.erase(0, prefix.size());
  return value;
}
std::string without_suffix(std::string value, const std::string& suffix) {
  if (value.ends_with(suffix)) value.resize(value.size() - suffix.size());
  return value;
}

// Go's strings.Replace: an empty old text stands between all bytes; times < 0 is all of them.
Answer replace(std::string_view value, std::string_view from, std::string_view to, int64_t times) {
  std::string out;
  size_t at = 0;
  for (; times != 0; --times) {
    const size_t found =
        from.empty() ? at + (out.empty() && at == 0 ? 0 : 1) : value.find(from, at);
    if (found == std::string_view::npos || found > value.size()) break;
    out.append(value, at, found - at).append(to);
    at = found + from.size();
    if (out.size() > kTextBytesMax) return bad("replace: the text is too long");
  }
  out.append(value, std::min(at, value.size()));
  return TemplateValue(std::move(out));
}

Answer indent(int64_t spaces, std::string_view value, bool new_line) {
  if (spaces < 0 || spaces > 1000) return bad("indent: the width must be from 0 to 1000");
  const std::string pad(static_cast<size_t>(spaces), ' ');
  std::string out = (new_line ? "\n" : "") + pad;
  for (const char c : value) {
    out += c;
    if (c == '\n') out += pad;
    if (out.size() > kTextBytesMax) return bad("indent: the text is too long");
  }
  return TemplateValue(std::move(out));
}

Answer aligned(int64_t width, std::string value, bool left) {
  if (width < 0 || width > 10000) return bad("align: the width must be from 0 to 10000");
  const auto wanted = static_cast<size_t>(width);
  if (value.size() >= wanted)
    return TemplateValue(left ? value.substr(0, wanted) : value.substr(value.size() - wanted));
  const std::string pad(wanted - value.size(), ' ');
  return TemplateValue(left ? value + pad : pad + value);
}

Answer repeated(int64_t times, const std::string& value) {
  if (times < 0) return bad("repeat: a negative count");
  if (static_cast<uint64_t>(times) > kTextBytesMax / std::max<size_t>(value.size(), 1))
    return bad("repeat: the text is too long");
  std::string out;
  for (int64_t i = 0; i < times; ++i) out += value;
  return TemplateValue(std::move(out));
}

std::string cut(std::string value, int64_t length) {
  const auto size = static_cast<int64_t>(value.size());
  if (length >= 0) return value.substr(0, static_cast<size_t>(std::min(length, size)));
  return length <= -size ? value : value.substr(static_cast<size_t>(size + length));
}

std::string part(const std::string& value, int64_t start, int64_t end) {
  const auto size = static_cast<int64_t>(value.size());
  const int64_t from = std::clamp<int64_t>(start, 0, size);
  const int64_t to = end < 0 || end > size ? size : end;
  return to <= from ? std::string()
                    : value.substr(static_cast<size_t>(from), static_cast<size_t>(to - from));
}

Answer regex_replace(const std::string& regex, const std::string& value, std::string to,
                     bool literal) {
  auto compiled = query::Regex::compile(regex, {.anchored = false, .dot_is_newline = false});
  if (!compiled.ok()) return bad("regexReplaceAll: " + compiled.error().message);
  // Go names groups with $1 or ${1}, RE2 with \1.
  std::string rewrite;
  for (size_t at = 0; at < to.size(); ++at) {
    const bool group = !literal && to[at] == '$' && at + 1 < to.size();
    if (group && to[at + 1] >= '0' && to[at + 1] <= '9') {
      rewrite += {'\\', to[++at]};
    } else if (group && to[at + 1] == '{' && at + 3 < to.size() && to[at + 3] == '}') {
      rewrite += {'\\', to[at + 2]};
      at += 3;
    } else {
      rewrite += to[at] == '\\' ? "\\\\" : std::string(1, to[at]);
    }
  }
  std::string error;
  if (!compiled->re2().CheckRewriteString(rewrite, &error)) return bad("regexReplaceAll: " + error);
  std::string out = value;
  re2::RE2::GlobalReplace(&out, compiled->re2(), rewrite);
  return TemplateValue(std::move(out));
}

Answer count_matches(const std::string& regex, const std::string& value) {
  auto compiled = query::Regex::compile(regex, {.anchored = false, .dot_is_newline = false});
  if (!compiled.ok()) return bad("count: " + compiled.error().message);
  int64_t matches = 0;
  re2::StringPiece found;
  for (size_t at = 0;
       at <= value.size() &&
       compiled->re2().Match(value, at, value.size(), re2::RE2::UNANCHORED, &found, 1);) {
    ++matches;
    at = static_cast<size_t>(found.data() - value.data()) + std::max<size_t>(found.size(), 1);
  }
  return TemplateValue(matches);
}

std::string url_encoded(std::string_view value) {
  std::string out;
  for (const char c : value) {
    const auto byte = static_cast<unsigned char>(c);
    if ((byte >= '0' && byte <= '9') || (byte >= 'A' && byte <= 'Z') ||
        (byte >= 'a' && byte <= 'z') || c == '-' || c == '_' || c == '.' || c == '~') {
      out += c;
    } else if (c == ' ') {
      out += '+';
    } else {
      constexpr std::string_view kHex = "0123456789ABCDEF";
      out += {'%', kHex[byte >> 4], kHex[byte & 15]};
    }
  }
  return out;
}

Answer url_decoded(std::string_view value) {
  std::string out;
  for (size_t at = 0; at < value.size(); ++at) {
    if (value[at] != '%') {
      out += value[at] == '+' ? ' ' : value[at];
      continue;
    }
    unsigned byte = 0;
    const char* digits = value.data() + at + 1;
    if (at + 2 >= value.size() || std::from_chars(digits, digits + 2, byte, 16).ptr != digits + 2) {
      return bad("invalid URL escape \"" + std::string(value.substr(at, 3)) + "\"");
    }
    out += static_cast<char>(byte);
    at += 2;
  }
  return TemplateValue(std::move(out));
}

constexpr std::string_view kBase64 =
    "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/";

std::string base64(std::string_view value) {
  std::string out;
  for (size_t at = 0; at < value.size(); at += 3) {
    uint32_t bits = 0;
    for (size_t i = 0; i < 3; ++i)
      bits = bits << 8 | (at + i < value.size() ? static_cast<unsigned char>(value[at + i]) : 0U);
    for (size_t i = 0; i < 4; ++i)
      out += at + i <= value.size() ? kBase64[bits >> (18 - 6 * i) & 63] : '=';
  }
  return out;
}

// What is not base64 gives the text of the error, as sprig does.
std::string from_base64(std::string_view value) {
  std::string out;
  uint32_t bits = 0;
  int held = 0;
  const std::string_view digits = value.substr(0, value.find('='));
  for (size_t at = 0; at < digits.size(); ++at) {
    const size_t digit = kBase64.find(digits[at]);
    if (digit == std::string_view::npos)
      return "illegal base64 data at input byte " + std::to_string(at);
    bits = bits << 6 | static_cast<uint32_t>(digit);
    held += 6;
    if (held >= 8) out += static_cast<char>(bits >> (held -= 8) & 255);
  }
  return out;
}

template <typename Fold>
Answer fold_integers(const Values& values, Fold fold) {
  int64_t sum = integer(values[0]);
  for (size_t i = 1; i < values.size(); ++i) sum = fold(sum, integer(values[i]));
  return TemplateValue(sum);
}
template <typename Fold>
Answer fold_reals(const Values& values, Fold fold) {
  double sum = real(values[0]);
  for (size_t i = 1; i < values.size(); ++i) sum = fold(sum, real(values[i]));
  return TemplateValue(sum);
}

// Wraps around as Go's int64 does.
int64_t wrap(uint64_t value) { return static_cast<int64_t>(value); }
uint64_t u(int64_t value) { return static_cast<uint64_t>(value); }

Answer rounded(double value, int64_t digits) {
  const double scale = std::pow(10.0, static_cast<double>(std::clamp<int64_t>(digits, -300, 300)));
  return TemplateValue(std::round(value * scale) / scale);
}

Answer seconds_of(const std::string& value) {
  const Result<int64_t> ns = parse_go_duration(value);
  if (!ns.ok()) return bad(no_duration(value));
  return TemplateValue(static_cast<double>(*ns) / 1e9);
}

Answer bytes_of(const std::string& value) {
  uint64_t bytes = 0;
  if (!parse_bytes(value, bytes)) return bad("bytes: \"" + value + "\" is not a size");
  return TemplateValue(static_cast<double>(bytes));
}

constexpr std::array kFunctions = {
    TemplateFunction{"Replace", 4, 4,
                     [](const Values& v, const TemplateContext&) -> Answer {
                       return replace(text(v, 0), text(v, 1), text(v, 2), integer(v[3]));
                     }},
    TemplateFunction{"ToLower", 1, 1,
                     [](const Values& v, const TemplateContext&) -> Answer {
                       return TemplateValue(lower_ascii(text(v, 0)));
                     }},
    TemplateFunction{"ToUpper", 1, 1,
                     [](const Values& v, const TemplateContext&) -> Answer {
                       return TemplateValue(upper(text(v, 0)));
                     }},
    TemplateFunction{"Trim", 2, 2,
                     [](const Values& v, const TemplateContext&) -> Answer {
                       return TemplateValue(trim(text(v, 0), text(v, 1), true, true));
                     }},
    TemplateFunction{"TrimLeft", 2, 2,
                     [](const Values& v, const TemplateContext&) -> Answer {
                       return TemplateValue(trim(text(v, 0), text(v, 1), true, false));
                     }},
    TemplateFunction{"TrimPrefix", 2, 2,
                     [](const Values& v, const TemplateContext&) -> Answer {
                       return TemplateValue(without_prefix(text(v, 0), text(v, 1)));
                     }},
    TemplateFunction{"TrimRight", 2, 2,
                     [](const Values& v, const TemplateContext&) -> Answer {
                       return TemplateValue(trim(text(v, 0), text(v, 1), false, true));
                     }},
    TemplateFunction{"TrimSpace", 1, 1,
                     [](const Values& v, const TemplateContext&) -> Answer {
                       return TemplateValue(trim(text(v, 0), kSpaces, true, true));
                     }},
    TemplateFunction{"TrimSuffix", 2, 2,
                     [](const Values& v, const TemplateContext&) -> Answer {
                       return TemplateValue(without_suffix(text(v, 0), text(v, 1)));
                     }},
    TemplateFunction{"add", 1, kManyArguments,
                     [](const Values& v, const TemplateContext&) -> Answer {
                       return fold_integers(v,
                                            [](int64_t a, int64_t b) { return wrap(u(a) + u(b)); });
                     }},
    TemplateFunction{"addf", 1, kManyArguments,
                     [](const Values& v, const TemplateContext&) -> Answer {
                       return fold_reals(v, [](double a, double b) { return a + b; });
                     }},
    TemplateFunction{"alignLeft", 2, 2,
                     [](const Values& v, const TemplateContext&) -> Answer {
                       return aligned(integer(v[0]), text(v, 1), true);
                     }},
    TemplateFunction{"alignRight", 2, 2,
                     [](const Values& v, const TemplateContext&) -> Answer {
                       return aligned(integer(v[0]), text(v, 1), false);
                     }},
    TemplateFunction{"b64dec", 1, 1,
                     [](const Values& v, const TemplateContext&) -> Answer {
                       return TemplateValue(from_base64(text(v, 0)));
                     }},
    TemplateFunction{"b64enc", 1, 1,
                     [](const Values& v, const TemplateContext&) -> Answer {
                       return TemplateValue(base64(text(v, 0)));
                     }},
    TemplateFunction{
        "bytes", 1, 1,
        [](const Values& v, const TemplateContext&) -> Answer { return bytes_of(text(v, 0)); }},
    TemplateFunction{"ceil", 1, 1,
                     [](const Values& v, const TemplateContext&) -> Answer {
                       return TemplateValue(std::ceil(real(v[0])));
                     }},
    TemplateFunction{"contains", 2, 2,
                     [](const Values& v, const TemplateContext&) -> Answer {
                       return TemplateValue(text(v, 1).find(text(v, 0)) != std::string::npos);
                     }},
    TemplateFunction{"count", 2, 2,
                     [](const Values& v, const TemplateContext&) -> Answer {
                       return count_matches(text(v, 0), text(v, 1));
                     }},
    TemplateFunction{"default", 2, 2,
                     [](const Values& v, const TemplateContext&) -> Answer {
                       return template_truth(v[1]) ? v[1] : v[0];
                     }},
    TemplateFunction{"div", 2, 2,
                     [](const Values& v, const TemplateContext&) -> Answer {
                       const int64_t by = integer(v[1]);
                       if (by == 0) return bad("div: division by zero");
                       return TemplateValue(by == -1 ? wrap(-u(integer(v[0])))
                                                     : integer(v[0]) / by);
                     }},
    TemplateFunction{"divf", 1, kManyArguments,
                     [](const Values& v, const TemplateContext&) -> Answer {
                       return fold_reals(v, [](double a, double b) { return a / b; });
                     }},
    TemplateFunction{
        "duration", 1, 1,
        [](const Values& v, const TemplateContext&) -> Answer { return seconds_of(text(v, 0)); }},
    TemplateFunction{
        "duration_seconds", 1, 1,
        [](const Values& v, const TemplateContext&) -> Answer { return seconds_of(text(v, 0)); }},
    TemplateFunction{"float64", 1, 1,
                     [](const Values& v, const TemplateContext&) -> Answer {
                       return TemplateValue(real(v[0]));
                     }},
    TemplateFunction{"floor", 1, 1,
                     [](const Values& v, const TemplateContext&) -> Answer {
                       return TemplateValue(std::floor(real(v[0])));
                     }},
    TemplateFunction{"hasPrefix", 2, 2,
                     [](const Values& v, const TemplateContext&)
                         -> Answer { return TemplateValue(text(v, 1).starts_with(text(v, 0))); }},
    TemplateFunction{"hasSuffix", 2, 2,
                     [](const Values& v, const TemplateContext&)
                         -> Answer { return TemplateValue(text(v, 1).ends_with(text(v, 0))); }},
    TemplateFunction{"indent", 2, 2,
                     [](const Values& v, const TemplateContext&)
                         -> Answer { return indent(integer(v[0]), text(v, 1), false); }},
    TemplateFunction{"int", 1, 1,
                     [](const Values& v,
                        const TemplateContext&) -> Answer { return TemplateValue(integer(v[0])); }},
    TemplateFunction{"lower", 1, 1,
                     [](const Values& v, const TemplateContext&)
                         -> Answer { return TemplateValue(lower_ascii(text(v, 0))); }},
    TemplateFunction{"max", 1, kManyArguments,
                     [](const Values& v, const TemplateContext&) -> Answer {
                       return fold_integers(v, [](int64_t a, int64_t b) { return std::max(a, b); });
                     }},
    TemplateFunction{"maxf", 1, kManyArguments,
                     [](const Values& v, const TemplateContext&) -> Answer {
                       return fold_reals(v, [](double a, double b) { return std::max(a, b); });
                     }},
    TemplateFunction{"min", 1, kManyArguments,
                     [](const Values& v, const TemplateContext&) -> Answer {
                       return fold_integers(v, [](int64_t a, int64_t b) { return std::min(a, b); });
                     }},
    TemplateFunction{"minf", 1, kManyArguments,
                     [](const Values& v, const TemplateContext&) -> Answer {
                       return fold_reals(v, [](double a, double b) { return std::min(a, b); });
                     }},
    TemplateFunction{
        "mod", 2, 2,
        [](const Values& v, const TemplateContext&) -> Answer {
          const int64_t by = integer(v[1]);
          if (by == 0) return bad("mod: division by zero");
          return TemplateValue(by == -1 ? int64_t{0} : integer(v[0]) % by);
        }},
    TemplateFunction{"mul", 1, kManyArguments,
                     [](const Values& v, const TemplateContext&) -> Answer {
                       return fold_integers(v,
                                            [](int64_t a, int64_t b) { return wrap(u(a) * u(b)); });
                     }},
    TemplateFunction{"mulf", 1, kManyArguments,
                     [](const Values& v, const TemplateContext&) -> Answer {
                       return fold_reals(v, [](double a, double b) { return a * b; });
                     }},
    TemplateFunction{"nindent", 2, 2,
                     [](const Values& v, const TemplateContext&)
                         -> Answer { return indent(integer(v[0]), text(v, 1), true); }},
    TemplateFunction{"regexReplaceAll", 3, 3,
                     [](const Values& v, const TemplateContext&) -> Answer {
                       return regex_replace(text(v, 0), text(v, 1), text(v, 2), false);
                     }},
    TemplateFunction{"regexReplaceAllLiteral", 3, 3,
                     [](const Values& v, const TemplateContext&) -> Answer {
                       return regex_replace(text(v, 0), text(v, 1), text(v, 2), true);
                     }},
    TemplateFunction{"repeat", 2, 2,
                     [](const Values& v, const TemplateContext&)
                         -> Answer { return repeated(integer(v[0]), text(v, 1)); }},
    TemplateFunction{"replace", 3, 3,
                     [](const Values& v, const TemplateContext&)
                         -> Answer { return replace(text(v, 2), text(v, 0), text(v, 1), -1); }},
    TemplateFunction{"round", 2, 2,
                     [](const Values& v, const TemplateContext&)
                         -> Answer { return rounded(real(v[0]), integer(v[1])); }},
    TemplateFunction{
        "sub", 2, 2,
        [](const Values& v, const TemplateContext&) -> Answer {
          return TemplateValue(wrap(u(integer(v[0])) - u(integer(v[1]))));
        }},
    TemplateFunction{"subf", 1, kManyArguments,
                     [](const Values& v, const TemplateContext&) -> Answer {
                       return fold_reals(v, [](double a, double b) { return a - b; });
                     }},
    TemplateFunction{
        "substr", 3,
        3,
        [](const Values& v, const TemplateContext&)
            -> Answer { return TemplateValue(part(text(v, 2), integer(v[0]), integer(v[1]))); }},
    TemplateFunction{"title", 1, 1,
                     [](const Values& v, const TemplateContext&)
                         -> Answer { return TemplateValue(title(text(v, 0))); }},
    TemplateFunction{
        "trim", 1, 1,
        [](const Values& v, const TemplateContext&)
            -> Answer { return TemplateValue(trim(text(v, 0), kSpaces, true, true)); }},
    TemplateFunction{
        "trimAll", 2, 2,
        [](const Values& v, const TemplateContext&)
            -> Answer { return TemplateValue(trim(text(v, 1), text(v, 0), true, true)); }},
    TemplateFunction{
        "trimPrefix", 2, 2,
        [](const Values& v, const TemplateContext&)
            -> Answer { return TemplateValue(without_prefix(text(v, 1), text(v, 0))); }},
    TemplateFunction{
        "trimSuffix", 2, 2,
        [](const Values& v, const TemplateContext&)
            -> Answer { return TemplateValue(without_suffix(text(v, 1), text(v, 0))); }},
    TemplateFunction{"trunc", 2, 2,
                     [](const Values& v, const TemplateContext&)
                         -> Answer { return TemplateValue(cut(text(v, 1), integer(v[0]))); }},
    TemplateFunction{"upper", 1, 1,
                     [](const Values& v, const TemplateContext&)
                         -> Answer { return TemplateValue(upper(text(v, 0))); }},
    TemplateFunction{"urldecode", 1, 1,
                     [](const Values& v,
                        const TemplateContext&) -> Answer { return url_decoded(text(v, 0)); }},
    TemplateFunction{"urlencode", 1, 1,
                     [](const Values& v, const TemplateContext&)
                         -> Answer { return TemplateValue(url_encoded(text(v, 0))); }},
};

const TemplateFunction* find_in(std::span<const TemplateFunction> functions,
                                std::string_view name) {
  const auto found = std::lower_bound(
      functions.begin(), functions.end(), name,
      [](const TemplateFunction& f, std::string_view wanted) { return f.name < wanted; });
  return found != functions.end() && found->name == name ? &*found : nullptr;
}

}  // namespace

double template_real(const TemplateValue& value) { return real(value); }
int64_t template_integer(const TemplateValue& value) { return integer(value); }

const TemplateFunction* find_template_function(std::string_view name) {
  const TemplateFunction* found = find_in(kFunctions, name);
  return found != nullptr ? found : find_in(template_builtins(), name);
}

}  // namespace contextcore::logql
