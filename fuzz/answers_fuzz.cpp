// What the command line and the libraries read from a server or a project file: HTTP answers, their
// JSON, errors, addresses, .contextcore.toml. The first byte chooses the reader.

#include <cstdint>
#include <cstring>
#include <string_view>

#include "client/http_client.h"
#include "sdk/remote_backend.h"
#include "sdk/toml_file.h"

namespace {

using namespace contextcore;

// Hands out the input in pieces of changing size.
class ScriptedConnection : public Connection {
 public:
  explicit ScriptedConnection(std::string_view bytes) : rest_(bytes) {}
  Result<size_t> read(char* out, size_t n, int64_t) override {
    const size_t piece = std::min({n, rest_.size(), size_t{1} + turn_++ % 97});
    std::memcpy(out, rest_.data(), piece);
    rest_.remove_prefix(piece);
    return piece;
  }
  Status write(std::string_view, int64_t) override { return {}; }

 private:
  std::string_view rest_;
  size_t turn_ = 0;
};

class ScriptedNetwork : public Network {
 public:
  explicit ScriptedNetwork(std::string_view bytes) : bytes_(bytes) {}
  Result<std::unique_ptr<Connection>> connect(const Endpoint&, int64_t) override {
    return std::unique_ptr<Connection>(std::make_unique<ScriptedConnection>(bytes_));
  }

 private:
  std::string_view bytes_;
};

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  if (size == 0) return 0;
  const std::string_view input(reinterpret_cast<const char*>(data) + 1, size - 1);
  switch (data[0] % 5) {
    case 0: {
      ScriptedNetwork network(input);
      client::HttpClient client(network, Endpoint{"127.0.0.1", 1, {}});
      (void)client.request("GET", "/");
      (void)client.request("GET",
                           "/");  // what is left of the first answer must not confuse the second
      break;
    }
    case 1:
      (void)sdk::parse_search_answer(input);
      break;
    case 2:
      (void)sdk::parse_logs_answer(input, data[0] & 0x80);
      break;
    case 3:
      (void)sdk::parse_error_answer(500, "application/json", input);
      break;
    case 4:
      (void)sdk::TomlFile::parse(input, "file");
      (void)parse_endpoint(input, 80);
      break;
  }
  return 0;
}
