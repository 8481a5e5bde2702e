"""One project: progress, board, blockers, people, flow."""

from kit.model import Dashboard, Kind, LogQL, Panel, PromQL, Row, TraceQL, Variable
from kit.parts import OPEN, TASK_COLUMNS, TASK_TRACE, events, recent

P = 'project_id="$project"'
S = f'service="contextcore", {P}'
SPAN = 'span.project.id = "$project"'
BOARD = "select(span.task.id, span.task.title, span.task.type, span.task.priority, span.task.assignee)"
BOARD_COLUMNS = TASK_COLUMNS + (("task.type", "Type"), ("task.priority", "Priority"), ("task.assignee", "Assignee"))


def board(title: str, status: str) -> Panel:
    return Panel(title, Kind.TABLE, (TraceQL(f'{{ {SPAN} && span.task.status = "{status}" }} | {BOARD}'),),
                 columns=BOARD_COLUMNS, links=TASK_TRACE)


def quantiles(title: str, metric: str, description: str) -> Panel:
    return Panel(title, Kind.SERIES, tuple(
        PromQL(f"histogram_quantile({q}, sum by (le) (rate({metric}_bucket{{{P}}}[28d])))", name)
        for q, name in ((0.5, "median"), (0.85, "85 %"), (0.95, "95 %"))), unit="s", description=description)


DASHBOARD = Dashboard(
    uid="contextcore-project", title="Project details", description="One project: progress, board, blockers, people, flow.",
    variables=(Variable("project", "Project", "task_count_by_status", "project_id"),),
    rows=(
        Row("Now", (
            Panel("Open", Kind.STAT, (PromQL(f"sum(task_count_by_status{{{P},{OPEN}}})", "open", True),), 4, 4),
            Panel("In progress", Kind.STAT, (PromQL(f"sum(task_wip{{{P}}})", "in progress", True),), 4, 4),
            Panel("Blocked", Kind.STAT, (PromQL(f"sum(task_blocked{{{P}}})", "blocked", True),), 4, 4,
                  thresholds=((1, "orange"), (5, "red"))),
            Panel("Overdue", Kind.STAT, (PromQL(f"sum(task_overdue{{{P}}})", "overdue", True),), 4, 4,
                  thresholds=((1, "orange"), (5, "red"))),
            Panel("Completed in this range", Kind.STAT,
                  (PromQL(f"sum(increase(task_completed_total{{{P}}}[$__range]))", "completed", True),), 4, 4),
            Panel("Points completed in this range", Kind.STAT,
                  (PromQL(f"sum(increase(task_story_points_completed_total{{{P}}}[$__range]))", "points", True),), 4, 4),
        )),
        Row("Progress", (
            Panel("Burndown: open tasks", Kind.SERIES,
                  (PromQL(f"sum(task_count_by_status{{{P},{OPEN}}})", "open"),
                   PromQL(f'sum(task_count_by_status{{{P},status="done"}})', "done")),
                  description="Tasks that are not ended, and those done, over time. Work written down later with an earlier "
                              "time is in it."),
            Panel("Sprints: planned and completed points", Kind.SERIES,
                  (PromQL(f"max by (sprint_id) (sprint_planned_points{{{P}}})", "{{sprint_id}} planned"),
                   PromQL(f"max by (sprint_id) (sprint_completed_points{{{P}}})", "{{sprint_id}} completed"))),
            Panel("Velocity: points completed in two weeks", Kind.SERIES,
                  (PromQL(f"sum(increase(task_story_points_completed_total{{{P}}}[14d]))", "points"),)),
            Panel("Work breakdown", Kind.TABLE,
                  (TraceQL(f'{{ {SPAN} && span.task.type = "epic" }} | select(span.task.id, span.task.title, span.task.status, '
                           "span.task.percent_complete, span.task.subtask_count, span.task.subtask_completed)"),),
                  columns=TASK_COLUMNS + (("task.status", "Status"), ("task.percent_complete", "Percent"),
                                          ("task.subtask_completed", "Done"), ("task.subtask_count", "Subtasks")),
                  links=TASK_TRACE),
        )),
        Row("Board", (
            board("To do", "todo"), board("In progress (board)", "in_progress"), board("In review", "in_review"),
            Panel("Blocked, with the reason", Kind.TABLE,
                  (TraceQL(f'{{ {SPAN} && span.task.status = "blocked" }} | select(span.task.id, span.task.title, '
                           "span.task.blocked_reason, span.task.blocked_by, span.task.assignee)"),),
                  columns=TASK_COLUMNS + (("task.blocked_reason", "Reason"), ("task.blocked_by", "By"),
                                          ("task.assignee", "Assignee")), links=TASK_TRACE),
        )),
        Row("Flow", (
            quantiles("Lead time", "task_lead_time_seconds", "From creation to the end, of what ended in the four weeks before."),
            quantiles("Cycle time", "task_cycle_time_seconds", "From the first start of work to the end."),
            Panel("Throughput: completed per week", Kind.SERIES,
                  (PromQL(f"sum by (task_type) (increase(task_completed_total{{{P}}}[7d]))", "{{task_type}}"),), stacked=True),
            Panel("Tasks by status", Kind.SERIES,
                  (PromQL(f"sum by (status) (task_count_by_status{{{P}}})", "{{status}}"),), stacked=True),
            Panel("Tasks by status now", Kind.PIE,
                  (PromQL(f"sum by (status) (task_count_by_status{{{P}}})", "{{status}}", True),), 8),
            Panel("Tasks by type now", Kind.PIE,
                  (PromQL(f"sum by (task_type) (task_count_by_type{{{P}}})", "{{task_type}}", True),), 8),
            Panel("Hours blocked, of blocks that ended in this range", Kind.STAT,
                  (LogQL(f"sum(sum_over_time({events(S, 'task.unblocked')} | unwrap blocked_duration_seconds [$__range]))",
                         "blocked", True),), 8, unit="s"),
        )),
        Row("People", (
            Panel("Workload: tasks taken up by each", Kind.BARS,
                  (LogQL(f"sum by (to_assignee) (count_over_time({events(S, 'task.assigned')} | to_assignee != `` "
                         "[$__range]))", "{{to_assignee}}", True),)),
            Panel("Open work by assignee", Kind.TABLE,
                  (TraceQL(f'{{ {SPAN} && span.task.assignee != nil && (span.task.status = "in_progress" || '
                           'span.task.status = "in_review" || span.task.status = "blocked") } | select(span.task.assignee, '
                           "span.task.id, span.task.title, span.task.status)"),),
                  columns=(TASK_COLUMNS[0], ("task.assignee", "Assignee")) + TASK_COLUMNS[1:] + (("task.status", "Status"),),
                  links=TASK_TRACE),
        )),
        Row("Timeline", (
            Panel("Sprints", Kind.TABLE,
                  (TraceQL(f'{{ {SPAN} && name = "contextcore.sprint" }} | select(span.sprint.id, span.sprint.name, '
                           "span.sprint.planned_points, span.sprint.completed_points)"),),
                  columns=(("traceIdHidden", "trace"), ("sprint.id", "Sprint"), ("sprint.name", "Name"), ("time", "Start"),
                           ("duration", "Duration"), ("sprint.planned_points", "Planned"),
                           ("sprint.completed_points", "Completed")), links=TASK_TRACE),
            Panel("Status changes per day", Kind.SERIES,
                  (LogQL(f"sum by (to_status) (count_over_time({events(S, 'task.status_changed')} [1d]))", "{{to_status}}"),),
                  stacked=True),
            Panel("Recent events", Kind.LOGS, (recent(S),), 24, 10),
        )),
    ))
