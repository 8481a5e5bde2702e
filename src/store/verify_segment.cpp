// Segments of spans and logs: every page of every row group decodes, rows can be put together from
// them, and what is derived of the rows (zones, index, whole rows, masks) is consistent with them.

#include <fmt/format.h>

#include <algorithm>
#include <optional>
#include <set>

#include "otlp/protobuf.h"
#include "store/frame_work.h"
#include "store/rows_logs.h"
#include "store/rows_spans.h"
#include "store/segment_reader.h"
#include "store/trace_run.h"
#include "store/verify_parts.h"

namespace contextcore::store {
namespace {

class SegmentCheck {
 public:
  SegmentCheck(Verification& all, const SegmentInfo& info, std::shared_ptr<const SegmentFile> file)
      : all_(all),
        info_(info),
        file_(std::move(file)),
        footer_(file_->footer()),
        spans_(info.kind == RowsKind::spans),
        key_bytes_(key_bytes_of(footer_.kind)),
        resources_(*file_, footer_.resources, "resource"),
        scopes_(*file_, footer_.scopes, "scope"),
        ids_(footer_.rows * key_bytes_, '\0'),
        has_id_(footer_.rows) {}

  void run() {
    check_mask();
    check_objects(footer_.resources, "resources", resources_);
    check_objects(footer_.scopes, "scopes", scopes_);
    for (size_t group = 0; group < footer_.groups.size(); ++group) check_group(group);
    check_index();
    check_traces();
    name_affected();
    (spans_ ? all_.report().span_rows : all_.report().log_rows) += footer_.rows;
  }

 private:
  struct Rows {
    size_t begin = 0, end = 0;
  };

  void damage(const std::string& part, const std::string& what, std::optional<Rows> rows = {}) {
    Damage one{file_->path(), part, {}, what, {}, kRestoreRemedy};
    if (rows) one.rows = fmt::format("{} to {}", rows->begin, rows->end - 1);
    if (all_.report().damages.size() < kDamagesMax && rows) {
      affected_.emplace_back(all_.report().damages.size(), *rows);
    }
    all_.add(std::move(one));
  }

  void check_mask() {
    if (info_.mask_number == 0) return;
    const std::string path = data_path(all_.files().directory(), info_.mask_number, "mask");
    if (!all_.files().data_files().contains(path)) return;
    auto mask = read_mask(all_.files(), path, info_.rows);
    if (!mask.ok()) {
      all_.add(path, {}, fmt::format("its checksum does not match, or it is not of {} rows; without it superseded "
                                     "rows of {} would come back",
                                     info_.rows, file_->path()),
               "restore the file from a backup; the store does not open without it");
      if (journal()) all_.journal_whole = false;
      return;
    }
    mask_ = std::move(mask).value();
    all_.report().masked_rows += mask_->count();
    if (mask_->count() != info_.masked_rows) {
      all_.add(path, {}, fmt::format("it masks {} rows; the manifest says {}", mask_->count(), info_.masked_rows));
    }
  }

  bool journal() const { return info_.segment_class == SegmentClass::work; }

  template <typename Objects>
  void check_objects(const std::vector<BlockEntry>& blocks, const std::string& name, const Objects& objects) {
    for (size_t block = 0; block < blocks.size(); ++block) {
      ++all_.report().pages;
      const auto first = objects.at(block * kObjectsPerBlock);
      if (first.ok()) continue;
      if (spans_ && journal()) all_.journal_whole = false;
      damage(fmt::format("{}, block {}", name, block),
             reason_of(first.status()) + "; rows that have one of them cannot be read whole");
      objects_whole_ = false;
    }
  }

  void check_group(size_t number) {
    const SegmentGroup group(file_, number);
    const Rows rows{file_->first_row(number), file_->first_row(number + 1)};
    if (!check_pages(group, number, rows)) {
      if (spans_ && journal()) all_.journal_whole = false;
      take_ids(group, rows);
      if (spans_) {
        check_wholes<otlp::Span>(nullptr, rows);
      } else {
        check_wholes<otlp::LogRecord>(nullptr, rows);
      }
      return;
    }
    take_ids(group, rows);
    const std::string part = fmt::format("row group {}", number);
    std::string said;  // one damage a group of what contradicts itself
    if (spans_) {
      check_span_rows(group, rows, said);
    } else {
      check_log_rows(group, rows, said);
    }
    if (!said.empty()) damage(part, said, rows);
  }

