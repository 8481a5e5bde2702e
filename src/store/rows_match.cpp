// Conditions and time ranges on the columns of a row group of spans.

#include <algorithm>
#include <bit>

#include "store/column_value.h"
#include "store/rows_spans.h"

namespace contextcore::store {
namespace {

constexpr size_t at_index(SpanColumn column) { return static_cast<size_t>(column); }

std::string hex_of(std::string_view bytes) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string text;
  for (const char c : bytes) {
    text += kDigits[static_cast<unsigned char>(c) >> 4];
    text += kDigits[static_cast<unsigned char>(c) & 15];
  }
  return text;
}

Status match_attribute(const ColumnSource& source, size_t table, SpanColumn overflow,
                       const std::string& key, const Predicate& predicate, size_t base,
                       RowSet& out) {
  for (size_t i = 0; i < source.attribute_count(table); ++i) {
    const ColumnSource::AttributeInfo info = source.attribute_info(table, i);
    if (info.key != key) continue;
    if (info.type == ColumnType::integer && !predicate.may_pass(source.attribute_zone(table, i)))
      continue;
    CC_ASSIGN(const ColumnView view, source.attribute(table, i));
    predicate.match(view, base, out);
  }
  CC_ASSIGN(const ColumnView rest, source.fixed(at_index(overflow)));
  for (size_t i = 0; i < rest.count; ++i) {
    otlp::Attributes attributes;
    ByteReader reader(rest.string(i));
    if (!decode_attributes(reader, attributes))
      return source.damaged("an attribute overflow list that does not parse");
    if (std::any_of(attributes.begin(), attributes.end(), [&](const otlp::KeyValue& attribute) {
          return attribute.key == key && predicate.test(attribute.value);
        })) {
      out.set(base + rest.row(i));
    }
  }
  return {};
}

// Rows of table 0 that own a marked row of a child table.
Status set_parents(const ColumnSource& source, size_t table, const RowSet& children, size_t base,
                   RowSet& out) {
  if (children.none()) return {};
  CC_ASSIGN(const uint32_t* begins, source.child_begins(table));
  size_t row = 0;
  children.for_each([&](size_t child) {
    while (begins[row + 1] <= child) ++row;
    out.set(base + row);
  });
  return {};
}

// Id columns against operands in hexadecimal. An absent id (a root's parent) may be asked for as ""
// or as zeros.
bool id_passes(std::string_view bytes, const Predicate& predicate) {
  const bool absent = bytes.find_first_not_of('\0') == std::string_view::npos;
  return predicate.test(std::string_view(hex_of(bytes))) ||
         (absent && predicate.test(std::string_view()));
}

void match_span_ids(const ColumnView& view, size_t rows, const Predicate& predicate, size_t base,
                    RowSet& out) {
  std::vector<uint64_t> wanted;
  for (const std::string& text : predicate.equal_strings()) {
    otlp::SpanId id;
    if (text.empty()) {
      wanted.push_back(0);
    } else if (text.size() == 16 && otlp::parse_hex(text, id)) {
      wanted.push_back(number_of(id));
    }
  }
  const bool equality = !predicate.equal_strings().empty();
  const auto passes = [&](uint64_t number) {
    if (equality) return std::find(wanted.begin(), wanted.end(), number) != wanted.end();
    const otlp::SpanId id = span_id_of(number);
    return id_passes({reinterpret_cast<const char*>(id.bytes.data()), 8}, predicate);
  };
  const bool by_default = view.count < rows && passes(0);
  for (size_t i = 0, next = 0; i <= view.count; ++i) {
    const size_t row = i < view.count ? view.row(i) : rows;
    if (by_default) set_range(out, base + next, base + row);
    if (i < view.count && passes(view.numbers[i])) out.set(base + row);
    next = row + 1;
  }
}

void match_trace_ids(const ColumnView& view, const Predicate& predicate, size_t base, RowSet& out) {
  std::vector<uint8_t> passing(view.strings.count);
  for (size_t i = 0; i < passing.size(); ++i) passing[i] = id_passes(view.strings.at(i), predicate);
  for (size_t i = 0; i < view.count; ++i) {
    if (passing[view.ids != nullptr ? view.ids[i] : i] != 0) out.set(base + view.row(i));
  }
}

struct Times {
  ColumnView start, duration, journal;
  static Result<Times> of(const ColumnSource& source) {
    CC_ASSIGN(const ColumnView start, source.fixed(at_index(SpanColumn::start)));
    CC_ASSIGN(const ColumnView duration, source.fixed(at_index(SpanColumn::duration)));
    CC_ASSIGN(const ColumnView journal, source.fixed(at_index(SpanColumn::journal)));
    return Times{start, duration, journal};
  }
  int64_t start_of(size_t row) const { return static_cast<int64_t>(start.number_of(row)); }
  int64_t end_of(size_t row) const {
    const size_t at = duration.find(row);
    const uint64_t begin = start.number_of(row);
    const auto end =
        at == ColumnView::npos ? 0 : static_cast<int64_t>(begin + duration.numbers[at]);
    return effective_end(static_cast<int64_t>(begin), end, end == 0 && journal.number_of(row) != 0);
  }
};

// The end of an open span is the reader's now, so whatever is asked of it may hold.
Status match_times(const ColumnSource& source, SpanField field, const Predicate& predicate,
                   size_t base, RowSet& out) {
  CC_ASSIGN(const Times times, Times::of(source));
  const size_t rows = source.rows(kSpanTable);
  if (field == SpanField::duration && times.duration.rows == nullptr &&
      times.duration.count == rows) {
    // Every span has an end, and no end before its start shows as a duration beyond int64.
    const uint64_t* numbers = times.duration.numbers;
    if (std::all_of(numbers, numbers + rows, [](uint64_t d) { return d <= INT64_MAX; })) {
      predicate.match(times.duration, base, out);
      return {};
    }
  }
  for (size_t row = 0; row < rows; ++row) {
    const int64_t start = times.start_of(row);
    const int64_t end = times.end_of(row);
    const bool open = end == INT64_MAX;
    const auto duration =
        static_cast<int64_t>(static_cast<uint64_t>(end) - static_cast<uint64_t>(start));
    const bool passes = field == SpanField::start ? predicate.test(start)
                        : field == SpanField::end ? open || predicate.test(end)
                                                  : open || predicate.test(duration);
    if (passes) out.set(base + row);
  }
  return {};
}

Status match_child_column(const ColumnSource& source, size_t table, SpanColumn column,
                          const Predicate& predicate, size_t base, RowSet& out) {
  RowSet children(source.rows(table));
  if (children.rows() == 0) return {};
  CC_ASSIGN(const ColumnView view, source.fixed(at_index(column)));
  if (column == SpanColumn::link_trace_id) {
    match_trace_ids(view, predicate, 0, children);
  } else if (column == SpanColumn::link_span_id) {
    match_span_ids(view, children.rows(), predicate, 0, children);
  } else {
    predicate.match_with_default(view, children.rows(), 0, children);
  }
  return set_parents(source, table, children, base, out);
}

Status match_child_attribute(const ColumnSource& source, size_t table, SpanColumn overflow,
                             const std::string& key, const Predicate& predicate, size_t base,
                             RowSet& out) {
  RowSet children(source.rows(table));
  if (children.rows() == 0) return {};
  CC_TRY(match_attribute(source, table, overflow, key, predicate, 0, children));
  return set_parents(source, table, children, base, out);
}

Status match_fixed(const ColumnSource& source, SpanColumn column, const Predicate& predicate,
                   size_t base, RowSet& out) {
  CC_ASSIGN(const ColumnView view, source.fixed(at_index(column)));
  const size_t rows = source.rows(kSpanTable);
  switch (column) {
    case SpanColumn::trace_id:
      match_trace_ids(view, predicate, base, out);
      break;
    case SpanColumn::span_id:
    case SpanColumn::parent_span_id:
      match_span_ids(view, rows, predicate, base, out);
      break;
    default:
      predicate.match_with_default(view, rows, base, out);
  }
  return {};
}

Status match_shared(const ColumnSource& source, SpanColumn column, const std::vector<bool>& passing,
                    size_t base, RowSet& out) {
  if (std::find(passing.begin(), passing.end(), true) == passing.end()) return {};
  CC_ASSIGN(const ColumnView view, source.fixed(at_index(column)));
  const size_t rows = source.rows(kSpanTable);
  if (std::find(passing.begin(), passing.end(), false) == passing.end()) {
    set_range(out, base, base + rows);
    return {};
  }
  for (size_t row = 0; row < rows; ++row) {
    const uint64_t number = view.number_of(row);
    if (number >= passing.size())
      return source.damaged("a resource or scope number that names none");
    if (passing[number]) out.set(base + row);
  }
  return {};
}

bool attribute_passes(const otlp::Attributes& attributes, const std::string& key,
                      const Predicate& predicate) {
  return std::any_of(attributes.begin(), attributes.end(), [&](const otlp::KeyValue& attribute) {
    return attribute.key == key && predicate.test(attribute.value);
  });
}

}  // namespace

