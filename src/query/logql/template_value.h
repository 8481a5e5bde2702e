#pragma once
// The values that templates work with: those of Go that text/template and Loki's functions make.
// Lists and maps come from fromJson and from the labels themselves.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <variant>
#include <vector>

#include "base/result.h"

namespace contextcore::logql {

struct TemplateValue;
using TemplateList = std::vector<TemplateValue>;
using TemplateMap = std::map<std::string, TemplateValue>;
using TemplateValues = std::vector<TemplateValue>;

// A time with the zone that it is shown in. The default is Go's zero time, the first of January 1.
struct TemplateTime {
  int64_t seconds = -62'135'596'800;  // since 1970
  int32_t nanoseconds = 0;
  int32_t offset_seconds = 0;  // east of UTC
  std::string zone = "UTC";    // its abbreviation; "" is shown as the offset
  bool operator==(const TemplateTime& other) const {
    return seconds == other.seconds && nanoseconds == other.nanoseconds;
  }
};

// monostate: nil.
struct TemplateValue
    : std::variant<std::monostate, std::string, bool, int64_t, double, TemplateTime,
                   std::shared_ptr<const TemplateList>, std::shared_ptr<const TemplateMap>> {
  using variant::variant;
  using variant::operator=;

  const TemplateList* list() const {
    const auto* pointer = std::get_if<std::shared_ptr<const TemplateList>>(this);
    return pointer != nullptr ? pointer->get() : nullptr;
  }
  const TemplateMap* map() const {
    const auto* pointer = std::get_if<std::shared_ptr<const TemplateMap>>(this);
    return pointer != nullptr ? pointer->get() : nullptr;
  }
  bool is_nil() const { return std::holds_alternative<std::monostate>(*this); }
};

// Empty text, lists and maps, zero, false and nil count as no.
bool template_truth(const TemplateValue& value);
// As Go prints it; nil on its own is "<no value>".
std::string template_text(const TemplateValue& value);
// As Go's %v and %g: the shortest digits that read back the same, 1e+06 from there on.
std::string template_real_text(double value);
// As Go names its type.
std::string_view template_type(const TemplateValue& value);
// What fromJson makes of a text: nil when it is no JSON.
TemplateValue template_from_json(std::string_view text);

// fmt.Sprintf, fmt.Sprint, fmt.Sprintln.
Result<std::string> template_printf(std::string_view format, const TemplateValue* arguments,
                                    size_t count);
std::string template_print(const TemplateValues& values);
std::string template_println(const TemplateValues& values);

}  // namespace contextcore::logql
