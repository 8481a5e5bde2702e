#pragma once
// What the server says about itself, in the Prometheus text format. Thread-safe.

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <tuple>

#include "store/store.h"

namespace contextcore::api {

class Metrics {
 public:
  void record(const std::string& method, const std::string& route, int code, int64_t duration_ns,
              size_t request_bytes, size_t response_bytes);
  std::string render(const store::StoreStats& stats, const std::string& version, bool ready) const;

 private:
  struct Cell {
    uint64_t count = 0;
    int64_t duration_ns = 0;
    uint64_t request_bytes = 0;
    uint64_t response_bytes = 0;
  };
  mutable std::mutex mutex_;
  std::map<std::tuple<std::string, std::string, int>, Cell> cells_;  // (route, method, code)
};

}  // namespace contextcore::api
