#include "net/http2_server.h"

#include <algorithm>
#include <array>
#include <unordered_map>

#include "net/nghttp2_kit.h"

namespace contextcore::net {
namespace {

constexpr size_t kSettingsMax = 32;         // entries of one frame
constexpr size_t kAcksMax = 1000;           // pings and settings whose answers wait to be sent
constexpr uint64_t kResetsBurst = 1000;     // a peer that resets more streams than that, and
constexpr uint64_t kResetsPerSecond = 33;   // goes on faster than that, is sent away
constexpr size_t kContinuationsMax = 8;
// A client of HTTP/1 is told so in its own language.
constexpr std::string_view kToHttp1 =
    "this port takes OTLP over gRPC (HTTP/2 without TLS); OTLP/HTTP has a port of its own\n";

class Http2ServerImpl : public Http2Server {
 public:
  Http2ServerImpl(const Http2Limits& limits, Handler& handler)
      : limits_(limits), handler_(handler) {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_option* option = nullptr;
    if (nghttp2_session_callbacks_new(&callbacks) != 0) return;
    const std::unique_ptr<nghttp2_session_callbacks, FreeCallbacks> callbacks_owner(callbacks);
    if (nghttp2_option_new(&option) != 0) return;
    const std::unique_ptr<nghttp2_option, FreeOption> option_owner(option);
    nghttp2_session_callbacks_set_on_begin_headers_callback(callbacks, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_send_callback(callbacks, on_sent);
    nghttp2_session_callbacks_set_on_stream_close_callback(callbacks, on_close);
    nghttp2_option_set_max_settings(option, kSettingsMax);
    nghttp2_option_set_max_outbound_ack(option, kAcksMax);
    nghttp2_option_set_stream_reset_rate_limit(option, kResetsBurst, kResetsPerSecond);
    nghttp2_option_set_max_continuations(option, kContinuationsMax);
    nghttp2_session* session = nullptr;
    if (nghttp2_session_server_new2(&session, callbacks, this, option) != 0) return;
    session_.reset(session);
    broken_ = false;
    const std::array<nghttp2_settings_entry, 3> settings{
        nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_CONCURRENT_STREAMS, limits.streams_max},
        nghttp2_settings_entry{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE,
                               static_cast<uint32_t>(limits.window_bytes)},
        nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, limits.header_bytes_max}};
    nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings.data(), settings.size());
    nghttp2_session_set_local_window_size(session, NGHTTP2_FLAG_NONE, 0,
                                          limits.connection_window_bytes);
  }

