#include "base/sim_file_system.h"

#include <algorithm>
#include <cassert>
#include <utility>

#include "base/sim_machine.h"

namespace contextcore {
namespace {

using Machine = std::shared_ptr<SimMachine>;

class SimFile : public File {
 public:
  SimFile(Machine machine, SimCaller caller, SimNodePtr node, std::string path, bool writable)
      : machine_(std::move(machine)),
        caller_(caller),
        node_(std::move(node)),
        path_(std::move(path)),
        writable_(writable) {}

  Result<size_t> read_at(uint64_t offset, char* out, size_t n) const override {
    const auto call = machine_->enter(caller_, SimOp::read, path_);
    CC_TRY(call.status);
    CC_TRY(sim_fault_status(call.fault, "read", path_));
    const std::string& bytes = node_->content.cache();
    if (offset >= bytes.size()) return size_t{0};
    return bytes.copy(out, n, static_cast<size_t>(offset));
  }

  Status write_at(uint64_t offset, std::string_view data) override {
    const auto call = machine_->enter_counted(caller_, SimOp::write, path_);
    CC_TRY(call.status);
    if (call.dying) {
      if (may_write(offset, data.size()).ok()) {
        machine_->write_bounded(*node_, offset, random_beginning(data));
      }
      machine_->kill(caller_.process);
      return machine_->check_alive(caller_);
    }
    CC_TRY(may_write(offset, data.size()));
    if (call.fault == SimFault::io_error) data = {};
    if (call.fault == SimFault::torn || call.fault == SimFault::no_space) {
      data = random_beginning(data);
    }
    const bool complete = machine_->write_bounded(*node_, offset, data);
    CC_TRY(sim_fault_status(call.fault, "write", path_));
    if (!complete) return sim_fault_status(SimFault::no_space, "write", path_);
    return {};
  }

  Status sync() override {
    const auto call = machine_->enter_counted(caller_, SimOp::sync, path_);
    CC_TRY(call.status);
    if (call.fault == SimFault::ignored_sync) return {};
    if (call.fault) {
      node_->content.fail_sync(machine_->random);
      return sim_fault_status(call.fault, "sync", path_);
    }
    node_->content.sync();
    return {};
  }

  Result<uint64_t> size() const override {
    const auto call = machine_->enter(caller_, SimOp::stat, path_);
    CC_TRY(call.status);
    CC_TRY(sim_fault_status(call.fault, "stat", path_));
    return uint64_t{node_->content.cache().size()};
  }

  Status truncate(uint64_t size) override {
    const auto call = machine_->enter_counted(caller_, SimOp::truncate, path_);
    CC_TRY(call.status);
    CC_TRY(sim_fault_status(call.fault, "truncate", path_));
    CC_TRY(check_writable("truncate"));
    if (size > kFileBytesMax) {
      return sim_error(Code::invalid_argument, "truncate", path_, "File too large");
    }
    // A file that grows this way is sparse and takes no room; to count it is close enough.
    if (!machine_->has_room(*node_, size)) {
      return sim_fault_status(SimFault::no_space, "truncate", path_);
    }
    node_->content.truncate(size);
    node_->modified_ns = machine_->clock->wall_ns();
    return {};
  }

  Status allocate(uint64_t size) override {
    const auto call = machine_->enter_counted(caller_, SimOp::allocate, path_);
    CC_TRY(call.status);
    CC_TRY(sim_fault_status(call.fault, "allocate space for", path_));
    CC_TRY(check_writable("allocate space for"));
    if (size > kFileBytesMax) {
      return sim_error(Code::invalid_argument, "allocate space for", path_, "File too large");
    }
    const uint64_t old_size = node_->content.cache().size();
    if (size <= old_size) return {};
    if (!machine_->has_room(*node_, size)) {
      return sim_fault_status(SimFault::no_space, "allocate space for", path_);
    }
    node_->content.write(old_size, std::string(static_cast<size_t>(size - old_size), '\0'));
    node_->content.sync();
    return {};
  }

