"""All projects: what is open, what is stuck, what got done."""

from kit.model import Dashboard, Kind, LogQL, Panel, PromQL, Row, TraceQL
from kit.parts import OPEN, TASK_COLUMNS, TASK_TRACE

DASHBOARD = Dashboard(
    uid="contextcore-portfolio", title="Portfolio", description="All projects: what is open, what is stuck, what got done.",
    rows=(
        Row("Now", (
            Panel("Projects", Kind.STAT, (PromQL("count(sum by (project_id) (task_count_by_status))", "projects", True),), 4, 4),
            Panel("Open tasks", Kind.STAT, (PromQL(f"sum(task_count_by_status{{{OPEN}}})", "open", True),), 4, 4),
            Panel("In progress", Kind.STAT, (PromQL("sum(task_wip)", "in progress", True),), 4, 4),
            Panel("Blocked", Kind.STAT, (PromQL("sum(task_blocked)", "blocked", True),), 4, 4,
                  thresholds=((1, "orange"), (10, "red"))),
            Panel("Overdue", Kind.STAT, (PromQL("sum(task_overdue)", "overdue", True),), 4, 4,
                  thresholds=((1, "orange"), (10, "red"))),
            Panel("Completed in this range", Kind.STAT,
                  (PromQL("sum(increase(task_completed_total[$__range]))", "completed", True),), 4, 4),
        )),
        Row("Projects", (
            Panel("Open tasks by project", Kind.SERIES,
                  (PromQL(f"sum by (project_id) (task_count_by_status{{{OPEN}}})", "{{project_id}}"),), stacked=True),
            Panel("Completed per week by project", Kind.SERIES,
                  (PromQL("sum by (project_id) (increase(task_completed_total[7d]))", "{{project_id}}"),)),
            Panel("Share of work that is done", Kind.BARS,
                  (PromQL('sum by (project_id) (task_count_by_status{status="done"}) / '
                          'sum by (project_id) (task_count_by_status{status!="cancelled"})', "{{project_id}}", True),),
                  unit="percentunit"),
            Panel("Lead time, median over four weeks", Kind.SERIES,
                  (PromQL("histogram_quantile(0.5, sum by (project_id, le) (rate(task_lead_time_seconds_bucket[28d])))",
                          "{{project_id}}"),), unit="s"),
        )),
        Row("Tasks", (
            Panel("Blocked now", Kind.TABLE,
                  (TraceQL('{ span.task.status = "blocked" } | select(span.project.id, span.task.id, span.task.title, '
                           "span.task.blocked_reason, span.task.assignee)"),),
                  columns=TASK_COLUMNS[:1] + (("project.id", "Project"),) + TASK_COLUMNS[1:] +
                  (("task.blocked_reason", "Reason"), ("task.assignee", "Assignee")), links=TASK_TRACE),
            Panel("Epics in progress", Kind.TABLE,
                  (TraceQL('{ span.task.type = "epic" && span.task.status = "in_progress" } | select(span.project.id, '
                           "span.task.id, span.task.title, span.task.percent_complete, span.task.subtask_count)"),),
                  columns=TASK_COLUMNS[:1] + (("project.id", "Project"),) + TASK_COLUMNS[1:] +
                  (("task.percent_complete", "Percent"), ("task.subtask_count", "Subtasks")), links=TASK_TRACE),
            Panel("Urgent and not started", Kind.TABLE,
                  (TraceQL('{ span.task.priority = "critical" && (span.task.status = "todo" || span.task.status = "backlog") }'
                           " | select(span.project.id, span.task.id, span.task.title, span.task.assignee)"),),
                  columns=TASK_COLUMNS[:1] + (("project.id", "Project"),) + TASK_COLUMNS[1:] + (("task.assignee", "Assignee"),),
                  links=TASK_TRACE),
            Panel("Events per day", Kind.SERIES,
                  (LogQL('sum by (project_id) (count_over_time({service="contextcore"}[1d]))', "{{project_id}}"),)),
        )),
    ))
