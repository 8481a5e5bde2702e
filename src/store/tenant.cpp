#include "store/tenant.h"

#include <algorithm>
#include <string>

namespace contextcore::store {

Status check_tenant(std::string_view name, size_t bytes_max) {
  if (name.size() > bytes_max) {
    return {Code::invalid_argument,
            "tenant ID is too long: max " + std::to_string(bytes_max) + " characters"};
  }
  const auto is_allowed = [](char c) {
    return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
           std::string_view("!-_.*'()").find(c) != std::string_view::npos;
  };
  if (!std::all_of(name.begin(), name.end(), is_allowed) || name == "." || name == "..") {
    return {Code::invalid_argument,
            "tenant ID '" + std::string(name) + "' contains unsupported characters"};
  }
  return {};
}

}  // namespace contextcore::store