  Status receive(std::string_view bytes) override {
    if (broken_) return Status(Code::internal, "no memory");
    const ssize_t n = nghttp2_session_mem_recv(
        session_.get(), reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
    if (n == NGHTTP2_ERR_BAD_CLIENT_MAGIC && !begun_ && bytes[0] >= 'A' && bytes[0] <= 'Z')
      is_http1_ = true;
    begun_ = begun_ || !bytes.empty();
    if (n >= 0) return {};
    broken_ = true;
    return Status(Code::invalid_argument,
                  std::string("HTTP/2: ") + nghttp2_strerror(static_cast<int>(n)));
  }

  void send(std::string& out, size_t bytes_max) override {
    if (!begun_) return;
    if (is_http1_) {
      if (std::exchange(told_, true)) return;
      out += "HTTP/1.1 400 Bad Request\r\nContent-Type: text/plain\r\nConnection: close\r\n";
      out += "Content-Length: " + std::to_string(kToHttp1.size()) + "\r\n\r\n";
      out += kToHttp1;
      return;
    }
    if (broken_) return;
    const size_t end = out.size() + bytes_max;
    const uint8_t* bytes = nullptr;
    while (out.size() < end) {
      const ssize_t n = nghttp2_session_mem_send(session_.get(), &bytes);
      if (n < 0) broken_ = true;
      if (n <= 0) return;
      out += text_of(bytes, static_cast<size_t>(n));
    }
  }

  void respond(int32_t id, const Http2Fields& header, std::string body,
               Http2Fields trailers) override {
    const auto found = streams_.find(id);
    if (found == streams_.end() || found->second.answered) return;
    Stream& stream = found->second;
    stream.answered = true;
    stream.body = std::move(body);
    stream.trailers = std::move(trailers);
    nghttp2_data_provider provider{};
    provider.source.ptr = &stream;  // a map's nodes stay where they are
    provider.read_callback = on_read;
    const std::vector<nghttp2_nv> fields = fields_of(header);
    const bool header_only = stream.body.empty() && stream.trailers.empty();
    nghttp2_submit_response(session_.get(), id, fields.data(), fields.size(),
                            header_only ? nullptr : &provider);
  }

  void begin_shutdown() override {
    if (!session_ || std::exchange(notice_, true)) return;
    nghttp2_submit_shutdown_notice(session_.get());
    nghttp2_submit_ping(session_.get(), NGHTTP2_FLAG_NONE, nullptr);
  }
  void finish_shutdown() override {
    if (!session_ || std::exchange(goodbye_, true)) return;
    nghttp2_submit_goaway(session_.get(), NGHTTP2_FLAG_NONE,
                          nghttp2_session_get_last_proc_stream_id(session_.get()),
                          NGHTTP2_NO_ERROR, nullptr, 0);
  }

  bool ended() const override {
    return broken_ || (nghttp2_session_want_write(session_.get()) == 0 &&
                       nghttp2_session_want_read(session_.get()) == 0);
  }
  size_t streams() const override { return streams_.size(); }
  size_t frames_waiting() const override {
    return session_ ? nghttp2_session_get_outbound_queue_size(session_.get()) : 0;
  }

 private:
  struct Stream {
    Http2Fields fields;
    size_t header_bytes = 0;
    bool begun = false;     // its header was handed on
    bool ended = false;     // its request is whole
    bool answered = false;
    std::string body;
    size_t sent = 0;  // of the body
    Http2Fields trailers;
  };

  static Http2ServerImpl& self(void* user) { return *static_cast<Http2ServerImpl*>(user); }
  Stream* find(int32_t id) {
    const auto found = streams_.find(id);
    return found == streams_.end() ? nullptr : &found->second;
  }
  static std::vector<nghttp2_nv> fields_of(const Http2Fields& fields) {
    std::vector<nghttp2_nv> out;
    out.reserve(fields.size());
    for (const auto& [name, value] : fields) out.push_back(field_of(name, value));
    return out;
  }

  static int on_begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    if (frame->headers.cat == NGHTTP2_HCAT_REQUEST)
      self(user).streams_.try_emplace(frame->hd.stream_id);
    return 0;
  }
  // Also those of a request's trailers, which are counted and not kept.
  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name,
                       size_t name_size, const uint8_t* value, size_t value_size, uint8_t,
                       void* user) {
    Stream* stream = self(user).find(frame->hd.stream_id);
    if (stream == nullptr) return 0;
    stream->header_bytes += name_size + value_size + 32;
    if (stream->header_bytes > self(user).limits_.header_bytes_max)
      return NGHTTP2_ERR_TEMPORAL_CALLBACK_FAILURE;  // resets the stream
    if (!stream->begun)
      stream->fields.emplace_back(text_of(name, name_size), text_of(value, value_size));
    return 0;
  }
  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    Http2ServerImpl& server = self(user);
    const bool ack = (frame->hd.flags & NGHTTP2_FLAG_ACK) != 0;
    if (frame->hd.type == NGHTTP2_PING && ack && server.notice_) server.finish_shutdown();
    if (frame->hd.type != NGHTTP2_HEADERS && frame->hd.type != NGHTTP2_DATA) return 0;
    const int32_t id = frame->hd.stream_id;
    Stream* stream = server.find(id);
    if (stream == nullptr) return 0;
    const bool last = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    stream->ended = stream->ended || last;
    if (!std::exchange(stream->begun, true))
      server.handler_.header(id, std::exchange(stream->fields, {}));
    if (last && !stream->answered) server.handler_.end(id);
    return 0;
  }
  static int on_data(nghttp2_session*, uint8_t, int32_t id, const uint8_t* data, size_t n,
                     void* user) {
    const Stream* stream = self(user).find(id);
    if (stream != nullptr && !stream->answered) self(user).handler_.data(id, text_of(data, n));
    return 0;
  }
  static int on_sent(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    if ((frame->hd.flags & NGHTTP2_FLAG_END_STREAM) == 0) return 0;
    const Stream* stream = self(user).find(frame->hd.stream_id);
    if (stream == nullptr || stream->ended) return 0;
    nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, frame->hd.stream_id, NGHTTP2_NO_ERROR);
    return 0;
  }
  static int on_close(nghttp2_session*, int32_t id, uint32_t, void* user) {
    Http2ServerImpl& server = self(user);
    const auto found = server.streams_.find(id);
    if (found == server.streams_.end()) return 0;
    const bool begun = found->second.begun;
    server.streams_.erase(found);
    if (begun) server.handler_.closed(id);
    return 0;
  }
  static ssize_t on_read(nghttp2_session* session, int32_t id, uint8_t* out, size_t n,
                         uint32_t* flags, nghttp2_data_source* source, void*) {
    Stream& stream = *static_cast<Stream*>(source->ptr);
    const size_t count = std::min(n, stream.body.size() - stream.sent);
    std::copy_n(stream.body.data() + stream.sent, count, reinterpret_cast<char*>(out));
    stream.sent += count;
    if (stream.sent < stream.body.size()) return static_cast<ssize_t>(count);
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (!stream.trailers.empty()) {
      const std::vector<nghttp2_nv> fields = fields_of(stream.trailers);
      *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
      nghttp2_submit_trailer(session, id, fields.data(), fields.size());
    }
    return static_cast<ssize_t>(count);
  }

  const Http2Limits limits_;
  Handler& handler_;
  std::unordered_map<int32_t, Stream> streams_;
  bool begun_ = false;
  bool is_http1_ = false, told_ = false;
  bool broken_ = true;  // until there is a session
  bool notice_ = false, goodbye_ = false;
  std::unique_ptr<nghttp2_session, FreeSession> session_;
};

}  // namespace

std::unique_ptr<Http2Server> Http2Server::make(const Http2Limits& limits, Handler& handler) {
  return std::make_unique<Http2ServerImpl>(limits, handler);
}

}  // namespace contextcore::net
