// The worked examples of docs/store-format.md: a segment of one span and a log of one frame, byte by
// byte. What stands there is what the code writes. To renew them after a change of a format:
// CONTEXTCORE_RENEW_EXAMPLES=1 test_store --gtest_filter='FormatExample*'

#include <fmt/format.h>

#include <cstdlib>

#include "store/column_value.h"
#include "store/frame.h"
#include "store/rows_spans.h"
#include "store/segment_reader.h"
#include "store/store_test_kit.h"
#include "store/wal.h"

namespace contextcore::store::test {
namespace {

constexpr size_t kPerLine = 16;

// Names pieces of bytes, front to back, and prints them.
class Listing {
 public:
  explicit Listing(std::string_view bytes) : bytes_(bytes) {}

  std::string_view next(size_t length, const std::string& name) {
    const std::string_view piece = bytes_.substr(at_, length);
    for (size_t i = 0; i < piece.size() || i == 0; i += kPerLine) {
      std::string hex;
      for (const char byte : piece.substr(i, kPerLine)) hex += fmt::format("{:02x} ", static_cast<uint8_t>(byte));
      text_ += fmt::format("{:04x}  {:<48} {}", at_ + i, hex, i == 0 ? name : "");
      text_.erase(text_.find_last_not_of(' ') + 1);
      text_ += "\n";
    }
    at_ += length;
    return piece;
  }
  uint64_t varint(const std::string& name) {
    ByteReader reader(bytes_.substr(at_));
    const uint64_t value = reader.varint();
    next(bytes_.size() - at_ - reader.rest().size(), fmt::format("{}: {}", name, value));
    return value;
  }
  int64_t svarint(const std::string& name) {
    ByteReader reader(bytes_.substr(at_));
    const int64_t value = reader.signed_varint();
    next(bytes_.size() - at_ - reader.rest().size(), fmt::format("{}: {}", name, value));
    return value;
  }
  uint8_t u8(const std::string& name) {
    const auto value = static_cast<uint8_t>(bytes_[at_]);
    next(1, fmt::format("{}: {}", name, value));
    return value;
  }
  std::string string(const std::string& name) {
    ByteReader reader(bytes_.substr(at_));
    const std::string value(reader.string());
    next(bytes_.size() - at_ - reader.rest().size(), fmt::format("{}: \"{}\"", name, value));
    return value;
  }
  // A page entry on one line.
  void entry(const std::string& name) {
    ByteReader reader(bytes_.substr(at_));
    const uint8_t flags = reader.u8();
    const uint64_t offset = reader.varint(), stored = reader.varint();
    if ((flags & 1) != 0) reader.varint();
    reader.u64();
    std::string zone;
    if ((flags & 2) != 0) {
      const int64_t least = reader.signed_varint();
      zone = fmt::format(", {} to {}", least, reader.signed_varint());
    }
    next(bytes_.size() - at_ - reader.rest().size(), fmt::format("{}: at {:04x}, {} bytes{}", name, offset, stored, zone));
  }
  size_t at() const { return at_; }
  bool done() const { return at_ == bytes_.size(); }
  const std::string& text() const { return text_; }

