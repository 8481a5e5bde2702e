#pragma once
// Prometheus' HTTP API for reading, at the root and below /prometheus as Mimir has it: what Grafana's data source,
// promtool and scripts ask. Metrics are views over the
// event log and, beside them, what was received (OTLP, and remote-write below /api/v1/write) for the tenant of the
// X-Scope-OrgID header.

#include <functional>
#include <string>
#include <vector>

#include "api/router.h"
#include "api/service.h"
#include "query/promql/engine.h"
#include "work/metrics/metric_views.h"

namespace contextcore::api {

class Prometheus {
 public:
  explicit Prometheus(const ServiceOptions& options) : options_(options) {}
  void mount(Router& router);

 private:
  Result<Response> query(const Request& request) const;
  Result<Response> query_range(const Request& request) const;
  Result<Response> series(const Request& request) const;
  Result<Response> labels(const Request& request) const;
  Result<Response> label_values(const Request& request, const std::string& name) const;
  Result<Response> metadata(const Request& request) const;
  Result<Response> format_query(const Request& request) const;
  Response build_info() const;

  void mount_below(Router& router, const std::string& prefix);
  // Timeout and look-back of a request.
  Result<promql::QueryOptions> query_options(const Request& request) const;
  // Series that match any match[] (required, or all without one), with their labels alone.
  Result<std::vector<store::MetricSeries>> select(const Request& request, const std::vector<std::string>& named_labels,
                                                  bool match_required) const;
  Response remote_write(const Request& request) const;  // remote_write.cpp
  Result<std::shared_ptr<const store::MetricSource>> source(const Request& request, int64_t* now_ms = nullptr) const;

  const ServiceOptions& options_;
  mutable work::MetricViews views_;
};

// {"status":"success","data":{"resultType","result"},"warnings","infos"} (prometheus_json.cpp). limit: series at most,
// 0 for all.
std::string encode_prometheus_result(promql::QueryResult result, size_t limit);
// {"status":"error","errorType","error"}, with the status of the original.
Response prometheus_error(const Error& error);

}  // namespace contextcore::api
