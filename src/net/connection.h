#pragma once
// One connection of HTTP/1.1: wait → header → guard → body → worker → answer → wait. All of it on
// the I/O thread but the worker's part.

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <set>
#include <string>

#include "base/executor.h"
#include "net/server.h"

namespace contextcore::net {

// A connection of any protocol, as the server sees it. It closes itself, and keeps itself alive by
// its pending operations.
class OpenConnection {
 public:
  virtual ~OpenConnection() = default;
  // Takes nothing new, and closes once it has answered; at once when nothing is being answered.
  virtual void begin_stop() = 0;
  virtual void close() = 0;
};

// What connections share. Used on the I/O thread only.
struct Shared {
  boost::asio::io_context& io;
  api::Service& service;
  Executor& workers;
  Executor& query_workers;
  const ServerOptions& options;
  std::set<OpenConnection*> connections;
  uint64_t bodies_bytes = 0;
  size_t requests = 0;  // waiting for or on a worker, of both kinds
  size_t queries = 0;   // of them
  size_t streams = 0;
  bool stopping = false;
  std::function<void()> on_last_connection;  // when stopping and the set gets empty

  void begin_request(bool query) {
    ++requests;
    queries += query ? 1 : 0;
    service.set_load({requests, queries});
  }
  void end_request(bool query) {
    --requests;
    queries -= query ? 1 : 0;
    service.set_load({requests, queries});
  }
};

// Takes the socket over. HTTP/1.1.
void serve_connection(Shared& shared, boost::asio::generic::stream_protocol::socket socket,
                      std::string peer, bool trusted, bool otlp_only);
// The same for gRPC (grpc_connection.cpp).
void serve_grpc_connection(Shared& shared, boost::asio::generic::stream_protocol::socket socket,
                           std::string peer);

}  // namespace contextcore::net
