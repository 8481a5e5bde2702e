#include "sdk/toml_file.h"

#pragma GCC diagnostic push
#pragma GCC diagnostic ignored "-Wconversion"
#pragma GCC diagnostic ignored "-Wshadow"
#pragma GCC diagnostic ignored "-Wold-style-cast"
#define TOML_EXCEPTIONS 0
#define TOML_HEADER_ONLY 1
#include <toml++/toml.h>
#pragma GCC diagnostic pop

namespace contextcore::sdk {
namespace {

constexpr std::string_view kKnownKeys[] = {"project", "prefix",        "store",
                                           "server",  "lease_seconds", "durability"};

}  // namespace

Result<TomlFile> TomlFile::parse(std::string_view text, const std::string& path) {
  toml::parse_result parsed = toml::parse(text);
  if (!parsed) {
    const auto& failure = parsed.error();
    return Error{Code::invalid_argument,
                 path + ":" + std::to_string(failure.source().begin.line) + ": " +
                     std::string(failure.description()),
                 {},
                 {},
                 {}};
  }
  TomlFile file;
  for (const auto& [key, node] : parsed.table()) {
    const std::string name(key.str());
    bool known = false;
    for (const std::string_view one : kKnownKeys) known = known || one == name;
    if (!known) {
      return Error{
          Code::invalid_argument,
          path + ":" + std::to_string(node.source().begin.line) + ": unknown key '" + name + "'",
          "known keys: project, prefix, store, server, lease_seconds, durability",
          {std::begin(kKnownKeys), std::end(kKnownKeys)},
          {}};
    }
    if (const auto* string = node.as_string()) {
      file.values_.emplace_back(name, string->get());
    } else if (const auto* integer = node.as_integer()) {
      file.values_.emplace_back(name, std::to_string(integer->get()));
    } else {
      return Error{Code::invalid_argument,
                   path + ":" + std::to_string(node.source().begin.line) + ": '" + name +
                       "' must be a string or an integer",
                   {},
                   {},
                   {}};
    }
  }
  return file;
}

std::optional<std::string> TomlFile::find(std::string_view key) const {
  for (const auto& [name, value] : values_) {
    if (name == key) return value;
  }
  return std::nullopt;
}

std::string toml_quote(std::string_view text) {
  static constexpr char kDigits[] = "0123456789abcdef";
  std::string out = "\"";
  for (const char c : text) {
    const auto byte = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
      out += '\\';
      out += c;
    } else if (byte < 0x20 || byte == 0x7f) {
      out += "\\u00";
      out += kDigits[byte >> 4];
      out += kDigits[byte & 15];
    } else {
      out += c;
    }
  }
  return out + "\"";
}

}  // namespace contextcore::sdk