std::optional<SpanColumn> shared_column(const Condition& condition) {
  if (condition.field == SpanField::scope_name || condition.field == SpanField::scope_version)
    return SpanColumn::scope;
  if (condition.field != SpanField::attribute) return {};
  if (condition.column.scope == ColumnScope::resource) return SpanColumn::resource;
  if (condition.column.scope == ColumnScope::instrumentation) return SpanColumn::scope;
  return {};
}

bool resource_passes(const otlp::Resource& resource, const Condition& condition,
                     const Predicate& predicate) {
  return attribute_passes(resource.attributes, condition.column.key, predicate);
}

bool scope_passes(const otlp::Scope& scope, const Condition& condition,
                  const Predicate& predicate) {
  if (condition.field == SpanField::scope_name) return predicate.test(std::string_view(scope.name));
  if (condition.field == SpanField::scope_version)
    return predicate.test(std::string_view(scope.version));
  return attribute_passes(scope.attributes, condition.column.key, predicate);
}

Status match_spans(const ColumnSource& source, const Condition& condition,
                   const Predicate& predicate, const std::vector<bool>& shared_ids, size_t base,
                   RowSet& out) {
  if (const auto shared = shared_column(condition))
    return match_shared(source, *shared, shared_ids, base, out);
  const std::string& key = condition.column.key;
  switch (condition.field) {
    case SpanField::attribute:
      if (condition.column.scope == ColumnScope::event) {
        return match_child_attribute(source, kEventTable, SpanColumn::event_overflow, key,
                                     predicate, base, out);
      }
      if (condition.column.scope == ColumnScope::link) {
        return match_child_attribute(source, kLinkTable, SpanColumn::link_overflow, key, predicate,
                                     base, out);
      }
      return match_attribute(source, kSpanTable, SpanColumn::overflow, key, predicate, base, out);
    case SpanField::name:
      return match_fixed(source, SpanColumn::name, predicate, base, out);
    case SpanField::kind:
      return match_fixed(source, SpanColumn::kind, predicate, base, out);
    case SpanField::status:
      return match_fixed(source, SpanColumn::status_code, predicate, base, out);
    case SpanField::status_message:
      return match_fixed(source, SpanColumn::status_message, predicate, base, out);
    case SpanField::trace_id:
      return match_fixed(source, SpanColumn::trace_id, predicate, base, out);
    case SpanField::span_id:
      return match_fixed(source, SpanColumn::span_id, predicate, base, out);
    case SpanField::parent_span_id:
      return match_fixed(source, SpanColumn::parent_span_id, predicate, base, out);
    case SpanField::duration:
    case SpanField::start:
    case SpanField::end:
      return match_times(source, condition.field, predicate, base, out);
    case SpanField::event_name:
      return match_child_column(source, kEventTable, SpanColumn::event_name, predicate, base, out);
    case SpanField::link_trace_id:
      return match_child_column(source, kLinkTable, SpanColumn::link_trace_id, predicate, base,
                                out);
    case SpanField::link_span_id:
      return match_child_column(source, kLinkTable, SpanColumn::link_span_id, predicate, base, out);
    case SpanField::scope_name:
    case SpanField::scope_version:
      break;  // shared
  }
  set_range(out, base, base + source.rows(kSpanTable));
  return {};
}

