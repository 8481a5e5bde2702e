// The commit mark shows other processes what a store shows its own readers: who has seen a transaction in
// one of them must see it in the other.

#include <atomic>
#include <chrono>
#include <functional>
#include <thread>
#include <utility>

#include "store/store_test_kit.h"

namespace contextcore::store::test {
namespace {

// Tells when a mark has been written and its writer does not know yet.
class MarkFile : public File {
 public:
  MarkFile(std::unique_ptr<File> file, const std::function<void()>& written) : file_(std::move(file)), written_(written) {}
  Result<size_t> read_at(uint64_t offset, char* out, size_t n) const override { return file_->read_at(offset, out, n); }
  Status write_at(uint64_t offset, std::string_view data) override {
    CC_TRY(file_->write_at(offset, data));
    if (written_) written_();
    return {};
  }
  Status sync() override { return file_->sync(); }
  Result<uint64_t> size() const override { return file_->size(); }
  Status truncate(uint64_t size) override { return file_->truncate(size); }
  Status allocate(uint64_t size) override { return file_->allocate(size); }

 private:
  std::unique_ptr<File> file_;
  const std::function<void()>& written_;
};

class MarkWatchingFiles : public FileSystem {
 public:
  explicit MarkWatchingFiles(FileSystem& files) : files_(files) {}
  std::function<void()> mark_written;

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    auto file = files_.open(path, mode);
    if (!file.ok() || !path.ends_with("/COMMIT")) return file;
    return std::unique_ptr<File>(std::make_unique<MarkFile>(std::move(file).value(), mark_written));
  }
  Result<FileInfo> stat(const std::string& path) const override { return files_.stat(path); }
  Result<std::vector<std::string>> list(const std::string& path) const override { return files_.list(path); }
  Status make_directories(const std::string& path, uint32_t mode) override { return files_.make_directories(path, mode); }
  Status rename(const std::string& from, const std::string& to) override { return files_.rename(from, to); }
  Status remove(const std::string& path) override { return files_.remove(path); }
  Status sync_directory(const std::string& path) override { return files_.sync_directory(path); }
  Result<std::unique_ptr<FileLock>> lock_while(const std::string& path, int64_t wait_ns, const StillWanted& still) override {
    return files_.lock_while(path, wait_ns, still);
  }
  std::string network_type(const std::string& path) const override { return files_.network_type(path); }

 private:
  FileSystem& files_;
};

TEST(CommitMark, AServerNeverShowsLessThanItsFiles) {
  Machine machine;
  MarkWatchingFiles files(machine.process());
  StoreOptions options = machine.options(machine.process(), StoreMode::server);
  options.file_system = &files;
  const auto server = machine.open(options);
  ASSERT_TRUE(server->commit("", create_task(1, "one")).ok());

  uint64_t in_files = 0, in_server = 0;
  std::atomic<bool> answered{false};
  std::thread reader;
  files.mark_written = [&] {
    if (reader.joinable()) return;
    in_files = machine.open(StoreMode::read_only)->read()->sequence;
    reader = std::thread([&] {
      in_server = server->read()->sequence;
      answered = true;
    });
    // A server that would answer from before the mark has the time to do so. One that makes its reader wait for the
    // mark's writer, as it must, gets it when we return.
    for (int i = 0; i < 100 && !answered; ++i) std::this_thread::sleep_for(std::chrono::milliseconds(1));
  };
  ASSERT_TRUE(server->commit("", comment(1, "two")).ok());
  ASSERT_TRUE(reader.joinable());
  reader.join();
  EXPECT_EQ(in_files, 2U);
  EXPECT_GE(in_server, in_files);
}

}  // namespace
}  // namespace contextcore::store::test
