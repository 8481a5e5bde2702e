#include "store/span_gather.h"

#include <bit>
#include <cstring>

namespace contextcore::store {
namespace {

constexpr size_t at_index(SpanColumn column) { return static_cast<size_t>(column); }

constexpr size_t kSourcesKept = 32;
constexpr uint32_t kUnknown = UINT32_MAX;
constexpr size_t kShapes[kSpanTables] = {at_index(SpanColumn::shape),
                                         at_index(SpanColumn::event_shape),
                                         at_index(SpanColumn::link_shape)};
constexpr size_t kOverflows[kSpanTables] = {at_index(SpanColumn::overflow),
                                            at_index(SpanColumn::event_overflow),
                                            at_index(SpanColumn::link_overflow)};

}  // namespace

// ---- sources
// ---------------------------------------------------------------------------------

Status GatherColumn::load(Result<ColumnView> view) {
  if (!view.ok()) return std::move(view).error();
  view_ = *view;
  loaded_ = true;
  if (view_.rows != nullptr && view_.count > 0) {
    words_.assign(view_.rows[view_.count - 1] / 64 + 1, {});
    for (size_t i = 0; i < view_.count; ++i) {
      words_[view_.rows[i] / 64].bits |= uint64_t{1} << (view_.rows[i] % 64);
    }
    uint32_t sum = 0;
    for (Word& word : words_) {
      word.before = sum;
      sum += static_cast<uint32_t>(std::popcount(word.bits));
    }
  }
  if (has_strings(view_.type)) known.assign(view_.strings.count, 0);
  return {};
}

size_t GatherColumn::find(size_t row) const {
  if (view_.rows == nullptr) {
    return row - view_.first < view_.count ? row - view_.first : ColumnView::npos;
  }
  if (row / 64 >= words_.size()) return ColumnView::npos;
  const Word& word = words_[row / 64];
  const uint64_t bit = uint64_t{1} << (row % 64);
  if ((word.bits & bit) == 0) return ColumnView::npos;
  return word.before + static_cast<size_t>(std::popcount(word.bits & (bit - 1)));
}

Result<GatherSource*> GatherSources::of(const SpanRows& rows, uint32_t row) {
  if (recent_ != nullptr && recent_->rows == &rows && row >= recent_->first && row < recent_->end) {
    return recent_;
  }
  for (auto at = sources_.begin(); at != sources_.end(); ++at) {
    if (at->rows != &rows || row < at->first || row >= at->end) continue;
    sources_.splice(sources_.begin(), sources_, at);
    return recent_ = &*at;
  }
  SpanRows::InColumns in = rows.columns_at(row);
  if (sources_.size() >= kSourcesKept) sources_.pop_back();
  GatherSource& source = sources_.emplace_front();
  source.columns = std::move(in.source);
  source.rows = &rows;
  source.first = in.first;
  source.end = in.end;
  source.fixed.resize(kSpanColumns);
  for (size_t table = 0; table < kSpanTables; ++table) {
    source.tables[table].attributes.resize(source.columns->attribute_count(table));
    source.tables[table].target.resize(source.columns->attribute_count(table));
  }
  return recent_ = &source;
}

// ---- groups
// ----------------------------------------------------------------------------------

void SpanGather::begin_group(size_t rows) {
  ++group_;
  group_rows_ = rows;
  full_ = false;
  fixed_outputs_.resize(kSpanColumns);
  for (Output& output : fixed_outputs_) output.restart();
  for (auto& outputs : outputs_) {
    for (Output& output : outputs) output.restart();
  }
}

Result<GatherColumn*> SpanGather::fixed(GatherSource& source, size_t column) {
  GatherColumn& found = source.fixed[column];
  if (!found.loaded()) CC_TRY(found.load(source.columns->fixed(column)));
  return &found;
}

// In the order of a segment the rows of a head lie all over its columns. Each step below waits for
// memory once for all values instead of once for each.
void SpanGather::copy_values(ColumnBuilder& to, Output& output) {
  std::vector<Value>& values = output.values;
  if (!has_strings(to.type())) {
    for (const Value& value : values) __builtin_prefetch(&value.from->view().numbers[value.at]);
    for (const Value& value : values) to.append(value.row, value.from->view().numbers[value.at]);
    values.clear();
    return;
  }
  for (const Value& value : values) {
    if (value.from->view().ids != nullptr) __builtin_prefetch(&value.from->view().ids[value.at]);
  }
  for (Value& value : values) {
    value.at = value.from->string_of(value.at);
    __builtin_prefetch(&value.from->known[value.at]);
  }
  for (const Value& value : values) {
    if (value.from->known[value.at] >> 32 == group_) continue;
    __builtin_prefetch(&value.from->view().strings.ends[value.at]);
  }
  for (const Value& value : values) {
    if (value.from->known[value.at] >> 32 == group_) continue;
    __builtin_prefetch(value.from->view().strings.at(value.at).data());
  }
  for (const Value& value : values) {
    uint64_t& known = value.from->known[value.at];
    if (known >> 32 != group_) {
      const std::string_view text = value.from->view().strings.at(value.at);
      if (output.only == nullptr) output.only = value.from;
      output.mixed |= output.only != value.from;
      known = group_ << 32 | (output.mixed ? to.pool().intern(text) : to.pool().add_distinct(text));
    }
    to.append_id(value.row, static_cast<uint32_t>(known));
  }
  values.clear();
}

Result<bool> SpanGather::append(const RowRef<SpanRows>* rows, size_t count, SpanColumns& out) {
  std::vector<Ref> refs(count);
  for (size_t i = 0; i < count; ++i) {
    CC_ASSIGN(refs[i].source, sources_.of(*rows[i].rows, rows[i].row));
    refs[i].row = rows[i].row - refs[i].source->first;
  }
  const size_t base = out.rows(kSpanTable);
  CC_TRY(copy_table(kSpanTable, refs, out));
  CC_TRY(copy_objects(SpanColumn::resource, refs, base, out.at(SpanColumn::resource)));
  CC_TRY(copy_objects(SpanColumn::scope, refs, base, out.at(SpanColumn::scope)));
  CC_TRY(copy_children(kEventTable, refs, out));
  CC_TRY(copy_children(kLinkTable, refs, out));
  CC_TRY(add_zones(refs, out));
  out.rows_ += static_cast<uint32_t>(count);
  return !full_;
}

Status SpanGather::copy_table(size_t table, const std::vector<Ref>& rows, SpanColumns& out) {
  const size_t base = out.rows(table);
  for (size_t column = 0; column < kSpanColumns; ++column) {
    const bool elsewhere = column == at_index(SpanColumn::resource) ||
                           column == at_index(SpanColumn::scope) || column == kShapes[table] ||
                           column == kOverflows[table];
    if (kSpanFixedColumns[column].table != table || elsewhere) continue;
    CC_TRY(copy_fixed(column, rows, base, out));
  }
  CC_TRY(copy_attributes(table, rows, base, out));
  out.attributes_[table].rows_ += rows.size();
  return {};
}

Status SpanGather::copy_fixed(size_t column, const std::vector<Ref>& rows, size_t base,
                              SpanColumns& out) {
  ColumnBuilder& to = out.fixed_[column];
  Output& output = fixed_outputs_[column];
  GatherSource* source = nullptr;
  GatherColumn* from = nullptr;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].source != source) {
      source = rows[i].source;
      CC_ASSIGN(from, fixed(*source, column));
    }
    const size_t at = from->find(rows[i].row);
    if (at != ColumnView::npos) output.values.push_back({from, at, base + i});
  }
  if (to.count() == 0 && !output.values.empty()) to.reserve(group_rows_);
  copy_values(to, output);
  return {};
}

