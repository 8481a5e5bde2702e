// What is written of received metrics: a request of one tenant, translated and checked before the
// lock; under it only what depends on the state (a repeat, the number of series, the tenant's
// number).

#include <algorithm>
#include <unordered_set>
#include <utility>

#include "base/text.h"
#include "otlp/protobuf.h"
#include "store/frame_metrics.h"
#include "store/store_impl.h"
#include "store/tenant.h"

namespace contextcore::store {
namespace {

std::string encode(const otlp::MetricsData& data) { return otlp::encode_protobuf(data); }
std::string encode(const otlp::RemoteWriteRequest& request) {
  return otlp::encode_remote_write(request);
}

}  // namespace

otlp::SeriesCheck StoreImpl::series_check(std::string_view tenant) const {
  const bool refuse_views = tenant.empty() && hooks_->refuse_metric;
  return [this, refuse_views](const otlp::SampleLabels& labels) -> std::optional<std::string> {
    const MetricLimits& limits = options_.metric_limits;
    if (labels.size() > limits.labels_max) {
      return "received a series whose number of labels exceeds the limit (actual: " +
             std::to_string(labels.size()) + ", limit: " + std::to_string(limits.labels_max) +
             ") series: " + otlp::describe(labels);
    }
    for (const otlp::RemoteWriteLabel& label : labels) {
      if (label.name.size() > limits.label_name_bytes_max) {
        return "received a series whose label name length exceeds the limit, label: '" +
               label.name.substr(0, 200) + "' series: " + otlp::describe(labels);
      }
      if (label.value.size() > limits.label_value_bytes_max) {
        return "received a series whose label value length exceeds the limit, label: '" +
               label.name + "' (actual: " + std::to_string(label.value.size()) +
               ", limit: " + std::to_string(limits.label_value_bytes_max) +
               ") series: " + otlp::describe(labels);
      }
    }
    return refuse_views ? hooks_->refuse_metric(otlp::metric_name(labels)) : std::nullopt;
  };
}

template <typename Data>
Result<IngestResult> StoreImpl::metrics_locked(Lock& lock, const Data& data, PartEncoding encoding,
                                               std::string_view body, std::string_view tenant,
                                               otlp::Translation translation, uint64_t& sequence) {
  for (;;) {
    CC_TRY(enter(lock));
    bool fresh = false;
    CC_ASSIGN(const uint32_t number, tenant_number(tenant, fresh));
    CC_TRY(check_room_for_telemetry(tenant, number));
    IngestResult result{translation.accepted, translation.rejected, join(translation.reasons, "; ")};
    const Hash128 digest = request_digest(PartSignal::metrics, encoding, number, body);
    CC_TRY(read_older_digests());
    if (const auto known = digests_.find(digest)) {
      result.duplicate = true;
      sequence = *known;
      duplicates_.fetch_add(1, std::memory_order_relaxed);
      return result;
    }
    // New series beyond the limit fall; what is known goes on.
    size_t series = head_->metrics().series_count(number);
    const size_t series_max = options_.metric_limits.series_max;
    if (series + translation.batch.series.size() > series_max) {
      std::unordered_set<std::string> counted;
      const otlp::SeriesCheck inner = series_check(tenant);
      translation = otlp::translate(
          data, [&](const otlp::SampleLabels& labels) -> std::optional<std::string> {
            if (std::optional<std::string> reason = inner(labels)) return reason;
            const bool known = head_->metrics().knows(number, {labels, false, {}}) ||
                               head_->metrics().knows(number, {labels, true, {}});
            if (known) return std::nullopt;
            std::string key = encode_batch({{{labels, false, {}}}, {}});
            if (counted.contains(key)) return std::nullopt;
            if (series >= series_max) {
              return "per-user series limit of " + std::to_string(series_max) + " exceeded";
            }
            ++series;
            counted.insert(std::move(key));
            return std::nullopt;
          });
      result = {translation.accepted, translation.rejected, join(translation.reasons, "; ")};
    }
    rejected_.fetch_add(static_cast<uint64_t>(translation.rejected), std::memory_order_relaxed);
    const otlp::MetricBatch& batch = translation.batch;
    if (batch.series.empty() && batch.families.empty()) return result;
    const std::string smaller = translation.complete() ? std::string() : encode_batch(batch);
    const std::string digest_part = translation.complete() ? std::string() : digest_bytes(digest);
    std::vector<FramePart> parts;
    if (fresh) parts.push_back({PartSignal::tenant, PartEncoding::raw, tenant});
    if (translation.complete()) {
      parts.push_back({PartSignal::metrics, encoding, body});
    } else {
      parts.push_back({PartSignal::metrics, PartEncoding::batch_1, smaller});
      parts.push_back({PartSignal::digest, PartEncoding::raw, digest_part});
    }
    CC_ASSIGN(const bool room,
              ensure_room(lock, std::max(body.size(), smaller.size()) + tenant.size()));
    if (!room) continue;
    CC_ASSIGN(sequence, append(parts, number));
    if (fresh) head_->add_tenant(std::string(tenant));
    head_->apply_metrics(number, batch, sequence);
    remember_request(digest, sequence);
    return result;
  }
}

template <typename Data>
Result<IngestResult> StoreImpl::ingest_metrics(const Data& data, PartEncoding encoding,
                                               std::string_view body, std::string_view tenant) {
  CC_TRY(check_tenant(tenant, options_.metric_limits.tenant_bytes_max));
  std::string encoded;
  if (body.empty()) {
    encoded = encode(data);
    body = encoded;
  }
  otlp::Translation translation = otlp::translate(data, series_check(tenant));
  const size_t samples = translation.batch.sample_count();
  if (samples > options_.metric_limits.samples_max) {
    return {Code::invalid_argument, "the request has " + std::to_string(samples) + " samples, " +
                                        std::to_string(options_.metric_limits.samples_max) +
                                        " at most are taken"};
  }
  Turn turn(*this);
  CC_TRY(turn.begin());
  Lock lock(mutex_);
  CC_TRY(check_quota(tenant, body.size()));
  uint64_t sequence = 0;
  CC_ASSIGN(IngestResult result,
            metrics_locked(lock, data, encoding, body, tenant, std::move(translation), sequence));
  CC_TRY(wait_visible(lock, sequence));
  cut_if_due(lock);
  return result;
}

Result<IngestResult> StoreImpl::ingest(const otlp::MetricsData& data, std::string_view body,
                                       std::string_view tenant) {
  return ingest_metrics(data, PartEncoding::otlp_protobuf, body, tenant);
}

Result<IngestResult> StoreImpl::ingest(const otlp::RemoteWriteRequest& request,
                                       std::string_view body, std::string_view tenant) {
  return ingest_metrics(request, PartEncoding::remote_write, body, tenant);
}

}  // namespace contextcore::store
