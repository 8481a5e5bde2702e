#include "store/store_commands.h"

#include <utility>

#include "base/hash.h"
#include "store/store_codec.h"

// File: magic (8), count (8), index of count × {hash 8, offset 8, length 4}, checksum of all that
// (8), then per command {id, result, time, sequence, checksum}.

namespace contextcore::store {
namespace {

constexpr std::string_view kMagic = "ctxccmd1";
constexpr size_t kEntryBytes = 20;

std::string encode(const StoredCommand& command) {
  std::string out;
  RecordWriter writer(out);
  writer.bytes(command.command_id);
  writer.bytes(command.result);
  writer.i64(command.time_ns);
  writer.u64(command.sequence);
  writer.u64(xxh3_64(out));
  return out;
}

Error damaged(const std::string& path) {
  return {Code::corruption, path + " is damaged", {}, {}, {}};
}

}  // namespace

Status CommandFile::write(FileSystem& files, const std::string& path,
                          const std::vector<StoredCommand>& commands) {
  std::string head;
  std::string body;
  RecordWriter writer(head);
  writer.raw(kMagic);
  writer.u64(commands.size());
  const uint64_t body_offset = kMagic.size() + 8 + commands.size() * kEntryBytes + 8;
  for (const StoredCommand& command : commands) {
    const std::string bytes = encode(command);
    writer.u64(xxh3_64(command.command_id));
    writer.u64(body_offset + body.size());
    writer.u32(static_cast<uint32_t>(bytes.size()));
    body += bytes;
  }
  writer.u64(xxh3_64(head));
  CC_ASSIGN(auto file, files.open(path, OpenMode::create));
  CC_TRY(file->truncate(0));
  CC_TRY(file->write_at(0, head + body));
  return file->sync();
}

Result<std::shared_ptr<const CommandFile>> CommandFile::open(FileSystem& files,
                                                             const std::string& path,
                                                             uint64_t number) {
  CC_ASSIGN(auto file, files.open(path, OpenMode::read));
  return std::shared_ptr<const CommandFile>(new CommandFile(std::move(file), path, number));
}

Result<const CommandFile::Index*> CommandFile::index() const {
  const std::lock_guard lock(mutex_);
  if (index_) return &*index_;
  std::string start(kMagic.size() + 8, '\0');
  CC_ASSIGN(const size_t got, file_->read_at(0, start.data(), start.size()));
  RecordReader start_reader(start);
  if (got != start.size() || start_reader.raw(kMagic.size()) != kMagic) return damaged(path_);
  const uint64_t count = start_reader.u64();
  CC_ASSIGN(const uint64_t size, file_->size());
  if (count > size / kEntryBytes) return damaged(path_);
  std::string bytes(start.size() + count * kEntryBytes + 8, '\0');
  CC_ASSIGN(const size_t read, file_->read_at(0, bytes.data(), bytes.size()));
  const std::string_view covered = std::string_view(bytes).substr(0, bytes.size() - 8);
  if (read != bytes.size() ||
      RecordReader(std::string_view(bytes).substr(covered.size())).u64() != xxh3_64(covered)) {
    return damaged(path_);
  }
  RecordReader reader(covered.substr(start.size()));
  index_.emplace();
  for (uint64_t i = 0; i < count; ++i) {
    const uint64_t hash = reader.u64();
    const uint64_t offset = reader.u64();
    index_->emplace(hash, std::pair(offset, reader.u32()));
  }
  return &*index_;
}

Result<StoredCommand> CommandFile::read_at(uint64_t offset, uint32_t length) const {
  std::string bytes(length, '\0');
  CC_ASSIGN(const size_t got, file_->read_at(offset, bytes.data(), bytes.size()));
  if (got != length || length < 8) return damaged(path_);
  RecordReader reader(bytes);
  StoredCommand command;
  command.command_id = reader.bytes();
  command.result = reader.bytes();
  command.time_ns = reader.i64();
  command.sequence = reader.u64();
  const uint64_t checksum = xxh3_64(std::string_view(bytes).substr(0, bytes.size() - 8));
  if (reader.u64() != checksum || !reader.done()) return damaged(path_);
  return command;
}

Result<std::optional<StoredCommand>> CommandFile::find(std::string_view command_id) const {
  CC_ASSIGN(const Index* entries, index());
  const auto [begin, end] = entries->equal_range(xxh3_64(command_id));
  for (auto it = begin; it != end; ++it) {
    CC_ASSIGN(StoredCommand command, read_at(it->second.first, it->second.second));
    if (command.command_id == command_id) return std::optional(std::move(command));
  }
  return std::optional<StoredCommand>();
}

Result<std::vector<StoredCommand>> CommandFile::all() const {
  CC_ASSIGN(const Index* entries, index());
  std::vector<StoredCommand> commands;
  commands.reserve(entries->size());
  for (const auto& [hash, place] : *entries) {
    CC_ASSIGN(StoredCommand command, read_at(place.first, place.second));
    commands.push_back(std::move(command));
  }
  return commands;
}

}  // namespace contextcore::store
