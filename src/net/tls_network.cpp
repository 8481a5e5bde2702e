#include "net/tls_network.h"

#include <openssl/err.h>
#include <openssl/ssl.h>
#include <openssl/x509v3.h>

#include <algorithm>
#include <array>
#include <utility>
#include <vector>

#include "base/clock.h"

namespace contextcore::net {
namespace {

struct FreeContext {
  void operator()(SSL_CTX* context) const { SSL_CTX_free(context); }
};
struct FreeSsl {
  void operator()(SSL* ssl) const { SSL_free(ssl); }
};
using Context = std::unique_ptr<SSL_CTX, FreeContext>;

// What OpenSSL says of the last error, and of what else it has kept for this thread.
std::string reason() {
  std::string text;
  while (const unsigned long code = ERR_get_error()) {
    std::array<char, 256> line{};
    ERR_error_string_n(code, line.data(), line.size());
    const char* words = ERR_reason_error_string(code);
    text = words != nullptr ? words : line.data();
  }
  return text.empty() ? "TLS failed" : text;
}

Error bad_file(const std::string& path, const char* what) {
  return Error{Code::invalid_argument, path + " is no " + what + ": " + reason(), {}, {}, {}};
}

class TlsConnection : public Connection {
 public:
  TlsConnection(std::unique_ptr<Connection> below, SSL* ssl)
      : below_(std::move(below)),
        ssl_(ssl),
        from_peer_(BIO_new(BIO_s_mem())),
        to_peer_(BIO_new(BIO_s_mem())) {
    SSL_set_bio(ssl, from_peer_, to_peer_);  // owned by ssl from here
  }

  Status handshake(const Endpoint& endpoint, int64_t timeout_ns) {
    const int64_t deadline_ns = real_clock().monotonic_ns() + timeout_ns;
    while (true) {
      ERR_clear_error();
      const int done = SSL_connect(ssl_.get());
      CC_TRY(flush(deadline_ns));
      if (done == 1) return {};
      if (SSL_get_error(ssl_.get(), done) != SSL_ERROR_WANT_READ) return refused(endpoint);
      CC_ASSIGN(const size_t got, fill(deadline_ns));
      if (got == 0) {
        return Status(Code::unavailable, endpoint.to_string() + " ended the TLS handshake");
      }
    }
  }

  // What both agreed on in the handshake, "" if nothing.
  std::string_view protocol() const {
    const unsigned char* name = nullptr;
    unsigned size = 0;
    SSL_get0_alpn_selected(ssl_.get(), &name, &size);
    return {reinterpret_cast<const char*>(name), size};
  }

  Result<size_t> read(char* out, size_t n, int64_t timeout_ns) override {
    const int64_t deadline_ns = real_clock().monotonic_ns() + timeout_ns;
    while (true) {
      ERR_clear_error();
      size_t got = 0;
      const int done = SSL_read_ex(ssl_.get(), out, n, &got);
      if (done == 1) return got;
      const int error = SSL_get_error(ssl_.get(), done);
      if (error == SSL_ERROR_ZERO_RETURN) return size_t{0};
      CC_TRY(flush(deadline_ns));
      if (error != SSL_ERROR_WANT_READ) return Error{Code::io_error, reason(), {}, {}, {}};
      CC_ASSIGN(const size_t more, fill(deadline_ns));
      // Cut off without a goodbye; HTTP knows by itself whether it has all.
      if (more == 0) return size_t{0};
    }
  }

  Status write(std::string_view data, int64_t timeout_ns) override {
    const int64_t deadline_ns = real_clock().monotonic_ns() + timeout_ns;
    while (!data.empty()) {
      ERR_clear_error();
      size_t put = 0;
      const std::string_view piece = data.substr(0, kPieceBytes);
      const int done = SSL_write_ex(ssl_.get(), piece.data(), piece.size(), &put);
      CC_TRY(flush(deadline_ns));
      if (done == 1) {
        data.remove_prefix(put);
        continue;
      }
      if (SSL_get_error(ssl_.get(), done) != SSL_ERROR_WANT_READ)
        return Status(Code::io_error, reason());
      CC_ASSIGN(const size_t got, fill(deadline_ns));
      if (got == 0) return Status(Code::unavailable, "the TLS connection was closed");
    }
    return {};
  }

 private:
  static constexpr size_t kPieceBytes = 16 << 10;

  Status refused(const Endpoint& endpoint) const {
    const long verified = SSL_get_verify_result(ssl_.get());
    std::string why = reason();
    if (verified != X509_V_OK) why = X509_verify_cert_error_string(verified);
    return Status(Error{Code::unavailable,
                        "TLS with " + endpoint.to_string() + ": " + why,
                        verified != X509_V_OK ? "export.certificate names whom to trust" : "",
                        {},
                        {}});
  }

