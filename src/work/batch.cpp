#include "work/batch.h"

#include <algorithm>
#include <map>
#include <set>

#include "store/work_tally.h"
#include "work/args.h"
#include "work/row.h"

namespace contextcore::work {
namespace {

using store::JournalSpan;
using store::WorkRow;

// A view with the effects of plans that are not written yet.
class Overlay : public store::WorkView, public store::WorkIndexView {
 public:
  explicit Overlay(const store::WorkView& base) : base_(base) {}

  void apply(store::WorkTransaction planned);
  store::WorkTransaction take();

  // WorkView
  int64_t now_ns() const override { return base_.now_ns(); }
  const store::WorkIndexView& index() const override { return *this; }
  Result<std::optional<JournalSpan>> span(const otlp::SpanId& id) const override {
    const auto known = spans_.find(id);
    if (known != spans_.end()) return std::optional<JournalSpan>(known->second);
    return base_.span(id);
  }
  Result<std::vector<otlp::LogRecord>> events(const otlp::SpanId& id) const override {
    CC_ASSIGN(std::vector<otlp::LogRecord> records, base_.events(id));
    const auto [from, to] = events_of_.equal_range(id);
    for (auto it = from; it != to; ++it) records.push_back(out_.events[it->second].record);
    return records;
  }

  // WorkIndexView
  const WorkRow* find(const otlp::SpanId& id) const override {
    const auto known = rows_.find(id);
    return known != rows_.end() ? &known->second : base_.index().find(id);
  }
  std::vector<const WorkRow*> children(const otlp::SpanId& id) const override {
    return merged(base_.index().children(id), children_, id);
  }
  std::vector<const WorkRow*> dependents(const otlp::SpanId& id) const override {
    return merged(base_.index().dependents(id), dependents_, id);
  }
  void scan(const std::function<bool(const WorkRow&)>& fn) const override;
  size_t size() const override { return base_.index().size() + added_; }

 private:
  using Edges = std::map<otlp::SpanId, std::set<otlp::SpanId>>;

  std::vector<const WorkRow*> merged(std::vector<const WorkRow*> base, const Edges& edges,
                                     const otlp::SpanId& id) const;
  void put_row(WorkRow row);

