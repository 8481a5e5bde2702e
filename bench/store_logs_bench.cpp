// Log segments of JSON lines of 432 bytes: bytes a line, and what writing, writing again and reading cost. Three layouts:
// as JsonWriter has it, with one blank behind colons and commas, and one that is kept as text.
//   store_logs_bench [rows, default 262144]

#include <fmt/format.h>

#include <cstdio>
#include <cstdlib>
#include <string>

#include "base/clock.h"
#include "base/random.h"
#include "base/sim_file_system.h"
#include "store/log_parts.h"
#include "store/rows.h"

namespace {

using namespace contextcore;
using namespace contextcore::store;

enum class Layout : uint8_t { compact, spaced, text };
constexpr size_t kLineBytes = 432;

// A task event of a day: 8 projects, 32,000 tasks, 6 kinds.
std::string line_of(SeededRandom& random, size_t i, size_t count, Layout layout) {
  constexpr const char* kEvents[] = {"task.created", "task.status_changed", "task.blocked", "task.completed", "task.commented", "task.progress_updated"};
  constexpr const char* kWords[] = {"checkout", "retry", "payment", "gateway", "timeout", "cache", "search", "index", "export", "flaky", "login", "latency"};
  constexpr const char* kStatuses[] = {"backlog", "todo", "in_progress", "in_review", "blocked", "done"};
  const auto word = [&] { return kWords[random.below(std::size(kWords))]; };
  const uint64_t task = random.below(32'000), ms = i * 86'400'000 / count;
  std::string line = fmt::format(
      R"({{"ts":"2026-08-01T{:02}:{:02}:{:02}.{:03}Z","event":"{}","task_id":"CHEC-{}","task_title":"{} {} in the {} of {}",)"
      R"("task_type":"{}","priority":"{}","actor":"agent-{}","sprint_id":"sprint-{}",)"
      R"("to_status":"{}","percent_complete":{},"duration_seconds":{}.{:03},"span_id":"{:016x}","reason":"{} {}, {} again","pad":")",
      ms / 3'600'000, ms / 60'000 % 60, ms / 1000 % 60, ms % 1000, kEvents[random.below(6)], task, kWords[task % 12],
      kWords[task / 12 % 12], kWords[task / 144 % 12], kWords[task / 1728 % 12], task % 5 == 0 ? "bug" : "story",
      random.below(4) == 0 ? "high" : "medium", random.below(40), task % 26, kStatuses[random.below(6)],
      random.below(101), random.below(5000), 1 + 2 * random.below(499), random.next_u64(), word(), word(), word());
  line.append(kLineBytes - 2 - line.size(), 'x');
  line += "\"}";
  if (layout == Layout::text) line.insert(1, " ");
  if (layout != Layout::spaced) return line;
  std::string out;
  bool quoted = false;
  for (const char c : line) {
    out += c;
    if (c == '"') quoted = !quoted;
    if (!quoted && (c == ':' || c == ',')) out += ' ';
  }
  return out;
}

template <typename Fn>
double seconds(const Fn& fn) {
  const int64_t begin = real_clock().monotonic_ns();
  fn();
  return static_cast<double>(real_clock().monotonic_ns() - begin) / 1e9;
}

void report(const char* what, size_t rows, double time) {
  std::printf("  %-40s %8.3f us/line\n", what, time / static_cast<double>(rows) * 1e6);
}

// Reads every part; fn sees each batch.
template <typename Fn>
void scan(const LogRows& rows, LogProjection projection, Fn fn) {
  LogScan scan;
  scan.streams_wanted.assign(rows.streams().size(), true);
  scan.projection = &projection;
  for (size_t part = 0; part < LogParts::of(rows).parts(); ++part) {
    LogBatch batch;
    std::vector<uint32_t> streams;
    if (!LogParts::of(rows).read_part(part, scan, batch, streams).ok()) std::exit(1);
    fn(batch);
  }
}

void measure(const char* name, Layout layout, size_t count) {
  SeededRandom random(1);
  std::vector<std::shared_ptr<const otlp::Resource>> resources;
  for (int i = 0; i < 8; ++i) {
    otlp::Resource resource;
    resource.attributes = {{"service.name", "contextcore"}, {"project.id", "project-" + std::to_string(i)}};
    resources.push_back(std::make_shared<const otlp::Resource>(std::move(resource)));
  }
  const auto scope = std::make_shared<const otlp::Scope>();
  const auto builder = LogBuilder::make();
  for (size_t i = 0; i < count; ++i) {
    otlp::LogRecord record;
    record.time_ns = 1'700'000'000'000'000'000 + i * 86'400'000'000'000 / count;
    record.body = otlp::Value(line_of(random, i, count, layout));
    builder->append(resources[i % 8], scope, record, {i / 500, 0, false});
  }
  // A cut has them by stream and time.
  std::vector<RowRef<LogRows>> refs;
  for (uint32_t stream = 0; stream < 8; ++stream) {
    for (uint32_t i = stream; i < count; i += 8) refs.push_back({builder.get(), i});
  }
  SimDisk disk;
  const auto files = disk.start_process();
  std::printf("%s\n", name);
  report("write segment", count, seconds([&] {
           if (!write_log_segment(*files, "/logs", refs).ok()) std::exit(1);
         }));
  std::printf("  %-40s %8.1f bytes/line\n", "segment", static_cast<double>(files->stat("/logs")->size) / static_cast<double>(count));
  const auto segment = open_log_segment(*files, "/logs").value_or(nullptr);
  if (segment == nullptr) std::exit(1);
  for (uint32_t i = 0; i < count; ++i) refs[i] = {segment.get(), i};
  report("write it again", count, seconds([&] {
           if (!write_log_segment(*files, "/again", refs).ok()) std::exit(1);
         }));
  LogProjection lines, fields;
  lines.line = fields.fields = true;
  size_t found = 0;
  report("every line", count, seconds([&] {
           scan(*segment, lines, [&](const LogBatch& batch) { found += batch.lines.size(); });
         }));
  report("one field", count, seconds([&] {
           scan(*segment, fields, [&](const LogBatch& batch) {
             if (batch.fields != nullptr) found += (*batch.fields->column("event"))->values.size();
           });
         }));
  for (const char* needle : {"CHEC-1234", "\"CHEC-1234\""}) {
    report(needle, count, seconds([&] {
             const std::vector<bool> streams(segment->streams().size(), true);
             found += segment->match(INT64_MIN, INT64_MAX, streams, {needle})->count();
           }));
  }
  if (found == 0) std::exit(1);
}

}  // namespace

int main(int argc, char** argv) {
  const size_t count = argc > 1 ? std::strtoul(argv[1], nullptr, 10) : 262144;
  measure("as JsonWriter has it", Layout::compact, count);
  measure("with blanks", Layout::spaced, count);
  measure("kept as text", Layout::text, count);
  return 0;
}
