#pragma once
// A simulated disk for tests and benches: a machine with one disk, and processes that share it.
//
//   SimDisk disk(seed);
//   auto first = disk.start_process();           // a FileSystem
//   ... first->open("/store/wal", OpenMode::create) ...
//   disk.crash(7);    // the power fails; 7 decides what had reached the disk
//   disk.reboot();    // the same FileSystem works again, its handles do not
//
// What survives. Reads see the page cache, which every process shares. A write is durable once its
// file has been synced after it; a created, renamed or removed name once its *directory* has been
// synced. When the power fails, of the rest may survive: nothing, all, a beginning (its last write
// torn), or any mixture in which each 512-byte sector, on its own, holds one of the contents that
// it had since the last sync. A file may have grown although what was written there is lost
// (zeros). Un-synced changes of names survive likewise, in order or with gaps; a rename is atomic.
// A process that is killed (kill -9) loses its handles and locks and nothing that was written.
//
// Counting. An *operation* is a call that changes the disk or what is durable: open (create and
// create_new), write_at, sync, truncate, allocate, make_directories, rename, link, remove,
// sync_directory, lock, write_owner. Calls that only read are not counted, for a crash just before
// one of them is like a crash before the next operation. The first operation has the number 1.
//
// Everything follows from the seeds and the order of the calls. Thread-safe; with several threads
// that order is the tester's business (set_hook gives a place to switch between them).

#include <cstdint>
#include <functional>
#include <memory>
#include <optional>
#include <string>

#include "base/clock.h"
#include "base/file_system.h"

namespace contextcore {

enum class SimOp : uint8_t {
  open,
  read,
  write,
  sync,
  truncate,
  allocate,
  stat,
  list,
  make_directories,
  rename,
  link,
  remove,
  sync_directory,
  lock,
};

enum class SimFault : uint8_t {
  // Fails with io_error and does nothing else; except that a failing sync of a file loses data as
  // Linux does: a part reaches the disk, the rest never will, although reads still show it and the
  // next sync reports success.
  io_error,
  // Fails with resource_exhausted; a write has then written a beginning of its data.
  no_space,
  // write: a beginning of the data is written, then io_error. Other operations: as io_error.
  torn,
  // sync, sync_directory: reports success and does nothing. Other operations: no effect.
  ignored_sync,
};

// A call of a process, before it does anything.
struct SimCall {
  SimOp op = SimOp::read;
  const std::string& path;
  uint64_t process = 0;
  bool counted = false;  // as an operation
};

// What happens instead of that call, or in the middle of it.
struct SimFate {
  bool crash = false;  // the power fails
  uint64_t crash_seed = 0;
  bool kill = false;  // of the process; of a write a beginning may have been written
  std::optional<SimFault> fault;
};

struct SimMachine;

// One process of the machine. Destroying it is killing it.
class SimFileSystem : public FileSystem {
 public:
  ~SimFileSystem() override;
  SimFileSystem(const SimFileSystem&) = delete;
  SimFileSystem& operator=(const SimFileSystem&) = delete;

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override;
  Result<FileInfo> stat(const std::string& path) const override;
  Result<std::vector<std::string>> list(const std::string& path) const override;
  Status make_directories(const std::string& path, uint32_t mode = 0700) override;
  Status rename(const std::string& from, const std::string& to) override;
  Status link(const std::string& from, const std::string& to) override;
  Status remove(const std::string& path) override;
  Status sync_directory(const std::string& path) override;
  // Waiting sleeps on the disk's clock: with the default one, time passes at once.
  Result<std::unique_ptr<FileLock>> lock_while(const std::string& path, int64_t wait_ns,
                                               const StillWanted& still) override;
  std::string network_type(const std::string& path) const override;

  // kill -9: handles and locks are gone, all calls fail with unavailable until restart().
  void kill();
  // kill -9 instead of the n-th operation of this process from now (1: the next one). If that is a
  // write, a beginning of its data may have been written.
  void kill_at(uint64_t n);
  bool is_killed() const;
  void restart();
  uint64_t process() const { return process_; }

 protected:
  std::string temporary_path(const std::string& path) override;

 private:
  friend class SimDisk;
  SimFileSystem(std::shared_ptr<SimMachine> machine, uint64_t process);
  std::shared_ptr<SimMachine> machine_;
  uint64_t process_;
};

class SimDisk {
 public:
  // clock: for modification times and for waiting on locks; a ManualClock of its own if null.
  explicit SimDisk(uint64_t seed = 1, Clock* clock = nullptr);
  ~SimDisk();
  SimDisk(const SimDisk&) = delete;
  SimDisk& operator=(const SimDisk&) = delete;

  std::unique_ptr<SimFileSystem> start_process();

  // The power fails now: what is not durable survives as the seed decides, handles and locks are
  // gone, all calls fail with unavailable until reboot().
  void crash(uint64_t seed);
  // The power fails instead of the given operation (see operations()).
  void crash_at(uint64_t operation, uint64_t seed);
  bool is_down() const;
  void reboot();

  // Operations so far, of all processes.
  uint64_t operations() const;

  // The operation of that number fails.
  void fail_operation(uint64_t operation, SimFault fault);
  // Of the calls of that kind from now on, `skip` succeed and the next `times` fail.
  void fail_next(SimOp op, uint64_t skip, SimFault fault, uint64_t times = 1);
  // Forgets planned crashes, kills and faults, and the limit of free bytes.
  void clear_faults();
  // Room for so many more bytes; beyond it writes stop in the middle with resource_exhausted.
  // Removing and truncating files gives room back.
  void set_free_bytes(uint64_t bytes);
  // Damages one byte, in the cache and on the disk. REQUIRES: the file exists and offset lies in it
  void flip_bits(const std::string& path, uint64_t offset, uint8_t mask);
  // Whether files can have second names (they can, unless this says otherwise).
  void set_links(bool supported);
  // What FileSystem::network_type says from now on.
  void set_network_type(std::string type);
  // Called before every call of every process, reads included, with no lock held.
  void set_hook(std::function<void(SimOp op, const std::string& path)> hook);
  // Asked for the fate of every call of a living process. Called with the disk locked: it must not
  // call the disk.
  void set_injector(std::function<SimFate(const SimCall& call)> injector);
  // When the power fails, a bit may flip in what was on its way to the disk (off at first).
  void set_flips_in_flight(bool on);

 private:
  std::shared_ptr<SimMachine> machine_;
};

}  // namespace contextcore
