// What every FileSystem promises, held against the real and the simulated one; then what only the
// real one can show: processes, limits, the kernel's errors.

#include "base/file_system.h"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <signal.h>
#include <sys/resource.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <atomic>
#include <cstdlib>
#include <filesystem>
#include <fstream>
#include <string>
#include <thread>
#include <vector>

#include "base/sim_file_system.h"

namespace contextcore {
namespace {

using testing::ElementsAre;
using testing::HasSubstr;

// A directory of its own for each test, on the real disk or on a simulated one.
class Place {
 public:
  virtual ~Place() = default;
  virtual FileSystem& fs() = 0;
  std::string path(const std::string& name) const { return join_path(root_, name); }

 protected:
  std::string root_;
};

class RealPlace : public Place {
 public:
  RealPlace() {
    std::string pattern = testing::TempDir() + "contextcore-base-XXXXXX";
    root_ = mkdtemp(pattern.data());
  }
  ~RealPlace() override { std::filesystem::remove_all(root_); }
  FileSystem& fs() override { return real_file_system(); }
};

class SimPlace : public Place {
 public:
  SimPlace() : process_(disk_.start_process()) {
    root_ = "/place";
    EXPECT_TRUE(process_->make_directories(root_).ok());
  }
  FileSystem& fs() override { return *process_; }

 private:
  SimDisk disk_;
  std::unique_ptr<SimFileSystem> process_;
};

class FileSystemTest : public testing::TestWithParam<bool> {
 protected:
  FileSystemTest() {
    if (GetParam()) {
      place_ = std::make_unique<RealPlace>();
    } else {
      place_ = std::make_unique<SimPlace>();
    }
  }
  FileSystem& fs() { return place_->fs(); }
  std::string path(const std::string& name) const { return place_->path(name); }

  std::unique_ptr<File> open(const std::string& name, OpenMode mode = OpenMode::create) {
    Result<std::unique_ptr<File>> file = fs().open(path(name), mode);
    EXPECT_TRUE(file.ok()) << (file.ok() ? "" : file.error().message);
    return file.ok() ? std::move(*file) : nullptr;
  }
  void expect_error(const Status& status, Code code, const std::string& name) {
    ASSERT_FALSE(status.ok());
    EXPECT_EQ(status.error().code, code) << status.error().message;
    EXPECT_THAT(status.error().message, HasSubstr(path(name)));
  }

