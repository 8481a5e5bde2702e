// What the clients of a run do, and what they make of the answers.

#include <algorithm>

#include "sim/runner.h"

namespace contextcore::sim {
namespace {

constexpr uint32_t kTraces = 6, kSpans = 5, kHosts = 3, kSeconds = 8;

bool is_refusal(const Error& error) { return error.message.find("refused: ") != std::string::npos; }

}  // namespace

Op& Runner::draw_op(Random& random) {
  Op op;
  op.number = ++op_count_;
  op.large = random.below(40) == 0;
  std::vector<uint32_t> tasks;  // that are there for certain
  for (const auto& [number, other] : oracle_.ops()) {
    if (other.kind == OpKind::create && other.acked != 0) tasks.push_back(other.task);
  }
  const auto any_task = [&] { return tasks[static_cast<size_t>(random.below(tasks.size()))]; };
  const uint64_t what = random.below(20);
  if (what < 4) {
    op.kind = OpKind::spans;
    op.other_tenant = random.below(3) == 0;
    for (uint64_t i = 1 + random.below(4); i > 0; --i) {
      const SpanKey key{static_cast<uint32_t>(random.below(kTraces)),
                        static_cast<uint32_t>(random.below(kSpans)), false, op.other_tenant};
      if (std::find(op.spans.begin(), op.spans.end(), key) == op.spans.end()) op.spans.push_back(key);
    }
    if (!tasks.empty() && random.below(5) == 0) {
      const uint32_t task = any_task();
      op.spans.push_back({number_of(task_trace(task)), task, true, op.other_tenant});
    }
  } else if (what < 6) {
    op.kind = OpKind::logs;
    op.other_tenant = random.below(3) == 0;
    op.lines = static_cast<uint32_t>(1 + random.below(3));
  } else if (what < 8) {
    op.kind = OpKind::metrics;
    const bool other = random.below(2) == 0;
    for (uint64_t i = 1 + random.below(3); i > 0; --i) {
      const SampleKey key{static_cast<uint32_t>(random.below(kHosts)),
                          static_cast<uint32_t>(1 + random.below(kSeconds)), other};
      const bool there = std::any_of(op.samples.begin(), op.samples.end(),
                                     [&](const SampleKey& one) { return one.host == key.host; });
      if (!there) op.samples.push_back(key);
    }
  } else if (what < 12 || tasks.empty()) {
    op.kind = OpKind::create;
    op.task = ++task_count_;
  } else {
    constexpr OpKind kKinds[] = {OpKind::edit,  OpKind::edit,     OpKind::pair,    OpKind::claim,
                                 OpKind::claim, OpKind::complete, OpKind::comment, OpKind::lease};
    op.kind = kKinds[what - 12];
    op.task = any_task();
    op.second_task = any_task();
  }
  return oracle_.add(std::move(op));
}

Op* Runner::draw_repeat(Random& random) {
  if (oracle_.ops().empty()) return nullptr;
  const auto back = static_cast<uint32_t>(random.below(std::min(op_count_, 12U)));
  Op& op = oracle_.ops().at(op_count_ - back);
  return op.refused != 0 || op.kind == OpKind::lease ? nullptr : &op;
}

void Runner::attempt(Life& life, Op& op) {
  if (!attempt_on(life, op)) return;
  const LifePtr server = server_;
  if (server == nullptr || server->dead || server->store == nullptr) return;
  ++server->users;
  std::ignore = attempt_on(*server, op);
  --server->users;
}

bool Runner::attempt_on(Life& life, Op& op) {
  store::Store& store = *life.store;
  const uint64_t began = oracle_.begin(op);
  world_.log("begin " + std::to_string(op.number) + " kind " + std::to_string(static_cast<int>(op.kind)) +
             " task " + std::to_string(op.task));
  if (is_work(op.kind)) {
    const auto result = store.commit(op.kind == OpKind::lease ? "" : command_id(op), plan_of(op));
    if (!result.ok()) return judge_error(life, op, result.error());
    world_.log("acknowledged " + std::to_string(op.number) + " sequence " +
               std::to_string(result->sequence) + (result->replayed ? " again" : ""));
    oracle_.committed(op, began, *result);
    return false;
  }
  const bool kept = op.acked != 0 && !world_.plan.interval;
  const auto result = [&]() -> Result<store::IngestResult> {
    if (op.kind == OpKind::spans) return store.ingest(spans_of(op), "", tenant_of(op));
    if (op.kind == OpKind::logs) return store.ingest(logs_of(op), "", tenant_of(op));
    return store.ingest(metrics_of(op), "", tenant_of(op));
  }();
  if (!result.ok()) return judge_error(life, op, result.error());
  world_.log("acknowledged " + std::to_string(op.number) + (result->duplicate ? " again" : "") +
             " accepted " + std::to_string(result->accepted));
  oracle_.ingested(op, *result);
  if (kept && result->accepted > 0 && !result->duplicate) {
    complain("operation " + std::to_string(op.number) + " was written again");
  }
  return false;
}

bool Runner::judge_error(Life& life, Op& op, const Error& error) {
  world_.log("failed " + std::to_string(op.number) + ": " + error.message);
  if (is_refusal(error)) {
    oracle_.refused(op, error);
    return false;
  }
  oracle_.failed(op);
  if (error.hint == "server") return true;
  if (error.message.find("somebody else") != std::string::npos) {
    if (error.message.find("is held") == std::string::npos) {
      complain("a lock that is held does not say so: " + error.message);
    }
    return false;
  }
  if (error.message.find("telemetry comes faster") != std::string::npos) return false;
  if (error.message.find("can no longer be written") != std::string::npos) life.retires = true;
  if (!life.dead && life.faults == 0 && !life.was_full) {
    complain("operation " + std::to_string(op.number) + " failed and nothing was wrong: " +
             error.to_string());
  }
  return false;
}

// A store that failed for good tells so before it looks at what is to be done.
bool Runner::has_failed(Life& life) {
  if (life.faults == 0 && !life.was_full) return false;
  const auto result = life.store->commit(
      "", [](const store::WorkView&) -> Result<store::WorkTransaction> { return {Code::conflict, ""}; });
  return !result.ok() && result.error().message.find("can no longer be written") != std::string::npos;
}

void Runner::read(Life& life) {
  const uint64_t began = oracle_.tick();
  const auto seen = observe(*life.store);
  ++reads_;
  if (seen.ok()) {
    const bool stale = life.dead || has_failed(life);
    world_.log("read sequence " + std::to_string(seen->sequence) + (stale ? " stale" : ""));
    oracle_.check(*seen, began, stale);
    if (!oracle_.problem().empty()) world_.log(oracle_.problem());
    return;
  }
  world_.log("reading failed: " + seen.error().message);
  // A full disk is no reason.
  if (!life.dead && life.faults == 0) complain("reading failed: " + seen.error().to_string());
}

void Runner::cut(Life& life) {
  world_.log("begin cut");
  Status status = life.store->cut();
  if (status.ok() && world_.plan.background) status = life.store->compact();
  world_.log("end cut" + (status.ok() ? "" : ": " + status.error().message));
  ++cuts_;
  if (status.ok() || life.dead || life.faults > 0 || life.was_full) return;
  const Error& error = status.error();
  if (error.hint == "server" || error.message.find("somebody else") != std::string::npos) return;
  complain("a cut failed and nothing was wrong: " + error.to_string());
}

}  // namespace contextcore::sim
