#pragma once
// One connection's life: wait → header → guard → body → worker → answer → wait. All of it on the
// I/O thread but the worker's part.

#include <boost/asio/generic/stream_protocol.hpp>
#include <boost/asio/io_context.hpp>
#include <functional>
#include <memory>
#include <set>
#include <string>

#include "base/executor.h"
#include "net/server.h"

namespace contextcore::net {

class Connection;

// What connections share. Used on the I/O thread only.
struct Shared {
  boost::asio::io_context& io;
  api::Service& service;
  Executor& workers;
  const ServerOptions& options;
  std::set<Connection*> connections;
  uint64_t bodies_bytes = 0;
  size_t requests = 0;
  size_t streams = 0;
  bool stopping = false;
  std::function<void()> on_last_connection;  // when stopping and the set gets empty
};

// Takes the socket over; it closes itself. Keeps itself alive by its pending operations.
void serve_connection(Shared& shared, boost::asio::generic::stream_protocol::socket socket,
                      std::string peer, bool trusted, bool otlp_only);
// Closes every connection that waits for a request or has an answer without an end; others end
// after their answer.
void close_idle_connections(Shared& shared);
void close_all_connections(Shared& shared);

}  // namespace contextcore::net