  // What OpenSSL wants to say goes out.
  Status flush(int64_t deadline_ns) {
    std::array<char, kPieceBytes> bytes;
    while (true) {
      const int n = BIO_read(to_peer_, bytes.data(), static_cast<int>(bytes.size()));
      if (n <= 0) return {};
      CC_TRY(below_->write({bytes.data(), static_cast<size_t>(n)}, left(deadline_ns)));
    }
  }
  // What the peer says comes in; 0: nothing more will.
  Result<size_t> fill(int64_t deadline_ns) {
    std::array<char, kPieceBytes> bytes;
    CC_ASSIGN(const size_t got, below_->read(bytes.data(), bytes.size(), left(deadline_ns)));
    if (got > 0) BIO_write(from_peer_, bytes.data(), static_cast<int>(got));
    return got;
  }
  static int64_t left(int64_t deadline_ns) {
    return std::max<int64_t>(1, deadline_ns - real_clock().monotonic_ns());
  }

  std::unique_ptr<Connection> below_;
  std::unique_ptr<SSL, FreeSsl> ssl_;
  BIO* from_peer_;
  BIO* to_peer_;
};

class TlsNetwork : public Network {
 public:
  TlsNetwork(std::unique_ptr<Network> below, Context context, std::string protocol)
      : below_(std::move(below)), context_(std::move(context)), protocol_(std::move(protocol)) {}

  Result<std::unique_ptr<Connection>> connect(const Endpoint& endpoint,
                                              int64_t timeout_ns) override {
    CC_ASSIGN(auto plain, below_->connect(endpoint, timeout_ns));
    SSL* ssl = SSL_new(context_.get());
    if (ssl == nullptr) return Error{Code::internal, reason(), {}, {}, {}};
    auto connection = std::make_unique<TlsConnection>(std::move(plain), ssl);
    X509_VERIFY_PARAM* expected = SSL_get0_param(ssl);
    // An address stands in the certificate as one, a name is also sent along.
    if (X509_VERIFY_PARAM_set1_ip_asc(expected, endpoint.host.c_str()) != 1) {
      ERR_clear_error();
      X509_VERIFY_PARAM_set_hostflags(expected, X509_CHECK_FLAG_NO_PARTIAL_WILDCARDS);
      if (X509_VERIFY_PARAM_set1_host(expected, endpoint.host.c_str(), 0) != 1 ||
          SSL_ctrl(ssl, SSL_CTRL_SET_TLSEXT_HOSTNAME, TLSEXT_NAMETYPE_host_name,
                   const_cast<char*>(endpoint.host.c_str())) != 1) {
        return Error{Code::invalid_argument, reason(), {}, {}, {}};
      }
    }
    CC_TRY(connection->handshake(endpoint, timeout_ns));
    if (!protocol_.empty() && connection->protocol() != protocol_) {
      return Error{Code::unavailable,
                   "TLS with " + endpoint.to_string() + ": the peer does not agree to " + protocol_,
                   "the address has to be one of a gRPC receiver",
                   {},
                   {}};
    }
    return std::unique_ptr<Connection>(std::move(connection));
  }

 private:
  std::unique_ptr<Network> below_;
  Context context_;
  std::string protocol_;
};

// As it stands in the handshake: its length, and it.
Status ask_for_protocol(SSL_CTX* context, const std::string& protocol) {
  if (protocol.empty()) return {};
  std::vector<unsigned char> list{static_cast<unsigned char>(protocol.size())};
  list.insert(list.end(), protocol.begin(), protocol.end());
  if (SSL_CTX_set_alpn_protos(context, list.data(), static_cast<unsigned>(list.size())) == 0)
    return {};
  return Status(Code::internal, reason());
}

}  // namespace

Result<std::unique_ptr<Network>> make_tls_network(std::unique_ptr<Network> below,
                                                  const TlsClientOptions& options) {
  ERR_clear_error();
  Context context(SSL_CTX_new(TLS_client_method()));
  if (!context) return Error{Code::internal, reason(), {}, {}, {}};
  SSL_CTX_ctrl(context.get(), SSL_CTRL_SET_MIN_PROTO_VERSION, TLS1_2_VERSION, nullptr);
  SSL_CTX_set_verify(context.get(), SSL_VERIFY_PEER, nullptr);
  CC_TRY(ask_for_protocol(context.get(), options.protocol));
  if (options.certificate.empty()) {
    SSL_CTX_set_default_verify_paths(context.get());
  } else if (SSL_CTX_load_verify_file(context.get(), options.certificate.c_str()) != 1) {
    return bad_file(options.certificate, "file of certificates");
  }
  if (options.client_certificate.empty() != options.client_key.empty()) {
    return Error{Code::invalid_argument,
                 "a client certificate and its key go together",
                 "set export.client_certificate and export.client_key",
                 {},
                 {}};
  }
  if (!options.client_certificate.empty()) {
    if (SSL_CTX_use_certificate_chain_file(context.get(), options.client_certificate.c_str()) != 1)
      return bad_file(options.client_certificate, "certificate");
    if (SSL_CTX_use_PrivateKey_file(context.get(), options.client_key.c_str(), SSL_FILETYPE_PEM) !=
            1 ||
        SSL_CTX_check_private_key(context.get()) != 1) {
      return bad_file(options.client_key, "key of the client certificate");
    }
  }
  return std::unique_ptr<Network>(
      std::make_unique<TlsNetwork>(std::move(below), std::move(context), options.protocol));
}

}  // namespace contextcore::net
