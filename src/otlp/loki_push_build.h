#pragma once
// What both forms of a push request are made into. Private to this room.

#include <vector>

#include "otlp/loki_push.h"

namespace contextcore::otlp {

// REQUIRES: the values of labels are strings.
Status add_loki_stream(Attributes labels, std::vector<LogRecord> records,
                       const LokiPushLimits& limits, LogsData& out);
void add_loki_metadata(const std::string& name, const std::string& value, LogRecord& out);

}  // namespace contextcore::otlp