Result<uint32_t> SpanGather::number_of(GatherSource& source, size_t which, uint64_t object) {
  std::vector<uint32_t>*& numbers = source.numbers[which];
  if (numbers == nullptr) numbers = &numbers_[source.rows][which];
  if (object < numbers->size() && (*numbers)[object] != kUnknown) return (*numbers)[object];
  uint32_t number = 0;
  if (which == 0) {
    CC_ASSIGN(const auto found, source.rows->resource(object));  // an error where there is none
    number = resources_.add(found);
  } else {
    CC_ASSIGN(const auto found, source.rows->scope(object));
    number = scopes_.add(found);
  }
  if (object >= numbers->size()) numbers->resize(object + 1, kUnknown);
  return (*numbers)[object] = number;
}

Status SpanGather::copy_objects(SpanColumn column, const std::vector<Ref>& rows, size_t base,
                                ColumnBuilder& to) {
  const size_t which = column == SpanColumn::resource ? 0 : 1;
  for (size_t i = 0; i < rows.size(); ++i) {
    GatherSource& source = *rows[i].source;
    CC_ASSIGN(const GatherColumn* from, fixed(source, at_index(column)));
    const size_t at = from->find(rows[i].row);
    const uint64_t object = at == ColumnView::npos ? 0 : from->view().numbers[at];
    CC_ASSIGN(const uint32_t number, number_of(source, which, object));
    to.append_unless_default(base + i, number);
  }
  return {};
}

