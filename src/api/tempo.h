#pragma once
// Tempo's HTTP API: trace by id and search (tempo.cpp), metrics (tempo_metrics.cpp), names and
// values of tags (tempo_tags.cpp). Errors are plain text with Tempo's status codes.
//
// Where Tempo's answer is a limit of its storage ours is not: a search without start and end looks
// at all time, and there is no longest range.

#include <functional>
#include <string>
#include <string_view>

#include "api/router.h"
#include "api/service.h"
#include "query/traceql/engine.h"
#include "query/traceql/metrics.h"

namespace contextcore::api {

class Tempo {
 public:
  explicit Tempo(const ServiceOptions& options) : options_(options) {}
  void mount(Router& router);

 private:
  Result<Response> trace(const Request& request, const std::string& id, bool v2) const;
  Result<Response> search(const Request& request) const;
  Result<Response> metrics_range(const Request& request) const;
  Result<Response> metrics_instant(const Request& request) const;
  Result<Response> tags(const Request& request, bool v2) const;
  Result<Response> tag_values(const Request& request, const std::string& name, bool v2) const;
  // Fails when the query has taken as long as it may.
  std::function<Status()> checkpoint() const;

  const ServiceOptions& options_;
};

// The TraceQL of a tag search: logfmt pairs (k=v k2="v 2") and bounds of the trace's duration.
Result<std::string> tags_to_traceql(std::string_view tags, std::string_view min_duration,
                                    std::string_view max_duration);

// tempopb.SearchResponse as Tempo's JSON (tempo_search_json.cpp).
std::string encode_tempo_search(const traceql::SearchResult& result);
// tempopb.QueryRangeResponse and QueryInstantResponse likewise (tempo_metrics.cpp).
std::string encode_tempo_metrics(const traceql::MetricsResult& result,
                                 const traceql::MetricsOptions& options);

// Unix seconds; an absent parameter gives the fallback.
Result<int64_t> unix_seconds(const Request& request, std::string_view name, int64_t fallback_ns);

}  // namespace contextcore::api
