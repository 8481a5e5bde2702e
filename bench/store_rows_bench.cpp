// Appending spans, matching predicates, materializing rows, and single rows of a small segment. A scan's bounds: a dictionary's
// codes are a byte a row here, integers are eight; neither can be read faster than memory gives them.
//   store_rows_bench [rows, default 262144]

#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "base/sim_file_system.h"
#include "store/rows.h"

namespace {

using namespace contextcore;
using namespace contextcore::store;

struct Data {
  std::vector<std::shared_ptr<const otlp::Resource>> resources;
  std::shared_ptr<const otlp::Scope> scope = std::make_shared<otlp::Scope>();
  std::vector<otlp::Span> spans;
};

Data make_spans(size_t count) {
  Data data;
  SeededRandom random(1);
  for (int i = 0; i < 8; ++i) {
    otlp::Resource resource;
    resource.attributes = {{"service.name", "service-" + std::to_string(i)}, {"host.name", "host"}};
    data.resources.push_back(std::make_shared<const otlp::Resource>(std::move(resource)));
  }
  for (size_t i = 0; i < count; ++i) {
    otlp::Span span;
    const uint64_t trace = i / 20;
    for (size_t b = 0; b < 8; ++b)
      span.trace_id.bytes[b] = static_cast<uint8_t>((trace * 0x9E3779B97F4A7C15ull) >> (8 * b));
    random.fill(span.span_id.bytes.data(), 8);
    if (i % 20 != 0) random.fill(span.parent_span_id.bytes.data(), 8);
    span.name = "operation " + std::to_string(random.below(30));
    span.kind = static_cast<otlp::SpanKind>(1 + random.below(3));
    span.start_ns = 1'700'000'000'000'000'000 + i * 1'000'000;
    span.end_ns = span.start_ns + random.below(50'000'000);
    span.attributes = {
        {"http.method", random.below(3) == 0 ? "POST" : "GET"},
        {"http.status_code", static_cast<int64_t>(random.below(20) == 0 ? 500 : 200)},
        {"http.url", "https://example.com/items/" + std::to_string(random.below(2000))},
        {"net.peer.name", "peer-" + std::to_string(random.below(10))},
        {"thread.id", static_cast<int64_t>(random.below(64))},
        {"cache.hit", random.below(2) == 0}};
    data.spans.push_back(std::move(span));
  }
  return data;
}

template <typename Fn>
double seconds(const Fn& fn) {
  const int64_t begin = real_clock().monotonic_ns();
  fn();
  return static_cast<double>(real_clock().monotonic_ns() - begin) / 1e9;
}

void report(const char* what, double rows, double time) {
  std::printf("%-44s %10.3f us/row %10.1f M rows/s\n", what, time / rows * 1e6, rows / time / 1e6);
}

void match(const SpanRows& rows, const char* what, const Condition& condition) {
  size_t found = 0;
  if (!rows.match(condition).ok()) std::exit(1);  // also warms the cache
  constexpr int kRounds = 20;
  const double time = seconds([&] {
    for (int i = 0; i < kRounds; ++i) found += rows.match(condition)->count();
  });
  report(what, static_cast<double>(rows.size()) * kRounds, time);
  if (found == 0) std::printf("  (nothing found)\n");
}

Condition condition_on(const char* key, Op op, Operand operand) {
  Condition condition;
  condition.column.key = key;
  condition.op = op;
  condition.operands = {std::move(operand)};
  return condition;
}

// Each round opens the file anew, so that every page is read, checked and decoded.
void match_cold(FileSystem& files, const char* what, const Condition& condition, size_t rows) {
  constexpr int kRounds = 10;
  double time = 0;
  for (int i = 0; i < kRounds; ++i) {
    const auto segment = open_span_segment(files, "/spans").value_or(nullptr);
    if (segment == nullptr) std::exit(1);
    time += seconds([&] {
      if (segment->match(condition)->count() == 0) std::exit(1);
    });
  }
  report(what, static_cast<double>(rows) * kRounds, time);
}

// With every tenth row superseded.
void match_masked(const SpanRows& rows, const char* what, const Condition& condition) {
  RowSet mask(rows.size());
  for (size_t row = 0; row < rows.size(); row += 10) mask.set(row);
  constexpr int kRounds = 20;
  size_t found = 0;
  const double time = seconds([&] {
    for (int i = 0; i < kRounds; ++i) {
      auto matched = rows.match(condition);
      matched->subtract(mask);
      found += matched->count();
    }
  });
  report(what, static_cast<double>(rows.size()) * kRounds, time);
  if (found == 0) std::printf("  (nothing found)\n");
}

void report_bounds() {
  constexpr size_t kBytes = 256 << 20;
  const std::vector<uint64_t> memory(kBytes / 8, 1);
  uint64_t sum = 0;
  const double time = seconds([&] {
    for (const uint64_t word : memory) sum += word;
  });
  if (sum != memory.size()) std::exit(1);
  report("bound: memory read, a byte a row", kBytes, time);
  report("bound: memory read, eight bytes a row", kBytes / 8, time);
}

void match_all(const SpanRows& rows, const std::string& where) {
  match(rows, (where + ": string equality").c_str(), condition_on("http.method", Op::equal, std::string("POST")));
  match(rows, (where + ": regex, 2000 distinct").c_str(), condition_on("http.url", Op::regex, std::string(".*/items/1.*")));
  Condition condition = condition_on("http.status_code", Op::greater_equal, int64_t{500});
  match(rows, (where + ": integer comparison").c_str(), condition);
  condition.field = SpanField::duration;
  condition.operands = {int64_t{49'000'000}};
  match(rows, (where + ": duration").c_str(), condition);
}

}  // namespace

