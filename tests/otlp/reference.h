#pragma once
// Between the model and the classes that protoc made, field by field. Ids of another length than
// the specification's are a test failure here; tests of them do not come this way.

#include "otlp/model.h"
#include "otlp_reference.pb.h"

namespace contextcore::otlp::test {

namespace reference = ::contextcore::test::otlp;

reference::TracesData to_reference(const TracesData& data);
reference::LogsData to_reference(const LogsData& data);
TracesData from_reference(const reference::TracesData& data);
LogsData from_reference(const reference::LogsData& data);
Span from_reference(const reference::Span& span);
LogRecord from_reference(const reference::LogRecord& record);

}  // namespace contextcore::otlp::test
