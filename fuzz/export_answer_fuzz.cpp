// What a back end answers: any status, header and body is judged, and nothing of it but its first
// line comes out again.

#include <cstddef>
#include <cstdint>
#include <cstdlib>
#include <string>
#include <string_view>

#include "export/sender.h"

namespace exporter = contextcore::exporter;

// status (3 digits), a line with Retry-After, the rest: the body.
extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  contextcore::client::HttpResponse response;
  for (size_t i = 0; i < 3 && !text.empty(); ++i, text.remove_prefix(1))
    response.status = response.status * 10 + (static_cast<unsigned char>(text[0]) % 10);
  const std::string_view line = text.substr(0, text.find('\n'));
  text.remove_prefix(line.size());
  response.headers.emplace_back("retry-after", line);
  response.body = text;
  for (const char* type : {"application/x-protobuf", "text/plain"}) {
    response.headers.emplace_back("content-type", type);
    const exporter::Outcome outcome = exporter::judge(response, true, 1'000'000'000);
    if (outcome.rejected < 0 || outcome.message.size() > 5000) std::abort();
    if (outcome.retry_after_ns && *outcome.retry_after_ns < 0) std::abort();
    response.headers.pop_back();
  }
  (void)exporter::parse_url(text);
  return 0;
}
