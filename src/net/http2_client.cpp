#include "net/http2_client.h"

#include <algorithm>
#include <array>
#include <charconv>
#include <optional>
#include <utility>
#include <vector>

#include "net/nghttp2_kit.h"

namespace contextcore::net {
namespace {

constexpr size_t kReadBytes = 16 << 10;
constexpr size_t kWriteBytes = 64 << 10;

}  // namespace

// One connection and the session on it.
class Http2Client::Link {
 public:
  Link(std::unique_ptr<Connection> connection, const Endpoint& endpoint)
      : connection_(std::move(connection)), endpoint_(endpoint) {}

  Status open() {
    nghttp2_session_callbacks* made = nullptr;
    if (nghttp2_session_callbacks_new(&made) != 0) return trouble("no memory");
    const std::unique_ptr<nghttp2_session_callbacks, FreeCallbacks> callbacks(made);
    nghttp2_session_callbacks_set_on_begin_headers_callback(made, on_begin_headers);
    nghttp2_session_callbacks_set_on_header_callback(made, on_header);
    nghttp2_session_callbacks_set_on_frame_recv_callback(made, on_frame);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(made, on_data);
    nghttp2_session_callbacks_set_on_stream_close_callback(made, on_close);
    nghttp2_session* session = nullptr;
    if (nghttp2_session_client_new(&session, made, this) != 0) return trouble("no memory");
    session_.reset(session);
    const std::array<nghttp2_settings_entry, 2> settings{
        nghttp2_settings_entry{NGHTTP2_SETTINGS_ENABLE_PUSH, 0},
        nghttp2_settings_entry{NGHTTP2_SETTINGS_MAX_HEADER_LIST_SIZE, kHeaderBytesMax}};
    if (nghttp2_submit_settings(session, NGHTTP2_FLAG_NONE, settings.data(), settings.size()) != 0)
      return trouble("no memory");
    return {};
  }

  // Whether a further request may go out on it.
  bool usable() const {
    return !ended_ && nghttp2_session_check_request_allowed(session_.get()) != 0;
  }
  // Of the last request: nothing of an answer came, so that a new connection may be asked.
  bool untouched() const { return !answered_ && (ended_ || going_away_); }

  Result<exporter::GrpcAnswer> post(const Http2Request& request, Clock& clock,
                                    int64_t deadline_ns) {
    CC_TRY(submit(request));
    std::array<char, kReadBytes> bytes;
    while (true) {
      Status flushed = flush(clock, deadline_ns);
      // A peer that has answered may take no more.
      if (done_ && !flushed.ok()) ended_ = true;
      if (done_) return std::move(answer_);
      if (!flushed.ok()) return flushed.error();
      if (nghttp2_session_want_read(session_.get()) == 0)
        return trouble("the peer broke the protocol").error();
      const int64_t left_ns = deadline_ns - clock.monotonic_ns();
      if (left_ns <= 0) {
        return Error{
            Code::deadline_exceeded, endpoint_.to_string() + " did not answer in time", {}, {}, {}};
      }
      const auto got = connection_->read(bytes.data(), bytes.size(), left_ns);
      if (!got.ok()) {
        ended_ = got.error().code == Code::unavailable;
        return got.error();
      }
      if (*got == 0) return ended();
      CC_TRY(take({bytes.data(), *got}));
    }
  }

 private:
  Status submit(const Http2Request& request) {
    answer_ = {};
    block_bytes_ = 0;
    answered_ = done_ = going_away_ = too_much_ = false;
    body_ = request.body;
    const std::string authority = endpoint_.to_string();
    std::vector<nghttp2_nv> fields{field_of(":method", "POST"), field_of(":scheme", request.scheme),
                                   field_of(":path", request.path),
                                   field_of(":authority", authority)};
    for (const auto& [name, value] : request.headers) {
      fields.push_back(field_of(name, value));
      // A secret is not kept in the tables of the compression.
      if (name == "authorization") fields.back().flags = NGHTTP2_NV_FLAG_NO_INDEX;
    }
    nghttp2_data_provider provider{};
    provider.source.ptr = this;
    provider.read_callback = on_read;
    stream_ = nghttp2_submit_request(session_.get(), nullptr, fields.data(), fields.size(),
                                     &provider, nullptr);
    if (stream_ < 0) return trouble(nghttp2_strerror(stream_));
    return {};
  }

