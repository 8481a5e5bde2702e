#!/usr/bin/env python3
"""Sends what tests/process/test_sdks.py expects with the OpenTelemetry SDK of Python.

  sender.py PROTOCOL SERVICE ENDPOINT COUNT     grpc, grpc-gzip, http/protobuf or http/json
"""

import importlib
import sys
import time

import grpc
from opentelemetry import trace
from opentelemetry._logs import LogRecord, SeverityNumber
from opentelemetry.sdk._logs import LoggerProvider
from opentelemetry.sdk._logs.export import BatchLogRecordProcessor
from opentelemetry.sdk.resources import Resource
from opentelemetry.sdk.trace import TracerProvider
from opentelemetry.sdk.trace.export import BatchSpanProcessor

ATTRIBUTES = {"text": "grüße \"x\"", "flag": True, "count": 9007199254740993, "ratio": 0.1,
              "words": ["a", "b"], "flags": [True, False], "counts": [1, 2], "ratios": [0.5, 1.5]}


def exporters(protocol, endpoint):
    kind = {"grpc": "proto.grpc", "grpc-gzip": "proto.grpc", "http/protobuf": "proto.http", "http/json": "json.http"}[protocol]
    base = "opentelemetry.exporter.otlp." + kind
    spans = importlib.import_module(base + ".trace_exporter").OTLPSpanExporter
    logs = importlib.import_module(base + "._log_exporter").OTLPLogExporter
    if kind == "proto.grpc":
        compression = grpc.Compression.Gzip if protocol == "grpc-gzip" else None
        return tuple(one(endpoint=endpoint, insecure=True, compression=compression) for one in (spans, logs))
    return spans(endpoint=endpoint + "/v1/traces"), logs(endpoint=endpoint + "/v1/logs")


def main():
    protocol, service, endpoint, count = sys.argv[1], sys.argv[2], sys.argv[3], int(sys.argv[4])
    resource = Resource.create({"service.name": service})
    span_exporter, log_exporter = exporters(protocol, endpoint)
    spans, logs = TracerProvider(resource=resource), LoggerProvider(resource=resource)
    spans.add_span_processor(BatchSpanProcessor(span_exporter, max_export_batch_size=16))
    logs.add_log_record_processor(BatchLogRecordProcessor(log_exporter, max_export_batch_size=16))
    tracer, logger = spans.get_tracer("sdks", "1.2"), logs.get_logger("sdks", "1.2")
    for i in range(count):
        with tracer.start_as_current_span(f"span {i}", kind=trace.SpanKind.SERVER, attributes=ATTRIBUTES) as span:
            span.add_event("event", {"n": i})
            logger.emit(LogRecord(timestamp=time.time_ns(), severity_text="WARN", severity_number=SeverityNumber.WARN,
                                  body=f"line {i}", attributes=ATTRIBUTES))
    assert spans.force_flush() and logs.force_flush()
    spans.shutdown()
    logs.shutdown()


main()
