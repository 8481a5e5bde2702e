#include "store/work_table.h"

#include <algorithm>

#include "base/sort.h"
#include "store/rows_spans.h"
#include "store/work_table_file.h"
#include "store/work_table_map.h"

namespace contextcore::store {
namespace {

// base: the file, or nothing. rows: what differs from it. children and dependents: the pairs of
// `rows` only; a pair of the base counts unless its row is in `rows`.
class WorkTableImpl : public WorkTable {
 public:
  explicit WorkTableImpl(std::shared_ptr<const WorkTableFile> base) : base_(std::move(base)) {}

  const WorkRow* find(const otlp::SpanId& id) const override { return find_number(number_of(id)); }

  std::vector<const WorkRow*> children(const otlp::SpanId& id) const override {
    const uint64_t key = number_of(id);
    return related(key, base_ != nullptr ? base_->children(key) : std::vector<uint64_t>(),
                   children_);
  }
  std::vector<const WorkRow*> dependents(const otlp::SpanId& id) const override {
    const uint64_t key = number_of(id);
    return related(key, base_ != nullptr ? base_->dependents(key) : std::vector<uint64_t>(),
                   dependents_);
  }

  void scan(const std::function<bool(const WorkRow&)>& fn) const override {
    scan_if(WorkFilter{}, fn);
  }
  void scan_if(const WorkFilter& filter,
               const std::function<bool(const WorkRow&)>& fn) const override {
    // Two ascending sequences; a row of the overlay hides its namesake in the base.
    uint64_t next = 0;
    bool going = true;
    const auto overlay_until = [&](uint64_t limit, bool bounded) {
      rows_.for_each_from(next, [&](uint64_t id, const RowPointer& row) {
        if (bounded && id >= limit) return false;
        if (filter.accepts(row->kind, row->end_ns)) going = fn(*row);
        return going;
      });
    };
    if (base_ != nullptr) {
      base_->scan(filter, [&](const WorkRow& row) {
        const uint64_t id = number_of(row.span_id);
        if (rows_.size() == 0) {
          going = fn(row);
        } else {
          overlay_until(id, true);
          next = id;
          if (going && rows_.find(id) == nullptr) going = fn(row);
        }
        return going;
      });
    }
    if (going) overlay_until(0, false);
  }

  // Counted when asked for: knowing which rows are new would read a block of the base for each.
  size_t size() const override {
    if (base_ == nullptr) return rows_.size();
    size_t added = 0;
    rows_.for_each_from(0, [&](uint64_t id, const RowPointer&) {
      if (!base_->contains(id)) ++added;
      return true;
    });
    return base_->size() + added;
  }

  std::shared_ptr<const WorkTable> with(std::vector<WorkRow> changed) const override {
    auto next = std::make_shared<WorkTableImpl>(*this);
    if (rows_.size() == 0) {
      next->fill(std::move(changed));
      return next;
    }
    for (WorkRow& row : changed) next->put(std::make_shared<const WorkRow>(std::move(row)));
    return next;
  }

  Status write(FileSystem& files, const std::string& path) const override {
    CC_ASSIGN(WorkTableWriter writer, WorkTableWriter::create(files, path));
    Status written;
    scan([&](const WorkRow& row) {
      written = writer.add(row);
      return written.ok();
    });
    CC_TRY(written);
    // A table that could not be read whole must not be written as if it were.
    CC_TRY(status());
    return writer.finish();
  }

  Status status() const override { return base_ != nullptr ? base_->status() : Status(); }
  Status verify() const override { return base_ != nullptr ? base_->verify() : Status(); }
  size_t changed_count() const override { return rows_.size(); }

 private:
  using RowPointer = std::shared_ptr<const WorkRow>;
  struct Nothing {};
  using Pairs = PersistentMap<WorkPair, Nothing>;

  const WorkRow* find_number(uint64_t id) const {
    if (const RowPointer* row = rows_.find(id)) return row->get();
    return base_ != nullptr ? base_->find(id) : nullptr;
  }

  // put() of many, when there are none yet.
  void fill(std::vector<WorkRow> changed) {
    std::vector<std::pair<uint64_t, RowPointer>> rows;
    std::vector<std::pair<WorkPair, Nothing>> children, dependents;
    rows.reserve(changed.size());
    for (WorkRow& row : changed) {
      rows.emplace_back(number_of(row.span_id), std::make_shared<const WorkRow>(std::move(row)));
    }
    keep_last(rows);
    for (const auto& [id, row] : rows) {
      if (!row->parent_span_id.empty()) {
        children.push_back({{number_of(row->parent_span_id), id}, {}});
      }
      for (const WorkEdge& edge : row->depends_on) {
        dependents.push_back({{number_of(edge.target), id}, {}});
      }
    }
    keep_last(children);
    keep_last(dependents);
    rows_ = PersistentMap<uint64_t, RowPointer>::from_sorted(std::move(rows));
    children_ = Pairs::from_sorted(std::move(children));
    dependents_ = Pairs::from_sorted(std::move(dependents));
  }

  // Sorts by key; of those with the same key the last stays.
  template <typename Key, typename Value>
  static void keep_last(std::vector<std::pair<Key, Value>>& items) {
    sort_stably(items, [](const auto& a, const auto& b) { return a.first < b.first; });
    size_t kept = 0;
    for (size_t i = 0; i < items.size(); ++i) {
      if (kept > 0 && items[kept - 1].first == items[i].first) --kept;
      if (kept != i) items[kept] = std::move(items[i]);
      ++kept;
    }
    items.resize(kept);
  }

  void put(RowPointer row) {
    const uint64_t id = number_of(row->span_id);
    if (const RowPointer* old = rows_.find(id)) {
      children_.erase({number_of((*old)->parent_span_id), id});
      for (const WorkEdge& edge : (*old)->depends_on)
        dependents_.erase({number_of(edge.target), id});
    }
    if (!row->parent_span_id.empty()) children_.put({number_of(row->parent_span_id), id}, {});
    for (const WorkEdge& edge : row->depends_on) dependents_.put({number_of(edge.target), id}, {});
    rows_.put(id, std::move(row));
  }

  std::vector<const WorkRow*> related(uint64_t key, std::vector<uint64_t> ids,
                                      const Pairs& changed) const {
    std::erase_if(ids, [this](uint64_t id) { return rows_.find(id) != nullptr; });
    changed.for_each_from({key, 0}, [&](const WorkPair& pair, Nothing) {
      if (pair.key != key) return false;
      ids.push_back(pair.value);
      return true;
    });
    std::sort(ids.begin(), ids.end());
    std::vector<const WorkRow*> rows;
    rows.reserve(ids.size());
    for (const uint64_t id : ids) {
      if (const WorkRow* row = find_number(id)) rows.push_back(row);
    }
    return rows;
  }

  std::shared_ptr<const WorkTableFile> base_;
  PersistentMap<uint64_t, RowPointer> rows_;
  Pairs children_, dependents_;
};

}  // namespace

std::shared_ptr<const WorkTable> WorkTable::empty() {
  return std::make_shared<WorkTableImpl>(nullptr);
}

Result<std::shared_ptr<const WorkTable>> WorkTable::open(FileSystem& files,
                                                         const std::string& path) {
  CC_ASSIGN(std::shared_ptr<const WorkTableFile> base, WorkTableFile::open(files, path));
  return std::shared_ptr<const WorkTable>(std::make_shared<WorkTableImpl>(std::move(base)));
}

}  // namespace contextcore::store
