#include "otlp/protobuf.h"
#include "store/frame_work.h"
#include "store/rows_spans.h"
#include "store/rows_values.h"
#include "store/segment_rows.h"
#include "store/span_group.h"

namespace contextcore::store {
namespace {

enum Zones : size_t { kMinStart, kMaxStart, kMaxEnd, kMaxDuration, kOpen };

bool zones_may_pass(const GroupEntry& group, const Condition& condition,
                    const Predicate& predicate) {
  const auto& zones = group.zones;
  switch (condition.field) {
    case SpanField::start:
      return predicate.may_pass({true, zones[kMinStart], zones[kMaxStart]});
    case SpanField::end:
      return zones[kOpen] != 0 || predicate.may_pass({true, zones[kMinStart], zones[kMaxEnd]});
    case SpanField::duration:
      return zones[kOpen] != 0 || predicate.may_pass({true, 0, zones[kMaxDuration]});
    default:
      return true;
  }
}

class SpanSegment : public SpanRows {
 public:
  explicit SpanSegment(std::shared_ptr<const SegmentFile> file) : rows_(std::move(file)) {}

  size_t size() const override { return rows_.size(); }

  Result<RowSet> match(const Condition& condition) const override {
    CC_ASSIGN(const Predicate predicate, Predicate::compile(condition.op, condition.operands));
    RowSet out(size());
    if (condition.field == SpanField::trace_id && !predicate.equal_strings().empty()) {
      CC_TRY(match_trace_ids(predicate, out));
      return out;
    }
    CC_ASSIGN(const std::vector<bool> shared_ids, passing_objects(condition, predicate));
    for (size_t i = 0; i < rows_.footer().groups.size(); ++i) {
      if (!zones_may_pass(rows_.footer().groups[i], condition, predicate)) continue;
      const auto group = rows_.group(i);
      CC_TRY(match_spans(*group, condition, predicate, shared_ids, rows_.file().first_row(i), out));
    }
    return out;
  }

  Result<RowSet> overlap(const TimeRange& range) const override {
    RowSet out(size());
    for (size_t i = 0; i < rows_.footer().groups.size(); ++i) {
      const auto& zones = rows_.footer().groups[i].zones;
      if (zones[kMinStart] > range.end_ns || zones[kMaxEnd] < range.start_ns) continue;
      if (zones[kMinStart] >= range.start_ns && zones[kMaxStart] <= range.end_ns) {
        set_range(out, rows_.file().first_row(i), rows_.file().first_row(i + 1));
        continue;
      }
      const auto group = rows_.group(i);
      CC_TRY(overlap_spans(*group, range, rows_.file().first_row(i), out));
    }
    return out;
  }

  Status attributes(const RowSet& rows, const EachColumn& each) const override {
    for (size_t i = 0; i < rows_.footer().groups.size(); ++i) {
      CC_TRY(attribute_names(*rows_.group(i), rows, rows_.file().first_row(i), each));
    }
    CC_ASSIGN(const std::vector<bool> resources, used(SpanColumn::resource, rows));
    for (size_t i = 0; i < resources.size(); ++i) {
      if (!resources[i]) continue;
      CC_ASSIGN(const std::shared_ptr<const otlp::Resource> resource, rows_.resources().at(i));
      shared_names(ColumnScope::resource, resource->attributes, each);
    }
    CC_ASSIGN(const std::vector<bool> scopes, used(SpanColumn::scope, rows));
    for (size_t i = 0; i < scopes.size(); ++i) {
      if (!scopes[i]) continue;
      CC_ASSIGN(const std::shared_ptr<const otlp::Scope> scope, rows_.scopes().at(i));
      shared_names(ColumnScope::instrumentation, scope->attributes, each);
    }
    return {};
  }

