#pragma once
// A whole service over a store on a simulated disk, for targets that talk to it.

#include <cstddef>
#include <cstdlib>
#include <memory>
#include <utility>

#include "api/service.h"
#include "base/clock.h"
#include "base/random.h"
#include "base/sim_file_system.h"
#include "store/store.h"
#include "work/hooks.h"

namespace contextcore {

constexpr size_t kServiceBodyBytesMax = 1 << 16;

struct ServiceWorld {
  ManualClock clock;
  SeededRandom random{1};
  SimDisk disk{1, &clock};
  std::unique_ptr<SimFileSystem> files = disk.start_process();
  std::unique_ptr<store::Store> store;
  std::unique_ptr<api::Service> service;

  ServiceWorld() {
    store::StoreOptions options;
    options.path = "/store";
    options.mode = store::StoreMode::server;
    options.hooks = work::hooks();
    options.file_system = files.get();
    options.clock = &clock;
    options.random = &random;
    auto opened = store::Store::open(std::move(options));
    if (!opened.ok()) std::abort();
    store = std::move(*opened);
    api::ServiceOptions service_options;
    service_options.store = store.get();
    service_options.clock = &clock;
    service_options.random = &random;
    service_options.body_bytes_max = kServiceBodyBytesMax;
    service_options.traces = api::TraceRequests::sampled;
    service = api::Service::make(std::move(service_options));
  }
};

// What the store holds grows with every accepted input, so it starts anew now and then.
inline ServiceWorld& service_world() {
  constexpr int kInputsPerWorld = 256;
  static std::unique_ptr<ServiceWorld> current;
  static int left = 0;
  if (left-- == 0) {
    current = std::make_unique<ServiceWorld>();
    left = kInputsPerWorld - 1;
  }
  return *current;
}

}  // namespace contextcore
