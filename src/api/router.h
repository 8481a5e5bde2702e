#pragma once
// From method and path to a handler. Filled once, then read by many threads.

#include <functional>
#include <string>
#include <string_view>
#include <vector>

#include "api/http.h"
#include "api/service.h"
#include "api/target.h"

namespace contextcore::api {

// A request with what its path pattern captured.
struct Call {
  const Request& request;
  Pairs captures;
  // REQUIRES: the route's pattern has {name}
  const std::string& capture(std::string_view name) const;
};

using Handler = std::function<Response(const Call&)>;

class Router {
 public:
  void add(std::string method, std::string pattern, Handler handler);

  struct Match {
    size_t route = kNone;  // index into routes(); kNone when no route fits
    Pairs captures;
    std::string allow;  // methods that the path would take; "" = unknown path
  };
  static constexpr size_t kNone = SIZE_MAX;
  // HEAD finds the route of GET. The first fitting route wins.
  Match find(std::string_view method, std::string_view raw_path) const;

  const std::vector<Route>& routes() const { return routes_; }
  const Handler& handler(size_t route) const { return handlers_[route]; }

 private:
  std::vector<Route> routes_;
  std::vector<Handler> handlers_;
};

}  // namespace contextcore::api
