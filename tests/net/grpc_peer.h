#pragma once
// A gRPC receiver in memory: an HTTP/2 session of nghttp2 behind a Network, that answers by a
// script.

#include <nghttp2/nghttp2.h>

#include <algorithm>
#include <deque>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "base/network.h"

namespace contextcore::net::test {

using Fields = std::vector<std::pair<std::string, std::string>>;

struct PeerRequest {
  std::map<std::string, std::string> headers;
  std::string body;
};

// What becomes of a request.
struct PeerAnswer {
  Fields headers{{":status", "200"}, {"content-type", "application/grpc"}};
  std::string body;
  std::optional<Fields> trailers = Fields{{"grpc-status", "0"}};  // none: the body ends the stream
  bool headers_only = false;  // an answer of headers alone, with the trailers among them
  std::optional<uint32_t> reset;
  bool goaway = false;             // has not looked at the request, and ends the connection
  bool goaway_after = false;       // answers, and says that this was the last
  bool close = false;              // ends the connection without a word
  bool silent = false;             // never answers
  bool early = false;              // answers as soon as the headers are there
  std::optional<std::string> raw;  // bytes instead of HTTP/2
};

struct Peer {
  std::deque<PeerAnswer> script;  // then: PeerAnswer{}
  std::vector<PeerRequest> requests;
  int connections = 0;
  bool refuses = false;  // to be connected to
  uint32_t window = 65535;
  PeerAnswer next() {
    PeerAnswer out;
    if (!script.empty()) {
      out = script.front();
      script.pop_front();
    }
    return out;
  }
};

class PeerConnection : public Connection {
 public:
  explicit PeerConnection(Peer& peer) : peer_(peer) {
    nghttp2_session_callbacks* callbacks = nullptr;
    nghttp2_session_callbacks_new(&callbacks);
    nghttp2_session_callbacks_set_on_header_callback(callbacks, on_header);
    nghttp2_session_callbacks_set_on_data_chunk_recv_callback(callbacks, on_data);
    nghttp2_session_callbacks_set_on_frame_recv_callback(callbacks, on_frame);
    nghttp2_session_server_new(&session_, callbacks, this);
    nghttp2_session_callbacks_del(callbacks);
    const nghttp2_settings_entry window{NGHTTP2_SETTINGS_INITIAL_WINDOW_SIZE, peer.window};
    nghttp2_submit_settings(session_, NGHTTP2_FLAG_NONE, &window, 1);
  }
  ~PeerConnection() override { nghttp2_session_del(session_); }
  PeerConnection(const PeerConnection&) = delete;
  PeerConnection& operator=(const PeerConnection&) = delete;

  Result<size_t> read(char* out, size_t n, int64_t) override {
    if (closed_ && !raw_) return size_t{0};
    if (!raw_) {
      const uint8_t* bytes = nullptr;
      for (ssize_t more = 0; (more = nghttp2_session_mem_send(session_, &bytes)) > 0;)
        to_client_.append(reinterpret_cast<const char*>(bytes), static_cast<size_t>(more));
    }
    const size_t count = std::min({n, to_client_.size(), size_t{1000}});
    if (count == 0) {
      if (closed_) return size_t{0};
      return Error{Code::deadline_exceeded, "the peer says nothing", {}, {}, {}};
    }
    std::copy_n(to_client_.data(), count, out);
    to_client_.erase(0, count);
    return count;
  }
  Status write(std::string_view data, int64_t) override {
    if (closed_) return Status(Code::unavailable, "the peer is gone");
    if (raw_) return {};
    const ssize_t taken = nghttp2_session_mem_recv(
        session_, reinterpret_cast<const uint8_t*>(data.data()), data.size());
    return taken < 0 ? Status(Code::io_error, nghttp2_strerror(static_cast<int>(taken))) : Status();
  }

