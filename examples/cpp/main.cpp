// A task from start to done, and a decision that outlives this process.

#include <contextcore/insights.h>
#include <contextcore/task_tracker.h>

#include <cstdio>

namespace {

int fail(const contextcore::Error& error) {
  std::fprintf(stderr, "%s\n", error.to_string().c_str());
  return 1;
}

}  // namespace

int main() {
  auto tracker = contextcore::TaskTracker::open({.project = "my-project"});
  if (!tracker) return fail(tracker.error());
  if (auto task = tracker->start_task("PROJ-123", "Implement auth", {.type = "story"}); !task) {
    return fail(task.error());
  }
  if (auto task = tracker->update_status("PROJ-123", "in_progress"); !task) return fail(task.error());
  auto done = tracker->complete_task("PROJ-123");
  if (!done) return fail(done.error());
  std::printf("%s is %s; its trace is %s\n", done->id.c_str(), done->status.c_str(), done->trace_id.c_str());

  auto emitter = contextcore::InsightEmitter::open({.project = "my-project", .agent_id = "example"});
  if (!emitter) return fail(emitter.error());
  auto decision = emitter->emit_decision("Selected event-driven architecture", {.confidence = 0.92});
  if (!decision) return fail(decision.error());

  auto querier = contextcore::InsightQuerier::open({.project = "my-project"});
  if (!querier) return fail(querier.error());
  auto found = querier->query({.type = "decision"});
  if (!found) return fail(found.error());
  for (const auto& insight : *found) std::printf("%.2f  %s\n", insight.confidence, insight.summary.c_str());
  return 0;
}
