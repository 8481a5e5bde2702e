#include "store/log_scan.h"

#include <algorithm>
#include <map>
#include <string>
#include <tuple>
#include <unordered_map>

#include "store/column_value.h"
#include "store/log_scan_fields.h"

namespace contextcore::store {
namespace {

constexpr size_t at_index(LogColumn column) { return static_cast<size_t>(column); }

class Scan {
 public:
  Scan(const ColumnSource& source, const LogScan& scan, const LogObjects& objects, bool borrow, LogBatch& batch)
      : source_(source), scan_(scan), objects_(objects), borrow_(borrow), batch_(batch) {}

  Status run(size_t first, size_t end, std::vector<uint32_t>& streams) {
    const LogProjection& wanted = *scan_.projection;
    bool any = true;
    if (wanted.holding) {
      CC_ASSIGN(any, may_hold(*wanted.holding));
    }
    if (any) CC_TRY(select(first, end, streams));
    if (rows_.empty()) {
      // Empty columns are columns too.
      batch_.metadata.assign(wanted.metadata.size(), TextColumn{{}, {{}}});
      batch_.integers.assign(wanted.integers.size(), {});
      return {};
    }
    if (!scan_.line_contains.empty()) CC_TRY(keep_holding(streams));
    if (wanted.line || wanted.fields) CC_TRY(read_lines(wanted.line));
    for (const std::string& name : wanted.metadata) CC_TRY(read_metadata(name, batch_.metadata.emplace_back()));
    for (const std::string& key : wanted.integers) CC_TRY(read_integers(key, batch_.integers.emplace_back()));
    if (wanted.ids) CC_TRY(read_ids());
    batch_.size = rows_.size();
    return {};
  }

 private:
  Result<ColumnView> fixed(LogColumn column) const { return source_.fixed(at_index(column)); }

  // Looks at next to nothing of what select() decodes.
  Result<bool> may_hold(const LogFieldText& wanted) const {
    for (const LogColumn body : {LogColumn::body_text, LogColumn::body_value}) {  // of lines that are no fields
      CC_ASSIGN(const ColumnView bodies, fixed(body));
      if (bodies.count > 0) return true;
    }
    for (size_t i = 0; i < source_.attribute_count(kFieldTable); ++i) {
      const ColumnSource::AttributeInfo info = source_.attribute_info(kFieldTable, i);
      if (info.key != wanted.field) continue;
      if (info.type == ColumnType::encoded) return true;  // a text may be spelled in another way
      if (info.type != ColumnType::string) continue;
      CC_ASSIGN(const ColumnView view, source_.attribute(kFieldTable, i));
      for (size_t k = 0; k < view.strings.count; ++k) {
        if (view.strings.at(k) == wanted.text) return true;
      }
    }
    return false;
  }

  Status select(size_t first, size_t end, std::vector<uint32_t>& streams) {
    CC_ASSIGN(const ColumnView times, fixed(LogColumn::time));
    CC_ASSIGN(const ColumnView observed, fixed(LogColumn::observed_time));
    CC_ASSIGN(const ColumnView numbers, fixed(LogColumn::stream));
    CC_ASSIGN(const ColumnView sequences, fixed(LogColumn::sequence));
    rows_.resize(end - first);
    for (size_t i = 0; i < rows_.size(); ++i) rows_[i] = static_cast<uint32_t>(first + i);
    std::vector<uint64_t> time(rows_.size()), sequence(rows_.size()), stream(rows_.size());
    const auto fill = [&](const ColumnView& view, std::vector<uint64_t>& out) {
      for_each_value(view, rows_, [&](size_t k, size_t i) { out[k] = i == ColumnView::npos ? 0 : view.numbers[i]; });
    };
    fill(times, time);
    fill(numbers, stream);
    fill(sequences, sequence);
    size_t kept = 0;
    for (size_t k = 0; k < rows_.size(); ++k) {
      if (stream[k] >= scan_.streams_wanted.size()) return source_.damaged("a stream number that names none");
      if (!scan_.streams_wanted[stream[k]]) continue;
      if (sequence[k] > scan_.until || (scan_.after != 0 && sequence[k] <= scan_.after)) continue;
      const auto at = static_cast<int64_t>(time[k] != 0 ? time[k] : observed.number_of(rows_[k]));
      if (at < scan_.start_ns || (at >= scan_.end_ns && scan_.end_ns != INT64_MAX)) continue;
      batch_.times_ns.push_back(at);
      batch_.sequences.push_back(sequence[k]);
      streams.push_back(static_cast<uint32_t>(stream[k]));
      rows_[kept++] = rows_[k];
    }
    rows_.resize(kept);
    return {};
  }

