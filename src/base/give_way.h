#pragma once
// For work that takes long and is wanted less than what may be waiting for this processor.

namespace contextcore {

// On a thread of Priority::giving_way that has run for a fifth of a millisecond: lets another thread run that is ready to, without
// waiting for the end of the caller's slice of time. Where other programs compute that costs the caller a round of
// theirs; on other threads, where somebody waits for an answer, it does nothing. Not to be called with a lock held.
void give_way();

}  // namespace contextcore
