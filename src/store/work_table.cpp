#include "store/work_table.h"

#include <algorithm>
#include <optional>
#include <utility>

#include "base/sort.h"
#include "store/read_failures.h"
#include "store/rows_spans.h"
#include "store/work_table_file.h"
#include "store/work_table_map.h"
#include "store/work_table_writer.h"

namespace contextcore::store {
namespace {

// files: newest first. rows: what differs from them. children and dependents: the pairs of `rows`
// only; a pair of a file counts unless its row is in `rows` or in a newer file.
class WorkTableImpl : public WorkTable, public std::enable_shared_from_this<WorkTableImpl> {
 public:
  using Files = std::vector<std::shared_ptr<const WorkTableFile>>;
  explicit WorkTableImpl(Files files) : files_(std::move(files)) {}

  const WorkRow* find(const otlp::SpanId& id) const override { return find_number(number_of(id)); }

  std::vector<const WorkRow*> children(const otlp::SpanId& id) const override {
    return related(number_of(id), &WorkTableFile::children, children_);
  }
  std::vector<const WorkRow*> dependents(const otlp::SpanId& id) const override {
    return related(number_of(id), &WorkTableFile::dependents, dependents_);
  }

  void scan(const std::function<bool(const WorkRow&)>& fn) const override {
    merge(files_.size(), fn);
  }

  void scan_keys(const WorkFilter& filter,
                 const std::function<bool(const WorkKey&)>& fn) const override {
    WorkIds hidden;
    bool going = true;
    rows_.for_each_from(0, [&](uint64_t id, const RowPointer& row) {
      if (!has_key(row->kind)) return true;
      hidden.insert(id);
      const WorkKey key = WorkKey::of(*row);
      if (filter.accepts(key)) going = fn(key);
      return going;
    });
    for (size_t i = 0; i < files_.size() && going; ++i) {
      // An ended row hides the open one of an older file.
      const bool last = i + 1 == files_.size();
      WorkFilter wanted = filter;
      wanted.open_only = last && filter.open_only;
      std::vector<uint64_t> here;
      files_[i]->scan_keys(wanted, [&](const WorkKey& key) {
        const uint64_t id = number_of(key.span_id);
        if (!last) here.push_back(id);
        if (filter.accepts(key) && !hidden.contains(id)) going = fn(key);
        return going;
      });
      hidden.insert(here.begin(), here.end());
    }
  }