  std::string_view text(std::string_view text) { return borrow_ ? text : batch_.own(std::string(text)); }

  // all: those too that are stored as fields; otherwise these are left to batch.fields.
  Status read_lines(bool all) {
    CC_ASSIGN(const ColumnView texts, fixed(LogColumn::body_text));
    FieldLines of_fields(source_);
    CC_TRY(of_fields.open());
    batch_.lines.resize(rows_.size());
    if (!all && of_fields.any()) {
      CC_ASSIGN(batch_.fields, make_log_fields(source_, rows_));
    }
    std::string joined;  // lines made of fields, end to end
    std::vector<std::pair<size_t, size_t>> ends;
    Status status;
    for_each_value(texts, rows_, [&](size_t k, size_t i) {
      if (i != ColumnView::npos) {
        batch_.lines[k] = text(texts.string(i));
      } else if (status.ok() && of_fields.has(rows_[k])) {
        if (!all) return;
        status = of_fields.append(rows_[k], joined);
        ends.emplace_back(k, joined.size());
      } else if (status.ok()) {
        Result<std::string> line = read_line(source_, rows_[k]);
        status = line.status();
        if (line.ok()) batch_.lines[k] = batch_.own(*std::move(line));
      }
    });
    CC_TRY(status);
    const std::string_view lines = batch_.own(std::move(joined));
    for (size_t begin = 0; const auto& [k, end] : ends) {
      batch_.lines[k] = lines.substr(begin, end - begin);
      begin = end;
    }
    return {};
  }

  // Rows whose lines hold what is asked for.
  Status keep_holding(std::vector<uint32_t>& streams) {
    RowSet holding(source_.rows(0));
    for (const uint32_t row : rows_) holding.set(row);
    CC_TRY(match_lines(source_, scan_.line_contains, holding));
    size_t kept = 0;
    for (size_t k = 0; k < rows_.size(); ++k) {
      if (!holding.test(rows_[k])) continue;
      rows_[kept] = rows_[k];
      streams[kept] = streams[k];
      batch_.times_ns[kept] = batch_.times_ns[k];
      batch_.sequences[kept] = batch_.sequences[k];
      ++kept;
    }
    rows_.resize(kept);
    streams.resize(kept);
    batch_.times_ns.resize(kept);
    batch_.sequences.resize(kept);
    return {};
  }

  Status read_ids() {
    CC_ASSIGN(const ColumnView traces, fixed(LogColumn::trace_id));
    CC_ASSIGN(const ColumnView spans, fixed(LogColumn::span_id));
    CC_ASSIGN(const ColumnView observed, fixed(LogColumn::observed_time));
    CC_ASSIGN(const ColumnView times, fixed(LogColumn::time));
    batch_.trace_ids.resize(rows_.size());
    batch_.span_ids.resize(rows_.size());
    batch_.observed_ns.resize(rows_.size());
    for_each_value(traces, rows_, [&](size_t k, size_t i) {
      if (i != ColumnView::npos) batch_.trace_ids[k] = trace_id_of(traces.string(i));
    });
    for_each_value(spans, rows_, [&](size_t k, size_t i) {
      if (i != ColumnView::npos) batch_.span_ids[k] = span_id_of(spans.numbers[i]);
    });
    for_each_value(observed, rows_, [&](size_t k, size_t i) {
      // As in the metadata: where it is all there is, it is the time.
      if (i != ColumnView::npos && times.number_of(rows_[k]) != 0) {
        batch_.observed_ns[k] = static_cast<int64_t>(observed.numbers[i]);
      }
    });
    return {};
  }

  // Rows are put together where a value may lie elsewhere than in a column of its own.
  Result<bool> overflows() const {
    CC_ASSIGN(const ColumnView overflow, fixed(LogColumn::overflow));
    return overflow.count > 0;
  }

  Status read_integers(const std::string& key, std::vector<int64_t>& out) {
    out.assign(rows_.size(), 0);
    size_t named = 0;
    for (size_t i = 0; i < source_.attribute_count(0); ++i) {
      const ColumnSource::AttributeInfo info = source_.attribute_info(0, i);
      if (info.key != key) continue;
      ++named;
      if (info.type != ColumnType::integer) continue;
      CC_ASSIGN(const ColumnView view, source_.attribute(0, i));
      for_each_value(view, rows_, [&](size_t k, size_t at) {
        if (at != ColumnView::npos) out[k] = static_cast<int64_t>(view.numbers[at]);
      });
    }
    CC_ASSIGN(const bool more, overflows());
    if (named <= 1 && !more) return {};
    // The first attribute of that key counts.
    for (size_t k = 0; k < rows_.size(); ++k) {
      otlp::LogRecord record;
      CC_TRY(read_log(source_, rows_[k], record));
      const otlp::Value* value = otlp::find(record.attributes, key);
      out[k] = value != nullptr && value->as_int() != nullptr ? *value->as_int() : 0;
    }
    return {};
  }

