// What queries answer when a file has a damaged page: the right rows, or an error that names the file.
// Never other rows, never a crash.

#include <map>

#include "store/store_test_kit.h"

namespace contextcore::store::test {
namespace {

constexpr uint32_t kTasks = 6, kSpans = 20;

std::string error_text(const Error& error) { return "error " + std::to_string(static_cast<int>(error.code)) + " " + error.message; }

std::string traces_text(Result<std::unique_ptr<TraceIterator>> traces, const FetchRequest& request) {
  std::string text;
  for (;;) {
    if (!traces.ok()) return error_text(traces.error());
    const auto view = (*traces)->next();
    if (!view.ok()) return error_text(view.error());
    if (*view == nullptr) return text;
    text += otlp::to_hex((*view)->trace_id());
    for (size_t span = 0; span < (*view)->span_count(); ++span) {
      const SpanCore& core = (*view)->core(span);
      text += " " + otlp::to_hex(core.span_id) + " " + std::string(core.name) + " " + std::to_string(core.start_ns) + " " +
              std::to_string(core.end_ns);
      for (size_t column = 0; column < request.columns.size(); ++column) text += " " + std::string((*view)->cell(span, column).string);
    }
    text += "\n";
  }
}

// Answers by name of the question.
std::map<std::string, std::string> ask(Store& store) {
  std::map<std::string, std::string> answers;
  const auto read = store.read();
  if (!read.ok()) return {{"read", error_text(read.error())}};
  const Source& source = *read->source;
  FetchRequest all;
  all.columns = {{ColumnScope::span, "task.title"}, {ColumnScope::resource, "service.name"}};
  FetchRequest named = all;
  named.conditions = {{SpanField::name, {}, Op::equal, {std::string("GET /7")}}};
  FetchRequest titled = all;
  titled.conditions = {{SpanField::attribute, {ColumnScope::span, "task.title"}, Op::exists, {}}};
  FetchRequest late = all;
  late.range.start_ns = 2500;
  answers["spans of a name"] = traces_text(source.fetch_spans(named), named);
  answers["spans with an attribute"] = traces_text(source.fetch_spans(titled), titled);
  answers["all spans"] = traces_text(source.fetch_spans(all), all);
  answers["spans of a range"] = traces_text(source.fetch_spans(late), late);
  answers["traces of a name"] = traces_text(source.fetch(named), named);
  answers["traces with an attribute"] = traces_text(source.fetch(titled), titled);
  answers["traces of a range"] = traces_text(source.fetch(late), late);
  answers["all traces"] = traces_text(source.fetch(all), all);
  for (const uint32_t number : {3U, 101U}) {
    const auto trace = source.trace(trace_id(number));
    answers["trace " + std::to_string(number)] =
        !trace.ok() ? error_text(trace.error()) : !*trace ? "none" : otlp::encode_protobuf(**trace);
  }
  const auto span = read->work->span(span_id(2));
  answers["span"] = !span.ok() ? error_text(span.error()) : !*span ? "none" : attribute((*span)->span, "task.title");
  const auto events = read->work->events(span_id(2));
  answers["events"] = events.ok() ? std::to_string(events->size()) : error_text(events.error());
  for (const char* needle : {"", "line 3"}) {
    LogFetchRequest request;
    if (*needle != 0) request.line_contains = {needle};
    std::string text;
    auto entries = source.fetch_logs(request);
    for (LogEntry entry;;) {
      const auto more = entries.ok() ? (*entries)->next(entry) : Result<bool>(entries.error());
      if (!more.ok()) text = error_text(more.error());
      if (!more.ok() || !*more) break;
      const bool passes = entry.line.find(needle) != std::string_view::npos;  // a superset may come
      if (passes) text += std::to_string(entry.time_ns) + " " + std::string(entry.line) + "\n";
    }
    answers["lines with '" + std::string(needle) + "'"] = text;
  }
  const auto columns = source.attributes({});
  std::string names;
  if (columns.ok()) {
    for (const Column& column : *columns) names += column.key + "\n";
  }
  answers["attributes"] = columns.ok() ? names : error_text(columns.error());
  std::string values;
  const Status status = source.values({}, SpanField::name, {}, [&](const Cell& cell) {
    values += std::string(cell.string) + "\n";
    return true;
  });
  answers["names"] = status.ok() ? values : error_text(status.error());
  return answers;
}

// In segments.
void fill(Store& store) {
  for (uint32_t i = 1; i <= kTasks; ++i) ASSERT_TRUE(store.commit("", create_task(i, "task " + std::to_string(i))).ok());
  for (uint32_t i = 1; i <= kSpans; ++i) {
    ASSERT_TRUE(store.ingest(one_span(100 + i / 3, 1000 + i, "GET /" + std::to_string(i), 1000 + 100 * i, 1500 + 100 * i), {}).ok());
    const std::string text = "line " + std::to_string(i);
    ASSERT_TRUE(store.ingest(one_log("shop", 1000 + i, i % 2 == 0 ? text : "{\"text\":\"" + text + "\",\"n\":" + std::to_string(i) + "}"), {}).ok());
  }
  ASSERT_TRUE(store.cut().ok());
}

TEST(Damage, QueriesGiveTheRightRowsOrAnErrorThatNamesTheFile) {
  Machine machine;
  auto store = machine.open();
  fill(*store);
  ASSERT_TRUE(store->close().ok());
  const auto whole = ask(*machine.open(StoreMode::read_only));
  for (const auto& [question, answer] : whole) {
    ASSERT_FALSE(answer.empty()) << question;
    ASSERT_NE(answer.substr(0, 5), "error") << question << ": " << answer;
  }
  size_t errors = 0, answers = 0;
  const std::string data = std::string(kPath) + "/data/";
  const auto names = machine.process().list(data);
  for (const std::string& name : *names) {
    if (!name.ends_with(".spans") && !name.ends_with(".logs") && !name.ends_with(".work")) continue;
    const uint64_t size = machine.process().stat(data + name)->size;
    for (uint64_t offset = 0; offset < size; offset += 11 * crash_step()) {
      machine.disk.flip_bits(data + name, offset, 0x40);
      auto opened = Store::open(machine.options(machine.process(), StoreMode::read_only));
      if (!opened.ok()) {
        // A damaged version number is that of a format that is not known.
        EXPECT_TRUE(opened.error().code == Code::corruption || opened.error().code == Code::unsupported)
            << opened.error().message;
        EXPECT_NE(opened.error().message.find(name), std::string::npos) << opened.error().message;
      } else {
        for (const auto& [question, answer] : ask(**opened)) {
          if (answer == whole.at(question)) {
            ++answers;
            continue;
          }
          ++errors;
          EXPECT_EQ(answer.substr(0, 5), "error") << name << " byte " << offset << ", " << question << ": " << answer;
          if (answer.substr(0, 5) == "error") {
            EXPECT_NE(answer.find(name), std::string::npos) << question << ": " << answer;
          }
        }
      }
      if (opened.ok()) opened->reset();
      machine.disk.flip_bits(data + name, offset, 0x40);
    }
  }
  EXPECT_GT(errors, 300 / crash_step());
  EXPECT_GT(answers, errors) << "what does not need the page is answered";
}

// ---- reads that fail, of files that are sound

// The read with this number, from 0, fails; fired: it came to it.
void fail_read(Machine& machine, uint64_t number, bool& fired) {
  fired = false;
  machine.disk.set_injector([&fired, number, seen = uint64_t{0}](const SimCall& call) mutable {
    SimFate fate;
    if (call.op == SimOp::read && seen++ == number) {
      fate.fault = SimFault::io_error;
      fired = true;
    }
    return fate;
  });
}

TEST(ReadFailures, OneIsToldToWhoAskedAndTriedAgainForTheNext) {
  for (const StoreMode mode : {StoreMode::read_only, StoreMode::embedded, StoreMode::server}) {
    Machine machine;
    {
      auto store = machine.open();
      fill(*store);
    }
    const auto whole = ask(*machine.open(StoreMode::read_only));
    size_t failed = 0;
    bool fired = true;
    for (uint64_t number = 0; fired; number += crash_step()) {
      auto store = machine.open(machine.options(machine.process(), mode));  // has nothing in the cache
      fail_read(machine, number, fired);
      const auto first = ask(*store);
      machine.disk.set_injector(nullptr);
      for (const auto& [question, answer] : first) {
        if (question != "read" && answer == whole.at(question)) continue;
        ++failed;
        EXPECT_EQ(answer.substr(0, 5), "error") << "read " << number << ", " << question << ": " << answer;
      }
      const auto next = ask(*store);
      EXPECT_EQ(next, whole) << "read " << number;
    }
    EXPECT_GT(failed, 20 / crash_step());
  }
}

// Who has a snapshot that lacks rows goes on hearing it: they could otherwise be taken for none.
TEST(ReadFailures, OneStaysWithTheSnapshotThatMetIt) {
  Machine machine;
  {
    auto store = machine.open();
    fill(*store);
  }
  auto store = machine.open(StoreMode::server);
  const FetchRequest all;
  for (uint64_t number = 0;; ++number) {
    const auto read = store->read();
    ASSERT_TRUE(read.ok());
    bool fired = false;
    fail_read(machine, number, fired);
    const std::string first = traces_text(read->source->fetch(all), all);
    machine.disk.set_injector(nullptr);
    ASSERT_TRUE(fired) << "no read makes the rows of a segment fail";
    if (first.substr(0, 5) != "error") continue;
    // Not every error is one of rows: that of a page that gives its own is not kept.
    const std::string again = traces_text(read->source->fetch(all), all);
    if (again.substr(0, 5) != "error") continue;
    EXPECT_EQ(again, first);
    EXPECT_NE(traces_text(store->read()->source->fetch(all), all).substr(0, 5), "error");
    EXPECT_EQ(traces_text(read->source->fetch(all), all), first);
    return;
  }
}

TEST(ReadFailures, OneStopsNoWriterForLong) {
  for (const bool server : {false, true}) {
    bool fired = true;
    for (uint64_t number = 0; fired; number += crash_step()) {
      Machine machine;
      {
        auto store = machine.open();
        fill(*store);
      }
      StoreOptions options = machine.options(machine.process(), server ? StoreMode::server : StoreMode::embedded);
      options.background = server;
      auto store = machine.open(options);
      const auto write = [&](const std::string& value) {
        bool all = store->commit("", edit_task(2, "value", value)).ok();
        all = store->ingest(one_span(101, 1003, "again " + value, 1300, 1800), {}).ok() && all;
        all = store->ingest(one_log("shop", 5000, "new " + value), {}).ok() && all;
        all = store->cut().ok() && all;
        return store->compact().ok() && all;
      };
      fail_read(machine, number, fired);
      write("first");
      machine.disk.set_injector(nullptr);
      EXPECT_TRUE(write("second")) << "read " << number << (server ? ", a server" : "");
      EXPECT_EQ(attribute(task(*store, 2).span, "value"), "second");
      const std::string all = dump(*store);
      store.reset();
      EXPECT_EQ(dump(*machine.open()), all);
    }
  }
}

}  // namespace
}  // namespace contextcore::store::test
