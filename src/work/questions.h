#pragma once
// Questions that have a file of their own.

#include "work/args.h"
#include "work/command.h"

namespace contextcore::work {

Result<Json> ask_why(const store::WorkView& view, const Question& question, const Args& args);
Result<Json> ask_insights(const store::WorkView& view, const Question& question, const Args& args);
Result<Json> ask_insight(const store::WorkView& view, const Question& question, const Args& args);

Result<size_t> limit_of(const Args& args);  // 50 when not given

}  // namespace contextcore::work
