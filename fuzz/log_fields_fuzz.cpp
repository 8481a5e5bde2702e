// Arbitrary bytes as the bodies of log records, one a line: what FlatJson reads is what parse_json reads, and what is stored
// as fields comes back byte for byte.

#include <cstddef>
#include <cstdint>
#include <string>
#include <string_view>

#include "base/flat_json.h"
#include "store/rows_logs.h"

namespace {

using namespace contextcore;
using namespace contextcore::store;

void check(bool holds) {
  if (!holds) __builtin_trap();
}

void read_flat(std::string_view line) {
  FlatJson flat;
  if (!flat.parse(line)) return;
  const std::optional<JsonObject> all = flat.all();
  const Result<Json> parsed = parse_json(line);
  if (parsed.ok()) check(all && Json(*all) == *parsed);
  for (const FlatJson::Member& member : flat.members()) (void)flat.find(member.name);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
  const std::string_view input(reinterpret_cast<const char*>(data), size);
  LogColumns columns(LogColumns::Bodies::as_fields);
  std::vector<std::string> lines;
  for (size_t begin = 0; begin < input.size();) {
    const size_t end = std::min(input.find('\n', begin), input.size());
    lines.emplace_back(input.substr(begin, end - begin));
    begin = end + 1;
    read_flat(lines.back());
    otlp::LogRecord record;
    record.body = otlp::Value(lines.back());
    columns.append(0, 0, 0, record, {});
  }
  FieldLines fields(columns);
  check(fields.open().ok());
  for (size_t row = 0; row < lines.size(); ++row) {
    const auto line = read_line(columns, row);
    check(line.ok() && *line == lines[row]);
    if (!fields.has(row)) continue;
    check(parse_json(lines[row]).ok() && fields.is_flat(row).ok());
    std::string out;
    check(fields.append(row, out).ok() && out == lines[row]);
  }
  return 0;
}
