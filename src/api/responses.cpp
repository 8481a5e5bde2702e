#include "api/responses.h"

namespace contextcore::api {

namespace {

char lower(char c) { return c >= 'A' && c <= 'Z' ? static_cast<char>(c - 'A' + 'a') : c; }

std::string_view trim(std::string_view text) {
  while (!text.empty() && (text.front() == ' ' || text.front() == '\t')) text.remove_prefix(1);
  while (!text.empty() && (text.back() == ' ' || text.back() == '\t')) text.remove_suffix(1);
  return text;
}

std::string_view next_part(std::string_view& text, char separator) {
  size_t end = text.find(separator);
  std::string_view part = text.substr(0, end);
  text = end == std::string_view::npos ? std::string_view{} : text.substr(end + 1);
  return trim(part);
}

// "q=0", "q=0.0", "q=0.000"
bool is_zero_weight(std::string_view parameter) {
  if (!parameter.starts_with("q=0")) return false;
  return parameter.substr(3).find_first_not_of(".0") == std::string_view::npos;
}

}  // namespace

Response text_response(int status, std::string_view text) {
  Response response;
  response.status = status;
  response.content_type = kTextPlain;
  response.body = text;
  add_retry_after(response);
  return response;
}

Response json_response(int status, const Json& json) {
  return raw_json_response(status, to_string(json));
}

Response raw_json_response(int status, std::string json) {
  Response response;
  response.status = status;
  response.content_type = kApplicationJson;
  response.body = std::move(json);
  add_retry_after(response);
  return response;
}

Response json_error(const Error& error) {
  JsonObject body{{"code", code_name(error.code)}, {"message", error.message}};
  if (!error.hint.empty()) body.emplace_back("hint", error.hint);
  if (!error.candidates.empty()) {
    JsonArray candidates;
    for (const std::string& candidate : error.candidates) candidates.emplace_back(candidate);
    body.emplace_back("candidates", std::move(candidates));
  }
  if (error.position) body.emplace_back("position", *error.position);
  return json_response(http_status(error.code), JsonObject{{"error", std::move(body)}});
}

Response text_error(const Error& error, std::string_view message_prefix) {
  int status = error.code == Code::unsupported ? 400 : http_status(error.code);
  return text_response(status, std::string(message_prefix) + error.to_string());
}

void add_retry_after(Response& response) {
  if (response.status == 429 || response.status == 503) {
    response.headers.emplace_back("Retry-After", "1");
  }
}

std::string media_type(std::string_view content_type) {
  std::string type(next_part(content_type, ';'));
  for (char& c : type) c = lower(c);
  return type;
}

bool accepts(std::string_view accept, std::string_view type) {
  while (!accept.empty()) {
    std::string_view item = next_part(accept, ',');
    std::string_view name = next_part(item, ';');
    if (name.size() != type.size()) continue;
    bool equal = true;
    for (size_t i = 0; i < name.size(); ++i) equal = equal && lower(name[i]) == type[i];
    if (!equal) continue;
    bool refused = false;
    while (!item.empty()) refused = is_zero_weight(next_part(item, ';')) || refused;
    return !refused;
  }
  return false;
}

}  // namespace contextcore::api
