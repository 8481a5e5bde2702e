#pragma once
// Rows of the log's files in one order: by stream, time and sequence, as each file has them. So the events of a span come
// as they happened even where they were written in another order and lie in several files.

#include <algorithm>
#include <compare>
#include <cstdint>
#include <tuple>
#include <vector>

#include "store/fetch.h"

namespace contextcore::work {

// Where a cursor stands in its file. Cursors derive from it and add the row.
struct LogPlace {
  const store::LabelPairs* stream = nullptr;  // one pointer for each stream of the file; nullptr: behind the last row
  int64_t time_ns = 0;
  uint64_t sequence = 0;
  bool before(const LogPlace& other) const {
    return std::tie(time_ns, sequence) < std::tie(other.time_ns, other.sequence);
  }
};

// Calls take(cursor) for one row after the other; it moves the cursor on. A part that is not in this order only costs
// rows of it their place.
template <typename Cursor, typename Take>
Status merge_rows(std::vector<Cursor>& cursors, Take take) {
  std::vector<Cursor*> left, here;
  for (Cursor& cursor : cursors) left.push_back(&cursor);
  for (;;) {
    std::erase_if(left, [](const Cursor* cursor) { return cursor->stream == nullptr; });
    if (left.empty()) return {};
    if (left.size() == 1) {
      while (left[0]->stream != nullptr) CC_TRY(take(*left[0]));
      return {};
    }
    const Cursor* first = *std::min_element(
        left.begin(), left.end(), [](const Cursor* a, const Cursor* b) { return *a->stream < *b->stream; });
    here.clear();
    std::copy_if(left.begin(), left.end(), std::back_inserter(here),
                 [&](const Cursor* cursor) { return *cursor->stream == *first->stream; });
    while (!here.empty()) {
      // The one whose row is next goes on until a row of another is.
      const auto before = [](const Cursor* a, const Cursor* b) { return a->before(*b); };
      const auto next = std::min_element(here.begin(), here.end(), before);
      std::iter_swap(here.begin(), next);
      Cursor& cursor = *here[0];
      const Cursor* other = here.size() == 1 ? nullptr : *std::min_element(here.begin() + 1, here.end(), before);
      const store::LabelPairs* stream = cursor.stream;
      do {
        CC_TRY(take(cursor));
      } while (cursor.stream == stream && (other == nullptr || !other->before(cursor)));
      if (cursor.stream != stream) here.erase(here.begin());
    }
  }
}

}  // namespace contextcore::work