int main(int argc, char** argv) {
  const size_t count = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 262144;
  const Data data = make_spans(count);
  const auto rows = static_cast<double>(count);
  auto builder = SpanBuilder::make();
  report("append", rows, seconds([&] {
           for (size_t i = 0; i < count; ++i) {
             builder->append(data.resources[i / 64 % 8], data.scope, data.spans[i], {i, 0, false});
           }
         }));
  std::printf("%-44s %10.1f bytes/row\n", "memory",
              static_cast<double>(builder->memory_bytes()) / rows);
  match_all(*builder, "builder");
  report("builder: materialize", rows, seconds([&] {
           for (size_t i = 0; i < count; ++i) (void)builder->materialize(i);
         }));
  SimDisk disk;
  const auto files = disk.start_process();
  std::vector<RowRef<SpanRows>> refs;
  for (uint32_t i = 0; i < count; ++i) refs.push_back({builder.get(), i});
  report("write segment", rows, seconds([&] {
           if (!write_span_segment(*files, "/spans", refs).ok()) std::exit(1);
         }));
  std::printf("%-44s %10.1f bytes/row\n", "segment",
              static_cast<double>(files->stat("/spans")->size) / rows);
  std::unique_ptr<SpanRows> segment;
  std::printf(
      "%-44s %10.1f us\n", "open segment",
      seconds([&] { segment = open_span_segment(*files, "/spans").value_or(nullptr); }) * 1e6);
  if (segment == nullptr) return 1;
  report_bounds();
  match_all(*segment, "segment");
  const Condition dictionary = condition_on("http.method", Op::equal, std::string("POST"));
  const Condition integer = condition_on("http.status_code", Op::greater_equal, int64_t{500});
  match_masked(*segment, "segment, 10 % masked: string equality", dictionary);
  match_masked(*segment, "segment, 10 % masked: integer comparison", integer);
  match_cold(*files, "segment, cold: string equality", dictionary, count);
  match_cold(*files, "segment, cold: integer comparison", integer, count);
  report("segment: materialize", rows, seconds([&] {
           for (size_t i = 0; i < count; ++i) (void)segment->materialize(i);
         }));
  refs.resize(std::min<size_t>(count, 10'000));
  if (!write_span_segment(*files, "/small", refs).ok()) return 1;
  for (int i = 0; i < 3; ++i) {
    std::printf("%-44s %10.1f us\n", "open 10k rows, read one by trace",
                seconds([&] {
                  const auto small = open_span_segment(*files, "/small").value_or(nullptr);
                  const auto found = small->rows_of_trace(data.spans[4321].trace_id);
                  if (!found.ok() || found->empty() || !small->materialize(found->back()).ok())
                    std::exit(1);
                }) * 1e6);
  }
  return 0;
}
