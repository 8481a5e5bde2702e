#pragma once
// A service over a real store on a simulated disk, with a clock that stands still and seeded
// randomness: every answer is the same on every run.

#include <gtest/gtest.h>

#include <memory>
#include <string>

#include "api/service.h"
#include "api/target.h"
#include "base/clock.h"
#include "base/json.h"
#include "base/random.h"
#include "base/sim_file_system.h"

namespace contextcore::api {

class ServiceTest : public ::testing::Test {
 protected:
  void SetUp() override;
  void open_store();  // and a service on it

  Response send(std::string method, std::string_view target, std::string body = {},
                Pairs headers = {});
  Response get(std::string_view target, Pairs headers = {}) {
    return send("GET", target, {}, headers);
  }
  // POST of JSON; expects 200 and gives the answer.
  Json post(std::string_view target, std::string body);

  TraceRequests traces_ = TraceRequests::off;
  int64_t query_timeout_ns_ = 120'000'000'000;
  size_t tenants_max_ = 1000;
  ManualClock clock_;
  SeededRandom random_{7};
  SimDisk disk_{1, &clock_};
  std::unique_ptr<SimFileSystem> files_;
  std::unique_ptr<store::Store> store_;
  std::unique_ptr<Service> service_;
};

}  // namespace contextcore::api
