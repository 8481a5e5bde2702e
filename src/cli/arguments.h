#pragma once
// Helpers to describe subcommands: typed fields that end up in a command's args when they were
// given. CLI11 is included only by the files that use this header.

#include <functional>
#include <memory>
#include <string>
#include <utility>
#include <vector>

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wold-style-cast"
#include <CLI/App.hpp>
#include <CLI/Config.hpp>
#include <CLI/Formatter.hpp>
#pragma GCC diagnostic pop

#include "base/json.h"
#include "cli/context.h"

namespace contextcore::cli {

// The fields of one subcommand. Every value is text, an integer, a double, a flag or a list; only
// what the user gave goes into the JSON object, so that the work model's defaults are the only
// defaults.
class Arguments {
 public:
  explicit Arguments(CLI::App* app) : app_(app) {}

  Arguments& id(const std::string& help =
                    "task id, or a unique prefix of one");  // positional "id", also --id
  Arguments& positional(const std::string& name, const std::string& help, bool required = true);
  Arguments& text(const std::string& flags, const std::string& name, const std::string& help);
  Arguments& integer(const std::string& flags, const std::string& name, const std::string& help);
  Arguments& real(const std::string& flags, const std::string& name, const std::string& help);
  Arguments& flag(const std::string& flags, const std::string& name, const std::string& help);
  Arguments& list(const std::string& flags, const std::string& name, const std::string& help);
  // All words that are left, among them those behind "--"; required.
  Arguments& rest(const std::string& name, const std::string& help);
  // key=value pairs, kept as an object; JSON scalars are recognised ("n=3"), all else is text.
  Arguments& pairs(const std::string& flags, const std::string& name, const std::string& help);
  // A duration ("15m") that becomes an integer number of seconds.
  Arguments& seconds(const std::string& flags, const std::string& name, const std::string& help);
  // --at TIME for a backdated command.
  Arguments& backdating();

  // invalid_argument for a value that does not convert.
  Result<JsonObject> object() const;
  const std::string& at() const { return at_; }
  std::string text_of(const std::string& name) const;
  std::vector<std::string> texts_of(const std::string& name) const;
  bool given(const std::string& name) const;

 private:
  enum class Kind : uint8_t { text, integer, real, flag, list, pairs, seconds };
  struct Field {
    std::string name, flags;
    Kind kind = Kind::text;
    std::string value;
    std::vector<std::string> values;
    bool set = false;
    CLI::Option* option = nullptr;
  };
  Field& add(const std::string& flags, const std::string& name, Kind kind);
  Result<Json> convert(const Field& field) const;

  CLI::App* app_;
  std::vector<std::shared_ptr<Field>> fields_;
  std::string at_;
};

// What was typed: the options of commands whose name is not among it are left out, since making
// those of all commands takes a good millisecond. To be called before add_command.
void set_command_words(int argc, const char* const* argv);

// A subcommand whose body is `action`; `describe` adds its arguments if it may be the chosen one.
void add_command(CLI::App& parent, const std::string& name, const std::string& help, Action& chosen,
                 const std::function<void(Arguments&)>& describe,
                 const std::function<int(Context&, const Arguments&)>& action,
                 const std::vector<std::string>& aliases = {});

}  // namespace contextcore::cli