  const store::WorkView& base_;
  store::WorkTransaction out_;
  std::map<otlp::SpanId, JournalSpan> spans_;
  std::map<otlp::SpanId, WorkRow> rows_;
  std::multimap<otlp::SpanId, size_t> events_of_;  // places in out_.events, in order
  Edges children_, dependents_;
  size_t added_ = 0;
};

std::vector<const WorkRow*> Overlay::merged(std::vector<const WorkRow*> base, const Edges& edges,
                                            const otlp::SpanId& id) const {
  std::erase_if(base, [&](const WorkRow* row) { return rows_.contains(row->span_id); });
  if (const auto own = edges.find(id); own != edges.end()) {
    for (const otlp::SpanId& other : own->second) base.push_back(&rows_.at(other));
    std::sort(base.begin(), base.end(),
              [](const WorkRow* a, const WorkRow* b) { return a->span_id < b->span_id; });
  }
  return base;
}

void Overlay::scan(const std::function<bool(const WorkRow&)>& fn) const {
  auto own = rows_.begin();
  bool more = true;
  base_.index().scan([&](const WorkRow& row) {
    for (; more && own != rows_.end() && own->first < row.span_id; ++own) more = fn(own->second);
    if (!more) return false;
    const bool replaced = own != rows_.end() && own->first == row.span_id;
    more = fn(replaced ? (own++)->second : row);
    return more;
  });
  for (; more && own != rows_.end(); ++own) more = fn(own->second);
}

void Overlay::put_row(WorkRow row) {
  const otlp::SpanId id = row.span_id;
  const auto old = rows_.find(id);
  if (old == rows_.end()) {
    if (!base_.index().find(id)) added_++;
  } else {
    children_[old->second.parent_span_id].erase(id);
    for (const store::WorkEdge& edge : old->second.depends_on) dependents_[edge.target].erase(id);
  }
  children_[row.parent_span_id].insert(id);
  for (const store::WorkEdge& edge : row.depends_on) dependents_[edge.target].insert(id);
  rows_.insert_or_assign(id, std::move(row));
}

void Overlay::apply(store::WorkTransaction planned) {
  for (store::JournalEvent& event : planned.events) {
    events_of_.emplace(event.record.span_id, out_.events.size());
    out_.events.push_back(std::move(event));
  }
  std::vector<WorkRow> rows;
  for (JournalSpan& span : planned.spans) {
    WorkRow& row = rows.emplace_back(row_of(span));
    const WorkRow* before = find(row.span_id);
    if (before && row.claim_token != 0 && row.claim_token == before->claim_token) {
      row.lease_end_ns = std::max(row.lease_end_ns, before->lease_end_ns);
      row.heartbeats = before->heartbeats;
    }
    spans_.insert_or_assign(span.span.span_id, std::move(span));
  }
  std::vector<store::TallyChange> others;
  store::tally_rows([](const WorkRow& row) { return tally_of(row); }, *this, rows, others);
  for (WorkRow& row : rows) put_row(std::move(row));
  for (const auto& [id, tally] : others) {
    WorkRow row = *find(id);
    row.below = tally;
    row.tallied = true;
    put_row(std::move(row));
  }
  for (const store::LeaseRenewal& lease : planned.leases) {
    const WorkRow* before = find(lease.span_id);
    if (!before || before->claim_token != lease.claim_token) continue;
    WorkRow row = *before;
    row.lease_end_ns = lease.lease_end_ns;
    row.heartbeats = lease.heartbeats;
    put_row(std::move(row));
    out_.leases.push_back(lease);
  }
  out_.forwards.insert(out_.forwards.end(), planned.forwards.begin(), planned.forwards.end());
}

store::WorkTransaction Overlay::take() {
  for (auto& [id, span] : spans_) out_.spans.push_back(std::move(span));
  // Only the last word on a lease counts, and only of the claim that is left.
  std::map<otlp::SpanId, store::LeaseRenewal> last;
  for (const store::LeaseRenewal& lease : out_.leases) last[lease.span_id] = lease;
  out_.leases.clear();
  for (const auto& [id, lease] : last) {
    const WorkRow* row = find(id);
    if (row && row->claim_token == lease.claim_token) out_.leases.push_back(lease);
  }
  return std::move(out_);
}

// Of an answer only what a caller needs to go on: whole tasks would be kept with the command.
Json short_answer(const std::string& result) {
  const auto json = parse_json(result);
  if (!json.ok()) return Json(JsonObject());
  JsonObject out;
  for (const std::string_view name :
       {"changed", "ended", "revision", "trace_id", "span_id", "token", "lease_end", "warnings"}) {
    if (const Json* value = json->find(name)) out.emplace_back(name, *value);
  }
  for (const std::string_view name : {"task", "insight", "sprint"}) {
    const Json* about = json->find(name);
    if (about && about->find("id")) out.emplace_back("id", *about->find("id"));
  }
  return Json(std::move(out));
}

Result<Command> part_of(const Command& whole, const Json& json, size_t number) {
  static constexpr std::array<std::string_view, 6> kPartFields = {
      "op", "project", "args", "time", "expected_revision", "actor"};
  CC_TRY(Args::make("a command of a batch", json, kPartFields).status());
  CC_ASSIGN(Command part, command_from_json(json));
  if (part.op == "batch") {
    return Error{Code::invalid_argument, "a batch in a batch", {}, {}, {}};
  }
  if (part.project.empty()) part.project = whole.project;
  if (!json.find("actor")) part.actor = whole.actor;
  if (!part.time_ns) part.time_ns = whole.time_ns;
  part.vocabulary = whole.vocabulary;
  if (!whole.command_id.empty()) part.command_id = whole.command_id + "." + std::to_string(number);
  return part;
}

Error at_command(Error error, size_t number) {
  error.message = "command " + std::to_string(number) + ": " + error.message;
  return error;
}

}  // namespace

Result<store::WorkTransaction> plan_batch(const store::WorkView& view, const Command& command,
                                          const Settings& settings) {
  static constexpr std::array<std::string_view, 1> kFields = {"commands"};
  CC_ASSIGN(const Args args, Args::make("batch", command.args, kFields));
  const Json* commands = args.find("commands");
  if (!commands || !commands->as_array()) {
    return Error{Code::invalid_argument, "batch needs commands: a list", {}, {}, {}};
  }
  if (commands->as_array()->size() > kBatchCommandsMax) {
    return Error{Code::resource_exhausted,
                 "a batch of " + std::to_string(commands->as_array()->size()) +
                     " commands; at most " + std::to_string(kBatchCommandsMax) + " go at once",
                 "send it in parts",
                 {},
                 {}};
  }
  Overlay overlay(view);
  JsonArray results;
  for (const Json& json : *commands->as_array()) {
    const size_t number = results.size() + 1;
    auto part = part_of(command, json, number);
    if (!part.ok()) return at_command(std::move(part).error(), number);
    auto planned = plan(overlay, *part, settings);
    if (!planned.ok()) return at_command(std::move(planned).error(), number);
    results.push_back(short_answer(planned->result));
    overlay.apply(std::move(*planned));
  }
  store::WorkTransaction out = overlay.take();
  out.command_id = command.command_id;
  out.result = to_string(Json(
      JsonObject{{"changed", Json(!out.events.empty())}, {"results", Json(std::move(results))}}));
  return out;
}

}  // namespace contextcore::work
