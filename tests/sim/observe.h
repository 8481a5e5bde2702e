#pragma once
// Everything that one read of a store shows, in terms of operations.

#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "base/result.h"
#include "sim/operation.h"
#include "store/store.h"

namespace contextcore::sim {

struct SeenLine {
  uint64_t sequence = 0;
  uint32_t op = 0, item = 0;
  bool journal = false;
  bool other_tenant = false;  // it was found there
};
struct SeenSpan {
  uint32_t op = 0;
  uint64_t sequence = 0;
};
struct SeenTask {
  std::map<std::string, std::string> attributes;
  int64_t revision = 0;
  uint64_t end_ns = 0;
  int64_t lease_end_ns = 0;
  std::vector<std::pair<uint32_t, uint32_t>> events;  // operation and item
};

struct Seen {
  uint64_t sequence = 0;
  std::vector<SeenLine> lines;  // of each tenant in the order of arrival
  std::map<SpanKey, SeenSpan> spans;
  std::map<uint32_t, SeenTask> tasks;
  std::map<SampleKey, uint32_t> samples;
  // What no store should ever show, whatever was done.
  std::string nonsense;
  // For comparing stores: all of it, whatever the files look like.
  std::string text() const;
  std::vector<std::string> traces;  // whole, as protobuf
};

Result<Seen> observe(store::Store& store);

}  // namespace contextcore::sim
