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

// Built series that a request selects; each becomes runs when it is asked for.
class ViewSeries final : public store::SeriesSet {
 public:
  ViewSeries(int64_t start_ms, int64_t end_ms, bool labels_only)
      : start_ms_(start_ms), end_ms_(end_ms), labels_only_(labels_only) {}

  void add(std::shared_ptr<const std::vector<StepSeries>> built, const std::vector<store::LabelMatcher>& matchers) {
    for (const StepSeries& series : *built) {
      if (store::matches(matchers, series.labels) && has_runs(series.steps, start_ms_, end_ms_)) series_.push_back(&series);
    }
    built_.push_back(std::move(built));
  }

  size_t size() const override { return series_.size(); }
  const store::LabelPairs& labels(size_t series) const override { return series_[series]->labels; }
  const std::vector<store::SampleRun>& runs(size_t series) override {
    if (!labels_only_) make_runs(series_[series]->steps, start_ms_, end_ms_, runs_);
    return runs_;
  }

 private:
  const int64_t start_ms_, end_ms_;
  const bool labels_only_;
  std::vector<std::shared_ptr<const std::vector<StepSeries>>> built_;  // keep series_
  std::vector<const StepSeries*> series_;
  std::vector<store::SampleRun> runs_;  // of the series that was asked for last
};

}  // namespace

class MetricViewSource final : public store::MetricSource {
 public:
  MetricViewSource(MetricViews& views, std::shared_lock<std::shared_mutex> lock, int64_t now_ns)
      : views_(views), lock_(std::move(lock)), now_ms_(grid_before(now_ns)) {}

  Result<std::vector<store::MetricSeries>> select(const store::MetricRequest& request) const override {
    CC_ASSIGN(const std::unique_ptr<store::SeriesSet> found, find(request));
    std::vector<store::MetricSeries> out;
    out.reserve(found->size());
    for (size_t i = 0; i < found->size(); ++i) out.push_back({found->labels(i), found->runs(i)});
    return out;
  }

  Result<std::unique_ptr<store::SeriesSet>> find(const store::MetricRequest& request) const override {
    auto out = std::make_unique<ViewSeries>(request.start_ms, std::min(request.end_ms, now_ms_), request.labels_only);
    for (const names::MetricInfo& info : names::kMetrics) {
      const auto all = series_names(info);
      const bool named = std::any_of(
          all.begin(), all.end(), [&](const std::string& name) { return accepts(request.matchers, "__name__", name); });
      if (!named) continue;
      for (const auto& [name, project] : views_.log_.projects()) {
        if (accepts(request.matchers, label::kProjectId, name)) out->add(built(request, info, project), request.matchers);
      }
    }
    return std::unique_ptr<store::SeriesSet>(std::move(out));
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
  MetricViews::Built built(const store::MetricRequest& request, const names::MetricInfo& info,
                           const ProjectLog& project) const {
    const bool with_project = names_label(request, label::kProject);
    if (!names_label(request, label::kTaskId)) return views_.built(project, info.name, with_project);
    BuildOptions options;
    options.with_project = with_project;
    options.with_task = true;
    options.wants_task = [&](std::string_view id) { return accepts(request.matchers, label::kTaskId, id); };
    return std::make_shared<const std::vector<StepSeries>>(build(project, info.name, options));
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
    entry.series = std::make_shared<const std::vector<StepSeries>>(build(project, metric, options));
    entry.version = project.version;
  }
  return entry.series;
}

}  // namespace contextcore::work