 private:
  // The content is one string in memory.
  static constexpr uint64_t kFileBytesMax = uint64_t{1} << 32;

  Status may_write(uint64_t offset, uint64_t n) const {
    CC_TRY(check_writable("write"));
    if (offset <= kFileBytesMax && n <= kFileBytesMax - offset) return {};
    return sim_error(Code::invalid_argument, "write", path_, "File too large");
  }

  std::string_view random_beginning(std::string_view data) const {
    return data.substr(0, static_cast<size_t>(machine_->random.below(data.size() + 1)));
  }

  Status check_writable(std::string_view what) const {
    if (writable_) return {};
    return sim_error(Code::io_error, what, path_, "Bad file descriptor");
  }

  Machine machine_;
  SimCaller caller_;
  SimNodePtr node_;
  std::string path_;
  bool writable_;
};

class SimFileLock : public FileLock {
 public:
  SimFileLock(Machine machine, SimCaller caller, SimNodePtr node, std::string path, uint64_t number)
      : machine_(std::move(machine)),
        caller_(caller),
        node_(std::move(node)),
        path_(std::move(path)),
        number_(number) {}

  ~SimFileLock() override {
    const std::lock_guard guard(machine_->mutex);
    if (!machine_->check_alive(caller_).ok()) return;  // released when its process died
    if (wrote_owner_) node_->content.truncate(0);
    machine_->release(number_);
  }

  Status write_owner(std::string_view text) override {
    const auto call = machine_->enter_counted(caller_, SimOp::write, path_);
    CC_TRY(call.status);
    CC_TRY(sim_fault_status(call.fault, "write", path_));
    if (call.dying) {
      machine_->kill(caller_.process);
      return machine_->check_alive(caller_);
    }
    wrote_owner_ = true;
    node_->content.truncate(0);
    node_->content.write(0, text);
    return {};
  }

