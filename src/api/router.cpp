#include "api/router.h"

#include <cassert>

namespace contextcore::api {

const std::string& Call::capture(std::string_view name) const {
  static const std::string kEmpty;
  for (const auto& [key, value] : captures) {
    if (key == name) return value;
  }
  assert(false && "the pattern has no such name");
  return kEmpty;
}

void Router::add(std::string method, std::string pattern, Handler handler) {
  assert(!pattern.empty() && pattern[0] == '/');
  routes_.push_back(Route{std::move(method), std::move(pattern)});
  handlers_.push_back(std::move(handler));
}

Router::Match Router::find(std::string_view method, std::string_view raw_path) const {
  Match match;
  std::string_view wanted = method == "HEAD" ? "GET" : method;
  for (size_t i = 0; i < routes_.size(); ++i) {
    if (!match_path(routes_[i].path, raw_path, match.captures)) continue;
    if (routes_[i].method == wanted) {
      match.route = i;
      return match;
    }
    match.captures.clear();
    if (!match.allow.empty()) match.allow += ", ";
    match.allow += routes_[i].method;
  }
  return match;
}

}  // namespace contextcore::api
