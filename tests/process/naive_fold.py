"""A second, independent fold: tasks from log lines alone, written without looking at the C++ one.

Reads what LogQL returns and rebuilds the fields of each task that a reader of docs/semantic-conventions.md would expect.
"""

import json

ENDED = {"done", "failed", "cancelled"}
# What changes an ended task; everything else after the end lives in the log only.
SECOND_LIFE = {"task.reopened", "task.deleted", "task.undeleted", "task.undone"}
TEXT_FIELDS = {"title": "title", "type": "type", "priority": "priority", "due": "due_date", "defer": "defer_until",
               "sprint": "sprint_id", "url": "url", "description": "description", "parent": "parent_id"}
NUMBER_FIELDS = {"points": "story_points", "estimate": "estimate_minutes"}
LIST_FIELDS = {"labels", "acceptance_criteria"}


def edit(task, line):
    """task.edited: one field, "to" absent when it was emptied."""
    field, to = line["field"], line.get("to")
    if field in TEXT_FIELDS:
        task[TEXT_FIELDS[field]] = to
    elif field in NUMBER_FIELDS:
        task[NUMBER_FIELDS[field]] = int(to) if to else None
    elif field in LIST_FIELDS:
        task[field] = json.loads(to) if to else None
    elif field == "deliverables":
        task["deliverables"] = [json.loads(one) for one in json.loads(to)] if to else None
        task["deliverables_verified"] = None
    else:
        assert field.startswith("attributes."), line
        if to:
            task["attributes"][field.removeprefix("attributes.")] = json.loads(to)
        else:
            task["attributes"].pop(field.removeprefix("attributes."), None)


def is_frozen(task, event):
    return task["base_status"] in ENDED and event not in SECOND_LIFE and not task["reopening"]


def fold(entries):
    """entries: (labels, line fields) in order of time. Returns (project, task id) → fields."""
    tasks = {}
    ordered = sorted(enumerate(entries), key=lambda item: (
        item[1][0].get("project_id", ""), item[1][1].get("task_id", ""), int(item[1][0].get("revision", 0)),
        int(item[1][0].get("event_seq", 0)), item[0]))
    for _, (labels, line) in ordered:
        event = line["event"]
        if not event.startswith(("task.", "subtask.")) and event != "commit.linked":
            continue
        key = labels["project_id"], line["task_id"]
        if event in ("task.created", "task.imported"):
            tasks[key] = {"id": line["task_id"], "project": labels["project_id"], "title": line.get("task_title"),
                          "type": line["task_type"], "status": line["status"], "span_id": labels["span_id"],
                          "trace_id": labels["trace_id"], "blocked_reason": None, "outcome": None, "claimed_by": None,
                          "base_status": line.get("base_status", line["status"]), "reopening": False,
                          "deleted": False, "deliverables_verified": None,
                          "attributes": json.loads(line.get("attrs_json", "{}")), "events": 0}
            for field in ("priority", "assignee", "parent_id", "description", "story_points", "estimate_minutes",
                          "due_date", "defer_until", "sprint_id", "url"):
                tasks[key][field] = line.get(field)
            for field in LIST_FIELDS:
                tasks[key][field] = json.loads(line[field]) if field in line else None
            tasks[key]["deliverables"] = ([json.loads(one) for one in json.loads(line["deliverables"])]
                                          if "deliverables" in line else None)
        task = tasks[key]
        task["events"] += 1
        if is_frozen(task, event):
            continue
        task["revision"] = max(task.get("revision", 0), int(labels["revision"]))
        task["trace_id"] = labels["trace_id"]
        if event == "task.status_changed":
            assert task["status"] == line["from_status"], (key, task["status"], line)
            task["status"] = line["to_status"]
            task["base_status"] = line.get("base_status", line["to_status"])
            task["reopening"] = False
            if task["base_status"] != "blocked":
                task["blocked_reason"] = None
        elif event == "task.reopened":
            task["reopening"], task["outcome"] = True, None
        elif event == "task.deleted":
            task["deleted"] = True
        elif event == "task.undeleted":
            task["deleted"] = False
        elif event == "task.edited":
            edit(task, line)
        elif event == "task.deliverables_verified":
            task["deliverables_verified"] = line["verified_count"]
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
            "blocked_reason", "outcome", "revision", "story_points", "estimate_minutes", "due_date", "defer_until",
            "sprint_id", "url", "acceptance_criteria", "deliverables", "deliverables_verified", "deleted",
            "attributes")


def differences(folded, shown):
    """Lines that say where a folded task and `task show --json` disagree."""
    out = []
    for field in COMPARED:
        expected, actual = folded.get(field), shown.get(field)
        if (expected or None) != (actual or None):
            out.append(f"{folded['id']}: {field}: the log says {expected!r}, the span says {actual!r}")
    return out
