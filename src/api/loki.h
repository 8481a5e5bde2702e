#pragma once
// Loki's HTTP API for reading: what Grafana's data source and logcli ask. Errors are plain text.
// Queries, labels and series here; what explorers ask in loki_explore.h, writing in loki_push.h.

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

  const ServiceOptions& options_;
};

// True once the query that began now has taken as long as the server allows. options must outlive
// it.
std::function<bool()> query_deadline(const ServiceOptions& options);
// The error of a query that was given up as one about time: here nothing else ends queries.
Error deadline_error(Error error);
// An error as Loki's clients expect it.
Response loki_answer(Result<Response> response);

// The step parameter in ns: at least a nanosecond, 250 steps if not given.
struct Bounds;
Result<int64_t> loki_step(const Request& request, const Bounds& bounds);

// The envelope {"status":"success","data":{"resultType","result","stats"}} (loki_json.cpp).
std::string encode_loki_result(const logql::QueryResult& result, bool categorize_labels,
                               int64_t duration_ns);

}  // namespace contextcore::api
