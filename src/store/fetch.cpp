#include "store/fetch.h"

namespace contextcore::store {

Cell Cell::of(const otlp::Value* value) {
  Cell cell;
  if (value == nullptr) return cell;
  if (const std::string* text = value->as_string()) {
    cell.type = Type::string;
    cell.string = *text;
  } else if (const bool* boolean = value->as_bool()) {
    cell.type = Type::boolean;
    cell.boolean = *boolean;
  } else if (const int64_t* integer = value->as_int()) {
    cell.type = Type::integer;
    cell.integer = *integer;
  } else if (const double* real = value->as_double()) {
    cell.type = Type::real;
    cell.real = *real;
  } else {
    cell.type = value->as_array() != nullptr ? Type::array : Type::other;
    cell.value = value;
  }
  return cell;
}

}  // namespace contextcore::store
