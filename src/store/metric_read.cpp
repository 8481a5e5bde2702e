#include "store/metric_read.h"

#include <algorithm>
#include <map>
#include <optional>
#include <set>
#include <utility>

namespace contextcore::store {
namespace {

// As Prometheus bounds what one query loads (query.max-samples).
constexpr uint64_t kSamplesMax = 50'000'000;

struct ChunkRef {
  const MetricSegment* segment = nullptr;
  std::shared_ptr<const MetricPage> page;
  MetricChunk chunk;
};

// What there is of the series with one set of labels, apart for values and deltas.
struct Parts {
  std::vector<ChunkRef> chunks;
  std::vector<StoredSample> head;
  bool empty() const { return chunks.empty() && head.empty(); }
};
struct Found {
  Parts values, deltas;
};

bool overlaps(int64_t min_ms, int64_t max_ms, const MetricRequest& request) {
  return min_ms <= request.end_ms && max_ms >= request.start_ms;
}

bool in_range(const StoredSample& sample, const MetricRequest& request) {
  return sample.time_ms >= request.start_ms && sample.time_ms <= request.end_ms;
}

Error too_many() {
  return {Code::resource_exhausted,
          "query processing would load too many samples into memory in query execution",
          "ask for a shorter range or fewer series",
          {},
          {}};
}

class Source final : public MetricSource {
 public:
  Source(std::shared_ptr<const Head> head, std::shared_ptr<const Version> version,
         uint64_t visible, uint32_t tenant)
      : head_(std::move(head)),
        version_(std::move(version)),
        visible_(visible),
        tenant_(tenant) {}

  Result<std::vector<MetricSeries>> select(const MetricRequest& request) const override {
    std::map<LabelPairs, Found> found;
    for (const auto& matcher : request.matchers) {
      // Series without a name are not taken: nothing can match.
      if (matcher.name == "__name__" && matcher.equals && matcher.value.empty())
        return std::vector<MetricSeries>();
    }
    for (const MetricSegmentFile& segment : version_->metrics) {
      CC_TRY(collect(*segment.segment, request, found));
    }
    if (version_->frozen != nullptr) collect_head(*version_->frozen, request, found);
    collect_head(*head_, request, found);
    std::vector<MetricSeries> out;
    uint64_t samples = 0;
    for (auto& [labels, parts] : found) {
      if (request.labels_only) {
        CC_ASSIGN(const bool there, has_samples(parts, request));
        if (there) out.push_back({labels, {}});
        continue;
      }
      CC_ASSIGN(std::vector<StoredSample> all, values(parts.values, request));
      CC_ASSIGN(const std::vector<StoredSample> sums, accumulated(parts.deltas, request));
      add_missing(sums, all);
      if (all.empty()) continue;
      samples += all.size();
      if (samples > kSamplesMax) return too_many();
      out.push_back({labels, runs_of(all)});
    }
    return out;
  }

  std::vector<MetricDescription> describe() const override {
    std::map<std::string, StoredFamily> newest;
    const auto add = [&](const StoredFamily& one) {
      if (one.tenant != tenant_ || one.sequence > visible_) return;
      const auto [known, added] = newest.try_emplace(one.family.name, one);
      if (!added && known->second.sequence <= one.sequence) known->second = one;
    };
    for (const MetricSegmentFile& segment : version_->metrics) {
      // A damaged list costs the descriptions, not the answer.
      const auto families = segment.segment->families();
      if (!families.ok()) continue;
      for (const StoredFamily& one : *families) add(one);
    }
    for (const Head* head : {version_->frozen.get(), head_.get()}) {
      if (head == nullptr) continue;
      const auto lock = head->read_lock();
      for (const auto& [key, one] : head->metrics().families()) add(one);
    }
    std::vector<MetricDescription> out;
    for (const auto& [name, one] : newest) {
      out.push_back({name, one.family.type, one.family.unit, one.family.help});
    }
    return out;
  }

 private:
  static std::string_view wanted_name(const MetricRequest& request) {
    for (const LabelMatcher& matcher : request.matchers) {
      if (matcher.name == "__name__" && matcher.equals) return matcher.value;
    }
    return {};
  }

