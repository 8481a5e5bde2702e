#pragma once
// A believable organisation with a past: epics to subtasks, sprints, people and agents, work that
// was blocked, failed, cancelled, reopened, moved. docs/demo.md says which published figures the
// distributions are taken from.
//
// A history is planned in memory (history.h: items and the steps of their lives, a function of the
// options alone), then carried out in the order of time through the same commands as everybody's
// work (commands.h, load.h). Start reading in history.h.

#include <cstdint>
#include <string>

namespace contextcore::demo {

struct DemoOptions {
  int64_t months = 6;
  int64_t projects = 3;
  int64_t tasks = 0;  // of all projects together; 0: as many as such teams do in that time
  uint64_t seed = 42;
  int64_t until_ns = 0;  // where the history ends: the present of the organisation
};

// What a store of ours is marked with, so that `demo --remove` removes no other.
inline constexpr const char* kMarkerFile = "DEMO";

}  // namespace contextcore::demo
