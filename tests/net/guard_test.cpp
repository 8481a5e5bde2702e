#include "net/guard.h"

#include <gtest/gtest.h>

namespace contextcore::net {
namespace {

api::Request request(std::string method, std::vector<std::pair<std::string, std::string>> headers) {
  api::Request out;
  out.method = std::move(method);
  out.headers = std::move(headers);
  return out;
}

int status_of(const std::optional<api::Response>& refused) { return refused ? refused->status : 0; }

TEST(Guard, reads_the_host_of_an_authority) {
  EXPECT_EQ(host_of("localhost"), "localhost");
  EXPECT_EQ(host_of("LocalHost:4319"), "localhost");
  EXPECT_EQ(host_of("[::1]:4319"), "[::1]");
  EXPECT_EQ(host_of("[::1]"), "[::1]");
  EXPECT_EQ(host_of("[::1"), "");
  EXPECT_EQ(host_of("127.0.0.1:"), "");
  EXPECT_EQ(host_of("127.0.0.1:80x"), "");
  EXPECT_EQ(host_of("127.0.0.1:80@evil.example"), "");
  EXPECT_EQ(host_of(""), "");
}

TEST(Guard, answers_to_its_own_names_only) {
  for (const char* host : {"localhost", "127.0.0.1:4319", "[::1]:1", "box.lan:4319"}) {
    EXPECT_EQ(status_of(refuse(request("GET", {{"host", host}}), {"box.lan"})), 0) << host;
  }
  for (const char* host : {"evil.example", "localhost.evil.example", "127.0.0.1.evil.example", "",
                           "localhost evil", "user@localhost"}) {
    EXPECT_EQ(status_of(refuse(request("GET", {{"host", host}}), {"box.lan"})), 403) << host;
  }
}

TEST(Guard, refuses_two_hosts_and_takes_none) {
  EXPECT_EQ(status_of(refuse(request("GET", {{"host", "localhost"}, {"host", "evil"}}), {})), 400);
  EXPECT_EQ(status_of(refuse(request("GET", {}), {})), 0);
}

TEST(Guard, keeps_pages_of_other_sites_from_changing_things) {
  auto post = [](std::string name, std::string value) {
    return status_of(refuse(request("POST", {{"host", "localhost"}, {name, value}}), {}));
  };
  EXPECT_EQ(post("origin", "http://localhost:3000"), 0);
  EXPECT_EQ(post("origin", "http://[::1]:3000"), 0);
  EXPECT_EQ(post("origin", "https://evil.example"), 403);
  EXPECT_EQ(post("origin", "null"), 403);
  EXPECT_EQ(post("sec-fetch-site", "cross-site"), 403);
  EXPECT_EQ(post("sec-fetch-site", "same-origin"), 0);
  // Reading is the browser's own same-origin rule to keep.
  EXPECT_EQ(status_of(refuse(
                request("GET", {{"host", "localhost"}, {"origin", "https://evil.example"}}), {})),
            0);
}

TEST(Guard, trusts_the_unix_socket) {
  api::Request over_unix = request("POST", {{"host", "anything"}, {"origin", "null"}});
  over_unix.trusted = true;
  EXPECT_EQ(status_of(refuse(over_unix, {})), 0);
}

}  // namespace
}  // namespace contextcore::net
