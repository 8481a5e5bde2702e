#include "work/args.h"

#include <algorithm>

#include "base/time.h"
#include "base/utf8.h"

namespace contextcore::work {
namespace {

// Edits between two names, a swap of neighbours counting as one; given up above max.
size_t edit_distance(std::string_view a, std::string_view b, size_t max) {
  if ((a.size() > b.size() ? a.size() - b.size() : b.size() - a.size()) > max) return max + 1;
  std::vector<size_t> before, last, row(b.size() + 1);
  for (size_t j = 0; j <= b.size(); j++) row[j] = j;
  for (size_t i = 1; i <= a.size(); i++) {
    before = std::move(last);
    last = std::move(row);
    row.assign(b.size() + 1, i);
    for (size_t j = 1; j <= b.size(); j++) {
      row[j] =
          std::min({last[j] + 1, row[j - 1] + 1, last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1)});
      const bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
      if (swapped) row[j] = std::min(row[j], before[j - 2] + 1);
    }
  }
  return row[b.size()];
}

std::string_view type_name(const Json& json) {
  if (json.is_null()) return "null";
  if (json.as_bool()) return "a boolean";
  if (json.as_string()) return "a string";
  if (json.as_array()) return "an array";
  if (json.as_object()) return "an object";
  return "a number";
}

std::string quoted(std::string_view text) {
  std::string out;
  append_json_string(utf8_prefix(text, 80), out);
  return out;
}

}  // namespace

std::vector<std::string> close_matches(std::string_view name,
                                       std::span<const std::string_view> known) {
  const size_t max = std::max<size_t>(1, std::min<size_t>(name.size(), 64) / 3);
  std::vector<std::pair<size_t, std::string_view>> found;
  if (name.size() > kIdBytesMax) return {};
  for (const std::string_view candidate : known) {
    size_t distance = edit_distance(name, candidate, max);
    if (distance > max && name.size() >= 2 && candidate.starts_with(name)) distance = max;
    if (distance <= max) found.emplace_back(distance, candidate);
  }
  std::sort(found.begin(), found.end());
  std::vector<std::string> result;
  for (size_t i = 0; i < found.size() && i < 3; i++) result.emplace_back(found[i].second);
  return result;
}

std::string join_names(std::span<const std::string_view> names) {
  std::string out;
  for (size_t i = 0; i < names.size(); i++) {
    if (i > 0) out += i + 1 == names.size() ? " or " : ", ";
    out += names[i];
  }
  return out;
}

Error unknown_name(std::string_view what, std::string_view name,
                   std::span<const std::string_view> known) {
  Error error{
      Code::invalid_argument, "unknown " + std::string(what) + " " + quoted(name), {}, {}, {}};
  error.hint = "known: " + join_names(known);
  error.candidates = close_matches(name, known);
  return error;
}

Status check_id(std::string_view what, std::string_view id) {
  const auto refuse = [&](const std::string& why) {
    return Status(Code::invalid_argument, std::string(what) + " " + quoted(id) + " " + why);
  };
  if (id.empty()) return Status(Code::invalid_argument, std::string(what) + " is empty");
  if (id.size() > kIdBytesMax) return refuse("is longer than 256 bytes");
  if (!is_valid_utf8(id)) return refuse("is not valid UTF-8");
  for (size_t i = 0; i < id.size(); i++) {
    const auto c = static_cast<unsigned char>(id[i]);
    // C0, DEL, and C1 (U+0080..U+009F is C2 80..9F).
    const bool c1 = c == 0xc2 && i + 1 < id.size() && static_cast<unsigned char>(id[i + 1]) < 0xa0;
    if (c < 0x20 || c == 0x7f || c1) return refuse("contains a control character");
  }
  return {};
}

Status check_utf8(const Json& json) {
  if (const auto* text = json.as_string(); text && !is_valid_utf8(*text)) {
    return Status(Code::invalid_argument,
                  "a string is not valid UTF-8: " + quoted(to_valid_utf8(*text)));
  }
  if (const auto* array = json.as_array()) {
    for (const Json& element : *array) CC_TRY(check_utf8(element));
  }
  if (const auto* object = json.as_object()) {
    for (const auto& [name, value] : *object) {
      CC_TRY(check_utf8(Json(name)));
      CC_TRY(check_utf8(value));
    }
  }
  return {};
}

Result<Args> Args::make(std::string_view op, const Json& json,
                        std::span<const std::string_view> allowed) {
  Args args;
  args.op_ = op;
  if (json.is_null()) return args;
  const JsonObject* object = json.as_object();
  if (!object) {
    return Error{
        Code::invalid_argument,
        "the arguments of " + args.op_ + " are " + std::string(type_name(json)) + ", not an object",
        {},
        {},
        {}};
  }
  for (const auto& [name, value] : *object) {
    if (std::find(allowed.begin(), allowed.end(), name) == allowed.end()) {
      Error error = unknown_name("field", name, allowed);
      error.message += " for " + args.op_;
      return error;
    }
    const bool twice = std::any_of(args.members_.begin(), args.members_.end(),
                                   [&](const auto& member) { return member.first == name; });
    if (twice) {
      return Error{Code::invalid_argument,
                   "field " + name + " of " + args.op_ + " stands twice",
                   {},
                   {},
                   {}};
    }
    args.members_.emplace_back(name, value);
  }
  return args;
}