  Status collect(const MetricSegment& segment, const MetricRequest& request,
                 std::map<LabelPairs, Found>& found) const {
    const std::string_view name = wanted_name(request);
    for (size_t i = 0; i < segment.pages().size(); ++i) {
      const MetricSegment::PageEntry& entry = segment.pages()[i];
      if (entry.tenant != tenant_ || entry.min_ms > request.end_ms) continue;
      if (!name.empty() && (entry.first_name > name || entry.last_name < name)) continue;
      CC_ASSIGN(MetricPage read, segment.page(i));
      const auto page = std::make_shared<const MetricPage>(std::move(read));
      for (const MetricPage::Series& series : page->series) {
        if (!name.empty() && name_of(series.id.labels) != name) continue;
        if (!matches(request.matchers, series.id.labels)) continue;
        add_chunks(segment, page, series, request, found);
      }
    }
    return {};
  }

  static void add_chunks(const MetricSegment& segment,
                         const std::shared_ptr<const MetricPage>& page,
                         const MetricPage::Series& series, const MetricRequest& request,
                         std::map<LabelPairs, Found>& found) {
    Parts* parts = nullptr;
    for (const MetricChunk& chunk : series.chunks) {
      // The sum of deltas needs all that is before the range.
      const bool wanted = series.id.delta && !request.labels_only
                              ? chunk.min_ms <= request.end_ms
                              : overlaps(chunk.min_ms, chunk.max_ms, request);
      if (!wanted) continue;
      if (parts == nullptr) {
        Found& to = found[series.id.labels];
        parts = series.id.delta ? &to.deltas : &to.values;
      }
      parts->chunks.push_back({&segment, page, chunk});
    }
  }

  void collect_head(const Head& head, const MetricRequest& request,
                    std::map<LabelPairs, Found>& found) const {
    const auto lock = head.read_lock();
    for (const MetricHead::Series* series : head.metrics().find(tenant_, wanted_name(request))) {
      if (series->since > visible_ || !matches(request.matchers, series->id.labels)) continue;
      Parts* parts = nullptr;
      for (const StoredSample& sample : series->samples) {
        if (sample.sequence > visible_ || sample.time_ms > request.end_ms) continue;
        if (sample.time_ms < request.start_ms && (!series->id.delta || request.labels_only))
          continue;
        if (parts == nullptr) {
          Found& to = found[series->id.labels];
          parts = series->id.delta ? &to.deltas : &to.values;
        }
        parts->head.push_back(sample);
      }
    }
  }

  static Status read_chunk(const ChunkRef& ref, std::vector<StoredSample>& out) {
    return MetricSegment::Reader(*ref.segment, *ref.page).read(ref.chunk, out);
  }

  static Result<std::vector<StoredSample>> values(const Parts& parts,
                                                  const MetricRequest& request) {
    std::vector<StoredSample> all;
    CC_TRY(read_all(parts.chunks, all));
    std::erase_if(all, [&](const StoredSample& sample) { return !in_range(sample, request); });
    all.insert(all.end(), parts.head.begin(), parts.head.end());
    settle(all, false);
    return all;
  }

  // Chunks of one block one after another cost one reading of it.
  static Status read_all(const std::vector<ChunkRef>& chunks, std::vector<StoredSample>& out) {
    uint64_t count = 0;
    std::optional<MetricSegment::Reader> reader;
    const MetricPage* page = nullptr;
    for (const ChunkRef& ref : chunks) {
      count += ref.chunk.count;
      if (count > kSamplesMax) return too_many();
      if (page != ref.page.get()) {
        page = ref.page.get();
        reader.emplace(*ref.segment, *ref.page);
      }
      CC_TRY(reader->read(ref.chunk, out));
    }
    return {};
  }

