// LogQL: whatever the bytes are, parsing ends; what parses prints to text that parses to the same
// tree.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string_view>

#include "query/logql/parser.h"
#include "query/logql/print.h"

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace contextcore::logql;
  const std::string_view query(reinterpret_cast<const char*>(data), size);
  auto expr = parse(query);
  if (!expr.ok()) return 0;
  const std::string text = print(*expr);
  // The canonical form may be longer than the limit for what people send.
  if (text.size() >= kQueryBytesMax) return 0;
  auto again = parse(text);
  if (!again.ok() || !(*again == *expr) || print(*again) != text) std::abort();
  return 0;
}
