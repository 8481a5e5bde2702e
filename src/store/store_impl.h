#pragma once
// Inside of the store (store.h is the door). One object per opened store; its parts by file:
//
//   store.cpp       opening, creating, closing, reading, statistics
//   sequencer.cpp   appending frames, group commit, turns under the lock, failing for good
//   recovery.cpp    taking in what other processes and earlier lives have written
//   store_write.cpp what is written: requests and work transactions
//   store_metrics.cpp  the same of metrics
//   store_tenants.cpp  what holds for each tenant: numbers, quotas, retention
//   store_compact.cpp  merging segments, and dropping what is too old
//   store_cut.cpp   when the head becomes segments (cut.h: how)
//
// Locks, in this order: turn_mutex_ (embedded: one thread of this process writes at a time), mutex_
// (the sequencer: everything about the log), state_mutex_ (the pair of head and visible sequence
// that a reader starts from; held for a few instructions). A head's own mutex is innermost.

#include <atomic>
#include <condition_variable>
#include <cstdint>
#include <list>
#include <memory>
#include <mutex>
#include <set>
#include <string>
#include <string_view>
#include <vector>

#include "otlp/metric_batch.h"
#include "store/compaction.h"
#include "store/commit_mark.h"
#include "store/digest.h"
#include "store/head.h"
#include "store/ingest_quota.h"
#include "store/manifest.h"
#include "store/snapshot.h"
#include "store/store.h"
#include "store/wal.h"

namespace contextcore::store {

class Compaction;

class StoreImpl final : public Store {
 public:
  explicit StoreImpl(StoreOptions options);
  ~StoreImpl() override;
  Status initialize();

  Result<IngestResult> ingest(const otlp::TracesData& data, std::string_view body,
                              std::string_view tenant) override;
  Result<IngestResult> ingest_traces(std::string_view body, std::string_view tenant) override;
  Result<IngestResult> ingest(const otlp::LogsData& data, std::string_view body,
                              std::string_view tenant) override;
  Result<IngestResult> ingest(const otlp::MetricsData& data, std::string_view body,
                              std::string_view tenant) override;
  Result<IngestResult> ingest(const otlp::RemoteWriteRequest& request, std::string_view body,
                              std::string_view tenant) override;
  Result<CommitResult> commit(const std::string& command_id, const WorkPlan& plan) override;
  Result<Read> read(std::string_view tenants) override;
  Status cut() override;
  Status compact() override;
  Status replace_spans(std::vector<JournalSpan> spans,
                       std::vector<std::pair<otlp::TraceId, otlp::TraceId>> forwards) override;
  Status announce_server(const ServerInfo& info) override;
  StoreStats stats() const override;
  const std::string& store_id() const override { return store_id_; }
  const std::string& path() const override { return directory_; }
  Status close() override;

 private:
  using Lock = std::unique_lock<std::mutex>;

  // A writer's turn: in embedded mode the lock among processes, with everything taken in that
  // others have written; in server mode nothing, the server has it for life.
  class Turn {
   public:
    explicit Turn(StoreImpl& store) : store_(store) {}
    ~Turn();
    Turn(const Turn&) = delete;
    Turn& operator=(const Turn&) = delete;
    Status begin();

   private:
    StoreImpl& store_;
    Lock threads_;
    bool begun_ = false;
  };

  // A work transaction as it will be written.
  struct PlannedWork {
    WorkTransaction transaction;
    WorkRecord record;
    std::string bytes;
  };

  // ---- store.cpp ----
  Status open_directory();
  Status create_store();
  std::string owner_text() const;
  std::shared_ptr<const Snapshot> visible_snapshot() const;
  std::shared_ptr<const Snapshot> sequenced_snapshot() const;  // REQUIRES: mutex_
  void set_state(std::shared_ptr<Head> head, uint64_t visible);
  Status check_open() const;  // REQUIRES: mutex_
  // Opens again what could not be read, so that whoever comes now does not meet the error of who came
  // before. What cannot be opened either is tried again by the next. REQUIRES: mutex_
  void reopen_failed();

