#include "store/rows_values.h"

#include <algorithm>
#include <bit>
#include <unordered_set>

#include "store/column_value.h"

namespace contextcore::store {
namespace {

constexpr size_t index_of(SpanColumn column) { return static_cast<size_t>(column); }

// The rows of one table of a group that count.
class Chosen {
 public:
  static Result<Chosen> of(const ColumnSource& source, size_t table, const RowSet& rows,
                           size_t base) {
    Chosen chosen;
    const size_t spans = source.rows(kSpanTable);
    size_t count = 0;
    for (size_t row = 0; row < spans; ++row) count += rows.test(base + row) ? 1 : 0;
    chosen.none_ = count == 0 || source.rows(table) == 0;
    chosen.all_ = count == spans;
    if (chosen.none_ || chosen.all_) return chosen;
    chosen.rows_ = RowSet(source.rows(table));
    if (table == kSpanTable) {
      for (size_t row = 0; row < spans; ++row) {
        if (rows.test(base + row)) chosen.rows_.set(row);
      }
      return chosen;
    }
    CC_ASSIGN(const uint32_t* begins, source.child_begins(table));
    for (size_t row = 0; row < spans; ++row) {
      if (!rows.test(base + row)) continue;
      for (uint32_t child = begins[row]; child < begins[row + 1]; ++child) chosen.rows_.set(child);
    }
    return chosen;
  }

  bool none() const { return none_; }
  bool all() const { return all_; }
  bool test(size_t row) const { return all_ || rows_.test(row); }
  bool any_of(const ColumnView& view) const {
    if (all_) return view.count > 0;
    for (size_t i = 0; i < view.count; ++i) {
      if (rows_.test(view.row(i))) return true;
    }
    return false;
  }

