#include "store/manifest.h"

#include <algorithm>
#include <utility>

#include "base/hash.h"
#include "store/store_codec.h"

namespace contextcore::store {
namespace {

constexpr int kReadAttempts = 100;
// Version 1 knew one file of the work table only, version 2 no times of segments, version 3 no trace
// runs, version 4 no tenants of segments, version 5 no digests.
constexpr std::string_view kMagic = "ctxcman6";
constexpr std::string_view kOlderMagics[] = {"ctxcman5", "ctxcman4", "ctxcman3", "ctxcman2", "ctxcman1"};
constexpr uint64_t kCheckpointBytes = 256 * 1024;
constexpr size_t kRecordHeaderBytes = 12;
constexpr uint32_t kRecordBytesMax = 64u << 20;

std::string numbered(std::string_view prefix, uint64_t number, std::string_view suffix) {
  std::string digits = std::to_string(number);
  if (digits.size() < 8) digits.insert(0, 8 - digits.size(), '0');
  return std::string(prefix) + digits + std::string(suffix);
}

std::string record_bytes(const Manifest& manifest) {
  const std::string payload = encode_manifest(manifest);
  std::string out;
  RecordWriter writer(out);
  writer.u32(static_cast<uint32_t>(payload.size()));
  writer.u64(xxh3_64(payload, payload.size()));
  writer.raw(payload);
  return out;
}

}  // namespace

std::string current_path(const std::string& directory) { return join_path(directory, "CURRENT"); }
std::string lock_path(const std::string& directory) { return join_path(directory, "LOCK"); }
std::string mark_path(const std::string& directory) { return join_path(directory, "COMMIT"); }
std::string server_path(const std::string& directory) { return join_path(directory, "SERVER"); }
std::string wal_directory(const std::string& directory) { return join_path(directory, "wal"); }
std::string wal_path(const std::string& directory, uint64_t epoch) {
  return join_path(wal_directory(directory), numbered("", epoch, ".wal"));
}
std::string wal_spare_path(const std::string& directory) {
  return join_path(wal_directory(directory), "spare");
}
std::string data_directory(const std::string& directory) { return join_path(directory, "data"); }
std::string data_path(const std::string& directory, uint64_t number, std::string_view extension) {
  return join_path(data_directory(directory), numbered("", number, "." + std::string(extension)));
}
std::string_view extension_of(RowsKind kind) {
  if (kind == RowsKind::metrics) return "metrics";
  return kind == RowsKind::spans ? "spans" : "logs";
}

std::string encode_manifest(const Manifest& manifest) {
  std::string out;
  RecordWriter writer(out);
  writer.bytes(manifest.store_id);
  writer.i64(manifest.created_ns);
  writer.u64(manifest.edit);
  writer.u64(manifest.wal_epoch);
  writer.u64(manifest.sequence);
  writer.u64(manifest.next_number);
  writer.u64(manifest.work_numbers.empty() ? 0 : manifest.work_numbers.back());
  writer.u64(manifest.forwards_number);
  writer.u32(static_cast<uint32_t>(manifest.segments.size()));
  for (const SegmentInfo& segment : manifest.segments) {
    writer.u64(segment.number);
    writer.u8(static_cast<uint8_t>(segment.kind));
    writer.u8(static_cast<uint8_t>(segment.segment_class));
    writer.u64(segment.rows);
    writer.u64(segment.bytes);
    writer.u64(segment.mask_number);
    writer.u64(segment.masked_rows);
  }
  writer.u32(static_cast<uint32_t>(manifest.commands.size()));
  for (const CommandFileInfo& file : manifest.commands) {
    writer.u64(file.number);
    writer.u64(file.commands);
    writer.i64(file.newest_ns);
  }
  writer.u32(static_cast<uint32_t>(manifest.tenants.size()));
  for (const std::string& tenant : manifest.tenants) writer.bytes(tenant);
  const size_t newer = manifest.work_numbers.empty() ? 0 : manifest.work_numbers.size() - 1;
  writer.u32(static_cast<uint32_t>(newer));
  for (size_t i = 0; i < newer; ++i) writer.u64(manifest.work_numbers[i]);
  for (const SegmentInfo& segment : manifest.segments) {
    writer.i64(segment.bounds.least_ns);
    writer.i64(segment.bounds.greatest_ns);
    writer.u8(segment.kept ? 1 : 0);
  }
  for (const SegmentInfo& segment : manifest.segments) writer.u64(segment.run_number);
  for (const SegmentInfo& segment : manifest.segments) {
    writer.u32(static_cast<uint32_t>(segment.tenants.size()));
    for (const uint32_t tenant : segment.tenants) writer.u32(tenant);
  }
  writer.u32(static_cast<uint32_t>(manifest.digests.size()));
  for (const DigestFileInfo& file : manifest.digests) {
    writer.u64(file.number);
    writer.u64(file.digests);
    writer.i64(file.newest_ns);
  }
  return out;
}

std::string manifest_file_bytes(const Manifest& manifest) {
  return std::string(kMagic) + record_bytes(manifest);
}

Result<Manifest> decode_manifest(std::string_view bytes) {
  Manifest manifest;
  RecordReader reader(bytes);
  manifest.store_id = reader.bytes();
  manifest.created_ns = reader.i64();
  manifest.edit = reader.u64();
  manifest.wal_epoch = reader.u64();
  manifest.sequence = reader.u64();
  manifest.next_number = reader.u64();
  const uint64_t oldest_work = reader.u64();
  manifest.forwards_number = reader.u64();
  const uint32_t segments = reader.count(42);
  for (uint32_t i = 0; i < segments; ++i) {
    SegmentInfo segment;
    segment.number = reader.u64();
    segment.kind = static_cast<RowsKind>(reader.u8());
    segment.segment_class = static_cast<SegmentClass>(reader.u8());
    segment.rows = reader.u64();
    segment.bytes = reader.u64();
    segment.mask_number = reader.u64();
    segment.masked_rows = reader.u64();
    if (segment.kind != RowsKind::metrics && segment.rows > UINT32_MAX) {
      return {Code::corruption, "a manifest record has a segment of " + std::to_string(segment.rows) + " rows"};
    }
    manifest.segments.push_back(std::move(segment));
  }
  const uint32_t commands = reader.count(24);
  for (uint32_t i = 0; i < commands; ++i) {
    const uint64_t number = reader.u64();
    const uint64_t count = reader.u64();
    manifest.commands.push_back({number, count, reader.i64()});
  }
  const uint32_t tenants = reader.count(4);
  for (uint32_t i = 0; i < tenants; ++i) manifest.tenants.emplace_back(reader.bytes());
  const uint32_t newer_work = reader.done() ? 0 : reader.count(8);  // version 1 ends here
  for (uint32_t i = 0; i < newer_work; ++i) manifest.work_numbers.push_back(reader.u64());
  if (oldest_work != 0) manifest.work_numbers.push_back(oldest_work);
  if (!reader.done()) {  // version 2 ends here
    for (SegmentInfo& segment : manifest.segments) {
      segment.bounds.least_ns = reader.i64();
      segment.bounds.greatest_ns = reader.i64();
      segment.kept = reader.u8() != 0;
    }
  }
  if (!reader.done()) {  // version 3 ends here
    for (SegmentInfo& segment : manifest.segments) segment.run_number = reader.u64();
  }
  if (!reader.done()) {  // version 4 ends here
    for (SegmentInfo& segment : manifest.segments) {
      const uint32_t count = reader.count(4);
      for (uint32_t i = 0; i < count; ++i) segment.tenants.push_back(reader.u32());
      if (!std::is_sorted(segment.tenants.begin(), segment.tenants.end())) {
        return {Code::corruption, "a manifest record has the tenants of a segment out of order"};
      }
    }
  }
  const uint32_t digests = reader.done() ? 0 : reader.count(24);  // version 5 ends here
  for (uint32_t i = 0; i < digests; ++i) {
    const uint64_t number = reader.u64();
    const uint64_t count = reader.u64();
    manifest.digests.push_back({number, count, reader.i64()});
  }
  if (!reader.done()) return {Code::corruption, "a manifest record has a wrong length"};
  return manifest;
}

Result<SegmentInfo> written_segment(FileSystem& files, const std::string& directory, RowsKind kind,
                                    SegmentClass segment_class, uint64_t number) {
  CC_ASSIGN(const FileInfo file, files.stat(data_path(directory, number, extension_of(kind))));
  SegmentInfo info;
  info.number = number;
  info.kind = kind;
  info.segment_class = segment_class;
  info.bytes = file.size;
  return info;
}

ManifestFile::ManifestFile(FileSystem& files, std::string directory)
    : files_(files), directory_(std::move(directory)) {}

// The file that CURRENT names, and its path. Between two looks another process may have begun a new
// one and removed the old.
Result<std::string> ManifestFile::read_live(std::string& path) {
  for (int attempt = 0;; ++attempt) {
    CC_ASSIGN(const std::string name, files_.read_file(current_path(directory_)));
    if (name.empty() || name.find('/') != std::string::npos) {
      return {Code::corruption, current_path(directory_) + " does not name a manifest"};
    }
    const std::string named = join_path(directory_, name);
    const bool again = named != path;
    path = named;
    auto bytes = files_.read_file(path);
    if (bytes.ok() || bytes.error().code != Code::not_found) return bytes;
    if (!again || attempt == kReadAttempts) return bytes;
  }
}

Result<Manifest> ManifestFile::read() {
  std::string path;
  CC_ASSIGN(const std::string bytes, read_live(path));
  uint64_t valid_bytes = 0;
  CC_ASSIGN(Manifest manifest, read_manifest_bytes(bytes, path, valid_bytes));
  // Not what lies behind: room that a writer has made for the next record, which fills it.
  remember(path.substr(path.rfind('/') + 1), valid_bytes, manifest.edit);
  return manifest;
}

Result<Manifest> read_manifest_bytes(std::string_view bytes, const std::string& path,
                                     uint64_t& valid_bytes) {
  const std::string_view magic = bytes.substr(0, kMagic.size());
  if (magic != kMagic && std::ranges::find(kOlderMagics, magic) == std::end(kOlderMagics)) {
    return {Code::corruption, path + " is not a manifest of a version that this program knows"};
  }
  std::string_view rest = bytes.substr(kMagic.size());
  std::string_view last;
  while (rest.size() >= kRecordHeaderBytes) {
    RecordReader header(rest);
    const uint32_t length = header.u32();
    const uint64_t checksum = header.u64();
    if (length > kRecordBytesMax || rest.size() - kRecordHeaderBytes < length) break;
    const std::string_view payload = rest.substr(kRecordHeaderBytes, length);
    if (xxh3_64(payload, length) != checksum) break;
    last = payload;
    rest.remove_prefix(kRecordHeaderBytes + length);
  }
  valid_bytes = bytes.size() - rest.size();
  if (last.empty()) return {Code::corruption, path + " has no valid record"};
  return decode_manifest(last);
}

Result<bool> ManifestFile::changed(const Manifest& known) const {
  CC_ASSIGN(const std::string name, files_.read_file(current_path(directory_)));
  if (name != read_name_) return true;
  CC_ASSIGN(const FileInfo info, files_.stat(join_path(directory_, name)));
  return info.size != read_size_ || known.edit != read_edit_;
}

void ManifestFile::remember(const std::string& name, uint64_t size, uint64_t edit) {
  read_name_ = name;
  read_size_ = size;
  read_edit_ = edit;
}

// In doubt is what CURRENT names from the renaming on.
Status ManifestFile::make_current(const std::string& name, bool& in_doubt) {
  const std::string current = current_path(directory_);
  const std::string temporary = current + ".tmp-" + name;  // garbage when it is left over
  {
    CC_ASSIGN(const auto file, files_.open(temporary, OpenMode::create));
    CC_TRY(file->truncate(0));
    CC_TRY(file->write_at(0, name));
    CC_TRY(file->sync());
  }
  in_doubt = true;
  CC_TRY(files_.rename(temporary, current));
  return files_.sync_directory(directory_);
}

Status ManifestFile::write(const Manifest& manifest, bool* in_doubt) {
  bool ignored = false;
  bool& doubt = in_doubt != nullptr ? *in_doubt : ignored;
  doubt = false;
  const std::string record = record_bytes(manifest);
  if (file_ != nullptr) {
    // Another process may have begun one since.
    CC_ASSIGN(const std::string current, files_.read_file(current_path(directory_)));
    if (current != name_) file_ = nullptr;
  }
  if (file_ != nullptr && size_ + record.size() <= kCheckpointBytes) {
    // Zeros are no record: a full disk shows itself while the old one still counts.
    CC_TRY(file_->allocate(size_ + record.size()));
    doubt = true;
    CC_TRY(file_->write_at(size_, record));
    CC_TRY(file_->sync());
    size_ += record.size();
    remember(name_, size_, manifest.edit);
    return {};
  }
  const std::string name = numbered("MANIFEST-", manifest.edit, "");
  const std::string path = join_path(directory_, name);
  const auto live = files_.read_file(current_path(directory_));
  if (live.ok() && *live == name) {
    return {Code::internal, path + " is the live manifest and cannot be begun again"};
  }
  const std::string bytes = manifest_file_bytes(manifest);
  {
    CC_ASSIGN(auto file, files_.open(path, OpenMode::create));
    // Left over from a crash before CURRENT named it.
    CC_TRY(file->truncate(0));
    CC_TRY(file->write_at(0, bytes));
    CC_TRY(file->sync());
    CC_TRY(files_.sync_directory(directory_));
    file_ = std::move(file);
  }
  const Status named = make_current(name, doubt);
  if (!named.ok()) {
    file_ = nullptr;
    return named;
  }
  name_ = name;
  size_ = bytes.size();
  remember(name_, size_, manifest.edit);
  return {};
}

}  // namespace contextcore::store
