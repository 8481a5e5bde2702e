#include <algorithm>
#include <array>

#include "otlp/protobuf.h"
#include "store/frame_work.h"
#include "store/log_scan.h"
#include "store/log_streams.h"
#include "store/segment_rows.h"
#include "store/segment_writer.h"

namespace contextcore::store {
namespace {

std::string key_of(const otlp::SpanId& id) {
  return {reinterpret_cast<const char*>(id.bytes.data()), id.bytes.size()};
}

// The lines of a group for as long as it lives. Rows are read in runs, of some segments in turn, so each thread keeps those
// of some groups; what is in use is not there, since whoever waits for a page may make room for others.
class GroupLines {
 public:
  explicit GroupLines(std::shared_ptr<const SegmentGroup> group) : group_(std::move(group)) {}
  ~GroupLines() {
    if (lines_ != nullptr) kept() = {group_, std::move(lines_)};
  }
  GroupLines(const GroupLines&) = delete;
  GroupLines& operator=(const GroupLines&) = delete;

  Result<FieldLines*> get() {
    if (Kept& mine = kept(); mine.lines != nullptr && mine.group.lock() == group_) {
      lines_ = std::move(mine.lines);
      return lines_.get();
    }
    auto fresh = std::make_unique<FieldLines>(*group_);
    CC_TRY(fresh->open());
    lines_ = std::move(fresh);
    return lines_.get();
  }

 private:
  struct Kept {
    std::weak_ptr<const SegmentGroup> group;
    std::unique_ptr<FieldLines> lines;
  };
  Kept& kept() const {
    thread_local std::array<Kept, 8> all;
    return all[group_->file().number() % all.size()];
  }
  std::shared_ptr<const SegmentGroup> group_;
  std::unique_ptr<FieldLines> lines_;
};

class LogSegment : public LogRows, public LogParts {
 public:
  explicit LogSegment(std::shared_ptr<const SegmentFile> file) : rows_(std::move(file)) {}

  size_t size() const override { return rows_.size(); }
  RowMeta meta(size_t row) const override {
    return {number(row, LogColumn::sequence),
            static_cast<int64_t>(number(row, LogColumn::revision)),
            number(row, LogColumn::journal) != 0, tenant(row)};
  }
  int64_t time_ns(size_t row) const override {
    const uint64_t time = number(row, LogColumn::time);
    return static_cast<int64_t>(time != 0 ? time : number(row, LogColumn::observed_time));
  }
  uint32_t stream(size_t row) const override {
    const uint64_t stream = number(row, LogColumn::stream);
    if (stream < streams().size()) return static_cast<uint32_t>(stream);
    rows_.keep(rows_.file().damaged("a row of a stream that it does not list"));
    return 0;
  }
  const std::vector<LabelPairs>& streams() const override { return rows_.footer().streams; }
  const std::vector<uint32_t>& stream_tenants() const override { return rows_.footer().stream_tenants; }
  otlp::SpanId span_id(size_t row) const override {
    return span_id_of(number(row, LogColumn::span_id));
  }

  Result<RowSet> match(int64_t start_ns, int64_t end_ns, const std::vector<bool>& streams_wanted,
                       const std::vector<std::string>& needles) const override {
    RowSet out(size());
    if (std::find(streams_wanted.begin(), streams_wanted.end(), true) == streams_wanted.end())
      return out;
    for (size_t i = 0; i < rows_.footer().groups.size(); ++i) {
      if (!may_hold(i, start_ns, end_ns, streams_wanted)) continue;
      const auto group = rows_.group(i);
      CC_TRY(match_logs(*group, start_ns, end_ns, streams_wanted, needles,
                        rows_.file().first_row(i), out));
    }
    return out;
  }

