#pragma once
// Pieces of HTML. Every text goes through escape(); what is built here is well-formed.

#include <string>
#include <string_view>

#include "api/http.h"

namespace contextcore::api {

// For text and for quoted attribute values.
std::string escape_html(std::string_view text);

// <details> with the query that a number came from, so that a reader can copy and run it.
std::string query_note(std::string_view language, std::string_view query);

// A whole page around body (trusted HTML). The answer's Content-Security-Policy allows nothing but
// the one style sheet.
Response html_page(int status, std::string_view title, std::string_view body, bool demo);

}  // namespace contextcore::api
