#pragma once
// Backend over HTTP: /tracker/v1, and the Tempo, Loki and Prometheus APIs for queries.

#include <functional>
#include <memory>
#include <string>
#include <string_view>

#include "client/http_client.h"
#include "sdk/backend.h"

namespace contextcore::sdk {

// Adds the retry rule of commands: nothing is sent twice without its command_id.
std::unique_ptr<Backend> make_remote_backend(Network& network, Random& random, Endpoint endpoint,
                                             std::string description);

// 128 random bits in hex.
std::string make_command_id(Random& random);

// Decoding of the server's answers; pure, so that tests reach them.
Result<std::vector<FoundTrace>> parse_search_answer(std::string_view json);
Result<LogAnswer> parse_logs_answer(std::string_view json, bool backward);
Result<MetricAnswer> parse_metrics_answer(std::string_view json);
// Server-sent events of /tracker/v1/events, in pieces as they come.
class EventStreamParser {
 public:
  // Calls fn for every whole event until it returns false, and position for every id.
  Status read(std::string_view piece, const WatchFunction& fn,
              const std::function<void(uint64_t)>& position);

 private:
  std::string rest_;
};
// The error of an answer with a status other than 2xx.
Error parse_error_answer(int status, std::string_view content_type, std::string_view body);

}  // namespace contextcore::sdk
