#pragma once
// What happened in one project: items, and steps of their lives in the order of time. Pure.

#include <cstdint>
#include <string>
#include <vector>

#include "demo/demo.h"

namespace contextcore::demo {

enum class ItemType : uint8_t { epic, story, task, subtask, bug, spike, incident };

inline constexpr uint32_t kNoItem = UINT32_MAX;
inline constexpr int64_t kLeaseNs = int64_t{8} * 3600 * 1'000'000'000;  // of an agent's claim

struct Item {
  ItemType type = ItemType::task;
  bool agent = false;  // done by an agent
  uint16_t points = 0;
  uint8_t priority = 0;  // index into critical, high, medium, low; 4: none
  uint32_t parent = kNoItem;
  uint32_t first_parent = kNoItem;  // the parent at creation; differs when it was moved
  uint32_t depends_on = kNoItem;
  uint32_t worker = 0;  // of the team's people, or of its agents
  int64_t created_ns = 0;
  int64_t estimate_minutes = 0;
};

// Fields of Step::detail in brackets.
enum class StepKind : uint8_t {
  create,   // [1: in the backlog]
  plan,     // into a sprint [number]
  assign,   // to its worker
  start,    // by a person
  claim,    // by an agent
  block,    // [text number]
  unblock,  //
  comment,  // [text number]
  commit,   // [text number]
  insight,  // [text number]
  review,
  rework,  // back from review
  move,    // to its parent
  done,
  fail,          // [text number]
  cancel,        // [text number]
  reopen,        // [text number]
  sprint_start,  // [number]; no item
  sprint_end,    // [number]; no item
};

struct Step {
  int64_t time_ns = 0;
  uint32_t item = kNoItem;
  StepKind kind = StepKind::create;
  uint32_t detail = 0;
};

struct History {
  std::string project;
  std::string prefix;   // of task ids: PAY-17 is items[16]
  uint32_t domain = 0;  // what the project is about: an index into the texts
  uint32_t people = 0, agents = 0;
  int64_t start_ns = 0;
  std::vector<Item> items;
  std::vector<Step> steps;  // by time; ties in the order of planning
};

// The n-th project of an organisation.
History plan_history(const DemoOptions& options, uint32_t project_number);

// Monday of a sprint's first day; sprints last two weeks and are numbered from 1.
int64_t sprint_start_ns(const History& history, uint32_t number);

}  // namespace contextcore::demo
