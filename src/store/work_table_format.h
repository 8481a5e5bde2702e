#pragma once
// Constants of the file of a work table, shared by its reader and its writer. Layout: docs/store-format.md, "Work
// table".

#include <compare>
#include <cstddef>
#include <cstdint>
#include <string_view>

namespace contextcore::store {

// Span ids as big-endian numbers: their order is that of the ids.
struct WorkPair {
  uint64_t key = 0, value = 0;
  auto operator<=>(const WorkPair&) const = default;
};

// In the order in which they lie in the file. Version 3 has no keys and no texts.
enum class WorkSection : uint8_t { rows = 0, children = 1, dependents = 2, keys = 3, texts = 4 };
constexpr size_t kWorkSections = 5, kWorkSectionsV3 = 3;

constexpr std::string_view kWorkMagic{"CCWORKT\n", 8};
constexpr uint32_t kWorkVersion = 4, kWorkVersionOldest = 3;
constexpr size_t kWorkHeaderBytes = 16, kWorkTrailerBytes = 40, kWorkEntryBytes = 32;
constexpr size_t kWorkBlockBytes = 16 * 1024, kWorkPairsPerBlock = 1024;
constexpr uint32_t kWorkBlockBytesMax = 64u << 20;

}  // namespace contextcore::store
