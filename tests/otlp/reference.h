#pragma once
// Between the model and the classes that protoc made, field by field. Ids of another length than
// the specification's are a test failure here; tests of them do not come this way.

#include "otlp/metrics_model.h"
#include "otlp_reference.pb.h"

namespace contextcore::otlp::test {

namespace reference = ::contextcore::test::otlp;

reference::TracesData to_reference(const TracesData& data);
reference::LogsData to_reference(const LogsData& data);
TracesData from_reference(const reference::TracesData& data);
LogsData from_reference(const reference::LogsData& data);
reference::MetricsData to_reference(const MetricsData& data);  // reference_metrics.cpp
// The messages that all signals share.
void write_reference(const Resource& resource, reference::Resource& out);
void write_reference(const Scope& scope, reference::Scope& out);
void write_reference(const Attributes& attributes,
                     google::protobuf::RepeatedPtrField<reference::KeyValue>& out);
Span from_reference(const reference::Span& span);
LogRecord from_reference(const reference::LogRecord& record);

}  // namespace contextcore::otlp::test
