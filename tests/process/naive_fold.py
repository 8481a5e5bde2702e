"""A second, independent fold: tasks from log lines alone, written without looking at the C++ one.

Reads what LogQL returns and rebuilds the fields of each task that a reader of docs/semantic-conventions.md would expect.
"""

import json

ENDED = {"done", "failed", "cancelled"}


def fold(entries):
    """entries: (labels, line fields) in order of time. Returns (project, task id) → fields."""
    tasks = {}
    ordered = sorted(enumerate(entries), key=lambda item: (
        item[1][0].get("project_id", ""), item[1][1].get("task_id", ""), int(item[1][0].get("revision", 0)),
        int(item[1][0].get("event_seq", 0)), item[0]))
    for _, (labels, line) in ordered:
        event = line["event"]
        if not event.startswith(("task.", "subtask.")):
            continue
        key = labels["project_id"], line["task_id"]
        if event == "task.created":
            tasks[key] = {"id": line["task_id"], "project": labels["project_id"], "title": line.get("task_title"),
                          "type": line["task_type"], "status": line["status"], "span_id": labels["span_id"],
                          "trace_id": labels["trace_id"], "blocked_reason": None, "outcome": None, "claimed_by": None,
                          "events": 0}
            for field in ("priority", "assignee", "parent_id", "description"):
                tasks[key][field] = line.get(field)
            tasks[key]["labels"] = json.loads(line["labels"]) if "labels" in line else None
        task = tasks[key]
        task["events"] += 1
        if task["status"] not in ENDED or event == "task.reopened":
            task["revision"] = max(task.get("revision", 0), int(labels["revision"]))
        if event == "task.status_changed":
            assert task["status"] == line["from_status"], (key, task["status"], line)
            task["status"] = line["to_status"]
            if line["to_status"] != "blocked":
                task["blocked_reason"] = None
        elif event == "task.blocked":
            task["blocked_reason"] = line.get("reason")
        elif event == "task.completed":
            task["outcome"] = line.get("outcome")
        elif event == "task.assigned":
            task["assignee"] = line.get("to_assignee")
        elif event == "task.claimed":
            task["claimed_by"] = line["claimed_by"]
        elif event == "task.released":
            task["claimed_by"] = None
    return tasks


COMPARED = ("title", "type", "status", "span_id", "priority", "assignee", "parent_id", "description", "labels",
            "blocked_reason", "outcome", "revision")


def differences(folded, shown):
    """Lines that say where a folded task and `task show --json` disagree."""
    out = []
    for field in COMPARED:
        expected, actual = folded.get(field), shown.get(field)
        if (expected or None) != (actual or None):
            out.append(f"{folded['id']}: {field}: the log says {expected!r}, the span says {actual!r}")
    return out
