#include "api/target.h"

#include "base/utf8.h"

namespace contextcore::api {

namespace {

int hex_digit(char c) {
  if (c >= '0' && c <= '9') return c - '0';
  if (c >= 'a' && c <= 'f') return c - 'a' + 10;
  if (c >= 'A' && c <= 'F') return c - 'A' + 10;
  return -1;
}

bool is_unreserved(char c) {
  return (c >= '0' && c <= '9') || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-' ||
         c == '.' || c == '_' || c == '~';
}

// The next '/'-separated segment of path from offset on; offset moves past it.
std::string_view next_segment(std::string_view path, size_t& offset) {
  size_t end = path.find('/', offset);
  if (end == std::string_view::npos) end = path.size();
  std::string_view segment = path.substr(offset, end - offset);
  offset = end + 1;
  return segment;
}

}  // namespace

Result<std::string> percent_decode(std::string_view text, bool plus_is_space) {
  std::string out;
  out.reserve(text.size());
  for (size_t i = 0; i < text.size(); ++i) {
    char c = text[i];
    if (c == '%') {
      int high = i + 2 < text.size() ? hex_digit(text[i + 1]) : -1;
      int low = i + 2 < text.size() ? hex_digit(text[i + 2]) : -1;
      if (high < 0 || low < 0) {
        return Error{Code::invalid_argument,
                     "'%' in an address has to be followed by two hexadecimal digits",
                     "write a literal percent sign as %25",
                     {},
                     static_cast<int64_t>(i)};
      }
      out.push_back(static_cast<char>(high * 16 + low));
      i += 2;
    } else {
      out.push_back(c == '+' && plus_is_space ? ' ' : c);
    }
  }
  if (!is_valid_utf8(out)) {
    return Error{Code::invalid_argument, "an address holds bytes that are not UTF-8", {}, {}, {}};
  }
  return out;
}

std::string percent_encode(std::string_view text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  out.reserve(text.size());
  for (char c : text) {
    if (is_unreserved(c)) {
      out.push_back(c);
      continue;
    }
    auto byte = static_cast<unsigned char>(c);
    out.push_back('%');
    out.push_back(kDigits[byte >> 4]);
    out.push_back(kDigits[byte & 15]);
  }
  return out;
}

Status parse_form(std::string_view text, Pairs& out) {
  size_t offset = 0;
  while (offset < text.size()) {
    size_t end = text.find('&', offset);
    if (end == std::string_view::npos) end = text.size();
    std::string_view pair = text.substr(offset, end - offset);
    offset = end + 1;
    if (pair.empty()) continue;
    if (out.size() >= kPairsMax) {
      return Status(Code::invalid_argument, "more than 1000 parameters in one request");
    }
    size_t equals = pair.find('=');
    std::string_view value = equals == std::string_view::npos ? "" : pair.substr(equals + 1);
    CC_ASSIGN(std::string decoded_key, percent_decode(pair.substr(0, equals), true));
    CC_ASSIGN(std::string decoded_value, percent_decode(value, true));
    out.emplace_back(std::move(decoded_key), std::move(decoded_value));
  }
  return {};
}

Status parse_target(std::string_view target, Request& request) {
  for (std::string_view scheme : {"http://", "https://"}) {
    if (!target.starts_with(scheme)) continue;
    size_t slash = target.find('/', scheme.size());
    target = slash == std::string_view::npos ? "/" : target.substr(slash);
  }
  target = target.substr(0, target.find('#'));
  if (target.empty() || target[0] != '/') {
    return Status(Code::invalid_argument,
                  "the request target has to be a path that starts with '/'");
  }
  size_t question = target.find('?');
  request.raw_path = std::string(target.substr(0, question));
  CC_ASSIGN(request.path, percent_decode(request.raw_path, false));
  if (question == std::string_view::npos) return {};
  return parse_form(target.substr(question + 1), request.query);
}

bool match_path(std::string_view pattern, std::string_view raw_path, Pairs& captures) {
  size_t first = captures.size();
  size_t i = 0, j = 0;
  while (i <= pattern.size() && j <= raw_path.size()) {
    std::string_view expected = next_segment(pattern, i);
    std::string_view segment = next_segment(raw_path, j);
    bool captured = expected.size() > 2 && expected.front() == '{' && expected.back() == '}';
    if (captured) {
      Result<std::string> value = percent_decode(segment, false);
      if (segment.empty() || !value.ok()) break;
      captures.emplace_back(expected.substr(1, expected.size() - 2), std::move(*value));
    } else if (expected != segment) {
      break;
    }
    bool pattern_done = i > pattern.size();
    bool path_done = j > raw_path.size();
    if (pattern_done && path_done) return true;
    if (pattern_done || path_done) break;
  }
  captures.resize(first);
  return false;
}

}  // namespace contextcore::api
