"""Tasks as OpenTelemetry spans."""

from __future__ import annotations

import traceback
import warnings
from dataclasses import dataclass, field
from typing import Any, Iterable, Mapping, Optional

from ._connection import Connection, time_text
from .errors import InvalidArgumentError, NotFoundError, TaskEndedWarning


@dataclass(frozen=True)
class Task:
    """A task as it is after a call. ``changed`` tells whether the call changed something."""

    id: str
    project: str
    title: str
    type: str
    status: str
    trace_id: str
    span_id: str
    revision: int
    percent_complete: int = 0
    changed: bool = False
    ended: bool = False
    claim_token: Optional[int] = None
    fields: Mapping[str, Any] = field(default_factory=dict, repr=False, compare=False)


@dataclass(frozen=True)
class TaskLink:
    """What a runtime span needs to link to a task: ids, and attributes for the link."""

    trace_id: str
    span_id: str
    attributes: Mapping[str, str]


def _task(answer: Mapping[str, Any]) -> Task:
    fields = answer.get("task") or answer
    status = fields.get("status", "")
    return Task(
        id=fields.get("id", ""), project=fields.get("project", ""), title=fields.get("title", ""),
        type=fields.get("type", ""), status=status, trace_id=fields.get("trace_id", ""),
        span_id=fields.get("span_id", ""), revision=int(fields.get("revision", 0)),
        percent_complete=int(fields.get("percent_complete", 0)), changed=bool(answer.get("changed", False)),
        ended=status in ("done", "failed", "cancelled"), claim_token=(fields.get("claim") or {}).get("token"),
        fields=fields)


