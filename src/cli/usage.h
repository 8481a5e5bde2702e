#pragma once
// What was typed wrongly, in words: the word that is not known, what was probably meant, and where
// help is.

#include "base/result.h"
#include "cli/arguments.h"

namespace contextcore::cli {

// REQUIRES: app.parse(argc, argv) threw `error`.
Error usage_error(const CLI::App& app, const CLI::Error& error, int argc, const char* const* argv);

}  // namespace contextcore::cli