 private:
  static PeerConnection& self(void* user) { return *static_cast<PeerConnection*>(user); }
  static int on_header(nghttp2_session*, const nghttp2_frame*, const uint8_t* name, size_t n,
                       const uint8_t* value, size_t m, uint8_t, void* user) {
    self(user).request_.headers[std::string(reinterpret_cast<const char*>(name), n)] =
        std::string(reinterpret_cast<const char*>(value), m);
    return 0;
  }
  static int on_data(nghttp2_session*, uint8_t, int32_t, const uint8_t* data, size_t n,
                     void* user) {
    self(user).request_.body.append(reinterpret_cast<const char*>(data), n);
    return 0;
  }
  static int on_frame(nghttp2_session*, const nghttp2_frame* frame, void* user) {
    PeerConnection& peer = self(user);
    const bool last = (frame->hd.flags & NGHTTP2_FLAG_END_STREAM) != 0;
    if (frame->hd.type == NGHTTP2_HEADERS) {
      peer.answer_ = peer.peer_.next();
      if (peer.answer_.early) peer.reply(frame->hd.stream_id);
    }
    if (!last || (frame->hd.type != NGHTTP2_DATA && frame->hd.type != NGHTTP2_HEADERS)) return 0;
    peer.peer_.requests.push_back(std::exchange(peer.request_, {}));
    if (!peer.answer_.early) peer.reply(frame->hd.stream_id);
    return 0;
  }

  static std::vector<nghttp2_nv> fields_of(const Fields& fields) {
    std::vector<nghttp2_nv> out;
    const auto bytes = [](const std::string& text) {
      return const_cast<uint8_t*>(reinterpret_cast<const uint8_t*>(text.data()));
    };
    for (const auto& [name, value] : fields) {
      out.push_back({bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE});
    }
    return out;
  }

  void reply(int32_t stream) {
    if (answer_.raw) {
      to_client_ += *answer_.raw;
      raw_ = closed_ = true;
      return;
    }
    if (answer_.silent) return;
    if (answer_.close) {
      closed_ = true;
      return;
    }
    if (answer_.goaway || answer_.goaway_after) {
      nghttp2_submit_goaway(session_, NGHTTP2_FLAG_NONE, answer_.goaway ? stream - 2 : stream,
                            NGHTTP2_NO_ERROR, nullptr, 0);
      if (answer_.goaway) return;
    }
    if (answer_.reset) {
      nghttp2_submit_rst_stream(session_, NGHTTP2_FLAG_NONE, stream, *answer_.reset);
      return;
    }
    Fields headers = answer_.headers;
    if (answer_.headers_only) {
      if (answer_.trailers)
        headers.insert(headers.end(), answer_.trailers->begin(), answer_.trailers->end());
      const auto fields = fields_of(headers);
      nghttp2_submit_response(session_, stream, fields.data(), fields.size(), nullptr);
      return;
    }
    nghttp2_data_provider provider{};
    provider.source.ptr = this;
    provider.read_callback = on_read;
    const auto fields = fields_of(headers);
    nghttp2_submit_response(session_, stream, fields.data(), fields.size(), &provider);
  }
  static ssize_t on_read(nghttp2_session* session, int32_t stream, uint8_t* out, size_t n,
                         uint32_t* flags, nghttp2_data_source* source, void*) {
    PeerConnection& peer = self(source->ptr);
    const size_t count = std::min(n, peer.answer_.body.size());
    std::copy_n(peer.answer_.body.data(), count, reinterpret_cast<char*>(out));
    peer.answer_.body.erase(0, count);
    if (!peer.answer_.body.empty()) return static_cast<ssize_t>(count);
    *flags |= NGHTTP2_DATA_FLAG_EOF;
    if (peer.answer_.trailers) {
      *flags |= NGHTTP2_DATA_FLAG_NO_END_STREAM;
      const auto fields = fields_of(*peer.answer_.trailers);
      nghttp2_submit_trailer(session, stream, fields.data(), fields.size());
    }
    return static_cast<ssize_t>(count);
  }

  Peer& peer_;
  nghttp2_session* session_ = nullptr;
  std::string to_client_;
  PeerRequest request_;
  PeerAnswer answer_;
  bool raw_ = false, closed_ = false;
};

class PeerNetwork : public Network {
 public:
  explicit PeerNetwork(Peer& peer) : peer_(peer) {}
  Result<std::unique_ptr<Connection>> connect(const Endpoint&, int64_t) override {
    if (peer_.refuses) return Error{Code::unavailable, "nobody listens there", {}, {}, {}};
    ++peer_.connections;
    return std::unique_ptr<Connection>(std::make_unique<PeerConnection>(peer_));
  }

 private:
  Peer& peer_;
};

}  // namespace contextcore::net::test