 private:
  Machine machine_;
  SimCaller caller_;
  SimNodePtr node_;
  std::string path_;
  uint64_t number_;
  bool wrote_owner_ = false;
};

constexpr std::string_view kNoSuchFile = "No such file or directory";
constexpr std::string_view kIsDirectory = "Is a directory";

}  // namespace

SimFileSystem::SimFileSystem(std::shared_ptr<SimMachine> machine, uint64_t process)
    : machine_(std::move(machine)), process_(process) {}

SimFileSystem::~SimFileSystem() { kill(); }

Result<std::unique_ptr<File>> SimFileSystem::open(const std::string& path, OpenMode mode) {
  const bool creates = mode == OpenMode::create || mode == OpenMode::create_new;
  const auto call = creates ? machine_->enter_counted({process_, {}}, SimOp::open, path)
                            : machine_->enter({process_, {}}, SimOp::open, path);
  const std::string_view what = creates ? "create" : "open";
  CC_TRY(call.status);
  CC_TRY(sim_fault_status(call.fault, what, path));
  SimNodePtr node = machine_->tree.find(path);
  if (node != nullptr && mode == OpenMode::create_new) {
    return sim_error(Code::already_exists, what, path, "File exists");
  }
  if (node != nullptr && node->is_directory) {
    return sim_error(Code::io_error, what, path, kIsDirectory);
  }
  if (node == nullptr) {
    std::string name;
    const SimNodePtr parent = machine_->tree.find_parent(path, name);
    if (!creates || parent == nullptr) return sim_error(Code::not_found, what, path, kNoSuchFile);
    node = machine_->tree.create(parent, name, false, machine_->clock->wall_ns());
  }
  const SimCaller caller{process_, machine_->life_of(process_)};
  return std::unique_ptr<File>(
      std::make_unique<SimFile>(machine_, caller, std::move(node), path, mode != OpenMode::read));
}

Result<FileInfo> SimFileSystem::stat(const std::string& path) const {
  const auto call = machine_->enter({process_, {}}, SimOp::stat, path);
  CC_TRY(call.status);
  CC_TRY(sim_fault_status(call.fault, "stat", path));
  const SimNodePtr node = machine_->tree.find(path);
  if (node == nullptr) return sim_error(Code::not_found, "stat", path, kNoSuchFile);
  FileInfo info;
  info.size = node->content.cache().size();
  info.is_directory = node->is_directory;
  info.inode = node->inode;
  info.modified_ns = node->modified_ns;
  return info;
}

Result<std::vector<std::string>> SimFileSystem::list(const std::string& path) const {
  const auto call = machine_->enter({process_, {}}, SimOp::list, path);
  CC_TRY(call.status);
  CC_TRY(sim_fault_status(call.fault, "list", path));
  const SimNodePtr node = machine_->tree.find(path);
  if (node == nullptr || !node->is_directory) {
    return sim_error(Code::not_found, "list", path, kNoSuchFile);
  }
  std::vector<std::string> names;
  for (const auto& [name, child] : node->entries) names.push_back(name);
  return names;
}

Status SimFileSystem::make_directories(const std::string& path, uint32_t) {
  const auto call = machine_->enter_counted({process_, {}}, SimOp::make_directories, path);
  CC_TRY(call.status);
  CC_TRY(sim_fault_status(call.fault, "create directory", path));
  for (size_t end = 0; end < path.size();) {
    end = std::min(path.find('/', end + 1), path.size());
    const std::string step = path.substr(0, end);
    const SimNodePtr node = machine_->tree.find(step);
    if (node == nullptr) {
      std::string name;
      const SimNodePtr parent = machine_->tree.find_parent(step, name);
      machine_->tree.create(parent, name, true, machine_->clock->wall_ns());
    } else if (!node->is_directory) {
      return sim_error(Code::already_exists, "create directory", step, "File exists");
    }
  }
  return {};
}

Status SimFileSystem::rename(const std::string& from, const std::string& to) {
  const auto call = machine_->enter_counted({process_, {}}, SimOp::rename, from);
  const std::string what = "rename " + from + " to";
  CC_TRY(call.status);
  CC_TRY(sim_fault_status(call.fault, what, to));
  std::string from_name;
  std::string to_name;
  const SimNodePtr from_parent = machine_->tree.find_parent(from, from_name);
  const SimNodePtr to_parent = machine_->tree.find_parent(to, to_name);
  const SimNodePtr node = machine_->tree.find(from);
  if (node == nullptr || from_parent == nullptr || to_parent == nullptr) {
    return sim_error(Code::not_found, what, to, kNoSuchFile);
  }
  const SimNodePtr target = machine_->tree.find(to);
  if (target != nullptr && target != node) {
    if (target->is_directory != node->is_directory) {
      return sim_error(Code::io_error, what, to,
                       target->is_directory ? kIsDirectory : "Not a directory");
    }
    if (!target->entries.empty()) {
      return sim_error(Code::io_error, what, to, "Directory not empty");
    }
  }
  machine_->tree.rename(from_parent, from_name, to_parent, to_name);
  return {};
}

Status SimFileSystem::link(const std::string& from, const std::string& to) {
  const auto call = machine_->enter_counted({process_, {}}, SimOp::link, from);
  const std::string what = "link " + from + " to";
  CC_TRY(call.status);
  CC_TRY(sim_fault_status(call.fault, what, to));
  if (!machine_->links) return {Code::unsupported, what + " " + to + ": no links here"};
  const SimNodePtr node = machine_->tree.find(from);
  std::string name;
  const SimNodePtr parent = machine_->tree.find_parent(to, name);
  if (node == nullptr || node->is_directory || parent == nullptr) {
    return sim_error(Code::not_found, what, to, kNoSuchFile);
  }
  if (machine_->tree.find(to) != nullptr) {
    return sim_error(Code::already_exists, what, to, "File exists");
  }
  machine_->tree.link(node, parent, name);
  return {};
}

Status SimFileSystem::remove(const std::string& path) {
  const auto call = machine_->enter_counted({process_, {}}, SimOp::remove, path);
  CC_TRY(call.status);
  CC_TRY(sim_fault_status(call.fault, "remove", path));
  std::string name;
  const SimNodePtr parent = machine_->tree.find_parent(path, name);
  const SimNodePtr node = machine_->tree.find(path);
  if (parent == nullptr || node == nullptr) {
    return sim_error(Code::not_found, "remove", path, kNoSuchFile);
  }
  if (!node->entries.empty()) {
    return sim_error(Code::io_error, "remove", path, "Directory not empty");
  }
  machine_->tree.remove(parent, name);
  return {};
}

Status SimFileSystem::sync_directory(const std::string& path) {
  const auto call = machine_->enter_counted({process_, {}}, SimOp::sync_directory, path);
  CC_TRY(call.status);
  CC_TRY(sim_fault_status(call.fault, "sync directory", path));
  const SimNodePtr node = machine_->tree.find(path);
  if (node == nullptr || !node->is_directory) {
    return sim_error(Code::not_found, "sync directory", path, kNoSuchFile);
  }
  if (call.fault != SimFault::ignored_sync) machine_->tree.sync_directory(node);
  return {};
}

Result<std::unique_ptr<FileLock>> SimFileSystem::lock_while(const std::string& path,
                                                            int64_t wait_ns,
                                                            const StillWanted& still) {
  constexpr int64_t kPauseNs = 1'000'000, kSliceNs = 100'000'000;
  auto call = machine_->enter_counted({process_, {}}, SimOp::lock, path);
  CC_TRY(call.status);
  CC_TRY(sim_fault_status(call.fault, "lock", path));
  const SimCaller caller{process_, machine_->life_of(process_)};
  const int64_t start_ns = machine_->clock->monotonic_ns();
  int64_t ask_ns = start_ns;
  for (;;) {
    SimNodePtr node = machine_->tree.find(path);
    if (node == nullptr) {
      std::string name;
      const SimNodePtr parent = machine_->tree.find_parent(path, name);
      if (parent == nullptr) return sim_error(Code::not_found, "lock", path, kNoSuchFile);
      node = machine_->tree.create(parent, name, false, machine_->clock->wall_ns());
    }
    if (node->is_directory) return sim_error(Code::io_error, "lock", path, kIsDirectory);
    if (node->lock == 0) {
      const uint64_t number = machine_->next_lock++;
      node->lock = number;
      machine_->locks[number] = {node, process_};
      return std::unique_ptr<FileLock>(
          std::make_unique<SimFileLock>(machine_, caller, std::move(node), path, number));
    }
    if (still && machine_->clock->monotonic_ns() >= ask_ns) {
      call.lock.unlock();
      CC_TRY(still());
      call.lock.lock();
      CC_TRY(machine_->check_alive(caller));
      ask_ns = machine_->clock->monotonic_ns() + kSliceNs;
      continue;
    }
    const int64_t left_ns = wait_ns - (machine_->clock->monotonic_ns() - start_ns);
    if (left_ns <= 0) {
      const std::string& owner = node->content.cache();
      return Status(Code::unavailable,
                    "the lock " + path + " is held" + (owner.empty() ? "" : " by " + owner));
    }
    call.lock.unlock();
    machine_->clock->sleep_ns(std::min(left_ns, kPauseNs));
    call.lock.lock();
    CC_TRY(machine_->check_alive(caller));
  }
}

std::string SimFileSystem::network_type(const std::string&) const {
  const std::lock_guard guard(machine_->mutex);
  return machine_->network_type;
}

void SimFileSystem::kill() {
  const std::lock_guard guard(machine_->mutex);
  machine_->kill(process_);
}

void SimFileSystem::kill_at(uint64_t n) {
  const std::lock_guard guard(machine_->mutex);
  machine_->processes[process_].kill_in = n;
}

bool SimFileSystem::is_killed() const {
  const std::lock_guard guard(machine_->mutex);
  return machine_->processes[process_].killed;
}

void SimFileSystem::restart() {
  const std::lock_guard guard(machine_->mutex);
  machine_->processes[process_].killed = false;
}

std::string SimFileSystem::temporary_path(const std::string& path) {
  const std::lock_guard guard(machine_->mutex);
  const uint64_t count = machine_->processes[process_].temporary_count++;
  return path + ".tmp-" + std::to_string(process_) + "-" + std::to_string(count);
}

SimDisk::SimDisk(uint64_t seed, Clock* clock)
    : machine_(std::make_shared<SimMachine>(seed, clock)) {}

SimDisk::~SimDisk() = default;

std::unique_ptr<SimFileSystem> SimDisk::start_process() {
  const std::lock_guard guard(machine_->mutex);
  machine_->processes.emplace_back();
  return std::unique_ptr<SimFileSystem>(
      new SimFileSystem(machine_, machine_->processes.size() - 1));
}

void SimDisk::crash(uint64_t seed) {
  const std::lock_guard guard(machine_->mutex);
  machine_->crash(seed);
}

void SimDisk::crash_at(uint64_t operation, uint64_t seed) {
  const std::lock_guard guard(machine_->mutex);
  machine_->crash_operation = operation;
  machine_->crash_seed = seed;
}

bool SimDisk::is_down() const {
  const std::lock_guard guard(machine_->mutex);
  return machine_->down;
}

void SimDisk::reboot() {
  const std::lock_guard guard(machine_->mutex);
  machine_->down = false;
}

uint64_t SimDisk::operations() const {
  const std::lock_guard guard(machine_->mutex);
  return machine_->operations;
}

void SimDisk::fail_operation(uint64_t operation, SimFault fault) {
  const std::lock_guard guard(machine_->mutex);
  machine_->faults_by_operation[operation] = fault;
}

void SimDisk::fail_next(SimOp op, uint64_t skip, SimFault fault, uint64_t times) {
  const std::lock_guard guard(machine_->mutex);
  machine_->planned_faults.push_back({op, skip, times, fault});
}

void SimDisk::clear_faults() {
  const std::lock_guard guard(machine_->mutex);
  machine_->planned_faults.clear();
  machine_->faults_by_operation.clear();
  machine_->crash_operation = 0;
  machine_->capacity_bytes.reset();
  for (SimMachine::Process& process : machine_->processes) process.kill_in = 0;
}

void SimDisk::set_free_bytes(uint64_t bytes) {
  const std::lock_guard guard(machine_->mutex);
  const uint64_t used = machine_->tree.used_bytes();
  machine_->capacity_bytes = bytes > UINT64_MAX - used ? UINT64_MAX : used + bytes;
}

void SimDisk::flip_bits(const std::string& path, uint64_t offset, uint8_t mask) {
  const std::lock_guard guard(machine_->mutex);
  const SimNodePtr node = machine_->tree.find(path);
  assert(node != nullptr && offset < node->content.cache().size());
  node->content.flip_bits(offset, mask);
}

void SimDisk::set_links(bool supported) {
  const std::lock_guard guard(machine_->mutex);
  machine_->links = supported;
}

void SimDisk::set_network_type(std::string type) {
  const std::lock_guard guard(machine_->mutex);
  machine_->network_type = std::move(type);
}

void SimDisk::set_hook(std::function<void(SimOp op, const std::string& path)> hook) {
  const std::lock_guard guard(machine_->mutex);
  machine_->hook = std::move(hook);
}

void SimDisk::set_injector(std::function<SimFate(const SimCall& call)> injector) {
  const std::lock_guard guard(machine_->mutex);
  machine_->injector = std::move(injector);
}

void SimDisk::set_flips_in_flight(bool on) {
  const std::lock_guard guard(machine_->mutex);
  machine_->flips_in_flight = on;
}

}  // namespace contextcore
