// Metrics of a cut: the head's series and those of the segments that are merged with them, as one
// segment. Series by series, so that memory is that of the longest series and of one index page per
// segment.

#include <algorithm>
#include <map>
#include <optional>
#include <utility>

#include "store/cut.h"
#include "store/metric_segment.h"

namespace contextcore::store {
namespace {

using Key = std::pair<uint32_t, const SeriesId*>;  // tenant, series

bool before(const Key& a, const Key& b) {
  if (a.first != b.first) return a.first < b.first;
  return *a.second < *b.second;
}

// The series of one segment, in order.
class SegmentSeries {
 public:
  explicit SegmentSeries(const MetricSegment& segment) : segment_(segment) {}
  Status next_page() {
    while (page_number_ < segment_.pages().size() && (!page_ || at_ == page_->series.size())) {
      CC_ASSIGN(page_, segment_.page(page_number_));
      tenant_ = segment_.pages()[page_number_++].tenant;
      reader_.emplace(segment_, *page_);
      at_ = 0;
    }
    return {};
  }
  bool done() const { return !page_ || at_ == page_->series.size(); }
  Key key() const { return {tenant_, &page_->series[at_].id}; }
  Status take(std::vector<StoredSample>& out) {
    for (const MetricChunk& chunk : page_->series[at_].chunks) CC_TRY(reader_->read(chunk, out));
    ++at_;
    return {};
  }

 private:
  const MetricSegment& segment_;
  size_t page_number_ = 0;
  std::optional<MetricPage> page_;
  std::optional<MetricSegment::Reader> reader_;
  uint32_t tenant_ = 0;
  size_t at_ = 0;
};

struct HeadSeries {
  uint32_t tenant = 0;
  const MetricHead::Series* series = nullptr;
  Key key() const { return {tenant, &series->id}; }
};

using Families = std::map<std::pair<uint32_t, std::string>, StoredFamily>;

// The newest description of a metric stays.
void add_family(Families& families, const StoredFamily& one) {
  const auto [known, added] = families.try_emplace({one.tenant, one.family.name}, one);
  if (!added && known->second.sequence <= one.sequence) known->second = one;
}

}  // namespace

Status Cut::write_metrics() {
  const MetricHead& head = head_.metrics();
  std::vector<HeadSeries> fresh;
  for (const uint32_t tenant : head.tenants()) {
    for (const MetricHead::Series* series : head.sorted(tenant)) {
      if (!series->samples.empty()) fresh.push_back({tenant, series});
    }
  }
  if (fresh.empty() && head.families().empty()) return {};
  std::vector<MergeCandidate> candidates;
  for (const MetricSegmentFile& file : head_.version().metrics) {
    // One without samples holds descriptions only, and is merged as any small one.
    const uint64_t rows = std::max<uint64_t>(file.info.rows, 1);
    candidates.push_back({file.info.number, rows, rows});
  }
  const std::set<uint64_t> merged = choose_merges(std::move(candidates), true);
  std::vector<SegmentSeries> sources;
  Families families;
  for (const MetricSegmentFile& file : head_.version().metrics) {
    if (!merged.contains(file.info.number)) continue;
    sources.emplace_back(*file.segment);
    CC_ASSIGN(const auto of_segment, file.segment->families());
    for (const StoredFamily& one : of_segment) add_family(families, one);
  }
  for (const auto& [key, one] : head.families()) add_family(families, one);
  std::erase_if(manifest_.segments,
                [&](const SegmentInfo& info) { return merged.contains(info.number); });

  const uint64_t number = take_number();
  const std::string path = data_path(directory_, number, extension_of(RowsKind::metrics));
  CC_ASSIGN(const auto writer, MetricSegmentWriter::create(files_, path));
  size_t next = 0;  // of fresh
  TimeBounds bounds;
  for (;;) {
    std::optional<Key> least;
    for (SegmentSeries& source : sources) {
      if (source.done()) CC_TRY(source.next_page());
      if (!source.done() && (!least || before(source.key(), *least))) least = source.key();
    }
    if (next < fresh.size() && (!least || before(fresh[next].key(), *least)))
      least = fresh[next].key();
    if (!least) break;
    const uint32_t tenant = least->first;
    const SeriesId id = *least->second;
    std::vector<StoredSample> samples;
    for (SegmentSeries& source : sources) {
      if (!source.done() && source.key().first == tenant && *source.key().second == id) {
        CC_TRY(source.take(samples));
      }
    }
    if (next < fresh.size() && fresh[next].tenant == tenant && fresh[next].series->id == id) {
      std::vector<StoredSample> of_head = fresh[next++].series->samples;
      settle(of_head, id.delta);
      for (StoredSample& sample : of_head) sample.sequence = sequence_;
      samples.insert(samples.end(), of_head.begin(), of_head.end());
    }
    settle(samples, id.delta);
    for (const StoredSample& sample : samples) bounds.add(sample.time_ms * 1'000'000);
    CC_TRY(writer->add(tenant, id, samples));
  }
  std::vector<StoredFamily> descriptions;
  for (auto& [key, one] : families) descriptions.push_back(std::move(one));
  CC_TRY(writer->finish(descriptions));
  CC_ASSIGN(SegmentInfo info,
            written_segment(files_, directory_, RowsKind::metrics, SegmentClass::runtime, number));
  info.rows = writer->samples();
  info.bounds = bounds;
  manifest_.segments.push_back(std::move(info));
  return {};
}

}  // namespace contextcore::store
