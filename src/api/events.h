#pragma once
// GET /tracker/v1/events: the journal as server-sent events (text/event-stream).
//
// `id:` is the sequence number of the transaction and stands at its last event, so that going on
// after it (Last-Event-ID, or ?since=) never loses half a transaction.

#include "api/router.h"
#include "api/service.h"

namespace contextcore::api {

// options are borrowed.
void mount_events(Router& router, const ServiceOptions& options);

}  // namespace contextcore::api
