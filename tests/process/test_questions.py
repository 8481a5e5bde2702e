"""Questions about work: of the past, of many tasks, embedded and through a server; export and import."""

import json
import os
import urllib.parse

from harness import ProcessTest

T = "2026-03-0{}T09:00:00Z".format


class Questions(ProcessTest):
    def fill(self):
        self.cc("task", "create", "Epic", "--id", "E", "--type", "epic", "--at", T(1))
        self.cc("task", "create", "Design the parser", "--id", "A", "--parent", "E", "--assignee", "bob",
                "--at", T(1))
        self.cc("task", "create", "Build it", "--id", "B", "--parent", "E", "--depends-on", "A",
                "--due", "2026-03-04", "--label", "x", "--at", T(2))
        self.cc("task", "start", "A", "--at", T(3))
        self.cc("task", "comment", "A", "Looks like the LEXER is fine", "--at", T(4))
        self.cc("task", "complete", "A", "--at", T(5))
        self.cc("task", "block", "B", "--reason", "no key", "--at", T(6))

    QUESTIONS = [
        ("task", "list"), ("task", "list", "--as-of", T(3)), ("list", "--status", "open", "--sort", "id"),
        ("show", "A", "--as-of", T(4)), ("history", "A"), ("history", "A", "--to", T(3)),
        ("ready", "--as-of", T(1)), ("why", "B", "--as-of", T(2)), ("blocked",), ("overdue",), ("stale",),
        ("tree",), ("tree", "E", "--as-of", T(3)), ("critical-path", "--as-of", T(2)), ("workload",),
        ("search", "lexer"), ("diff", "--from", T(2), "--to", T(5)), ("project", "list"), ("export",)]

    def ids(self, *arguments):
        return [item["id"] for item in self.ccj(*arguments).json["items"]]

    def test_the_past(self):
        self.fill()
        self.assertEqual(sorted(self.ids("list", "--as-of", T(1))), ["A", "E"])
        self.assertEqual(self.ccj("show", "A", "--as-of", T(4)).json["status"], "in_progress")
        self.assertEqual(self.ids("ready", "--as-of", T(1), "--assignee", "bob"), ["A"])
        self.assertEqual(self.ids("list", "--known-at", T(6)), [])
        self.cc("show", "B", "--as-of", T(1), code=3)
        self.cc("list", "--as-of", "in 2h", code=2)
        self.assertEqual([change["id"] for change in self.ccj("diff", "--from", T(1), "--to", T(2)).json["items"]],
                         ["B"])

    def test_many_tasks(self):
        self.fill()
        self.assertEqual(self.ids("blocked"), ["B"])
        self.assertEqual(self.ids("overdue"), ["B"])
        self.assertEqual(self.ids("stale"), ["E", "B"])
        self.assertEqual(self.ids("critical-path", "--as-of", T(2)), ["A", "B"])
        self.assertEqual(self.ids("search", "lexer"), ["A"])
        self.assertIn("no key", self.cc("blocked").out)
        self.assertIn("Design the parser", self.cc("tree").out)
        self.assertIn("todo → in_progress", self.cc("history", "A").out)

    def test_a_list_prints_its_traceql(self):
        self.fill()
        query = self.cc("list", "--status", "open", "--label", "x", "--query").out.strip()
        self.assertEqual({span["attributes"]["task.status"] for span in self.spans(query).values()}, {"blocked"})

    def test_a_sprints_list_prints_its_traceql(self):
        for number in (1, 2):
            self.cc("sprint", "start", f"s-{number}", "--at", T(number))
            for task in ("x", "y"):
                self.cc("task", "create", f"Work {task}", "--id", f"{task}-{number}", "--sprint", f"s-{number}",
                        "--at", T(number))
        self.cc("task", "create", "Of no sprint", "--id", "z", "--at", T(2))
        self.cc("task", "complete", "x-1", "--at", T(3))
        self.cc("sprint", "end", "s-1", "--at", T(3))
        for sprint, tasks in (("last", ["x-1", "y-1"]), ("current", ["x-2", "y-2"]), ("s-1", ["x-1", "y-1"])):
            listed = self.ccj("list", "--sprint", sprint).json
            self.assertEqual(sorted(item["id"] for item in listed["items"]), tasks)
            query = self.cc("list", "--sprint", sprint, "--query").out.strip()
            self.assertEqual(query, listed["traceql"])
            self.assertIn(f"TraceQL: {query}\n", self.cc("list", "--sprint", sprint).out)
            self.assertNotIn("last", query)
            ids = {item["span_id"] for item in listed["items"]}
            self.assertEqual(set(self.spans(query)), ids)
            with self.server() as server:
                status, body = server.request("GET", "/api/search?limit=100&q=" + urllib.parse.quote(query))
                self.assertEqual(status, 200, body)
                found = {span["spanID"] for trace in json.loads(body)["traces"] for span_set in trace["spanSets"]
                         for span in span_set["spans"]}
                self.assertEqual(found, ids)

    def test_show_with_the_traces_that_link_to_it(self):
        self.fill()
        shown = self.ccj("show", "A").json
        spans = [{"traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": span_id, "parentSpanId": parent, "name": name,
                  "startTimeUnixNano": "1772700000000000000", "endTimeUnixNano": "1772700001000000000",
                  "links": links} for span_id, parent, name, links in (
                      ("00f067aa0ba902b7", "", "deploy", [{"traceId": shown["trace_id"], "spanId": shown["span_id"]}]),
                      ("00f067aa0ba902b8", "00f067aa0ba902b7", "upload", []))]
        body = {"resourceSpans": [{"resource": {"attributes": [
            {"key": "service.name", "value": {"stringValue": "runner"}}]}, "scopeSpans": [{"spans": spans}]}]}
        with self.server() as server:
            self.assertEqual(server.request("POST", "/v1/traces", body)[0], 200)
            through_server = self.cc("show", "A", "--trace").out
        out = self.cc("show", "A", "--trace").out
        waterfall = out[out.rindex("\n\n"):].splitlines()
        indent = {name: len(line) - len(line.lstrip()) for line in waterfall for name in ("deploy", "upload", "Epic",
                                                                                         "Design the parser")
                  if name in line}
        self.assertEqual(len(indent), 4, out)
        self.assertLess(indent["Epic"], indent["Design the parser"])
        self.assertLess(indent["Design the parser"], indent["deploy"])
        self.assertLess(indent["deploy"], indent["upload"])
        self.assertEqual(sum("deploy" in line for line in through_server.splitlines()), 1)
        self.assertNotIn("deploy", self.cc("show", "A").out)

    def test_a_server_gives_the_same_answers(self):
        self.fill()
        def answers():
            out = {}
            for question in self.QUESTIONS:
                lines = self.ccj(*question).lines
                for line in lines:
                    for item in line.get("items", []):
                        for key in list(item):
                            if key.endswith("_seconds"):
                                del item[key]
                    if "traceql" in line and question[0] == "overdue":
                        del line["traceql"]
                out[question] = lines
            return out
        embedded = answers()
        with self.server() as server:
            self.assertEqual(answers(), embedded)
            status, body = server.request("GET", "/tracker/v1/tasks/A/history?project=test")
            self.assertEqual(status, 200)
            self.assertEqual(json.loads(body)["total"], embedded[("history", "A")][0]["total"])

    def test_export_and_import(self):
        self.fill()
        exported = self.cc("export").out
        path = os.path.join(self.folder, "log.ndjson")
        with open(path, "w") as file:
            file.write(exported)
        self.assertEqual(self.ccj("import", path).json["imported"], 0)
        other = {"CONTEXTCORE_STORE": os.path.join(self.folder, "other")}
        self.assertGreater(self.ccj("import", path, environment=other).json["imported"], 8)
        self.assertEqual(self.cc("export", environment=other).out, exported)
        self.assertEqual(self.ccj("list", environment=other).json, self.ccj("list").json)
        self.assertEqual(self.ccj("rebuild", environment=other).json["changed"], 0)
        with open(path, "a") as file:
            file.write("{}\n")
        self.cc("import", path, code=2)

    def test_the_overview(self):
        self.fill()
        out = self.cc().out
        self.assertIn("Blocked", out)
        self.assertIn("Overdue", out)
        self.assertNotIn("Mine", out)
        self.assertEqual(self.ccj().json["blocked"]["total"], 1)

    def test_a_received_span_is_adopted(self):
        span = {"traceId": "0af7651916cd43dd8448eb211c80319c", "spanId": "00f067aa0ba902b7", "name": "job",
                "startTimeUnixNano": "1767607200000000000", "endTimeUnixNano": "1767610800000000000",
                "attributes": [{"key": key, "value": {"stringValue": value}} for key, value in
                               (("task.id", "X-1"), ("task.title", "From afar"), ("task.status", "done"),
                                ("project.id", "test"))]}
        body = {"resourceSpans": [{"resource": {"attributes": [
            {"key": "service.name", "value": {"stringValue": "legacy"}}]}, "scopeSpans": [{"spans": [span]}]}]}
        with self.server() as server:
            self.assertEqual(server.request("POST", "/v1/traces", body)[0], 200)
        found = self.ccj("list", "--foreign").json["items"]
        self.assertEqual([(item["id"], item["service"], item["known"]) for item in found], [("X-1", "legacy", False)])
        self.cc("show", "X-1", code=3)
        self.cc("task", "adopt", "X-2", code=3)
        task = self.ccj("task", "adopt", "X-1").json["task"]
        self.assertEqual((task["status"], task["created"], task["ended"]),
                         ("done", "2026-01-05T10:00:00Z", "2026-01-05T11:00:00Z"))
        self.cc("task", "adopt", "X-1", code=4)

    def test_a_project_is_deleted(self):
        self.fill()
        self.cc("project", "delete", "test", code=5)
        self.assertEqual(self.ccj("project", "delete", "test", "--yes").json["deleted"], 3)
        self.assertEqual(self.ids("list"), [])
        self.assertEqual(sorted(self.ids("list", "--deleted")), ["A", "B", "E"])
        self.cc("project", "delete", "test", "--yes", code=3)