  // ---- sequencer.cpp; all REQUIRE: mutex_ ----
  Status check_writable() const;
  // Before something is decided and appended: waits while a cut brings the log to rest.
  Status enter(Lock& lock);
  // Makes room in the log for a frame with so many bytes of parts. False: it had to wait, and what
  // was decided before has to be decided again.
  Result<bool> ensure_room(Lock& lock, size_t bytes);
  // Appends a frame and returns its sequence; the caller applies it to the head at once.
  Result<uint64_t> append(const std::vector<FramePart>& parts, uint32_t tenant = 0);
  // Returns when the frame is durable (or written, with durability interval) and visible.
  Status wait_visible(Lock& lock, uint64_t sequence);
  void flush(Lock& lock);
  void wake_waiters();
  void wait_idle(Lock& lock);
  // durable: how much of the log is, brought up to date.
  Status write_batch(std::string_view batch, uint64_t offset, uint64_t end, uint64_t& durable);
  Status show(const CommitMark& mark, uint64_t sequence);
  Status sync_due(uint64_t end, uint64_t& durable);
  void poison(const Status& status);
  void schedule_sync();
  void background_sync();

  // ---- recovery.cpp; all REQUIRE: mutex_ ----
  Status catch_up();
  Status take_over();
  Status take_over_live(const CommitMark& mark);
  Status take_over_in_doubt(Manifest manifest);
  Status load_newest();
  Status load(const Manifest& manifest);
  Status replay_to(uint64_t end);
  Error short_log(const CommitMark& mark) const;
  Status apply_frame(const Frame& frame);
  Status apply_part(const Frame& frame, const FramePart& part);
  // To be called before a request is looked up. An error: some could not be read now.
  Status read_older_digests();
  bool knows_digests_of(const Manifest& manifest) const;
  void remember_request(const Hash128& digest, uint64_t sequence);
  void remove_garbage(const Manifest& manifest);

  // ---- store_write.cpp ----
  template <typename Data>
  Result<IngestResult> ingest_any(const Data& data, std::string_view body, std::string_view tenant);
  template <typename Data>
  Result<IngestResult> ingest_locked(Lock& lock, const Data& data, std::string_view body,
                                     std::string_view tenant, const Hash128& digest, uint64_t& sequence);
  // By item, in order: whether it is refused.
  template <typename Data>
  std::vector<bool> refused_of(const Data& data, bool default_tenant, IngestResult& result) const;
  Result<PlannedWork> plan_work(const Snapshot& snapshot, const std::string& command_id,
                                const WorkPlan& plan) const;
  Result<PlannedWork> finish_work(PlannedWork work) const;
  WorkRow row_after(const WorkTable& table, const JournalSpan& span) const;
  // 0: nothing was written, decide again. Takes the record out of work when it was.
  Result<uint64_t> write_work(Lock& lock, PlannedWork& work);
  Result<std::optional<StoredCommand>> find_command(const Snapshot& snapshot,
                                                    const std::string& command_id) const;
  Result<CommitResult> answer_again(Lock& lock, const StoredCommand& command);
  Result<CommitResult> commit_locked(Lock& lock, const std::string& command_id,
                                     const WorkPlan& plan, uint64_t planned_at,
                                     std::optional<PlannedWork> work);

  // ---- store_metrics.cpp ----
  template <typename Data>
  Result<IngestResult> ingest_metrics(const Data& data, PartEncoding encoding, std::string_view body,
                                      std::string_view tenant);
  template <typename Data>
  Result<IngestResult> metrics_locked(Lock& lock, const Data& data, PartEncoding encoding,
                                      std::string_view body, std::string_view tenant,
                                      otlp::Translation translation, uint64_t& sequence);
  otlp::SeriesCheck series_check(std::string_view tenant) const;

  // ---- store_cut.cpp; those with a lock REQUIRE: mutex_ ----
  struct CutUnderWay {
    std::shared_ptr<Head> frozen;
    uint64_t sequence = 0;  // of its last frame
    Manifest before;
    std::shared_ptr<WalFile> wal;  // that the frozen head came from
    WalPosition start, copied;     // in wal: behind the frozen head, behind what next_wal has
    std::shared_ptr<WalFile> next_wal;
    WalPosition next_position;
    std::shared_ptr<const Version> version;
    std::vector<RowMoves> moves;
  };
  void cut_if_due(Lock& lock);
  Status cut_now(Lock& lock);
  bool cut_due() const;  // REQUIRES: mutex_
  Status wait_all_visible(Lock& lock);
  Status begin_cut(Lock& lock);
  Status write_cut(CutUnderWay& cut);
  Status copy_log(CutUnderWay& cut, uint64_t end);
  Status copy_most(CutUnderWay& cut);
  Status finish_cut(Lock& lock, CutUnderWay& cut);
  void cut_in_background();
  Status settle_most() const;
  Status cut_step_by_step();
  Status try_cut();
  // ---- store_compact.cpp ----
  void compact_if_due();  // REQUIRES: mutex_
  void compact_in_background();
  Result<bool> compact_in_turn();
  Result<bool> compact_once();  // REQUIRES: compact_mutex_
  Result<std::set<uint64_t>> expired_segments(const Version& version);
  Status install(const Compaction& compaction, const Version& base);
  Status carry_masks(const Compaction& compaction, const Version& base,
                     Manifest& manifest);  // REQUIRES: mutex_

