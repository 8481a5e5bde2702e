# Writes OUTPUT: a function that returns the text of INPUT. Compilers bound the length of one string literal.
file(READ ${INPUT} rest)
set(literals "")
string(LENGTH "${rest}" length)
set(offset 0)
while(offset LESS length)
  string(SUBSTRING "${rest}" ${offset} 8000 piece)
  string(APPEND literals "    R\"openapi(${piece})openapi\",\n")
  math(EXPR offset "${offset} + 8000")
endwhile()
file(WRITE ${OUTPUT} "#include \"api/openapi.h\"

#include <string>

namespace contextcore::api {

std::string_view openapi_yaml() {
  static const std::string text = [] {
    std::string out;
    for (const char* part : {
${literals}    }) out += part;
    return out;
  }();
  return text;
}

}  // namespace contextcore::api
")