const Json* Args::find(std::string_view name) const {
  for (const auto& [key, value] : members_) {
    if (key == name) return value.is_null() ? nullptr : &value;
  }
  return nullptr;
}

bool Args::has(std::string_view name) const { return find(name) != nullptr; }

bool Args::is_null(std::string_view name) const {
  return std::any_of(members_.begin(), members_.end(), [&](const auto& member) {
    return member.first == name && member.second.is_null();
  });
}

Error Args::wrong_type(std::string_view name, std::string_view expected) const {
  const Json* value = find(name);
  return Error{Code::invalid_argument,
               std::string(name) + " of " + op_ + " must be " + std::string(expected) + ", not " +
                   std::string(value ? type_name(*value) : "absent"),
               {},
               {},
               {}};
}

Result<std::string> Args::text(std::string_view name) const {
  const Json* value = find(name);
  if (!value) return std::string();
  if (!value->as_string()) return wrong_type(name, "a string");
  return *value->as_string();
}

Result<std::string> Args::required(std::string_view name) const {
  CC_ASSIGN(std::string value, text(name));
  if (value.empty()) {
    return Error{Code::invalid_argument, op_ + " needs " + std::string(name), {}, {}, {}};
  }
  return value;
}

Result<bool> Args::flag(std::string_view name) const {
  const Json* value = find(name);
  if (!value) return false;
  if (!value->as_bool()) return wrong_type(name, "true or false");
  return *value->as_bool();
}

Result<std::optional<int64_t>> Args::integer(std::string_view name, int64_t min,
                                             int64_t max) const {
  const Json* value = find(name);
  if (!value) return std::optional<int64_t>();
  std::optional<int64_t> integer;
  if (value->as_int()) {
    integer = *value->as_int();
  } else if (const auto* real = std::get_if<double>(&value->data);
             real && *real >= -9e15 && *real <= 9e15 &&
             *real == static_cast<double>(static_cast<int64_t>(*real))) {
    integer = static_cast<int64_t>(*real);  // 40.0, as some JSON writers have it
  } else if (!value->is_number()) {
    return wrong_type(name, "an integer");
  }
  if (!integer || *integer < min || *integer > max) {
    return Error{Code::invalid_argument,
                 std::string(name) + " of " + op_ + " must be an integer from " +
                     std::to_string(min) + " to " + std::to_string(max) + ", not " +
                     contextcore::to_string(*value),
                 {},
                 {},
                 {}};
  }
  return integer;
}

Result<std::optional<double>> Args::number(std::string_view name) const {
  const Json* value = find(name);
  if (!value) return std::optional<double>();
  if (!value->is_number()) return wrong_type(name, "a number");
  return std::optional<double>(value->number());
}

Result<std::vector<std::string>> Args::list(std::string_view name) const {
  const Json* value = find(name);
  std::vector<std::string> result;
  if (!value) return result;
  if (const auto* one = value->as_string()) {
    result.push_back(*one);
    return result;
  }
  if (!value->as_array()) return wrong_type(name, "an array of strings");
  for (const Json& element : *value->as_array()) {
    if (!element.as_string()) return wrong_type(name, "an array of strings");
    result.push_back(*element.as_string());
  }
  return result;
}

Result<std::string> Args::choice(std::string_view name,
                                 std::span<const std::string_view> names) const {
  CC_ASSIGN(std::string value, text(name));
  if (!value.empty() && std::find(names.begin(), names.end(), value) == names.end()) {
    return unknown_name(name, value, names);
  }
  return value;
}

Result<std::vector<std::string>> Args::choices(std::string_view name,
                                               std::span<const std::string_view> names) const {
  CC_ASSIGN(std::vector<std::string> values, list(name));
  for (const std::string& value : values) {
    if (std::find(names.begin(), names.end(), value) == names.end()) {
      return unknown_name(name, value, names);
    }
  }
  return values;
}

Result<std::string> Args::time(std::string_view name) const {
  CC_ASSIGN(std::string value, text(name));
  if (value.empty()) return value;
  auto parsed = parse_rfc3339(value);
  if (!parsed.ok()) {
    return Error{Code::invalid_argument,
                 std::string(name) + " of " + op_ + " is no RFC 3339 time: " + quoted(value),
                 "write 2026-11-22T15:24:29Z or 2026-11-22",
                 {},
                 {}};
  }
  return format_rfc3339(*parsed);
}

Result<JsonObject> Args::object(std::string_view name) const {
  const Json* value = find(name);
  if (!value) return JsonObject();
  if (!value->as_object()) return wrong_type(name, "an object");
  return *value->as_object();
}

}  // namespace contextcore::work
