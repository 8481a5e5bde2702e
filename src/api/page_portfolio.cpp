#include <fmt/format.h>

#include <algorithm>
#include <array>
#include <map>

#include "api/html.h"
#include "base/sort.h"
#include "api/page.h"
#include "api/page_data.h"
#include "base/time.h"

namespace contextcore::api {

namespace {

constexpr SpanLimits kAllTasks = {20'000, 20'000};
constexpr size_t kListItemsMax = 40;
constexpr size_t kInsightsMax = 12;
constexpr int64_t kEventsMax = 15;
constexpr int64_t kEventsRangeNs = 7 * kDayNs;

// What needs attention first.
constexpr std::array<std::string_view, 8> kStatuses = {
    "blocked", "in_progress", "in_review", "todo", "backlog", "failed", "done", "cancelled"};

struct Project {
  std::map<std::string, size_t, std::less<>> counts;
  size_t total = 0;
  size_t count(std::string_view status) const {
    auto found = counts.find(status);
    return found == counts.end() ? 0 : found->second;
  }
};

std::string status_words(std::string_view status) {
  std::string out(status);
  std::replace(out.begin(), out.end(), '_', ' ');
  return out;
}

// One bar, a part per status, as wide as its share.
std::string share_bar(const Project& project) {
  std::string out =
      "<svg viewBox=\"0 0 100 4\" preserveAspectRatio=\"none\" height=\"6\" aria-hidden=\"true\">"
      "<rect class=\"track\" width=\"100\" height=\"4\"/>";
  double x = 0;
  for (std::string_view status : kStatuses) {
    size_t count = project.count(status);
    if (count == 0) continue;
    double width = 100.0 * static_cast<double>(count) / static_cast<double>(project.total);
    out += fmt::format("<rect class=\"{}\" x=\"{:.2f}\" width=\"{:.2f}\" height=\"4\"/>", status, x,
                       width);
    x += width;
  }
  return out + "</svg>\n";
}

std::string project_card(const std::string& name, const Project& project) {
  std::string out = fmt::format("<section class=\"card\"><h3>{}</h3>\n{}<dl class=\"counts\">",
                                escape_html(name), share_bar(project));
  for (std::string_view status : kStatuses) {
    size_t count = project.count(status);
    if (count == 0) continue;
    out += fmt::format("<div><dt>{0}</dt><dd class=\"{1}\">{2}</dd></div>", status_words(status),
                       status, count);
  }
  return out + fmt::format("<div><dt>in all</dt><dd>{}</dd></div></dl></section>\n", project.total);
}

std::string answer_notes(const SpanAnswer& answer) {
  std::string out = query_note("TraceQL", answer.query);
  if (answer.cut) {
    out += "<p class=\"warning\">There is more than this page asks for; narrow the query.</p>\n";
  }
  if (answer.foreign > 0) {
    out += fmt::format(
        "<p class=\"warning\">{} spans that look like work were received as telemetry and are left "
        "out.</p>\n",
        answer.foreign);
  }
  return out;
}

Result<std::string> projects_section(const store::Store::Read& read) {
  CC_ASSIGN(SpanAnswer answer,
            run_traceql(read, "{ span.task.status != nil } | select(span.project.id)", kAllTasks));
  keep_journal_spans(read, store::WorkKind::task, answer);
  std::map<std::string, Project> projects;
  for (const PageSpan& span : answer.spans) {
    Project& project = projects[span.text("project.id")];
    ++project.counts[span.text("task.status")];
    ++project.total;
  }
  std::vector<std::pair<std::string, Project>> sorted(projects.begin(), projects.end());
  sort_stably(sorted, [](const auto& a, const auto& b) {
    return a.second.count("blocked") > b.second.count("blocked");
  });
  std::string out = "<h1>Projects</h1>\n";
  if (sorted.empty()) {
    out +=
        "<p class=\"empty\">Nothing here yet. <code>contextcore task create \"First task\"</code> "
        "makes a start.</p>\n";
  } else {
    out += "<div class=\"cards\">\n";
    for (const auto& [name, project] : sorted) out += project_card(name, project);
    out += "</div>\n";
  }
  return out + answer_notes(answer);
}

std::string task_line(const PageSpan& span) {
  std::string project = span.text("project.id"), id = span.text("task.id");
  std::string status = span.text("task.status");
  std::string who = span.text("task.assignee");
  std::string out = fmt::format(
      "<li><span class=\"status {0}\">{1}</span><span class=\"what\"><a href=\"{2}\">{3}</a> "
      "<span class=\"id\">{4} · {5}</span></span><span class=\"soft small\">{6}</span>",
      escape_html(status), escape_html(status_words(status)), escape_html(task_path(project, id)),
      escape_html(span.text("task.title")), escape_html(project), escape_html(id),
      escape_html(who));
  if (std::string reason = span.text("task.blocked_reason"); !reason.empty()) {
    out += "<span class=\"note\">" + escape_html(reason) + "</span>";
  }
  return out + "</li>\n";
}

Result<std::string> task_section(const store::Store::Read& read, std::string_view heading,
                                 std::string_view condition, std::string_view when_empty) {
  CC_ASSIGN(SpanAnswer answer,
            run_traceql(read, fmt::format("{{ {} }} | {}", condition, kTaskSelect)));
  keep_journal_spans(read, store::WorkKind::task, answer);
  std::string out = fmt::format("<h2>{} <span class=\"soft number\">{}{}</span></h2>\n", heading,
                                answer.spans.size(), answer.cut ? "+" : "");
  if (answer.spans.empty()) {
    out += fmt::format("<p class=\"empty\">{}</p>\n", when_empty);
  } else {
    out += "<ul class=\"list\">\n";
    size_t shown = std::min(answer.spans.size(), kListItemsMax);
    for (size_t i = 0; i < shown; ++i) out += task_line(answer.spans[i]);
    out += "</ul>\n";
    if (shown < answer.spans.size()) {
      out += fmt::format("<p class=\"soft small\">The newest {} of them.</p>\n", shown);
    }
  }
  return out + answer_notes(answer);
}

std::string insight_line(const PageSpan& span) {
  std::string project = span.text("project.id"), task = span.text("insight.task_id");
  std::string about = escape_html(project);
  if (!task.empty()) {
    about += fmt::format(" · <a href=\"{}\">{}</a>", escape_html(task_path(project, task)),
                         escape_html(task));
  }
  std::string status = span.text("insight.status");
  std::string extra = status.empty() || status == "active" ? "" : " · " + escape_html(status);
  if (std::string confidence = span.text("insight.confidence"); !confidence.empty()) {
    extra += " · confidence " + escape_html(confidence);
  }
  return fmt::format(
      "<li><span class=\"status insight\">{}</span><span class=\"what\">{}</span>"
      "<span class=\"soft small\">{}</span><span class=\"note\">{} · {}{}</span></li>\n",
      escape_html(span.text("insight.type")), escape_html(span.text("insight.summary")),
      format_minute(span.start_ns), about, escape_html(span.text("agent.id")), extra);
}

Result<std::string> insights_section(const store::Store::Read& read) {
  CC_ASSIGN(SpanAnswer answer,
            run_traceql(read, fmt::format("{{ name =~ \"insight.*\" }} | {}", kInsightSelect),
                        SpanLimits{200, 200}));
  keep_journal_spans(read, store::WorkKind::insight, answer);
  sort_stably(answer.spans,
                   [](const auto& a, const auto& b) { return a.start_ns > b.start_ns; });
  std::string out = "<h2>Recent insights</h2>\n";
  if (answer.spans.empty()) out += "<p class=\"empty\">None yet.</p>\n";
  if (!answer.spans.empty()) out += "<ul class=\"list\">\n";
  for (size_t i = 0; i < std::min(answer.spans.size(), kInsightsMax); ++i) {
    out += insight_line(answer.spans[i]);
  }
  if (!answer.spans.empty()) out += "</ul>\n";
  answer.cut = false;  // "recent" promises no more
  return out + answer_notes(answer);
}

Result<std::string> events_section(const ServiceOptions& options, const store::Store::Read& read) {
  int64_t now_ns = read.source->now_ns();
  CC_ASSIGN(LogAnswer answer,
            run_logql(read, "{service=" + quoted(options.work.service_name) + "} | json",
                      now_ns - kEventsRangeNs, now_ns + 1, kEventsMax));
  std::string out = "<h2>Last events <span class=\"soft\">of 7 days</span></h2>\n";
  if (answer.lines.empty()) out += "<p class=\"empty\">None.</p>\n";
  if (!answer.lines.empty()) out += "<ul class=\"list\">\n";
  for (const LogLine& line : answer.lines) {
    std::string project(line.label("project_id")), task(line.label("task_id"));
    std::string_view summary = line.label("task_title");
    if (summary.empty()) summary = line.label("summary");
    std::string what = escape_html(summary);
    if (!task.empty()) {
      what = fmt::format("<a href=\"{}\">{}</a> <span class=\"id\">{}</span>",
                         escape_html(task_path(project, task)), what, escape_html(task));
    }
    out += fmt::format(
        "<li><span class=\"soft small\">{}</span><span class=\"what\">{}</span>"
        "<span class=\"soft small\">{}</span></li>\n",
        format_minute(line.time_ns), what, escape_html(line.label("event")));
  }
  if (!answer.lines.empty()) out += "</ul>\n";
  return out + query_note("LogQL", answer.query);
}

}  // namespace

Result<std::string> render_portfolio(const ServiceOptions& options,
                                     const store::Store::Read& read) {
  CC_ASSIGN(std::string out, projects_section(read));
  CC_ASSIGN(std::string blocked,
            task_section(read, "Blocked", "span.task.status = \"blocked\"", "Nothing is blocked."));
  CC_ASSIGN(std::string active,
            task_section(read, "In work", "span.task.status =~ \"in_progress|in_review\"",
                         "Nobody works on anything."));
  CC_ASSIGN(
      std::string open,
      task_section(read, "Not started", "span.task.status =~ \"todo|backlog\"", "Nothing waits."));
  CC_ASSIGN(std::string insights, insights_section(read));
  CC_ASSIGN(std::string events, events_section(options, read));
  return out + blocked + active + open + insights + events;
}

}  // namespace contextcore::api
