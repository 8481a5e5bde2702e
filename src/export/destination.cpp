#include "export/destination.h"

#include <algorithm>
#include <iterator>
#include <utility>

#include "base/log.h"
#include "base/sort.h"
#include "base/time.h"

namespace contextcore::exporter {
namespace {

constexpr int64_t kPollNs = 250 * kMillisecondNs;
// Requests that one bad batch may cost before what is left of it is given up together.
constexpr size_t kHalvingsMax = 64;
constexpr int64_t kTroubleWaitNs = 5 * kSecondNs;  // after an error of the store or the disk

// A request is of one tenant: items of each come together, and make a range.
std::deque<std::pair<size_t, size_t>> by_tenant(std::vector<Item>& items) {
  sort_stably(items, [](const Item& a, const Item& b) { return a.tenant < b.tenant; });
  std::deque<std::pair<size_t, size_t>> ranges;
  for (size_t i = 0; i < items.size(); ++i) {
    if (i == 0 || items[i].tenant != items[i - 1].tenant) ranges.emplace_back(i, i);
    ranges.back().second = i + 1;
  }
  return ranges;
}

}  // namespace

int64_t backoff_ns(int64_t min_ns, int64_t max_ns, int failures, Random& random) {
  int64_t bound = min_ns;
  for (int i = 1; i < failures && bound < max_ns; ++i) bound = std::min(max_ns, bound * 2);
  bound = std::clamp<int64_t>(bound, 1, std::max<int64_t>(max_ns, 1));
  return static_cast<int64_t>(random.below(static_cast<uint64_t>(bound) + 1));
}

Json status_json(const DestinationStatus& status) {
  const auto time = [](int64_t ns) { return ns == 0 ? Json() : Json(format_rfc3339(ns)); };
  return JsonObject{{"name", status.name},
                    {"kind", status.kind},
                    {"address", status.address},
                    {"state", status.state},
                    {"sent", status.sent},
                    {"requests", status.requests},
                    {"failed", status.failed},
                    {"retried", status.retried},
                    {"refused", status.refused},
                    {"dead_letters", status.dead_letters},
                    {"dropped", status.dropped},
                    {"lag_transactions", status.lag_transactions},
                    {"lag_seconds", status.lag_seconds},
                    {"overdue", status.overdue},
                    {"last_success", time(status.last_success_ns)},
                    {"next_attempt", time(status.next_attempt_ns)},
                    {"last_error", status.last_error.empty() ? Json() : Json(status.last_error)},
                    {"last_error_time", time(status.last_error_ns)}};
}

Destination::Destination(const Settings& common, DestinationParts parts)
    : common_(common),
      parts_(std::move(parts)),
      name_(state_name(parts_.settings)),
      files_(*parts_.files, parts_.store->path(), name_) {
  status_.name = name_;
  status_.kind = kind_name(parts_.settings.kind);
  status_.address = parts_.settings.url.to_string();
  status_.state = "idle";
}

Result<std::unique_ptr<Destination>> Destination::open(const Settings& common,
                                                       DestinationParts parts) {
  std::unique_ptr<Destination> made(new Destination(common, std::move(parts)));
  CC_TRY(made->load());
  return made;
}

Status Destination::load() {
  CC_ASSIGN(const store::Store::Read read, parts_.store->read());
  CC_ASSIGN(std::optional<State> state, files_.load());
  CC_ASSIGN(dead_, files_.load_dead());
  const bool known = state.has_value();
  if (known) state_ = std::move(*state);
  state_.destination = kind_name(parts_.settings.kind);
  state_.address = parts_.settings.url.to_string();
  state_.store_id = parts_.store->store_id();
  const ReadContext context{read, state_.settle, parts_.clock->wall_ns(), 0, 0};
  for (const auto& stream : parts_.streams) {
    const auto [place, is_new] = state_.places.try_emplace(std::string(stream->name()));
    const store::ArrivalPlace now = stream->present(context);
    if (is_new && common_.from_now) place->second = now;
    // The store was brought back from an older copy: what it holds had been sent.
    if (place->second > now) place->second = now;
  }
  state_.settle.set(common_.settle_ns, parts_.clock->wall_ns());
  lag_.emplace(common_.max_lag_ns, state_.lag, parts_.clock->monotonic_ns());
  // From here on the settle time of what ends is settled, too.
  CC_TRY(save());
  saved_ns_ = parts_.clock->monotonic_ns();
  if (files_.take_retry()) letters_to_retry_ = static_cast<int64_t>(dead_.letters.size());
  update([&](DestinationStatus& status) {
    status.dead_letters = static_cast<int64_t>(dead_.letters.size());
    status.dropped = dead_.dropped;
  });
  watch_lag();
  return {};
}

Status Destination::save() {
  state_.lag = lag_->notes(parts_.clock->monotonic_ns());
  return files_.save(state_);
}

// Tells retention what is still wanted, unless that has been for too long.
void Destination::watch_lag() {
  const store::ArrivalsWanted wanted = wanted_of(kind(), common_.received, state_);
  const uint64_t first = std::min(wanted.spans, wanted.logs);
  const int64_t now_ns = parts_.clock->monotonic_ns();
  lag_->reached(first);
  if (first != UINT64_MAX && lag_->due(now_ns)) {
    const uint64_t visible = parts_.store->stats().visible_sequence;
    unsaved_ = lag_->note(visible, now_ns) || unsaved_;
  }
  const bool waits = common_.max_lag_ns > 0;
  const bool overdue = waits && lag_->beyond(now_ns);
  if (parts_.backlog != nullptr)
    parts_.backlog->want(name_, waits && !overdue ? wanted : store::ArrivalsWanted{});
  update([&](DestinationStatus& status) {
    if (status.overdue == overdue) return;
    status.overdue = overdue;
    if (!overdue) {
      log_info("retention waits for the destination again", {{"destination", name_}});
      return;
    }
    ++status.overdue_count;
    log_warn("a destination is further behind than export.max_lag: what is older than received data is kept goes unsent",
             {{"destination", name_}});
  });
}

void Destination::update(const std::function<void(DestinationStatus&)>& fn) {
  const std::lock_guard lock(status_mutex_);
  fn(status_);
}

DestinationStatus Destination::status() const {
  const uint64_t visible = parts_.store->stats().visible_sequence;
  const int64_t now_ns = parts_.clock->wall_ns();
  const std::lock_guard lock(status_mutex_);
  DestinationStatus status = status_;
  if (unsent_sequence_ != 0 && visible >= unsent_sequence_)
    status.lag_transactions = static_cast<int64_t>(visible - unsent_sequence_) + 1;
  if (unsent_ns_ != 0)
    status.lag_seconds = static_cast<double>(std::max<int64_t>(0, now_ns - unsent_ns_)) / 1e9;
  return status;
}

Result<DeadLetters> Destination::dead_letters() const { return files_.load_dead(); }

void Destination::trouble(const std::string& message) {
  const int64_t now_ns = parts_.clock->wall_ns();
  update([&](DestinationStatus& status) {
    // One line for each new trouble, not one for each attempt.
    if (status.last_error != message || status.state != "failing")
      log_warn("export is held up", {{"destination", name_}, {"error", message}});
    status.last_error = message;
    status.last_error_ns = now_ns;
    status.state = "failing";
  });
}

// Nothing to send: how long until there may be something to do.
int64_t Destination::rest() const {
  if (wake_ns_ == 0) return kPollNs;
  return std::clamp<int64_t>(wake_ns_ - parts_.clock->wall_ns(), 1, kPollNs);
}

// Writing a file by rename costs several syncs, for which the syncs of commits wait: after each batch
// of a busy store they would be felt there.
Status Destination::save_if_due() {
  const int64_t now_ns = parts_.clock->monotonic_ns();
  if (!unsaved_ || now_ns < saved_ns_ + common_.save_every_ns) return {};
  saved_ns_ = now_ns;
  CC_TRY(save());
  unsaved_ = false;
  return {};
}

int64_t Destination::step() {
  const std::lock_guard step_lock(step_mutex_);
  const int64_t wait_ns = next_step();
  watch_lag();
  if (Status status = save_if_due(); !status.ok()) trouble(status.error().to_string());
  if (wait_ns == 0 || !unsaved_) return wait_ns;
  const int64_t save_ns = saved_ns_ + common_.save_every_ns - parts_.clock->monotonic_ns();
  return std::clamp<int64_t>(save_ns, 1, wait_ns);
}

int64_t Destination::next_step() {
  const int64_t now_ns = parts_.clock->monotonic_ns();
  if (now_ns < not_before_ns_) return not_before_ns_ - now_ns;
  if (work_) return send();
  auto read = parts_.store->read();
  if (!read.ok()) {
    trouble(read.error().to_string());
    return kTroubleWaitNs;
  }
  const bool woken = wake_ns_ != 0 && parts_.clock->wall_ns() >= wake_ns_;
  if (read->sequence == seen_sequence_ && !woken && letters_to_retry_ == 0) return rest();
  auto found = take_work(*read);
  if (!found.ok()) {
    trouble(found.error().to_string());
    return kTroubleWaitNs;
  }
  if (*found) return send();
  seen_sequence_ = read->sequence;
  update([this](DestinationStatus& status) {
    status.state = "idle";
    unsent_sequence_ = 0;
    unsent_ns_ = 0;
  });
  return rest();
}

Result<bool> Destination::take_work(const store::Store::Read& read) {
  const ReadContext context{read, state_.settle, parts_.clock->wall_ns(), common_.batch_items,
                            common_.batch_bytes};
  while (letters_to_retry_ > 0) {
    CC_ASSIGN(const bool found, take_letter(context));
    if (found) return true;
  }
  wake_ns_ = 0;
  for (size_t i = 0; i < parts_.streams.size(); ++i) {
    const Stream& stream = *parts_.streams[(turn_ + i) % parts_.streams.size()];
    CC_ASSIGN(const bool found, take_batch(stream, context));
    if (!found) continue;
    turn_ = (turn_ + i + 1) % parts_.streams.size();
    return true;
  }
  return false;
}

Result<bool> Destination::take_batch(const Stream& stream, const ReadContext& context) {
  store::ArrivalPlace& place = state_.places[std::string(stream.name())];
  while (true) {
    CC_ASSIGN(Batch batch, stream.next(context, place));
    if (batch.wake_ns && (wake_ns_ == 0 || *batch.wake_ns < wake_ns_)) wake_ns_ = *batch.wake_ns;
    if (batch.items.empty()) {
      unsaved_ = unsaved_ || !(place == batch.next);
      place = batch.next;
      if (!batch.more) return false;
      continue;
    }
    Work work;
    work.stream = &stream;
    work.next = batch.next;
    work.first_sequence = batch.items.front().reference.place.sequence;
    work.ranges = by_tenant(batch.items);
    work.oldest_ns = context.now_ns;
    for (const Item& item : batch.items) {
      if (item.arrived_ns > 0) work.oldest_ns = std::min(work.oldest_ns, item.arrived_ns);
    }
    work.items = std::move(batch.items);
    work_ = std::move(work);
    return true;
  }
}

// The oldest letter once more. Its items may be gone from the store: then so is the letter.
Result<bool> Destination::take_letter(const ReadContext& context) {
  --letters_to_retry_;
  if (dead_.letters.empty()) return false;
  const DeadLetter letter = dead_.letters.front();
  Work work;
  work.oldest_ns = context.now_ns;
  for (const Reference& reference : letter.items) {
    for (const auto& stream : parts_.streams) {
      if (stream->name() != reference.stream) continue;
      CC_ASSIGN(std::vector<Item> items, stream->find(context, reference));
      std::move(items.begin(), items.end(), std::back_inserter(work.items));
    }
  }
  if (work.items.empty()) {
    dead_.letters.erase(dead_.letters.begin());
    CC_TRY(keep_dead({}));
    return false;
  }
  work.ranges = by_tenant(work.items);
  work_ = std::move(work);
  return true;
}

int64_t Destination::send() {
  const auto [first, last] = work_->ranges.front();
  const std::span<const Item> items(work_->items.data() + first, last - first);
  const bool again = failures_ > 0;
  update([&](DestinationStatus& status) {
    if (status.state == "idle") status.state = "sending";
    unsent_ns_ = work_->oldest_ns;
    const bool by_sequence = work_->stream != nullptr && kind() != Kind::metrics;
    unsent_sequence_ = by_sequence ? work_->first_sequence : 0;
    ++status.requests;
    if (again) status.retried += static_cast<int64_t>(items.size());
    status.next_attempt_ns = 0;
  });
  const Outcome outcome = parts_.sender->send(items);
  if (outcome.fate == Fate::retry) return fail(outcome);
  failures_ = 0;
  not_before_ns_ = 0;
  const auto range = work_->ranges.front();
  work_->ranges.pop_front();
  if (outcome.fate == Fate::accepted) {
    const auto count = static_cast<int64_t>(items.size());
    const int64_t rejected = std::min(outcome.rejected, count);
    if (rejected > 0) refuse(range, outcome);
    const int64_t now_ns = parts_.clock->wall_ns();
    update([&](DestinationStatus& status) {
      status.sent += count - rejected;
      status.last_success_ns = now_ns;
      status.state = "sending";
    });
  } else if (items.size() > 1 && work_->halvings < kHalvingsMax) {
    ++work_->halvings;
    const size_t middle = first + items.size() / 2;
    work_->ranges.emplace_front(middle, last);
    work_->ranges.emplace_front(first, middle);
  } else {
    refuse(range, outcome);
  }
  if (!work_->ranges.empty()) return 0;
  if (Status status = finish_work(); !status.ok()) {
    trouble(status.error().to_string());
    return kTroubleWaitNs;
  }
  return 0;
}

int64_t Destination::fail(const Outcome& outcome) {
  failures_ = std::min(failures_ + 1, 60);
  int64_t wait_ns =
      backoff_ns(common_.backoff_min_ns, common_.backoff_max_ns, failures_, *parts_.random);
  // What the back end asks for, and a little apart from others that it asked the same.
  if (outcome.retry_after_ns) {
    wait_ns = *outcome.retry_after_ns +
              backoff_ns(common_.backoff_min_ns, common_.backoff_max_ns, 1, *parts_.random);
  }
  not_before_ns_ = parts_.clock->monotonic_ns() + wait_ns;
  trouble(outcome.message);
  const int64_t next_ns = parts_.clock->wall_ns() + wait_ns;
  update([&](DestinationStatus& status) {
    ++status.failed;
    status.next_attempt_ns = next_ns;
  });
  return wait_ns;
}

void Destination::refuse(std::pair<size_t, size_t> range, const Outcome& outcome) {
  const auto count = static_cast<int64_t>(range.second - range.first);
  DeadLetter letter;
  letter.time_ns = parts_.clock->wall_ns();
  letter.status = outcome.status;
  letter.message = outcome.message;
  letter.refused = outcome.fate == Fate::accepted ? std::min(outcome.rejected, count) : count;
  for (size_t i = range.first; i < range.second; ++i)
    letter.items.push_back(work_->items[i].reference);
  update([&](DestinationStatus& status) {
    status.refused += letter.refused;
    status.last_error = letter.message;
    status.last_error_ns = letter.time_ns;
  });
  work_->dead.push_back(std::move(letter));
}

Status Destination::keep_dead(std::vector<DeadLetter> dead) {
  for (DeadLetter& letter : dead) dead_.letters.push_back(std::move(letter));
  while (dead_.letters.size() > common_.dead_letters_max) {
    dead_.letters.erase(dead_.letters.begin());
    letters_to_retry_ = std::max<int64_t>(letters_to_retry_ - 1, 0);
    ++dead_.dropped;
  }
  // Who reads the count finds the letters, too.
  Status saved = files_.save_dead(dead_);
  update([&](DestinationStatus& status) {
    status.dead_letters = static_cast<int64_t>(dead_.letters.size());
    status.dropped = dead_.dropped;
  });
  return saved;
}

// Letters first: a crash in between refuses them once more, it loses none.
Status Destination::finish_work() {
  const bool letter = work_->stream == nullptr;
  if (letter) dead_.letters.erase(dead_.letters.begin());
  Status kept;
  if (letter || !work_->dead.empty()) kept = keep_dead(std::move(work_->dead));
  if (!letter) {
    state_.places[std::string(work_->stream->name())] = work_->next;
    unsaved_ = true;
  }
  work_.reset();
  seen_sequence_ = 0;  // there may be more
  CC_TRY(std::move(kept));
  return save_if_due();
}

Result<int64_t> Destination::retry() {
  const std::lock_guard step_lock(step_mutex_);
  letters_to_retry_ = static_cast<int64_t>(dead_.letters.size());
  // A letter that is on its way already counts as tried.
  if (work_ && work_->stream == nullptr) --letters_to_retry_;
  not_before_ns_ = 0;
  return static_cast<int64_t>(dead_.letters.size());
}

void Destination::finish() {
  const std::lock_guard step_lock(step_mutex_);
  if (!unsaved_ && lag_->notes(0).empty()) return;
  if (Status status = save(); !status.ok()) trouble(status.error().to_string());
}

}  // namespace contextcore::exporter