  Result<bool> values(SpanField field, const Column& column, const RowSet& rows,
                      const EachCell& each) const override {
    const auto shared = shared_column({field, column, Op::exists, {}});
    if (!shared) {
      for (size_t i = 0; i < rows_.footer().groups.size(); ++i) {
        CC_ASSIGN(const bool more, span_values(*rows_.group(i), field, column, rows,
                                               rows_.file().first_row(i), each));
        if (!more) return false;
      }
      return true;
    }
    CC_ASSIGN(const std::vector<bool> objects, used(*shared, rows));
    for (size_t i = 0; i < objects.size(); ++i) {
      if (!objects[i]) continue;
      if (*shared == SpanColumn::resource) {
        CC_ASSIGN(const std::shared_ptr<const otlp::Resource> resource, rows_.resources().at(i));
        if (!resource_value(*resource, column, each)) return false;
      } else {
        CC_ASSIGN(const std::shared_ptr<const otlp::Scope> scope, rows_.scopes().at(i));
        if (!scope_value(*scope, field, column, each)) return false;
      }
    }
    return true;
  }

  RowMeta meta(size_t row) const override {
    return {number(row, SpanColumn::sequence),
            static_cast<int64_t>(number(row, SpanColumn::revision)),
            number(row, SpanColumn::journal) != 0, tenant(row)};
  }
  uint32_t tenant(size_t row) const override { return static_cast<uint32_t>(number(row, SpanColumn::tenant)); }
  Status keep_tenants(const TenantSet& tenants, RowSet& rows) const override {
    for (size_t i = 0; i < rows_.footer().groups.size(); ++i) {
      CC_TRY(store::keep_tenants(*rows_.group(i), tenants, rows_.file().first_row(i), rows));
    }
    return {};
  }
  otlp::TraceId trace_id(size_t row) const override {
    const SegmentRows::Place at = rows_.place(row);
    const Result<ColumnView> view = at.group->fixed(static_cast<size_t>(SpanColumn::trace_id));
    if (!view.ok()) return rows_.keep(view.status()), otlp::TraceId();
    return trace_id_of(view->string_of(at.row));
  }
  otlp::SpanId span_id(size_t row) const override {
    return span_id_of(number(row, SpanColumn::span_id));
  }
  int64_t start_ns(size_t row) const override {
    return static_cast<int64_t>(number(row, SpanColumn::start));
  }
  int64_t end_ns(size_t row) const override {
    const SegmentRows::Place at = rows_.place(row);
    const Result<ColumnView> durations = at.group->fixed(static_cast<size_t>(SpanColumn::duration));
    if (!durations.ok()) return rows_.keep(durations.status()), 0;
    const size_t found = durations->find(at.row);
    return found == ColumnView::npos
               ? 0
               : start_ns(row) + static_cast<int64_t>(durations->numbers[found]);
  }
  otlp::SpanKind kind(size_t row) const override {
    return static_cast<otlp::SpanKind>(static_cast<int32_t>(number(row, SpanColumn::kind)));
  }

  Result<std::vector<uint32_t>> rows_of_trace(const otlp::TraceId& id) const override {
    return rows_.file().rows_of(std::string(bytes_of(id)));
  }

  Result<Whole> materialize(size_t row) const override {
    Whole whole;
    if (rows_.footer().wholes.blocks != 0) {
      CC_ASSIGN(const SegmentFile::WholeRow encoded, rows_.file().whole_row(row));
      ByteReader reader(encoded.text);
      const uint64_t resource = reader.varint(), scope = reader.varint();
      if (!reader.ok()) return rows_.file().damaged("a block of rows that does not parse");
      CC_ASSIGN(whole.resource, rows_.resources().at(resource));
      CC_ASSIGN(whole.scope, rows_.scopes().at(scope));
      auto span = otlp::decode_span_protobuf(reader.rest(), kStoredLimits);
      if (!span.ok()) return rows_.file().damaged("a row that does not parse");
      whole.span = std::move(span).value();
      return whole;
    }
    const SegmentRows::Place at = rows_.place(row);
    CC_ASSIGN(const ColumnView resources,
              at.group->fixed(static_cast<size_t>(SpanColumn::resource)));
    CC_ASSIGN(const ColumnView scopes, at.group->fixed(static_cast<size_t>(SpanColumn::scope)));
    CC_ASSIGN(whole.resource, rows_.resources().at(resources.number_of(at.row)));
    CC_ASSIGN(whole.scope, rows_.scopes().at(scopes.number_of(at.row)));
    CC_TRY(read_span(*at.group, at.row, whole.span));
    return whole;
  }

