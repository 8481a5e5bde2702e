#pragma once
// The head: everything after the last cut, in columnar builders, over the version (files) that it
// continues. Rows are appended with their sequence before they are visible; whoever reads passes
// the sequence up to which it sees.
//
// Writers are serialised by the sequencer (methods marked so); a shared mutex keeps readers and the
// writer apart. prepare_* find out everything that can fail before a frame is appended to the log;
// apply_* cannot fail.
//
// Work spans are deferred: apply_work keeps what a frame says of them, the index rows come with the
// frame. A single span is put together when it is asked for; settle() makes rows of them all, for
// whoever reads rows. So a command that opens the store pays for the spans it touches, not for all
// that the log has changed.

#include <atomic>
#include <cstdint>
#include <deque>
#include <memory>
#include <mutex>
#include <optional>
#include <shared_mutex>
#include <string>
#include <unordered_map>
#include <utility>
#include <vector>

#include "store/frame_work.h"
#include "store/id_table.h"
#include "store/metric_head.h"
#include "store/rows.h"
#include "store/store_version.h"
#include "store/tenant_groups.h"

namespace contextcore::store {

// What a batch of received spans replaces in segments.
struct PreparedSpans {
  std::vector<Version::Place> replaced;
};

// Where the rows of a segment went when it was written again.
struct RowMoves {
  static constexpr uint32_t kGone = UINT32_MAX;
  uint64_t from = 0;               // segment number
  std::vector<uint64_t> segments;  // numbers of those that the rows went to
  struct Place {
    uint32_t segment = 0;  // index into segments
    uint32_t row = kGone;
  };
  std::vector<Place> to;  // by row
  void set(uint32_t row, uint64_t segment, uint32_t place) {
    if (segments.empty() || segments.back() != segment) segments.push_back(segment);
    to[row] = {static_cast<uint32_t>(segments.size() - 1), place};
  }
};

// A work transaction, ready to be applied.
struct PreparedWork {
  std::vector<Version::Place> replaced;    // for replace_all: segment rows
  std::vector<uint32_t> replaced_in_head;  // for replace_all
  std::shared_ptr<const WorkTable> table;
};

class Head {
 public:
  Head(std::shared_ptr<const Version> version, std::shared_ptr<const WorkHooks> hooks);

  const WorkHooks& hooks() const { return *hooks_; }
  // What it continues. Readers keep the one that they began with.
  std::shared_ptr<const Version> shared_version() const;

  // ---- writer (sequencer's lock held) ----
  const Version& version() const { return *version_; }
  // Goes on with a version that says the same with other files. Rows of segments that became rows
  // of others keep their state under both numbers, for readers of either version.
  // REQUIRES, with moves: no frame is sequenced that is not visible, and all are settled: what was superseded by
  // frames that come to be settled later is known under the new numbers only
  void replace_version(std::shared_ptr<const Version> version, const std::vector<RowMoves>& moves);
  Result<PreparedSpans> prepare_spans(uint32_t tenant, const otlp::TracesView& data) const;
  Result<PreparedWork> prepare_work(const WorkRecord& record) const;
  void apply_spans(uint32_t tenant, const otlp::TracesView& data, const PreparedSpans& prepared,
                   uint64_t sequence);
  void apply_logs(uint32_t tenant, const otlp::LogsData& data, uint64_t sequence);
  void apply_work(WorkRecord record, const PreparedWork& prepared, uint64_t sequence);
  void apply_metrics(uint32_t tenant, const otlp::MetricBatch& batch, uint64_t sequence);
  // Of the request that a frame holds (digest.h).
  void add_digest(const Hash128& digest) { digests_.push_back(digest); }
  // Its number is the next one.
  void add_tenant(std::string name);
  // Frames of the log one after another: the index takes in all of their rows at end_replay, which
  // has to follow whatever happens.
  Status replay_work(WorkRecord record, uint64_t sequence);
  void end_replay(uint64_t sequence);
  // Index states before the newest that is visible at sequence are no longer asked for.
  void forget_tables_before(uint64_t sequence);