  // ---- metadata ----

  // What may hold a name: at most one column of the attributes, one of the record, and the resource and the scope.
  struct Holders {
    bool unclear = false;
    std::optional<size_t> attribute;
    std::optional<LogColumn> field;
  };

  static std::optional<LogColumn> field_of(std::string_view name) {
    if (name == "event_name") return LogColumn::event_name;
    if (name == "severity_number") return LogColumn::severity_number;
    if (name == "severity_text") return LogColumn::severity_text;
    if (name == "dropped_attributes_count") return LogColumn::dropped_attributes;
    if (name == "flags") return LogColumn::flags;
    if (name == "span_id") return LogColumn::span_id;
    return std::nullopt;
  }

  Result<Holders> holders_of(std::string_view name) const {
    Holders out;
    CC_ASSIGN(out.unclear, overflows());
    // Rare, and they depend on two columns or on the whole line.
    if (name == "observed_timestamp" || name == "trace_id") out.unclear = true;
    out.field = field_of(name);
    for (size_t i = 0; i < source_.attribute_count(0) && !out.unclear; ++i) {
      const ColumnSource::AttributeInfo info = source_.attribute_info(0, i);
      const std::string label = label_name(info.key);
      const bool within = info.type == ColumnType::encoded && name.starts_with(label);
      // The text of a level may come from any of these.
      const bool level = name == "detected_level" && (names_level(label) || label == name);
      if (label != name && !within && !level) continue;
      out.unclear = within || level || out.attribute.has_value() || out.field.has_value();
      out.attribute = i;
    }
    return out;
  }

  Status read_metadata(const std::string& name, TextColumn& out) {
    out.ids.assign(rows_.size(), 0);
    out.values.emplace_back();
    CC_ASSIGN(const Holders holders, holders_of(name));
    if (holders.unclear) return read_row_by_row(name, out);
    if (holders.attribute) {
      CC_ASSIGN(const ColumnView view, source_.attribute(0, *holders.attribute));
      CC_TRY(read_values(view, {}, out));
    } else if (holders.field) {
      CC_ASSIGN(const ColumnView view, fixed(*holders.field));
      CC_TRY(read_values(view, holders.field, out));
    }
    return name == "detected_level" ? read_levels(out) : read_shared(name, out);
  }

  Status read_row_by_row(const std::string& name, TextColumn& out) {
    std::unordered_map<std::string, uint32_t> known;
    for (size_t k = 0; k < rows_.size(); ++k) {
      CC_ASSIGN(const LabelPairs labels, metadata_of(rows_[k]));
      put(find(labels, name), k, known, out);
    }
    return {};
  }

  Result<LabelPairs> metadata_of(size_t row) const {
    CC_ASSIGN(const ColumnView resources, fixed(LogColumn::resource));
    CC_ASSIGN(const ColumnView scopes, fixed(LogColumn::scope));
    CC_ASSIGN(const auto resource, objects_.resource(resources.number_of(row)));
    CC_ASSIGN(const auto scope, objects_.scope(scopes.number_of(row)));
    otlp::LogRecord record;
    CC_TRY(read_log(source_, row, record));
    return structured_metadata(*resource, *scope, record);
  }

  static std::string find(const LabelPairs& labels, std::string_view name) {
    for (const auto& [key, value] : labels) {
      if (key == name) return value;
    }
    return {};
  }

  void put(std::string text, size_t k, std::unordered_map<std::string, uint32_t>& known, TextColumn& out) {
    if (text.empty()) return;
    const auto [at, is_new] = known.try_emplace(std::move(text), static_cast<uint32_t>(out.values.size()));
    if (is_new) out.values.push_back(batch_.own(at->first));
    out.ids[k] = at->second;
  }

  // The values of one column as texts. field: a number of the record, which its label may write otherwise.
  Status read_values(const ColumnView& view, std::optional<LogColumn> field, TextColumn& out) {
    Status status;
    if (view.type == ColumnType::string && view.ids != nullptr) {
      std::vector<uint32_t> numbers(view.strings.count, 0);
      for_each_value(view, rows_, [&](size_t k, size_t i) {
        if (i == ColumnView::npos || view.string(i).empty()) return;
        uint32_t& number = numbers[view.ids[i]];
        if (number == 0) {
          number = static_cast<uint32_t>(out.values.size());
          out.values.push_back(text(view.string(i)));
        }
        out.ids[k] = number;
      });
      return status;
    }
    std::unordered_map<std::string, uint32_t> known;
    for_each_value(view, rows_, [&](size_t k, size_t i) {
      if (i == ColumnView::npos || !status.ok()) return;
      if (field == LogColumn::span_id) return put(otlp::to_hex(span_id_of(view.numbers[i])), k, known, out);
      if (field && view.type == ColumnType::integer) {
        const auto number = static_cast<int64_t>(view.numbers[i]);
        return put(std::to_string(number), k, known, out);
      }
      otlp::Value value;
      if (!value_at(view, i, value)) {
        status = source_.damaged("an attribute value that does not parse");
        return;
      }
      put(label_text(value), k, known, out);
    });
    return status;
  }

