#pragma once
// What the store is told about work: pure functions (store/journal.h).

#include "store/journal.h"

namespace contextcore::work {

store::WorkHooks hooks();

}  // namespace contextcore::work
