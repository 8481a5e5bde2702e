#pragma once
// The journal as a feed: what has happened since a sequence number, in the order of arrival. What
// `contextcore watch` and /tracker/v1/events show.

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

#include "base/json.h"
#include "base/result.h"
#include "store/fetch.h"

namespace contextcore::work {

struct FeedFilter {
  std::string project;              // "" = all
  std::string task;                 // exact id; "" = all
  std::vector<std::string> events;  // names, or beginnings that end in ".*"; empty = all
};
// invalid_argument: an event pattern that cannot match anything.
Status check_feed_filter(const FeedFilter& filter);

struct FeedItem {
  uint64_t sequence = 0;  // of the transaction; its events share it
  bool last = false;      // the last one of its transaction: a follower may go on from here
  std::string event;      // its name
  Json json;              // sequence, time, project, ids, words, and every field of the line
};
struct FeedPage {
  std::vector<FeedItem> items;
  uint64_t next = 0;  // go on after this
};

// Events of transactions after `after`, up to `visible` (that of the snapshot), of at least one
// transaction and about `limit` items. A transaction is never cut in two.
Result<FeedPage> read_feed(const store::Source& source, uint64_t visible, uint64_t after,
                           const FeedFilter& filter, size_t limit = 1000);

}  // namespace contextcore::work
