// Views of spans say what the models say: of requests, of data, of single spans, and of attributes in
// every form that the wire allows.

#include "otlp/span_view.h"

#include <gtest/gtest.h>

#include <string>
#include <vector>

#include "base/random.h"
#include "otlp/random_telemetry.h"

namespace contextcore::otlp {
namespace {

std::string field(char key, std::string_view bytes) {
  std::string out(1, key);
  size_t length = bytes.size();
  for (; length >= 0x80; length >>= 7) out += static_cast<char>(length | 0x80);
  out += static_cast<char>(length);
  return out.append(bytes);
}

// A span reads its attributes in place where it can; a log record decodes them all.
void expect_as_in_a_record(const std::string& attribute) {
  const auto span = decode_span_protobuf(field('\x4A', attribute));
  const auto record = decode_log_record_protobuf(field('\x32', attribute));
  ASSERT_EQ(span.ok(), record.ok());
  if (!span.ok()) return;
  EXPECT_EQ(span->attributes, record->attributes);
}

TEST(SpanView, AttributesOfEveryForm) {
  using namespace std::string_literals;
  const std::string key = field('\x0A', "some.key");
  const std::string text = field('\x0A', "some text"), integer = "\x18\x05"s, yes = "\x10\x01"s;
  const std::vector<std::string> attributes = {
      key + field('\x12', text),
      key + field('\x12', integer),
      key + field('\x12', "\x18\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"s),
      key + field('\x12', "\x18\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x02"s),
      key + field('\x12', "\x18\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\xFF\x01"s),
      key + field('\x12', "\x18\x85"s),
      key + field('\x12', "\x18\x85\x80\x00"s),
      key + field('\x12', yes),
      key + field('\x12', "\x10\x80\x00"s),
      key + field('\x12', "\x10"s),
      key + field('\x12', "\x21" + std::string(8, '\x7F')),
      key + field('\x12', "\x21" + std::string(7, '\x7F')),
      key + field('\x12', "\x21" + std::string(9, '\x7F')),
      key + field('\x12', ""),
      key,
      "",
      field('\x12', text),
      field('\x12', text) + key,
      key + key + field('\x12', text),
      key + field('\x12', text) + field('\x12', integer),
      key + field('\x12', text + integer),
      key + field('\x12', integer + text),
      key + field('\x12', text) + "\x18\x01"s,
      field('\x0A', "") + field('\x12', text),
      field('\x0A', std::string(200, 'k')) + field('\x12', field('\x0A', std::string(127, 'v'))),
      field('\x0A', std::string(127, 'k')) + field('\x12', field('\x0A', std::string(300, 'v'))),
      field('\x0A', "key") + field('\x12', field('\x0A', std::string(20'000, 'v'))),
      field('\x0A', "bad\xFF") + field('\x12', text),
      key + field('\x12', field('\x0A', "bad\xC3")),
      key + field('\x12', field('\x0A', "gr\xC3\xBCn")),
      key + field('\x12', field('\x2A', field('\x0A', text))),
      key + field('\x12', field('\x32', field('\x0A', key + field('\x12', text)))),
      key + field('\x12', field('\x3A', "\xFF\x00"s)),
      key + "\x12\x20" + text,
      "\x0A\x83\x00" "key"s + field('\x12', text),
  };
  for (const std::string& attribute : attributes) expect_as_in_a_record(attribute);
  SeededRandom random(1);
  for (int round = 0; round < 20'000; ++round) {
    std::string changed = attributes[random.below(attributes.size())];
    if (changed.size() > 400) continue;
    for (uint64_t changes = random.below(3); changes > 0 && !changed.empty(); --changes) {
      changed[random.below(changed.size())] = static_cast<char>(random.below(256));
    }
    if (random.below(8) == 0) changed.resize(random.below(changed.size() + 1));
    expect_as_in_a_record(changed);
  }
}

TEST(SpanView, SaysWhatTheDataSay) {
  for (uint64_t seed = 1; seed <= 20; ++seed) {
    const TracesData data = test::RandomTelemetry(seed).traces();
    EXPECT_EQ(TracesView::of(data).to_data(), data);
    const std::string bytes = encode_protobuf(data);
    auto decoded = TracesView::decode(bytes);
    ASSERT_TRUE(decoded.ok()) << decoded.error().to_string();
    const TracesView moved = std::move(decoded).value();
    EXPECT_EQ(moved.to_data(), data);
    EXPECT_EQ(moved.span_count(), data.span_count());
    for (const ResourceSpans& resource : data.resource_spans) {
      for (const ScopeSpans& scope : resource.scope_spans) {
        for (const Span& span : scope.spans) EXPECT_EQ(span_of(SingleSpanView(span).view()), span);
      }
    }
  }
}

TEST(SpanView, ManySmallScopesTakeNoMoreThanTheyHold) {
  TracesData data;
  ResourceSpans& resource = data.resource_spans.emplace_back();
  for (int i = 0; i < 20'000; ++i) resource.scope_spans.emplace_back().spans.resize(1);
  const std::string bytes = encode_protobuf(data);
  const auto view = TracesView::decode(bytes);
  ASSERT_TRUE(view.ok());
  EXPECT_EQ(view->to_data(), data);
}

}  // namespace
}  // namespace contextcore::otlp