Status overlap_spans(const ColumnSource& source, const TimeRange& range, size_t base, RowSet& out) {
  CC_ASSIGN(const Times times, Times::of(source));
  for (size_t row = 0; row < source.rows(kSpanTable); ++row) {
    if (times.start_of(row) <= range.end_ns && times.end_of(row) >= range.start_ns)
      out.set(base + row);
  }
  return {};
}

Status keep_tenants(const ColumnSource& source, const TenantSet& tenants, size_t base, RowSet& rows) {
  CC_ASSIGN(const ColumnView view, source.fixed(static_cast<size_t>(SpanColumn::tenant)));
  // Rows without a value are the default tenant's.
  const bool keeps_default = tenants.has_default();
  if (view.count == 0 && keeps_default) return {};
  size_t row = 0;
  const auto clear_to = [&](size_t end) {
    for (; row < end; ++row) {
      if (!keeps_default) rows.clear(base + row);
    }
  };
  uint64_t last = UINT64_MAX;
  bool kept = false;
  for (size_t i = 0; i < view.count; ++i) {
    clear_to(view.rows != nullptr ? view.rows[i] : view.first + i);
    if (view.numbers[i] != last) {
      last = view.numbers[i];
      kept = last <= UINT32_MAX && tenants.contains(static_cast<uint32_t>(last));
    }
    if (!kept) rows.clear(base + row);
    ++row;
  }
  clear_to(source.rows(kSpanTable));
  return {};
}

}  // namespace contextcore::store
