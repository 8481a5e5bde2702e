#include "store/metric_segment.h"

#include <algorithm>
#include <bit>
#include <utility>

#include "base/hash.h"
#include "store/segment_page.h"

namespace contextcore::store {
namespace {

constexpr std::string_view kMagic = "CCMETRC\n";
constexpr uint32_t kVersion = 1;
constexpr size_t kHeaderBytes = 16;
constexpr size_t kTrailerBytes = 28;
constexpr size_t kChunkSamplesMax = 1024;
constexpr size_t kBlockBytes = 16 * 1024;
constexpr size_t kPageSeriesMax = 256;
constexpr uint64_t kPageSamplesMax = 1 << 20;
constexpr size_t kWriteBytes = 256 * 1024;
constexpr uint64_t kRawBytesMax = 64 << 20;

void put_extent(const MetricExtent& extent, std::string& out) {
  append_varint(extent.offset, out);
  append_varint(extent.stored, out);
  append_varint(extent.raw, out);
  append_u64(extent.checksum, out);
}

// False when it does not lie in the file.
bool take_extent(ByteReader& reader, uint64_t file_bytes, MetricExtent& out) {
  out.offset = reader.varint();
  out.stored = reader.varint();
  out.raw = reader.varint();
  out.checksum = reader.u64();
  return reader.ok() && out.stored <= file_bytes && out.offset <= file_bytes - out.stored &&
         out.raw <= kRawBytesMax && out.raw >= out.stored;
}

void put_signed(int64_t value, std::string& out) { append_varint(zigzag(value), out); }

std::string encode_page(const MetricPage& page) {
  std::string out;
  append_varint(page.blocks.size(), out);
  for (const MetricExtent& block : page.blocks) put_extent(block, out);
  append_varint(page.series.size(), out);
  for (const MetricPage::Series& series : page.series) {
    out.push_back(series.id.delta ? 1 : 0);
    append_varint(series.id.labels.size(), out);
    for (const auto& [name, value] : series.id.labels) {
      append_string(name, out);
      append_string(value, out);
    }
    append_varint(series.chunks.size(), out);
    for (const MetricChunk& chunk : series.chunks) {
      append_varint(chunk.block, out);
      append_varint(chunk.offset, out);
      append_varint(chunk.count, out);
      put_signed(chunk.min_ms, out);
      append_varint(static_cast<uint64_t>(chunk.max_ms) - static_cast<uint64_t>(chunk.min_ms), out);
      if (series.id.delta) append_u64(std::bit_cast<uint64_t>(chunk.sum), out);
    }
  }
  return out;
}

bool decode_chunk(ByteReader& reader, const MetricPage& page, bool delta, MetricChunk& chunk) {
  const uint64_t block = reader.varint();
  chunk.offset = reader.varint();
  chunk.count = reader.varint();
  chunk.min_ms = reader.signed_varint();
  chunk.max_ms = static_cast<int64_t>(static_cast<uint64_t>(chunk.min_ms) + reader.varint());
  if (delta) chunk.sum = std::bit_cast<double>(reader.u64());
  if (!reader.ok() || block >= page.blocks.size()) return false;
  chunk.block = static_cast<uint32_t>(block);
  return chunk.offset <= page.blocks[block].raw && chunk.count > 0 &&
         chunk.count <= kChunkSamplesMax && chunk.max_ms >= chunk.min_ms;
}

// As many as a page may hold: more is no list of descriptions any more.
std::string encode_families(const std::vector<StoredFamily>& families) {
  size_t count = 0;
  size_t bytes = 0;
  for (const StoredFamily& one : families) {
    bytes += one.family.name.size() + one.family.type.size() + one.family.unit.size() +
             one.family.help.size() + 32;
    if (bytes > kRawBytesMax) break;
    ++count;
  }
  std::string out;
  append_varint(count, out);
  for (size_t i = 0; i < count; ++i) {
    const StoredFamily& one = families[i];
    append_varint(one.tenant, out);
    append_varint(one.sequence, out);
    for (const std::string* text :
         {&one.family.name, &one.family.type, &one.family.unit, &one.family.help}) {
      append_string(*text, out);
    }
  }
  return out;
}

}  // namespace

// ---- reading ----

bool decode_metric_page(std::string_view bytes, uint64_t file_bytes, MetricPage& out) {
  ByteReader reader(bytes);
  for (uint64_t left = reader.count(11); left > 0; --left) {
    if (!take_extent(reader, file_bytes, out.blocks.emplace_back())) return false;
  }
  for (uint64_t left = reader.count(3); left > 0; --left) {
    MetricPage::Series& series = out.series.emplace_back();
    series.id.delta = reader.u8() != 0;
    for (uint64_t labels = reader.count(2); labels > 0; --labels) {
      const std::string_view name = reader.string();
      series.id.labels.emplace_back(name, reader.string());
    }
    for (uint64_t chunks = reader.count(5); chunks > 0; --chunks) {
      if (!decode_chunk(reader, out, series.id.delta, series.chunks.emplace_back())) return false;
    }
  }
  return reader.ok() && reader.at_end();
}

Error MetricSegment::damaged() const {
  return {Code::corruption, path_ + " is damaged", "restore it from a backup", {}, {}};
}

Result<std::string> MetricSegment::read(const MetricExtent& extent) const {
  std::string stored(extent.stored + 8, '\0');
  CC_ASSIGN(const size_t got, file_->read_at(extent.offset, stored.data(), extent.stored));
  const std::string_view bytes(stored.data(), extent.stored);
  if (got != extent.stored || xxh3_64(bytes) != extent.checksum) return damaged();
  if (extent.raw == extent.stored) return stored;
  std::string raw;
  if (!decompress_page(bytes, static_cast<uint32_t>(extent.raw), raw)) return damaged();
  return raw;
}

Result<std::shared_ptr<const MetricSegment>> MetricSegment::open(FileSystem& files,
                                                                 const std::string& path) {
  auto segment = std::make_shared<MetricSegment>();
  segment->path_ = path;
  CC_ASSIGN(segment->file_, files.open(path, OpenMode::read));
  CC_ASSIGN(const uint64_t size, segment->file_->size());
  if (size < kHeaderBytes + kTrailerBytes) return segment->damaged();
  std::string trailer(kTrailerBytes, '\0');
  CC_ASSIGN(const size_t got,
            segment->file_->read_at(size - kTrailerBytes, trailer.data(), kTrailerBytes));
  ByteReader reader(std::string_view(trailer).substr(0, got));
  MetricExtent footer;
  footer.checksum = reader.u64();
  footer.stored = footer.raw = reader.u64();
  const uint32_t version = reader.u32();
  if (!reader.ok() || reader.rest() != kMagic) return segment->damaged();
  if (version != kVersion) {
    return {Code::unsupported, path + " has version " + std::to_string(version) +
                                   " of its format, which this program does not know"};
  }
  if (footer.stored > size - kHeaderBytes - kTrailerBytes) return segment->damaged();
  footer.offset = size - kTrailerBytes - footer.stored;
  CC_ASSIGN(const std::string bytes, segment->read(footer));
  if (!segment->read_footer(std::string_view(bytes).substr(0, footer.raw), size))
    return segment->damaged();
  return std::shared_ptr<const MetricSegment>(std::move(segment));
}

bool MetricSegment::read_footer(std::string_view bytes, uint64_t file_bytes) {
  ByteReader reader(bytes);
  samples_ = reader.varint();
  if (!take_extent(reader, file_bytes, families_)) return false;
  for (uint64_t left = reader.count(16); left > 0; --left) {
    PageEntry& entry = pages_.emplace_back();
    entry.tenant = static_cast<uint32_t>(reader.varint());
    entry.first_name = reader.string();
    entry.last_name = reader.string();
    entry.min_ms = reader.signed_varint();
    entry.max_ms = reader.signed_varint();
    if (!take_extent(reader, file_bytes, entry.extent)) return false;
  }
  return reader.ok() && reader.at_end();
}

Result<MetricPage> MetricSegment::page(size_t number) const {
  const MetricExtent& extent = pages_[number].extent;
  CC_ASSIGN(const std::string bytes, read(extent));
  CC_ASSIGN(const uint64_t size, file_->size());
  MetricPage page;
  if (!decode_metric_page(std::string_view(bytes).substr(0, extent.raw), size, page))
    return damaged();
  return page;
}

Result<std::vector<StoredFamily>> MetricSegment::families() const {
  CC_ASSIGN(const std::string bytes, read(families_));
  ByteReader reader(std::string_view(bytes).substr(0, families_.raw));
  std::vector<StoredFamily> out;
  for (uint64_t left = reader.count(6); left > 0; --left) {
    StoredFamily& one = out.emplace_back();
    one.tenant = static_cast<uint32_t>(reader.varint());
    one.sequence = reader.varint();
    for (std::string* text :
         {&one.family.name, &one.family.type, &one.family.unit, &one.family.help}) {
      *text = reader.string();
    }
  }
  if (!reader.ok() || !reader.at_end()) return damaged();
  return out;
}

Status MetricSegment::Reader::read(const MetricChunk& chunk, std::vector<StoredSample>& out) {
  const MetricExtent& block = page_.blocks[chunk.block];
  if (block_ != chunk.block) {
    block_ = UINT32_MAX;
    CC_ASSIGN(bytes_, segment_.read(block));
    block_ = chunk.block;
  }
  ByteReader reader(std::string_view(bytes_).substr(0, block.raw).substr(chunk.offset));
  const size_t before = out.size();
  if (!decode_samples(reader, chunk.count, out)) return segment_.damaged();
  if (out[before].time_ms != chunk.min_ms || out.back().time_ms != chunk.max_ms) {
    return segment_.damaged();
  }
  return {};
}

// ---- writing ----

Result<std::unique_ptr<MetricSegmentWriter>> MetricSegmentWriter::create(FileSystem& files,
                                                                         const std::string& path) {
  CC_ASSIGN(auto file, files.open(path, OpenMode::create));
  CC_TRY(file->truncate(0));
  std::unique_ptr<MetricSegmentWriter> writer(new MetricSegmentWriter(std::move(file)));
  writer->buffer_ = kMagic;
  append_u32(kVersion, writer->buffer_);
  append_u32(0, writer->buffer_);
  writer->offset_ = writer->buffer_.size();
  return writer;
}

Status MetricSegmentWriter::write_bytes(std::string_view bytes) {
  buffer_ += bytes;
  offset_ += bytes.size();
  if (buffer_.size() < kWriteBytes) return {};
  CC_TRY(file_->write_at(offset_ - buffer_.size(), buffer_));
  buffer_.clear();
  return {};
}

Result<MetricExtent> MetricSegmentWriter::write(std::string_view raw) {
  std::string compressed;
  const bool smaller = compress_page(raw, compressed) && compressed.size() < raw.size();
  const std::string_view stored = smaller ? std::string_view(compressed) : raw;
  const MetricExtent extent{offset_, stored.size(), raw.size(), xxh3_64(stored)};
  CC_TRY(write_bytes(stored));
  return extent;
}

Status MetricSegmentWriter::end_block() {
  if (block_.empty()) return {};
  CC_ASSIGN(const MetricExtent extent, write(block_));
  page_.blocks.push_back(extent);
  block_.clear();
  return {};
}

Status MetricSegmentWriter::end_page() {
  CC_TRY(end_block());
  if (page_.series.empty()) return {};
  MetricSegment::PageEntry entry;
  entry.tenant = tenant_;
  entry.first_name = name_of(page_.series.front().id.labels);
  entry.last_name = name_of(page_.series.back().id.labels);
  entry.min_ms = INT64_MAX;
  entry.max_ms = INT64_MIN;
  for (const MetricPage::Series& series : page_.series) {
    entry.min_ms = std::min(entry.min_ms, series.chunks.front().min_ms);
    entry.max_ms = std::max(entry.max_ms, series.chunks.back().max_ms);
  }
  CC_ASSIGN(entry.extent, write(encode_page(page_)));
  pages_.push_back(std::move(entry));
  page_ = {};
  page_samples_ = 0;
  return {};
}

Status MetricSegmentWriter::add(uint32_t tenant, const SeriesId& id,
                                const std::vector<StoredSample>& samples) {
  if (tenant != tenant_ || page_.series.size() >= kPageSeriesMax ||
      page_samples_ >= kPageSamplesMax) {
    CC_TRY(end_page());
  }
  tenant_ = tenant;
  MetricPage::Series series{id, {}};
  for (size_t at = 0; at < samples.size(); at += kChunkSamplesMax) {
    const size_t count = std::min(kChunkSamplesMax, samples.size() - at);
    MetricChunk chunk;
    chunk.block = static_cast<uint32_t>(page_.blocks.size());
    chunk.offset = block_.size();
    chunk.count = count;
    chunk.min_ms = samples[at].time_ms;
    chunk.max_ms = samples[at + count - 1].time_ms;
    for (size_t i = at; i < at + count; ++i) chunk.sum += samples[i].value;
    encode_samples(&samples[at], count, block_);
    series.chunks.push_back(chunk);
    if (block_.size() >= kBlockBytes) CC_TRY(end_block());
  }
  page_samples_ += samples.size();
  samples_ += samples.size();
  page_.series.push_back(std::move(series));
  return {};
}

Status MetricSegmentWriter::finish(const std::vector<StoredFamily>& families) {
  CC_TRY(end_page());
  CC_ASSIGN(const MetricExtent extent, write(encode_families(families)));
  std::string footer;
  append_varint(samples_, footer);
  put_extent(extent, footer);
  append_varint(pages_.size(), footer);
  for (const MetricSegment::PageEntry& entry : pages_) {
    append_varint(entry.tenant, footer);
    append_string(entry.first_name, footer);
    append_string(entry.last_name, footer);
    put_signed(entry.min_ms, footer);
    put_signed(entry.max_ms, footer);
    put_extent(entry.extent, footer);
  }
  std::string trailer;
  append_u64(xxh3_64(footer), trailer);
  append_u64(footer.size(), trailer);
  append_u32(kVersion, trailer);
  trailer += kMagic;
  CC_TRY(write_bytes(footer + trailer));
  if (!buffer_.empty()) CC_TRY(file_->write_at(offset_ - buffer_.size(), buffer_));
  buffer_.clear();
  return file_->sync();
}

}  // namespace contextcore::store
