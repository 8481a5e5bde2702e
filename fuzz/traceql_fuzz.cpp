// TraceQL: no input may crash the parser, and what it accepts must survive printing: the canonical
// text parses to an equal query and prints as itself.

#include <cstdint>
#include <cstdio>
#include <cstdlib>
#include <string>
#include <string_view>

#include "query/traceql/parser.h"
#include "query/traceql/printer.h"
#include "query/traceql/validate.h"

namespace {

[[noreturn]] void fail(std::string_view what, const std::string& text) {
  std::fprintf(stderr, "%.*s\n  %s\n", static_cast<int>(what.size()), what.data(), text.c_str());
  std::abort();
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  using namespace contextcore::traceql;
  const std::string text(reinterpret_cast<const char*>(data), size);
  const auto query = parse(text);
  if (!query.ok()) {
    const auto& error = query.error();
    if (error.position && static_cast<size_t>(*error.position) > size) {
      fail("error position outside the query", error.message);
    }
    return 0;
  }
  const bool valid = validate(*query, text).ok();
  const std::string printed = to_string(*query);
  ParseOptions options;
  options.query_bytes_max = SIZE_MAX;  // parentheses may make it longer than the source was
  const auto again = parse(printed, options);
  if (!again.ok()) fail("canonical text does not parse: " + again.error().message, printed);
  if (!(*again == *query)) fail("canonical text parses to another query", printed);
  if (to_string(*again) != printed) fail("printing is not idempotent", printed);
  if (validate(*again, printed).ok() != valid) fail("canonical text differs in validity", printed);
  return 0;
}
