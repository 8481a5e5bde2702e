#include "api/metrics.h"

#include <fmt/format.h>

#include <algorithm>

#include "export/grpc_answer.h"

namespace contextcore::api {

namespace {

void append_header(std::string& out, std::string_view name, std::string_view type,
                   std::string_view help) {
  out += fmt::format("# HELP {0} {2}\n# TYPE {0} {1}\n", name, type, help);
}

// A classic histogram of latencies.
void append_latency(std::string& out, std::string_view name, std::string_view help,
                    const LatencyCounts& counts) {
  append_header(out, name, "histogram", help);
  uint64_t count = 0;
  for (size_t i = 0; i < counts.buckets.size(); ++i) {
    count += counts.buckets[i];
    const std::string bound = i < kLatencyBoundsNs.size()
                                  ? fmt::format("{}", static_cast<double>(kLatencyBoundsNs[i]) / 1e9)
                                  : "+Inf";
    out += fmt::format("{}_bucket{{le=\"{}\"}} {}\n", name, bound, count);
  }
  out += fmt::format("{0}_sum {1}\n{0}_count {2}\n", name,
                     static_cast<double>(counts.sum_ns) / 1e9, count);
}

void append_store_stats(std::string& out, const store::StoreStats& stats) {
  struct Row {
    const char* name;
    const char* type;
    const char* help;
    uint64_t value;
  };
  const Row rows[] = {
      {"contextcore_store_writable", "gauge", "1 while writes are taken; 0 after a failed write of the log or manifest.",
       stats.writable ? uint64_t{1} : 0},
      {"contextcore_store_sequence", "gauge", "Last sequence number given.", stats.sequence},
      {"contextcore_store_visible_sequence", "gauge", "Last sequence number that queries see.",
       stats.visible_sequence},
      {"contextcore_store_head_span_rows", "gauge", "Span rows not yet in segments.",
       stats.head_span_rows},
      {"contextcore_store_head_log_rows", "gauge", "Log rows not yet in segments.",
       stats.head_log_rows},
      {"contextcore_store_wal_bytes", "gauge", "Bytes of log behind the manifest.",
       stats.wal_bytes},
      {"contextcore_store_wal_unsynced_bytes", "gauge", "Bytes of log that are not durable yet.",
       stats.wal_unsynced_bytes},
      {"contextcore_store_writers_waiting", "gauge", "Writers that wait for their frame to be durable.",
       stats.writers_waiting},
      {"contextcore_store_frozen_rows", "gauge", "Rows of a head that a cut is making files of.",
       stats.frozen_rows},
      {"contextcore_store_segments", "gauge", "Segment files.", stats.segments},
      {"contextcore_store_segment_bytes", "gauge", "Bytes in segment files.", stats.segment_bytes},
      {"contextcore_store_span_rows", "gauge", "Span rows, head and segments.", stats.span_rows},
      {"contextcore_store_log_rows", "gauge", "Log rows, head and segments.", stats.log_rows},
      {"contextcore_store_head_metric_samples", "gauge", "Samples not yet in segments.",
       stats.head_metric_samples},
      {"contextcore_store_head_metric_series", "gauge", "Series with samples not yet in segments.",
       stats.head_metric_series},
      {"contextcore_store_metric_samples", "gauge", "Samples, head and segments.",
       stats.metric_samples},
      {"contextcore_store_masked_rows", "gauge", "Span rows that a newer revision hides.",
       stats.masked_rows},
      {"contextcore_store_masks", "gauge", "Segments with rows that a newer revision hides.", stats.masks},
      {"contextcore_store_compaction_pending_segments", "gauge", "Segments that had better be merged.",
       stats.compaction_segments},
      {"contextcore_store_compaction_pending_rows", "gauge", "Their rows.", stats.compaction_rows},
      {"contextcore_store_cache_bytes", "gauge", "Decoded pages held in memory.", stats.cache_bytes},
      {"contextcore_store_cache_max_bytes", "gauge", "The most that are held.", stats.cache_bytes_max},
      {"contextcore_store_cache_hits_total", "counter", "Row groups that were in the cache.", stats.cache_hits},
      {"contextcore_store_cache_misses_total", "counter", "Row groups that were not.", stats.cache_misses},
      {"contextcore_store_work_rows", "gauge", "Rows of the work index.", stats.work_rows},
      {"contextcore_store_tenants", "gauge", "Tenants that have sent something, the default one among them.",
       stats.tenants},
      {"contextcore_store_frames_total", "counter", "Transactions appended.", stats.frames},
      {"contextcore_store_syncs_total", "counter", "Syncs of the log.", stats.syncs},
      {"contextcore_store_cuts_total", "counter", "Cuts of the head into segments.", stats.cuts},
      {"contextcore_store_cut_bytes_total", "counter", "Bytes of segments that cuts have written.",
       stats.cut_bytes},
      {"contextcore_store_compactions_total", "counter", "Merges of segments.", stats.compactions},
      {"contextcore_store_compacted_bytes_total", "counter", "Bytes of segments that merges have written.",
       stats.compacted_bytes},
      {"contextcore_store_compacted_rows_total", "counter", "Rows that merges have written.",
       stats.compacted_rows},
      {"contextcore_store_retention_held_segments", "gauge",
       "Segments older than they are kept that stay until an export has sent them.", stats.held_segments},
      {"contextcore_store_expired_rows_total", "counter", "Received rows that were older than they are kept.",
       stats.expired_rows},
      {"contextcore_store_duplicates_total", "counter", "Requests that were seen before.",
       stats.duplicates},
      {"contextcore_store_rejected_total", "counter", "Spans, records and samples refused.", stats.rejected},
      {"contextcore_store_throttled_total", "counter", "Requests that were told to come again later.",
       stats.throttled},
  };
  for (const Row& row : rows) {
    append_header(out, row.name, row.type, row.help);
    out += fmt::format("{} {}\n", row.name, row.value);
  }
  append_latency(out, "contextcore_store_wal_sync_seconds", "Duration of syncs of the log.",
                 stats.wal_sync);
  append_latency(out, "contextcore_store_commit_wait_seconds",
                 "Time from appending a frame until it is durable and visible.", stats.commit_wait);
}

}  // namespace

// The rows of one protocol's four families.
struct Metrics::Families {
  std::string_view protocol;
  std::string counts = {}, durations = {}, received = {}, sent = {};