  // ---- readers ----
  // Makes rows of all work events applied so far; to be called before logs(true) is read.
  Status settle_logs() const;
  // Makes rows of all work spans applied so far; to be called before spans(true), visible(true, …),
  // superseded() and hide_superseded() are asked. Cheap when there is nothing to do.
  Status settle() const;
  // For writers, so that nobody ever has to settle very many: when more than `deferred_max` frames
  // are left, makes rows of up to `frames` of them. A failure is left to who asks for rows.
  void settle_some(size_t deferred_max, size_t frames) const;
  // The index as of a sequence.
  std::shared_ptr<const WorkTable> table(uint64_t visible) const;
  Result<std::optional<JournalSpan>> journal_span(const otlp::SpanId& id, uint64_t visible,
                                                  const WorkTable& table) const;
  // A command of the live log; not yet forgotten ones of the files are looked up by the caller.
  std::optional<StoredCommand> find_command(const std::string& command_id) const;
  std::vector<StoredCommand> commands() const;
  // In the order of arrival. REQUIRES: nobody writes
  const std::vector<Hash128>& digests() const { return digests_; }
  std::optional<otlp::TraceId> forward(const otlp::TraceId& id, uint64_t visible) const;
  Forwards all_forwards() const;

  // nullopt: nobody has written for it.
  std::optional<uint32_t> find_tenant(std::string_view name) const;
  std::vector<std::string> tenants() const;  // by number
  size_t tenant_count() const;
  std::string tenant_name(uint32_t number) const;  // "" for numbers that none has
  // Those of the names that there are; federated with several names.
  TenantSet find_tenants(const std::vector<std::string>& names) const;

  struct Sizes {
    uint64_t span_rows = 0, log_rows = 0, metric_samples = 0, metric_series = 0;
    // What counts when the head is measured: a sample is a fraction of a row.
    uint64_t rows() const { return span_rows + log_rows + metric_samples / 4; }
  };
  Sizes sizes() const;
  // What the head has received of a tenant, as Sizes::rows() counts.
  uint64_t rows_of_tenant(uint32_t tenant) const;
  // Whose received spans (logs) it has, as SegmentInfo has them.
  std::vector<uint32_t> span_tenants() const;
  std::vector<uint32_t> log_tenants() const;

  // ---- readers, while they hold a lock from read_lock() ----
  std::shared_lock<std::shared_mutex> read_lock() const { return std::shared_lock(mutex_); }
  const SpanRows& spans(bool journal) const { return *(journal ? work_ : received_).rows; }
  const LogRows& logs(bool journal) const { return journal ? *work_logs_ : *received_logs_; }
  const MetricHead& metrics() const { return metrics_; }
  bool visible(bool journal, uint32_t row, uint64_t visible) const;
  // Takes the rows out that are not. REQUIRES: rows is of as many as there are now
  void hide_invisible(bool journal, uint64_t visible, RowSet& rows) const;
  // True when a visible row of the head has superseded a row of a segment.
  bool superseded(uint64_t segment_number, uint32_t row, uint64_t visible) const;

  // Takes the rows of a segment out that visible rows of the head have superseded.
  void hide_superseded(uint64_t segment_number, uint64_t visible, RowSet& rows) const;

 private:
  struct Spans {
    std::unique_ptr<SpanBuilder> rows;
    std::vector<uint64_t> superseded;  // by row: the sequence that replaced it, 0 = none
  };

  // What one frame made of one work span.
  struct Step {
    uint64_t sequence = 0;
    const EncodedDelta* delta = nullptr;
    std::shared_ptr<const JournalSpan> after;  // once somebody has asked
  };
  struct Deferred {
    uint64_t sequence = 0;
    std::vector<EncodedDelta> deltas;
  };
  struct DeferredLogs {
    uint64_t sequence = 0;
    std::string events;
  };

