#pragma once
// Lines that the store has as fields, made of the members that a query looks at (needed_labels.h). Private to this folder.

#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"
#include "store/log_batch.h"

namespace contextcore::logql {

class MemberLines {
 public:
  explicit MemberLines(std::vector<std::string> members);
  // Before the entries of a batch are asked for.
  Status begin(const store::LogBatch& batch);
  // What the members of the entry are, when nothing else of its line matters: entries of one batch with the same ids have
  // the same line. False: its line has to be read as it is.
  Result<bool> ids_of(size_t entry, std::vector<uint32_t>& ids) const;
  // An object of these members of the entry. REQUIRES: ids_of gave true for it
  void append(size_t entry, std::string& line) const;
  // The line as it is.
  Result<std::string_view> whole(size_t entry, std::string& buffer) const;

 private:
  const std::vector<std::string> members_;
  std::vector<std::pair<size_t, size_t>> rivals_;  // members of which the first may be renamed to the second
  const store::LogBatch* batch_ = nullptr;
  std::vector<const store::FieldColumn*> columns_;
};

}  // namespace contextcore::logql
