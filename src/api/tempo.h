#pragma once
// Tempo's HTTP API: trace by id and search. Errors are plain text with Tempo's status codes.
//
// Where Tempo's answer is a limit of its storage ours is not: a search without start and end looks
// at all time, and there is no longest range.

#include "api/router.h"
#include "api/service.h"
#include "query/traceql/engine.h"

namespace contextcore::api {

class Tempo {
 public:
  explicit Tempo(const ServiceOptions& options) : options_(options) {}
  void mount(Router& router);

 private:
  Result<Response> trace(const Request& request, const std::string& id, bool v2) const;
  Result<Response> search(const Request& request) const;

  const ServiceOptions& options_;
};

// The TraceQL of a tag search: logfmt pairs (k=v k2="v 2") and bounds of the trace's duration.
Result<std::string> tags_to_traceql(std::string_view tags, std::string_view min_duration,
                                    std::string_view max_duration);

// tempopb.SearchResponse as Tempo's JSON (tempo_search_json.cpp).
std::string encode_tempo_search(const traceql::SearchResult& result);

}  // namespace contextcore::api
