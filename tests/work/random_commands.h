#pragma once
// Random commands over a few tasks, for properties that hold of any history. A new command belongs
// here.

#include <string>

#include "base/random.h"
#include "bench.h"

namespace contextcore::work::testing {

class RandomWorkTest : public WorkTest {
 protected:
  std::string pick(SeededRandom& random, std::initializer_list<const char*> words) {
    return *(words.begin() + random.below(words.size()));
  }
  std::string task(SeededRandom& random) { return "t" + std::to_string(random.below(8)); }
  std::string quoted(const std::string& text) { return "\"" + text + "\""; }

  Command random_command(SeededRandom& random) {
    const std::string id = "{\"id\":" + quoted(task(random));
    switch (random.below(16)) {
      case 0:
      case 1: {
        std::string args = id + ",\"title\":\"t\",\"if_absent\":true";
        if (random.below(2) == 0) args += ",\"parent_id\":" + quoted(task(random));
        if (random.below(3) == 0) args += ",\"depends_on\":[" + quoted(task(random)) + "]";
        if (random.below(2) == 0) args += ",\"story_points\":" + std::to_string(random.below(5));
        if (random.below(4) == 0) args += ",\"attributes\":{\"x\":1.0,\"y\":[true,false]}";
        return command("task.create", args + "}");
      }
      case 2:
      case 3:
        return command("task.status",
                       id + ",\"status\":" +
                           quoted(pick(random, {"todo", "backlog", "in_progress", "in_review",
                                                "blocked", "done", "failed", "cancelled"})) +
                           "}");
      case 4:
        return command("task.block", id + ",\"reason\":\"r\",\"by\":" + quoted(task(random)) + "}");
      case 5:
        return command("task.unblock", id + "}");
      case 6:
        return command(pick(random, {"task.complete", "task.fail", "task.cancel"}), id + "}");
      case 7:
        return command("task.comment", id + ",\"text\":\"hello \\u0000 \\\"x\\\"\"}");
      case 8:
        return command("task.assign",
                       id + ",\"assignee\":" + pick(random, {"null", "\"bob\"", "\"eve\""}) + "}");
      case 9:
        return command("task.progress",
                       id + ",\"percent\":" + std::to_string(random.below(101)) + "}");
      case 10:
        return command("task.depend", id + ",\"on\":" + quoted(task(random)) + ",\"when\":" +
                                          quoted(pick(random, {"done", "ended", "failed"})) + "}");
      case 11:
        return command("task.undepend", id + ",\"on\":" + quoted(task(random)) + "}");
      case 12:
        return command("task.claim",
                       id + ",\"lease_seconds\":" + std::to_string(1 + random.below(100)) +
                           (random.below(3) == 0 ? ",\"steal\":true}" : "}"));
      case 13:
        return command(pick(random, {"task.heartbeat", "task.release"}), id + "}");
      case 14:
        return command("task.claim_ready", "{}");
      default:
        return command("insight.emit",
                       "{\"type\":\"lesson\",\"summary\":\"s\",\"confidence\":" +
                           pick(random, {"0", "0.5", "1"}) +
                           (random.below(2) == 0 ? ",\"task_id\":" + quoted(task(random)) : "") +
                           "}");
    }
  }
};

}  // namespace contextcore::work::testing
