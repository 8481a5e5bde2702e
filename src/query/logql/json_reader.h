#pragma once
// A forward reader of JSON text for log lines: nothing is copied that is not asked for, numbers
// keep their spelling, and what was read before a syntax error stays read.

#include <string>
#include <string_view>

namespace contextcore::logql {

class JsonReader {
 public:
  enum class Kind : unsigned char { string, number, boolean, null, object, array, error };

  explicit JsonReader(std::string_view text) : text_(text) {}

  // What comes next. error: the text is broken (or nests deeper than kDepthMax).
  Kind peek();
  // {: true if a member follows; then member() reads its name and its value is next.
  bool enter_object();
  bool enter_array();
  // After a value: true if another one follows, false at the closing bracket (consumed) or on
  // error.
  bool next_in_object();
  bool next_in_array();
  // False on error.
  bool member(std::string& name);
  bool string(std::string& value);
  // Skips a string that nobody wants, and finds what string() would find wrong with it. False on error.
  bool pass_string();
  // The text of the next value, whatever it is; skips it. False on error.
  bool raw(std::string_view& text);
  // Nothing but blanks is left.
  bool at_end();
  bool failed() const { return failed_; }
  // What failed did so at the end of the text.
  bool ended_early() const { return at_ >= text_.size(); }

 private:
  static constexpr int kDepthMax = 128;
  void skip_blanks();
  bool fail();
  bool consume(char c);
  bool skip_string();
  bool skip_value(int depth);
  bool skip_members(int depth, bool named);
  bool skip_scalar();
  bool enter(char open, char close);
  bool next(char close);
  bool escape(std::string& value);
  bool hex4(uint32_t& value);

  std::string_view text_;
  size_t at_ = 0;
  bool failed_ = false;
};

}  // namespace contextcore::logql