  // ---- store_tenants.cpp ----
  // fresh: the tenant has no number yet, this will be it. REQUIRES: mutex_
  Result<uint32_t> tenant_number(std::string_view tenant, bool& fresh) const;
  // Which tenants share files.
  TenantGroups tenant_groups(const std::vector<std::string>& tenants) const;
  // What a writer is told when segments are made more slowly than data comes. REQUIRES: mutex_
  Status check_room_for_telemetry(std::string_view tenant, uint32_t number) const;
  // The same, and whether the tenant may send so much now. REQUIRES: mutex_
  Status check_quota(std::string_view tenant, size_t bytes);

  StoreOptions options_;
  FileSystem& files_;
  Clock& clock_;
  Random& random_;
  std::shared_ptr<const WorkHooks> hooks_;
  std::string directory_;
  std::string store_id_;
  ManifestFile manifest_file_;
  CommitMarkFile mark_file_;

  std::mutex turn_mutex_;
  mutable std::mutex mutex_;
  std::condition_variable changed_;
  std::unique_ptr<FileLock> lock_;  // the one among processes, while we hold it
  std::shared_ptr<WalFile> wal_;
  WalPosition position_;  // behind the last frame that was sequenced
  std::string buffer_;    // frames that are not written yet, from flushed_ on
  uint64_t flushed_ = 0;
  uint64_t durable_ = 0;
  bool flushing_ = false;
  bool sync_scheduled_ = false;
  int pausing_ = 0;  // cuts that wait for the log to come to rest
  std::atomic<bool> closed_{false};  // written with mutex_
  bool opened_ = false;  // initialize() has succeeded
  bool announced_ = false;
  Status poisoned_;
  uint64_t last_work_sequence_ = 0;
  int64_t last_sync_ns_ = 0;
  int64_t head_since_ns_ = 0;   // when the first frame after the last cut came
  uint64_t cut_failed_at_ = 0;  // log size when a cut failed; the next try waits for some growth
  std::shared_ptr<CutUnderWay> cut_;
  bool cut_posted_ = false;
  bool cut_failing_ = false;  // the last attempt at cut_ failed; there will be another
  std::atomic<uint64_t> next_number_{1};  // of the next file
  std::mutex compact_mutex_;              // one compaction at a time; before mutex_
  bool compacting_ = false;
  uint64_t compact_timer_ = 0;
  uint64_t files_kept_from_ = UINT64_MAX;  // files of such numbers are being written
  std::atomic<bool> stopping_{false};
  std::atomic<uint64_t> read_failures_seen_{0};  // of ReadFailures
  DigestRing digests_;
  std::set<uint64_t> digest_files_known_;  // numbers of those that digests_ has
  IngestQuota quota_;
  std::unique_ptr<Executor> syncer_;       // durability interval only
  std::unique_ptr<Executor> maintenance_;  // null: whoever writes makes segments too

  mutable std::mutex state_mutex_;
  std::shared_ptr<Head> head_;  // written with mutex_ and state_mutex_
  uint64_t visible_ = 0;        // likewise

  LatencyHistogram wal_sync_, commit_wait_;
  struct Waiter {
    uint64_t sequence = 0;  // that has to be visible
    std::condition_variable woken;
  };
  std::list<Waiter*> waiters_;
  mutable std::atomic<uint64_t> frames_{0}, syncs_{0}, cuts_{0}, duplicates_{0}, rejected_{0},
      throttled_{0}, compactions_{0}, compacted_rows_{0}, compacted_bytes_{0}, expired_rows_{0}, held_segments_{0},
      cut_bytes_{0};
};

}  // namespace contextcore::store
