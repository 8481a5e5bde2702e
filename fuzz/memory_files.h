#pragma once
// A file system in memory for fuzz targets: no faults, no power losses, no locks that wait, and a
// copy costs what its files hold. Files are sparse at their end, because a log allocates far more
// than it writes. One thread.

#include <algorithm>
#include <cstring>
#include <map>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/file_system.h"

namespace contextcore::fuzz {

struct MemoryContent {
  std::string bytes;  // behind them zeros, up to size
  uint64_t size = 0;
};
using MemoryContentPtr = std::shared_ptr<MemoryContent>;

class MemoryFile : public File {
 public:
  explicit MemoryFile(MemoryContentPtr content) : content_(std::move(content)) {}

  Result<size_t> read_at(uint64_t offset, char* out, size_t n) const override {
    const MemoryContent& content = *content_;
    if (offset >= content.size) return size_t{0};
    n = static_cast<size_t>(std::min<uint64_t>(n, content.size - offset));
    const size_t written =
        offset < content.bytes.size() ? std::min<size_t>(n, content.bytes.size() - offset) : 0;
    if (written > 0) std::memcpy(out, content.bytes.data() + offset, written);
    if (written < n) std::memset(out + written, 0, n - written);  // out may be null where nothing is asked for
    return n;
  }
  Status write_at(uint64_t offset, std::string_view data) override {
    MemoryContent& content = *content_;
    if (offset > kBytesMax - data.size()) return {Code::invalid_argument, "file too large"};
    if (content.bytes.size() < offset + data.size()) content.bytes.resize(offset + data.size());
    content.bytes.replace(offset, data.size(), data);
    content.size = std::max<uint64_t>(content.size, content.bytes.size());
    return {};
  }
  Status sync() override { return {}; }
  Result<uint64_t> size() const override { return content_->size; }
  Status truncate(uint64_t size) override {
    if (size < content_->bytes.size()) content_->bytes.resize(size);
    content_->size = size;
    return {};
  }
  Status allocate(uint64_t size) override {
    content_->size = std::max(content_->size, size);
    return {};
  }

 private:
  static constexpr uint64_t kBytesMax = uint64_t{16} << 20;
  MemoryContentPtr content_;
};

class MemoryLock : public FileLock {
 public:
  Status write_owner(std::string_view) override { return {}; }
};

class MemoryFiles : public FileSystem {
 public:
  MemoryFiles() = default;
  // Its files are copies; handles of the other one go on meaning the other one's.
  MemoryFiles(const MemoryFiles& other) : FileSystem() {
    for (const auto& [path, content] : other.files_) {
      files_[path] = std::make_shared<MemoryContent>(*content);
    }
  }
  MemoryFiles& operator=(const MemoryFiles&) = delete;

  Result<std::unique_ptr<File>> open(const std::string& path, OpenMode mode) override {
    auto found = files_.find(path);
    const bool exists = found != files_.end();
    if (exists && mode == OpenMode::create_new) return {Code::already_exists, path};
    if (!exists) {
      if (mode == OpenMode::read || mode == OpenMode::read_write) return {Code::not_found, path};
      found = files_.emplace(path, std::make_shared<MemoryContent>()).first;
    }
    return std::unique_ptr<File>(std::make_unique<MemoryFile>(found->second));
  }
  Result<FileInfo> stat(const std::string& path) const override {
    FileInfo info;
    const auto found = files_.find(path);
    if (found != files_.end()) {
      info.size = found->second->size;
      return info;
    }
    info.is_directory = true;
    const auto below = files_.lower_bound(path + "/");
    if (below != files_.end() && below->first.starts_with(path + "/")) return info;
    return {Code::not_found, path};
  }
  Result<std::vector<std::string>> list(const std::string& path) const override {
    std::vector<std::string> names;
    const std::string prefix = path + "/";
    for (auto at = files_.lower_bound(prefix); at != files_.end(); ++at) {
      if (!at->first.starts_with(prefix)) break;
      const std::string rest = at->first.substr(prefix.size());
      const std::string name = rest.substr(0, rest.find('/'));
      if (names.empty() || names.back() != name) names.push_back(name);
    }
    return names;
  }
  Status make_directories(const std::string&, uint32_t) override { return {}; }
  Status rename(const std::string& from, const std::string& to) override {
    const auto found = files_.find(from);
    if (found == files_.end()) return {Code::not_found, from};
    MemoryContentPtr content = std::move(found->second);
    files_.erase(found);
    files_[to] = std::move(content);
    return {};
  }
  Status remove(const std::string& path) override {
    return files_.erase(path) > 0 ? Status() : Status(Code::not_found, path);
  }
  Status sync_directory(const std::string&) override { return {}; }
  Result<std::unique_ptr<FileLock>> lock_while(const std::string&, int64_t, const StillWanted&) override {
    return std::unique_ptr<FileLock>(std::make_unique<MemoryLock>());
  }
  std::string network_type(const std::string&) const override { return {}; }

 private:
  std::map<std::string, MemoryContentPtr> files_;
};

}  // namespace contextcore::fuzz
