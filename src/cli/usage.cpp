#include "cli/usage.h"

#include <algorithm>
#include <string_view>

#include "work/args.h"

namespace contextcore::cli {
namespace {

// The command that was reached, and its words from the program's name on.
struct Reached {
  const CLI::App* command;
  std::string words;
  std::vector<const CLI::App*> path;  // it and those above it
};

// A word that nobody took stands before the command that was reached: it was meant to be one.
bool comes_first(const CLI::App& app, std::string_view word, int argc, const char* const* argv) {
  if (app.get_subcommands().empty()) return false;
  for (int i = 1; i < argc; ++i) {
    if (argv[i] == word) return true;
    if (app.get_subcommands().front()->check_name(argv[i])) return false;
  }
  return false;
}

Reached reached(const CLI::App& app, bool whole) {
  Reached out{&app, app.get_name(), {&app}};
  while (whole && !out.command->get_subcommands().empty()) {
    out.command = out.command->get_subcommands().front();
    out.words += " " + out.command->get_name();
    out.path.push_back(out.command);
  }
  return out;
}

std::vector<const CLI::App*> commands_of(const CLI::App& app) {
  return app.get_subcommands([](const CLI::App*) { return true; });
}

// The first of the words that nobody took, in the order they were typed; "" = none.
std::string first_left_over(const CLI::App& app, int argc, const char* const* argv) {
  const std::vector<std::string> left = app.remaining(true);
  for (int i = 1; i < argc; ++i) {
    if (std::find(left.begin(), left.end(), argv[i]) != left.end()) return argv[i];
  }
  return {};
}

std::vector<std::string> nearest(std::string_view word, const std::vector<std::string>& names) {
  const std::vector<std::string_view> known(names.begin(), names.end());
  return work::close_matches(word, known);
}

// Commands of this name below or above the one that was reached: "create" is "task create".
void add_elsewhere(const CLI::App& at, const std::string& words, std::string_view name,
                   std::vector<std::string>& out) {
  for (const CLI::App* command : commands_of(at)) {
    const std::string here = words + " " + command->get_name();
    if (command->check_name(std::string(name))) out.push_back(here);
    add_elsewhere(*command, here, name, out);
  }
}

Error unknown_command(const CLI::App& app, const Reached& at, const std::string& word) {
  Error error{Code::invalid_argument,
              "unknown command '" + word + "' of " + at.words,
              at.words + " --help lists the commands",
              {},
              {}};
  add_elsewhere(app, app.get_name(), word, error.candidates);
  if (!error.candidates.empty()) return error;
  std::vector<std::string> names;
  for (const CLI::App* command : commands_of(*at.command)) {
    names.push_back(command->get_name());
    for (const std::string& alias : command->get_aliases()) names.push_back(alias);
  }
  error.candidates = nearest(word, names);
  return error;
}

Error unknown_option(const Reached& at, const std::string& word) {
  const std::string name = word.substr(0, word.find('='));
  std::vector<std::string> names;
  for (const CLI::App* command : at.path) {
    for (const CLI::Option* option : command->get_options()) {
      for (const std::string& one : option->get_lnames()) names.push_back("--" + one);
    }
  }
  return Error{Code::invalid_argument,
               "unknown option " + name + " of " + at.words,
               at.words + " --help lists the options",
               nearest(name, names),
               {}};
}

// What the command needs and did not get.
std::string missing(const CLI::App& command) {
  std::string out;
  for (const CLI::Option* option : command.get_options()) {
    if (!option->get_required() || option->count() > 0) continue;
    const std::string name = option->get_lnames().empty() ? "" : option->get_lnames().front();
    out += (out.empty() ? "<" : " and <") + name + ">";
  }
  return out;
}

}  // namespace

Error usage_error(const CLI::App& app, const CLI::Error& error, int argc, const char* const* argv) {
  const std::string word = first_left_over(app, argc, argv);
  const bool option = word.size() > 1 && word.front() == '-';
  const Reached at = reached(app, option || !comes_first(app, word, argc, argv));
  const bool wants_command = !commands_of(*at.command).empty();
  const std::string help = at.words + " --help";
  if (option) return unknown_option(at, word);
  if (!word.empty() && wants_command) return unknown_command(app, at, word);
  if (!word.empty()) {
    return Error{Code::invalid_argument,
                 "'" + word + "' is one argument too many for " + at.words,
                 "quote what belongs together; " + help + " tells what it takes",
                 {},
                 {}};
  }
  if (wants_command) {
    return Error{
        Code::invalid_argument, at.words + " needs a command", help + " lists them", {}, {}};
  }
  if (const std::string wanted = missing(*at.command);
      error.get_name() == "RequiredError" && !wanted.empty()) {
    return Error{Code::invalid_argument,
                 at.words + " needs " + wanted,
                 help + " tells what it takes",
                 {},
                 {}};
  }
  std::string what = error.what();
  if (error.get_name() == "ArgumentMismatch" && what.starts_with("--"))
    what = what.substr(0, what.find(':')) + " needs a value";
  return Error{Code::invalid_argument, std::move(what), help + " tells what it takes", {}, {}};
}

}  // namespace contextcore::cli
