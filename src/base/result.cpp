#include "base/result.h"

namespace contextcore {

std::string_view code_name(Code code) {
  switch (code) {
    case Code::invalid_argument:
      return "invalid_argument";
    case Code::not_found:
      return "not_found";
    case Code::already_exists:
      return "already_exists";
    case Code::conflict:
      return "conflict";
    case Code::failed_precondition:
      return "failed_precondition";
    case Code::resource_exhausted:
      return "resource_exhausted";
    case Code::unavailable:
      return "unavailable";
    case Code::deadline_exceeded:
      return "deadline_exceeded";
    case Code::cancelled:
      return "cancelled";
    case Code::permission_denied:
      return "permission_denied";
    case Code::unsupported:
      return "unsupported";
    case Code::corruption:
      return "corruption";
    case Code::io_error:
      return "io_error";
    case Code::internal:
      return "internal";
  }
  return "internal";
}

std::string Error::to_string() const {
  return hint.empty() ? message : message + " (" + hint + ")";
}

}  // namespace contextcore
