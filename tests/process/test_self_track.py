"""examples/self_track: a scratch repository's history becomes tasks, again and again the same ones."""

import os
import pathlib
import subprocess
import sys

from harness import CLI, ROOT, ProcessTest

SCRIPT = ROOT / "examples/self_track/self_track.py"


class SelfTrack(ProcessTest):
    def setUp(self):
        super().setUp()
        self.repository = pathlib.Path(self.folder, "shop")
        self.environment.update(GIT_CONFIG_GLOBAL=os.devnull, GIT_CONFIG_SYSTEM=os.devnull)
        self.git("init", "-q", "-b", "main", str(self.repository), folder=self.folder)

    def git(self, *words, folder=None, **environment):
        subprocess.run(["git", "-c", "user.email=x@example.org", "-c", "user.name=x", *words],
                       cwd=folder or self.repository, check=True, capture_output=True,
                       env={**self.environment, **environment})

    def commit(self, path, subject, time=None, author="ann"):
        file = self.repository / path
        file.parent.mkdir(parents=True, exist_ok=True)
        with file.open("a") as out:
            out.write(subject + "\n")
        self.git("add", "-A")
        dates = {"GIT_AUTHOR_DATE": time, "GIT_COMMITTER_DATE": time} if time else {}
        self.git("commit", "-q", "-m", subject, GIT_AUTHOR_NAME=author, **dates)

    def track(self):
        done = subprocess.run([sys.executable, SCRIPT, "--repository", self.repository, "--contextcore", CLI],
                              capture_output=True, text=True, env=self.environment, timeout=120)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        return done.stdout.strip()

    def tasks(self):
        found = self.ccj("list", "--sort", "created", "--limit", 1000).json["items"]
        return [(task["title"], task["type"], task["status"], task.get("parent_id"), task.get("assignee"))
                for task in reversed(found) if task["type"] != "epic"]

    def statuses(self):
        """By title: commits of one second have no order."""
        return {task[0]: task[2] for task in self.tasks()}

    def test_history_becomes_tasks_once(self):
        self.commit("src/store/a.cpp", "Write the store", "2026-03-02T09:00:00Z")
        self.commit("src/store/b.cpp", "Read it back", "2026-03-02T11:00:00Z")
        self.commit("src/store/b.cpp", "Fix the reader \"once\"", "2026-03-03T09:00:00Z")  # the next day
        self.commit("docs/store.md", "Say how", "2026-03-03T10:00:00Z")  # another area
        self.commit("docs/store.md", "Say why", "2026-03-03T10:30:00Z", author="bob")  # another author
        self.git("checkout", "-q", "-b", "side")
        self.commit("src/cli/c.cpp", "Print it", "2026-03-04T09:00:00Z")
        self.git("checkout", "-q", "main")
        self.git("merge", "-q", "--no-ff", "-m", "Merge side", "side",
                 GIT_COMMITTER_DATE="2026-03-05T09:00:00Z", GIT_AUTHOR_DATE="2026-03-05T09:00:00Z")
        self.assertEqual(self.track(), "6 commits in 5 tasks of shop; 24 changes written")
        self.assertEqual(self.tasks(), [
            ("Write the store", "task", "done", "area:src/store", "ann"),
            ('Fix the reader "once"', "bug", "done", "area:src/store", "ann"),
            ("Say how", "task", "done", "area:docs", "ann"), ("Say why", "task", "done", "area:docs", "bob"),
            ("Print it", "task", "done", "area:src/cli", "ann")])
        commits = self.log_lines('{project_id="test"} | json | event="commit.linked"')
        self.assertEqual([line["message"] for _, line in commits][:2], ["Write the store", "Read it back"])
        first = self.ccj("show", commits[0][1]["task_id"]).json
        self.assertEqual((first["created"], first["ended"]), ("2026-03-02T09:00:00Z", "2026-03-02T11:00:00Z"))

        log = self.cc("export").out
        self.assertEqual(self.track(), "6 commits in 5 tasks of shop; 0 changes written")
        self.assertEqual(self.cc("export").out, log)
        self.assertEqual(self.ccj("rebuild").json["changed"], 0)

    def test_a_sitting_that_may_go_on_stays_open_and_takes_what_comes(self):
        self.commit("src/a.cpp", "Begin", "2026-03-02T09:00:00Z")
        self.commit("src/a.cpp", "Go on")
        self.track()
        self.assertEqual(self.statuses(), {"Begin": "done", "Go on": "in_progress"})
        self.commit("src/a.cpp", "Go further")
        self.assertTrue(self.track().endswith("; 1 changes written"))
        self.commit("docs/a.md", "Something else")
        self.track()
        self.assertEqual(self.statuses(), {"Begin": "done", "Go on": "done", "Something else": "in_progress"})
        self.assertEqual(len(self.log_lines('{project_id="test"} | json | event="commit.linked"')), 4)
