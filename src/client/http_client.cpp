#include "client/http_client.h"

#include <charconv>
#include <utility>

#include "base/text.h"

namespace contextcore::client {
namespace {

constexpr size_t kLineBytesMax = 64 * 1024;
constexpr size_t kHeadersMax = 256;
constexpr size_t kBodyBytesMax = size_t{1} << 30;

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

Error malformed(const Endpoint& endpoint, const std::string& what) {
  return Error{
      Code::io_error, endpoint.to_string() + " sent a malformed HTTP answer: " + what, {}, {}, {}};
}

}  // namespace

std::string_view HttpResponse::header(std::string_view name) const {
  for (const auto& [key, value] : headers) {
    if (key == name) return value;
  }
  return {};
}

std::string HttpClient::message_of(std::string_view method, std::string_view target,
                                   const std::vector<std::pair<std::string, std::string>>& headers,
                                   std::string_view body) const {
  std::string message;
  message.append(method).append(" ").append(target).append(" HTTP/1.1\r\nHost: ");
  message.append(endpoint_.unix_path.empty() ? endpoint_.to_string() : "localhost").append("\r\n");
  for (const auto& [name, value] : headers)
    message.append(name).append(": ").append(value).append("\r\n");
  if (!body.empty() || method == "POST" || method == "PUT") {
    message.append("Content-Length: ").append(std::to_string(body.size())).append("\r\n");
  }
  message.append("\r\n").append(body);
  return message;
}

Result<HttpResponse> HttpClient::request(
    std::string_view method, std::string_view target,
    const std::vector<std::pair<std::string, std::string>>& headers, std::string_view body) {
  const std::string message = message_of(method, target, headers, body);
  const bool reused = connection_ != nullptr;
  bool answered = false;
  auto response = exchange(message, answered, method == "HEAD");
  if (!response.ok()) connection_.reset();
  if (!response.ok() && reused && !answered && response.error().code == Code::unavailable) {
    response = exchange(message, answered, method == "HEAD");
    if (!response.ok()) connection_.reset();
  }
  return response;
}

Result<HttpResponse> HttpClient::stream(
    std::string_view target, const std::vector<std::pair<std::string, std::string>>& headers,
    int64_t silence_ns, const std::function<bool(std::string_view)>& fn) {
  connection_.reset();
  CC_TRY(send(message_of("GET", target, headers, {})));
  CC_TRY(fill());
  CC_ASSIGN(HttpResponse response, read_header());
  if (response.status / 100 != 2 || !response.header("content-length").empty()) {
    CC_TRY(read_body(response));
    connection_.reset();
    return response;
  }
  char chunk[16384];
  while (buffer_.empty() || fn(std::exchange(buffer_, {}))) {
    auto got = connection_->read(chunk, sizeof chunk, silence_ns);
    if (!got.ok()) {
      connection_.reset();
      return Error{Code::unavailable, "nothing came from " + endpoint_.to_string(), {}, {}, {}};
    }
    if (*got == 0) break;
    buffer_.assign(chunk, *got);
  }
  connection_.reset();
  return response;
}

Status HttpClient::send(const std::string& message) {
  if (!connection_) {
    buffer_.clear();
    CC_ASSIGN(connection_, network_.connect(endpoint_, timeout_ns_));
  }
  return connection_->write(message, timeout_ns_);
}

Result<HttpResponse> HttpClient::exchange(const std::string& message, bool& answered,
                                          bool head_only) {
  CC_TRY(send(message));
  CC_TRY(fill());
  answered = true;
  CC_ASSIGN(HttpResponse response, read_header());
  if (head_only || response.status == 204 || response.status == 304) return response;
  CC_TRY(read_body(response));
  if (lower_ascii(response.header("connection")) == "close") connection_.reset();
  return response;
}

Result<HttpResponse> HttpClient::read_header() {
  HttpResponse response;
  do {  // 1xx answers precede the real one
    CC_ASSIGN(const std::string status_line, read_line());
    if (!status_line.starts_with("HTTP/1.") || status_line.size() < 12) {
      return malformed(endpoint_, "status line");
    }
    const char* digits = status_line.data() + 9;
    if (std::from_chars(digits, digits + 3, response.status).ec != std::errc()) {
      return malformed(endpoint_, "status code");
    }
    response.headers.clear();
    while (true) {
      CC_ASSIGN(const std::string line, read_line());
      if (line.empty()) break;
      const size_t colon = line.find(':');
      if (colon == std::string::npos || response.headers.size() >= kHeadersMax) {
        return malformed(endpoint_, "header");
      }
      response.headers.emplace_back(lower_ascii(std::string_view(line).substr(0, colon)),
                                    trim(std::string_view(line).substr(colon + 1)));
    }
  } while (response.status / 100 == 1);
  return response;
}

Status HttpClient::read_body(HttpResponse& response) {
  if (lower_ascii(response.header("transfer-encoding")) == "chunked") {
    CC_TRY(read_chunked(response.body));
  } else if (const std::string_view length = response.header("content-length"); !length.empty()) {
    size_t bytes = 0;
    const auto [end, failure] =
        std::from_chars(length.data(), length.data() + length.size(), bytes);
    if (failure != std::errc() || end != length.data() + length.size() || bytes > kBodyBytesMax) {
      return malformed(endpoint_, "content-length");
    }
    CC_TRY(read_bytes(bytes, response.body));
  } else {
    while (response.body.size() < kBodyBytesMax) {
      response.body += buffer_;
      buffer_.clear();
      if (auto more = fill(); !more.ok()) break;  // the end of the stream is the end of the body
    }
    connection_.reset();
  }
  return {};
}

// Reads at least one more byte into the buffer.
Status HttpClient::fill() {
  char chunk[16384];
  CC_ASSIGN(const size_t got, connection_->read(chunk, sizeof chunk, timeout_ns_));
  if (got == 0) return Status(Code::unavailable, endpoint_.to_string() + " closed the connection");
  buffer_.append(chunk, got);
  return {};
}

Result<std::string> HttpClient::read_line() {
  size_t end = 0;
  while ((end = buffer_.find("\r\n")) == std::string::npos) {
    if (buffer_.size() > kLineBytesMax) return malformed(endpoint_, "line too long");
    CC_TRY(fill());
  }
  std::string line = buffer_.substr(0, end);
  buffer_.erase(0, end + 2);
  return line;
}

Status HttpClient::read_bytes(size_t n, std::string& out) {
  while (buffer_.size() < n) CC_TRY(fill());
  out.append(buffer_, 0, n);
  buffer_.erase(0, n);
  return {};
}

Status HttpClient::read_chunked(std::string& out) {
  while (true) {
    auto line = read_line();
    if (!line.ok()) return std::move(line).error();
    size_t bytes = 0;
    const auto [end, failure] =
        std::from_chars(line->data(), line->data() + line->size(), bytes, 16);
    if (failure != std::errc() || (end != line->data() + line->size() && *end != ';') ||
        bytes > kBodyBytesMax - out.size()) {
      return malformed(endpoint_, "chunk size");
    }
    if (bytes == 0) break;
    CC_TRY(read_bytes(bytes, out));
    auto empty = read_line();
    if (!empty.ok()) return std::move(empty).error();
    if (!empty->empty()) return malformed(endpoint_, "chunk end");
  }
  while (true) {  // trailers
    auto line = read_line();
    if (!line.ok()) return std::move(line).error();
    if (line->empty()) return {};
  }
}

std::string url_encode(std::string_view text) {
  static constexpr char kDigits[] = "0123456789ABCDEF";
  std::string out;
  for (const char c : text) {
    const bool plain = (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || (c >= '0' && c <= '9') ||
                       c == '-' || c == '.' || c == '_' || c == '~';
    if (plain) {
      out += c;
    } else {
      const auto byte = static_cast<unsigned char>(c);
      out += '%';
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    }
  }
  return out;
}

std::string query_string(const std::vector<std::pair<std::string, std::string>>& parameters) {
  std::string out;
  for (const auto& [name, value] : parameters) {
    if (!out.empty()) out += '&';
    out += url_encode(name) + '=' + url_encode(value);
  }
  return out;
}

}  // namespace contextcore::client
