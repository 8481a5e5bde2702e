#pragma once
// nghttp2's C in our types, for the client and the server of HTTP/2. Included by their .cpp only.

#include <nghttp2/nghttp2.h>

#include <cstdint>
#include <string_view>

namespace contextcore::net {

struct FreeSession {
  void operator()(nghttp2_session* session) const { nghttp2_session_del(session); }
};
struct FreeCallbacks {
  void operator()(nghttp2_session_callbacks* callbacks) const {
    nghttp2_session_callbacks_del(callbacks);
  }
};
struct FreeOption {
  void operator()(nghttp2_option* option) const { nghttp2_option_del(option); }
};

inline std::string_view text_of(const uint8_t* bytes, size_t n) {
  return {reinterpret_cast<const char*>(bytes), n};
}

// nghttp2 copies what it is given, and takes it as not const.
inline nghttp2_nv field_of(std::string_view name, std::string_view value) {
  const auto bytes = [](std::string_view text) {
    return const_cast<uint8_t*>(reinterpret_cast<const uint8_t*>(text.data()));
  };
  return {bytes(name), bytes(value), name.size(), value.size(), NGHTTP2_NV_FLAG_NONE};
}

}  // namespace contextcore::net
