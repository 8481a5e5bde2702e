"""What agents decided, learnt and asked."""

from kit.model import Dashboard, Kind, LogQL, Panel, PromQL, Row, TraceQL, Variable
from kit.parts import TASK_COLUMNS, TASK_TRACE, events

S = 'service="contextcore", project_id=~"$project"'
SPAN = 'span.project.id =~ "$project"'
COLUMNS = (TASK_COLUMNS[0], ("time", "When"), ("project.id", "Project"), ("agent.id", "Agent"), ("insight.summary", "Summary"),
           ("insight.confidence", "Confidence"))
SELECT = "select(span.project.id, span.agent.id, span.insight.summary, span.insight.confidence)"


def insights(title: str, kind: str) -> Panel:
    return Panel(title, Kind.TABLE, (TraceQL(f'{{ {SPAN} && span.insight.type = "{kind}" }} | {SELECT}'),),
                 columns=COLUMNS, links=TASK_TRACE)


DASHBOARD = Dashboard(
    uid="contextcore-agents", title="Agent insights", description="What agents decided, learnt and asked.",
    variables=(Variable("project", "Project", "task_count_by_status", "project_id", all=True),),
    rows=(
        Row("Counts", (
            Panel("Insights", Kind.STAT, (PromQL('sum(insight_total{project_id=~"$project"})', "insights", True),), 6, 4),
            Panel("Decisions in this range", Kind.STAT,
                  (PromQL('sum(increase(insight_total{project_id=~"$project",insight_type="decision"}[$__range]))',
                          "decisions", True),), 6, 4),
            Panel("Claims in this range", Kind.STAT,
                  (LogQL(f"sum(count_over_time({events(S, 'task.claimed')} [$__range]))", "claims", True),), 6, 4),
            Panel("Leases that ran out in this range", Kind.STAT,
                  (LogQL(f"sum(count_over_time({events(S, 'task.released')} | reason=`lease_expired` [$__range]))",
                         "leases", True),), 6, 4, thresholds=((1, "orange"),)),
            Panel("Insights per week by type", Kind.SERIES,
                  (PromQL('sum by (insight_type) (increase(insight_total{project_id=~"$project"}[7d]))', "{{insight_type}}"),),
                  stacked=True),
            Panel("Changes per day by kind of actor", Kind.SERIES,
                  (LogQL(f"sum by (actor_type) (count_over_time({{{S}}} | json [1d]))", "{{actor_type}}"),), stacked=True),
        )),
        Row("What they know", (
            insights("Decisions", "decision"), insights("Lessons", "lesson"), insights("Blockers", "blocker"),
            insights("Questions", "question"),
            Panel("Decisions with little confidence", Kind.TABLE,
                  (TraceQL(f'{{ {SPAN} && span.insight.type = "decision" && span.insight.confidence < 0.7 }} | {SELECT}'),),
                  columns=COLUMNS, links=TASK_TRACE),
            Panel("Work held by agents", Kind.TABLE,
                  (TraceQL(f'{{ {SPAN} && span.task.claimed_by != nil }} | select(span.project.id, span.task.id, '
                           "span.task.title, span.task.claimed_by)"),),
                  columns=TASK_COLUMNS[:1] + (("project.id", "Project"),) + TASK_COLUMNS[1:] + (("task.claimed_by", "Held by"),),
                  links=TASK_TRACE),
        )),
        Row("Log", (
            Panel("Insights as they came", Kind.LOGS,
                  (LogQL(f'{{{S}}} | json | event=~"insight.+" | line_format '
                         "`{{.event}} {{.insight_type}} by {{.agent_id}}: {{.summary}}`"),), 24, 10),
        )),
    ))
