#include "export/state.h"

#include <cstdio>
#include <utility>

#include "base/hash.h"
#include "base/time.h"

namespace contextcore::exporter {
namespace {

constexpr char kFolder[] = "export";
constexpr int64_t kFormat = 1;

Error damaged(const std::string& path) {
  return Error{Code::corruption,
               path + " does not hold the state of a destination",
               "remove it to have everything sent again, or bring it back from a copy",
               {},
               {}};
}

// Sequences and orders use all 64 bits; text keeps them whole.
Json place_json(const store::ArrivalPlace& place) {
  return JsonObject{{"sequence", std::to_string(place.sequence)},
                    {"done", place.done == store::ArrivalPlace::kAll ? std::string("all")
                                                                     : std::to_string(place.done)}};
}

bool parse_number(std::string_view text, uint64_t& out) {
  if (text.empty() || text.size() > 20) return false;
  out = 0;
  for (const char c : text) {
    if (c < '0' || c > '9' || out > (UINT64_MAX - static_cast<uint64_t>(c - '0')) / 10)
      return false;
    out = out * 10 + static_cast<uint64_t>(c - '0');
  }
  return true;
}

bool parse_place(const Json* json, store::ArrivalPlace& out) {
  if (json == nullptr || !parse_number(json->string_or("sequence"), out.sequence)) return false;
  out.done = store::ArrivalPlace::kAll;
  return json->string_or("done") == "all" || parse_number(json->string_or("done"), out.done);
}

int64_t integer(const Json& json, std::string_view key) {
  const Json* value = json.find(key);
  return value != nullptr && value->as_int() != nullptr ? *value->as_int() : 0;
}

Result<Json> read_object(FileSystem& files, const std::string& path) {
  CC_ASSIGN(const std::string text, files.read_file(path));
  auto json = parse_json(text);
  if (!json.ok() || json->as_object() == nullptr || integer(*json, "format") != kFormat)
    return damaged(path);
  return std::move(*json);
}

Json letter_file_json(const DeadLetter& letter) {
  JsonArray items;
  for (const Reference& item : letter.items) {
    items.push_back(
        JsonObject{{"stream", item.stream}, {"place", place_json(item.place)}, {"id", item.id}});
  }
  return JsonObject{{"time_ns", letter.time_ns},
                    {"status", static_cast<int64_t>(letter.status)},
                    {"message", letter.message},
                    {"refused", letter.refused},
                    {"items", std::move(items)}};
}

bool parse_letter(const Json& json, DeadLetter& out) {
  out.time_ns = integer(json, "time_ns");
  out.status = static_cast<int>(integer(json, "status"));
  out.message = json.string_or("message");
  out.refused = integer(json, "refused");
  const Json* items = json.find("items");
  if (items == nullptr || items->as_array() == nullptr) return false;
  for (const Json& item : *items->as_array()) {
    Reference reference;
    reference.stream = item.string_or("stream");
    reference.id = item.string_or("id");
    if (!parse_place(item.find("place"), reference.place)) return false;
    out.items.push_back(std::move(reference));
  }
  return true;
}

}  // namespace

std::string state_name(const DestinationSettings& destination) {
  char digits[9];
  std::snprintf(digits, sizeof digits, "%08x",
                static_cast<unsigned>(xxh3_64(destination.url.to_string()) >> 32));
  return std::string(kind_name(destination.kind)) + "-" + digits;
}

StateFiles::StateFiles(FileSystem& files, std::string store, std::string name)
    : files_(files), folder_(join_path(store, kFolder)), name_(std::move(name)) {}

Status StateFiles::make_folder() {
  if (!made_) {
    CC_TRY(files_.make_directories(folder_));
    CC_TRY(files_.sync_directory(parent_path(folder_)));
  }
  made_ = true;
  return {};
}

Result<std::optional<State>> StateFiles::load() const {
  const std::string path = join_path(folder_, name_ + ".json");
  if (!files_.exists(path)) return std::optional<State>();
  CC_ASSIGN(const Json json, read_object(files_, path));
  State state;
  state.destination = json.string_or("destination");
  state.address = json.string_or("address");
  state.store_id = json.string_or("store_id");
  const Json* places = json.find("places");
  const Json* settle = json.find("settle");
  if (places == nullptr || places->as_object() == nullptr || settle == nullptr ||
      settle->as_array() == nullptr) {
    return damaged(path);
  }
  for (const auto& [stream, place] : *places->as_object()) {
    if (!parse_place(&place, state.places[stream])) return damaged(path);
  }
  for (const Json& from : *settle->as_array()) {
    state.settle.times.push_back({integer(from, "from_ns"), integer(from, "settle_ns")});
  }
  const Json* lag = json.find("lag");  // earlier versions noted none
  if (lag != nullptr && lag->as_array() == nullptr) return damaged(path);
  for (const Json& note : lag != nullptr ? *lag->as_array() : JsonArray()) {
    LagNote& read = state.lag.emplace_back();
    read.ago_ns = integer(note, "ago_ns");
    if (!parse_number(note.string_or("sequence"), read.sequence)) return damaged(path);
  }
  return std::optional(std::move(state));
}

Status StateFiles::save(const State& state) {
  CC_TRY(make_folder());
  JsonObject places;
  for (const auto& [stream, place] : state.places) places.emplace_back(stream, place_json(place));
  JsonArray settle;
  for (const SettleTimes::From& from : state.settle.times)
    settle.push_back(JsonObject{{"from_ns", from.from_ns}, {"settle_ns", from.settle_ns}});
  JsonArray lag;
  for (const LagNote& note : state.lag)
    lag.push_back(JsonObject{{"sequence", std::to_string(note.sequence)}, {"ago_ns", note.ago_ns}});
  const Json json(JsonObject{{"format", kFormat},
                             {"destination", state.destination},
                             {"address", state.address},
                             {"store_id", state.store_id},
                             {"places", std::move(places)},
                             {"settle", std::move(settle)},
                             {"lag", std::move(lag)}});
  return files_.write_file_atomically(join_path(folder_, name_ + ".json"), to_string(json) + "\n");
}

Result<DeadLetters> StateFiles::load_dead() const {
  DeadLetters out;
  const std::string path = join_path(folder_, name_ + ".dead.json");
  if (!files_.exists(path)) return out;
  CC_ASSIGN(const Json json, read_object(files_, path));
  out.dropped = integer(json, "dropped");
  const Json* letters = json.find("letters");
  if (letters == nullptr || letters->as_array() == nullptr) return damaged(path);
  for (const Json& letter : *letters->as_array()) {
    if (!parse_letter(letter, out.letters.emplace_back())) return damaged(path);
  }
  return out;
}

Status StateFiles::save_dead(const DeadLetters& letters) {
  CC_TRY(make_folder());
  JsonArray array;
  for (const DeadLetter& letter : letters.letters) array.push_back(letter_file_json(letter));
  const Json json(
      JsonObject{{"format", kFormat}, {"dropped", letters.dropped}, {"letters", std::move(array)}});
  return files_.write_file_atomically(join_path(folder_, name_ + ".dead.json"),
                                      to_string(json) + "\n");
}

Status StateFiles::ask_retry() {
  CC_TRY(make_folder());
  return files_.write_file_atomically(join_path(folder_, name_ + ".retry"), "");
}

bool StateFiles::take_retry() {
  const std::string path = join_path(folder_, name_ + ".retry");
  if (!files_.exists(path)) return false;
  return files_.remove(path).ok();
}

std::vector<std::string> StateFiles::list(FileSystem& files, const std::string& store) {
  std::vector<std::string> out;
  auto names = files.list(join_path(store, kFolder));
  if (!names.ok()) return out;
  for (const std::string& name : *names) {
    if (name.ends_with(".json") && !name.ends_with(".dead.json") &&
        name.find(".tmp-") == std::string::npos) {
      out.push_back(name.substr(0, name.size() - 5));
    }
  }
  return out;
}

Json letter_json(const DeadLetter& letter) {
  JsonArray items;
  for (const Reference& item : letter.items) {
    JsonObject one{{"stream", item.stream},
                   {"sequence", static_cast<int64_t>(item.place.sequence)}};
    if (!item.id.empty()) one.emplace_back("span_id", item.id);
    items.push_back(std::move(one));
  }
  return JsonObject{{"time", format_rfc3339(letter.time_ns)},
                    {"status", static_cast<int64_t>(letter.status)},
                    {"message", letter.message},
                    {"refused", letter.refused},
                    {"items", std::move(items)}};
}

}  // namespace contextcore::exporter
