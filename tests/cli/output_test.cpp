#include "cli/output.h"

#include <gtest/gtest.h>

#include "cli/waterfall.h"

namespace contextcore::cli {
namespace {

TEST(OutputTest, maps_every_code_to_an_exit_code) {
  EXPECT_EQ(exit_code(Code::invalid_argument), 2);
  EXPECT_EQ(exit_code(Code::not_found), 3);
  EXPECT_EQ(exit_code(Code::already_exists), 4);
  EXPECT_EQ(exit_code(Code::conflict), 4);
  EXPECT_EQ(exit_code(Code::failed_precondition), 5);
  EXPECT_EQ(exit_code(Code::unavailable), 6);
  EXPECT_EQ(exit_code(Code::internal), 1);
}

TEST(OutputTest, counts_columns_not_bytes) {
  EXPECT_EQ(display_width("abc"), 3);
  EXPECT_EQ(display_width("žluť"), 4);
  EXPECT_EQ(display_width("日本"), 4);
  EXPECT_EQ(display_width("\xff\xfe"), 2);
}

TEST(OutputTest, cuts_without_splitting_a_character) {
  EXPECT_EQ(fit("žluťoučký", 5), "žluť…");
  EXPECT_EQ(fit("日本語", 5), "日本…");
  EXPECT_EQ(fit("abc", 3), "abc");
  EXPECT_EQ(fit("a\x1b[31mb\nc", 0), "a [31mb c");  // no escape reaches the terminal
}

TEST(OutputTest, aligns_a_table_and_leaves_no_trailing_blanks) {
  Table table({"ID", "STATUS", "TITLE"});
  table.row({"A-1", "todo", "First"});
  table.row({"LONG-22", "in_progress", ""});
  EXPECT_EQ(table.render({.colours = false, .colours_on_errors = false, .columns = 0}),
            "ID       STATUS       TITLE\n"
            "A-1      todo         First\n"
            "LONG-22  in_progress\n");
}

TEST(OutputTest, colours_only_where_asked) {
  EXPECT_EQ((Terminal{.colours = true}).paint(Style::red, "x"), "\x1b[31mx\x1b[0m");
  EXPECT_EQ((Terminal{}).paint(Style::red, "x"), "x");
}

TEST(OutputTest, json_puts_the_schema_first) {
  EXPECT_EQ(json_line("task", JsonObject{{"id", "A"}, {"schema", "other"}}),
            "{\"schema\":\"contextcore.task/1\",\"id\":\"A\"}\n");
}

TEST(OutputTest, errors_carry_hint_and_candidates_both_ways) {
  const Error error{Code::not_found, "no task X", "list them", {"XY", "XZ"}, 3};
  EXPECT_EQ(error_text(error, {}), "error: no task X\n  did you mean: XY, XZ\n  hint: list them\n");
  EXPECT_EQ(error_json(error),
            "{\"schema\":\"contextcore.error/"
            "1\",\"error\":{\"code\":\"not_found\",\"message\":\"no task X\",\"hint\":\"list "
            "them\",\"candidates\":[\"XY\",\"XZ\"],\"position\":3}}\n");
}

otlp::Span span(uint8_t id, uint8_t parent, uint64_t start_ns, uint64_t end_ns, std::string name) {
  otlp::Span out;
  out.span_id.bytes[7] = id;
  out.parent_span_id.bytes[7] = parent;
  out.start_ns = start_ns;
  out.end_ns = end_ns;
  out.name = std::move(name);
  return out;
}

std::vector<std::string> names(const otlp::TracesData& trace) {
  std::vector<std::string> out;
  const std::string text = render_waterfall(trace, {}, 1000);
  size_t at = 0;
  while (at < text.size()) {
    const size_t end = text.find('\n', at);
    const std::string line = text.substr(at, end - at);
    const size_t name_end = line.find("  ", line.find_first_not_of(' '));
    out.push_back(line.substr(0, name_end));
    at = end + 1;
  }
  return out;
}

TEST(WaterfallTest, is_a_tree_by_start_with_orphans_last) {
  otlp::TracesData trace;
  trace.resource_spans.push_back(
      {{},
       {{{},
         {span(3, 1, 50, 60, "second"), span(2, 1, 10, 20, "first"), span(9, 77, 5, 6, "lost"),
          span(1, 0, 0, 100, "root"), span(4, 3, 51, 52, "deep")}}}});
  EXPECT_EQ(names(trace), (std::vector<std::string>{"root", "  first", "  second", "    deep",
                                                    "(parent not in this trace)", "  lost"}));
}

TEST(WaterfallTest, survives_rings_and_spans_that_are_their_own_parent) {
  otlp::TracesData trace;
  trace.resource_spans.push_back(
      {{}, {{{}, {span(1, 2, 0, 10, "a"), span(2, 1, 0, 10, "b"), span(3, 3, 0, 10, "self")}}}});
  EXPECT_EQ(names(trace).size(), 4u);
}

TEST(WaterfallTest, an_empty_trace_is_said_so) {
  EXPECT_EQ(render_waterfall({}, {}, 0), "The trace has no spans.\n");
}

}  // namespace
}  // namespace contextcore::cli
