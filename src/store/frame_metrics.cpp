#include "store/frame_metrics.h"

#include <bit>

#include "otlp/protobuf.h"
#include "otlp/remote_write.h"
#include "store/fetch.h"
#include "store/store_codec.h"

namespace contextcore::store {

std::string encode_batch(const otlp::MetricBatch& batch) {
  std::string out;
  RecordWriter writer(out);
  writer.u32(static_cast<uint32_t>(batch.series.size()));
  for (const otlp::SampleSeries& series : batch.series) {
    writer.u8(series.delta ? 1 : 0);
    writer.u32(static_cast<uint32_t>(series.labels.size()));
    for (const otlp::RemoteWriteLabel& label : series.labels) {
      writer.bytes(label.name);
      writer.bytes(label.value);
    }
    writer.u32(static_cast<uint32_t>(series.samples.size()));
    for (const otlp::SeriesSample& sample : series.samples) {
      writer.i64(sample.timestamp_ms);
      writer.u64(std::bit_cast<uint64_t>(sample.value));
    }
  }
  writer.u32(static_cast<uint32_t>(batch.families.size()));
  for (const otlp::MetricFamily& family : batch.families) {
    for (const std::string* text : {&family.name, &family.type, &family.unit, &family.help}) {
      writer.bytes(*text);
    }
  }
  return out;
}

Result<otlp::MetricBatch> decode_batch(std::string_view bytes) {
  otlp::MetricBatch batch;
  RecordReader reader(bytes);
  for (uint32_t left = reader.count(9); left > 0; --left) {
    otlp::SampleSeries& series = batch.series.emplace_back();
    series.delta = reader.u8() != 0;
    for (uint32_t labels = reader.count(8); labels > 0; --labels) {
      otlp::RemoteWriteLabel& label = series.labels.emplace_back();
      label.name = reader.bytes();
      label.value = reader.bytes();
    }
    for (uint32_t samples = reader.count(16); samples > 0; --samples) {
      otlp::SeriesSample& sample = series.samples.emplace_back();
      sample.timestamp_ms = reader.i64();
      sample.value = std::bit_cast<double>(reader.u64());
    }
  }
  for (uint32_t left = reader.count(16); left > 0; --left) {
    otlp::MetricFamily& family = batch.families.emplace_back();
    for (std::string* text : {&family.name, &family.type, &family.unit, &family.help})
      *text = reader.bytes();
  }
  if (!reader.done()) return {Code::corruption, "a part with metrics has a wrong length"};
  return batch;
}

Result<otlp::MetricBatch> decode_metrics(PartEncoding encoding, std::string_view bytes) {
  if (encoding == PartEncoding::batch_1) return decode_batch(bytes);
  if (encoding == PartEncoding::remote_write) {
    // What was taken once is taken again, whatever the limits are now.
    otlp::RemoteWriteLimits limits;
    limits.labels_max = limits.items_max = SIZE_MAX;
    CC_ASSIGN(const otlp::RemoteWriteRequest request, otlp::decode_remote_write(bytes, limits));
    return otlp::translate(request, {}).batch;
  }
  if (encoding == PartEncoding::otlp_protobuf) {
    CC_ASSIGN(const otlp::MetricsData data,
              otlp::decode_metrics_protobuf(bytes, otlp::DecodeLimits{256}));
    return otlp::translate(data, {}).batch;
  }
  return {Code::unsupported,
          "the log holds metrics in a form that this version does not know; use a newer one"};
}

}  // namespace contextcore::store
