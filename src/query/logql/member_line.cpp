#include "query/logql/member_line.h"

#include <algorithm>
#include <bit>

#include "base/json.h"

namespace contextcore::logql {

MemberLines::MemberLines(std::vector<std::string> members) : members_(std::move(members)) {
  for (size_t a = 0; a < members_.size(); ++a) {
    for (size_t b = 0; b < members_.size(); ++b) {
      if (members_[b] == members_[a] + "_extracted") rivals_.emplace_back(a, b);
    }
  }
}

Status MemberLines::begin(const store::LogBatch& batch) {
  batch_ = &batch;
  columns_.clear();
  if (batch.fields == nullptr) return {};
  for (const std::string& member : members_) {
    CC_ASSIGN(const store::FieldColumn* column, batch.fields->column(member));
    columns_.push_back(column);
  }
  return {};
}

Result<bool> MemberLines::ids_of(size_t entry, std::vector<uint32_t>& ids) const {
  if (batch_->fields == nullptr || !batch_->fields->has(entry)) return false;
  // Names that become labels otherwise than they are, and members of members: which counts depends on their order.
  CC_ASSIGN(const bool flat, batch_->fields->is_flat(entry));
  const bool rivals = std::any_of(rivals_.begin(), rivals_.end(), [&](const auto& pair) {
    return columns_[pair.first]->ids[entry] != 0 && columns_[pair.second]->ids[entry] != 0;
  });
  if (!flat || rivals) return false;
  for (const store::FieldColumn* column : columns_) ids.push_back(column->ids[entry]);
  return true;
}

void MemberLines::append(size_t entry, std::string& line) const {
  using Type = store::FieldValue::Type;
  line += '{';
  for (size_t i = 0; i < columns_.size(); ++i) {
    const store::FieldValue& value = columns_[i]->at(entry);
    if (value.type == Type::none) continue;
    if (line.back() != '{') line += ',';
    append_json_string(members_[i], line);
    line += ':';
    switch (value.type) {
      case Type::string:
        append_json_string(value.text, line);
        break;
      case Type::boolean:
        JsonWriter(line).boolean(value.number != 0);
        break;
      case Type::integer:
        JsonWriter(line).number(static_cast<int64_t>(value.number));
        break;
      case Type::real:
        JsonWriter(line).number(std::bit_cast<double>(value.number));
        break;
      case Type::json:
      case Type::none:
        line += value.text;
        break;
    }
  }
  line += '}';
}

Result<std::string_view> MemberLines::whole(size_t entry, std::string& buffer) const {
  if (batch_->fields == nullptr || !batch_->fields->has(entry)) return batch_->lines[entry];
  CC_ASSIGN(buffer, batch_->fields->line(entry));
  return std::string_view(buffer);
}

}  // namespace contextcore::logql