  // Not through the cache: who reads all of a segment once leaves that to queries.
  InColumns columns_at(size_t row) const override {
    const size_t group = rows_.file().group_of(row);
    return {std::make_shared<SegmentGroup>(rows_.file_pointer(), group), rows_.file().first_row(group),
            rows_.file().first_row(group + 1)};
  }
  Result<std::shared_ptr<const otlp::Resource>> resource(uint64_t number) const override {
    return rows_.resources().at(number);
  }
  Result<std::shared_ptr<const otlp::Scope>> scope(uint64_t number) const override {
    return rows_.scopes().at(number);
  }

  Result<std::shared_ptr<const SpanGroup>> group(size_t row, const std::vector<Column>& columns) const override {
    return SegmentSpanGroup::open(rows_, rows_.file().group_of(row), columns);
  }

  uint64_t memory_bytes() const override { return rows_.memory_bytes(); }
  Status status() const override { return rows_.status(); }

 private:
  // Which resources or scopes the rows have.
  Result<std::vector<bool>> used(SpanColumn column, const RowSet& rows) const {
    std::vector<bool> objects(column == SpanColumn::resource ? rows_.resources().size()
                                                             : rows_.scopes().size());
    for (size_t i = 0; i < rows_.footer().groups.size(); ++i) {
      CC_TRY(mark_used(*rows_.group(i), column, rows, rows_.file().first_row(i), objects));
    }
    return objects;
  }

  uint64_t number(size_t row, SpanColumn column) const {
    return rows_.number_of(row, static_cast<size_t>(column));
  }

  Status match_trace_ids(const Predicate& predicate, RowSet& out) const {
    for (const std::string& text : predicate.equal_strings()) {
      otlp::TraceId id;
      if (text.size() != 32 || !otlp::parse_hex(text, id)) continue;
      CC_ASSIGN(const std::vector<uint32_t> rows, rows_of_trace(id));
      for (const uint32_t row : rows) out.set(row);
    }
    return {};
  }

  // Which resources or scopes satisfy the condition; empty for conditions on neither.
  Result<std::vector<bool>> passing_objects(const Condition& condition,
                                            const Predicate& predicate) const {
    std::vector<bool> passing;
    const auto shared = shared_column(condition);
    if (shared == SpanColumn::resource) {
      for (size_t i = 0; i < rows_.resources().size(); ++i) {
        CC_ASSIGN(const std::shared_ptr<const otlp::Resource> resource, rows_.resources().at(i));
        passing.push_back(resource_passes(*resource, condition, predicate));
      }
    } else if (shared == SpanColumn::scope) {
      for (size_t i = 0; i < rows_.scopes().size(); ++i) {
        CC_ASSIGN(const std::shared_ptr<const otlp::Scope> scope, rows_.scopes().at(i));
        passing.push_back(scope_passes(*scope, condition, predicate));
      }
    }
    return passing;
  }

  SegmentRows rows_;
};

}  // namespace

Result<std::unique_ptr<SpanRows>> open_span_segment(FileSystem& files, const std::string& path) {
  CC_ASSIGN(auto file, files.open(path, OpenMode::read));
  return open_span_segment(std::move(file), path);
}

Result<std::unique_ptr<SpanRows>> open_span_segment(std::unique_ptr<File> file, const std::string& path) {
  CC_ASSIGN(auto segment, SegmentFile::open(std::move(file), path, SegmentKind::spans));
  return std::unique_ptr<SpanRows>(std::make_unique<SpanSegment>(std::move(segment)));
}

}  // namespace contextcore::store
