#pragma once
// A change of work, made as the command line makes it. For benchmarks: an error ends the program.

#include <fmt/format.h>

#include <cstdlib>
#include <utility>

#include "base/random.h"
#include "store/store.h"
#include "work/execute.h"

namespace contextcore {

inline void change_work(store::Store& store, const work::Settings& settings, Random& random, const char* op, JsonObject args) {
  work::Command command;
  command.op = op;
  command.project = "bench";
  command.args = Json(std::move(args));
  command.command_id = fmt::format("{:016x}{:016x}", random.next_u64(), random.next_u64());
  const auto answer = work::execute(store, command, settings);
  if (answer.ok()) return;
  fmt::print(stderr, "{}: {}\n", op, answer.error().to_string());
  std::exit(1);
}

}  // namespace contextcore