  // Deltas added up. Chunks that overlap nothing count by their sum; what overlaps is put together
  // first. The value of a sample is the sum of the groups before its own and of its group up to it,
  // so that it does not depend on the range that is asked for.
  static Result<std::vector<StoredSample>> accumulated(const Parts& parts,
                                                       const MetricRequest& request) {
    std::vector<StoredSample> out;
    if (parts.empty()) return out;
    struct Piece {
      int64_t min_ms, max_ms;
      const ChunkRef* chunk;  // null: the head's samples
    };
    std::vector<Piece> pieces;
    for (const ChunkRef& ref : parts.chunks)
      pieces.push_back({ref.chunk.min_ms, ref.chunk.max_ms, &ref});
    if (!parts.head.empty()) {
      const auto [first, last] = std::minmax_element(
          parts.head.begin(), parts.head.end(),
          [](const StoredSample& a, const StoredSample& b) { return a.time_ms < b.time_ms; });
      pieces.push_back({first->time_ms, last->time_ms, nullptr});
    }
    std::sort(pieces.begin(), pieces.end(),
              [](const Piece& a, const Piece& b) { return a.min_ms < b.min_ms; });
    double base = 0;
    for (size_t at = 0; at < pieces.size();) {
      size_t end = at + 1;
      int64_t max_ms = pieces[at].max_ms;
      while (end < pieces.size() && pieces[end].min_ms <= max_ms)
        max_ms = std::max(max_ms, pieces[end++].max_ms);
      if (end == at + 1 && pieces[at].chunk != nullptr && max_ms < request.start_ms) {
        base += pieces[at].chunk->chunk.sum;
        at = end;
        continue;
      }
      std::vector<StoredSample> group;
      for (; at < end; ++at) {
        if (pieces[at].chunk != nullptr) {
          CC_TRY(read_chunk(*pieces[at].chunk, group));
        } else {
          group.insert(group.end(), parts.head.begin(), parts.head.end());
        }
      }
      settle(group, true);
      double sum = 0;
      for (const StoredSample& sample : group) {
        sum += sample.value;
        if (in_range(sample, request)) out.push_back({sample.time_ms, base + sum, sample.sequence});
      }
      base += sum;
    }
    return out;
  }

  static Result<bool> has_samples(const Found& found, const MetricRequest& request) {
    for (const Parts* parts : {&found.values, &found.deltas}) {
      if (!parts->head.empty()) return true;
      for (const ChunkRef& ref : parts->chunks) {
        if (ref.chunk.min_ms >= request.start_ms || ref.chunk.max_ms <= request.end_ms) return true;
      }
      for (const ChunkRef& ref : parts->chunks) {
        std::vector<StoredSample> samples;
        CC_TRY(read_chunk(ref, samples));
        for (const StoredSample& sample : samples) {
          if (in_range(sample, request)) return true;
        }
      }
    }
    return false;
  }

  // Values that were received come before sums at the same time.
  static void add_missing(const std::vector<StoredSample>& sums, std::vector<StoredSample>& all) {
    if (sums.empty()) return;
    if (all.empty()) {
      all = sums;
      return;
    }
    std::vector<StoredSample> merged;
    size_t i = 0;
    for (const StoredSample& sample : all) {
      while (i < sums.size() && sums[i].time_ms < sample.time_ms) merged.push_back(sums[i++]);
      if (i < sums.size() && sums[i].time_ms == sample.time_ms) ++i;
      merged.push_back(sample);
    }
    merged.insert(merged.end(), sums.begin() + static_cast<ptrdiff_t>(i), sums.end());
    all = std::move(merged);
  }

  std::shared_ptr<const Head> head_;
  std::shared_ptr<const Version> version_;
  const uint64_t visible_;
  const uint32_t tenant_;
};

class Received final : public ReceivedMetrics {
 public:
  Received(std::shared_ptr<const Head> head, uint64_t visible)
      : head_(std::move(head)), version_(head_->shared_version()), visible_(visible) {}

  std::shared_ptr<const MetricSource> tenant(std::string_view name) const override {
    // No number, no series.
    const uint32_t number = head_->find_tenant(name).value_or(UINT32_MAX);
    return std::make_shared<const Source>(head_, version_, visible_, number);
  }

 private:
  std::shared_ptr<const Head> head_;
  std::shared_ptr<const Version> version_;
  const uint64_t visible_;
};

}  // namespace

std::shared_ptr<const ReceivedMetrics> received_metrics(std::shared_ptr<const Head> head,
                                                        uint64_t visible) {
  return std::make_shared<const Received>(std::move(head), visible);
}

}  // namespace contextcore::store