  static uint32_t append(Spans& spans, const std::shared_ptr<const otlp::Resource>& resource,
                         const std::shared_ptr<const otlp::Scope>& scope,
                         const otlp::SpanView& span, const RowMeta& meta);
  static void append_logs(const otlp::LogsData& data, LogBuilder& rows, bool journal,
                          uint64_t sequence, uint32_t tenant = kDefaultTenant);
  void defer_work(WorkRecord record, uint64_t sequence);  // REQUIRES: mutex_
  bool is_received(uint32_t row, uint32_t tenant, const otlp::SpanView& span) const;
  static void supersede(Spans& spans, uint32_t row, uint64_t sequence);
  void mask(const std::vector<Version::Place>& places, uint64_t sequence) const;
  Status prepare_replace_all(PreparedWork& prepared) const;

  Result<WorkRow*> replayed_row(const otlp::SpanId& id);

  // ---- settling; REQUIRE: settle_mutex_ ----
  struct SettledFrame {
    std::vector<JournalSpan> spans;
    std::vector<Version::Place> replaced;
  };
  Result<SettledFrame> decode_frame(const Deferred& frame) const;
  Status settle_spans_up_to(size_t frames) const;
  Status settle_logs_up_to(size_t frames) const;

  // ---- work spans; REQUIRE: mutex_, exclusively where not said otherwise ----
  void take_steps_of(const Deferred& frame) const;
  void append_work(const JournalSpan& span, uint64_t sequence) const;
  // The newest settled revision. place: where a segment has it, when it is not in the head.
  Result<std::optional<JournalSpan>> settled_span(const otlp::SpanId& id,
                                                  std::optional<Version::Place>& place) const;
  // The revision after the last step that is visible; nullopt: no step is.
  Result<std::optional<JournalSpan>> deferred_span(const otlp::SpanId& id, uint64_t visible) const;

  std::shared_ptr<const Version> version_;
  std::shared_ptr<const WorkHooks> hooks_;

  mutable std::mutex settle_mutex_;  // before mutex_
  mutable std::shared_mutex mutex_;
  mutable Spans work_;  // mutable: settle()
  Spans received_;
  std::unique_ptr<LogBuilder> work_logs_;
  std::unique_ptr<LogBuilder> received_logs_;
  MetricHead metrics_;
  std::vector<std::string> tenants_;
  TenantRows span_rows_, log_rows_, metric_samples_;  // of what was received, by tenant
  mutable std::unordered_map<otlp::SpanId, uint32_t, IdHash> work_row_;  // newest row
  mutable std::vector<uint32_t> work_previous_;  // by row: the older one, or kNone
  mutable std::deque<Deferred> deferred_;        // ascending sequence
  mutable std::unordered_map<otlp::SpanId, std::vector<Step>, IdHash> steps_;  // of deferred_
  mutable std::atomic<size_t> deferred_frames_{0};
  mutable std::deque<DeferredLogs> deferred_logs_;  // ascending sequence
  mutable std::atomic<size_t> logs_deferred_{0};
  size_t deferred_rows_ = 0, deferred_log_rows_ = 0;  // of all that was ever deferred
  std::unordered_map<otlp::SpanId, WorkRow, IdHash> replayed_rows_;  // for end_replay
  IdTable received_row_;  // by identity (tenant, trace, span, kind): its newest row
  // Segment number to row to the sequence that replaced it.
  mutable std::unordered_map<uint64_t, std::unordered_map<uint32_t, uint64_t>> pending_masks_;
  std::deque<std::pair<uint64_t, std::shared_ptr<const WorkTable>>> tables_;  // ascending sequence
  std::unordered_map<std::string, StoredCommand> commands_;
  std::vector<Hash128> digests_;
  struct Forward {
    uint64_t sequence;
    otlp::TraceId from, to;
  };
  std::vector<Forward> forwards_;
};

}  // namespace contextcore::store
