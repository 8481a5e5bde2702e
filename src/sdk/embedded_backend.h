#pragma once
// Backend on a store opened in this process.

#include <memory>

#include "sdk/backend.h"
#include "store/store.h"

namespace contextcore::sdk {

// Opens the store (errors: not_found when absent and create is false, unavailable, corruption,
// io_error).
Result<std::unique_ptr<Backend>> open_embedded_backend(const BackendOptions& options);

}  // namespace contextcore::sdk
