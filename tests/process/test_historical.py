"""HistoricalTaskTracker from Python: backdated work, as the store, the log and the command line then see it."""

import json
import os
import subprocess
import unittest

from harness import ProcessTest

PYTHON = os.environ.get("CONTEXTCORE_VENV_PYTHON", "")

IMPORT = '''\
import json
from datetime import datetime, timedelta
from contextcore import HistoricalTaskTracker

monday = datetime(2026, 3, 2, 9)
tracker = HistoricalTaskTracker(project="old")
tracker.start_task_at("E-1", "Epic", monday, task_type="epic")
tracker.start_task_at("T-1", "Old work", monday, parent_id="E-1", story_points=3, labels=["import"])
tracker.start_task_at("T-2", "Next", "2026-03-02T09:30:00Z", depends_on=["T-1"])
tracker.assign_task_at("T-1", "ann", monday)
tracker.update_status_at("T-1", "in_progress", monday + timedelta(hours=1))
tracker.block_task_at("T-1", "no access", monday + timedelta(hours=2))
tracker.unblock_task_at("T-1", monday + timedelta(days=1))
tracker.add_event_at("T-1", "task.commented", monday + timedelta(days=1), {"author": "ann", "text": "nearly"})
tracker.set_progress_at("T-1", 80, monday + timedelta(days=1, hours=1))
tracker.complete_task_at("T-1", monday + timedelta(days=1, hours=2), outcome="shipped")
tracker.cancel_task_at("T-2", monday + timedelta(days=2))
tracker.flush()
print(json.dumps([len(tracker.get_collected_spans()),
                  sorted(span["name"] for span in tracker.get_collected_spans()),
                  [line["event"] for line in tracker.get_collected_logs()].count("task.created")]))
tracker.shutdown()
'''

REFUSED = '''\
from datetime import datetime
from contextcore import FailedPreconditionError, HistoricalTaskTracker, InvalidArgumentError

tracker = HistoricalTaskTracker(project="old")
tracker.start_task_at("T", "t", datetime(2026, 3, 2, 9))
tracker.update_status_at("T", "in_progress", datetime(2026, 3, 2, 10))
for expected, call in ((FailedPreconditionError, lambda: tracker.complete_task_at("T", datetime(2026, 3, 2, 9))),
                       (InvalidArgumentError, lambda: tracker.complete_task_at("T", None)),
                       (InvalidArgumentError, lambda: tracker.add_event_at("T", "task.invented", datetime(2026, 3, 3))),
                       (InvalidArgumentError, lambda: tracker.add_event_at("T", "task.commented", datetime(2026, 3, 3),
                                                                           {"colour": "red"}))):
    try:
        call()
    except expected:
        continue
    raise AssertionError(f"no {expected.__name__}")
assert tracker.get_task("T").status == "in_progress"
'''


@unittest.skipUnless(PYTHON, "CONTEXTCORE_VENV_PYTHON is not set (tests/process/python_package.sh sets it)")
class Historical(ProcessTest):
    def python(self, code):
        done = subprocess.run([PYTHON, "-c", code], cwd=self.folder, env=self.environment, capture_output=True, text=True,
                              timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_imports_old_work(self):
        spans, names, created = json.loads(self.python(IMPORT))
        self.assertEqual((spans, created), (3, 3))
        self.assertEqual(names, ["contextcore.task.epic", "contextcore.task.task", "contextcore.task.task"])
        shown = self.ccj("task", "show", "T-1", "--project", "old").json
        self.assertEqual((shown["status"], shown["created"], shown["ended"]),
                         ("done", "2026-03-02T09:00:00Z", "2026-03-03T11:00:00Z"))
        lines = self.log_lines('{project_id="old"} | json | task_id="T-1" | event="task.completed"')
        self.assertEqual(lines[0][1]["lead_time_seconds"], 26 * 3600)
        self.assertEqual(lines[0][1]["blocked_time_seconds"], 22 * 3600)

    def test_refuses_what_cannot_have_happened(self):
        self.python(REFUSED)
