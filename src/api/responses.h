#pragma once
// How the surfaces say things: plain text (Tempo, Loki), JSON (ours).

#include <string>
#include <string_view>

#include "api/http.h"
#include "base/json.h"
#include "base/result.h"

namespace contextcore::api {

constexpr std::string_view kTextPlain = "text/plain; charset=utf-8";
constexpr std::string_view kApplicationJson = "application/json";
constexpr std::string_view kApplicationProtobuf = "application/protobuf";

Response text_response(int status, std::string_view text);
Response json_response(int status, const Json& json);
Response raw_json_response(int status, std::string json);

// {"error":{"code","message","hint","candidates"}} under the status of http_status().
Response json_error(const Error& error);
// The message as text. The query surfaces answer 400 for what is not supported yet, as they do for
// any query that they cannot run.
Response text_error(const Error& error, std::string_view message_prefix = {});

// Clients may try again: sets Retry-After on 429 and 503.
void add_retry_after(Response& response);

// The media type of a Content-Type header, lower case, without parameters.
std::string media_type(std::string_view content_type);
// True when an Accept header names the type (whatever its weight, unless that is 0).
bool accepts(std::string_view accept, std::string_view type);

}  // namespace contextcore::api
