#pragma once
// A work row as bytes: a record of one width and an entry of the heap behind the records of its block.
// Layout: docs/store-format.md, "Work table".

#include <cstdint>
#include <string>
#include <string_view>

#include "store/work_index.h"

namespace contextcore::store {

constexpr size_t kWorkRecordBytes = 120;
constexpr size_t kWorkKindAt = 32, kWorkEndAt = 64;  // in a record; its first 8 bytes are the id

void append_work_record(const WorkRow& row, uint32_t heap_offset, uint32_t heap_length, std::string& out);
void append_work_heap(const WorkRow& row, std::string& out);
// False when record or heap are not what the two above write.
bool read_work_row(std::string_view record, std::string_view heap, WorkRow& row);

}  // namespace contextcore::store
