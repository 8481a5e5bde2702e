#include "base/json.h"

#include <gtest/gtest.h>

#include <cmath>
#include <cstring>
#include <fstream>
#include <limits>

#include "base/random.h"

namespace contextcore {
namespace {

Json parsed(std::string_view text) {
  Result<Json> result = parse_json(text);
  EXPECT_TRUE(result.ok()) << text << ": " << (result.ok() ? "" : result.error().message);
  return result.ok() ? *result : Json("parse failed");
}

std::string written(double value) {
  std::string out;
  JsonWriter(out).number(value);
  return out;
}

TEST(JsonReader, KeepsOrderDuplicatesAndKinds) {
  const Json json = parsed(R"( {"b":1,"a":[true,false,null,"x"],"b":2.5,"":{}} )");
  const JsonObject& object = *json.as_object();
  ASSERT_EQ(object.size(), 4U);
  EXPECT_EQ(object[0].first, "b");
  EXPECT_EQ(object[1].first, "a");
  EXPECT_EQ(object[2].first, "b");
  EXPECT_EQ(*json.find("b"), Json(1));  // the first of that name
  EXPECT_EQ(object[2].second, Json(2.5));
  EXPECT_EQ(*json.find("a"), Json(JsonArray{true, false, nullptr, "x"}));
  EXPECT_EQ(*json.find(""), Json(JsonObject()));
  EXPECT_EQ(json.find("c"), nullptr);
  EXPECT_EQ(Json(3).find("c"), nullptr);
}

TEST(JsonReader, DistinguishesIntegersFromDoubles) {
  EXPECT_EQ(parsed("0"), Json(0));
  EXPECT_EQ(parsed("9223372036854775807"), Json(std::numeric_limits<int64_t>::max()));
  EXPECT_EQ(parsed("-9223372036854775808"), Json(std::numeric_limits<int64_t>::min()));
  EXPECT_EQ(parsed("9223372036854775808"), Json(uint64_t{9223372036854775808U}));
  EXPECT_EQ(parsed("18446744073709551615"), Json(std::numeric_limits<uint64_t>::max()));
  EXPECT_EQ(parsed("18446744073709551616"), Json(18446744073709551616.0));
  EXPECT_EQ(parsed("-9223372036854775809"), Json(-9223372036854775808.0));
  EXPECT_EQ(parsed("1.0"), Json(1.0));
  EXPECT_EQ(parsed("1e2"), Json(100.0));
  const Json minus_zero = parsed("-0");
  ASSERT_TRUE(std::holds_alternative<double>(minus_zero.data));
  EXPECT_TRUE(std::signbit(minus_zero.number()));
}

TEST(JsonReader, DoublesAreExactToTheLastBit) {
  EXPECT_EQ(parsed("0.1").number(), 0.1);
  EXPECT_EQ(parsed("1.7976931348623157e308").number(), std::numeric_limits<double>::max());
  EXPECT_EQ(parsed("5e-324").number(), std::numeric_limits<double>::denorm_min());
  EXPECT_EQ(parsed("2.2250738585072011e-308").number(), 2.2250738585072011e-308);
  EXPECT_EQ(parsed("9007199254740993.0").number(), 9007199254740992.0);  // tie goes to even
  EXPECT_EQ(parsed("0." + std::string(400, '0') + "1e401").number(), 1.0);
}

TEST(JsonReader, TooSmallIsZeroAndTooLargeIsAnError) {
  for (const char* text : {"1e-400", "0.0001e-99999999999999999999", "123e-4000"}) {
    EXPECT_EQ(parsed(text), Json(0.0)) << text;
  }
  EXPECT_TRUE(std::signbit(parsed("-1e-400").number()));
  for (const std::string& text : {std::string("1e309"), std::string("-1e400"),
                                  std::string("[1e999999999]"), "1" + std::string(400, '0')}) {
    const Result<Json> result = parse_json(text);
    ASSERT_FALSE(result.ok()) << text;
    EXPECT_EQ(result.error().code, Code::invalid_argument);
  }
}

TEST(JsonReader, DecodesEscapes) {
  EXPECT_EQ(parsed(R"("\"\\\/\b\f\n\r\t\u0041\u00e9\u20ac\ud83d\ude00")"),
            Json("\"\\/\b\f\n\r\tA\xc3\xa9\xe2\x82\xac\xf0\x9f\x98\x80"));
  EXPECT_EQ(parsed("\"a\\u0000b\""), Json(std::string("a\0b", 3)));
}

TEST(JsonReader, RefusesWhatRfc8259DoesNotAllow) {
  struct Case {
    std::string text;
    int64_t position;
  };
  const Case cases[] = {
      {"", 0},
      {"   ", 3},
      {"{", 1},
      {"[1,]", 3},
      {"{\"a\":1,}", 7},
      {"[1 2]", 3},
      {"{a:1}", 1},
      {"'a'", 0},
      {"nul", 3},
      {"True", 0},
      {"01", 1},
      {"1.", 2},
      {".5", 0},
      {"+1", 0},
      {"1e", 2},
      {"-", 1},
      {"NaN", 0},
      {"Infinity", 0},
      {"\"\t\"", 1},
      {"\"\\x\"", 1},
      {"\"\\ud800\"", 1},
      {"\"abc", 4},
      {"1 2", 2},
      {"{} x", 3},
      {"// c\n1", 0},
      {"\xef\xbb\xbf{}", 0},
      {std::string("1\0", 2), 1},
      {std::string("[1]\0[2]", 7), 3},
      {"\"\xff\"", 1},
      {"[\"a\",\"\xc0\xaf\"]", 6},
      {"\"\xed\xa0\x80\"", 1},
  };
  for (const Case& test : cases) {
    const Result<Json> result = parse_json(test.text);
    ASSERT_FALSE(result.ok()) << test.text;
    EXPECT_EQ(result.error().code, Code::invalid_argument);
    ASSERT_TRUE(result.error().position.has_value());
    EXPECT_EQ(*result.error().position, test.position)
        << test.text << ": " << result.error().message;
  }
}

TEST(JsonReader, BoundsTheDepth) {
  const auto nested = [](int depth) {
    return std::string(static_cast<size_t>(depth), '[') +
           std::string(static_cast<size_t>(depth), ']');
  };
  EXPECT_TRUE(parse_json(nested(64)).ok());
  EXPECT_FALSE(parse_json(nested(65)).ok());
  EXPECT_FALSE(parse_json("[]", 0).ok());
  EXPECT_TRUE(parse_json("1", 0).ok());
  // Neither the reader nor what it built may recurse without a bound.
  EXPECT_FALSE(parse_json(std::string(5'000'000, '['), 1'000'000'000).ok());
  EXPECT_FALSE(parse_json(nested(1'001), 1'000'000'000).ok());
  EXPECT_TRUE(parse_json(nested(1'000), 1'000'000'000).ok());
  std::string objects;
  for (int i = 0; i < 65; ++i) objects += "{\"a\":";
  const Result<Json> deep = parse_json(objects + "1" + std::string(65, '}'));
  ASSERT_FALSE(deep.ok());
  EXPECT_NE(deep.error().message.find("64"), std::string::npos) << deep.error().message;
}

TEST(JsonValue, TypedAccess) {
  const Json json = parsed(R"({"s":"x","n":7,"u":18446744073709551615,"d":0.5,"b":true})");
  EXPECT_EQ(json.string_or("s", "other"), "x");
  EXPECT_EQ(json.string_or("n", "other"), "other");
  EXPECT_EQ(json.string_or("missing"), "");
  EXPECT_EQ(json.find("n")->number(), 7.0);
  EXPECT_EQ(json.find("u")->number(), 18446744073709551615.0);
  EXPECT_EQ(json.find("d")->number(), 0.5);
  EXPECT_TRUE(json.find("u")->is_number());
  EXPECT_FALSE(json.find("b")->is_number());
  EXPECT_EQ(json.find("b")->number(), 0.0);
  EXPECT_EQ(json.find("u")->as_int(), nullptr);
}

TEST(JsonWriter, PutsCommas) {
  std::string out;
  JsonWriter json(out);
  json.begin_object();
  json.field("a", 1);
  json.key("b");
  json.begin_array();
  json.begin_object();
  json.end_object();
  json.begin_array();
  json.end_array();
  json.number(int64_t{-5});
  json.number(std::numeric_limits<uint64_t>::max());
  json.boolean(false);
  json.null();
  json.raw("{\"raw\":1}");
  json.string("s");
  json.end_array();
  json.field("c", "text");
  json.field("d", 0.5);
  json.field("e", true);
  json.key("f");
  json.value(Json(JsonObject{{"x", JsonArray{1, "y"}}, {"z", nullptr}}));
  json.end_object();
  EXPECT_EQ(out,
            R"({"a":1,"b":[{},[],-5,18446744073709551615,false,null,{"raw":1},"s"],"c":"text",)"
            R"("d":0.5,"e":true,"f":{"x":[1,"y"],"z":null}})");
  EXPECT_TRUE(parse_json(out).ok());
}

TEST(JsonWriter, LaysOutDoublesAsJavaScriptDoes) {
  const std::pair<double, const char*> cases[] = {
      {0.0, "0"},
      {-0.0, "-0"},
      {1.0, "1"},
      {-1.5, "-1.5"},
      {0.1, "0.1"},
      {100.0, "100"},
      {123456.789, "123456.789"},
      {1e20, "100000000000000000000"},
      {123456789012345680000.0, "123456789012345680000"},
      {1e21, "1e+21"},
      {1.5e300, "1.5e+300"},
      {0.000001, "0.000001"},
      {0.0000015, "0.0000015"},
      {1e-7, "1e-7"},
      {1.25e-7, "1.25e-7"},
      {5e-324, "5e-324"},
      {1.7976931348623157e308, "1.7976931348623157e+308"},
      {0.1 + 0.2, "0.30000000000000004"},
  };
  for (const auto& [value, text] : cases) EXPECT_EQ(written(value), text);
  EXPECT_EQ(written(std::numeric_limits<double>::quiet_NaN()), "null");
  EXPECT_EQ(written(std::numeric_limits<double>::infinity()), "null");
  EXPECT_EQ(written(-std::numeric_limits<double>::infinity()), "null");
}

TEST(JsonWriter, RandomDoublesReadBackTheSame) {
  SeededRandom random(11);
  for (int i = 0; i < 20'000; ++i) {
    const uint64_t bits = random.next_u64();
    double value = 0;
    std::memcpy(&value, &bits, sizeof value);
    if (!std::isfinite(value)) continue;
    EXPECT_EQ(parsed(written(value)).number(), value);
  }
}

TEST(JsonWriter, EscapesStrings) {
  std::string out;
  append_json_string(std::string_view("q\" b\\ s/ \b\f\n\r\t\x01\x1f\x7f\0 \xc3\xa9", 21), out);
  EXPECT_EQ(out, "\"q\\\" b\\\\ s/ \\b\\f\\n\\r\\t\\u0001\\u001f\\u007f\\u0000 \xc3\xa9\"");
  out.clear();
  append_json_string("a\xff\xe2\x82z", out);
  EXPECT_EQ(out, "\"a\xef\xbf\xbd\xef\xbf\xbdz\"");
}

TEST(JsonWriter, EveryByteReadsBack) {
  std::string all;
  for (int c = 0; c < 128; ++c) all += static_cast<char>(c);
  std::string out;
  append_json_string(all, out);
  EXPECT_EQ(parsed(out), Json(all));
}

TEST(JsonText, PrettyPrints) {
  const Json json = parsed(R"({"a":[1,{"b":[]}],"c":{},"d":"x"})");
  EXPECT_EQ(to_string(json), R"({"a":[1,{"b":[]}],"c":{},"d":"x"})");
  EXPECT_EQ(to_string(json, 2),
            "{\n  \"a\": [\n    1,\n    {\n      \"b\": []\n    }\n  ],\n  \"c\": {},\n"
            "  \"d\": \"x\"\n}");
  EXPECT_EQ(to_string(Json("x"), 2), "\"x\"");
}

// A random tree: deep and wide enough to meet every branch, small enough to be quick.
Json random_tree(SeededRandom& random, int depth) {
  switch (random.below(depth > 0 ? 8 : 6)) {
    case 0:
      return nullptr;
    case 1:
      return random.below(2) == 1;
    case 2:
      return static_cast<int64_t>(random.next_u64());
    case 3:
      return random.next_u64() | (uint64_t{1} << 63);
    case 4:
      return static_cast<double>(random.below(1'000'000)) + 0.5;
    case 5: {
      std::string text;
      for (uint64_t n = random.below(12); n > 0; --n) {
        text += static_cast<char>(random.below(128));
      }
      return text;
    }
    case 6: {
      JsonArray array;
      for (uint64_t n = random.below(5); n > 0; --n)
        array.push_back(random_tree(random, depth - 1));
      return array;
    }
    default: {
      JsonObject object;
      for (uint64_t n = random.below(5); n > 0; --n) {
        object.emplace_back(std::to_string(random.below(4)), random_tree(random, depth - 1));
      }
      return object;
    }
  }
}

TEST(JsonText, RandomTreesSurviveWritingAndReading) {
  SeededRandom random(5);
  for (int i = 0; i < 2000; ++i) {
    const Json tree = random_tree(random, 6);
    EXPECT_EQ(parsed(to_string(tree)), tree);
    EXPECT_EQ(parsed(to_string(tree, 3)), tree);
  }
}

TEST(JsonReader, DamagedTextNeverCrashes) {
  SeededRandom random(6);
  for (int i = 0; i < 5000; ++i) {
    std::string text = to_string(random_tree(random, 5));
    for (uint64_t n = 1 + random.below(3); n > 0; --n) {
      text[random.below(text.size())] = static_cast<char>(random.below(256));
    }
    text.resize(random.below(text.size() + 1));
    const Result<Json> result = parse_json(text);
    if (result.ok()) {
      EXPECT_EQ(parsed(to_string(*result)).data.index(), result->data.index());
    } else {
      EXPECT_LE(*result.error().position, static_cast<int64_t>(text.size()));
    }
  }
}

}  // namespace
}  // namespace contextcore
