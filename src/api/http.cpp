#include "api/http.h"

namespace contextcore::api {

namespace {

std::string_view find_first(const std::vector<std::pair<std::string, std::string>>& pairs,
                            std::string_view name) {
  for (const auto& [key, value] : pairs) {
    if (key == name) return value;
  }
  return {};
}

}  // namespace

std::string_view Request::header(std::string_view name) const { return find_first(headers, name); }

std::string_view Request::param(std::string_view name) const { return find_first(query, name); }

bool Request::has_param(std::string_view name) const {
  for (const auto& [key, value] : query) {
    if (key == name) return true;
  }
  return false;
}

int http_status(Code code) {
  switch (code) {
    case Code::invalid_argument:
      return 400;
    case Code::permission_denied:
      return 403;
    case Code::not_found:
      return 404;
    case Code::already_exists:
    case Code::conflict:
      return 409;
    case Code::failed_precondition:
      return 412;
    case Code::resource_exhausted:
      return 429;
    case Code::cancelled:
      return 499;
    case Code::unsupported:
      return 501;
    case Code::unavailable:
      return 503;
    case Code::deadline_exceeded:
      return 504;
    case Code::corruption:
    case Code::io_error:
    case Code::internal:
      return 500;
  }
  return 500;
}

}  // namespace contextcore::api
