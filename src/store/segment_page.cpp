#include "store/segment_page.h"

#include <zstd.h>

#include <algorithm>
#include <memory>

#include "store/codec_integers.h"

namespace contextcore::store {
namespace {

enum Form : uint8_t { kDense = 0, kSparse = 1 };
enum StringCodec : uint8_t { kPlainStrings = 0, kDictionaryStrings = 1 };

void encode_lengths(const StringsView& strings, std::string& out) {
  std::vector<uint64_t> lengths(strings.count);
  for (size_t i = 0; i < strings.count; ++i) lengths[i] = strings.at(i).size();
  encode_integers(lengths.data(), lengths.size(), out);
}

void encode_strings(const ColumnView& view, std::string& out) {
  const StringsView& strings = view.strings;
  // A column of nothing but distinct strings lists them in the order of its values.
  if (strings.count == view.count) {
    out += static_cast<char>(kPlainStrings);
    encode_lengths(strings, out);
  } else {
    out += static_cast<char>(kDictionaryStrings);
    append_varint(strings.count, out);
    encode_lengths(strings, out);
    const std::vector<uint64_t> ids(view.ids, view.ids + view.count);
    encode_integers(ids.data(), ids.size(), out);
  }
  if (strings.count > 0) out.append(strings.bytes, strings.ends[strings.count - 1]);
}

}  // namespace

void encode_page(const ColumnView& view, std::string& out) {
  append_varint(view.count, out);
  if (view.rows == nullptr) {
    out += static_cast<char>(kDense);
    append_varint(view.first, out);
  } else {
    out += static_cast<char>(kSparse);
    const std::vector<uint64_t> rows(view.rows, view.rows + view.count);
    encode_integers(rows.data(), rows.size(), out);
  }
  if (has_strings(view.type)) {
    encode_strings(view, out);
  } else {
    encode_integers(view.numbers, view.count, out);
  }
}

Zone zone_of(const ColumnView& view) {
  Zone zone;
  if (view.type != ColumnType::integer || view.count == 0) return zone;
  zone = {true, INT64_MAX, INT64_MIN};
  for (size_t i = 0; i < view.count; ++i) {
    zone.min = std::min(zone.min, static_cast<int64_t>(view.numbers[i]));
    zone.max = std::max(zone.max, static_cast<int64_t>(view.numbers[i]));
  }
  return zone;
}

bool Page::decode_strings(ByteReader& reader) {
  const uint8_t codec = reader.u8();
  if (codec > kDictionaryStrings) return false;
  const uint64_t distinct = codec == kPlainStrings ? count_ : reader.varint();
  if (!reader.ok() || distinct > count_) return false;
  if (!decode_integers(reader, distinct, ends_)) return false;
  uint64_t end = 0;
  for (uint64_t& length : ends_) {
    if (length > reader.rest().size() - end) return false;
    length = end += length;
  }
  if (codec == kDictionaryStrings) {
    std::vector<uint64_t> ids;
    if (!decode_integers(reader, count_, ids)) return false;
    if (std::any_of(ids.begin(), ids.end(), [distinct](uint64_t id) { return id >= distinct; }))
      return false;
    ids_.assign(ids.begin(), ids.end());
  }
  if (reader.rest().size() != end) return false;
  bytes_ = reader.take(end);
  return true;
}

bool Page::decode(std::string_view bytes, ColumnType type, size_t rows, Page& out) {
  ByteReader reader(bytes);
  out = {};
  out.type_ = type;
  out.count_ = reader.varint();
  const uint8_t form = reader.u8();
  if (!reader.ok() || out.count_ > rows || form > kSparse) return false;
  if (form == kDense) {
    const uint64_t first = reader.varint();
    if (!reader.ok() || first > rows || out.count_ > rows - first) return false;
    out.first_ = static_cast<uint32_t>(first);
  } else {
    std::vector<uint64_t> numbers;
    if (!decode_integers(reader, out.count_, numbers)) return false;
    for (size_t i = 0; i < numbers.size(); ++i) {
      if (numbers[i] >= rows || (i > 0 && numbers[i] <= numbers[i - 1])) return false;
    }
    out.rows_.assign(numbers.begin(), numbers.end());
  }
  if (has_strings(type)) return out.decode_strings(reader);
  return decode_integers(reader, out.count_, out.numbers_) && reader.at_end();
}

ColumnView Page::view() const {
  ColumnView view;
  view.type = type_;
  view.count = count_;
  view.first = first_;
  view.rows = rows_.empty() ? nullptr : rows_.data();
  view.numbers = numbers_.data();
  view.ids = ids_.empty() ? nullptr : ids_.data();
  view.strings = {bytes_.data(), ends_.data(), ends_.size()};
  return view;
}

uint64_t Page::memory_bytes() const {
  return sizeof(*this) + rows_.capacity() * 4 + numbers_.capacity() * 8 + ids_.capacity() * 4 +
         bytes_.capacity() + ends_.capacity() * 8;
}

namespace {

constexpr int kZstdLevel = 1;

struct FreeContexts {
  void operator()(ZSTD_CCtx* context) const { ZSTD_freeCCtx(context); }
  void operator()(ZSTD_DCtx* context) const { ZSTD_freeDCtx(context); }
};

}  // namespace

bool compress_page(std::string_view raw, std::string& out) {
  if (raw.size() < 64) return false;
  // A context costs more to make than a page to compress.
  thread_local const std::unique_ptr<ZSTD_CCtx, FreeContexts> context(ZSTD_createCCtx());
  if (context == nullptr) return false;
  out.resize(ZSTD_compressBound(raw.size()));
  const size_t size =
      ZSTD_compressCCtx(context.get(), out.data(), out.size(), raw.data(), raw.size(), kZstdLevel);
  if (ZSTD_isError(size) != 0 || size > raw.size() - raw.size() / 16) return false;
  out.resize(size);
  return true;
}

bool decompress_page(std::string_view stored, uint32_t raw, std::string& out) {
  thread_local const std::unique_ptr<ZSTD_DCtx, FreeContexts> context(ZSTD_createDCtx());
  if (context == nullptr || ZSTD_getFrameContentSize(stored.data(), stored.size()) != raw)
    return false;
  out.assign(size_t{raw} + 8, '\0');
  return ZSTD_decompressDCtx(context.get(), out.data(), raw, stored.data(), stored.size()) == raw;
}

}  // namespace contextcore::store
