#include "store/store_commands.h"

#include <iterator>
#include <utility>

#include "base/hash.h"
#include "base/sort.h"
#include "store/segment_page.h"
#include "store/store_codec.h"

// File: magic (8), count of commands (8), bits (4), then 1 << bits buckets {offset 8, commands 4,
// stored 4, raw 4, checksum of the hashes 8, checksum of the block 8}, checksum of all that (8); at
// each bucket's offset the hashes (8 each, ascending) of the ids of its commands and, compressed
// where that pays (stored < raw), a block of the commands themselves in that order: {id, result,
// time, sequence} each. A command is in the bucket that the first `bits` bits of its hash name. A
// look-up of an unknown id reads the hashes of one bucket.

namespace contextcore::store {
namespace {

constexpr std::string_view kMagic = "ctxccmd2";
constexpr size_t kStartBytes = 8 + 8 + 4, kBucketBytes = 36;
constexpr size_t kCommandsPerBucket = 64;  // about
constexpr uint32_t kBitsMax = 24;

void encode(const StoredCommand& command, RecordWriter& writer) {
  writer.bytes(command.command_id);
  writer.bytes(command.result);
  writer.i64(command.time_ns);
  writer.u64(command.sequence);
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
  while (bits < kBitsMax && (order.size() >> bits) > kCommandsPerBucket) ++bits;

  const size_t buckets = size_t{1} << bits;
  const uint64_t body_offset = kStartBytes + buckets * kBucketBytes + 8;
  std::string head, body;
  RecordWriter writer(head);
  writer.raw(kMagic);
  writer.u64(order.size());
  writer.u32(bits);
  size_t at = 0;
  for (size_t bucket = 0; bucket < buckets; ++bucket) {
    std::string hashes, raw, packed;
    RecordWriter hash_writer(hashes), raw_writer(raw);
    for (; at < order.size() && bucket_of(order[at].hash, bits) == bucket; ++at) {
      hash_writer.u64(order[at].hash);
      encode(*order[at].command, raw_writer);
    }
    const std::string& block = compress_page(raw, packed) ? packed : raw;
    writer.u64(body_offset + body.size());
    writer.u32(static_cast<uint32_t>(hashes.size() / 8));
    writer.u32(static_cast<uint32_t>(block.size()));
    writer.u32(static_cast<uint32_t>(raw.size()));
    writer.u64(xxh3_64(hashes));
    writer.u64(xxh3_64(block));
    body += hashes;
    body += block;
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
  if (bits > kBitsMax || count > size / 8 || (uint64_t{1} << bits) > size / kBucketBytes) {
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

Result<CommandFile::Bucket> CommandFile::bucket(size_t number) const {
  RecordReader reader(std::string_view(directory_).substr(kStartBytes + number * kBucketBytes));
  Bucket bucket;
  bucket.offset = reader.u64();
  bucket.commands = reader.u32();
  bucket.stored = reader.u32();
  bucket.raw = reader.u32();
  bucket.hashes_checksum = reader.u64();
  bucket.block_checksum = reader.u64();
  CC_ASSIGN(const uint64_t size, file_->size());
  const uint64_t bytes = uint64_t{bucket.commands} * 8 + bucket.stored;
  if (bucket.offset > size || bytes > size - bucket.offset) return damaged(path_);
  return bucket;
}

Result<std::vector<StoredCommand>> CommandFile::commands_of(const Bucket& bucket) const {
  CC_ASSIGN(const std::string stored,
            read_exactly(bucket.offset + uint64_t{bucket.commands} * 8, bucket.stored));
  if (xxh3_64(stored) != bucket.block_checksum) return damaged(path_);
  std::string raw;
  if (bucket.stored == bucket.raw) {
    raw = stored;
  } else if (!decompress_page(stored, bucket.raw, raw)) {
    return damaged(path_);
  }
  RecordReader reader(std::string_view(raw).substr(0, bucket.raw));
  std::vector<StoredCommand> commands;
  for (uint32_t i = 0; i < bucket.commands && reader.ok(); ++i) {
    StoredCommand& command = commands.emplace_back();
    command.command_id = reader.bytes();
    command.result = reader.bytes();
    command.time_ns = reader.i64();
    command.sequence = reader.u64();
  }
  if (!reader.done()) return damaged(path_);
  return commands;
}

Result<std::optional<StoredCommand>> CommandFile::find(std::string_view command_id) const {
  CC_TRY(load_directory());
  const uint64_t hash = xxh3_64(command_id);
  CC_ASSIGN(const Bucket found, bucket(bucket_of(hash, bits_)));
  CC_ASSIGN(const std::string hashes, read_exactly(found.offset, size_t{found.commands} * 8));
  if (xxh3_64(hashes) != found.hashes_checksum) return damaged(path_);
  RecordReader reader(hashes);
  bool known = false;
  for (uint32_t i = 0; i < found.commands && !known; ++i) known = reader.u64() == hash;
  if (!known) return std::optional<StoredCommand>();
  CC_ASSIGN(std::vector<StoredCommand> commands, commands_of(found));
  for (StoredCommand& command : commands) {
    if (command.command_id == command_id) return std::optional(std::move(command));
  }
  return std::optional<StoredCommand>();
}

Result<std::vector<StoredCommand>> CommandFile::all() const {
  CC_TRY(load_directory());
  std::vector<StoredCommand> commands;
  for (size_t number = 0; number < size_t{1} << bits_; ++number) {
    CC_ASSIGN(const Bucket one, bucket(number));
    CC_ASSIGN(std::vector<StoredCommand> some, commands_of(one));
    std::move(some.begin(), some.end(), std::back_inserter(commands));
  }
  return commands;
}

}  // namespace contextcore::store
