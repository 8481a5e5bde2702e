#include "store/rows_shared.h"
#include "store/rows_spans.h"
#include "store/rows_values.h"

namespace contextcore::store {
namespace {

class SpanBuilderImpl : public SpanBuilder {
 public:
  uint32_t append(const std::shared_ptr<const otlp::Resource>& resource,
                  const std::shared_ptr<const otlp::Scope>& scope, const otlp::SpanView& span,
                  const RowMeta& meta) override {
    const uint32_t row = columns_.append(resources_.add(resource), scopes_.add(scope), span, meta);
    const uint32_t trace = number(SpanColumn::trace_id).ids[row];
    next_in_trace_.push_back(kLast);
    if (trace == first_in_trace_.size()) {
      first_in_trace_.push_back(row);
      last_in_trace_.push_back(row);
    } else {
      next_in_trace_[last_in_trace_[trace]] = row;
      last_in_trace_[trace] = row;
    }
    return row;
  }

  size_t size() const override { return columns_.rows(kSpanTable); }

  Result<RowSet> match(const Condition& condition) const override {
    CC_ASSIGN(const Predicate predicate, Predicate::compile(condition.op, condition.operands));
    std::vector<bool> shared_ids;
    if (const auto shared = shared_column(condition)) {
      if (*shared == SpanColumn::resource) {
        for (size_t i = 0; i < resources_.size(); ++i) {
          shared_ids.push_back(resource_passes(*resources_.at(i), condition, predicate));
        }
      } else {
        for (size_t i = 0; i < scopes_.size(); ++i) {
          shared_ids.push_back(scope_passes(*scopes_.at(i), condition, predicate));
        }
      }
    }
    RowSet rows(size());
    CC_TRY(match_spans(columns_, condition, predicate, shared_ids, 0, rows));
    return rows;
  }

  Result<RowSet> overlap(const TimeRange& range) const override {
    RowSet rows(size());
    CC_TRY(overlap_spans(columns_, range, 0, rows));
    return rows;
  }

  Status attributes(const RowSet& rows, const EachColumn& each) const override {
    CC_TRY(attribute_names(columns_, rows, 0, each));
    CC_ASSIGN(const std::vector<bool> resources, used_resources(rows));
    for (size_t i = 0; i < resources.size(); ++i) {
      if (resources[i]) shared_names(ColumnScope::resource, resources_.at(i)->attributes, each);
    }
    CC_ASSIGN(const std::vector<bool> scopes, used_scopes(rows));
    for (size_t i = 0; i < scopes.size(); ++i) {
      if (scopes[i]) shared_names(ColumnScope::instrumentation, scopes_.at(i)->attributes, each);
    }
    return {};
  }

  Result<bool> values(SpanField field, const Column& column, const RowSet& rows,
                      const EachCell& each) const override {
    const auto shared = shared_column({field, column, Op::exists, {}});
    if (!shared) return span_values(columns_, field, column, rows, 0, each);
    if (*shared == SpanColumn::resource) {
      CC_ASSIGN(const std::vector<bool> used, used_resources(rows));
      for (size_t i = 0; i < used.size(); ++i) {
        if (used[i] && !resource_value(*resources_.at(i), column, each)) return false;
      }
      return true;
    }
    CC_ASSIGN(const std::vector<bool> used, used_scopes(rows));
    for (size_t i = 0; i < used.size(); ++i) {
      if (used[i] && !scope_value(*scopes_.at(i), field, column, each)) return false;
    }
    return true;
  }

  RowMeta meta(size_t row) const override {
    return {number(SpanColumn::sequence).number_of(row),
            static_cast<int64_t>(number(SpanColumn::revision).number_of(row)),
            number(SpanColumn::journal).number_of(row) != 0, tenant(row)};
  }
  uint32_t tenant(size_t row) const override {
    return static_cast<uint32_t>(number(SpanColumn::tenant).number_of(row));
  }
  Status keep_tenants(const TenantSet& tenants, RowSet& rows) const override {
    return store::keep_tenants(columns_, tenants, 0, rows);
  }
  otlp::TraceId trace_id(size_t row) const override {
    return trace_id_of(number(SpanColumn::trace_id).string_of(row));
  }
  otlp::SpanId span_id(size_t row) const override {
    return span_id_of(number(SpanColumn::span_id).number_of(row));
  }
  int64_t start_ns(size_t row) const override {
    return static_cast<int64_t>(number(SpanColumn::start).number_of(row));
  }
  int64_t end_ns(size_t row) const override {
    const ColumnView durations = number(SpanColumn::duration);
    const size_t at = durations.find(row);
    if (at == ColumnView::npos) return 0;
    return static_cast<int64_t>(number(SpanColumn::start).number_of(row) + durations.numbers[at]);
  }
  otlp::SpanKind kind(size_t row) const override {
    return static_cast<otlp::SpanKind>(
        static_cast<int32_t>(number(SpanColumn::kind).number_of(row)));
  }

  Result<std::vector<uint32_t>> rows_of_trace(const otlp::TraceId& id) const override {
    std::vector<uint32_t> rows;
    const uint32_t trace = columns_.column(SpanColumn::trace_id).pool().find(bytes_of(id));
    if (trace == StringPool::kNone) return rows;
    for (uint32_t row = first_in_trace_[trace]; row != kLast; row = next_in_trace_[row])
      rows.push_back(row);
    return rows;
  }

  Result<Whole> materialize(size_t row) const override {
    Whole whole;
    whole.resource = resources_.at(number(SpanColumn::resource).number_of(row));
    whole.scope = scopes_.at(number(SpanColumn::scope).number_of(row));
    CC_TRY(read_span(columns_, row, whole.span));
    return whole;
  }

  InColumns columns_at(size_t) const override {
    return {std::shared_ptr<const ColumnSource>(std::shared_ptr<const void>(), &columns_), 0,
            static_cast<uint32_t>(size())};
  }
  Result<std::shared_ptr<const otlp::Resource>> resource(uint64_t number) const override {
    return resources_.at(number);
  }
  Result<std::shared_ptr<const otlp::Scope>> scope(uint64_t number) const override {
    return scopes_.at(number);
  }

  uint64_t memory_bytes() const override {
    return columns_.memory_bytes() + resources_.memory_bytes() + scopes_.memory_bytes() +
           4 * (first_in_trace_.capacity() + last_in_trace_.capacity() + next_in_trace_.capacity());
  }

 private:
  static constexpr uint32_t kLast = UINT32_MAX;
  Result<std::vector<bool>> used_resources(const RowSet& rows) const {
    std::vector<bool> used(resources_.size());
    CC_TRY(mark_used(columns_, SpanColumn::resource, rows, 0, used));
    return used;
  }
  Result<std::vector<bool>> used_scopes(const RowSet& rows) const {
    std::vector<bool> used(scopes_.size());
    CC_TRY(mark_used(columns_, SpanColumn::scope, rows, 0, used));
    return used;
  }
  ColumnView number(SpanColumn column) const { return columns_.column(column).view(); }

  SpanColumns columns_;
  SharedObjects<otlp::Resource> resources_;
  SharedObjects<otlp::Scope> scopes_;
  // Rows of a trace as a list: by the trace id's number in its pool, then from row to row.
  std::vector<uint32_t> first_in_trace_, last_in_trace_, next_in_trace_;
};

}  // namespace

std::unique_ptr<SpanBuilder> SpanBuilder::make() { return std::make_unique<SpanBuilderImpl>(); }

}  // namespace contextcore::store
