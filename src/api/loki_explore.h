#pragma once
// Loki's endpoints for those who look around: Grafana's Explore and Logs Drilldown, logcli's stats,
// volume and detected-fields. Errors are plain text, but for format_query.

#include "api/router.h"
#include "api/service.h"

namespace contextcore::api {

class LokiExplore {
 public:
  explicit LokiExplore(const ServiceOptions& options) : options_(options) {}
  void mount(Router& router);

 private:
  Result<Response> index_stats(const Request& request) const;
  Result<Response> volume(const Request& request, bool ranged) const;
  Result<Response> detected_labels(const Request& request) const;
  Result<Response> detected_fields(const Request& request) const;
  Result<Response> detected_values(const Request& request, const std::string& field) const;

  const ServiceOptions& options_;
};

}  // namespace contextcore::api
