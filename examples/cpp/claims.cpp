// complete PROJECT ID [TOKEN]: ends a task as its holder would. Exit code 4: somebody else holds it.

#include <contextcore/task_tracker.h>

#include <cstdio>
#include <cstdlib>
#include <optional>
#include <string_view>

int main(int argc, char** argv) {
  if (argc < 4 || std::string_view(argv[1]) != "complete") {
    std::fprintf(stderr, "usage: %s complete PROJECT ID [TOKEN]\n", argv[0]);
    return 2;
  }
  auto tracker = contextcore::TaskTracker::open({.project = argv[2]});
  if (!tracker) {
    std::fprintf(stderr, "%s\n", tracker.error().to_string().c_str());
    return 1;
  }
  std::optional<int64_t> token;
  if (argc > 4) token = std::strtoll(argv[4], nullptr, 10);
  auto task = tracker->complete_task(argv[3], token);
  if (!task) {
    const bool conflict = task.error().code == contextcore::Code::conflict;
    std::fprintf(stderr, "%s%s\n", conflict ? "conflict: " : "", task.error().to_string().c_str());
    return conflict ? 4 : 1;
  }
  std::printf("%s is %s\n", task->id.c_str(), task->status.c_str());
  return 0;
}
