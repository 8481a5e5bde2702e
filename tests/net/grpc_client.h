#pragma once
// A client of HTTP/2 with its bytes in memory that says what a test wants, when it wants: headers,
// pieces of bodies, pings, resets; and bytes of frames by hand where no library would send them.

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <map>
#include <optional>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

namespace contextcore::net::test {

using ClientFields = std::vector<std::pair<std::string, std::string>>;

inline std::string frame(uint8_t type, uint8_t flags, uint32_t stream, std::string_view payload) {
  std::string out;
  for (int shift = 16; shift >= 0; shift -= 8)
    out += static_cast<char>(payload.size() >> shift & 0xff);
  out += static_cast<char>(type);
  out += static_cast<char>(flags);
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(stream >> shift & 0xff);
  return out.append(payload);
}

// gRPC's prefix and the message.
inline std::string message(std::string_view bytes, char flag = 0) {
  std::string out(1, flag);
  for (int shift = 24; shift >= 0; shift -= 8) out += static_cast<char>(bytes.size() >> shift & 0xff);
  return out.append(bytes);
}

inline const std::string kTraces =
    "/opentelemetry.proto.collector.trace.v1.TraceService/Export";

inline ClientFields call_fields(const std::string& path = kTraces, const ClientFields& more = {}) {
  ClientFields out{{":method", "POST"},      {":scheme", "http"},
                   {":path", path},          {":authority", "localhost"},
                   {"te", "trailers"},       {"content-type", "application/grpc"}};
  out.insert(out.end(), more.begin(), more.end());
  return out;
}

struct Reply {
  std::map<std::string, std::string> fields;  // of header and trailers
  std::string body;
  size_t blocks = 0;  // of headers: 1 for trailers only
  bool ended = false, closed = false;
  uint32_t error = 0;  // of HTTP/2, when closed
  std::string status() const {
    const auto found = fields.find("grpc-status");
    return found == fields.end() ? "" : found->second;
  }
};

class RawClient {
 public:
  RawClient() {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    nghttp2_session_client_new(&session_, callbacks, this);
    nghttp2_session_callbacks_del(callbacks);
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, nullptr, 0);
  }
  ~RawClient() { nghttp2_session_del(session_); }
  RawClient(const RawClient&) = delete;
  RawClient& operator=(const RawClient&) = delete;

  // A stream with this header; ended: nothing follows it.
  int32_t begin(const ClientFields& fields, bool ended = false) {
    std::vector<nghttp2_nv> out;
    const auto bytes = [](const std::string& text) {
      return const_cast<uint8_t*>(reinterpret_cast<const uint8_t*>(text.data()));
    };
    for (const auto& [name, value] : fields)
      out.push_back({bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE});
    return nghttp2_submit_headers(session_, ended ? NGHTTP2_FLAG_END_STREAM : NGHTTP2_FLAG_NONE, -1,
                                  nullptr, out.data(), out.size(), nullptr);
  }
  // A piece of its body; the one before has to have left.
  void data(int32_t stream, std::string bytes, bool ended) {
    std::string& piece = pieces_[stream];
    piece = std::move(bytes);
    nghttp2_data_provider provider{};
    provider.source.ptr = &piece;
    provider.read_callback = on_read;
    nghttp2_submit_data(session_, ended ? NGHTTP2_FLAG_END_STREAM : NGHTTP2_FLAG_NONE, stream,
                        &provider);
  }
  void ping() { nghttp2_submit_ping(session_, NGHTTP2_FLAG_NONE, nullptr); }
  void reset(int32_t stream) {
    nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream, NGHTTP2_CANCEL);
  }

  std::string take() {
    std::string out;
    const uint8_t* bytes = nullptr;
    for (ssize_t n = 0; (n = nghttp2_session_mem_send(session_, &bytes)) > 0;)
      out.append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(n));
    return out;
  }
  void give(std::string_view bytes) {
    nghttp2_session_mem_recv(session_, reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
  }
  uint32_t remote_setting(nghttp2_settings_id id) const {
    return nghttp2_session_get_remote_settings(session_, id);
  }

  std::map<int32_t, Reply> replies;
  int pongs = 0;
  std::vector<std::pair<int32_t, uint32_t>> goaways;  // last stream, error

 private:
  static RawClient& self(void* user) { return *static_cast<RawClient*>(user); }
  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name, size_t n,
                       const uint8_t* value, size_t m, uint8_t, void* user) {
    self(user).replies[frame->hd.stream_id].fields[std::string(
        reinterpret_cast<const char*>(name), n)] =
        std::string(reinterpret_cast<const char*>(value), m);
    return 0;
  }
  static int on_data(nghttp2_session*, uint8_t, int32_t stream, const uint8_t* data, size_t n,
                     void* user) {
    self(user).replies[stream].body.append(reinterpret_cast<const char*>(data), n);
    return 0;
  }
  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    RawClient& client = self(user);
    const bool ack = (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0;
    if (frame->hd.type == NGHTTP2_PING && ack) ++client.pongs;
    if (frame->hd.type == NGHTTP2_GOAWAY)
      client.goaways.emplace_back(frame->goaway.last_stream_id, frame->goaway.error_code);
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
    Reply& reply = client.replies[frame->hd.stream_id];
    reply.blocks += frame->hd.type == NGHTTP2_HEADERS ? 1 : 0;
    reply.ended = reply.ended || (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    return 0;
  }
  static int on_close(nghttp2_session*, int32_t stream, uint32_t error, void* user) {
    self(user).replies[stream].closed = true;
    self(user).replies[stream].error = error;
    return 0;
  }
  static ssize_t on_read(nghttp2_session*, int32_t, uint8_t* out, size_t n, uint32_t* flags,
                         nghttp2_data_source* source, void*) {
    std::string& piece = *static_cast<std::string*>(source->ptr);
    const size_t count = std::min(n, piece.size());
    std::copy_n(piece.data(), count, reinterpret_cast<char*>(out));
    piece.erase(0, count);
    if (piece.empty()) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(count);
  }

  nghttp2_session* session_ = nullptr;
  std::map<int32_t, std::string> pieces_;
};

}  // namespace contextcore::net::test
