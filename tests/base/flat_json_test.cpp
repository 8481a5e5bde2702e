#include "base/flat_json.h"

#include <gtest/gtest.h>

namespace contextcore {
namespace {

TEST(FlatJson, WhatItReadsIsWhatTheParserReads) {
  for (const char* text : {
           "{}",
           R"({"a":"b"})",
           R"({"event":"task.created","n":1,"d":1.5,"e":-2e3,"t":true,"f":false,"z":null})",
           R"({"a":"with \"quotes\", commas and } braces","b":"\\","c":"\u00e9"})",
           R"({"a":1,"a":2,"":"empty","big":18446744073709551615,"min":-9223372036854775808,"o":-0})",
           R"({"a":"{\"b\":[1]}","long":123456789012345678901234567890})",
           R"({"a": "b", "c": [1, {"d": "]}"}], "e": {}, "f": -1})",
           R"({"a":{},"b":[[],{"c":"\"}"}],"d":[ 1 , 2 ]})",
       }) {
    const Result<Json> expected = parse_json(text);
    ASSERT_TRUE(expected.ok()) << text;
    FlatJson flat;
    ASSERT_TRUE(flat.parse(text)) << text;
    const std::optional<JsonObject> all = flat.all();
    ASSERT_TRUE(all) << text;
    EXPECT_EQ(Json(*all), *expected) << text;
    for (const auto& [name, value] : *expected->as_object()) {
      EXPECT_EQ(flat.find(name), *expected->find(name)) << text << " " << name;
    }
    EXPECT_FALSE(flat.find("nothing"));
  }
}

TEST(FlatJson, LeavesToTheParserWhatIsLaidOutOtherwise) {
  for (const char* text : {"", "{", "}", "[]", "1", R"({ "a":1})", R"({"a":1, "b":2})", R"({"a": 1,"b": 2})",
                           R"({"a":  1})", R"({"a":[})", R"({"a":{"b":"]})", R"({"a":})", R"({"a": })", R"({"a" :1})",
                           R"({"a":1} )", R"({"a":1,})", R"({"a"})", R"({"a":"b)", R"({"a":"b\"})", R"({"\u0061":1})",
                           R"({"a":1}{"b":2})", R"({"a":"b""c":1})", R"({,})"}) {
    FlatJson flat;
    EXPECT_FALSE(flat.parse(text)) << text;
    EXPECT_FALSE(flat.find("a")) << text;
  }
}

TEST(FlatJson, ATextThatIsNoValueIsSeenWhenItIsAskedFor) {
  for (const char* text : {R"({"a":})", R"({"a":01})", R"({"a":tru})", R"({"a":"\x"})", R"({"a": 1 2})", R"({"a":1e999})"}) {
    FlatJson flat;
    if (!flat.parse(text)) continue;
    EXPECT_FALSE(flat.find("a")) << text;
    EXPECT_FALSE(flat.all()) << text;
  }
}

}  // namespace
}  // namespace contextcore