  uint64_t first_sequence() const override {
    uint64_t first = UINT64_MAX;
    for (const GroupEntry& group : rows_.footer().groups) {
      for (const GroupEntry::FixedPage& page : group.fixed) {
        if (page.column != static_cast<uint8_t>(LogColumn::sequence)) continue;
        first = std::min(first, page.page.zone.known ? static_cast<uint64_t>(page.page.zone.min) : 0);
      }
    }
    return first == UINT64_MAX ? 0 : first;
  }
  size_t parts() const override { return rows_.footer().groups.size(); }
  Status read_part(size_t part, const LogScan& scan, LogBatch& batch, std::vector<uint32_t>& streams) const override {
    if (!may_hold(part, scan.start_ns, scan.end_ns, scan.streams_wanted)) return {};
    const std::shared_ptr<const SegmentGroup> group =
        scan.projection->once ? rows_.group_once(part) : rows_.group(part);
    const LogObjects objects{[this](uint64_t number) { return rows_.resources().at(number); },
                             [this](uint64_t number) { return rows_.scopes().at(number); }};
    batch.pinned = group;
    return scan_log_rows(*group, 0, group->rows(0), scan, objects, true, batch, streams);
  }

  Result<std::vector<LogFact>> records_of_span(const otlp::SpanId& id) const override {
    std::vector<LogFact> facts;
    CC_ASSIGN(const std::vector<uint32_t> rows, rows_of_span(id));
    if (rows_.footer().wholes.blocks != 0) {
      CC_TRY(read_wholes(rows, facts));
      return facts;
    }
    for (const uint32_t row : rows) {
      CC_ASSIGN(Whole whole, materialize(row));
      facts.push_back({meta(row).sequence, std::move(whole.record)});
    }
    CC_TRY(status());
    return facts;
  }

  Result<std::vector<uint32_t>> rows_of_span(const otlp::SpanId& id) const override {
    return rows_.file().rows_of(key_of(id));
  }
  Result<std::string> line(size_t row) const override {
    const SegmentRows::Place at = rows_.place(row);
    GroupLines of_group(at.group);
    CC_ASSIGN(FieldLines* lines, of_group.get());
    return read_line(*at.group, at.row, *lines);
  }
  Result<LabelPairs> metadata(size_t row) const override {
    CC_ASSIGN(const Whole whole, materialize(row));
    return structured_metadata(*whole.resource, *whole.scope, whole.record);
  }
  Result<Whole> materialize(size_t row) const override {
    Whole whole;
    const SegmentRows::Place at = rows_.place(row);
    CC_ASSIGN(const ColumnView resources,
              at.group->fixed(static_cast<size_t>(LogColumn::resource)));
    CC_ASSIGN(const ColumnView scopes, at.group->fixed(static_cast<size_t>(LogColumn::scope)));
    CC_ASSIGN(whole.resource, rows_.resources().at(resources.number_of(at.row)));
    CC_ASSIGN(whole.scope, rows_.scopes().at(scopes.number_of(at.row)));
    GroupLines of_group(at.group);
    CC_ASSIGN(FieldLines* lines, of_group.get());
    CC_TRY(read_log(*at.group, at.row, *lines, whole.record));
    return whole;
  }
  uint64_t memory_bytes() const override { return rows_.memory_bytes(); }
  Status status() const override { return rows_.status(); }

 private:
  uint64_t number(size_t row, LogColumn column) const {
    return rows_.number_of(row, static_cast<size_t>(column));
  }

  Status read_wholes(const std::vector<uint32_t>& rows, std::vector<LogFact>& facts) const {
    for (const uint32_t row : rows) {
      CC_ASSIGN(const SegmentFile::WholeRow whole, rows_.file().whole_row(row));
      ByteReader reader(whole.text);
      LogFact& fact = facts.emplace_back();
      fact.sequence = reader.varint();
      if (!reader.ok()) return rows_.file().damaged("a block of rows that does not parse");
      Result<otlp::LogRecord> record = otlp::decode_log_record_protobuf(reader.rest(), kStoredLimits);
      if (!record.ok()) return rows_.file().damaged("a row that does not parse");
      fact.record = *std::move(record);
    }
    return {};
  }

