#include "cli/output.h"

#include <sys/ioctl.h>
#include <unistd.h>

#include <algorithm>
#include <cstdlib>

#include "base/process.h"

namespace contextcore::cli {
namespace {

std::string_view escape(Style style) {
  switch (style) {
    case Style::plain:
      return "";
    case Style::bold:
      return "\x1b[1m";
    case Style::dim:
      return "\x1b[2m";
    case Style::red:
      return "\x1b[31m";
    case Style::green:
      return "\x1b[32m";
    case Style::yellow:
      return "\x1b[33m";
    case Style::blue:
      return "\x1b[34m";
    case Style::cyan:
      return "\x1b[36m";
  }
  return "";
}

// Length in bytes of the character at the front; 1 for an invalid byte.
size_t character_bytes(std::string_view text) {
  const auto first = static_cast<unsigned char>(text.front());
  size_t bytes = 1;
  if (first >= 0xf0) {
    bytes = 4;
  } else if (first >= 0xe0) {
    bytes = 3;
  } else if (first >= 0xc0) {
    bytes = 2;
  }
  size_t whole = 1;
  while (whole < std::min(bytes, text.size()) &&
         (static_cast<unsigned char>(text[whole]) & 0xc0) == 0x80)
    ++whole;
  return whole;
}

int character_width(std::string_view character) {
  if (character.size() < 3) return 1;
  const auto byte = [&](size_t i) {
    return static_cast<unsigned>(static_cast<unsigned char>(character[i]));
  };
  const unsigned point = character.size() == 3
                             ? ((byte(0) & 0x0f) << 12 | (byte(1) & 0x3f) << 6 | (byte(2) & 0x3f))
                             : 0x10000;
  const bool wide = (point >= 0x1100 && point <= 0x115f) || (point >= 0x2e80 && point <= 0xa4cf) ||
                    (point >= 0xac00 && point <= 0xd7a3) || (point >= 0xf900 && point <= 0xfaff) ||
                    (point >= 0xfe30 && point <= 0xfe6f) || (point >= 0xff00 && point <= 0xff60) ||
                    point >= 0x10000;
  return wide ? 2 : 1;
}

bool is_ascii(std::string_view text) {
  unsigned char all = 0;
  for (const char c : text) all |= static_cast<unsigned char>(c);
  return all < 0x80;
}

bool is_control(char c) {
  const auto byte = static_cast<unsigned char>(c);
  return byte < 0x20 || byte == 0x7f;
}

}  // namespace

int exit_code(Code code) {
  switch (code) {
    case Code::invalid_argument:
    case Code::unsupported:
      return kUsage;
    case Code::not_found:
      return kNotFound;
    case Code::already_exists:
    case Code::conflict:
      return kConflict;
    case Code::failed_precondition:
      return kFailedPrecondition;
    case Code::resource_exhausted:
    case Code::unavailable:
    case Code::deadline_exceeded:
    case Code::cancelled:
      return kUnavailable;
    case Code::permission_denied:
    case Code::corruption:
    case Code::io_error:
    case Code::internal:
      return kInternal;
  }
  return kInternal;
}

std::string Terminal::paint(Style style, std::string_view text) const {
  std::string out;
  paint(style, text, out);
  return out;
}

void Terminal::paint(Style style, std::string_view text, std::string& out) const {
  const bool plain = !colours || style == Style::plain;
  if (!plain) out += escape(style);
  out += text;
  if (!plain) out += "\x1b[0m";
}

Terminal detect_terminal() {
  Terminal terminal;
  const bool wanted = !environment("NO_COLOR") && environment("TERM").value_or("") != "dumb";
  terminal.colours = wanted && is_terminal(STDOUT_FILENO);
  terminal.colours_on_errors = wanted && is_terminal(STDERR_FILENO);
  winsize size{};
  if (is_terminal(STDOUT_FILENO) && ::ioctl(STDOUT_FILENO, TIOCGWINSZ, &size) == 0 &&
      size.ws_col > 0) {
    terminal.columns = size.ws_col;
  } else if (is_terminal(STDOUT_FILENO)) {
    terminal.columns = std::max(20, std::atoi(environment("COLUMNS").value_or("100").c_str()));
  } else {
    terminal.columns = 0;  // a file or pipe: nothing is cut
  }
  return terminal;
}

int display_width(std::string_view text) {
  if (is_ascii(text)) return static_cast<int>(text.size());
  int width = 0;
  while (!text.empty()) {
    const size_t bytes = character_bytes(text);
    width += character_width(text.substr(0, bytes));
    text.remove_prefix(bytes);
  }
  return width;
}

std::string fit(std::string_view text, int columns) {
  std::string clean;
  for (const char c : text) clean += is_control(c) ? ' ' : c;
  if (columns <= 0 || display_width(clean) <= columns) return clean;
  std::string out;
  int width = 0;
  std::string_view rest = clean;
  while (!rest.empty()) {
    const size_t bytes = character_bytes(rest);
    const int wide = character_width(rest.substr(0, bytes));
    if (width + wide > columns - 1) break;
    out += rest.substr(0, bytes);
    width += wide;
    rest.remove_prefix(bytes);
  }
  return out + "…";
}

void Table::row(std::vector<std::string> cells, std::vector<Style> styles) {
  cells.resize(headings_.size());
  styles.resize(headings_.size(), Style::plain);
  for (std::string& cell : cells) std::replace_if(cell.begin(), cell.end(), is_control, ' ');
  rows_.push_back({std::move(cells), std::move(styles)});
}

std::string Table::render(const Terminal& terminal) const {
  std::vector<int> widths;
  for (size_t column = 0; column < headings_.size(); ++column) {
    int width = display_width(headings_[column]);
    for (const Row& row : rows_) width = std::max(width, display_width(row.cells[column]));
    widths.push_back(width);
  }
  int before_last = 0;
  for (size_t column = 0; column + 1 < widths.size(); ++column) before_last += widths[column] + 2;
  const int last_width = terminal.columns > 0 ? std::max(12, terminal.columns - before_last) : 0;

  std::string out;
  const auto line = [&](const std::vector<std::string>& cells, const std::vector<Style>& styles) {
    const size_t begin = out.size();
    for (size_t column = 0; column < cells.size(); ++column) {
      const std::string& cell = cells[column];
      if (column + 1 < cells.size()) {
        terminal.paint(styles[column], cell, out);
        out.append(static_cast<size_t>(widths[column] - display_width(cell) + 2), ' ');
      } else if (last_width > 0) {
        terminal.paint(styles[column], fit(cell, last_width), out);
      } else {
        terminal.paint(styles[column], cell, out);
      }
    }
    while (out.size() > begin && out.back() == ' ') out.pop_back();
    out += '\n';
  };
  line(headings_, std::vector<Style>(headings_.size(), Style::dim));
  for (const Row& row : rows_) line(row.cells, row.styles);
  return out;
}

Style status_style(std::string_view status) {
  if (status == "done" || status == "active") return Style::green;
  if (status == "blocked" || status == "failed") return Style::red;
  if (status == "in_progress" || status == "in_review") return Style::cyan;
  if (status == "cancelled" || status == "superseded" || status == "retracted" ||
      status == "expired") {
    return Style::dim;
  }
  return Style::plain;
}

std::string json_line_begin(std::string_view kind) {
  std::string out = "{\"schema\":";
  append_json_string("contextcore." + std::string(kind) + "/1", out);
  return out += ',';
}

std::string json_line(std::string_view kind, Json object) {
  JsonObject out{{"schema", "contextcore." + std::string(kind) + "/1"}};
  if (JsonObject* members = std::get_if<JsonObject>(&object.data)) {
    for (auto& [name, value] : *members) {
      if (name != "schema") out.emplace_back(std::move(name), std::move(value));
    }
  } else {
    out.emplace_back("value", std::move(object));
  }
  return to_string(Json(std::move(out))) + "\n";
}

std::string error_text(const Error& error, const Terminal& terminal) {
  Terminal painter = terminal;
  painter.colours = terminal.colours_on_errors;
  std::string out = painter.paint(Style::red, "error:") + " " + error.message + "\n";
  if (!error.candidates.empty()) {
    out += "  did you mean: ";
    for (size_t i = 0; i < error.candidates.size(); ++i)
      out += (i > 0 ? ", " : "") + error.candidates[i];
    out += "\n";
  }
  if (!error.hint.empty()) out += "  hint: " + error.hint + "\n";
  return out;
}

std::string error_json(const Error& error) {
  JsonObject detail{{"code", code_name(error.code)}, {"message", error.message}};
  if (!error.hint.empty()) detail.emplace_back("hint", error.hint);
  if (!error.candidates.empty()) {
    JsonArray candidates;
    for (const std::string& one : error.candidates) candidates.emplace_back(one);
    detail.emplace_back("candidates", std::move(candidates));
  }
  if (error.position) detail.emplace_back("position", *error.position);
  return json_line("error", JsonObject{{"error", std::move(detail)}});
}

}  // namespace contextcore::cli
