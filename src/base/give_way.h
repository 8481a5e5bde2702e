#pragma once
// For work that takes long and is wanted less than what may be waiting for this processor.

namespace contextcore {

// Lets another thread run that is ready to, without waiting for the end of the slice of time that
// the caller has; returns at once when there is none. Not to be called with a lock held.
void give_way();

}  // namespace contextcore
