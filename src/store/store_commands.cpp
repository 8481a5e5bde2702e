#include "store/store_commands.h"

#include <utility>

#include "base/hash.h"
#include "base/sort.h"
#include "store/store_codec.h"

// File: magic (8), count of commands (8), bits (4), then 1 << bits buckets {end 4, checksum 8},
// checksum of all that (8); entries {hash 8, offset 8, length 4} by hash; per command {id, result,
// time, sequence, checksum}. An entry is in the bucket that the first `bits` bits of its hash name;
// end: how many entries there are up to the bucket's last. A look-up reads one bucket and one
// command.

namespace contextcore::store {
namespace {

constexpr std::string_view kMagic = "ctxccmd2";
constexpr size_t kStartBytes = 8 + 8 + 4, kBucketBytes = 12, kEntryBytes = 20;
constexpr size_t kEntriesPerBucket = 64;  // about
constexpr uint32_t kBitsMax = 24;

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

size_t bucket_of(uint64_t hash, uint32_t bits) {
  return bits == 0 ? 0 : static_cast<size_t>(hash >> (64 - bits));
}

}  // namespace

Status CommandFile::write(FileSystem& files, const std::string& path,
                          const std::vector<StoredCommand>& commands) {
  struct Entry {
    uint64_t hash;
    const StoredCommand* command;
  };
  std::vector<Entry> order;
  order.reserve(commands.size());
  for (const StoredCommand& command : commands) {
    order.push_back({xxh3_64(command.command_id), &command});
  }
  sort_stably(order, [](const Entry& a, const Entry& b) { return a.hash < b.hash; });
  uint32_t bits = 0;
  while (bits < kBitsMax && (order.size() >> bits) > kEntriesPerBucket) ++bits;

  const size_t buckets = size_t{1} << bits;
  const uint64_t body_offset =
      kStartBytes + buckets * kBucketBytes + 8 + order.size() * kEntryBytes;
  std::string head, entries, body;
  RecordWriter writer(head), entry_writer(entries);
  writer.raw(kMagic);
  writer.u64(order.size());
  writer.u32(bits);
  size_t at = 0;
  for (size_t bucket = 0; bucket < buckets; ++bucket) {
    const size_t begin = entries.size();
    for (; at < order.size() && bucket_of(order[at].hash, bits) == bucket; ++at) {
      const std::string bytes = encode(*order[at].command);
      entry_writer.u64(order[at].hash);
      entry_writer.u64(body_offset + body.size());
      entry_writer.u32(static_cast<uint32_t>(bytes.size()));
      body += bytes;
    }
    writer.u32(static_cast<uint32_t>(at));
    writer.u64(xxh3_64(std::string_view(entries).substr(begin)));
  }
  writer.u64(xxh3_64(head));
  CC_ASSIGN(auto file, files.open(path, OpenMode::create));
  CC_TRY(file->truncate(0));
  CC_TRY(file->write_at(0, head + entries + body));
  return file->sync();
}

Result<std::shared_ptr<const CommandFile>> CommandFile::open(FileSystem& files,
                                                             const std::string& path,
                                                             uint64_t number) {
  CC_ASSIGN(auto file, files.open(path, OpenMode::read));
  return std::shared_ptr<const CommandFile>(new CommandFile(std::move(file), path, number));
}

Result<std::string> CommandFile::read_exactly(uint64_t offset, size_t length) const {
  std::string bytes(length, '\0');
  CC_ASSIGN(const size_t got, file_->read_at(offset, bytes.data(), length));
  if (got != length) return damaged(path_);
  return bytes;
}

Status CommandFile::load_directory() const {
  const std::lock_guard lock(mutex_);
  if (!directory_.empty()) return {};
  CC_ASSIGN(const uint64_t size, file_->size());
  CC_ASSIGN(const std::string start, read_exactly(0, kStartBytes));
  RecordReader reader(start);
  if (reader.raw(kMagic.size()) != kMagic) return damaged(path_);
  const uint64_t count = reader.u64();
  const uint32_t bits = reader.u32();
  if (bits > kBitsMax || count > size / kEntryBytes ||
      (uint64_t{1} << bits) > size / kBucketBytes) {
    return damaged(path_);
  }
  CC_ASSIGN(std::string bytes, read_exactly(0, kStartBytes + (kBucketBytes << bits) + 8));
  const std::string_view covered = std::string_view(bytes).substr(0, bytes.size() - 8);
  if (RecordReader(std::string_view(bytes).substr(covered.size())).u64() != xxh3_64(covered)) {
    return damaged(path_);
  }
  bits_ = bits;
  directory_ = std::move(bytes);
  return {};
}

Result<std::vector<CommandFile::Entry>> CommandFile::bucket(size_t number) const {
  const auto end_of = [this](size_t bucket) {
    return RecordReader(std::string_view(directory_).substr(kStartBytes + bucket * kBucketBytes))
        .u32();
  };
  const uint32_t begin = number == 0 ? 0 : end_of(number - 1);
  RecordReader reader(std::string_view(directory_).substr(kStartBytes + number * kBucketBytes));
  const uint32_t end = reader.u32();
  const uint64_t checksum = reader.u64();
  CC_ASSIGN(const uint64_t size, file_->size());
  if (end < begin || end > size / kEntryBytes) return damaged(path_);
  CC_ASSIGN(const std::string bytes,
            read_exactly(directory_.size() + begin * kEntryBytes, (end - begin) * kEntryBytes));
  if (xxh3_64(bytes) != checksum) return damaged(path_);
  std::vector<Entry> entries;
  RecordReader entry_reader(bytes);
  for (uint32_t i = begin; i < end; ++i) {
    Entry& entry = entries.emplace_back();
    entry.hash = entry_reader.u64();
    entry.offset = entry_reader.u64();
    entry.length = entry_reader.u32();
    if (entry.offset > size || entry.length > size - entry.offset) return damaged(path_);
  }
  return entries;
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
  CC_TRY(load_directory());
  const uint64_t hash = xxh3_64(command_id);
  CC_ASSIGN(const std::vector<Entry> entries, bucket(bucket_of(hash, bits_)));
  for (const Entry& entry : entries) {
    if (entry.hash != hash) continue;
    CC_ASSIGN(StoredCommand command, read_at(entry.offset, entry.length));
    if (command.command_id == command_id) return std::optional(std::move(command));
  }
  return std::optional<StoredCommand>();
}

Result<std::vector<StoredCommand>> CommandFile::all() const {
  CC_TRY(load_directory());
  std::vector<StoredCommand> commands;
  for (size_t number = 0; number < size_t{1} << bits_; ++number) {
    CC_ASSIGN(const std::vector<Entry> entries, bucket(number));
    for (const Entry& entry : entries) {
      CC_ASSIGN(StoredCommand command, read_at(entry.offset, entry.length));
      commands.push_back(std::move(command));
    }
  }
  return commands;
}

}  // namespace contextcore::store