  // Every page; false: one is damaged.
  bool check_pages(const SegmentGroup& group, size_t number, const Rows& rows) {
    bool whole = true;
    const auto check = [&](const Result<ColumnView>& view, const Zone& zone, const std::string& name) {
      ++all_.report().pages;
      const std::string part = fmt::format("row group {}, column {}", number, name);
      if (!view.ok()) {
        damage(part, reason_of(view.status()), rows);
        whole = false;
        return;
      }
      const Zone actual = zone_of(*view);
      if (zone.known && actual.known && (zone.min > actual.min || zone.max < actual.max)) {
        damage(part, fmt::format("it has values from {} to {}, but its zone says {} to {}", actual.min, actual.max,
                                 zone.min, zone.max),
               rows);
      }
    };
    for (const GroupEntry::FixedPage& page : footer_.groups[number].fixed) {
      check(group.fixed(page.column), page.page.zone, fixed_column(footer_.kind, page.column).name);
    }
    for (size_t table = 0; table < tables_of(footer_.kind, footer_.version); ++table) {
      for (size_t i = 0; i < group.attribute_count(table); ++i) {
        check(group.attribute(table, i), group.attribute_zone(table, i),
              std::string(attribute_prefix(footer_.kind, table)) + std::string(group.attribute_info(table, i).key));
      }
    }
    return whole;
  }

  // The ids that the index leads by, of a group whose page of them is readable.
  void take_ids(const SegmentGroup& group, const Rows& rows) {
    const size_t column = spans_ ? static_cast<size_t>(SpanColumn::trace_id) : static_cast<size_t>(LogColumn::span_id);
    const auto view = group.fixed(column);
    if (!view.ok()) return;
    for (size_t row = rows.begin; row < rows.end; ++row) {
      std::string key;
      if (spans_) {
        key = view->string_of(row - rows.begin);
      } else {
        const otlp::SpanId id = span_id_of(view->number_of(row - rows.begin));
        key.assign(reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size());
      }
      key.resize(key_bytes_, '\0');
      std::copy(key.begin(), key.end(), ids_.begin() + static_cast<std::ptrdiff_t>(row * key_bytes_));
      has_id_.set(row);
    }
  }

  std::string_view id_of(size_t row) const { return std::string_view(ids_).substr(row * key_bytes_, key_bytes_); }

  void check_span_rows(const SegmentGroup& group, const Rows& rows, std::string& said) {
    const auto number = [&](SpanColumn column, size_t row) {
      const auto view = group.fixed(static_cast<size_t>(column));
      return view.ok() ? view->number_of(row) : 0;
    };
    SpanZones zones;
    std::vector<otlp::Span> read(rows.end - rows.begin);
    for (size_t i = 0; i < read.size(); ++i) {
      const Status status = read_span(group, i, read[i]);
      const auto resource = resources_.at(number(SpanColumn::resource, i));
      const auto scope = scopes_.at(number(SpanColumn::scope, i));
      if (!status.ok() || ((!resource.ok() || !scope.ok()) && objects_whole_)) {
        if (said.empty()) {
          said = fmt::format("row {}: {}", rows.begin + i,
                             reason_of(!status.ok() ? status : !resource.ok() ? resource.status() : scope.status()));
        }
        continue;
      }
      const bool is_journal = number(SpanColumn::journal, i) != 0;
      const auto start = static_cast<int64_t>(read[i].start_ns), end = static_cast<int64_t>(read[i].end_ns);
      zones.add(start, effective_end(start, end, is_journal), end == 0 && is_journal);
      check_meta(is_journal, number(SpanColumn::sequence, i), rows.begin + i, said);
      check_tenant_of(number(SpanColumn::tenant, i), rows.begin + i, said);
      const auto row = static_cast<uint32_t>(rows.begin + i);
      if (!journal() || !resource.ok() || !scope.ok() || (mask_ != nullptr && mask_->test(row))) continue;
      if (!all_.hooks().row) continue;
      const JournalSpan span{**resource, **scope, read[i], static_cast<int64_t>(number(SpanColumn::revision, i))};
      all_.journal_rows.push_back(index_row(all_.hooks(), span));
    }
    const auto& known = footer_.groups[group.number()].zones;
    if (said.empty() && (known[0] > zones.min_start || known[1] < zones.max_start || known[2] < zones.max_end ||
                         known[3] < zones.max_duration || (zones.open && known[4] == 0))) {
      said = "its zones in the footer do not contain the times of its rows";
    }
    check_wholes(&read, rows);
  }

