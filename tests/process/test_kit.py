"""The Grafana kit: dashboards are what their source says, every query of every panel runs on demo data of two seeds, and
its number equals a count over the exported events that knows nothing of our engines."""

import collections
import datetime
import json
import os
import subprocess
import sys
import urllib.parse

from harness import ROOT, ProcessTest

UNTIL = "2026-10-01T12:00:00Z"
RANGE_DAYS = 90
ENDED = ("done", "failed", "cancelled")


def seconds(text):
    return datetime.datetime.fromisoformat(text.replace("Z", "+00:00")).timestamp()


class Facts:
    """What the events say, counted in plain Python."""

    def __init__(self, lines, until):
        self.until, self.begin = until, until - RANGE_DAYS * 86400
        self.tasks = {}  # (project, id) -> fields
        self.completed, self.unblocked, self.insights = [], [], []
        self.events = collections.Counter()
        for at, project, line in lines:
            event = line["event"]
            inside = self.begin < at <= self.until
            self.events[project] += inside
            if event.startswith("insight."):
                if event == "insight.emitted":
                    self.insights.append((at, project, line))
                continue
            if "task_id" not in line:
                continue
            key = (project, line["task_id"])
            if event in ("task.created", "task.imported"):
                self.tasks[key] = {"status": line["status"], "type": line["task_type"], "priority": line.get("priority"),
                                   "assignee": line.get("assignee"), "due": line.get("due_date"), "deleted": False}
            task = self.tasks[key]
            if event == "task.status_changed":
                task["status"] = line["to_status"]
            elif event == "task.assigned":
                task["assignee"] = line.get("to_assignee")
            elif event == "task.edited" and line["field"] in ("type", "priority", "due_date"):
                task[{"due_date": "due"}.get(line["field"], line["field"])] = line.get("to")
            elif event in ("task.deleted", "task.undeleted"):
                task["deleted"] = event == "task.deleted"
            elif event == "task.completed":
                self.completed.append((at, project, line))
            elif event == "task.unblocked":
                self.unblocked.append((at, project, line))

    def living(self, project):
        return [t for (p, _), t in self.tasks.items() if project in (p, None) and not t["deleted"]]

    def count(self, project, **fields):
        return sum(all(t[k] == v for k, v in fields.items()) for t in self.living(project))

    def open(self, project):
        return sum(t["status"] not in ENDED for t in self.living(project))

    def within(self, rows, project):
        return [line for at, p, line in rows if project in (p, None) and self.begin < at <= self.until]


# (dashboard, panel) -> the number that it shows, for a project or for all (None).
NUMBERS = {
    ("portfolio", "Open tasks"): lambda f, p: f.open(None),
    ("portfolio", "In progress"): lambda f, p: f.count(None, status="in_progress") + f.count(None, status="in_review"),
    ("portfolio", "Blocked"): lambda f, p: f.count(None, status="blocked"),
    ("portfolio", "Overdue"): lambda f, p: sum(
        t["status"] not in ENDED and bool(t["due"]) and seconds(t["due"]) < f.until for t in f.living(None)),
    ("portfolio", "Completed in this range"): lambda f, p: len(f.within(f.completed, None)),
    ("portfolio", "Projects"): lambda f, p: len({project for project, _ in f.tasks}),
    ("portfolio", "Blocked now"): lambda f, p: f.count(None, status="blocked"),
    ("portfolio", "Epics in progress"): lambda f, p: f.count(None, status="in_progress", type="epic"),
    ("portfolio", "Urgent and not started"): lambda f, p: (
        f.count(None, status="todo", priority="critical") + f.count(None, status="backlog", priority="critical")),
    ("project", "Open"): lambda f, p: f.open(p),
    ("project", "In progress"): lambda f, p: f.count(p, status="in_progress") + f.count(p, status="in_review"),
    ("project", "Blocked"): lambda f, p: f.count(p, status="blocked"),
    ("project", "Overdue"): lambda f, p: sum(
        t["status"] not in ENDED and bool(t["due"]) and seconds(t["due"]) < f.until for t in f.living(p)),
    ("project", "Completed in this range"): lambda f, p: len(f.within(f.completed, p)),
    ("project", "Points completed in this range"): lambda f, p: sum(
        line.get("story_points", 0) for line in f.within(f.completed, p)),
    ("project", "To do"): lambda f, p: f.count(p, status="todo"),
    ("project", "In progress (board)"): lambda f, p: f.count(p, status="in_progress"),
    ("project", "In review"): lambda f, p: f.count(p, status="in_review"),
    ("project", "Blocked, with the reason"): lambda f, p: f.count(p, status="blocked"),
    ("project", "Work breakdown"): lambda f, p: f.count(p, type="epic"),
    ("project", "Tasks by status now"): lambda f, p: len(f.living(p)),
    ("project", "Tasks by type now"): lambda f, p: len(f.living(p)),
    ("project", "Hours blocked, of blocks that ended in this range"): lambda f, p: sum(
        line["blocked_duration_seconds"] for line in f.within(f.unblocked, p)),
    ("project", "Open work by assignee"): lambda f, p: sum(
        bool(t["assignee"]) and t["status"] in ("in_progress", "in_review", "blocked") for t in f.living(p)),
    ("agents", "Insights"): lambda f, p: sum(p in (q, None) for _, q, _ in f.insights),
    ("agents", "Decisions in this range"): lambda f, p: sum(
        line["insight_type"] == "decision" for line in f.within(f.insights, p)),
    ("agents", "Decisions"): lambda f, p: sum(
        p in (q, None) and line["insight_type"] == "decision" for _, q, line in f.insights),
    ("agents", "Lessons"): lambda f, p: sum(
        p in (q, None) and line["insight_type"] == "lesson" for _, q, line in f.insights),
}


