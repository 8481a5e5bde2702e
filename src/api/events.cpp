#include "api/events.h"

#include <algorithm>
#include <charconv>
#include <iterator>

#include "api/responses.h"
#include "work/feed.h"

namespace contextcore::api {
namespace {

constexpr int64_t kKeepAliveNs = 15'000'000'000;
constexpr size_t kItemsPerPiece = 500;

std::string event_text(const work::FeedItem& item) {
  std::string out = "event: " + item.event + "\ndata: " + to_string(item.json) + "\n";
  if (item.last) out += "id: " + std::to_string(item.sequence) + "\n";
  return out + "\n";
}

class EventStream : public BodyStream {
 public:
  EventStream(const ServiceOptions& options, work::FeedFilter filter, uint64_t after, bool follow)
      : options_(options), filter_(std::move(filter)), after_(after), follow_(follow) {}

  std::optional<std::string> next() override {
    std::string out;
    if (!begun_) {
      // An id without an event: who loses the connection now goes on from here.
      out = "retry: 1000\nid: " + std::to_string(after_) + "\n\n";
      begun_ = true;
      last_ns_ = options_.clock->monotonic_ns();
    }
    if (failed_) return std::nullopt;
    Result<store::Store::Read> read = options_.store->read();
    if (!read.ok()) return out + failure(read.error());
    Result<work::FeedPage> page =
        work::read_feed(*read->source, read->sequence, after_, filter_, kItemsPerPiece);
    if (!page.ok()) return out + failure(page.error());
    after_ = page->next;
    for (const work::FeedItem& item : page->items) out += event_text(item);
    const int64_t now_ns = options_.clock->monotonic_ns();
    if (out.empty() && now_ns - last_ns_ >= kKeepAliveNs) out = ": still here\n\n";
    if (!out.empty()) last_ns_ = now_ns;
    if (out.empty() && !follow_ && after_ >= read->sequence) return std::nullopt;
    return out;
  }

 private:
  // The client hears why, then the stream ends; it may come again.
  std::string failure(const Error& error) {
    failed_ = true;
    return "event: error\ndata: " + error_json(error) + "\n\n";
  }
  static std::string error_json(const Error& error) {
    return to_string(Json(JsonObject{{"code", code_name(error.code)}, {"message", error.message}}));
  }

  const ServiceOptions& options_;
  const work::FeedFilter filter_;
  uint64_t after_;
  const bool follow_;
  bool begun_ = false;
  bool failed_ = false;
  int64_t last_ns_ = 0;
};

Result<uint64_t> sequence_of(std::string_view text, std::string_view what) {
  uint64_t value = 0;
  const auto [end, error] = std::from_chars(text.data(), text.data() + text.size(), value);
  if (error == std::errc() && end == text.data() + text.size()) return value;
  return Error{Code::invalid_argument,
               std::string(what) + " is \"" + std::string(text) + "\"",
               "give the sequence number of an event, 0 for all of them",
               {},
               {}};
}

Result<bool> flag_of(const Request& request, std::string_view name, bool otherwise) {
  if (!request.has_param(name)) return otherwise;
  const std::string_view text = request.param(name);
  if (text == "true" || text == "1") return true;
  if (text == "false" || text == "0") return false;
  return Error{Code::invalid_argument,
               std::string(name) + " is \"" + std::string(text) + "\"",
               "give true or false",
               {},
               {}};
}

Result<Response> events(const Request& request, const ServiceOptions& options) {
  static constexpr std::string_view kKnown[] = {"project", "task", "event", "since", "follow"};
  work::FeedFilter filter;
  filter.project = request.param("project");
  filter.task = request.param("task");
  for (const auto& [name, value] : request.query) {
    if (std::find(std::begin(kKnown), std::end(kKnown), name) == std::end(kKnown)) {
      return Error{Code::invalid_argument,
                   "unknown parameter " + name,
                   "known: project, task, event, since, follow",
                   {},
                   {}};
    }
    if (name == "event") filter.events.push_back(value);
  }
  CC_TRY(work::check_feed_filter(filter));
  CC_ASSIGN(const bool follow, flag_of(request, "follow", true));
  CC_ASSIGN(const store::Store::Read read, options.store->read());
  uint64_t after = read.sequence;
  // A browser that connects again sends the address it had, and where it was in the header.
  const std::string_view last = request.header("last-event-id");
  if (!last.empty()) {
    CC_ASSIGN(after, sequence_of(last, "Last-Event-ID"));
  } else if (request.has_param("since")) {
    CC_ASSIGN(after, sequence_of(request.param("since"), "since"));
  }
  Response response;
  response.content_type = "text/event-stream";
  response.headers.emplace_back("Cache-Control", "no-store");
  response.stream = std::make_shared<EventStream>(options, std::move(filter), after, follow);
  return response;
}

}  // namespace

void mount_events(Router& router, const ServiceOptions& options) {
  router.add("GET", "/tracker/v1/events", [&options](const Call& call) {
    Result<Response> response = events(call.request, options);
    return response.ok() ? std::move(*response) : json_error(response.error());
  });
}

}  // namespace contextcore::api
