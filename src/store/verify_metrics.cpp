// Metric segments: every index page, every block, every chunk.

#include <fmt/format.h>

#include "store/metric_segment.h"
#include "store/verify_parts.h"

namespace contextcore::store {
namespace {

void check_page(Verification& all, const std::string& path, const MetricSegment& segment, size_t number,
                uint64_t& samples) {
  VerifyReport& report = all.report();
  const MetricSegment::PageEntry& entry = segment.pages()[number];
  const std::string part = fmt::format("index page {} ({} to {})", number, entry.first_name, entry.last_name);
  ++report.pages;
  const auto page = segment.page(number);
  if (!page.ok()) {
    all.add(path, part, "its checksum does not match, or it does not parse; the series in it are lost");
    return;
  }
  report.pages += page->blocks.size();
  if (page->series.empty() || name_of(page->series.front().id.labels) != entry.first_name ||
      name_of(page->series.back().id.labels) != entry.last_name) {
    all.add(path, part, "it holds other series than the footer says");
  }
  MetricSegment::Reader reader(segment, *page);
  uint32_t damaged_block = UINT32_MAX;
  const SeriesId* before = nullptr;
  for (const MetricPage::Series& series : page->series) {
    const std::string name(name_of(series.id.labels));
    if (before != nullptr && !(*before < series.id)) all.add(path, part, "series " + name + " is out of order");
    before = &series.id;
    int64_t last_ms = INT64_MIN;
    for (const MetricChunk& chunk : series.chunks) {
      samples += chunk.count;
      std::vector<StoredSample> read;
      if (!reader.read(chunk, read).ok()) {
        if (damaged_block != chunk.block) {
          all.add(path, fmt::format("{}, block {}", part, chunk.block),
                  "its checksum does not match, or it does not decode; the first series in it is " + name);
        }
        damaged_block = chunk.block;
        continue;
      }
      if (read.front().time_ms < last_ms || read.front().time_ms < entry.min_ms || read.back().time_ms > entry.max_ms) {
        all.add(path, part, "samples of " + name + " lie outside the times that the index says");
      }
      last_ms = read.back().time_ms;
      if (series.id.delta) {
        double sum = 0;
        for (const StoredSample& sample : read) sum += sample.value;
        if (sum != chunk.sum && sum == sum) all.add(path, part, "the sum of a chunk of " + name + " is not that of its samples");
      }
    }
  }
}

}  // namespace

void verify_metrics(Verification& all, const SegmentInfo& info) {
  const std::string path = data_path(all.files().directory(), info.number, extension_of(info.kind));
  verify_header(all, path, std::string_view("CCMETRC\n", 8), 1, 0);
  const auto segment = MetricSegment::open(all.files(), path);
  if (!segment.ok()) {
    all.add(path, "footer",
            segment.error().code == Code::unsupported ? segment.error().message
                                                      : "it, or the trailer, does not match its checksum");
    return;
  }
  uint64_t samples = 0;
  const size_t before = all.report().damages.size();
  for (size_t page = 0; page < (*segment)->pages().size(); ++page) check_page(all, path, **segment, page, samples);
  const bool whole = all.report().damages.size() == before;
  ++all.report().pages;
  if (!(*segment)->families().ok()) {
    all.add(path, "families", "their checksum does not match; types, units and help of metrics are lost");
  }
  if (whole && (samples != info.rows || samples != (*segment)->samples())) {
    all.add(path, {}, fmt::format("it has {} samples; its footer says {}, the manifest {}", samples,
                                  (*segment)->samples(), info.rows));
  }
  all.report().metric_samples += samples;
}

}  // namespace contextcore::store
