#pragma once
// What people and programs see: tables, colours (on a terminal only), JSON, errors. Strings in,
// text out; the only I/O of the command line besides the backend's.

#include <cstdio>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"

namespace contextcore::cli {

// Exit codes of the command-line contract (docs/architecture.md, 6).
enum ExitCode : int {
  kDone = 0,
  kInternal = 1,
  kUsage = 2,
  kNotFound = 3,
  kConflict = 4,
  kFailedPrecondition = 5,
  kUnavailable = 6,
  kNothing = 7,  // nothing to hand out
};
int exit_code(Code code);

enum class Style : uint8_t { plain, bold, dim, red, green, yellow, blue, cyan };

struct Terminal {
  bool colours = false;
  bool colours_on_errors = false;
  int columns = 100;

  std::string paint(Style style, std::string_view text) const;
  // Appends it.
  void paint(Style style, std::string_view text, std::string& out) const;
};
// Looks at the descriptors, NO_COLOR, TERM and COLUMNS.
Terminal detect_terminal();

// Number of terminal columns of UTF-8 text (one per character; two for wide East Asian ones).
int display_width(std::string_view text);
// Cuts to columns, ending in "…" when something was cut; control characters become spaces.
std::string fit(std::string_view text, int columns);

// Aligned columns without borders. A column's style applies to its cells; the last one is cut to
// the terminal's width.
class Table {
 public:
  explicit Table(std::vector<std::string> headings) : headings_(std::move(headings)) {}
  void row(std::vector<std::string> cells, std::vector<Style> styles = {});
  bool empty() const { return rows_.empty(); }
  std::string render(const Terminal& terminal) const;

 private:
  struct Row {
    std::vector<std::string> cells;
    std::vector<Style> styles;
  };
  std::vector<std::string> headings_;
  std::vector<Row> rows_;
};

// Colour of a task status or insight status.
Style status_style(std::string_view status);

// {"schema":"contextcore.<kind>/1", … the object's own members}. One line with a line feed.
std::string json_line(std::string_view kind, Json object);
// Of such a line what comes before the members.
std::string json_line_begin(std::string_view kind);

// For people: "error: …", the hint, candidates; as JSON: {"schema":…,"error":{…}}. Ends in a line
// feed.
std::string error_text(const Error& error, const Terminal& terminal);
std::string error_json(const Error& error);

}  // namespace contextcore::cli
