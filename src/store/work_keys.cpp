#include "store/work_keys.h"

#include <algorithm>
#include <bit>
#include <cstring>
#include <tuple>

#include "store/column_value.h"
#include "store/rows_spans.h"

namespace contextcore::store {
namespace {

constexpr size_t kKeysPerBlock = 256;

static_assert(std::endian::native == std::endian::little, "records are little endian");

template <typename T>
T load(const char*& at) {
  T value;
  std::memcpy(&value, at, sizeof(value));
  at += sizeof(value);
  return value;
}

}  // namespace

uint32_t WorkKeyWriter::number_of_text(const std::string& text) {
  const auto [it, added] = numbers_.try_emplace(text, static_cast<uint32_t>(texts_.size()));
  if (added) texts_.push_back(&it->first);
  return it->second;
}

void WorkKeyWriter::add(const WorkRow& row) {
  if (!has_key(row.kind)) return;
  Item& item = items_.emplace_back();
  item.group = {number_of_text(row.project), row.kind, row.end_ns == 0};
  item.id = number_of(row.span_id);
  item.text = row.id;
  std::string& out = item.record;
  out.reserve(kWorkKeyBytes);
  append_u64(item.id, out);
  append_u64(number_of(row.parent_span_id), out);
  out += static_cast<char>(row.kind);
  out += static_cast<char>(row.status);
  out += static_cast<char>(row.priority);
  out += static_cast<char>(row.flags);
  append_u32(static_cast<uint32_t>(row.open_child_count), out);
  append_u32(static_cast<uint32_t>(row.waiting_count), out);
  for (const int64_t number : {row.start_ns, row.end_ns, row.updated_ns, row.due_ns, row.defer_until_ns,
                               row.claim_token, row.lease_end_ns}) {
    append_u64(static_cast<uint64_t>(number), out);
  }
  append_u32(item.group.project, out);
  for (const std::string* text : {&row.type, &row.assignee, &row.claimed_by, &row.sprint, &row.status_name}) {
    append_u32(number_of_text(*text), out);
  }
}

Status WorkKeyWriter::write(
    const std::function<Status(WorkKeyGroup group, uint32_t items, const std::string& bytes)>& block) {
  std::sort(items_.begin(), items_.end(),
            [](const Item& a, const Item& b) { return std::tie(a.group, a.id) < std::tie(b.group, b.id); });
  for (size_t begin = 0; begin < items_.size();) {
    std::string records, heap;
    size_t end = begin;
    for (; end < items_.size() && end - begin < kKeysPerBlock && items_[end].group == items_[begin].group; ++end) {
      records += items_[end].record;
      append_u32(static_cast<uint32_t>(heap.size()), records);
      append_u32(static_cast<uint32_t>(items_[end].text.size()), records);
      heap += items_[end].text;
    }
    CC_TRY(block(items_[begin].group, static_cast<uint32_t>(end - begin), records + heap));
    begin = end;
  }
  return {};
}

std::string WorkKeyWriter::texts() const {
  std::string out;
  append_varint(texts_.size(), out);
  for (const std::string* text : texts_) append_string(*text, out);
  return out;
}

bool read_work_texts(std::string_view bytes, std::vector<std::string_view>& texts) {
  ByteReader reader(bytes);
  const uint64_t count = reader.count(1);
  texts.reserve(count);
  for (uint64_t i = 0; i < count; ++i) texts.push_back(reader.string());
  return reader.ok() && reader.at_end();
}

uint64_t work_key_id(std::string_view block, size_t item) {
  const char* at = block.data() + item * kWorkKeyBytes;
  return load<uint64_t>(at);
}

bool read_work_key(std::string_view block, size_t items, size_t item, const std::vector<std::string_view>& texts,
                   WorkKey& key) {
  const char* at = block.data() + item * kWorkKeyBytes;
  key.span_id = span_id_of(load<uint64_t>(at));
  key.parent_span_id = span_id_of(load<uint64_t>(at));
  key.kind = static_cast<WorkKind>(load<uint8_t>(at));
  key.status = load<uint8_t>(at);
  key.priority = load<uint8_t>(at);
  key.flags = load<uint8_t>(at);
  key.open_child_count = load<int32_t>(at);
  key.waiting_count = load<int32_t>(at);
  for (int64_t* number : {&key.start_ns, &key.end_ns, &key.updated_ns, &key.due_ns, &key.defer_until_ns,
                          &key.claim_token, &key.lease_end_ns}) {
    *number = load<int64_t>(at);
  }
  for (std::string_view* text :
       {&key.project, &key.type, &key.assignee, &key.claimed_by, &key.sprint, &key.status_name}) {
    const auto number = load<uint32_t>(at);
    if (number >= texts.size()) return false;
    *text = texts[number];
  }
  const auto offset = load<uint32_t>(at), length = load<uint32_t>(at);
  const std::string_view heap = block.substr(items * kWorkKeyBytes);
  if (offset > heap.size() || length > heap.size() - offset) return false;
  key.id = heap.substr(offset, length);
  return true;
}

}  // namespace contextcore::store
