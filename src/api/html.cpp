#include "api/html.h"

#include <fmt/format.h>

#include "api/page_style.h"
#include "base/hash.h"
#include "base/utf8.h"

namespace contextcore::api {

namespace {

// The sheet is allowed by its hash, so that nothing else that looks like style is.
std::string content_security_policy() {
  auto digest = sha256(kPageStyle);
  std::string hash =
      to_base64(std::string_view(reinterpret_cast<const char*>(digest.data()), digest.size()));
  return "default-src 'none'; style-src 'sha256-" + hash +
         "'; base-uri 'none'; form-action 'none'; frame-ancestors 'none'";
}

}  // namespace

std::string escape_html(std::string_view text) {
  std::string out;
  out.reserve(text.size());
  for (char c : to_valid_utf8(text)) {
    switch (c) {
      case '&':
        out += "&amp;";
        break;
      case '<':
        out += "&lt;";
        break;
      case '>':
        out += "&gt;";
        break;
      case '"':
        out += "&quot;";
        break;
      case '\'':
        out += "&#39;";
        break;
      case '\0':
        break;  // not allowed in HTML, escaped or not
      default:
        out.push_back(c);
    }
  }
  return out;
}

std::string query_note(std::string_view language, std::string_view query) {
  return fmt::format("<details class=\"query\" open><summary>{}</summary><code>{}</code></details>\n",
                     escape_html(language), escape_html(query));
}

Response html_page(int status, std::string_view title, std::string_view body, bool demo) {
  static const std::string kPolicy = content_security_policy();
  Response response;
  response.status = status;
  response.content_type = "text/html; charset=utf-8";
  response.headers = {{"Content-Security-Policy", kPolicy},
                      {"X-Content-Type-Options", "nosniff"},
                      {"Referrer-Policy", "no-referrer"},
                      {"Cache-Control", "no-store"}};
  std::string_view badge = demo ? "<span class=\"demo\">DEMO</span>" : "";
  response.body = fmt::format(
      "<!doctype html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
      "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
      "<title>{}</title>\n<style>{}</style>\n</head>\n<body>\n"
      "<header><a class=\"home\" href=\"/\">ContextCore</a>{}</header>\n<main>\n{}</main>\n"
      "</body>\n</html>\n",
      escape_html(title), kPageStyle, badge, body);
  return response;
}

}  // namespace contextcore::api
