#pragma once
// What a seed decides before the run: who takes part, and which kinds of trouble there are. Each
// seed has a few kinds only, so that rare ones are not drowned by frequent ones.

#include <cstdint>
#include <string>

namespace contextcore::sim {

struct Plan {
  uint64_t seed = 0;
  bool interval = false;  // durability
  bool server = false;
  bool background = false;  // the server makes and merges files beside its writers
  uint32_t writers = 1, readers = 0;
  uint32_t clients = 1;         // of a writing process at the same time
  uint32_t ops = 20;            // of a client in all its lives
  uint64_t cut_rows = 50;       // an embedded writer cuts above
  uint64_t server_cut_rows = 50;
  uint32_t cut_in = 0;          // a client cuts one time in so many operations; 0: never
  uint32_t read_in = 4;         // and reads
  uint32_t repeat_in = 5;       // and repeats an older operation
  uint32_t switch_in = 2;       // see SimScheduler
  int64_t lock_wait_ns = 1'000'000'000;

  // One call in so many meets it; 0: none does.
  uint32_t kill_in = 0;
  uint32_t crash_in = 0;
  uint32_t pause_in = 0;
  uint32_t write_error_in = 0;
  uint32_t sync_error_in = 0;
  uint32_t read_error_in = 0;
  uint32_t kills_max = 6, crashes_max = 3, faults_max = 6;
  bool full_disk = false;
  bool clock_steps = false;
  bool flips = false;          // in what was on its way to the disk
  bool trouble_from_start = false;  // while the store is being made, too

  std::string text() const;
};

Plan draw_plan(uint64_t seed);

}  // namespace contextcore::sim