  // What the session wants to say goes out.
  Status flush(Clock& clock, int64_t deadline_ns) {
    std::string out;
    while (true) {
      const uint8_t* bytes = nullptr;
      const ssize_t n = nghttp2_session_mem_send(session_.get(), &bytes);
      if (n < 0) return trouble(nghttp2_strerror(static_cast<int>(n)));
      if (n > 0) out += text_of(bytes, static_cast<size_t>(n));
      if (out.empty()) return {};
      if (n > 0 && out.size() < kWriteBytes) continue;
      Status written =
          connection_->write(out, std::max<int64_t>(deadline_ns - clock.monotonic_ns(), 1));
      if (!written.ok()) {
        ended_ = written.error().code == Code::unavailable;
        return written;
      }
      out.clear();
    }
  }

  Status take(std::string_view bytes) {
    if (first_ && bytes.starts_with("HTTP/1.")) {
      return Status(Error{Code::unavailable,
                          endpoint_.to_string() + " answers in HTTP/1, not in HTTP/2",
                          "the address has to be one of a gRPC receiver",
                          {},
                          {}});
    }
    first_ = false;
    const ssize_t n = nghttp2_session_mem_recv(
        session_.get(), reinterpret_cast<const uint8_t*>(bytes.data()), bytes.size());
    if (too_much_) return trouble("the answer is too large");
    if (n < 0) return trouble(nghttp2_strerror(static_cast<int>(n)));
    return {};
  }

  Error ended() {
    ended_ = true;
    return Error{Code::unavailable, endpoint_.to_string() + " closed the connection", {}, {}, {}};
  }
  Status trouble(const std::string& what) const {
    return Status(Code::io_error, "HTTP/2 with " + endpoint_.to_string() + ": " + what);
  }