  void check_log_rows(const SegmentGroup& group, const Rows& rows, std::string& said) {
    const auto number = [&](LogColumn column, size_t row) {
      const auto view = group.fixed(static_cast<size_t>(column));
      return view.ok() ? view->number_of(row) : 0;
    };
    const auto& known = footer_.groups[group.number()].zones;
    std::vector<otlp::LogRecord> read(rows.end - rows.begin);
    for (size_t i = 0; i < read.size(); ++i) {
      otlp::LogRecord& record = read[i];
      Status status = read_log(group, i, record);
      if (status.ok() && objects_whole_) {
        status = resources_.at(number(LogColumn::resource, i)).status();
        if (status.ok()) status = scopes_.at(number(LogColumn::scope, i)).status();
      }
      if (!status.ok()) {
        if (said.empty()) said = fmt::format("row {}: {}", rows.begin + i, reason_of(status));
        continue;
      }
      const int64_t time = effective_time(record);
      if (said.empty() && (time < known[0] || time > known[1])) {
        said = fmt::format("row {}: its time is outside the zone in the footer", rows.begin + i);
      }
      if (said.empty() && number(LogColumn::stream, i) >= footer_.streams.size()) {
        said = fmt::format("row {}: it names no stream", rows.begin + i);
      }
      check_meta(number(LogColumn::journal, i) != 0, number(LogColumn::sequence, i), rows.begin + i, said);
      const uint64_t stream = number(LogColumn::stream, i);
      const auto& tenants = footer_.stream_tenants;
      check_tenant_of(stream < tenants.size() ? tenants[stream] : kDefaultTenant, rows.begin + i, said);
    }
    check_wholes(&read, rows);
  }

  void check_meta(bool is_journal, uint64_t sequence, size_t row, std::string& said) {
    if (!said.empty()) return;
    if (is_journal != journal()) {
      said = fmt::format("row {} is {}, but the manifest says that the file holds {}", row,
                         is_journal ? "work" : "received", journal() ? "work" : "what was received");
    } else if (sequence > all_.files().manifest().sequence) {
      said = fmt::format("row {} is of transaction {}, but the files end with {}", row, sequence,
                         all_.files().manifest().sequence);
    }
  }

  void check_tenant_of(uint64_t tenant, size_t row, std::string& said) {
    const std::vector<uint32_t>& listed = info_.tenants;
    const bool known = listed.empty() ? tenant == kDefaultTenant
                                      : std::find(listed.begin(), listed.end(), tenant) != listed.end();
    if (said.empty() && !known) {
      said = fmt::format("row {} is of tenant {}, which the manifest does not name for the file", row, tenant);
    }
  }

  // The blocks of whole rows that begin in these; read: the same rows from columns, null: unreadable.
  template <typename Row>
  void check_wholes(const std::vector<Row>* read, const Rows& rows) {
    if (footer_.wholes.blocks == 0) return;
    const auto begin_block = (rows.begin + kWholesPerBlock - 1) / kWholesPerBlock;
    for (size_t block = begin_block; block * kWholesPerBlock < rows.end; ++block) check_whole_block(block, read, rows);
  }

  static auto decode_whole(std::string_view bytes, const otlp::Span*) {
    return otlp::decode_span_protobuf(bytes, kStoredLimits);
  }
  static auto decode_whole(std::string_view bytes, const otlp::LogRecord*) {
    return otlp::decode_log_record_protobuf(bytes, kStoredLimits);
  }

  // What lies before the row itself: a span's resource and scope, a log record's sequence.
  bool check_whole_header(ByteReader& whole, const otlp::Span*) const {
    const uint64_t resource = whole.varint(), scope = whole.varint();
    return whole.ok() && resource < resources_.size() && scope < scopes_.size();
  }
  bool check_whole_header(ByteReader& whole, const otlp::LogRecord*) const {
    return whole.varint() <= all_.files().manifest().sequence && whole.ok();
  }

