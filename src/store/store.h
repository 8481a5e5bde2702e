#pragma once
// The embedded store: durable, columnar, revisioned, readable by many processes (docs/store.md).
//
// One sequencer per store: a frame is a transaction; nothing is decided after it is appended; every
// query sees one snapshot; identity is (tenant, trace, span, kind) and the latest revision is the
// span. Start reading here, then sequencer.h (write path), wal.h, head.h, manifest.h, snapshot.h.
//
// Thread-safe. Several processes may have one store open: writers take turns under LOCK, readers
// never lock.

#include <cstdint>
#include <functional>
#include <map>
#include <memory>
#include <optional>
#include <string>
#include <string_view>

#include "base/clock.h"
#include "base/executor.h"
#include "base/file_system.h"
#include "base/latency.h"
#include "base/random.h"
#include "base/result.h"
#include "store/fetch.h"
#include "store/journal.h"

namespace contextcore::otlp {
struct MetricsData;
struct RemoteWriteRequest;
}  // namespace contextcore::otlp

namespace contextcore::store {

class MetricSource;

enum class Durability : uint8_t {
  sync,      // fdatasync before the acknowledgement, shared by all who wait
  interval,  // within 100 ms
};

enum class StoreMode : uint8_t {
  embedded,   // takes the lock for each write only
  server,     // holds the lock for life; caller writes the SERVER file with announce_server()
  read_only,  // never locks, never writes
};

// What received metrics may be; more is refused (series alone, requests as a whole).
struct MetricLimits {
  size_t series_max = 150'000;  // of a tenant in the head, that is since the last cut
  size_t labels_max = 64;       // of a series, __name__ included
  size_t label_name_bytes_max = 1024;
  size_t label_value_bytes_max = 2048;
  size_t samples_max = 1'000'000;  // of a request
  size_t tenants_max = 1000;
  size_t tenant_bytes_max = 150;
};

// How long received data is kept after its time; 0: for ever. What the journal wrote always stays.
struct Retention {
  int64_t spans_ns = 0, logs_ns = 0, metrics_ns = 0;
  auto operator<=>(const Retention&) const = default;
};

// What holds for one tenant instead of what holds for all.
struct TenantLimits {
  std::optional<int64_t> retention_spans_ns, retention_logs_ns;
  std::optional<uint64_t> ingest_rate_bytes;
  std::optional<double> head_share;
};
using TenantLimitsByName = std::map<std::string, TenantLimits, std::less<>>;

// From which transaction on somebody outside still wants what was received, such as who hands it on;
// as made: nobody wants any.
struct ArrivalsWanted {
  uint64_t spans = UINT64_MAX, logs = UINT64_MAX;
};

struct StoreOptions {
  std::string path;
  StoreMode mode = StoreMode::embedded;
  Durability durability = Durability::sync;
  bool create = true;  // make it when absent; else not_found
  int64_t lock_wait_ns = 5'000'000'000;
  int64_t group_commit_window_ns = 0;   // extra wait for company; the sync itself groups already
  uint64_t head_rows_max = 256 * 1024;  // cut above these
  uint64_t head_bytes_max = 64ull << 20;
  int64_t head_age_max_ns = 15ll * 60 * 1'000'000'000;
  // Of a server: segments are made by threads of the store, and telemetry is refused
  // (resource_exhausted) when these are a whole head behind. Else by whoever writes.
  bool background = false;
  Retention retention;  // of a server with background
  bool drops_expired = true;  // false: retention only says which tenants' data may share files
  // Asked before retention drops segments; those with rows of wanted transactions stay. Called by
  // threads of the store and must not call it. Empty: nobody wants any.
  std::function<ArrivalsWanted()> arrivals_wanted;
  uint64_t ingest_rate_bytes = 0;  // of telemetry a second and tenant, 0: any; more is refused
  // Of a head that waits for files of the one before: how much of it a tenant may fill.
  double head_share = 1;
  TenantLimitsByName tenants;  // of those that differ
  uint64_t embedded_wal_bytes_max = 1ull << 20;  // an embedded writer cuts above these
  uint64_t embedded_wal_rows_max = 2000;
  MetricLimits metric_limits;
  WorkHooks hooks;
  FileSystem* file_system = nullptr;  // defaults: the real ones
  Clock* clock = nullptr;
  Random* random = nullptr;
  std::function<std::unique_ptr<Executor>()> make_executor;  // for syncs in the background
};

// Received metrics at one state, by tenant. Thread-safe.
class ReceivedMetrics {
 public:
  virtual ~ReceivedMetrics() = default;
  // "" is the default tenant. A tenant that nobody has written for has no series.
  virtual std::shared_ptr<const MetricSource> tenant(std::string_view name) const = 0;
};

struct IngestResult {
  int64_t accepted = 0;
  int64_t rejected = 0;
  // Why some were rejected, or what to know of kept ones: OTLP partial success.
  std::string message;
  bool duplicate = false;  // the whole request was seen before and is not written again
};

// Who serves a store, as written in its SERVER file.
struct ServerInfo {
  std::string address;      // "127.0.0.1:4319"
  std::string unix_socket;  // path
  int64_t pid = 0;
  std::string boot_id;
  std::string token;  // random; proves that the answering process is the one that wrote the file
};

struct StoreStats {
  bool writable = false;
  uint64_t sequence = 0, visible_sequence = 0;
  uint64_t head_span_rows = 0, head_log_rows = 0, wal_bytes = 0;
  uint64_t wal_unsynced_bytes = 0, writers_waiting = 0;
  LatencyCounts wal_sync;     // of the log's fdatasync
  LatencyCounts commit_wait;  // from appending a frame until it is durable and visible
  uint64_t frozen_rows = 0;   // of a head that a cut is making files of
  uint64_t segments = 0, segment_bytes = 0, span_rows = 0, log_rows = 0, masked_rows = 0,
           work_rows = 0;
  uint64_t head_metric_samples = 0, head_metric_series = 0, metric_samples = 0;
  uint64_t tenants = 0;  // with the default one
  uint64_t frames = 0, syncs = 0, cuts = 0, duplicates = 0, rejected = 0, throttled = 0;
  uint64_t masks = 0;                                    // segments with rows that are hidden
  uint64_t compaction_segments = 0, compaction_rows = 0;  // that had better be merged now
  uint64_t cache_bytes = 0, cache_bytes_max = 0, cache_hits = 0, cache_misses = 0;
  uint64_t compactions = 0, compacted_rows = 0, expired_rows = 0;
  uint64_t held_segments = 0;           // older than they are kept, and still wanted (ArrivalsWanted)
  uint64_t cut_bytes = 0, compacted_bytes = 0;  // written as segments
};

class Store : public Journal {
 public:
  // Errors: unavailable (locked by another server, network file system), corruption, io_error,
  // not_found.
  static Result<std::unique_ptr<Store>> open(StoreOptions options);
  ~Store() override = default;

