#pragma once
// Inside of the simulated disk (sim_file_system.h is the door): what files and directories hold, in
// the page cache and durably, and what a power loss leaves of them. No threads, no faults here.

#include <cstdint>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <vector>

#include "base/random.h"

namespace contextcore {

constexpr uint64_t kSimSectorBytes = 512;

// The bytes of one file: as the page cache has them, as the disk has them, and the un-synced
// changes that lead from the one to the other.
class SimContent {
 public:
  const std::string& cache() const { return cache_; }
  void write(uint64_t offset, std::string_view data);
  void truncate(uint64_t size);
  void sync();
  // A sync that failed: some of the un-synced changes reach the disk, the others never will, and
  // the cache shows them all.
  void fail_sync(Random& random);
  // flips: a bit of what had not been synced may come out wrong.
  void lose_power(Random& random, bool flips);
  void flip_bits(uint64_t offset, uint8_t mask);

 private:
  struct Change {
    bool is_truncate = false;
    uint64_t offset = 0;  // or the new size
    std::string data;
  };
  void apply(const Change& change, std::string& image) const;
  std::string survivors(Random& random) const;
  void flip_in_flight(Random& random, std::string& image) const;
  std::string surviving_beginning(Random& random) const;
  std::string surviving_mixture(Random& random) const;

  std::string cache_;
  std::string durable_;
  std::vector<Change> changes_;
};

struct SimNode;
using SimNodePtr = std::shared_ptr<SimNode>;

struct SimNode {
  uint64_t inode = 0;
  bool is_directory = false;
  uint64_t names = 0;  // its size counts while it has one
  int64_t modified_ns = 0;
  SimContent content;
  std::map<std::string, SimNodePtr> entries;  // of a directory
  std::map<std::string, SimNodePtr> durable_entries;
  uint64_t lock = 0;  // of a file: number of the lock that is held on it, 0 if none
};

// The names: what processes see, what is durable, and the un-synced changes in between.
class SimTree {
 public:
  SimTree();
  // Null if it does not exist. Paths start at the root, whether they say so or not.
  SimNodePtr find(const std::string& path) const;
  // The directory that holds the last name of path (null if there is none), and that name.
  SimNodePtr find_parent(const std::string& path, std::string& name) const;
  SimNodePtr create(const SimNodePtr& directory, const std::string& name, bool is_directory,
                    int64_t now_ns);
  void remove(const SimNodePtr& directory, const std::string& name);
  // Replaces what has the new name.
  void rename(const SimNodePtr& from, const std::string& from_name, const SimNodePtr& to,
              const std::string& to_name);
  // One more name for a file.
  void link(const SimNodePtr& node, const SimNodePtr& directory, const std::string& name);
  void sync_directory(const SimNodePtr& directory);
  void lose_power(Random& random, bool flips);
  // Bytes of all files that have a name.
  uint64_t used_bytes() const;

 private:
  struct Edit {
    SimNodePtr directory;
    std::string name;
    SimNodePtr node;  // null: the name is gone
  };
  using Change = std::vector<Edit>;  // happens as a whole
  void change(Change edits);
  static void make_durable(const Change& edits);

  SimNodePtr root_;
  std::vector<Change> changes_;
  uint64_t next_inode_ = 1;
};

}  // namespace contextcore