class TaskTracker:
    """Creates and changes tasks of one project.

    Every call is one durable transaction: the task's span and its log events are written together, into the
    embedded store or through the server that runs for it. Another process sees it at once.

    ``store``, ``server``, ``agent`` and ``session`` default to ``CONTEXTCORE_STORE``, ``CONTEXTCORE_SERVER``,
    ``CONTEXTCORE_AGENT``, ``CONTEXTCORE_SESSION`` and the nearest ``.contextcore.toml``. With ``strict=True`` a status
    update of an ended task raises ``FailedPreconditionError`` instead of warning.
    """

    def __init__(self, project: "str | None" = None, *, store=None, server: "str | None" = None,
                 agent: "str | None" = None, session: "str | None" = None, strict: bool = False):
        self._connection = Connection(project, store, server, agent, session)
        if not self._connection.project:
            raise InvalidArgumentError("no project", "give project=…, set CONTEXTCORE_PROJECT, or run `contextcore init`")
        self._strict = strict

    @property
    def project(self) -> str:
        return self._connection.project

    @property
    def session(self) -> str:
        return self._connection.session

    # -- life of a task ----------------------------------------------------------------------------

    def start_task(self, task_id: str, title: str, task_type: str = "task", status: "str | None" = None,
                   priority: "str | None" = None, assignee: "str | None" = None, story_points: "int | None" = None,
                   labels: "Iterable[str] | None" = None, parent_id: "str | None" = None,
                   depends_on: "Iterable[str] | None" = None, url: "str | None" = None, due_date=None,
                   sprint_id: "str | None" = None, description: "str | None" = None, at=None, **attributes) -> Task:
        """Creates the task (in ``todo``) and its span. An id that exists with this title is returned unchanged
        (``changed`` is False); with another title it is an ``AlreadyExistsError``. Further keyword arguments are kept as
        attributes of the span; write dots as in ``**{"artifact.type": "doc"}``."""
        args = {"id": task_id, "title": title, "type": task_type, "status": status, "priority": priority,
                "assignee": assignee, "story_points": story_points, "labels": _list(labels), "parent_id": parent_id,
                "depends_on": _list(depends_on), "url": url, "due_date": time_text(due_date), "sprint_id": sprint_id,
                "description": description, "attributes": attributes or None, "if_absent": True}
        return _task(self._connection.command("task.create", args, at=at))

    def update_status(self, task_id: str, new_status: str, *, reason: "str | None" = None,
                      token: "int | None" = None, at=None) -> Task:
        """Sets the status; ``done``, ``failed`` and ``cancelled`` end the span. On an ended task nothing is written:
        ``changed`` is False, ``ended`` True, and a ``TaskEndedWarning`` is given."""
        args = {"id": task_id, "status": new_status, "reason": reason, "token": token}
        if not self._strict:
            args["lenient"] = True
        task = _task(self._connection.command("task.status", args, at=at))
        if task.ended and not task.changed and task.status != new_status:
            warnings.warn(f"task {task_id} has ended ({task.status}); its status stays", TaskEndedWarning, stacklevel=2)
        return task

    def block_task(self, task_id: str, reason: str, blocked_by: "str | Iterable[str] | None" = None, *,
                   token: "int | None" = None, at=None) -> Task:
        by = [blocked_by] if isinstance(blocked_by, str) else _list(blocked_by)
        return self._change("task.block", task_id, at, reason=reason, by=by, token=token)

    def unblock_task(self, task_id: str, new_status: "str | None" = None, resolution: "str | None" = None, at=None) -> Task:
        """Ends a block; without ``new_status`` the task returns to the status it had."""
        return self._change("task.unblock", task_id, at, status=new_status, resolution=resolution)

    def complete_task(self, task_id: str, outcome: "str | None" = None, *, token: "int | None" = None, at=None) -> Task:
        """Ends the span with OK. A task that is done already is returned unchanged."""
        return self._change("task.complete", task_id, at, outcome=outcome, token=token,
                            lenient=None if self._strict else True)

    def fail_task(self, task_id: str, reason: "str | None" = None, error_type: "str | None" = None, *,
                  token: "int | None" = None, at=None) -> Task:
        return self._change("task.fail", task_id, at, reason=reason, error_type=error_type, token=token)

    def cancel_task(self, task_id: str, reason: "str | None" = None, at=None) -> Task:
        return self._change("task.cancel", task_id, at, reason=reason)

    def add_comment(self, task_id: str, author: str, text: str, at=None) -> Task:
        return self._change("task.comment", task_id, at, author=author, text=text)

    def assign_task(self, task_id: str, assignee: "str | None", at=None) -> Task:
        return self._change("task.assign", task_id, at, assignee=assignee or "")

    def set_progress(self, task_id: str, percent: int, at=None) -> Task:
        return self._change("task.progress", task_id, at, percent=int(percent))

    def depend(self, task_id: str, on: str, when: "str | None" = None, at=None) -> Task:
        return self._change("task.depend", task_id, at, on=on, when=when)

    def edit_task(self, task_id: str, at=None, **fields) -> Task:
        """Changes fields (``title=``, ``story_points=``, ``add_labels=[...]`` ...); None empties one."""
        return _task(self._connection.command("task.edit", {"id": task_id, **fields}, at=at, keep_none=True))

    def move_task(self, task_id: str, parent: "str | None", at=None) -> Task:
        """Puts a task, with all that is below it, under another parent; None makes it a root."""
        return self._change("task.parent", task_id, at, parent_id=parent or "")

    def reopen_task(self, task_id: str, to_status: "str | None" = None, reason: "str | None" = None, at=None) -> Task:
        return self._change("task.reopen", task_id, at, to_status=to_status, reason=reason)

    def delete_task(self, task_id: str, reason: "str | None" = None, subtree: bool = False, at=None) -> Task:
        """Leaves a task out of every answer from here on; ``undelete_task`` brings it back."""
        return self._change("task.delete", task_id, at, reason=reason, subtree=subtree or None)

    def undelete_task(self, task_id: str, subtree: bool = False, at=None) -> Task:
        return self._change("task.undelete", task_id, at, subtree=subtree or None)

    def undo(self, task_id: str) -> Task:
        """Takes one's own last change of a task back."""
        return self._change("task.undo", task_id, None)

    def link_task(self, task_id: str, link_type: str, target: str, target_project: "str | None" = None, at=None) -> Task:
        return self._change("task.link", task_id, at, type=link_type, target_task_id=target,
                            target_project_id=target_project)

    def unlink_task(self, task_id: str, link_type: str, target: str, target_project: "str | None" = None,
                    at=None) -> Task:
        return self._change("task.unlink", task_id, at, type=link_type, target_task_id=target,
                            target_project_id=target_project)

    def record_task_exception(self, task_id: str, error: BaseException, at=None) -> Task:
        stack = "".join(traceback.format_exception(type(error), error, error.__traceback__))
        return self._change("task.exception", task_id, at, type=type(error).__name__, message=str(error),
                            stacktrace=stack)

    def verify_deliverables(self, task_id: str, results: "Mapping[str, bool]", at=None) -> Task:
        """Says of each deliverable, by its path, whether it is good."""
        found = [{"path": path, "verified": bool(good)} for path, good in results.items()]
        return self._change("task.verify", task_id, at, results=found)

    def link_commit(self, task_id: str, commit: str, repository: "str | None" = None, author: "str | None" = None,
                    message: "str | None" = None, at=None) -> Task:
        return self._change("task.commit", task_id, at, commit=commit, repository=repository, author=author,
                            message=message)

    # -- claims ------------------------------------------------------------------------------------

    def claim_task(self, task_id: str, lease_seconds: "int | None" = None, steal: bool = False) -> Task:
        """Takes a task; exactly one of many racers gets it. Keep ``claim_token`` for what follows."""
        return self._change("task.claim", task_id, None, lease_seconds=lease_seconds, steal=steal or None)

    def claim_ready(self, lease_seconds: "int | None" = None, **filters) -> "Task | None":
        """Claims the most urgent task that is ready, or returns None."""
        answer = self._connection.command("task.claim_ready", {"lease_seconds": lease_seconds, **filters})
        return _task(answer) if answer.get("task") else None

    def heartbeat(self, task_id: str, token: "int | None" = None, lease_seconds: "int | None" = None) -> Task:
        return self._change("task.heartbeat", task_id, None, token=token, lease_seconds=lease_seconds)

    def release_task(self, task_id: str, token: "int | None" = None, reason: "str | None" = None) -> Task:
        return self._change("task.release", task_id, None, token=token, reason=reason)

    # -- questions ---------------------------------------------------------------------------------

    def get_task(self, task_id: str) -> Task:
        return _task(self._connection.question("task.get", {"id": task_id}))

    def get_progress(self, task_id: str) -> "int | None":
        """Percent complete, or None for an unknown task."""
        try:
            return self.get_task(task_id).percent_complete
        except NotFoundError:
            return None

    def get_task_link(self, task_id: str) -> "TaskLink | None":
        """For a span link from runtime telemetry to the task, or None for an unknown task."""
        try:
            task = self.get_task(task_id)
        except NotFoundError:
            return None
        return TaskLink(task.trace_id, task.span_id,
                        {"type": "implements_task", "link.type": "implements_task", "task.id": task.id,
                         "project.id": task.project})

    def get_active_tasks(self) -> "list[str]":
        """Ids of the tasks of this project that have not ended."""
        answer = self._connection.question("task.list", {"open": True, "limit": 1_000_000})
        return [item["id"] for item in answer["items"]]

    def ready(self, limit: int = 10, **filters) -> "list[Task]":
        answer = self._connection.question("task.ready", {"limit": limit, **filters})
        return [_task(item) for item in answer["items"]]

    def query(self, traceql: str, limit: int = 20) -> list:
        """Spans that match a TraceQL query, grouped by trace."""
        return self._connection.search(traceql, limit=limit)

    def logs(self, logql: str, limit: int = 100) -> dict:
        """What a LogQL query finds."""
        return self._connection.logs(logql, limit=limit)

    # -- as context manager ------------------------------------------------------------------------

    def shutdown(self) -> None:
        """Nothing is buffered: every call was durable when it returned."""

    def __enter__(self) -> "TaskTracker":
        return self

    def __exit__(self, *_) -> None:
        self.shutdown()

    def _change(self, op: str, task_id: str, at, **args) -> Task:
        return _task(self._connection.command(op, {"id": task_id, **args}, at=at))


def _list(values: "Iterable[str] | None") -> "list[str] | None":
    if values is None:
        return None
    if isinstance(values, str):
        return [values]
    return list(values)