  template <typename Row>
  void check_whole_block(size_t number, const std::vector<Row>* read, const Rows& group) {
    const Rows rows{number * kWholesPerBlock, std::min<size_t>((number + 1) * kWholesPerBlock, footer_.rows)};
    const std::string part = fmt::format("whole rows, block {}", number);
    const size_t page = number / kBlocksPerDirectory;
    ++all_.report().pages;
    if (directory_damaged_.contains(page)) return;
    const auto entry = file_->whole_block(number);
    if (!entry.ok()) {
      directory_damaged_.insert(page);
      const size_t per_page = size_t{kBlocksPerDirectory} * kWholesPerBlock;
      damage(fmt::format("directory of whole rows, page {}", page), reason_of(entry.status()),
             Rows{page * per_page, std::min<size_t>((page + 1) * per_page, footer_.rows)});
      return;
    }
    const auto bytes = file_->read_page(*entry, "rows");
    if (!bytes.ok()) return damage(part, reason_of(bytes.status()), rows);
    ByteReader block(std::string_view(*bytes).substr(0, entry->raw));
    for (size_t row = rows.begin; row < rows.end; ++row) {
      ByteReader whole(block.string());
      constexpr const Row* kRow = nullptr;
      const bool header = check_whole_header(whole, kRow);
      const auto decoded = decode_whole(whole.rest(), kRow);
      if (!block.ok() || !header || !decoded.ok()) {
        return damage(part, fmt::format("row {} of it does not parse", row), rows);
      }
      if (read == nullptr || row >= group.end) continue;
      if (*decoded != (*read)[row - group.begin]) {
        return damage(part, fmt::format("row {} of it is not the row that the columns hold", row), rows);
      }
    }
    if (!block.at_end()) damage(part, "it holds more than its rows", rows);
  }

  void check_index() {
    RowSet covered(footer_.rows);
    bool whole = true;
    std::string last_key;
    uint32_t last_row = 0;
    const std::vector<BlockEntry>& pages = footer_.index.pages;
    for (size_t page = 0; page < pages.size(); ++page) {
      ++all_.report().pages;
      const auto blocks = file_->index_page(page);
      if (!blocks.ok()) {
        damage(fmt::format("directory of the index, page {}", page), reason_of(blocks.status()));
        whole = false;
        continue;
      }
      for (size_t i = 0; i < (*blocks)->size(); ++i) {
        const BlockEntry& block = (**blocks)[i];
        const std::string part = fmt::format("index, page {}, block {}", page, i);
        ++all_.report().pages;
        if (i == 0 && block.first_key != pages[page].first_key) damage(part, "its first id is not what the footer says");
        const std::string said = check_index_block(block, covered, last_key, last_row);
        if (said.empty()) continue;
        damage(part, said);
        whole = false;
      }
    }
    const char* what = spans_ ? "look-ups by trace id" : "look-ups by span id";
    size_t lost = 0, first = 0;
    const std::string none(key_bytes_, '\0');
    for (size_t row = 0; row < footer_.rows; ++row) {
      if (covered.test(row) || !has_id_.test(row) || (!spans_ && id_of(row) == none)) continue;
      if (lost++ == 0) first = row;
    }
    if (lost == 0) return;
    damage("index", fmt::format("{} rows are not found by {}, the first is row {}{}", lost, what, first,
                                whole ? ": the index lacks them" : ""),
           Rows{first, first + 1});
  }

  // Whether the trace run that lists this segment has all of its traces.
  void check_traces() {
    const auto listed = all_.listed_traces.find(info_.number);
    if (!spans_ || listed == all_.listed_traces.end()) return;
    size_t lost = 0, first = 0;
    for (size_t row = 0; row < footer_.rows; ++row) {
      if (!has_id_.test(row) || (row > 0 && id_of(row) == id_of(row - 1))) continue;
      const uint64_t fingerprint = trace_fingerprint(trace_id_of(id_of(row)));
      if (std::binary_search(listed->second.begin(), listed->second.end(), fingerprint)) continue;
      if (lost++ == 0) first = row;
    }
    if (lost > 0) {
      all_.add(data_path(all_.files().directory(), info_.run_number, "traces"), "entries",
               fmt::format("{} traces of {} are not in it, the first is {}", lost, file_->path(),
                           otlp::to_hex(trace_id_of(id_of(first)))),
               "restore the file from a backup, or remove it: what is not listed is looked for in the segments");
    }
    all_.listed_traces.erase(listed);
  }

