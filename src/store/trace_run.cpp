#include "store/trace_run.h"

#include <algorithm>
#include <cstring>
#include <utility>

#include "base/hash.h"
#include "store/column_value.h"
#include "store/store_codec.h"

namespace contextcore::store {
namespace {

constexpr size_t kHeaderBytes = 16, kTrailerBytes = 28;
constexpr size_t kEntriesPerBlock = 1024;
constexpr size_t kEntryBytes = 8;
std::string_view bytes_of(const std::vector<uint64_t>& words) {
  return {reinterpret_cast<const char*>(words.data()), words.size() * 8};
}

}  // namespace

uint64_t trace_fingerprint(const otlp::TraceId& id) {
  return xxh3_64({reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()}) >> 16;
}

// ---- writing
// ---------------------------------------------------------------------------------

void TraceRunBuilder::add(uint64_t segment, const std::vector<uint64_t>& fingerprints) {
  for (const uint64_t fingerprint : fingerprints) {
    entries_.push_back(run_entry(fingerprint, segments_.size()));
  }
  segments_.push_back(segment);
}

Status TraceRunBuilder::write(FileSystem& files, const std::string& path) {
  std::sort(entries_.begin(), entries_.end());
  CC_ASSIGN(auto file, files.open(path, OpenMode::create));
  CC_TRY(file->truncate(0));
  std::string head(kTraceRunMagic);
  append_u32(kTraceRunVersion, head);
  append_u32(0, head);
  CC_TRY(file->write_at(0, head));
  CC_TRY(file->write_at(kHeaderBytes, bytes_of(entries_)));
  LineFilter filter = LineFilter::for_entries(entries_.size());
  for (const uint64_t entry : entries_) filter.add(entry >> 16);
  const uint64_t filter_at = kHeaderBytes + entries_.size() * kEntryBytes;
  CC_TRY(file->write_at(filter_at, bytes_of(filter.words())));

  std::vector<uint64_t> counts(segments_.size(), 0);
  for (const uint64_t entry : entries_) ++counts[entry & 0xFFFF];
  std::string directory;
  RecordWriter writer(directory);
  writer.u64(entries_.size());
  writer.u64(filter.lines());
  writer.u64(xxh3_64(bytes_of(filter.words())));
  writer.u32(static_cast<uint32_t>(segments_.size()));
  for (size_t i = 0; i < segments_.size(); ++i) {
    writer.u64(segments_[i]);
    writer.u64(counts[i]);
  }
  for (size_t begin = 0; begin < entries_.size(); begin += kEntriesPerBlock) {
    const size_t count = std::min(kEntriesPerBlock, entries_.size() - begin);
    writer.u64(entries_[begin]);
    writer.u64(xxh3_64(bytes_of(entries_).substr(begin * kEntryBytes, count * kEntryBytes)));
  }
  const uint64_t checksum = xxh3_64(directory);
  const uint64_t length = directory.size();
  append_u64(checksum, directory);
  append_u64(length, directory);
  append_u32(kTraceRunVersion, directory);
  directory += kTraceRunMagic;
  CC_TRY(file->write_at(filter_at + filter.words().size() * 8, directory));
  return file->sync();
}

// ---- reading
// ---------------------------------------------------------------------------------

Error TraceRun::damaged(const std::string& what) const {
  return {Code::corruption, "trace run " + path_ + ": " + what,
          "traces are looked for in the segments themselves; the next cut makes a new one", {}, {}};
}

Result<std::shared_ptr<const TraceRun>> TraceRun::open(FileSystem& files, const std::string& path) {
  CC_ASSIGN(auto file, files.open(path, OpenMode::read));
  return open(std::move(file), path);
}

Result<std::shared_ptr<const TraceRun>> TraceRun::open(std::unique_ptr<File> file, const std::string& path) {
  auto run = std::make_shared<TraceRun>();
  run->path_ = path;
  run->file_ = std::move(file);
  CC_TRY(run->read_directory());
  return std::shared_ptr<const TraceRun>(std::move(run));
}

Status TraceRun::read_directory() {
  CC_ASSIGN(const uint64_t size, file_->size());
  if (size < kHeaderBytes + kTrailerBytes) return damaged("it is too short to be one");
  std::string tail(kTrailerBytes, '\0');
  CC_ASSIGN(size_t got, file_->read_at(size - tail.size(), tail.data(), tail.size()));
  ByteReader trailer(tail);
  const uint64_t checksum = trailer.u64(), length = trailer.u64();
  const uint32_t version = trailer.u32();
  if (got != tail.size() || trailer.take(8) != kTraceRunMagic) {
    return damaged("its end is not that of a trace run");
  }
  if (version != kTraceRunVersion) {
    return Error{Code::unsupported,
                 "trace run " + path_ + " has format " + std::to_string(version) +
                     "; this program knows " + std::to_string(kTraceRunVersion),
                 "use a newer contextcore", {}, {}};
  }
  if (length > size - kHeaderBytes - kTrailerBytes) {
    return damaged("its directory is longer than the file");
  }
  const uint64_t pages_end = size - kTrailerBytes - length;
  std::string directory(length, '\0');
  CC_ASSIGN(got, file_->read_at(pages_end, directory.data(), length));
  if (got != length || xxh3_64(directory) != checksum) {
    return damaged("the checksum of its directory does not match");
  }
  if (!decode_directory(directory, pages_end)) return damaged("its directory does not parse");
  const uint64_t filter_at = kHeaderBytes + entries_ * kEntryBytes;
  std::vector<uint64_t>& words = filter_.words();
  const uint64_t filter_bytes = words.size() * 8;
  CC_ASSIGN(got, file_->read_at(filter_at, reinterpret_cast<char*>(words.data()), filter_bytes));
  if (got != filter_bytes || xxh3_64(bytes_of(words)) != filter_checksum_) {
    return damaged("the checksum of its filter does not match");
  }
  return {};
}

bool TraceRun::decode_directory(std::string_view bytes, uint64_t pages_end) {
  RecordReader reader(bytes);
  entries_ = reader.u64();
  const uint64_t lines = reader.u64();
  filter_checksum_ = reader.u64();
  // All of the file is entries and filter, so that no count can claim more than there is.
  const uint64_t left = pages_end - kHeaderBytes;
  if (!reader.ok() || entries_ > left / kEntryBytes || lines > left / (LineFilter::kLineWords * 8)) return false;
  if (entries_ * kEntryBytes + lines * LineFilter::kLineWords * 8 != left || (lines == 0) != (entries_ == 0)) {
    return false;
  }
  const uint32_t segments = reader.count(16);
  if (segments > kRunSegmentsMax) return false;
  for (uint32_t i = 0; i < segments; ++i) {
    const uint64_t number = reader.u64();
    segments_.push_back({number, reader.u64()});
  }
  const uint64_t blocks = (entries_ + kEntriesPerBlock - 1) / kEntriesPerBlock;
  for (uint64_t i = 0; i < blocks && reader.ok(); ++i) {
    const uint64_t first = reader.u64();
    if (i > 0 && first < blocks_.back().first) return false;
    blocks_.push_back({first, reader.u64()});
  }
  if (!reader.done()) return false;
  filter_ = LineFilter(lines);
  return true;
}

Result<std::vector<uint64_t>> TraceRun::block(size_t number) const {
  const uint64_t begin = number * kEntriesPerBlock;
  std::vector<uint64_t> entries(std::min<uint64_t>(kEntriesPerBlock, entries_ - begin));
  const size_t bytes = entries.size() * kEntryBytes;
  CC_ASSIGN(const size_t got, file_->read_at(kHeaderBytes + begin * kEntryBytes,
                                             reinterpret_cast<char*>(entries.data()), bytes));
  if (got != bytes || xxh3_64(bytes_of(entries)) != blocks_[number].checksum) {
    return damaged("block " + std::to_string(number) + ": its checksum does not match");
  }
  const bool sorted = std::is_sorted(entries.begin(), entries.end());
  const bool named = std::all_of(entries.begin(), entries.end(), [this](uint64_t entry) {
    return (entry & 0xFFFF) < segments_.size();
  });
  if (!sorted || !named || entries.front() != blocks_[number].first) {
    return damaged("block " + std::to_string(number) + ": its entries are not in order");
  }
  return entries;
}

Status TraceRun::find(uint64_t fingerprint, std::vector<uint32_t>& out) const {
  if (!filter_.passes(fingerprint)) return {};
  const uint64_t from = run_entry(fingerprint, 0), to = run_entry(fingerprint, 0xFFFF);
  // Entries of one fingerprint may begin in the block before the first that starts with it.
  auto at = std::lower_bound(blocks_.begin(), blocks_.end(), from,
                             [](const Block& one, uint64_t entry) { return one.first < entry; });
  if (at != blocks_.begin()) --at;
  for (; at != blocks_.end() && at->first <= to; ++at) {
    CC_ASSIGN(const std::vector<uint64_t> entries,
              block(static_cast<size_t>(at - blocks_.begin())));
    for (auto entry = std::lower_bound(entries.begin(), entries.end(), from);
         entry != entries.end() && *entry <= to; ++entry) {
      out.push_back(static_cast<uint32_t>(*entry & 0xFFFF));
    }
  }
  return {};
}

Status TraceRun::for_each(const std::function<void(uint64_t, uint32_t)>& fn) const {
  for (size_t number = 0; number < blocks_.size(); ++number) {
    CC_ASSIGN(const std::vector<uint64_t> entries, block(number));
    for (const uint64_t entry : entries) fn(entry >> 16, static_cast<uint32_t>(entry & 0xFFFF));
  }
  return {};
}

uint64_t TraceRun::memory_bytes() const {
  return sizeof(*this) + filter_.words().capacity() * 8 + blocks_.capacity() * sizeof(Block) +
         segments_.capacity() * sizeof(Segment);
}

}  // namespace contextcore::store
