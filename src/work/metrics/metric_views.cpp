#include "work/metrics/metric_views.h"

#include <algorithm>
#include <array>

namespace contextcore::work {
namespace {

namespace label = names::label;

// The names under which a metric's series go.
std::vector<std::string> series_names(const names::MetricInfo& info) {
  const std::string name(info.name);
  if (info.type == "histogram") return {name + "_bucket", name + "_count", name + "_sum"};
  return {name};
}

bool accepts(const std::vector<store::LabelMatcher>& matchers, std::string_view name, std::string_view value) {
  return std::all_of(matchers.begin(), matchers.end(), [&](const store::LabelMatcher& matcher) {
    if (matcher.name != name) return true;
    return matcher.equals ? value == matcher.value : matcher.accepts(value);
  });
}

bool names_label(const store::MetricRequest& request, std::string_view name) {
  return std::find(request.named_labels.begin(), request.named_labels.end(), name) != request.named_labels.end();
}

}  // namespace

class MetricViewSource final : public store::MetricSource {
 public:
  MetricViewSource(MetricViews& views, std::shared_lock<std::shared_mutex> lock, int64_t now_ns)
      : views_(views), lock_(std::move(lock)), now_ms_(grid_before(now_ns)) {}

  Result<std::vector<store::MetricSeries>> select(const store::MetricRequest& request) const override {
    std::vector<store::MetricSeries> out;
    for (const names::MetricInfo& info : names::kMetrics) {
      const auto all = series_names(info);
      const bool named = std::any_of(
          all.begin(), all.end(), [&](const std::string& name) { return accepts(request.matchers, "__name__", name); });
      if (!named) continue;
      for (const auto& [name, project] : views_.log_.projects()) {
        if (accepts(request.matchers, label::kProjectId, name)) select(request, info, project, out);
      }
    }
    return out;
  }

  std::vector<store::MetricDescription> describe() const override {
    std::vector<store::MetricDescription> out;
    for (const names::MetricInfo& info : names::kMetrics) {
      out.push_back({std::string(info.name), std::string(info.type), std::string(info.unit), std::string(info.brief)});
    }
    return out;
  }

  std::vector<std::string> labels_on_request() const override {
    return {std::string(label::kProject), std::string(label::kTaskId)};
  }

 private:
  void select(const store::MetricRequest& request, const names::MetricInfo& info, const ProjectLog& project,
              std::vector<store::MetricSeries>& out) const {
    const bool with_project = names_label(request, label::kProject);
    const bool with_task = names_label(request, label::kTaskId);
    MetricViews::Built built;
    if (with_task) {
      BuildOptions options;
      options.with_project = with_project;
      options.with_task = true;
      options.wants_task = [&](std::string_view id) { return accepts(request.matchers, label::kTaskId, id); };
      built = std::make_shared<const std::vector<StepSeries>>(build(project, info.name, options));
    } else {
      built = views_.built(project, info.name, with_project);
    }
    const int64_t end_ms = std::min(request.end_ms, now_ms_);
    for (const StepSeries& series : *built) {
      if (!store::matches(request.matchers, series.labels)) continue;
      std::vector<store::SampleRun> runs = runs_of(series.steps, request.start_ms, end_ms);
      if (runs.empty()) continue;
      if (request.labels_only) runs.clear();
      out.push_back({series.labels, std::move(runs)});
    }
  }

  MetricViews& views_;
  std::shared_lock<std::shared_mutex> lock_;
  const int64_t now_ms_;
};

Result<std::unique_ptr<store::MetricSource>> MetricViews::at(const store::Source& source, const store::WorkView& view,
                                                             uint64_t sequence) {
  {
    const std::unique_lock<std::shared_mutex> lock(mutex_);
    CC_TRY(log_.update(source, view, sequence));
  }
  return std::unique_ptr<store::MetricSource>(
      std::make_unique<MetricViewSource>(*this, std::shared_lock<std::shared_mutex>(mutex_), source.now_ns()));
}

MetricViews::Built MetricViews::built(const ProjectLog& project, std::string_view metric, bool with_project) {
  const std::lock_guard<std::mutex> lock(cache_mutex_);
  Entry& entry = cache_[{project.name, metric, with_project}];
  if (!entry.series || entry.version != project.version) {
    BuildOptions options;
    options.with_project = with_project;
    // In order of labels, since whoever asks sorts them by these.
    std::vector<StepSeries> series = build(project, metric, options);
    std::sort(series.begin(), series.end(), [](const StepSeries& a, const StepSeries& b) { return a.labels < b.labels; });
    // A copy, since it lies in memory in the order in which it is read.
    entry.series = std::make_shared<const std::vector<StepSeries>>(series);
    entry.version = project.version;
  }
  return entry.series;
}

}  // namespace contextcore::work
