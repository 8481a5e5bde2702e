#include "cli/arguments.h"

#include <algorithm>
#include <charconv>
#include <string_view>

#include "base/time.h"

namespace contextcore::cli {

Arguments::Field& Arguments::add(const std::string& flags, const std::string& name, Kind kind) {
  auto field = std::make_shared<Field>();
  field->name = name;
  field->flags = flags;
  field->kind = kind;
  fields_.push_back(field);
  return *fields_.back();
}

Arguments& Arguments::id(const std::string& help) { return positional("id", help); }

Arguments& Arguments::positional(const std::string& name, const std::string& help, bool required) {
  Field& field = add(name, name, Kind::text);
  // Positional and as a flag of the same name: ids work both ways.
  field.option = app_->add_option(name + ",--" + name, field.value, help);
  if (required) field.option->required();
  return *this;
}

Arguments& Arguments::rest(const std::string& name, const std::string& help) {
  Field& field = add(name, name, Kind::list);
  field.option = app_->add_option(name, field.values, help)->required();
  return *this;
}

Arguments& Arguments::text(const std::string& flags, const std::string& name,
                           const std::string& help) {
  Field& field = add(flags, name, Kind::text);
  field.option = app_->add_option(flags, field.value, help);
  return *this;
}

Arguments& Arguments::integer(const std::string& flags, const std::string& name,
                              const std::string& help) {
  Field& field = add(flags, name, Kind::integer);
  field.option = app_->add_option(flags, field.value, help);
  return *this;
}

Arguments& Arguments::real(const std::string& flags, const std::string& name,
                           const std::string& help) {
  Field& field = add(flags, name, Kind::real);
  field.option = app_->add_option(flags, field.value, help);
  return *this;
}

Arguments& Arguments::flag(const std::string& flags, const std::string& name,
                           const std::string& help) {
  Field& field = add(flags, name, Kind::flag);
  field.option = app_->add_flag(flags, field.set, help);
  return *this;
}

Arguments& Arguments::list(const std::string& flags, const std::string& name,
                           const std::string& help) {
  Field& field = add(flags, name, Kind::list);
  field.option = app_->add_option(flags, field.values, help)->allow_extra_args(false)->take_all();
  return *this;
}

Arguments& Arguments::pairs(const std::string& flags, const std::string& name,
                            const std::string& help) {
  Field& field = add(flags, name, Kind::pairs);
  field.option = app_->add_option(flags, field.values, help)->allow_extra_args(false)->take_all();
  return *this;
}

Arguments& Arguments::seconds(const std::string& flags, const std::string& name,
                              const std::string& help) {
  Field& field = add(flags, name, Kind::seconds);
  field.option = app_->add_option(flags, field.value, help);
  return *this;
}

Arguments& Arguments::backdating() {
  app_->add_option("--at", at_, "when it happened: RFC 3339, \"2d ago\", \"yesterday 14:00\"");
  return *this;
}

bool Arguments::given(const std::string& name) const {
  for (const auto& field : fields_) {
    if (field->name == name) return field->option->count() > 0;
  }
  return false;
}

std::string Arguments::text_of(const std::string& name) const {
  for (const auto& field : fields_) {
    if (field->name == name) return field->value;
  }
  return {};
}

std::vector<std::string> Arguments::texts_of(const std::string& name) const {
  for (const auto& field : fields_) {
    if (field->name == name) return field->values;
  }
  return {};
}

Result<Json> Arguments::convert(const Field& field) const {
  const auto bad = [&](const std::string& what) {
    return Error{
        Code::invalid_argument, field.flags + ": '" + field.value + "' is not " + what, {}, {}, {}};
  };
  const char* begin = field.value.data();
  const char* end = begin + field.value.size();
  switch (field.kind) {
    case Kind::text:
      return Json(field.value);
    case Kind::flag:
      return Json(true);
    case Kind::integer: {
      int64_t number = 0;
      const auto [at, failure] = std::from_chars(begin, end, number);
      if (failure != std::errc() || at != end) return bad("an integer");
      return Json(number);
    }
    case Kind::real: {
      double number = 0;
      const auto [at, failure] = std::from_chars(begin, end, number);
      if (failure != std::errc() || at != end) return bad("a number");
      return Json(number);
    }
    case Kind::seconds: {
      auto duration = parse_prometheus_duration(field.value);
      if (!duration.ok()) duration = parse_go_duration(field.value);
      if (!duration.ok() || *duration < kSecondNs)
        return bad("a duration of at least 1s, such as 15m");
      return Json(*duration / kSecondNs);
    }
    case Kind::list: {
      JsonArray items;
      for (const std::string& value : field.values) items.emplace_back(value);
      return Json(std::move(items));
    }
    case Kind::pairs: {
      JsonObject members;
      for (const std::string& value : field.values) {
        const size_t equals = value.find('=');
        if (equals == std::string::npos || equals == 0) {
          return Error{Code::invalid_argument,
                       field.flags + ": '" + value + "' is not key=value",
                       {},
                       {},
                       {}};
        }
        auto parsed = parse_json(std::string_view(value).substr(equals + 1));
        members.emplace_back(value.substr(0, equals),
                             parsed.ok() ? *parsed : Json(value.substr(equals + 1)));
      }
      return Json(std::move(members));
    }
  }
  return Error{Code::internal, "argument kind", {}, {}, {}};
}

Result<JsonObject> Arguments::object() const {
  JsonObject out;
  for (const auto& field : fields_) {
    if (field->option->count() == 0) continue;
    CC_ASSIGN(Json value, convert(*field));
    out.emplace_back(field->name, std::move(value));
  }
  return out;
}

namespace {

std::vector<std::string_view> command_words;

bool may_be_chosen(const std::string& name, const std::vector<std::string>& aliases) {
  const auto typed = [](std::string_view word) {
    return std::find(command_words.begin(), command_words.end(), word) != command_words.end();
  };
  return typed(name) || std::any_of(aliases.begin(), aliases.end(), typed);
}

}  // namespace

void set_command_words(int argc, const char* const* argv) {
  command_words.assign(argv + std::min(argc, 1), argv + argc);
}

void add_command(CLI::App& parent, const std::string& name, const std::string& help, Action& chosen,
                 const std::function<void(Arguments&)>& describe,
                 const std::function<int(Context&, const Arguments&)>& action,
                 const std::vector<std::string>& aliases) {
  CLI::App* command = parent.add_subcommand(name, help);
  for (const std::string& alias : aliases) command->alias(alias);
  auto arguments = std::make_shared<Arguments>(command);
  if (may_be_chosen(name, aliases)) describe(*arguments);
  command->callback([&chosen, arguments, action] {
    chosen = [arguments, action](Context& context) { return action(context, *arguments); };
  });
}

}  // namespace contextcore::cli
