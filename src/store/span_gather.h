#pragma once
// Copies rows of builders and segments to a row group column by column, without putting spans
// together: numbers go over as they are, a string is looked at once per row group that has it.

#include <cstdint>
#include <list>
#include <memory>
#include <unordered_map>
#include <vector>

#include "store/rows.h"
#include "store/rows_shared.h"
#include "store/rows_spans.h"

namespace contextcore::store {

// A column of a source with what makes copying from it cheap.
class GatherColumn {
 public:
  Status load(Result<ColumnView> view);
  bool loaded() const { return loaded_; }
  const ColumnView& view() const { return view_; }
  size_t find(size_t row) const;  // as ColumnView::find, in constant time
  // Index into view().strings of value i.
  size_t string_of(size_t i) const { return view_.ids != nullptr ? view_.ids[i] : i; }
  // By string: group << 32 | its number in the column of that row group.
  std::vector<uint64_t> known;

 private:
  bool loaded_ = false;
  ColumnView view_;
  struct Word {
    uint64_t bits = 0;    // rows that have a value
    uint32_t before = 0;  // values before them
  };
  std::vector<Word> words_;  // of a column with gaps
};

// Columns that rows are copied from: those of a builder, or a row group of a segment.
struct GatherSource {
  std::shared_ptr<const ColumnSource> columns;
  const SpanRows* rows = nullptr;
  uint32_t first = 0, end = 0;  // rows that they hold
  std::vector<uint32_t>* numbers[2] = {nullptr, nullptr};  // of resources, scopes, in what is written
  std::vector<GatherColumn> fixed;
  struct ShapeEntry {
    uint32_t from = 0, to = 0;  // attribute columns; kShapeOverflow: the row's overflow list
  };
  struct Shape {
    uint64_t known = 0;  // group << 32 | number of the shape there
    std::vector<ShapeEntry> entries;
  };
  struct Table {
    std::vector<GatherColumn> attributes;
    std::vector<uint64_t> target;  // by attribute: group << 32 | its column there
    std::vector<Shape> shapes;     // by string of the shape column
  };
  std::array<Table, kSpanTables> tables;
};

// The sources that were used last; a segment is read nearly in order.
class GatherSources {
 public:
  // Stays until many others have been asked for.
  Result<GatherSource*> of(const SpanRows& rows, uint32_t row);

 private:
  std::list<GatherSource> sources_;  // most recently used first
  GatherSource* recent_ = nullptr;
};

class SpanGather {
 public:
  SpanGather(SharedObjects<otlp::Resource>& resources, SharedObjects<otlp::Scope>& scopes)
      : resources_(resources), scopes_(scopes) {}

  // rows: as many as the group will have, about.
  void begin_group(size_t rows);
  // The column of resources or scopes of a row group of a source, with the numbers that they have in what is written.
  Result<ColumnBuilder> objects_of(const SpanRows& rows, uint32_t first, SpanColumn column);
  // Appends rows to a group. False: it would have more attribute columns than one may have, and
  // holds some of the rows or parts of them now.
  Result<bool> append(const RowRef<SpanRows>* rows, size_t count, SpanColumns& out);

 private:
  struct Ref {
    GatherSource* source = nullptr;
    uint32_t row = 0;  // in it
  };
  // A value on its way to a column.
  struct Value {
    GatherColumn* from = nullptr;
    size_t at = 0;  // index of the value there, then of its string
    size_t row = 0;
  };
  struct Output {
    const GatherColumn* only = nullptr;  // the one that strings came from so far
    bool mixed = false;                  // from several
    std::vector<Value> values;           // not copied yet
    void restart() {  // with the room that it has
      only = nullptr;
      mixed = false;
      values.clear();
    }
  };

  Status copy_table(size_t table, const std::vector<Ref>& rows, SpanColumns& out);
  Status copy_fixed(size_t column, const std::vector<Ref>& rows, size_t base, SpanColumns& out);
  Status copy_objects(SpanColumn column, const std::vector<Ref>& rows, size_t base,
                      ColumnBuilder& to);
  Status copy_children(size_t table, const std::vector<Ref>& rows, SpanColumns& out);
  Status copy_attributes(size_t table, const std::vector<Ref>& rows, size_t base, SpanColumns& out);
  Result<GatherSource::Shape*> shape_of(size_t table, GatherSource& source, GatherColumn& shapes,
                                        size_t string, SpanColumns& out);
  Status add_zones(const std::vector<Ref>& rows, SpanColumns& out);
  Result<uint32_t> number_of(GatherSource& source, size_t which, uint64_t object);
  Result<GatherColumn*> fixed(GatherSource& source, size_t column);
  void copy_values(ColumnBuilder& to, Output& output);
  std::vector<Output>& outputs(size_t table) { return outputs_[table]; }

  SharedObjects<otlp::Resource>& resources_;
  SharedObjects<otlp::Scope>& scopes_;
  GatherSources sources_;
  // By source, kind of object and number there: the number in what is written, or kUnknown.
  std::unordered_map<const SpanRows*, std::array<std::vector<uint32_t>, 2>> numbers_;
  uint64_t group_ = 0;  // counts from 1
  size_t group_rows_ = 0;
  bool full_ = false;  // an attribute found no column
  std::vector<Output> fixed_outputs_;
  std::array<std::vector<Output>, kSpanTables> outputs_;  // of attribute columns
  std::vector<uint32_t> shape_buffer_;
};

}  // namespace contextcore::store
