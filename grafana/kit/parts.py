"""Queries and columns that several dashboards share."""

from kit.model import LogQL

# Ended work, as a matcher on the label of a metric.
OPEN = 'status!~"done|failed|cancelled"'

TASK_COLUMNS = (("traceIdHidden", "trace"), ("task.id", "Task"), ("task.title", "Title"))
TRACE = "/explore?left={\"datasource\":\"${tempo}\",\"queries\":[{\"refId\":\"A\",\"queryType\":\"traceql\"," \
        "\"query\":\"${__value.raw}\"}]}"
TASK_TRACE = (("traceIdHidden", "Open the task's trace", TRACE),)



def events(selector: str, name: str) -> str:
    """The log lines of one event."""
    return f'{{{selector}}} | json | event="{name}"'


def recent(selector: str) -> LogQL:
    """One readable line per event, newest first."""
    return LogQL(f'{{{selector}}} | json | line_format '
                 '`{{.event}} {{.task_id}} {{.task_title}} {{if .to_status}}{{.from_status}} to {{.to_status}} {{end}}'
                 '{{if .reason}}({{.reason}}) {{end}}{{if .actor}}by {{.actor}}{{end}}`')