  // Counted when asked for: knowing which rows are new would read a block of a file for each.
  size_t size() const override {
    size_t count = files_.empty() ? 0 : files_.back()->size();
    if (files_.size() > 1) {
      count = 0;
      merge_ids(files_.size(), [&count](auto&&...) { return ++count, true; });
      return count;
    }
    rows_.for_each_from(0, [&](uint64_t id, const RowPointer&) {
      if (files_.empty() || !files_.back()->contains(id)) ++count;
      return true;
    });
    return count;
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

  std::shared_ptr<const WorkTable> onto(const WorkTable& since,
                                        const std::shared_ptr<const WorkTable>& base) const override {
    const auto& before = static_cast<const WorkTableImpl&>(since);
    if (files_ != before.files_) return shared_from_this();  // made anew
    auto next = std::make_shared<WorkTableImpl>(static_cast<const WorkTableImpl&>(*base));
    rows_.for_each_from(0, [&](uint64_t id, const RowPointer& row) {
      const RowPointer* old = before.rows_.find(id);
      if (old == nullptr || *old != row) next->put(row);
      return true;
    });
    return next;
  }

  Result<std::shared_ptr<const WorkTable>> reopened(FileSystem& files) const override {
    auto next = std::make_shared<WorkTableImpl>(*this);
    for (auto& file : next->files_) {
      if (is_read_failure(file->status())) {
        CC_ASSIGN(file, WorkTableFile::open(files, file->path()));
      }
    }
    return std::shared_ptr<const WorkTable>(std::move(next));
  }

  size_t files_to_keep() const override {
    uint64_t rows = rows_.size();
    size_t merged = 0;
    while (merged < files_.size() && files_[merged]->size() <= 2 * rows) rows += files_[merged++]->size();
    return files_.size() - merged;
  }

  Status write(FileSystem& files, const std::string& path, size_t keep) const override {
    CC_ASSIGN(WorkTableWriter writer, WorkTableWriter::create(files, path));
    Status written;
    merge(files_.size() - keep, [&](const WorkRow& row) {
      written = writer.add(row);
      return written.ok();
    });
    CC_TRY(written);
    // A table that could not be read whole must not be written as if it were.
    CC_TRY(status());
    return writer.finish();
  }

  size_t file_count() const override { return files_.size(); }
  WorkIds hiding(const std::function<bool(const WorkKey&)>& hides) const override {
    WorkIds ids;
    for (const auto& file : files_) {
      const std::vector<uint64_t>& of_file = file->hiding(hides);
      ids.insert(of_file.begin(), of_file.end());
    }
    rows_.for_each_from(0, [&](uint64_t id, const RowPointer& row) {
      if (has_key(row->kind) && hides(WorkKey::of(*row))) ids.insert(id);
      return true;
    });
    return ids;
  }
  Status status() const override {
    for (const auto& file : files_) CC_TRY(file->status());
    return {};
  }
  Status verify() const override {
    for (const auto& file : files_) CC_TRY(file->verify());
    return {};
  }
  size_t changed_count() const override { return rows_.size(); }

 private:
  using RowPointer = std::shared_ptr<const WorkRow>;
  struct Nothing {};
  using Pairs = PersistentMap<WorkPair, Nothing>;

  const WorkRow* find_number(uint64_t id) const {
    if (const RowPointer* row = rows_.find(id)) return row->get();
    for (const auto& file : files_) {
      if (const WorkRow* row = file->find(id)) return row;
    }
    return nullptr;
  }

  // The rows of `rows` and of the `newest` newest files, ascending, each id once: fn(id, row, cursor) with the row or,
  // where it lies in a file, the cursor at it; until fn returns false.
  template <typename Fn>
  void merge_ids(size_t newest, Fn&& fn) const {
    std::vector<std::pair<uint64_t, const WorkRow*>> changed;
    changed.reserve(rows_.size());
    rows_.for_each_from(0, [&](uint64_t id, const RowPointer& row) {
      changed.emplace_back(id, row.get());
      return true;
    });
    std::vector<WorkTableFile::Cursor> cursors;
    for (size_t i = 0; i < newest; ++i) cursors.emplace_back(*files_[i]);
    for (size_t next = 0;;) {
      // The least id; of those the newest row.
      std::optional<uint64_t> least;
      WorkTableFile::Cursor* from = nullptr;
      if (next < changed.size()) least = changed[next].first;
      for (WorkTableFile::Cursor& cursor : cursors) {
        if (cursor.done() || (least && cursor.id() >= *least)) continue;
        least = cursor.id();
        from = &cursor;
      }
      if (!least) return;
      if (!fn(*least, from == nullptr ? changed[next].second : nullptr, from)) return;
      if (next < changed.size() && changed[next].first == *least) ++next;
      for (WorkTableFile::Cursor& cursor : cursors) {
        if (!cursor.done() && cursor.id() == *least) cursor.advance();
      }
    }
  }

  template <typename Fn>
  void merge(size_t newest, Fn&& fn) const {
    merge_ids(newest, [&](uint64_t, const WorkRow* row, const WorkTableFile::Cursor* cursor) {
      if (row == nullptr) row = cursor->row();
      return row == nullptr || fn(*row);  // nullptr: damaged, status() says so
    });
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

  std::vector<const WorkRow*> related(uint64_t key,
                                      std::vector<uint64_t> (WorkTableFile::*of_file)(uint64_t) const,
                                      const Pairs& changed) const {
    std::vector<uint64_t> ids;
    for (size_t i = 0; i < files_.size(); ++i) {
      for (const uint64_t id : (*files_[i].*of_file)(key)) {
        if (rows_.find(id) == nullptr && !in_newer_file(i, id)) ids.push_back(id);
      }
    }
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
  bool in_newer_file(size_t file, uint64_t id) const {
    return std::any_of(files_.begin(), files_.begin() + static_cast<std::ptrdiff_t>(file),
                       [id](const auto& newer) { return newer->contains(id); });
  }

  Files files_;
  PersistentMap<uint64_t, RowPointer> rows_;
  Pairs children_, dependents_;
};

}  // namespace

std::shared_ptr<const WorkTable> WorkTable::empty() {
  return std::make_shared<WorkTableImpl>(WorkTableImpl::Files());
}

Result<std::shared_ptr<const WorkTable>> WorkTable::open(FileSystem& files,
                                                         const std::vector<std::string>& paths) {
  WorkTableImpl::Files opened;
  for (const std::string& path : paths) {
    CC_ASSIGN(std::shared_ptr<const WorkTableFile> file, WorkTableFile::open(files, path));
    opened.push_back(std::move(file));
  }
  return std::shared_ptr<const WorkTable>(std::make_shared<WorkTableImpl>(std::move(opened)));
}

}  // namespace contextcore::store
