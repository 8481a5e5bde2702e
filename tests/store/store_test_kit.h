#pragma once
// What the tests of the store share: a simulated machine with a store in it, small work hooks
// (index rows from span attributes), and short ways to write and to look.

#include <gtest/gtest.h>

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#include "base/clock.h"
#include "base/executor.h"
#include "base/random.h"
#include "base/sim_file_system.h"
#include "otlp/model.h"
#include "otlp/protobuf.h"
#include "otlp/remote_write.h"
#include "store/metric_source.h"
#include "store/store.h"

namespace contextcore::store::test {

inline constexpr const char* kPath = "/data/store";
inline constexpr int64_t kSecondNs = 1'000'000'000;

// Numbered ids, so that tests can speak of "span 3 of trace 1".
otlp::TraceId trace_id(uint32_t number);
otlp::SpanId span_id(uint32_t number);

WorkHooks small_hooks();

// Runs nothing of what it is given: a server's files are made and merged when a test says so, not beside it.
std::unique_ptr<Executor> idle_executor();

// A machine; destroying a store object opened on it without close() is not a crash, kill() is.
class Machine {
 public:
  explicit Machine(uint64_t seed = 1);
  StoreOptions options(SimFileSystem& process, StoreMode mode = StoreMode::embedded);
  // A new process; its FileSystem lives as long as the machine.
  SimFileSystem& process();
  std::unique_ptr<Store> open(StoreMode mode = StoreMode::embedded);
  std::unique_ptr<Store> open(const StoreOptions& options);
  void power_failure(uint64_t seed);

  ManualClock clock;
  SeededRandom random;
  SimDisk disk;

 private:
  std::vector<std::unique_ptr<SimFileSystem>> processes_;
  int boots_ = 1;
};

// ---- work: a task is span N in trace N ----
JournalSpan task_span(uint32_t number, const std::string& title);
JournalEvent task_event(uint32_t number, const std::string& name, const std::string& text);
// Creates the task, with an event.
WorkPlan create_task(uint32_t number, const std::string& title);
// Sets attributes of an existing task in a new revision, with an event.
WorkPlan edit_task(uint32_t number, const std::string& key, const std::string& value);
// The event only.
WorkPlan comment(uint32_t number, const std::string& text);
// Sets "holder" if there is none; conflict otherwise.
WorkPlan claim_task(uint32_t number, const std::string& who);

// ---- received ----
otlp::TracesData one_span(uint32_t trace, uint32_t span, const std::string& name,
                          uint64_t start_ns = 1000, uint64_t end_ns = 2000);
// A span that claims to be task 1's, and one of the same trace that may come.
otlp::TracesData half_forged();
otlp::LogsData one_log(const std::string& service, uint64_t time_ns, const std::string& line);

// name{host="…"} with one sample.
otlp::RemoteWriteRequest one_sample(const std::string& name, const std::string& host, int64_t time_ms,
                                    double value);

// Under sanitizers, where a crash at every operation takes minutes, CONTEXTCORE_CRASH_STEP=n leaves
// it at every nth; different seeds take different ones.
uint64_t crash_step();

// ---- looking ----
// Every series of a tenant in the range, as lines "labels time=value …", sorted.
std::string metrics(Store& store, const std::string& tenant = "", int64_t start_ms = INT64_MIN,
                    int64_t end_ms = INT64_MAX);
std::shared_ptr<const Source> source(Store& store);
std::shared_ptr<const WorkView> work(Store& store);
std::string attribute(const otlp::Span& span, const std::string& key);
// The task's stored revision.
JournalSpan task(Store& store, uint32_t number);
// Bodies of all log lines, oldest first.
std::vector<std::string> lines(const Source& source);
// "trace/name" of every span of every trace that fetch gives, in its order.
std::vector<std::string> span_names(const Source& source, const FetchRequest& request = {});
// Everything that readers can see, as text: for comparisons.
std::string dump(Store& store);

}  // namespace contextcore::store::test