  void add(const std::string& labels, const Cell& cell) {
    const double seconds = static_cast<double>(cell.duration_ns) / 1e9;
    counts += fmt::format("contextcore_{}_requests_total{} {}\n", protocol, labels, cell.count);
    durations += fmt::format(
        "contextcore_{0}_request_duration_seconds_sum{1} {2}\n"
        "contextcore_{0}_request_duration_seconds_count{1} {3}\n",
        protocol, labels, seconds, cell.count);
    received += fmt::format("contextcore_{}_request_bytes_total{} {}\n", protocol, labels,
                            cell.request_bytes);
    sent += fmt::format("contextcore_{}_response_bytes_total{} {}\n", protocol, labels,
                        cell.response_bytes);
  }
  void render(std::string& out, std::string_view request_bytes_help) const {
    const auto family = [&](std::string_view rest, std::string_view type, std::string_view help,
                            const std::string& rows) {
      append_header(out, fmt::format("contextcore_{}_{}", protocol, rest), type, help);
      out += rows;
    };
    family("requests_total", "counter", "Requests answered.", counts);
    family("request_duration_seconds", "summary", "Time from the whole request to its answer.",
           durations);
    family("request_bytes_total", "counter", request_bytes_help, received);
    family("response_bytes_total", "counter", "Bytes of response bodies, before compression.",
           sent);
  }
};

void Metrics::Cell::add(int64_t more_ns, size_t request, size_t response) {
  ++count;
  duration_ns += more_ns;
  request_bytes += request;
  response_bytes += response;
}

void Metrics::record(const std::string& method, const std::string& route, int code,
                     int64_t duration_ns, size_t request_bytes, size_t response_bytes) {
  std::lock_guard lock(mutex_);
  cells_[{route, method, code}].add(duration_ns, request_bytes, response_bytes);
}

void Metrics::record_grpc(const std::string& path, int status, int64_t duration_ns,
                          size_t request_bytes, size_t response_bytes) {
  std::lock_guard lock(mutex_);
  grpc_cells_[{path, status}].add(duration_ns, request_bytes, response_bytes);
}

std::string Metrics::render(const store::StoreStats& stats, Load load, const std::string& version,
                            bool ready) const {
  std::string out;
  append_header(out, "contextcore_build_info", "gauge", "Version of this server.");
  out += fmt::format("contextcore_build_info{{version=\"{}\"}} 1\n", version);
  append_header(out, "contextcore_ready", "gauge", "1 while requests are served.");
  out += fmt::format("contextcore_ready {}\n", ready ? 1 : 0);
  append_header(out, "contextcore_requests_running", "gauge", "Requests that wait for or are on a worker.");
  out += fmt::format("contextcore_requests_running{{kind=\"query\"}} {}\n", load.queries);
  out += fmt::format("contextcore_requests_running{{kind=\"other\"}} {}\n",
                     load.requests - std::min(load.requests, load.queries));

  Families http{"http"}, grpc{"grpc"};
  {
    std::lock_guard lock(mutex_);
    for (const auto& [key, cell] : cells_) {
      const auto& [route, method, code] = key;
      http.add(fmt::format("{{route=\"{}\",method=\"{}\",code=\"{}\"}}", route, method, code),
               cell);
    }
    for (const auto& [key, cell] : grpc_cells_) {
      grpc.add(fmt::format("{{method=\"{}\",code=\"{}\"}}", key.first,
                           exporter::grpc_code_name(key.second)),
               cell);
    }
  }
  http.render(out, "Bytes of request bodies, decoded.");
  grpc.render(out, "Bytes of messages, as sent.");
  append_store_stats(out, stats);
  return out;
}

}  // namespace contextcore::api
