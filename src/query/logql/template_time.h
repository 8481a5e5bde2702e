#pragma once
// Times as Go writes and reads them by layouts ("2006-01-02T15:04:05Z07:00"). Zones: UTC, Local
// (which is UTC on this side of the network) and offsets.

#include <optional>
#include <string>
#include <string_view>

#include "query/logql/template_value.h"

namespace contextcore::logql {

TemplateTime time_of_ns(int64_t ns);
// In 64 bits of nanoseconds; what lies beyond wraps around, as in Go.
int64_t time_ns(const TemplateTime& time);

// "2006-01-02 15:04:05.999999999 -0700 MST", Go's String().
std::string time_text(const TemplateTime& time);
std::string format_time(std::string_view layout, const TemplateTime& time);
// nullopt: the text does not follow the layout.
std::optional<TemplateTime> parse_time_layout(std::string_view layout, std::string_view text);

}  // namespace contextcore::logql
