// The work table: its blocks, and its rows against what the journal's spans say. It is a cache, so
// nothing that is wrong with it is lost.

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "store/column_value.h"
#include "store/verify_parts.h"
#include "store/work_table_file.h"

namespace contextcore::store {
namespace {

constexpr const char* kRemedy =
    "remove the file while nobody has the store open: it is a cache, made anew from the spans when the store opens";
constexpr size_t kSaidMax = 20;

std::vector<std::string> table_paths(const PinnedFiles& files) {
  std::vector<std::string> paths;
  for (const uint64_t number : files.manifest().work_numbers) {
    paths.push_back(data_path(files.directory(), number, "work"));
  }
  return paths;
}

// What may differ without either being wrong: a renewed lease changes no span, and only a table that
// is kept up to date knows sums.
bool same_row(WorkRow kept, const WorkRow& expected) {
  if (expected.claim_token != 0 && kept.claim_token == expected.claim_token) {
    kept.lease_end_ns = expected.lease_end_ns;
    kept.heartbeats = expected.heartbeats;
  }
  kept.below = expected.below;
  kept.tallied = expected.tallied;
  return kept == expected;
}

std::vector<otlp::SpanId> ids_of(const std::vector<const WorkRow*>& rows) {
  std::vector<otlp::SpanId> ids;
  for (const WorkRow* row : rows) ids.push_back(row->span_id);
  return ids;
}

// Why a row of the table is not what the journal says; nullopt: it is.
std::optional<std::string> difference(const Verification& all, const WorkTable& expected, const WorkRow& row) {
  const WorkRow* kept = all.table->find(row.span_id);
  if (kept == nullptr) return "it has no row of it";
  if (kept->revision != row.revision) {
    return fmt::format("it has revision {} of it, the journal {}", kept->revision, row.revision);
  }
  if (!same_row(*kept, row)) return "its row of it is not what its span says";
  if (ids_of(all.table->children(row.span_id)) != ids_of(expected.children(row.span_id))) return "its children differ";
  if (ids_of(all.table->dependents(row.span_id)) != ids_of(expected.dependents(row.span_id))) {
    return "what depends on it differs";
  }
  if (!kept->tallied || !all.hooks().tally) return std::nullopt;
  WorkTally below;
  for (const WorkRow* child : expected.children(row.span_id)) below += all.hooks().tally(*child);
  if (!(below == kept->below)) return "the sums over its children do not add up";
  return std::nullopt;
}

// What lists read has to say the same as the rows.
void compare_keys(Verification& all, const std::string& path) {
  size_t rows = 0, keys = 0, wrong = 0;
  std::string first;
  all.table->scan([&](const WorkRow& row) {
    rows += has_key(row.kind) ? 1 : 0;
    return true;
  });
  all.table->scan_keys(WorkFilter{}, [&](const WorkKey& key) {
    ++keys;
    const WorkRow* row = all.table->find(key.span_id);
    if (row != nullptr && WorkKey::of(*row) == key) return true;
    if (wrong++ == 0) first = otlp::to_hex(key.span_id);
    return true;
  });
  if (wrong > 0) all.add(path, "keys", fmt::format("{} of {} are not those of their rows, the first of span {}", wrong, keys, first), kRemedy);
  if (keys != rows) all.add(path, "keys", fmt::format("it has {} of {} rows", keys, rows), kRemedy);
}

// Of any version that is read.
void verify_work_header(Verification& all, const std::string& path) {
  std::string bytes(kWorkHeaderBytes, '\0');
  const auto file = all.files().open(path, OpenMode::read);
  if (!file.ok()) return;
  const auto got = (*file)->read_at(0, bytes.data(), bytes.size());
  ByteReader reader(bytes);
  const bool magic = reader.take(8) == kWorkMagic;
  const uint32_t version = reader.u32();
  if (!got.ok() || !magic || version < kWorkVersionOldest || version > kWorkVersion || reader.u32() != 0) {
    all.add(path, "header", "it is not the header of a work table", kRemedy);
  }
}

}  // namespace

void open_work_table(Verification& all) {
  bool whole = true;
  for (const std::string& path : table_paths(all.files())) {
    if (!all.files().data_files().contains(path)) {
      all.add(path, {}, "it does not exist, but " + all.files().manifest_path() + " names it", kRemedy);
      whole = false;
      continue;
    }
    verify_work_header(all, path);
    const auto file = WorkTableFile::open(all.files(), path);
    if (!file.ok()) {
      all.add(path, "directory", file.status(), kRemedy);
      whole = false;
      continue;
    }
    for (const Error& error : (*file)->damages(all.report().pages)) {
      all.add(path, {}, Status(error), kRemedy);
      whole = false;
    }
  }
  auto table = WorkTable::open(all.files(), table_paths(all.files()));
  if (!table.ok()) return;
  all.table = std::move(table).value();
  if (whole) all.report().work_rows = all.table->size();
  all.work_table_whole = whole;
}

void verify_work_table(Verification& all) {
  if (all.table == nullptr || !all.work_table_whole) return;
  const std::vector<std::string> paths = table_paths(all.files());
  const std::string path = paths.empty() ? all.files().manifest_path() : paths.front();
  compare_keys(all, path);
  if (!all.hooks().row) return;
  if (!all.journal_whole) {
    all.report().notes.push_back("the work table was not compared with the journal's spans, since some of these are damaged");
    return;
  }
  std::vector<otlp::SpanId> twice;
  std::sort(all.journal_rows.begin(), all.journal_rows.end(),
            [](const WorkRow& a, const WorkRow& b) { return a.span_id < b.span_id; });
  for (size_t i = 1; i < all.journal_rows.size(); ++i) {
    if (all.journal_rows[i].span_id == all.journal_rows[i - 1].span_id) twice.push_back(all.journal_rows[i].span_id);
  }
  for (size_t i = 0; i < std::min(twice.size(), kSaidMax); ++i) {
    all.add({all.files().directory(), "journal", {}, "two revisions of a span are visible", {all.name_of(twice[i])},
             "run `contextcore rebuild`: it writes every span anew from the log"});
  }
  const std::shared_ptr<const WorkTable> expected = WorkTable::empty()->with(all.journal_rows);
  size_t wrong = 0;
  for (const WorkRow& row : all.journal_rows) {
    const auto said = difference(all, *expected, row);
    if (said && wrong++ < kSaidMax) all.add({path, "rows", {}, *said, {all.name_of(row.span_id)}, kRemedy});
  }
  size_t unknown = 0;
  all.table->scan([&](const WorkRow& row) {
    unknown += expected->find(row.span_id) == nullptr ? 1 : 0;
    return true;
  });
  if (wrong > kSaidMax) all.add(path, "rows", fmt::format("{} rows in all are not what the journal says", wrong), kRemedy);
  if (unknown > 0) all.add(path, "rows", fmt::format("{} rows are of spans that the journal does not have", unknown), kRemedy);
}

}  // namespace contextcore::store
