#pragma once
// What the server says about itself, in the Prometheus text format. Thread-safe.

#include <cstdint>
#include <map>
#include <mutex>
#include <string>
#include <tuple>
#include <utility>

#include "api/service.h"
#include "store/store.h"

namespace contextcore::api {

class Metrics {
 public:
  void record(const std::string& method, const std::string& route, int code, int64_t duration_ns,
              size_t request_bytes, size_t response_bytes);
  // path: one that is served. status: gRPC's.
  void record_grpc(const std::string& path, int status, int64_t duration_ns, size_t request_bytes,
                   size_t response_bytes);
  std::string render(const store::StoreStats& stats, Load load, const std::string& version,
                     bool ready) const;

 private:
  struct Cell {
    uint64_t count = 0;
    int64_t duration_ns = 0;
    uint64_t request_bytes = 0;
    uint64_t response_bytes = 0;
    void add(int64_t more_ns, size_t request, size_t response);
  };
  struct Families;
  mutable std::mutex mutex_;
  std::map<std::tuple<std::string, std::string, int>, Cell> cells_;  // (route, method, code)
  std::map<std::pair<std::string, int>, Cell> grpc_cells_;           // (path, status)
};

}  // namespace contextcore::api
