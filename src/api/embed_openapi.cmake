# Writes OUTPUT: a function that returns the text of INPUT.
file(READ ${INPUT} rest)
set(literals "")
string(LENGTH "${rest}" length)
set(offset 0)
while(offset LESS length)
  string(SUBSTRING "${rest}" ${offset} 8000 piece)
  string(APPEND literals "    R\"openapi(${piece})openapi\"\n")
  math(EXPR offset "${offset} + 8000")
endwhile()
file(WRITE ${OUTPUT} "#include \"api/openapi.h\"

namespace contextcore::api {

std::string_view openapi_yaml() {
  static constexpr char kText[] =
${literals};
  return std::string_view(kText, sizeof(kText) - 1);
}

}  // namespace contextcore::api
")
