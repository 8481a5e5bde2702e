#pragma once
// Loki's HTTP API for reading: what Grafana's data source and logcli ask. Errors are plain text.

#include <functional>

#include "api/router.h"
#include "api/service.h"
#include "query/logql/engine.h"

namespace contextcore::api {

class Loki {
 public:
  explicit Loki(const ServiceOptions& options) : options_(options) {}
  void mount(Router& router);

 private:
  Result<Response> query(const Request& request) const;
  Result<Response> query_range(const Request& request) const;
  Result<Response> labels(const Request& request) const;
  Result<Response> label_values(const Request& request, const std::string& name) const;
  Result<Response> series(const Request& request) const;

  std::function<bool()> time_is_up(int64_t start_ns) const;

  const ServiceOptions& options_;
};

// The envelope {"status":"success","data":{"resultType","result","stats"}} (loki_json.cpp).
std::string encode_loki_result(const logql::QueryResult& result, bool categorize_labels,
                               int64_t duration_ns);

}  // namespace contextcore::api
