#pragma once
// Many commands as one transaction: each is planned against what those before it leave.

#include "work/execute.h"

namespace contextcore::work {

inline constexpr size_t kBatchCommandsMax = 10'000;

// The plan of a command with op "batch". Errors: that of the first command that fails, with its
// place in front ("command 3: …"); nothing is written then.
Result<store::WorkTransaction> plan_batch(const store::WorkView& view, const Command& command,
                                          const Settings& settings);

}  // namespace contextcore::work
