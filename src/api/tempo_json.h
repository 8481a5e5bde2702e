#pragma once
// Attributes and numbers as Tempo's JSON has them.

#include <string_view>

#include "base/json.h"
#include "otlp/model.h"

namespace contextcore::api {

// The attributes under a name, which is left out when there are none.
void write_attributes(std::string_view name, const otlp::Attributes& attributes,
                      JsonWriter& writer);

// A number; text for those that JSON cannot say.
void write_double(double value, JsonWriter& writer);

}  // namespace contextcore::api
