"""Work that happened before it was recorded: imports, migrations, generated histories."""

from __future__ import annotations

import json
from datetime import date, datetime
from typing import Any, Iterable, Mapping, Union

from .errors import InvalidArgumentError
from .tracker import Task, TaskTracker

Time = Union[datetime, date, str, float, int]

# Which event names add_event_at takes, the operation that writes each, and where its arguments stand in the event.
_EVENTS = {
    "task.commented": ("task.comment", {"author": "author", "text": "text"}),
    "task.progress_updated": ("task.progress", {"percent_complete": "percent"}),
    "task.assigned": ("task.assign", {"to_assignee": "assignee"}),
    "task.cancelled": ("task.cancel", {"reason": "reason"}),
    "task.failed": ("task.fail", {"reason": "reason", "error_type": "error_type"}),
}


class HistoricalTaskTracker(TaskTracker):
    """A tracker whose calls name the time at which things happened.

    >>> tracker = HistoricalTaskTracker(project="my-project")
    >>> tracker.start_task_at("PROJ-1", "Implement auth", datetime(2026, 3, 2, 9))
    >>> tracker.update_status_at("PROJ-1", "in_progress", datetime(2026, 3, 2, 10))
    >>> tracker.complete_task_at("PROJ-1", datetime(2026, 3, 3, 15))

    Times are datetimes (naive ones are UTC), RFC 3339 strings or Unix seconds. Per task they never decrease: an earlier
    time than that of the task's last event is a ``FailedPreconditionError`` that names the last event. What is written is
    what :class:`TaskTracker` writes; when it arrived is kept apart from when it happened.
    """

    def __init__(self, project: "str | None" = None, **options):
        super().__init__(project, **options)
        self._touched: "dict[str, str]" = {}  # task id -> trace id

    def start_task_at(self, task_id: str, title: str, start_time: Time, task_type: str = "task", status: str = "todo",
                      priority: "str | None" = None, assignee: "str | None" = None,
                      story_points: "int | None" = None, labels: "Iterable[str] | None" = None,
                      parent_id: "str | None" = None, depends_on: "Iterable[str] | None" = None,
                      sprint_id: "str | None" = None, **extra_attributes) -> Task:
        return self._keep(self.start_task(
            task_id, title, task_type, status, priority=priority, assignee=assignee, story_points=story_points,
            labels=labels, parent_id=parent_id, depends_on=depends_on, sprint_id=sprint_id,
            at=_given(start_time, "start_time"), **extra_attributes))

    def update_status_at(self, task_id: str, new_status: str, timestamp: Time, *, reason: "str | None" = None) -> Task:
        return self._keep(self.update_status(task_id, new_status, reason=reason, at=_given(timestamp)))

    def block_task_at(self, task_id: str, reason: str, timestamp: Time,
                      blocked_by: "str | Iterable[str] | None" = None) -> Task:
        return self._keep(self.block_task(task_id, reason, blocked_by, at=_given(timestamp)))

    def unblock_task_at(self, task_id: str, timestamp: Time, new_status: str = "in_progress",
                        resolution: "str | None" = None) -> Task:
        return self._keep(self.unblock_task(task_id, new_status, resolution, at=_given(timestamp)))

    def complete_task_at(self, task_id: str, end_time: Time, outcome: "str | None" = None) -> Task:
        return self._keep(self.complete_task(task_id, outcome, at=_given(end_time, "end_time")))

    def fail_task_at(self, task_id: str, end_time: Time, reason: "str | None" = None,
                     error_type: "str | None" = None) -> Task:
        return self._keep(self.fail_task(task_id, reason, error_type, at=_given(end_time, "end_time")))

    def cancel_task_at(self, task_id: str, end_time: Time, reason: "str | None" = None) -> Task:
        return self._keep(self.cancel_task(task_id, reason, at=_given(end_time, "end_time")))

    def add_comment_at(self, task_id: str, author: str, text: str, timestamp: Time) -> Task:
        return self._keep(self.add_comment(task_id, author, text, at=_given(timestamp)))

    def assign_task_at(self, task_id: str, assignee: "str | None", timestamp: Time) -> Task:
        return self._keep(self.assign_task(task_id, assignee, at=_given(timestamp)))

    def set_progress_at(self, task_id: str, percent: int, timestamp: Time) -> Task:
        return self._keep(self.set_progress(task_id, percent, at=_given(timestamp)))

    def depend_at(self, task_id: str, on: str, timestamp: Time, when: "str | None" = None) -> Task:
        return self._keep(self.depend(task_id, on, when, at=_given(timestamp)))

    def add_event_at(self, task_id: str, event_name: str, timestamp: Time,
                     attributes: "Mapping[str, Any] | None" = None) -> Task:
        """Writes one of the tracker's own events by its name. Events are the task's truth, so only those exist that a
        call would write; for status changes use the methods above."""
        if event_name not in _EVENTS:
            raise InvalidArgumentError(f"add_event_at does not write {event_name!r} events",
                                       "known: " + ", ".join(sorted(_EVENTS)) + "; for others use update_status_at, "
                                       "block_task_at, unblock_task_at or complete_task_at")
        op, fields = _EVENTS[event_name]
        attributes = dict(attributes or {})
        unknown = sorted(set(attributes) - set(fields))
        if unknown:
            raise InvalidArgumentError(f"{event_name} has no field {', '.join(unknown)}",
                                       "known: " + ", ".join(sorted(fields)))
        args = {fields[name]: value for name, value in attributes.items()}
        return self._keep(self._change(op, task_id, _given(timestamp), **args))

    def get_collected_spans(self) -> "list[dict]":
        """The spans of the tasks that this tracker has written, as the store has them (OTLP JSON)."""
        wanted = set(self._touched)
        found = []
        for trace_id in dict.fromkeys(self._touched.values()):
            for resource in (self._connection.trace(trace_id) or {}).get("resourceSpans", []):
                for scope in resource.get("scopeSpans", []):
                    for span in scope.get("spans", []):
                        if _attribute(span, "task.id") in wanted:
                            found.append(span)
        return found

    def get_collected_logs(self) -> "list[dict]":
        """The log lines of the tasks that this tracker has written, oldest first."""
        project = self.project.replace("\\", "\\\\").replace('"', '\\"')
        answer = self._connection.logs('{project_id="' + project + '"} | json', limit=10_000_000, backward=False)
        lines = [json.loads(line["line"]) for line in answer.get("lines", [])]
        return [line for line in lines if line.get("task_id") in self._touched]

    def flush(self) -> None:
        """Nothing is buffered: every call was durable when it returned."""

    def _keep(self, task: Task) -> Task:
        self._touched[task.id] = task.trace_id
        return task


def _given(time: "Time | None", name: str = "timestamp") -> Time:
    if time is None:
        raise InvalidArgumentError(f"{name} is None", "a HistoricalTaskTracker needs every time; TaskTracker takes now")
    return time


def _attribute(span: Mapping[str, Any], key: str) -> "str | None":
    for attribute in span.get("attributes", []):
        if attribute.get("key") == key:
            return attribute.get("value", {}).get("stringValue")
    return None
