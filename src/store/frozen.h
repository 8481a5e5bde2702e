#pragma once
// A head that nobody writes any more, while a cut makes files of it: the next head continues a
// version in which the frozen one's rows are segments in memory, so that writers and readers go on
// meanwhile.

#include <cstdint>
#include <memory>

#include "store/head.h"
#include "store/store_version.h"

namespace contextcore::store {

// The number of a segment that lies in memory; no file has such a one.
uint64_t memory_segment_number(uint64_t sequence, bool journal);

// The version that says what `head` says up to sequence.
// REQUIRES: nobody writes to head any more, all of it is visible at sequence, and it is settled
std::shared_ptr<const Version> freeze(const std::shared_ptr<const Head>& head, uint64_t sequence);

}  // namespace contextcore::store