  // One OTLP request, already decoded; `body` are the bytes as received (protobuf) or "" to have
  // the store encode them. Durable when it returns. REQUIRES: body, when given, decodes to data.
  // Errors: resource_exhausted (a full disk, a quota, or more than the store can keep up with: the
  // same request may succeed later), unavailable, invalid_argument (what no try will make right,
  // such as a request beyond the limits).
  // tenant: whose it is ("" is the default one); failed_precondition: that is one tenant too many.
  virtual Result<IngestResult> ingest(const otlp::TracesData& data, std::string_view body,
                                      std::string_view tenant = {}) = 0;
  // The same of a body that nobody has decoded yet; invalid_argument: it is no such request.
  virtual Result<IngestResult> ingest_traces(std::string_view body, std::string_view tenant = {}) = 0;
  virtual Result<IngestResult> ingest(const otlp::LogsData& data, std::string_view body,
                                      std::string_view tenant = {}) = 0;
  // accepted and rejected count data points here, samples there.
  virtual Result<IngestResult> ingest(const otlp::MetricsData& data, std::string_view body,
                                      std::string_view tenant) = 0;
  // body: the protobuf message, not compressed.
  virtual Result<IngestResult> ingest(const otlp::RemoteWriteRequest& request, std::string_view body,
                                      std::string_view tenant) = 0;

  Result<CommitResult> commit(const std::string& command_id, const WorkPlan& plan) override = 0;

  // The state visible now, for queries and for work reads (the same state, both ways).
  struct Read {
    std::shared_ptr<const Source> source;  // of the tenants that were asked for
    std::shared_ptr<const WorkView> work;
    std::shared_ptr<const ReceivedMetrics> metrics;
    uint64_t sequence = 0;  // of the last transaction that is visible in it
  };
  // tenants: as X-Scope-OrgID names them (tenant.h); a source of one that nobody has written for has
  // nothing. invalid_argument: they are no names.
  virtual Result<Read> read(std::string_view tenants = {}) = 0;

  // Makes segments of the head (see store.md 2). No-op when there is nothing to cut.
  virtual Status cut() = 0;
  // Merges segments until none had better be merged, and drops what is too old. Blocks the caller,
  // and nobody else; no-op where segments are merged by whoever writes. unavailable: closed meanwhile
  virtual Status compact() = 0;
  // Replaces every journal-owned span by what `spans` says (a rebuild from the log) and adds the
  // forwards of traces that were left, in one transaction.
  virtual Status replace_spans(
      std::vector<JournalSpan> spans,
      std::vector<std::pair<otlp::TraceId, otlp::TraceId>> forwards = {}) = 0;

  virtual Status announce_server(const ServerInfo& info) = 0;
  virtual StoreStats stats() const = 0;
  virtual const std::string& store_id() const = 0;  // random, made with the store (hex)
  virtual const std::string& path() const = 0;
  // Waits for running commits, syncs, releases the lock, removes SERVER. Later calls: unavailable.
  virtual Status close() = 0;
};

// The source of other tenants at the same state; tenants and errors: as Store::read().
Result<std::shared_ptr<const Source>> source_of(const Store::Read& read, std::string_view tenants);

// The live server of a store, or nullopt (no file, other boot, dead pid). No lock taken.
Result<std::optional<ServerInfo>> find_server(FileSystem& files, Clock& clock,
                                              const std::string& path);

}  // namespace contextcore::store