 private:
  std::unique_ptr<Place> place_;
};

INSTANTIATE_TEST_SUITE_P(Both, FileSystemTest, testing::Bool(),
                         [](const auto& kind) { return kind.param ? "Real" : "Simulated"; });

std::string contents(const File& file, uint64_t offset = 0, size_t n = 1 << 20) {
  std::string bytes(n, '?');
  const Result<size_t> got = file.read_at(offset, bytes.data(), n);
  EXPECT_TRUE(got.ok());
  bytes.resize(got.ok() ? *got : 0);
  return bytes;
}

TEST_P(FileSystemTest, OpenModes) {
  expect_error(fs().open(path("a"), OpenMode::read).status(), Code::not_found, "a");
  expect_error(fs().open(path("a"), OpenMode::read_write).status(), Code::not_found, "a");
  expect_error(fs().open(path("no/a"), OpenMode::create).status(), Code::not_found, "no/a");
  ASSERT_TRUE(open("a", OpenMode::create_new)->write_at(0, "kept").ok());
  expect_error(fs().open(path("a"), OpenMode::create_new).status(), Code::already_exists, "a");
  EXPECT_EQ(contents(*open("a", OpenMode::create)), "kept");
  EXPECT_TRUE(open("a", OpenMode::read_write)->write_at(0, "K").ok());
  const auto read_only = open("a", OpenMode::read);
  EXPECT_EQ(contents(*read_only), "Kept");
  expect_error(read_only->write_at(0, "x"), Code::io_error, "a");
  expect_error(fs().open(path(""), OpenMode::create).status(), Code::io_error, "");
}

TEST_P(FileSystemTest, ReadsAndWritesAnywhere) {
  const auto file = open("a");
  EXPECT_TRUE(file->write_at(0, "").ok());
  EXPECT_EQ(*file->size(), 0U);
  EXPECT_TRUE(file->write_at(5, "world").ok());
  EXPECT_EQ(contents(*file), std::string("\0\0\0\0\0world", 10));
  EXPECT_TRUE(file->write_at(0, "hello").ok());
  EXPECT_EQ(contents(*file, 3, 4), "lowo");
  EXPECT_EQ(contents(*file, 8, 100), "ld");
  EXPECT_EQ(contents(*file, 10, 1), "");
  EXPECT_EQ(contents(*file, 1000, 1), "");
  EXPECT_TRUE(file->sync().ok());
  EXPECT_TRUE(file->truncate(4).ok());
  EXPECT_TRUE(file->truncate(6).ok());
  EXPECT_EQ(contents(*file), std::string("hell\0\0", 6));
  EXPECT_EQ(*file->size(), 6U);
  expect_error(file->write_at(UINT64_MAX - 1, "xyz"), Code::invalid_argument, "a");
  expect_error(file->truncate(UINT64_MAX), Code::invalid_argument, "a");
  expect_error(file->allocate(UINT64_MAX), Code::invalid_argument, "a");
}

TEST_P(FileSystemTest, AllocateExtendsWithZerosAndKeepsBytes) {
  const auto file = open("a");
  ASSERT_TRUE(file->write_at(0, "abc").ok());
  ASSERT_TRUE(file->allocate(600'000).ok());
  EXPECT_EQ(*file->size(), 600'000U);
  EXPECT_EQ(contents(*file, 0, 5), std::string("abc\0\0", 5));
  EXPECT_EQ(contents(*file, 599'999, 5), std::string("\0", 1));
  ASSERT_TRUE(file->allocate(10).ok());
  EXPECT_EQ(*file->size(), 600'000U);
}

TEST_P(FileSystemTest, StatAndList) {
  ASSERT_TRUE(fs().make_directories(path("b/c/d")).ok());
  ASSERT_TRUE(fs().make_directories(path("b/c")).ok());
  ASSERT_TRUE(fs().make_directories(path("b/c/d/")).ok());
  ASSERT_TRUE(open("b/z")->write_at(0, "12345").ok());
  open("b/a");
  EXPECT_THAT(*fs().list(path("b")), ElementsAre("a", "c", "z"));
  EXPECT_THAT(*fs().list(path("b/c/d")), ElementsAre());
  const FileInfo file = *fs().stat(path("b/z"));
  EXPECT_EQ(file.size, 5U);
  EXPECT_FALSE(file.is_directory);
  EXPECT_GT(file.modified_ns, 0);
  EXPECT_NE(file.inode, fs().stat(path("b/a"))->inode);
  EXPECT_TRUE(fs().stat(path("b"))->is_directory);
  EXPECT_TRUE(fs().exists(path("b/a")));
  EXPECT_FALSE(fs().exists(path("b/x")));
  expect_error(fs().stat(path("x")).status(), Code::not_found, "x");
  expect_error(fs().list(path("x")).status(), Code::not_found, "x");
  expect_error(fs().list(path("b/a")).status(), Code::not_found, "b/a");
  expect_error(fs().make_directories(path("b/a")), Code::already_exists, "b/a");
  EXPECT_FALSE(fs().make_directories(path("b/a/deeper")).ok());
  EXPECT_TRUE(fs().make_directories("/").ok());
}

TEST_P(FileSystemTest, RenameAndRemove) {
  ASSERT_TRUE(open("a")->write_at(0, "A").ok());
  ASSERT_TRUE(open("b")->write_at(0, "B").ok());
  const auto old = open("b", OpenMode::read);
  ASSERT_TRUE(fs().rename(path("a"), path("b")).ok());
  EXPECT_EQ(*fs().read_file(path("b")), "A");
  EXPECT_EQ(contents(*old), "B");  // a handle outlives the name
  EXPECT_FALSE(fs().exists(path("a")));
  expect_error(fs().rename(path("a"), path("c")), Code::not_found, "a");
  ASSERT_TRUE(fs().make_directories(path("d")).ok());
  ASSERT_TRUE(fs().rename(path("b"), path("d/b")).ok());
  EXPECT_FALSE(fs().remove(path("d")).ok());  // not empty
  EXPECT_TRUE(fs().rename(path("d/b"), path("d/b")).ok());
  EXPECT_TRUE(fs().sync_directory(path("d")).ok());
  ASSERT_TRUE(fs().remove(path("d/b")).ok());
  ASSERT_TRUE(fs().remove(path("d")).ok());
  expect_error(fs().remove(path("d")), Code::not_found, "d");
  expect_error(fs().sync_directory(path("d")), Code::not_found, "d");
}

TEST_P(FileSystemTest, WholeFiles) {
  const std::string big(100'000, 'x');
  ASSERT_TRUE(fs().write_file_atomically(path("f"), big).ok());
  EXPECT_EQ(*fs().read_file(path("f")), big);
  ASSERT_TRUE(fs().write_file_atomically(path("f"), "").ok());
  EXPECT_EQ(*fs().read_file(path("f")), "");
  EXPECT_THAT(*fs().list(path("")), ElementsAre("f"));
  expect_error(fs().read_file(path("g")).status(), Code::not_found, "g");
  EXPECT_FALSE(fs().write_file_atomically(path("no/f"), "x").ok());
  ASSERT_TRUE(fs().make_directories(path("d")).ok());
  EXPECT_FALSE(fs().write_file_atomically(path("d"), "x").ok());
  EXPECT_THAT(*fs().list(path("")), ElementsAre("d", "f"));  // no temporary file is left behind
}

TEST_P(FileSystemTest, LocksExcludeWithinAProcess) {
  Result<std::unique_ptr<FileLock>> first = fs().lock(path("LOCK"), 0);
  ASSERT_TRUE(first.ok());
  ASSERT_TRUE((*first)->write_owner("pid 1 and a long command line").ok());
  ASSERT_TRUE((*first)->write_owner("pid 7 task start").ok());
  for (const int64_t wait_ns : {int64_t{0}, int64_t{2'000'000}, int64_t{-1}}) {
    const Result<std::unique_ptr<FileLock>> second = fs().lock(path("LOCK"), wait_ns);
    expect_error(second.status(), Code::unavailable, "LOCK");
    EXPECT_THAT(second.error().message, HasSubstr("by pid 7 task start"));
  }
  first->reset();
  EXPECT_EQ(*fs().read_file(path("LOCK")), "");  // nobody would be blamed wrongly
  // Whoever gave up may hold it for a moment yet.
  EXPECT_TRUE(fs().lock(path("LOCK"), 60'000'000'000).ok());
  expect_error(fs().lock(path("no/LOCK"), 0).status(), Code::not_found, "no/LOCK");
}

TEST_P(FileSystemTest, WhoWaitsForALockIsAskedWhetherItStillHasTo) {
  auto first = std::move(*fs().lock(path("LOCK"), 0));
  int asked = 0;
  const auto still = [&]() -> Status {
    if (++asked < 3) return {};
    return {Code::conflict, "changed my mind"};
  };
  const Status status = fs().lock_while(path("LOCK"), 60'000'000'000, still).status();
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().message, "changed my mind");
  EXPECT_EQ(asked, 3);
  asked = 0;
  expect_error(fs().lock_while(path("LOCK"), 0, still).status(), Code::unavailable, "LOCK");
  EXPECT_EQ(asked, 1);
  first.reset();
  asked = 100;
  ASSERT_TRUE(fs().lock(path("LOCK"), 60'000'000'000).ok());
}

TEST_P(FileSystemTest, ARemovedLockFileExcludesNobody) {
  const auto first = std::move(*fs().lock(path("LOCK"), 0));
  ASSERT_TRUE(fs().remove(path("LOCK")).ok());
  const auto second = std::move(*fs().lock(path("LOCK"), 0));
  EXPECT_FALSE(fs().lock(path("LOCK"), 0).ok());
}

TEST(Paths, JoinAndParent) {
  EXPECT_EQ(join_path("a", "b"), "a/b");
  EXPECT_EQ(join_path("a/", "b"), "a/b");
  EXPECT_EQ(join_path("/", "b"), "/b");
  EXPECT_EQ(join_path("", "b"), "b");
  EXPECT_EQ(join_path("a", "/b"), "/b");
  EXPECT_EQ(join_path("a", ""), "a");
  EXPECT_EQ(parent_path("/a/b"), "/a");
  EXPECT_EQ(parent_path("/a/b//"), "/a");
  EXPECT_EQ(parent_path("a//b"), "a");
  EXPECT_EQ(parent_path("/a"), "/");
  EXPECT_EQ(parent_path("/"), "/");
  EXPECT_EQ(parent_path("a"), ".");
  EXPECT_EQ(parent_path("."), ".");
  EXPECT_EQ(parent_path(""), ".");
}

class RealFileSystemTest : public testing::Test {
 protected:
  FileSystem& fs() { return real_file_system(); }
  std::string path(const std::string& name) const { return place_.path(name); }
  RealPlace place_;
};

TEST_F(RealFileSystemTest, KeepsFilesPrivate) {
  ASSERT_TRUE(fs().make_directories(path("d/e")).ok());
  ASSERT_TRUE(fs().write_file_atomically(path("d/f"), "x").ok());
  struct stat info{};
  ASSERT_EQ(stat(path("d/f").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 077, 0U);
  ASSERT_EQ(stat(path("d").c_str(), &info), 0);
  EXPECT_EQ(info.st_mode & 077, 0U);
}

TEST_F(RealFileSystemTest, NamesTheKernelsReason) {
  const Status status = fs().open(path("none"), OpenMode::read).status();
  EXPECT_THAT(status.error().message, HasSubstr("No such file or directory"));
}

TEST_F(RealFileSystemTest, FullDiskIsResourceExhausted) {
  if (!fs().exists("/dev/full")) GTEST_SKIP() << "no /dev/full here";
  const auto full = std::move(*fs().open("/dev/full", OpenMode::read_write));
  const Status status = full->write_at(0, "x");
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, Code::resource_exhausted);
  EXPECT_THAT(status.error().message, HasSubstr("/dev/full"));
  EXPECT_FALSE(status.error().hint.empty());
}

TEST_F(RealFileSystemTest, ContinuesAfterAShortWrite) {
  // The kernel writes up to the limit on file sizes first, and only the next call fails.
  const auto file = std::move(*fs().open(path("f"), OpenMode::create));
  rlimit old{};
  ASSERT_EQ(getrlimit(RLIMIT_FSIZE, &old), 0);
  auto* const old_handler = signal(SIGXFSZ, SIG_IGN);
  rlimit small = old;
  small.rlim_cur = 1000;
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &small), 0);
  const Status status = file->write_at(0, std::string(5000, 'x'));
  ASSERT_EQ(setrlimit(RLIMIT_FSIZE, &old), 0);
  signal(SIGXFSZ, old_handler);
  ASSERT_FALSE(status.ok());
  EXPECT_EQ(status.error().code, Code::io_error);
  EXPECT_EQ(*file->size(), 1000U);
  EXPECT_TRUE(file->write_at(0, std::string(5000, 'y')).ok());
  EXPECT_EQ(*file->size(), 5000U);
}

TEST_F(RealFileSystemTest, ReadsFilesThatHideTheirSize) {
  const Result<std::string> text = fs().read_file("/proc/self/mountinfo");
  ASSERT_TRUE(text.ok());
  EXPECT_THAT(*text, HasSubstr(" - "));
}

TEST_F(RealFileSystemTest, LocalDisksAreNotNetworks) {
  EXPECT_EQ(fs().network_type("/proc"), "");
  EXPECT_EQ(fs().network_type("/proc/not/there/yet"), "");
}

TEST_F(RealFileSystemTest, WaitingForALockSucceedsWhenItIsReleased) {
  auto held = std::move(*fs().lock(path("LOCK"), 0));
  std::atomic<bool> trying = false;
  bool got = false;
  std::thread waiter([&] {
    trying = true;
    got = fs().lock(path("LOCK"), 60'000'000'000).ok();
  });
  while (!trying) std::this_thread::yield();
  held.reset();
  waiter.join();
  EXPECT_TRUE(got);
}

// How many wait for the lock on a file, as the system tells.
int waiters_of(const std::string& path) {
  struct stat info{};
  if (::stat(path.c_str(), &info) != 0) return -1;
  const std::string inode = ":" + std::to_string(info.st_ino) + " ";
  std::ifstream locks("/proc/locks");
  int count = 0;
  for (std::string line; std::getline(locks, line);) {
    if (line.find("-> FLOCK") != std::string::npos && line.find(inode) != std::string::npos) ++count;
  }
  return count;
}

TEST_F(RealFileSystemTest, ALockIsGivenInTheOrderOfComing) {
  auto held = std::move(*fs().lock(path("LOCK"), 0));
  std::vector<int> order;  // the lock is what protects it
  std::vector<std::thread> threads;
  for (int t = 0; t < 8; ++t) {
    threads.emplace_back([&, t] {
      const auto lock = fs().lock(path("LOCK"), 60'000'000'000);
      ASSERT_TRUE(lock.ok());
      order.push_back(t);
    });
    while (waiters_of(path("LOCK")) <= t) std::this_thread::yield();
  }
  held.reset();
  for (std::thread& thread : threads) thread.join();
  EXPECT_THAT(order, ElementsAre(0, 1, 2, 3, 4, 5, 6, 7));
}

TEST_F(RealFileSystemTest, WhoGivesUpPassesTheLockOn) {
  auto held = std::move(*fs().lock(path("LOCK"), 0));
  for (int i = 0; i < 3; ++i) {
    EXPECT_FALSE(fs().lock(path("LOCK"), 1'000'000).ok());
  }
  while (waiters_of(path("LOCK")) < 3) std::this_thread::yield();
  held.reset();
  ASSERT_TRUE(fs().lock(path("LOCK"), 60'000'000'000).ok());
  while (waiters_of(path("LOCK")) > 0) std::this_thread::yield();
  EXPECT_TRUE(fs().lock(path("LOCK"), 60'000'000'000).ok());
}

TEST_F(RealFileSystemTest, LocksExcludeManyThreads) {
  int counter = 0;  // not atomic: the lock is what protects it
  std::vector<std::thread> threads;
  for (int t = 0; t < 4; ++t) {
    threads.emplace_back([&] {
      for (int i = 0; i < 50; ++i) {
        const auto lock = fs().lock(path("LOCK"), 60'000'000'000);
        ASSERT_TRUE(lock.ok());
        ++counter;
      }
    });
  }
  for (std::thread& thread : threads) thread.join();
  EXPECT_EQ(counter, 200);
}

TEST_F(RealFileSystemTest, AKilledProcessLosesItsLockAndKeepsItsWrites) {
  int ready[2];
  ASSERT_EQ(pipe(ready), 0);
  const pid_t child = fork();
  ASSERT_GE(child, 0);
  if (child == 0) {
    auto lock = fs().lock(path("LOCK"), 0);
    auto file = fs().open(path("f"), OpenMode::create);
    const bool ok = lock.ok() && file.ok() && (*lock)->write_owner("the child").ok() &&
                    (*file)->write_at(0, "written").ok() && write(ready[1], "y", 1) == 1;
    if (!ok) _exit(1);
    for (;;) pause();
  }
  char byte = 0;
  ASSERT_EQ(read(ready[0], &byte, 1), 1);
  const Status held = fs().lock(path("LOCK"), 0).status();
  ASSERT_FALSE(held.ok());
  EXPECT_THAT(held.error().message, HasSubstr("the child"));
  ASSERT_EQ(kill(child, SIGKILL), 0);
  ASSERT_EQ(waitpid(child, nullptr, 0), child);
  EXPECT_TRUE(fs().lock(path("LOCK"), 0).ok());
  EXPECT_EQ(*fs().read_file(path("f")), "written");
  close(ready[0]);
  close(ready[1]);
}

TEST_F(RealFileSystemTest, DescriptorsAreNotInherited) {
  const auto file = std::move(*fs().open(path("f"), OpenMode::create));
  const auto lock = std::move(*fs().lock(path("LOCK"), 0));
  const std::string command = "ls -l /proc/self/fd | grep -q '" + path("") + "'";
  EXPECT_NE(std::system(command.c_str()), 0);  // grep finds none
}

}  // namespace
}  // namespace contextcore