Result<ColumnBuilder> SpanGather::objects_of(const SpanRows& rows, uint32_t first, SpanColumn column) {
  CC_ASSIGN(GatherSource* const source, sources_.of(rows, first));
  std::vector<Ref> refs(source->end - source->first);
  for (uint32_t i = 0; i < refs.size(); ++i) refs[i] = {source, i};
  ColumnBuilder numbers(kSpanFixedColumns[at_index(column)].type);
  CC_TRY(copy_objects(column, refs, 0, numbers));
  return numbers;
}

Status SpanGather::copy_children(size_t table, const std::vector<Ref>& rows, SpanColumns& out) {
  std::vector<Ref> children;
  auto total = static_cast<uint32_t>(out.rows(table));
  for (const Ref& ref : rows) {
    if (ref.source->columns->rows(table) > 0) {
      CC_ASSIGN(const uint32_t* begins, ref.source->columns->child_begins(table));
      for (uint32_t child = begins[ref.row]; child < begins[ref.row + 1]; ++child) {
        children.push_back({ref.source, child});
        ++total;
      }
    }
    out.begins_[table].push_back(total);
  }
  return children.empty() ? Status() : copy_table(table, children, out);
}

// ---- attributes
// ------------------------------------------------------------------------------

Result<GatherSource::Shape*> SpanGather::shape_of(size_t table, GatherSource& source,
                                                  GatherColumn& shapes, size_t string,
                                                  SpanColumns& out) {
  GatherSource::Table& from = source.tables[table];
  if (from.shapes.empty()) from.shapes.resize(shapes.view().strings.count);
  GatherSource::Shape& shape = from.shapes[string];
  if (shape.known >> 32 == group_) return &shape;
  const std::string_view bytes = shapes.view().strings.at(string);
  if (bytes.size() % sizeof(uint32_t) != 0) {
    return source.columns->damaged("an attribute shape of odd length");
  }
  AttributeTable& to = out.attributes_[table];
  shape.entries.resize(bytes.size() / sizeof(uint32_t));
  shape_buffer_.resize(shape.entries.size());
  for (size_t i = 0; i < shape.entries.size(); ++i) {
    GatherSource::ShapeEntry& entry = shape.entries[i];
    std::memcpy(&entry.from, bytes.data() + i * sizeof(uint32_t), sizeof(uint32_t));
    shape_buffer_[i] = entry.to = kShapeOverflow;
    if (entry.from == kShapeOverflow) continue;
    if (entry.from >= from.attributes.size()) {
      return source.columns->damaged("a shape that names no column");
    }
    uint64_t& target = from.target[entry.from];
    if (target >> 32 != group_) {
      const ColumnSource::AttributeInfo info = source.columns->attribute_info(table, entry.from);
      target = group_ << 32 | to.find_or_add(info.key, info.type);
    }
    entry.to = static_cast<uint32_t>(target);
    if (entry.to == kShapeOverflow) full_ = true;
    for (size_t j = 0; j < i; ++j) {
      if (shape_buffer_[j] == entry.to && entry.to != kShapeOverflow) {
        return source.columns->damaged("a shape that names a column twice");
      }
    }
    shape_buffer_[i] = entry.to;
    GatherColumn& values = from.attributes[entry.from];
    if (!values.loaded()) CC_TRY(values.load(source.columns->attribute(table, entry.from)));
  }
  if (outputs(table).size() < to.columns().size()) outputs(table).resize(to.columns().size());
  const uint32_t number = to.shapes_.pool().intern(
      {reinterpret_cast<const char*>(shape_buffer_.data()), shape_buffer_.size() * 4});
  shape.known = group_ << 32 | number;
  return &shape;
}

