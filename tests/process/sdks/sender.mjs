// Sends what tests/process/test_sdks.py expects with the OpenTelemetry SDK of JavaScript.
//   node sender.mjs PROTOCOL SERVICE ENDPOINT COUNT     grpc, grpc-gzip, http/protobuf or http/json
import { createRequire } from "node:module";

const require = createRequire(process.cwd() + "/");  // where npm has put it
const { context, diag, DiagLogLevel, SpanKind, trace } = require("@opentelemetry/api");
const { resourceFromAttributes } = require("@opentelemetry/resources");
const { BatchLogRecordProcessor, LoggerProvider } = require("@opentelemetry/sdk-logs");
const { BatchSpanProcessor, TracerProvider } = require("@opentelemetry/sdk-trace");

const [protocol, service, endpoint, count] = process.argv.slice(2);
const attributes = { text: 'grüße "x"', flag: true, count: 1234567890123, ratio: 0.1,
  words: ["a", "b"], flags: [true, false], counts: [1, 2], ratios: [0.5, 1.5] };

let failed = false;
const complain = (...words) => { failed = true; console.error(...words); };
diag.setLogger({ error: complain, warn: complain, info() {}, debug() {}, verbose() {} }, DiagLogLevel.WARN);

const kind = { grpc: "grpc", "grpc-gzip": "grpc", "http/protobuf": "proto", "http/json": "http" }[protocol];
const exporter = (signal, name) => new (require(`@opentelemetry/exporter-${signal}-otlp-${kind}`)[name])({
  url: kind === "grpc" ? endpoint : `${endpoint}/v1/${signal === "trace" ? "traces" : "logs"}`,
  compression: protocol === "grpc-gzip" ? "gzip" : "none",
});

const resource = resourceFromAttributes({ "service.name": service });
const spans = new TracerProvider({ resource, spanProcessors: [
  new BatchSpanProcessor({ exporter: exporter("trace", "OTLPTraceExporter"), maxExportBatchSize: 16 })] });
const logs = new LoggerProvider({ resource, processors: [
  new BatchLogRecordProcessor({ exporter: exporter("logs", "OTLPLogExporter"), maxExportBatchSize: 16 })] });
const tracer = spans.getTracer("sdks", "1.2"), logger = logs.getLogger("sdks", "1.2");
for (let i = 0; i < Number(count); ++i) {
  const span = tracer.startSpan(`span ${i}`, { kind: SpanKind.SERVER, attributes });
  span.addEvent("event", { n: i });
  logger.emit({ severityNumber: 13, severityText: "WARN", body: `line ${i}`, attributes,
    context: trace.setSpan(context.active(), span) });
  span.end();
}
await spans.forceFlush();
await logs.forceFlush();
await spans.shutdown();
await logs.shutdown();
process.exit(failed ? 1 : 0);
