"""Metrics of work: from the command line, embedded and through a server; reports; stock clients' paths."""

import csv
import io
import json
import urllib.parse

from harness import ProcessTest

T = "2026-03-{:02}T09:00:00Z".format


class Metrics(ProcessTest):
    def fill(self):
        self.cc("sprint", "start", "S1", "--at", T(1))
        for number, points in (("1", "5"), ("2", "3"), ("3", "2")):
            self.cc("task", "create", "Task " + number, "--id", number, "--points", points, "--sprint", "S1",
                    "--at", T(1))
            self.cc("task", "start", number, "--at", T(2))
        self.cc("task", "complete", "1", "--at", T(4))
        self.cc("task", "complete", "2", "--at", T(10))
        self.cc("sprint", "end", "S1", "--at", T(15))

    def value(self, query, *arguments):
        lines = self.cc("metrics", query, "--json", *arguments).out.splitlines()
        self.assertEqual(len(lines), 1, lines)
        return json.loads(lines[0])["samples"][-1]["value"]

    def test_values_at_any_time(self):
        self.fill()
        self.assertEqual(self.value("sum(task_count_by_status)"), 3)
        self.assertEqual(self.value('sum(task_count_by_status{status="done"})', "--time", T(5)), 1)
        self.assertEqual(self.value("sum(task_completed_total)", "--time", T(3)), 0)
        self.assertEqual(round(self.value("sum(increase(task_completed_total[30d]))", "--time", T(20))), 2)
        self.assertEqual(self.value('task_percent_complete{task_id="1"}', "--time", T(5)), 100)

    def test_the_past_can_change(self):
        self.fill()
        before = self.value("sum(task_count_by_status)", "--time", T(5))
        self.cc("task", "create", "Found later", "--id", "4", "--at", T(3))
        self.assertEqual(self.value("sum(task_count_by_status)", "--time", T(5)), before + 1)
        self.assertEqual(self.value("sum(task_count_by_status)", "--time", T(2)), before)

    def test_a_range_is_a_chart(self):
        self.fill()
        chart = self.cc("metrics", "sum by (status) (task_count_by_status)", "--from", T(1), "--to", T(20)).out
        self.assertIn('status="done"', chart)
        self.assertIn("2026-03-20", chart)
        self.assertIn("│", chart)
        rows = [json.loads(line) for line in self.cc("metrics", "vector(1)", "--from", T(1), "--to", T(2), "--step", "6h",
                                                     "--json").out.splitlines()]
        self.assertEqual([sample["value"] for sample in rows[0]["samples"]], [1, 1, 1, 1, 1])

    def test_mistakes_are_named(self):
        self.fill()
        self.assertIn("parse error", self.cc("metrics", "sum(", code=2).err)
        self.assertIn("not yet supported", self.cc("metrics", "histogram_avg(task_wip)", code=2).err)
        self.cc("metrics", "1", "--since", "1d", "--time", "now", code=2)
        self.cc("report", "burndown", "--sprint", "nope", code=3)

    def test_a_server_gives_the_same_answers(self):
        self.fill()
        asked = [("metrics", "sum by (status) (task_count_by_status)", "--time", T(12)),
                 ("metrics", "sum(task_wip)", "--from", T(1), "--to", T(12), "--step", "1d"),
                 ("metrics", '"text"'), ("report", "burndown", "--sprint", "S1"), ("report", "velocity")]
        embedded = [self.cc(*words, "--json").out for words in asked]
        with self.server():
            self.assertEqual([self.cc(*words, "--json").out for words in asked], embedded)
            wrong = self.cc("metrics", "sum(", code=2)
            self.assertIn("parse error", wrong.err)

    def test_reports(self):
        self.fill()
        burndown = self.ccj("report", "burndown", "--sprint", "S1").json
        self.assertEqual((burndown["unit"], burndown["rows"][0]["remaining"]), ("points", 10))
        self.assertEqual(burndown["rows"][-1]["remaining"], 2)
        velocity = self.ccj("report", "velocity").json["rows"]
        self.assertEqual(velocity, [{"sprint": "S1", "planned": 10, "completed": 8, "average": 8}])
        rows = list(csv.reader(io.StringIO(self.cc("report", "throughput", "--since", T(1), "--step", "1w", "--csv").out)))
        self.assertEqual(rows[0], ["until", "completed", "points"])
        self.assertEqual(sum(float(row[1]) for row in rows[1:]), 2)
        self.assertEqual(sum(float(row[2]) for row in rows[1:]), 8)
        cycle = self.ccj("report", "cycle-time", "--since", T(1), "--step", "1w").json["rows"]
        self.assertEqual(sum(row["completed"] for row in cycle), 2)
        self.assertTrue(any(row["p50"] for row in cycle))
        self.assertIn("REMAINING", self.cc("report", "burndown").out)
        self.assertIn("│", self.cc("report", "throughput", "--chart", "--since", T(1)).out)

    def test_clients_of_prometheus_are_at_home(self):
        self.fill()
        with self.server() as server:
            form = urllib.parse.urlencode({"query": "sum(task_count_by_status)", "time": "1773565200"})
            for path in ("/api/v1/query", "/prometheus/api/v1/query"):
                status, body = server.request("POST", path, form,
                                              {"Content-Type": "application/x-www-form-urlencoded"})
                self.assertEqual(status, 200)
                self.assertEqual(json.loads(body)["data"]["result"], [{"metric": {}, "value": [1773565200, "3"]}])