  bool may_hold(size_t group, int64_t start_ns, int64_t end_ns, const std::vector<bool>& streams_wanted) const {
    const GroupEntry& entry = rows_.footer().groups[group];
    if ((entry.zones[0] >= end_ns && end_ns != INT64_MAX) || entry.zones[1] < start_ns) return false;
    const auto page = std::find_if(entry.fixed.begin(), entry.fixed.end(), [](const GroupEntry::FixedPage& one) {
      return one.column == static_cast<uint8_t>(LogColumn::stream);
    });
    return page == entry.fixed.end() || !page->page.zone.known || !group_is_unwanted(page->page.zone, streams_wanted);
  }

  // Rows of stream 0 have no value, so the zone says nothing about them.
  static bool group_is_unwanted(const Zone& zone, const std::vector<bool>& wanted) {
    if (wanted[0] || zone.min < 0 || zone.max >= static_cast<int64_t>(wanted.size())) return false;
    return std::find(wanted.begin() + zone.min, wanted.begin() + zone.max + 1, true) ==
           wanted.begin() + zone.max + 1;
  }

  SegmentRows rows_;
};

}  // namespace

Result<std::unique_ptr<LogRows>> open_log_segment(FileSystem& files, const std::string& path) {
  CC_ASSIGN(auto file, files.open(path, OpenMode::read));
  return open_log_segment(std::move(file), path);
}

Result<std::unique_ptr<LogRows>> open_log_segment(std::unique_ptr<File> file, const std::string& path) {
  CC_ASSIGN(auto segment, SegmentFile::open(std::move(file), path, SegmentKind::logs));
  return std::unique_ptr<LogRows>(std::make_unique<LogSegment>(std::move(segment)));
}

Status write_log_segment(FileSystem& files, const std::string& path,
                         const std::vector<RowRef<LogRows>>& rows) {
  CC_ASSIGN(SegmentWriter writer, SegmentWriter::create(files, path, SegmentKind::logs));
  SharedObjects<otlp::Resource> resources;
  SharedObjects<otlp::Scope> scopes;
  std::vector<IndexEntry> index;
  LogStreams streams;
  const size_t group_rows = group_rows_for(rows.size());
  const bool whole_rows = std::all_of(rows.begin(), rows.end(), [](const RowRef<LogRows>& ref) {
    return ref.rows->meta(ref.row).journal;
  });
  std::string encoded;
  auto group = std::make_unique<LogColumns>(LogColumns::Bodies::as_fields);
  for (size_t i = 0; i < rows.size(); ++i) {
    CC_ASSIGN(const LogRows::Whole whole, rows[i].rows->materialize(rows[i].row));
    const RowMeta meta = rows[i].rows->meta(rows[i].row);
    CC_TRY(rows[i].rows->status());
    const uint32_t resource = resources.add(whole.resource);
    group->append(resource, scopes.add(whole.scope),
                  streams.number_of(meta.tenant, resource, *whole.resource), whole.record, meta);
    if (whole_rows) {
      encoded.clear();
      append_varint(meta.sequence, encoded);
      otlp::append_log_record_protobuf(whole.record, encoded);
      CC_TRY(writer.add_whole(encoded));
    }
    if (!whole.record.span_id.empty())
      add_to_index(index, key_of(whole.record.span_id), static_cast<uint32_t>(i));
    const bool full =
        group->rows(0) >= group_rows || (i % 16 == 15 && group->memory_bytes() >= kGroupBytesMax);
    if (full || i + 1 == rows.size()) {
      CC_TRY(
          writer.write_group(*group, {group->zones().min_time, group->zones().max_time, 0, 0, 0}));
      group = std::make_unique<LogColumns>(LogColumns::Bodies::as_fields);
    }
  }
  CC_TRY(writer.write_resources(resources));
  CC_TRY(writer.write_scopes(scopes));
  CC_TRY(writer.write_index(index));
  writer.set_streams(streams.labels(), streams.tenants());
  return writer.finish();
}

}  // namespace contextcore::store
