// Remote-write as a sender meets it.

#include "otlp/remote_write.h"

#include <gtest/gtest.h>

#include "api/service_kit.h"
#include "otlp/snappy.h"

namespace contextcore::api {
namespace {

class RemoteWriteTest : public ServiceTest {
 protected:
  Response write(const otlp::RemoteWriteRequest& request, Pairs headers = {}) {
    headers.emplace_back("content-type", "application/x-protobuf");
    headers.emplace_back("content-encoding", "snappy");
    headers.emplace_back("x-prometheus-remote-write-version", "0.1.0");
    return send("POST", "/api/v1/write", otlp::encode_remote_write_body(request), headers);
  }
  std::string value(const std::string& query, int64_t seconds, Pairs headers = {}) {
    const Response response =
        send("GET", "/prometheus/api/v1/query?query=" + query + "&time=" + std::to_string(seconds),
             "", headers);
    EXPECT_EQ(response.status, 200) << response.body;
    const size_t at = response.body.find("\"value\":");
    return at == std::string::npos ? ""
                                   : response.body.substr(at, response.body.find(']', at) + 1 - at);
  }
};

otlp::RemoteWriteRequest up(int64_t seconds, double value) {
  otlp::RemoteWriteRequest request;
  request.series.push_back({{{"__name__", "up"}, {"job", "x"}}, {{value, seconds * 1000}}, 0, 0});
  return request;
}

TEST_F(RemoteWriteTest, StoresAnswers204AndIsAsked) {
  const Response response = write(up(100, 1));
  EXPECT_EQ(response.status, 204);
  EXPECT_EQ(response.body, "");
  EXPECT_EQ(value("up", 110), R"("value":[110,"1"])");
  EXPECT_EQ(value("up", 90), "") << "before it";
  EXPECT_EQ(write(up(50, 7)).status, 204) << "older than what is there";
  EXPECT_EQ(value("up", 90), R"("value":[90,"7"])");
  EXPECT_EQ(write(up(100, 1)).status, 204) << "again";
}

TEST_F(RemoteWriteTest, TenantsAreApart) {
  EXPECT_EQ(write(up(100, 1), {{"x-scope-orgid", "blue"}}).status, 204);
  EXPECT_EQ(value("up", 110), "");
  EXPECT_EQ(value("up", 110, {{"x-scope-orgid", "blue"}}), R"("value":[110,"1"])");
  const Response bad = write(up(100, 1), {{"x-scope-orgid", "a b"}});
  EXPECT_EQ(bad.status, 400);
  EXPECT_EQ(bad.body, "tenant ID 'a b' contains unsupported characters");
}

TEST_F(RemoteWriteTest, WhatIsRefusedIsSaidAndTheRestIsStored) {
  otlp::RemoteWriteRequest request = up(100, 3);
  request.series.push_back({{{"job", "nameless"}}, {{1, 1}}, 0, 0});
  request.series.push_back({{{"__name__", "task_wip"}}, {{1, 1}}, 0, 0});
  // And h with two native histograms, which the encoder does not write.
  using namespace std::string_literals;
  const std::string histograms = "\x0a\x13\x0a\x0d\x0a\x08__name__\x12\x01h\x22\x00\x22\x00"s;
  const Response response =
      send("POST", "/api/v1/write",
           otlp::snappy_compress(otlp::encode_remote_write(request) + histograms),
           {{"content-encoding", "snappy"}});
  EXPECT_EQ(response.status, 400);
  EXPECT_NE(response.body.find("received a series that has no name: {job=\"nameless\"}"),
            std::string::npos)
      << response.body;
  EXPECT_NE(response.body.find("task_wip belongs to a view"), std::string::npos) << response.body;
  EXPECT_NE(response.body.find("native histograms are not yet supported: h{}"), std::string::npos)
      << response.body;
  EXPECT_NE(response.body.find("(4 samples refused, 1 stored)"), std::string::npos)
      << response.body;
  EXPECT_EQ(value("up", 110), R"("value":[110,"3"])");
}

TEST_F(RemoteWriteTest, ABlockThatIsTooLargeIsRefused) {
  const Response response =
      send("POST", "/api/v1/write", otlp::snappy_compress(std::string(17 << 20, 'a')),
           {{"content-encoding", "snappy"}});
  EXPECT_EQ(response.status, 413) << response.body;
}

}  // namespace
}  // namespace contextcore::api
