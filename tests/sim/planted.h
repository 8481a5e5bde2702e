#pragma once
// Bugs that the simulator has to find. They are planted from outside: by a file system that lies to
// the store, or by the linker, which puts a wrong function in the place of a right one (--wrap, see
// tests/CMakeLists.txt).

#include <cstdint>
#include <string>
#include <vector>

#include "sim/run.h"

namespace contextcore::sim {

enum class Bug : uint8_t {
  none,
  honest_file_system,  // the liar's one, telling no lies: must not be found
  skipped_log_sync,        // a commit is acknowledged before it is on the disk
  skipped_directory_sync,  // the rename of CURRENT may be lost
  mark_before_sync,        // others see a commit that a power failure may take back
  accepted_torn_tail,      // frames are not checked against their checksums
  dropped_mask,            // a cut forgets which rows are superseded
  unlisted_traces,         // a trace run leaves out traces of its segments
  shared_rows,             // a segment of several tenants shows each the rows of all
  doubled_frames,          // a replay applies each frame twice
  forgotten_digests,       // a replay does not remember which requests it has seen
  unread_digests,          // nobody knows the requests that others have made files of
  unwritten_adoption,      // who takes over only syncs what a failed sync had left
  ignored_sync_error,      // of the log
  lost_lock,               // nobody waits for anybody
};

struct PlantedBug {
  Bug bug;
  const char* name;
};
const std::vector<PlantedBug>& planted_bugs();

// From now on runs have this bug. Returns the file system's part of it.
MakeLiar plant(Bug bug);

}  // namespace contextcore::sim
