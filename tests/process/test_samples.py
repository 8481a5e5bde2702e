"""The two samples of the decision record, verbatim, each in a process of its own, twice; and what everybody else sees."""

import json
import os
import subprocess
import unittest

from harness import ProcessTest

PYTHON = os.environ.get("CONTEXTCORE_VENV_PYTHON", "")

TRACKER = '''\
from contextcore import TaskTracker

tracker = TaskTracker(project="my-project")
tracker.start_task(task_id="PROJ-123", title="Implement auth", task_type="story")   # creates the span
tracker.update_status("PROJ-123", "in_progress")                                      # adds a span event
tracker.complete_task("PROJ-123")                                                     # ends the span
'''

EMITTER = '''\
from contextcore.agent import InsightEmitter

emitter = InsightEmitter(project_id="checkout", agent_id="claude")
emitter.emit_decision(summary="Selected event-driven architecture", confidence=0.92,
                      context={"alternatives_considered": ["REST", "GraphQL"]})
'''

READER = '''\
import json
from contextcore.agent import InsightQuerier

found = InsightQuerier().get_recent_decisions("checkout")
print(json.dumps([[d.summary, d.confidence, d.agent_id, d.context, d.status] for d in found]))
'''


@unittest.skipUnless(PYTHON, "CONTEXTCORE_VENV_PYTHON is not set (tests/process/python_package.sh sets it)")
class Samples(ProcessTest):
    def setUp(self):
        super().setUp()
        del self.environment["CONTEXTCORE_PROJECT"]

    def python(self, code):
        done = subprocess.run([PYTHON, "-c", code], cwd=self.folder, env=self.environment, capture_output=True, text=True,
                              timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done

    def test_tracker_sample(self):
        first = self.python(TRACKER)
        self.assertEqual(first.stdout, "")
        found = self.spans('{ span.task.id = "PROJ-123" } | select(span.task.status, span.task.title, status)')
        self.assertEqual([s["name"] for s in found.values()], ["contextcore.task.story"])
        lines = self.log_lines('{service="contextcore"} | json | task_id="PROJ-123"')
        events = [line["event"] for _, line in lines]
        self.assertEqual(events[0], "task.created")
        self.assertEqual(events.count("task.status_changed"), 2)
        self.assertEqual(events.count("task.completed"), 1)
        trace_id = lines[0][0]["trace_id"]
        self.assertIn("PROJ-123", self.cc("query", trace_id).out)

        second = self.python(TRACKER)  # again: nothing new, no traceback, a word about the ended task
        self.assertNotIn("Traceback", second.stderr)
        self.assertIn("TaskEndedWarning", second.stderr)
        again = self.log_lines('{service="contextcore"} | json | task_id="PROJ-123"')
        self.assertEqual(len(again), len(lines))
        shown = self.ccj("task", "show", "PROJ-123").json
        self.assertEqual((shown["status"], shown["percent_complete"]), ("done", 100))

        with self.server() as server:
            status, page = server.request("GET", "/")
            self.assertEqual(status, 200)
            self.assertIn(b"my-project", page)
            status, page = server.request("GET", "/task/my-project/PROJ-123")
            self.assertEqual(status, 200)
            self.assertIn(b"Implement auth", page)

    def test_emitter_sample(self):
        self.python(EMITTER)
        read = json.loads(self.python(READER).stdout)
        self.assertEqual(read, [["Selected event-driven architecture", 0.92, "claude",
                                 {"alternatives_considered": ["REST", "GraphQL"]}, "active"]])
        found = self.spans('{ name =~ "insight.*" } | select(span.insight.summary)')
        self.assertEqual([s["name"] for s in found.values()], ["insight.decision"])
        self.assertEqual(self.ccj("insight", "query", "--type", "decision").json["items"][0]["summary"],
                         "Selected event-driven architecture")
        self.python(EMITTER)
        self.assertEqual(len(json.loads(self.python(READER).stdout)), 2)  # a decision taken twice is two insights

    def test_errors_are_exceptions_with_a_hint(self):
        done = subprocess.run([PYTHON, "-c", "from contextcore import TaskTracker\n"
                               "TaskTracker(project='p').update_status('NOPE-1', 'done')"],
                              cwd=self.folder, env=self.environment, capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 1)
        self.assertIn("contextcore.errors.NotFoundError", done.stderr)
        self.assertIn("NOPE-1", done.stderr)

    def test_bad_confidence_writes_nothing(self):
        done = subprocess.run([PYTHON, "-c", EMITTER.replace("0.92", "7.5")], cwd=self.folder, env=self.environment,
                              capture_output=True, text=True, timeout=60)
        self.assertIn("InvalidArgumentError", done.stderr)
        self.assertEqual(json.loads(self.python(READER).stdout), [])

    def test_forked_child_opens_the_store_anew(self):
        self.python("import os\nfrom contextcore import TaskTracker\nt = TaskTracker(project='p')\n"
                    "t.start_task('A', 'a')\nfirst = t.session\npid = os.fork()\n"
                    "t.start_task('B' if pid else 'C', 'x')\n"
                    "assert pid == 0 or os.waitpid(pid, 0)[1] == 0\n"
                    "assert pid or t.session != first\n")
        self.assertEqual(self.ccj("task", "list", "--project", "p").json["total"], 3)