 private:
  std::string_view bytes_;
  size_t at_ = 0;
  std::string text_;
};

otlp::TracesData example() {
  otlp::TracesData data = one_span(1, 2, "GET /cart", 1'000, 1'750);
  data.resource_spans[0].scope_spans[0].spans[0].attributes = {{"http.route", otlp::Value(std::string("/cart"))}};
  return data;
}

void list_footer(const SegmentFooter& footer, Listing& list) {
  list.u8("footer: kind");
  list.varint("rows");
  for (uint64_t left = list.varint("attributes"); left > 0; --left) {
    list.u8("  table");
    list.u8("  type");
    list.string("  key");
  }
  list.varint("row groups");
  for (const char* table : {"spans", "events", "links"}) list.varint(std::string("  ") + table);
  for (const char* zone : {"least start", "greatest start", "greatest end", "greatest duration", "open"}) {
    list.svarint(std::string("  ") + zone);
  }
  for (uint64_t left = list.varint("  fixed pages"); left > 0; --left) {
    const uint8_t column = list.u8("  column");
    list.entry(std::string("    ") + fixed_column(footer.kind, column).name);
  }
  for (const char* table : {"span", "event", "link"}) {
    for (uint64_t left = list.varint(fmt::format("  {} attribute pages", table)); left > 0; --left) {
      list.varint("  attribute");
      list.entry("    page");
    }
  }
  for (const char* blocks : {"resources", "scopes"}) {
    for (uint64_t left = list.varint(std::string(blocks) + ", blocks"); left > 0; --left) {
      list.varint("  items");
      list.entry("  block");
    }
  }
  EXPECT_EQ(list.varint("streams"), 0U);
  for (uint64_t left = list.varint("index, pages of the directory"); left > 0; --left) {
    list.varint("  items");
    list.next(16, "  first key");
    list.entry("  page");
  }
  EXPECT_EQ(list.varint("whole rows, pages of the directory"), 0U);
}

std::string segment_listing() {
  Machine machine;
  SimFileSystem& files = machine.process();
  const otlp::TracesData data = example();
  auto rows = SpanBuilder::make();
  const auto& spans = data.resource_spans[0];
  rows->append(std::make_shared<otlp::Resource>(spans.resource), std::make_shared<otlp::Scope>(spans.scope_spans[0].scope),
               spans.scope_spans[0].spans[0], {7, 0, false});
  const std::string path = "/example.spans";
  EXPECT_TRUE(write_span_segment(files, path, {{rows.get(), 0}}).ok());
  const std::string bytes = *files.read_file(path);
  const auto file = *SegmentFile::open(files, path, SegmentKind::spans);
  const SegmentFooter& footer = file->footer();

  Listing list(bytes);
  list.next(8, "magic: CCSEGMT");
  list.next(4, "version");
  list.next(4, "kind: spans");
  const GroupEntry& group = footer.groups.at(0);
  for (const auto& page : group.fixed) {
    EXPECT_EQ(page.page.offset, list.at());
    list.next(page.page.stored, fmt::format("page: {}", fixed_column(footer.kind, page.column).name));
  }
  for (const auto& page : group.attributes[0]) {
    EXPECT_EQ(page.page.offset, list.at());
    list.next(page.page.stored, "page: attribute " + footer.attributes[page.attribute].key);
  }
  list.next(footer.resources.at(0).page.stored, "resources, block 0");
  list.next(footer.scopes.at(0).page.stored, "scopes, block 0");
  list.next((*file->index_page(0))->at(0).page.stored, "index, block 0: trace id, first row, rows");
  list.next(footer.index.pages.at(0).page.stored, "directory of the index: entry of block 0");

  list_footer(footer, list);
  list.next(8, "trailer: checksum of the footer");
  list.next(8, "length of the footer");
  list.next(4, "version");
  list.next(8, "magic");
  EXPECT_TRUE(list.done());
  return list.text();
}

std::string log_listing() {
  Machine machine;
  SimFileSystem& files = machine.process();
  const std::string store_id = "0123456789abcdef0123456789abcdef";
  const auto wal = *WalFile::create(files, "/1.wal", 1, store_id);
  const std::string body = otlp::encode_protobuf(example());
  Frame frame;
  frame.epoch = 1;
  frame.sequence = 7;
  frame.parts = {{PartSignal::traces, PartEncoding::otlp_protobuf, body}};
  std::string bytes;
  const WalPosition start = wal->start(6);
  EXPECT_TRUE(append_frame(frame, start.seed, bytes).ok());
  EXPECT_TRUE(wal->write(start.offset, bytes).ok());
  const std::string log = files.read_file("/1.wal")->substr(0, start.offset + bytes.size());
  Listing list(log);
  list.next(8, "magic: ctxcwal1");
  list.next(8, "epoch: 1");
  list.next(8, "XXH3 of the store id");
  list.next(8, "XXH3 of these 24 bytes");
  list.next(4, fmt::format("frame: length {}", bytes.size()));
  list.next(2, "format");
  list.next(2, "parts: 1");
  list.next(8, "epoch: 1");
  list.next(8, "sequence: 7");
  list.next(4, "tenant: the default one");
  list.next(4, "reserved");
  list.next(1, "part: signal 1, traces");
  list.next(1, "encoding 1, OTLP protobuf");
  list.next(4, fmt::format("length: {}", body.size()));
  list.next(body.size(), "the request as received");
  list.next(8, "checksum, seeded with that of what is before");
  EXPECT_TRUE(list.done());
  return list.text();
}

void check_document(const std::string& name, const std::string& listing) {
  FileSystem& files = real_file_system();
  const std::string path = std::string(CONTEXTCORE_SOURCE_DIR) + "/docs/store-format.md";
  std::string document = *files.read_file(path);
  const std::string begin = "<!-- example: " + name + " -->\n```\n", end = "```\n<!-- end of example -->";
  const size_t from = document.find(begin);
  ASSERT_NE(from, std::string::npos) << name;
  const size_t to = document.find(end, from);
  ASSERT_NE(to, std::string::npos) << name;
  if (std::getenv("CONTEXTCORE_RENEW_EXAMPLES") != nullptr) {
    document.replace(from + begin.size(), to - from - begin.size(), listing);
    ASSERT_TRUE(files.write_file_atomically(path, document).ok());
    return;
  }
  EXPECT_EQ(document.substr(from + begin.size(), to - from - begin.size()), listing);
}

TEST(FormatExample, TheSegmentOfTheDocumentIsWhatIsWritten) { check_document("segment", segment_listing()); }
TEST(FormatExample, TheLogOfTheDocumentIsWhatIsWritten) { check_document("log", log_listing()); }

}  // namespace
}  // namespace contextcore::store::test