class Kit(ProcessTest):
    def test_dashboards_are_what_their_source_says(self):
        done = subprocess.run([sys.executable, str(ROOT / "grafana/build.py"), "--check"], capture_output=True, text=True)
        self.assertEqual(done.returncode, 0, done.stderr)

    def test_every_query_answers_and_counts_right(self):
        queries = json.loads(subprocess.run([sys.executable, str(ROOT / "grafana/build.py"), "--queries"],
                                            capture_output=True, check=True).stdout)
        self.assertLessEqual({panel for _, panel in NUMBERS}, {row["panel"] for row in queries})
        for seed in (3, 11):
            self.store = os.path.join(self.folder, f"demo-{seed}")
            self.cc("demo", "--tasks", "240", "--projects", "2", "--seed", seed, "--until", UNTIL, "--store", self.store)
            self.environment["CONTEXTCORE_STORE"] = self.store
            facts = self.facts()
            project = sorted({project for project, _ in facts.tasks})[0]
            with self.server() as server:
                for row in queries:
                    with self.subTest(seed=seed, dashboard=row["dashboard"], panel=row["panel"], query=row["query"]):
                        number = self.ask(server, row, project)
                        expected = NUMBERS.get((row["dashboard"], row["panel"]))
                        if expected:
                            wanted = expected(facts, project)
                            # increase() extends what the samples show to the whole range: a minute in 90 days.
                            self.assertAlmostEqual(number, wanted, delta=max(1e-6, 1e-5 * wanted))

    def facts(self):
        lines = []
        for entry in self.ccj("logs", '{service="contextcore"}', "--forward", "--limit", "1000000").lines:
            labels = entry["labels"]
            lines.append((seconds(entry["time"]), int(labels["revision"]), int(labels["event_seq"]), labels["project_id"],
                          json.loads(entry["line"])))
        lines.sort(key=lambda line: line[:3])  # lines of one time stand in no order of their own
        return Facts([(at, project, line) for at, _, _, project, line in lines], seconds(UNTIL))

    def ask(self, server, row, project):
        """The number that the panel shows: rows of a table, or the sum of the newest values."""
        query = row["query"].replace("$__range", f"{RANGE_DAYS}d").replace("$project", project)
        until = int(seconds(UNTIL))
        if row["language"] == "TraceQL":
            answer = self.get(server, "/api/search", q=query, start=0, end=until + 1, limit=10000, spss=10000)
            return sum(spans["matched"] for trace in answer["traces"] for spans in trace["spanSets"])
        if row["language"] == "LogQL" and row["instant"]:
            result = self.get(server, "/loki/api/v1/query", query=query, time=until)["data"]["result"]
            return sum(float(series["value"][1]) for series in result)
        if row["language"] == "LogQL":
            data = self.get(server, "/loki/api/v1/query_range", query=query, start=until - RANGE_DAYS * 86400, end=until,
                            step=86400, limit=200)["data"]
            self.assertTrue(data["result"])
            return None
        if row["instant"]:
            result = self.get(server, "/api/v1/query", query=query, time=until)["data"]["result"]
            return sum(float(series["value"][1]) for series in result)
        result = self.get(server, "/api/v1/query_range", query=query, start=until - RANGE_DAYS * 86400, end=until,
                          step=86400)["data"]["result"]
        self.assertTrue(result)
        return None

    def get(self, server, path, **parameters):
        status, body = server.request("GET", f"{path}?{urllib.parse.urlencode(parameters)}")
        self.assertEqual(status, 200, body[:500])
        return json.loads(body)
