#include "query/logql/template_value.h"

#include <array>
#include <charconv>
#include <cmath>
#include <cstdlib>

#include "base/json.h"
#include "query/logql/template_time.h"
#include "query/logql/text.h"

namespace contextcore::logql {
namespace {

TemplateValue of_json(const Json& json) {
  if (json.is_null()) return {};
  if (const bool* flag = json.as_bool()) return *flag;
  if (const std::string* text = json.as_string()) return *text;
  if (json.is_number()) return json.number();
  if (const JsonArray* array = json.as_array()) {
    TemplateList out;
    for (const Json& element : *array) out.push_back(of_json(element));
    return std::make_shared<const TemplateList>(std::move(out));
  }
  TemplateMap out;
  for (const auto& [name, member] : *json.as_object()) out[name] = of_json(member);
  return std::make_shared<const TemplateMap>(std::move(out));
}

std::string nested_text(const TemplateValue& value) {
  return value.is_nil() ? "<nil>" : template_text(value);
}

}  // namespace

std::string template_real_text(double value) {
  if (!std::isfinite(value)) return format_number(value);
  std::array<char, 400> buffer;
  const auto write = [&](std::chars_format format) {
    const auto end = std::to_chars(buffer.data(), buffer.data() + buffer.size(), value, format).ptr;
    return std::string(buffer.data(), end);
  };
  std::string scientific = write(std::chars_format::scientific);
  const int exponent = std::atoi(scientific.c_str() + scientific.find('e') + 1);
  return exponent < -4 || exponent >= 6 ? scientific : write(std::chars_format::fixed);
}

bool template_truth(const TemplateValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return !text->empty();
  if (const auto* flag = std::get_if<bool>(&value)) return *flag;
  if (const auto* number = std::get_if<int64_t>(&value)) return *number != 0;
  if (const auto* number = std::get_if<double>(&value)) return *number != 0;
  if (const TemplateList* list = value.list()) return !list->empty();
  if (const TemplateMap* map = value.map()) return !map->empty();
  return !value.is_nil();
}

std::string template_text(const TemplateValue& value) {
  if (const auto* text = std::get_if<std::string>(&value)) return *text;
  if (const auto* flag = std::get_if<bool>(&value)) return *flag ? "true" : "false";
  if (const auto* number = std::get_if<int64_t>(&value)) return std::to_string(*number);
  if (const auto* number = std::get_if<double>(&value)) return template_real_text(*number);
  if (const auto* time = std::get_if<TemplateTime>(&value)) return time_text(*time);
  std::string out;
  if (const TemplateList* list = value.list()) {
    for (const TemplateValue& element : *list) {
      if (!out.empty()) out += ' ';
      out += nested_text(element);
    }
    return "[" + out + "]";
  }
  if (const TemplateMap* map = value.map()) {
    for (const auto& [name, member] : *map) {
      if (!out.empty()) out += ' ';
      out += name + ":" + nested_text(member);
    }
    return "map[" + out + "]";
  }
  return "<no value>";
}

std::string_view template_type(const TemplateValue& value) {
  switch (value.index()) {
    case 1:
      return "string";
    case 2:
      return "bool";
    case 3:
      return "int";
    case 4:
      return "float64";
    case 5:
      return "time.Time";
    case 6:
      return "[]interface {}";
    case 7:
      return "map[string]interface {}";
    default:
      return "nil";
  }
}

TemplateValue template_from_json(std::string_view text) {
  const Result<Json> json = parse_json(text);
  return json.ok() ? of_json(*json) : TemplateValue();
}

}  // namespace contextcore::logql
