// Sends what tests/process/test_sdks.py expects with the OpenTelemetry SDK of Go.
//
//	sender PROTOCOL SERVICE ENDPOINT COUNT     grpc, grpc-gzip or http/protobuf (it has no JSON)
package main

import (
	"context"
	"fmt"
	"os"
	"strconv"
	"time"

	"go.opentelemetry.io/otel"
	"go.opentelemetry.io/otel/attribute"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploggrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlplog/otlploghttp"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracegrpc"
	"go.opentelemetry.io/otel/exporters/otlp/otlptrace/otlptracehttp"
	"go.opentelemetry.io/otel/log"
	sdklog "go.opentelemetry.io/otel/sdk/log"
	"go.opentelemetry.io/otel/sdk/resource"
	sdktrace "go.opentelemetry.io/otel/sdk/trace"
	"go.opentelemetry.io/otel/trace"
)

var attributes = []attribute.KeyValue{
	attribute.String("text", `grüße "x"`), attribute.Bool("flag", true),
	attribute.Int64("count", 9007199254740993), attribute.Float64("ratio", 0.1),
	attribute.StringSlice("words", []string{"a", "b"}), attribute.BoolSlice("flags", []bool{true, false}),
	attribute.Int64Slice("counts", []int64{1, 2}), attribute.Float64Slice("ratios", []float64{0.5, 1.5}),
}

func check(err error) {
	if err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func exporters(ctx context.Context, protocol, endpoint string) (spans *otlptrace.Exporter, logs sdklog.Exporter) {
	var err error
	switch protocol {
	case "grpc", "grpc-gzip":
		traceOptions := []otlptracegrpc.Option{otlptracegrpc.WithEndpointURL(endpoint)}
		logOptions := []otlploggrpc.Option{otlploggrpc.WithEndpointURL(endpoint)}
		if protocol == "grpc-gzip" {
			traceOptions = append(traceOptions, otlptracegrpc.WithCompressor("gzip"))
			logOptions = append(logOptions, otlploggrpc.WithCompressor("gzip"))
		}
		spans, err = otlptracegrpc.New(ctx, traceOptions...)
		check(err)
		logs, err = otlploggrpc.New(ctx, logOptions...)
		check(err)
	case "http/protobuf":
		spans, err = otlptracehttp.New(ctx, otlptracehttp.WithEndpointURL(endpoint+"/v1/traces"))
		check(err)
		logs, err = otlploghttp.New(ctx, otlploghttp.WithEndpointURL(endpoint+"/v1/logs"))
		check(err)
	default:
		check(fmt.Errorf("no such protocol: %s", protocol))
	}
	return spans, logs
}

func main() {
	ctx := context.Background()
	protocol, service, endpoint := os.Args[1], os.Args[2], os.Args[3]
	count, err := strconv.Atoi(os.Args[4])
	check(err)
	otel.SetErrorHandler(otel.ErrorHandlerFunc(check))
	spanExporter, logExporter := exporters(ctx, protocol, endpoint)
	about := resource.NewSchemaless(attribute.String("service.name", service))
	spans := sdktrace.NewTracerProvider(sdktrace.WithResource(about),
		sdktrace.WithBatcher(spanExporter, sdktrace.WithMaxExportBatchSize(16)))
	logs := sdklog.NewLoggerProvider(sdklog.WithResource(about),
		sdklog.WithProcessor(sdklog.NewBatchProcessor(logExporter, sdklog.WithExportMaxBatchSize(16))))
	tracer := spans.Tracer("sdks", trace.WithInstrumentationVersion("1.2"))
	logger := logs.Logger("sdks", log.WithInstrumentationVersion("1.2"))
	for i := range count {
		inside, span := tracer.Start(ctx, fmt.Sprintf("span %d", i), trace.WithSpanKind(trace.SpanKindServer),
			trace.WithAttributes(attributes...))
		span.AddEvent("event", trace.WithAttributes(attribute.Int("n", i)))
		var record log.Record
		record.SetTimestamp(time.Now())
		record.SetSeverity(log.SeverityWarn)
		record.SetSeverityText("WARN")
		record.SetBody(attribute.StringValue(fmt.Sprintf("line %d", i)))
		record.AddAttributes(attributes...)
		logger.Emit(inside, record)
		span.End()
	}
	check(spans.ForceFlush(ctx))
	check(logs.ForceFlush(ctx))
	check(spans.Shutdown(ctx))
	check(logs.Shutdown(ctx))
}