  // What the resource and the scope say of it, for rows that say nothing themselves.
  Status read_shared(const std::string& name, TextColumn& out) {
    return read_by_object(out, [&](const otlp::Resource& resource, const otlp::Scope& scope, uint64_t, std::string_view) {
      return find(structured_metadata(resource, scope, {}), name);
    });
  }

  // The level as the severity and the shared objects have it; the line is looked at only where there is no severity.
  Status read_levels(TextColumn& out) {
    CC_ASSIGN(const ColumnView numbers, fixed(LogColumn::severity_number));
    CC_ASSIGN(const ColumnView texts, fixed(LogColumn::severity_text));
    std::vector<uint64_t> number(rows_.size());
    for_each_value(numbers, rows_, [&](size_t k, size_t i) { number[k] = i == ColumnView::npos ? 0 : numbers.numbers[i]; });
    severity_.assign(rows_.size(), {});
    for_each_value(texts, rows_, [&](size_t k, size_t i) {
      severity_[k] = {number[k], i == ColumnView::npos ? std::string_view() : texts.string(i)};
    });
    CC_TRY(read_by_object(out, [&](const otlp::Resource& resource, const otlp::Scope& scope, uint64_t severity,
                                   std::string_view severity_text) {
      if (severity == 0) return std::string();
      otlp::LogRecord record;
      record.severity_number = static_cast<int32_t>(severity);
      record.severity_text = severity_text;
      return find(structured_metadata(resource, scope, record), "detected_level");
    }));
    std::unordered_map<std::string, uint32_t> known;
    for (size_t k = 0; k < rows_.size(); ++k) {
      if (severity_[k].first != 0) continue;
      CC_ASSIGN(const LabelPairs labels, metadata_of(rows_[k]));
      put(find(labels, "detected_level"), k, known, out);
    }
    severity_.clear();
    return {};
  }

  template <typename Fn>
  Status read_by_object(TextColumn& out, Fn text_of) {
    CC_ASSIGN(const ColumnView resources, fixed(LogColumn::resource));
    CC_ASSIGN(const ColumnView scopes, fixed(LogColumn::scope));
    using Key = std::tuple<uint64_t, uint64_t, uint64_t, std::string_view>;
    std::map<Key, uint32_t> numbers;
    Key last{UINT64_MAX, 0, 0, {}};
    uint32_t last_number = 0;
    for (size_t k = 0; k < rows_.size(); ++k) {
      if (out.ids[k] != 0) continue;
      const Key key{resources.number_of(rows_[k]), scopes.number_of(rows_[k]),
                    severity_.empty() ? 0 : severity_[k].first,
                    severity_.empty() ? std::string_view() : severity_[k].second};
      if (key != last) {
        const auto [at, is_new] = numbers.try_emplace(key, 0);
        if (is_new) {
          CC_ASSIGN(const auto resource, objects_.resource(std::get<0>(key)));
          CC_ASSIGN(const auto scope, objects_.scope(std::get<1>(key)));
          std::string text = text_of(*resource, *scope, std::get<2>(key), std::get<3>(key));
          if (!text.empty()) {
            at->second = static_cast<uint32_t>(out.values.size());
            out.values.push_back(batch_.own(std::move(text)));
          }
        }
        last = key;
        last_number = at->second;
      }
      out.ids[k] = last_number;
    }
    return {};
  }

  const ColumnSource& source_;
  const LogScan& scan_;
  const LogObjects& objects_;
  const bool borrow_;
  LogBatch& batch_;
  std::vector<uint32_t> rows_;  // ascending
  std::vector<std::pair<uint64_t, std::string_view>> severity_;  // by row, while levels are read
};

}  // namespace

Status scan_log_rows(const ColumnSource& source, size_t first, size_t end, const LogScan& scan,
                     const LogObjects& objects, bool borrow, LogBatch& batch, std::vector<uint32_t>& streams) {
  return Scan(source, scan, objects, borrow, batch).run(first, end, streams);
}

}  // namespace contextcore::store
