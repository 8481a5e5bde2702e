// Requests of any kind against the whole service, over a store on a simulated disk. Input: a line
// "METHOD target", header lines, an empty line, the body. Whatever comes, an answer with a status
// comes back, and what claims to be JSON is.

#include <cstdint>
#include <cstdlib>
#include <memory>
#include <string>
#include <string_view>

#include "service_world.h"
#include "api/target.h"
#include "base/json.h"

namespace {

using namespace contextcore;

std::string_view next_line(std::string_view& text) {
  size_t end = text.find('\n');
  std::string_view line = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  return line;
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  std::string_view text(reinterpret_cast<const char*>(data), size);
  api::Request request;
  std::string_view first = next_line(text);
  size_t blank = first.find(' ');
  request.method = std::string(first.substr(0, blank));
  std::string_view target = blank == std::string_view::npos ? "/" : first.substr(blank + 1);
  if (!api::parse_target(target, request).ok()) return 0;
  while (!text.empty()) {
    std::string_view line = next_line(text);
    if (line.empty()) break;
    size_t colon = line.find(": ");
    if (colon == std::string_view::npos) continue;
    request.headers.emplace_back(line.substr(0, colon), line.substr(colon + 2));
  }
  request.body = std::string(text);
  api::Response response = service_world().service->handle(std::move(request));
  if (response.status < 200 || response.status > 599) std::abort();
  bool compressed = false;
  for (const auto& [name, value] : response.headers) compressed |= name == "Content-Encoding";
  if (response.content_type == "application/json" && !compressed && !response.body.empty() &&
      !parse_json(response.body, 1000).ok()) {
    std::abort();
  }
  return 0;
}
