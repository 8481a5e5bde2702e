"""TraceQL that gives numbers, on the command line: embedded and through a server."""

import json

from harness import ProcessTest

T = "2026-03-{:02}T09:00:00Z".format


class SpanMetrics(ProcessTest):
    def fill(self):
        for number, points in (("1", 5), ("2", 3), ("3", 2)):
            self.cc("task", "create", "Task " + number, "--id", number, "--points", points, "--at", T(int(number)))
        self.cc("task", "start", "1", "--at", T(4))
        self.cc("task", "complete", "1", "--at", T(5))

    def rows(self, *arguments):
        return [json.loads(line) for line in self.cc("query", *arguments, "--json").out.splitlines()]

    def check(self):
        tasks = "{ span.task.id != nil }"
        [count] = self.rows(tasks + " | count()")
        self.assertEqual((count["labels"], [s["value"] for s in count["samples"]]), ({"__name__": "count()"}, [3]))
        points = {row["labels"]["span.task.status"]: row["samples"][0]["value"]
                  for row in self.rows(tasks + " | sum(span.task.story_points) by (span.task.status)")}
        self.assertEqual(points["done"], 5)
        self.assertEqual(sum(points.values()), 10)
        [days] = self.rows(tasks + " | count_over_time()", "--from", T(1), "--to", T(4), "--step", "24h")
        self.assertEqual(sum(s["value"] for s in days["samples"]), 3)
        self.assertEqual({s["time"][11:] for s in days["samples"]}, {"00:00:00Z"})
        [whole] = self.rows(tasks + " | count_over_time()", "--from", T(1), "--to", T(4), "--instant")
        self.assertEqual([s["value"] for s in whole["samples"]], [3])

    def test_numbers(self):
        self.fill()
        self.check()
        with self.server():
            self.check()

    def test_charts_and_tables(self):
        self.fill()
        query = "{ span.task.id != nil } | count_over_time() by (span.task.status)"
        chart = self.cc("query", query, "--from", T(1), "--to", T(6), "--step", "6h").out
        self.assertIn("span.task.status=", chart)
        self.assertIn("│", chart)
        table = self.cc("query", "{ span.task.id != nil } | count()").out
        self.assertIn("count()", table)
        self.assertIn("3", table)

    def test_mistakes_are_named(self):
        self.fill()
        self.assertIn("too small", self.cc("query", "{ } | rate()", "--from", T(1), "--to", T(6), "--step", "1s", code=2).err)
        self.cc("query", "{ } | rate()", "--step", "never", code=2)
