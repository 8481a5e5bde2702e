#pragma once
// Which tasks could be taken now: over the work index only, best first.

#include <span>
#include <string>
#include <vector>

#include "work/args.h"
#include "work/command.h"

namespace contextcore::work {

struct ReadyFilter {
  std::string project;  // "" = all
  std::vector<std::string> types;
  std::vector<std::string> priorities;
  std::string label;
  bool include_backlog = false;
  std::string assignee;  // nobody's tasks and this one's
  size_t limit = 50;
};

struct ReadyPage {
  std::vector<const store::WorkRow*> rows;  // by priority, then due date, then age
  int64_t total = 0;
};

// Fields: type priority label include_backlog (assignee limit).
// own_types: of the project's own.
Result<ReadyFilter> ready_filter(const store::WorkView& view, const Args& args,
                                 std::string_view project, const Actor& actor,
                                 std::span<const std::string_view> own_types);
Result<ReadyPage> find_ready(const store::WorkView& view, const ReadyFilter& filter);

// A label is not in the index: reads the span.
Result<bool> has_label(const store::WorkView& view, const store::WorkRow& row,
                       std::string_view label);

}  // namespace contextcore::work
