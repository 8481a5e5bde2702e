#pragma once
// Random commands that change what is there: moves, edits, second lives, undo, sprints, batches.

#include "random_commands.h"

namespace contextcore::work::testing {

class RandomChangeTest : public RandomWorkTest {
 protected:
  // Any command, half of them from here, some as a batch.
  Command any_command(SeededRandom& random) {
    Command next = one_command(random);
    if (random.below(8) == 0) next = in_batch(next, one_command(random));
    next.vocabulary.types = {"chore"};
    next.vocabulary.statuses = {{"qa", "in_review"}};
    return next;
  }

 private:
  Command one_command(SeededRandom& random) {
    return random.below(2) == 0 ? random_command(random) : random_change(random);
  }
  Command random_change(SeededRandom& random) {
    const std::string id = "{\"id\":" + quoted(task(random));
    switch (random.below(13)) {
      case 0:
      case 1:
        return command(
            "task.parent",
            id + ",\"parent_id\":" + (random.below(3) == 0 ? "null" : quoted(task(random))) + "}");
      case 2:
      case 3:
        return command("task.edit", id + "," + random_edit(random) + "}");
      case 4:
        return command("task.status", id + ",\"status\":\"qa\"}");
      case 5:
      case 10:
      case 11:
        return command("task.reopen", id + (random.below(2) == 0 ? ",\"to_status\":\"qa\"}" : "}"));
      case 6:
        return command(pick(random, {"task.delete", "task.undelete", "task.undelete"}),
                       id + (random.below(2) == 0 ? ",\"subtree\":true}" : "}"));
      case 7:
      case 8:
        return command("task.undo", id + "}");
      case 9:
        return random_detail(random, id);
      default:
        return command(pick(random, {"sprint.start", "sprint.start", "sprint.end", "sprint.edit"}),
                       "{\"id\":" + quoted(pick(random, {"s1", "s2", "s3"})) + "}");
    }
  }
  std::string random_edit(SeededRandom& random) {
    switch (random.below(7)) {
      case 0:
        return "\"title\":" + quoted(pick(random, {"x", "y"})) +
               ",\"type\":" + quoted(pick(random, {"bug", "chore"}));
      case 1:
        return "\"story_points\":" + pick(random, {"null", "0", "3", "8"});
      case 2:
        return "\"add_labels\":[\"a\"],\"remove_labels\":" + pick(random, {"[]", "[\"b\"]"});
      case 3:
        return "\"due_date\":" + pick(random, {"null", "\"2027-01-01\""});
      case 4:
      case 5:
        return "\"sprint_id\":" + pick(random, {"null", "\"s1\"", "\"s2\""});
      default:
        return "\"attributes\":{\"x\":" +
               pick(random, {"null", "1", "2.0", "\"t\"", "[1,2]", "{\"a\":1}"}) +
               "},\"deliverables\":[\"f\"]";
    }
  }
  Command random_detail(SeededRandom& random, const std::string& id) {
    switch (random.below(4)) {
      case 0:
        return command("task.verify", id + ",\"results\":[{\"path\":\"f\",\"verified\":true}]}");
      case 1:
        return command("task.exception", id + ",\"type\":\"E\",\"message\":\"m\"}");
      case 2:
        return command("task.commit", id + ",\"commit\":\"c0ffee\"}");
      default:
        return command(
            pick(random, {"task.link", "task.unlink"}),
            id + ",\"type\":" + quoted(pick(random, {"relates_to", "blocks", "duplicated_by"})) +
                ",\"target_task_id\":" + quoted(task(random)) + "}");
    }
  }
  Command in_batch(const Command& first, const Command& second) {
    JsonArray parts;
    for (const Command* one : {&first, &second}) {
      parts.emplace_back(JsonObject{{"op", Json(one->op)}, {"args", one->args}});
    }
    Command batch = command("batch", "{}");
    batch.args = Json(JsonObject{{"commands", Json(std::move(parts))}});
    return batch;
  }
};

}  // namespace contextcore::work::testing