 private:
  bool all_ = false, none_ = false;
  RowSet rows_;
};

struct Table {
  size_t number;
  ColumnScope scope;
  SpanColumn overflow;
};
constexpr std::array<Table, kSpanTables> kTables = {
    {{kSpanTable, ColumnScope::span, SpanColumn::overflow},
     {kEventTable, ColumnScope::event, SpanColumn::event_overflow},
     {kLinkTable, ColumnScope::link, SpanColumn::link_overflow}}};

// Calls fn(attribute) for each one that lies in an overflow list of a chosen row, until it returns
// false.
template <typename Fn>
Result<bool> for_each_overflow(const ColumnSource& source, SpanColumn column, const Chosen& chosen,
                               const Fn& fn) {
  CC_ASSIGN(const ColumnView view, source.fixed(index_of(column)));
  for (size_t i = 0; i < view.count; ++i) {
    if (!chosen.test(view.row(i))) continue;
    otlp::Attributes attributes;
    ByteReader reader(view.string(i));
    if (!decode_attributes(reader, attributes))
      return source.damaged("an attribute overflow list that does not parse");
    for (const otlp::KeyValue& attribute : attributes) {
      if (!fn(attribute)) return false;
    }
  }
  return true;
}

Cell cell_of(ColumnType type, uint64_t bits) {
  Cell cell;
  switch (type) {
    case ColumnType::boolean:
      cell.type = Cell::Type::boolean;
      cell.boolean = bits != 0;
      break;
    case ColumnType::real:
      cell.type = Cell::Type::real;
      cell.real = std::bit_cast<double>(bits);
      break;
    default:
      cell.type = Cell::Type::integer;
      cell.integer = static_cast<int64_t>(bits);
      break;
  }
  return cell;
}

Cell string_cell(std::string_view text) {
  Cell cell;
  cell.type = Cell::Type::string;
  cell.string = text;
  return cell;
}

// Each string of the dictionary that a chosen row has, once.
Result<bool> each_string(const ColumnSource& source, const ColumnView& view, const Chosen& chosen,
                         const EachCell& each) {
  std::vector<bool> used(view.strings.count);
  for (size_t i = 0; i < view.count; ++i) {
    if (chosen.test(view.row(i))) used[view.ids != nullptr ? view.ids[i] : i] = true;
  }
  for (size_t i = 0; i < used.size(); ++i) {
    if (!used[i]) continue;
    if (view.type != ColumnType::encoded) {
      if (!each(string_cell(view.strings.at(i)))) return false;
      continue;
    }
    otlp::Value value;
    ByteReader reader(view.strings.at(i));
    if (!decode_value(reader, value)) return source.damaged("a value that does not parse");
    if (!each(Cell::of(&value))) return false;
  }
  return true;
}

bool each_number(const ColumnView& view, ColumnType type, const Chosen& chosen,
                 const EachCell& each) {
  std::unordered_set<uint64_t> seen;
  for (size_t i = 0; i < view.count; ++i) {
    if (!chosen.test(view.row(i)) || !seen.insert(view.numbers[i]).second) continue;
    if (!each(cell_of(type, view.numbers[i]))) return false;
  }
  return true;
}

Result<bool> each_value(const ColumnSource& source, const ColumnView& view, const Chosen& chosen,
                        const EachCell& each) {
  if (has_strings(view.type)) return each_string(source, view, chosen, each);
  return each_number(view, view.type, chosen, each);
}

Result<bool> each_attribute(const ColumnSource& source, const Table& table, const std::string& key,
                            const Chosen& chosen, const EachCell& each) {
  for (size_t i = 0; i < source.attribute_count(table.number); ++i) {
    if (source.attribute_info(table.number, i).key != key) continue;
    CC_ASSIGN(const ColumnView view, source.attribute(table.number, i));
    CC_ASSIGN(const bool more, each_value(source, view, chosen, each));
    if (!more) return false;
  }
  return for_each_overflow(source, table.overflow, chosen, [&](const otlp::KeyValue& attribute) {
    return attribute.key != key || each(Cell::of(&attribute.value));
  });
}

// A fixed column; a row without a value has the default.
Result<bool> each_fixed(const ColumnSource& source, SpanColumn column, size_t rows,
                        const Chosen& chosen, const EachCell& each) {
  CC_ASSIGN(const ColumnView view, source.fixed(index_of(column)));
  CC_ASSIGN(bool more, each_value(source, view, chosen, each));
  if (!more || view.count == rows) return more;
  for (size_t row = 0, i = 0; row < rows; ++row) {
    if (i < view.count && view.row(i) == row) {
      ++i;
    } else if (chosen.test(row)) {
      return each(has_strings(view.type) ? string_cell({}) : cell_of(view.type, 0));
    }
  }
  return true;
}

}  // namespace

Status attribute_names(const ColumnSource& source, const RowSet& rows, size_t base,
                       const EachColumn& each) {
  for (const Table& table : kTables) {
    CC_ASSIGN(const Chosen chosen, Chosen::of(source, table.number, rows, base));
    if (chosen.none()) continue;
    for (size_t i = 0; i < source.attribute_count(table.number); ++i) {
      if (!chosen.all()) {
        CC_ASSIGN(const ColumnView view, source.attribute(table.number, i));
        if (!chosen.any_of(view)) continue;
      }
      each({table.scope, std::string(source.attribute_info(table.number, i).key)});
    }
    CC_TRY(for_each_overflow(source, table.overflow, chosen, [&](const otlp::KeyValue& attribute) {
             each({table.scope, attribute.key});
             return true;
           }).status());
  }
  return {};
}

void shared_names(ColumnScope scope, const otlp::Attributes& attributes, const EachColumn& each) {
  for (const otlp::KeyValue& attribute : attributes) each({scope, attribute.key});
}

Result<bool> span_values(const ColumnSource& source, SpanField field, const Column& column,
                         const RowSet& rows, size_t base, const EachCell& each) {
  const size_t wanted = field == SpanField::event_name       ? kEventTable
                        : field != SpanField::attribute      ? kSpanTable
                        : column.scope == ColumnScope::event ? kEventTable
                        : column.scope == ColumnScope::link  ? kLinkTable
                                                             : kSpanTable;
  CC_ASSIGN(const Chosen chosen, Chosen::of(source, wanted, rows, base));
  if (chosen.none()) return true;
  const size_t count = source.rows(wanted);
  switch (field) {
    case SpanField::attribute:
      return each_attribute(source, kTables[wanted], column.key, chosen, each);
    case SpanField::name:
      return each_fixed(source, SpanColumn::name, count, chosen, each);
    case SpanField::kind:
      return each_fixed(source, SpanColumn::kind, count, chosen, each);
    case SpanField::status:
      return each_fixed(source, SpanColumn::status_code, count, chosen, each);
    case SpanField::status_message:
      return each_fixed(source, SpanColumn::status_message, count, chosen, each);
    case SpanField::event_name:
      return each_fixed(source, SpanColumn::event_name, count, chosen, each);
    default:
      return Error{Code::unsupported, "values of this field not yet supported", {}, {}, {}};
  }
}

bool resource_value(const otlp::Resource& resource, const Column& column, const EachCell& each) {
  const otlp::Value* value = otlp::find(resource.attributes, column.key);
  return value == nullptr || each(Cell::of(value));
}

bool scope_value(const otlp::Scope& scope, SpanField field, const Column& column,
                 const EachCell& each) {
  if (field == SpanField::scope_name) return each(string_cell(scope.name));
  if (field == SpanField::scope_version) return each(string_cell(scope.version));
  const otlp::Value* value = otlp::find(scope.attributes, column.key);
  return value == nullptr || each(Cell::of(value));
}

Status mark_used(const ColumnSource& source, SpanColumn column, const RowSet& rows, size_t base,
                 std::vector<bool>& used) {
  CC_ASSIGN(const Chosen chosen, Chosen::of(source, kSpanTable, rows, base));
  if (chosen.none()) return {};
  CC_ASSIGN(const ColumnView view, source.fixed(index_of(column)));
  const auto mark = [&](uint64_t number) {
    if (number >= used.size()) return false;
    used[number] = true;
    return true;
  };
  for (size_t row = 0, i = 0; row < source.rows(kSpanTable); ++row) {
    const bool has = i < view.count && view.row(i) == row;
    const uint64_t number = has ? view.numbers[i] : 0;
    if (has) ++i;
    if (chosen.test(row) && !mark(number))
      return source.damaged("a resource or scope number that names none");
  }
  return {};
}

}  // namespace contextcore::store
