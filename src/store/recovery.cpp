// Taking in what others have written: other processes while they live, and whoever wrote before a
// crash. The rules (docs/store-format.md says why):
//
// - A reader believes frames up to the commit mark; without a mark of this boot, every valid frame.
// - The next holder of the lock adopts every valid frame behind the mark. It writes the adopted
// bytes
//   again before it syncs them: what a failed sync left in the page cache only is not on the disk.
// - Without a mark of this boot and epoch nobody knows which manifest the disk has: the holder
// writes
//   a new one before anything else.

#include <algorithm>
#include <cstdlib>
#include <set>
#include <utility>

#include "base/log.h"
#include "otlp/protobuf.h"
#include "store/digest_file.h"
#include "store/frame_metrics.h"
#include "store/pinned_files.h"
#include "store/read_failures.h"
#include "store/store_impl.h"

namespace contextcore::store {
namespace {

constexpr int kCatchUpAttempts = 100;
constexpr int kSameManifestAttempts = 3;
constexpr int64_t kRetrySleepNs = 1'000'000;

std::optional<CommitMark> usable(std::optional<CommitMark> mark) {
  return mark && mark->epoch != 0 ? mark : std::nullopt;
}

bool is_vanished(const Status& status) {
  return status.error().code == Code::not_found || status.error().code == Code::unavailable;
}

}  // namespace

// ---- versions
// ---------------------------------------------------------------------------------------

// not_found, unavailable: a file that manifest names is gone, or the log is of another epoch by
// now.
Status StoreImpl::load(const Manifest& manifest) {
  const Version* previous = head_ != nullptr ? &head_->version() : nullptr;
  CC_ASSIGN(auto version, open_version(files_, directory_, manifest, previous, *hooks_));
  CC_ASSIGN(wal_,
            WalFile::open(files_, wal_path(directory_, manifest.wal_epoch), manifest.wal_epoch,
                          manifest.store_id, options_.mode != StoreMode::read_only));
  store_id_ = manifest.store_id;
  next_number_ = manifest.next_number;
  position_ = wal_->start(manifest.sequence);
  last_work_sequence_ = std::max(last_work_sequence_, manifest.sequence);
  head_since_ns_ = 0;
  set_state(std::make_shared<Head>(std::move(version), hooks_), manifest.sequence);
  return {};
}

Status StoreImpl::load_newest() {
  uint64_t edit = 0;
  int same = 0;
  for (int attempt = 0; attempt < kCatchUpAttempts; ++attempt) {
    auto manifest = manifest_file_.read();
    if (manifest.ok()) {
      const Status loaded = load(*manifest);
      if (loaded.ok() || !is_vanished(loaded)) return loaded;
      same = manifest->edit == edit ? same + 1 : 0;
      edit = manifest->edit;
      if (same >= kSameManifestAttempts) {
        return {Code::corruption,
                "the store " + directory_ +
                    " lacks a file that its manifest names: " + loaded.error().message};
      }
    } else if (manifest.error().code != Code::not_found ||
               !files_.exists(current_path(directory_))) {
      return manifest.error();
    }
    clock_.sleep_ns(kRetrySleepNs);
  }
  return {Code::unavailable, "the store " + directory_ + " changes faster than it can be read"};
}

// ---- frames
// -----------------------------------------------------------------------------------------

Status StoreImpl::apply_part(const Frame& frame, const FramePart& part) {
  const size_t tenants = head_->tenant_count();
  if (frame.tenant >= tenants && part.signal != PartSignal::tenant) {
    return {Code::corruption, "tenant " + std::to_string(frame.tenant) + " has no name"};
  }
  switch (part.signal) {
    case PartSignal::traces: {
      CC_ASSIGN(const otlp::TracesView data,
                otlp::TracesView::decode(part.bytes, kStoredLimits));
      CC_ASSIGN(const PreparedSpans prepared, head_->prepare_spans(frame.tenant, data));
      head_->apply_spans(frame.tenant, data, prepared, frame.sequence);
      break;
    }
    case PartSignal::logs: {
      CC_ASSIGN(const otlp::LogsData data, otlp::decode_logs_protobuf(part.bytes, kStoredLimits));
      head_->apply_logs(frame.tenant, data, frame.sequence);
      break;
    }
    case PartSignal::work: {
      CC_ASSIGN(WorkRecord record, decode_work(part.bytes));
      CC_TRY(head_->replay_work(std::move(record), frame.sequence));
      last_work_sequence_ = frame.sequence;
      return {};
    }
    case PartSignal::metrics: {
      CC_ASSIGN(const otlp::MetricBatch batch, decode_metrics(part.encoding, part.bytes));
      head_->apply_metrics(frame.tenant, batch, frame.sequence);
      remember_request(request_digest(part.signal, part.encoding, frame.tenant, part.bytes), frame.sequence);
      return {};
    }
    case PartSignal::tenant: {
      if (tenants != frame.tenant) {
        return {Code::corruption, "tenant " + std::to_string(frame.tenant) + " is out of turn"};
      }
      head_->add_tenant(std::string(part.bytes));
      return {};
    }
    case PartSignal::digest: {
      const std::optional<Hash128> digest = parse_digest(part.bytes);
      if (digest) remember_request(*digest, frame.sequence);
      return {};
    }
    default:
      return {Code::unsupported,
              "the log holds a kind of data that this version does not know; use a newer one"};
  }
  remember_request(request_digest(part.signal, head_->tenant_name(frame.tenant), part.bytes), frame.sequence);
  return {};
}

Status StoreImpl::apply_frame(const Frame& frame) {
  for (const FramePart& part : frame.parts) {
    const Status status = apply_part(frame, part);
    if (!status.ok()) {
      Error error = status.error();
      error.message = "frame " + std::to_string(frame.sequence) + " of the log: " + error.message;
      return error;
    }
  }
  if (head_since_ns_ == 0) head_since_ns_ = clock_.monotonic_ns();
  return {};
}

Status StoreImpl::replay_to(uint64_t end) {
  const Status replayed =
      wal_->replay(position_, end, [this](const Frame& frame) { return apply_frame(frame); });
  head_->end_replay(position_.sequence);
  return replayed;
}

Error StoreImpl::short_log(const CommitMark& mark) const {
  return {Code::corruption,
          "the log of " + directory_ + " is damaged: " + std::to_string(mark.offset) +
              " bytes of it are committed, but only " + std::to_string(position_.offset) +
              " are valid",
          "run contextcore store verify",
          {},
          {}};
}

// ---- requests that come again
// ---------------------------------------------------------------------------------------

void StoreImpl::remember_request(const Hash128& digest, uint64_t sequence) {
  digests_.add(digest, sequence);
  head_->add_digest(digest);
}

bool StoreImpl::knows_digests_of(const Manifest& manifest) const {
  return std::ranges::all_of(manifest.digests, [this](const DigestFileInfo& file) {
    return digest_files_known_.contains(file.number);
  });
}

Status StoreImpl::read_older_digests() {
  const Manifest& manifest = head_->version().manifest;
  for (const DigestFileInfo& file : manifest.digests) {
    if (digest_files_known_.contains(file.number)) continue;
    const auto runs = read_digests(files_, data_path(directory_, file.number, "digests"));
    if (is_read_failure(runs.status())) return runs.status();
    if (runs.ok()) {
      for (const DigestRun& run : *runs) {
        for (const Hash128& digest : run.digests) digests_.add(digest, manifest.sequence);
      }
    } else {
      log_warn("requests of before can no longer be told from new ones",
               {{"store", directory_}, {"error", runs.error().message}});
    }
    digest_files_known_.insert(file.number);
  }
  return {};
}

// ---- readers
// ----------------------------------------------------------------------------------------

Status StoreImpl::catch_up() {
  // While one of our threads has its turn nobody else writes; after a failure we stay where we
  // were.
  if (lock_ != nullptr || !poisoned_.ok()) return {};
  int short_logs = 0;
  for (int attempt = 0; attempt < kCatchUpAttempts; ++attempt) {
    CC_ASSIGN(const std::optional<CommitMark> read, mark_file_.read());
    const std::optional<CommitMark> mark = usable(read);
    if (mark && mark->epoch == wal_->epoch() && mark->offset >= position_.offset) {
      CC_TRY(replay_to(mark->offset));
      if (position_.offset == mark->offset) {
        set_state(head_, position_.sequence);
        return {};
      }
      if (++short_logs > kSameManifestAttempts) return short_log(*mark);
    }
    if (!mark) {
      CC_ASSIGN(const Manifest manifest, manifest_file_.read());
      if (manifest.edit != head_->version().manifest.edit) CC_TRY(load_newest());
      CC_TRY(replay_to(UINT64_MAX));
      CC_ASSIGN(const std::optional<CommitMark> again, mark_file_.read());
      if (!usable(
              again)) {  // else a writer has come meanwhile, and frames may be its unsynced ones
        set_state(head_, position_.sequence);
        return {};
      }
    }
    CC_TRY(load_newest());
  }
  return {Code::unavailable, "the store " + directory_ + " changes faster than it can be read"};
}

// ---- the next holder of the lock
// --------------------------------------------------------------------

Status StoreImpl::take_over() {
  CC_ASSIGN(const std::optional<CommitMark> read, mark_file_.read());
  const std::optional<CommitMark> mark = usable(read);
  if (mark && mark->epoch == wal_->epoch()) {
    // Segments may have been merged without a new log.
    CC_ASSIGN(const bool changed, manifest_file_.changed(head_->version().manifest));
    if (changed) CC_TRY(load_newest());
    if (mark->epoch == wal_->epoch()) return take_over_live(*mark);
  }
  CC_ASSIGN(Manifest manifest, manifest_file_.read());
  if (mark && mark->epoch == manifest.wal_epoch) {
    CC_TRY(load_newest());
    return take_over_live(*mark);
  }
  return take_over_in_doubt(std::move(manifest));
}

Status StoreImpl::take_over_live(const CommitMark& mark) {
  const bool ours = mark.offset == position_.offset && mark.durable == durable_;
  if (mark.offset < position_.offset) CC_TRY(load_newest());
  CC_TRY(replay_to(mark.offset));
  if (position_.offset != mark.offset) {
    return short_log(mark);
  }
  CC_ASSIGN(const bool more, wal_->has_frame_at(position_.offset));
  if (more) CC_TRY(replay_to(UINT64_MAX));
  const uint64_t begin = ours ? mark.offset : std::min(mark.durable, mark.offset);
  if (begin < position_.offset) {
    CC_TRY(wal_->rewrite(begin, position_.offset));
    CC_TRY(mark_file_.write({wal_->epoch(), position_.offset, position_.offset}));
  }
  if (!ours || begin < position_.offset) durable_ = position_.offset;
  flushed_ = position_.offset;
  set_state(head_, position_.sequence);
  return {};
}

Status StoreImpl::take_over_in_doubt(Manifest manifest) {
  ++manifest.edit;
  manifest_file_.restart();
  CC_TRY(manifest_file_.write(manifest));
  CC_TRY(load_newest());
  CC_TRY(replay_to(UINT64_MAX));
  CC_TRY(wal_->rewrite(0, position_.offset));
  CC_TRY(files_.sync_directory(wal_directory(directory_)));
  CC_TRY(files_.sync_directory(data_directory(directory_)));
  CC_TRY(mark_file_.write({wal_->epoch(), position_.offset, position_.offset}));
  flushed_ = durable_ = position_.offset;
  set_state(head_, position_.sequence);
  remove_garbage(manifest);
  return {};
}

// ---- garbage
// ----------------------------------------------------------------------------------------

// Files that no manifest names: replaced ones, and those of a cut that did not come to its end.
// Open ones stay readable for who has them open. What cannot be removed now is removed the next
// time.
void StoreImpl::remove_garbage(const Manifest& manifest) {
  std::set<std::string> wanted{wal_path(directory_, manifest.wal_epoch),
                               wal_spare_path(directory_)};
  for (const std::string& path : data_paths(directory_, manifest)) wanted.insert(path);
  const auto sweep = [&](const std::string& directory, const auto& is_ours) {
    const auto names = files_.list(directory);
    if (!names.ok()) return;
    for (const std::string& name : *names) {
      const std::string path = join_path(directory, name);
      if (!is_ours(name) || wanted.contains(path)) continue;
      const Status removed = files_.remove(path);
      if (!removed.ok()) log_warn("cannot remove a file", {{"error", removed.error().message}});
    }
  };
  const auto all = [](const std::string&) { return true; };
  sweep(data_directory(directory_), [this](const std::string& name) {
    return std::strtoull(name.c_str(), nullptr, 10) < files_kept_from_;
  });
  sweep(wal_directory(directory_), all);
  const auto current = files_.read_file(current_path(directory_));
  if (!current.ok()) return;
  sweep(directory_, [&](const std::string& name) {
    return (name.starts_with("MANIFEST-") && name != *current) ||
           name.find(".tmp-") != std::string::npos;
  });
}

}  // namespace contextcore::store
