"""Changing tasks from the command line: moves, edits, second lives, links, batches, sprints, a project's own words."""

import json
import pathlib
import subprocess

from harness import CLI, ProcessTest


class Changes(ProcessTest):
    def show(self, task_id):
        return self.ccj("task", "show", task_id).json

    def test_three_tasks_an_epic_and_the_move(self):
        for task_id in ("A", "B", "C"):
            self.cc("task", "create", f"Task {task_id}", "--id", task_id)
        before = self.show("A")["trace_id"]
        self.cc("task", "create", "The epic", "--id", "EPIC", "--type", "epic")
        for task_id in ("A", "B", "C"):
            self.cc("task", "reparent", task_id, "EPIC")
        below = self.spans('{ span.task.id = "EPIC" } >> { span.task.status = "todo" }')
        self.assertEqual(len(below), 3)
        self.assertEqual(self.show("EPIC")["subtask_count"], 3)
        opened = self.ccj("query", before)  # a trace id from before the move opens the trace
        self.assertIn("EPIC", opened.out)
        self.assertIn('"changed":0', self.ccj("rebuild").out.replace(" ", ""))

    def test_a_deleted_task_is_in_no_answer(self):
        self.cc("task", "create", "One", "--id", "A")
        self.cc("task", "create", "Two", "--id", "B")
        self.cc("task", "delete", "A", "--reason", "twice")
        self.assertEqual(len(self.spans("{ span.task.status != nil }")), 1)
        self.assertEqual(len(self.spans('{ name = "contextcore.phase" }')), 1)
        self.assertEqual(self.ccj("task", "list").json["total"], 1)
        self.assertIn("undelete", self.cc("task", "show", "A", code=3).err)
        self.cc("task", "undelete", "A")
        self.assertEqual(len(self.spans("{ span.task.status != nil }")), 2)

    def test_edit_reopen_and_undo(self):
        self.cc("task", "create", "One", "--id", "A", "--due", "2027-01-01", "--label", "x")
        self.cc("task", "edit", "A", "--points", "5", "--add-label", "y", "--clear", "due", "--title", "First")
        task = self.show("A")
        self.assertEqual((task["title"], task["story_points"], task["labels"]), ("First", 5, ["x", "y"]))
        self.assertNotIn("due_date", task)
        self.assertIn("(unchanged)", self.cc("task", "edit", "A", "--points", "5").out)
        self.assertIn("due", self.cc("task", "edit", "A", "--clear", "colour", code=2).err)
        self.cc("task", "complete", "A")
        self.cc("task", "edit", "A", "--points", "6", code=5)
        self.cc("task", "reopen", "A", "--to", "in_progress", "--reason", "it broke")
        self.cc("task", "undo", "A")
        self.assertEqual(self.show("A")["status"], "done")

    def test_links_told_from_both_ends(self):
        for task_id in ("A", "B"):
            self.cc("task", "create", f"Task {task_id}", "--id", task_id)
        self.cc("task", "link", "A", "blocks", "--task", "B")
        self.assertEqual(self.show("B")["waiting_on"], ["A"])
        self.cc("task", "unlink", "B", "depends_on", "--task", "A")
        self.assertNotIn("waiting_on", self.show("B"))

    def test_deliverables(self):
        pathlib.Path(self.folder, "there.md").write_text("x")
        self.cc("task", "create", "One", "--id", "A", "--deliverable", "there.md", "--deliverable", "missing.md")
        out = self.cc("task", "verify", "A").out
        self.assertIn("ok   there.md", out)
        self.assertIn("FAIL missing.md", out)
        self.assertEqual(self.show("A")["deliverables_verified"], 1)
        self.cc("task", "verify", "A", "--pass", "missing.md")
        self.assertTrue(self.show("A")["deliverables_complete"])

    def test_completion_looks_at_the_deliverables(self):
        pathlib.Path(self.folder, "there.md").write_text("x")
        self.cc("task", "create", "One", "--id", "A", "--deliverable", "there.md", "--deliverable", "missing.md")
        self.assertIn("1 of 2 deliverables not found good", self.cc("task", "complete", "A").out)
        self.assertEqual((self.show("A")["status"], self.show("A")["deliverables_verified"]), ("done", 1))
        # Who has looked has the last word; an end in the past is not looked at today.
        self.cc("task", "create", "Two", "--id", "B", "--deliverable", "missing.md")
        self.cc("task", "verify", "B", "--pass", "missing.md")
        self.cc("task", "complete", "B")
        self.assertTrue(self.show("B")["deliverables_complete"])
        self.cc("task", "create", "Three", "--id", "C", "--deliverable", "there.md", "--at", "2026-01-05T09:00:00Z")
        self.cc("task", "complete", "C", "--at", "2026-01-06T09:00:00Z")
        self.assertNotIn("deliverables_verified", self.show("C"))
        with self.server():
            self.cc("task", "create", "Four", "--id", "D", "--deliverable", "there.md")
            self.cc("task", "complete", "D")
        self.assertTrue(self.show("D")["deliverables_complete"])

    def test_apply_is_all_or_nothing_and_names_the_line(self):
        good = "\n".join(['# comment', '{"op":"create","id":"A","title":"a"}', "",
                          '{"op":"task.create","args":{"id":"B","title":"b","parent_id":"A"}}',
                          '{"op":"complete","id":"B"}'])
        path = pathlib.Path(self.folder, "commands.ndjson")
        path.write_text(good + '\n{"op":"complete","id":"NOPE"}\n')
        self.assertIn("line 6", self.cc("task", "apply", str(path), code=3).err)
        self.assertEqual(self.ccj("task", "list", code=None).json.get("total", 0), 0)
        piped = subprocess.run([str(CLI), "--json", "task", "apply", "-"], input=good, text=True, capture_output=True,
                               cwd=self.folder, env=self.environment, timeout=60)
        self.assertEqual(piped.returncode, 0, piped.stderr)
        self.assertEqual(len(json.loads(piped.stdout)["results"]), 3)
        self.assertEqual(self.show("A")["percent_complete"], 100)
        path.write_text("{oops\n")
        self.assertIn("line 1", self.cc("task", "apply", str(path), code=2).err)

    def test_sprints(self):
        self.cc("sprint", "start", "s-1", "--goal", "people can sign in")
        self.cc("task", "create", "One", "--id", "A", "--points", "3", "--sprint", "s-1")
        self.cc("task", "complete", "A")
        self.assertIn("3/3 points", self.cc("sprint", "list").out)
        self.assertEqual(len(self.spans('{ name = "contextcore.sprint" && span.sprint.planned_points = 3 }')), 1)
        self.cc("sprint", "edit", "s-1", "--name", "First")
        self.cc("sprint", "end", "s-1")
        self.assertEqual(self.ccj("sprint", "list", "--open").json["total"], 0)
        self.cc("sprint", "edit", "s-1", "--name", "x", code=5)
        self.cc("sprint", "end", "s-2", code=3)

    def test_a_projects_own_words(self):
        pathlib.Path(self.folder, ".contextcore.toml").write_text(
            'project = "test"\ntypes = ["chore"]\n[statuses]\nqa = "in_review"\n')
        self.cc("task", "create", "One", "--id", "A", "--type", "chore")
        self.cc("task", "status", "A", "qa")
        with self.server():
            self.cc("task", "status", "A", "todo")
            self.cc("task", "status", "A", "qa")
        self.assertEqual(self.ccj("ready", "--type", "chore").json["total"], 0)
        for question in (("list",), ("ready",), ("tree",), ("workload",)):
            self.cc(*question, "--type", "chore")
            with self.server():
                self.cc(*question, "--type", "chore")
            self.assertIn("chore", self.cc(*question, "--type", "chores", code=2).err)
        self.assertEqual(len(self.spans('{ span.task.status = "qa" && name = "contextcore.task.chore" }')), 1)
        self.cc("task", "status", "A", "qb", code=2)