  // A piece of headers: of an answer (with :status), or trailers.
  static int on_begin_headers(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    Link& link = *static_cast<Link*>(user);
    if (frame->hd.stream_id != link.stream_) return 0;
    link.answered_ = true;
    link.block_.clear();
    link.block_status_ = 0;
    return 0;
  }
  static int on_header(nghttp2_session*, const nghttp2_frame* frame, const uint8_t* name,
                       size_t name_size, const uint8_t* value, size_t value_size, uint8_t,
                       void* user) {
    Link& link = *static_cast<Link*>(user);
    if (frame->hd.stream_id != link.stream_) return 0;
    link.block_bytes_ += name_size + value_size + 32;
    if (link.block_bytes_ > kHeaderBytesMax) {
      link.too_much_ = true;
      return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    const std::string_view text = text_of(value, value_size);
    if (text_of(name, name_size) == ":status") {
      std::from_chars(text.data(), text.data() + text.size(), link.block_status_);
    } else {
      link.block_.emplace_back(text_of(name, name_size), text);
    }
    return 0;
  }
  static int on_frame(nghttp2_session* session, const nghttp2_frame* frame, void* user) {
    Link& link = *static_cast<Link*>(user);
    if (frame->hd.type == NGHTTP2_GOAWAY)
      link.going_away_ = frame->goaway.last_stream_id < link.stream_;
    if (frame->hd.stream_id != link.stream_) return 0;
    const bool last = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (frame->hd.type == NGHTTP2_HEADERS) link.end_block(last);
    const bool answer = frame->hd.type == NGHTTP2_HEADERS || frame->hd.type == NGHTTP2_DATA;
    if (!answer || !last) return 0;
    link.done_ = true;
    // It was answered before all of the request had left: the rest stays here.
    if (link.body_.empty()) return 0;
    link.body_ = {};
    return nghttp2_submit_rst_stream(session, NGHTTP2_FLAG_NONE, link.stream_, NGHTTP2_NO_ERROR);
  }
  void end_block(bool last) {
    if (block_status_ / 100 == 1) return;  // the real one follows
    if (block_status_ == 0) {
      answer_.trailers = std::move(block_);
      return;
    }
    answer_.http_status = block_status_;
    if (last) answer_.trailers = block_;
    answer_.headers = std::move(block_);
  }
  static int on_data(nghttp2_session*, uint8_t, int32_t stream, const uint8_t* data, size_t n,
                     void* user) {
    Link& link = *static_cast<Link*>(user);
    if (stream != link.stream_) return 0;
    if (link.answer_.body.size() + n > kAnswerBytesMax) {
      link.too_much_ = true;
      return NGHTTP2_ERR_CALLBACK_FAILURE;
    }
    link.answer_.body += text_of(data, n);
    return 0;
  }
  static int on_close(nghttp2_session*, int32_t stream, uint32_t error, void* user) {
    Link& link = *static_cast<Link*>(user);
    if (stream != link.stream_ || link.done_) return 0;
    link.done_ = true;
    link.answer_.reset = error;
    return 0;
  }
  // A piece of the request's body.
  static ssize_t on_read(nghttp2_session*, int32_t, uint8_t* out, size_t n, uint32_t* flags,
                         nghttp2_data_source* source, void*) {
    Link& link = *static_cast<Link*>(source->ptr);
    const size_t count = std::min(n, link.body_.size());
    std::copy_n(link.body_.data(), count, reinterpret_cast<char*>(out));
    link.body_.remove_prefix(count);
    if (link.body_.empty()) *flags |= NGHTTP2_DATA_FLAG_EOF;
    return static_cast<ssize_t>(count);
  }

  std::unique_ptr<Connection> connection_;
  const Endpoint& endpoint_;
  std::unique_ptr<nghttp2_session, FreeSession> session_;
  bool first_ = true;
  bool ended_ = false;
  // Of the present request.
  int32_t stream_ = 0;
  std::string_view body_;
  exporter::GrpcAnswer answer_;
  exporter::Headers block_;
  int block_status_ = 0;
  size_t block_bytes_ = 0;
  bool answered_ = false, done_ = false, going_away_ = false, too_much_ = false;
};

Http2Client::Http2Client(Network& network, Endpoint endpoint, Clock& clock)
    : network_(network), endpoint_(std::move(endpoint)), clock_(clock) {}
Http2Client::~Http2Client() = default;

Result<exporter::GrpcAnswer> Http2Client::post(const Http2Request& request, int64_t timeout_ns) {
  const int64_t now_ns = clock_.monotonic_ns();
  const int64_t deadline_ns = timeout_ns > INT64_MAX - now_ns ? INT64_MAX : now_ns + timeout_ns;
  if (link_ && !link_->usable()) link_.reset();
  for (bool reused = link_ != nullptr;; reused = false) {
    if (!link_) {
      CC_ASSIGN(auto connection, network_.connect(endpoint_, deadline_ns - clock_.monotonic_ns()));
      link_ = std::make_unique<Link>(std::move(connection), endpoint_);
      if (Status opened = link_->open(); !opened.ok()) {
        link_.reset();
        return opened.error();
      }
    }
    auto answer = link_->post(request, clock_, deadline_ns);
    const bool again = reused && link_->untouched();
    const bool reset = answer.ok() && answer->reset && *answer->reset != 0;
    if (!again && answer.ok() && !reset) return answer;
    link_.reset();
    if (!again) return answer;
  }
}

}  // namespace contextcore::net