Status SpanGather::copy_attributes(size_t table, const std::vector<Ref>& rows, size_t base,
                                   SpanColumns& out) {
  AttributeTable& to = out.attributes_[table];
  GatherSource* source = nullptr;
  GatherColumn *shapes = nullptr, *overflow = nullptr;
  for (size_t i = 0; i < rows.size(); ++i) {
    if (rows[i].source != source) {
      source = rows[i].source;
      CC_ASSIGN(shapes, fixed(*source, kShapes[table]));
      CC_ASSIGN(overflow, fixed(*source, kOverflows[table]));
    }
    const size_t at = shapes->find(rows[i].row);
    if (at == ColumnView::npos) continue;
    CC_ASSIGN(const GatherSource::Shape* shape,
              shape_of(table, *source, *shapes, shapes->string_of(at), out));
    for (const GatherSource::ShapeEntry& entry : shape->entries) {
      if (entry.to == kShapeOverflow) continue;
      GatherColumn& from = source->tables[table].attributes[entry.from];
      const size_t value = from.find(rows[i].row);
      if (value == ColumnView::npos) {
        return source->columns->damaged("a shape that names a column without a value");
      }
      outputs(table)[entry.to].values.push_back({&from, value, base + i});
    }
    to.shapes_.append_id(base + i, static_cast<uint32_t>(shape->known));
    const size_t rest = overflow->find(rows[i].row);
    if (rest != ColumnView::npos) {
      fixed_outputs_[kOverflows[table]].values.push_back({overflow, rest, base + i});
    }
  }
  copy_values(to.overflow_, fixed_outputs_[kOverflows[table]]);
  for (size_t column = 0; column < to.columns().size(); ++column) {
    copy_values(to.columns_[column].values, outputs(table)[column]);
  }
  return {};
}

// ---- zones
// -----------------------------------------------------------------------------------

Status SpanGather::add_zones(const std::vector<Ref>& rows, SpanColumns& out) {
  for (const Ref& ref : rows) {
    CC_ASSIGN(const GatherColumn* starts, fixed(*ref.source, at_index(SpanColumn::start)));
    CC_ASSIGN(const GatherColumn* durations, fixed(*ref.source, at_index(SpanColumn::duration)));
    CC_ASSIGN(const GatherColumn* journals, fixed(*ref.source, at_index(SpanColumn::journal)));
    const auto number = [&ref](const GatherColumn& column) {
      const size_t at = column.find(ref.row);
      return at == ColumnView::npos ? 0 : column.view().numbers[at];
    };
    const uint64_t start = number(*starts);
    const size_t duration = durations->find(ref.row);
    const uint64_t end =
        duration == ColumnView::npos ? 0 : start + durations->view().numbers[duration];
    const bool journal = number(*journals) != 0;
    const auto begin = static_cast<int64_t>(start);
    out.zones_.add(begin, effective_end(begin, static_cast<int64_t>(end), journal),
                   end == 0 && journal);
  }
  return {};
}

}  // namespace contextcore::store
