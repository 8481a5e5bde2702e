#pragma once
// The server's side of one HTTP/2 connection, with its bytes in memory: what came goes in, what is
// to be sent comes out; it knows no socket, thread or clock. What a peer can make it cost is
// bounded: streams, headers, settings, resets and pings that wait for their answers by nghttp2 and
// the limits here; bodies are handed on as they come and not kept. Not thread-safe.

#include <cstdint>
#include <memory>
#include <string>
#include <string_view>
#include <utility>
#include <vector>

#include "base/result.h"

namespace contextcore::net {

using Http2Fields = std::vector<std::pair<std::string, std::string>>;  // names lower case

struct Http2Limits {
  uint32_t streams_max = 100;           // at once; more are refused before they are looked at
  uint32_t header_bytes_max = 32 << 10; // names, values and 32 a field, as HTTP/2 counts
  int32_t window_bytes = 1 << 20;       // that a peer may send of one body ahead of our reading
  int32_t connection_window_bytes = 4 << 20;
};

class Http2Server {
 public:
  // What comes, while receive() or send() runs. Streams that were answered or reset hear no more
  // than closed().
  class Handler {
   public:
    virtual ~Handler() = default;
    virtual void header(int32_t stream, Http2Fields fields) = 0;
    virtual void data(int32_t stream, std::string_view bytes) = 0;
    virtual void end(int32_t stream) = 0;     // the request is whole
    virtual void closed(int32_t stream) = 0;  // the last word about it, whoever ended it
  };

  // The handler has to outlive it.
  static std::unique_ptr<Http2Server> make(const Http2Limits& limits, Handler& handler);
  virtual ~Http2Server() = default;

  // A peer that breaks the protocol is told by what send() gives, and that ends the connection; after
  // an error it is to be closed at once (but for what send() gives to a client of HTTP/1).
  virtual Status receive(std::string_view bytes) = 0;
  // Appends what is to be sent, more or less bytes_max of it. Nothing before something has come: it
  // may be a client of HTTP/1.
  virtual void send(std::string& out, size_t bytes_max) = 0;
  // No trailers and no body: the header ends the answer. An answer ahead of the end of its request
  // makes the peer stop sending it. A stream that is gone is passed over.
  virtual void respond(int32_t stream, const Http2Fields& header, std::string body,
                       Http2Fields trailers) = 0;

  // Says goodbye: first a notice, so that what is on its way is still taken; when the peer has seen
  // it (or finish_shutdown() is called) the last stream that is served. Repeating it does nothing.
  virtual void begin_shutdown() = 0;
  virtual void finish_shutdown() = 0;
  // Nothing more is to be read or sent.
  virtual bool ended() const = 0;
  // Streams whose request has begun and that are not closed.
  virtual size_t streams() const = 0;
  // Frames that wait to be sent: while they are many, a peer that does not read should not be read
  // from.
  virtual size_t frames_waiting() const = 0;
};

}  // namespace contextcore::net