  std::string check_index_block(const BlockEntry& block, RowSet& covered, std::string& last_key, uint32_t& last_row) {
    const auto bytes = file_->read_page(block.page, "index");
    if (!bytes.ok()) return reason_of(bytes.status());
    const size_t entry_bytes = key_bytes_ + 8;
    if (block.page.raw != block.items * entry_bytes) return "it has another size than it says";
    for (uint32_t i = 0; i < block.items; ++i) {
      ByteReader reader(std::string_view(*bytes).substr(i * entry_bytes, entry_bytes));
      const std::string key(reader.take(key_bytes_));
      const uint32_t first = reader.u32(), count = reader.u32();
      if (i == 0 && key != block.first_key) return "its first id is not what the directory says";
      if (key < last_key || (key == last_key && first < last_row)) return "its ids are out of order";
      if (count == 0 || first > footer_.rows || count > footer_.rows - first) return "an entry of it leads beyond the last row";
      last_key = key;
      last_row = first + count;
      for (uint32_t row = first; row < first + count; ++row) {
        if (has_id_.test(row) && id_of(row) != key) {
          return fmt::format("it leads to row {} by an id that the row does not have", row);
        }
        if (covered.test(row)) return fmt::format("it leads to row {} twice", row);
        covered.set(row);
      }
    }
    return {};
  }

  // Which tasks or traces the damaged rows are of, as far as it can be read.
  void name_affected() {
    for (const auto& [index, rows] : affected_) {
      Damage& one = all_.report().damages[index];
      std::set<std::string> names;
      for (size_t row = rows.begin; row < rows.end && names.size() < kAffectedMax; ++row) {
        std::string name = name_of_row(row);
        if (!name.empty() && names.insert(name).second) one.affected.push_back(std::move(name));
      }
    }
  }

  std::string name_of_row(size_t row) {
    if (!journal()) {
      if (!has_id_.test(row)) return {};
      if (spans_) return "trace " + otlp::to_hex(trace_id_of(id_of(row)));
      return {};
    }
    const size_t number = file_->group_of(row);
    if (names_group_ == nullptr || names_group_->number() != number) {
      names_group_ = std::make_unique<SegmentGroup>(file_, number);
    }
    const size_t column = spans_ ? static_cast<size_t>(SpanColumn::span_id) : static_cast<size_t>(LogColumn::span_id);
    const auto view = names_group_->fixed(column);
    if (view.ok()) return all_.name_of(span_id_of(view->number_of(row - file_->first_row(number))));
    return has_id_.test(row) && spans_ ? "trace " + otlp::to_hex(trace_id_of(id_of(row))) : std::string();
  }

  Verification& all_;
  const SegmentInfo& info_;
  std::shared_ptr<const SegmentFile> file_;
  const SegmentFooter& footer_;
  bool spans_;
  size_t key_bytes_;
  SegmentObjects<otlp::Resource> resources_;
  SegmentObjects<otlp::Scope> scopes_;
  bool objects_whole_ = true;
  std::shared_ptr<const RowSet> mask_;
  std::string ids_;  // of all rows, end to end
  RowSet has_id_;
  std::set<size_t> directory_damaged_;
  std::vector<std::pair<size_t, Rows>> affected_;  // number of the damage
  std::unique_ptr<SegmentGroup> names_group_;
};

}  // namespace

void verify_rows(Verification& all, const SegmentInfo& info) {
  const std::string path = data_path(all.files().directory(), info.number, extension_of(info.kind));
  const SegmentKind kind = info.kind == RowsKind::spans ? SegmentKind::spans : SegmentKind::logs;
  auto file = SegmentFile::open(all.files(), path, kind);
  // Its trailer says the version; where that cannot be read, it is damaged enough.
  if (file.ok()) verify_header(all, path, kSegmentMagic, (*file)->footer().version, static_cast<uint32_t>(kind));
  if (!file.ok()) {
    if (info.segment_class == SegmentClass::work && info.kind == RowsKind::spans) all.journal_whole = false;
    const std::string all_rows = info.rows == 0 ? "" : fmt::format("0 to {}", info.rows - 1);
    const bool unsupported = file.error().code == Code::unsupported;
    all.add({path, "footer", all_rows, unsupported ? file.error().message : reason_of(file.status()), {},
             "restore the file from a backup; the store does not open without it"});
    return;
  }
  if ((*file)->footer().rows != info.rows) {
    all.add(path, {}, fmt::format("it has {} rows; the manifest says {}", (*file)->footer().rows, info.rows));
    return;
  }
  SegmentCheck(all, info, std::move(file).value()).run();
}

}  // namespace contextcore::store
