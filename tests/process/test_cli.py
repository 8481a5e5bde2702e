"""The contract of the command line: exit codes, JSON, errors that say what to do, ids as people type them."""

import json
import os
import subprocess

from harness import CLI, ProcessTest


class Contract(ProcessTest):
    def test_exit_codes(self):
        self.cc("task", "create", "One", "--id", "A-1")
        self.assertIn("(unchanged)", self.cc("task", "start", "A-1").out + self.cc("task", "start", "A-1").out)
        self.cc("task", "create", "Two", "--id", "A-1", code=4)
        self.cc("task", "show", "NOPE", code=3)
        self.cc("task", "status", "A-1", "banana", code=2)
        self.cc("nonsense", code=2)
        self.cc("query", "{", code=2)
        self.cc("task", "complete", "A-1")
        self.cc("task", "block", "A-1", "--reason", "late", code=5)
        self.cc("ready", "--claim", code=7)
        self.cc("--server", "127.0.0.1:1", "task", "list", code=6)

    def test_an_unknown_word_is_named_with_the_nearest_and_the_way_to_help(self):
        for words, message, candidate, hint in (
                (["task", "creat", "x"], "unknown command 'creat' of contextcore task", "create", "contextcore task --help"),
                (["taks", "list"], "unknown command 'taks' of contextcore", "task", "contextcore --help"),
                (["create", "x"], "unknown command 'create' of contextcore", "contextcore task create", ""),
                (["sprint", "strt", "s"], "unknown command 'strt' of contextcore sprint", "start", ""),
                (["task", "show", "A", "--trce"], "unknown option --trce of contextcore task show", "--trace",
                 "contextcore task show --help"),
                (["list", "--statuss=todo"], "unknown option --statuss of contextcore list", "--status", ""),
                (["--stor", "x", "list"], "unknown option --stor of contextcore list", "--store", "")):
            error = json.loads(self.ccj(*words, code=2).err)["error"]
            self.assertEqual(error["message"], message)
            self.assertIn(candidate, error["candidates"], words)
            self.assertIn(hint, error["hint"])
        for words, message in ((["task"], "contextcore task needs a command"),
                               (["task", "show"], "contextcore task show needs <id>"),
                               (["show", "A", "B"], "'B' is one argument too many"),
                               (["task", "block", "A", "--reason"], "--reason needs a value")):
            failed = self.cc(*words, code=2)
            self.assertIn(message, failed.err)
            self.assertIn("--help", failed.err)

    def test_errors_in_json(self):
        self.cc("task", "create", "One", "--id", "PAY-100")
        failed = self.ccj("task", "complete", "PAY-101", code=3)
        error = json.loads(failed.err)["error"]
        self.assertEqual(error["code"], "not_found")
        self.assertIn("PAY-100", error.get("candidates", []))
        self.assertEqual(failed.out, "")

    def test_a_unique_prefix_is_enough(self):
        made = self.ccj("task", "create", "Made up").json["task"]["id"]
        self.assertTrue(made.startswith("test-"), made)
        self.cc("task", "comment", made[:-1], "hello")
        self.assertEqual(self.ccj("task", "show", made[:-1]).json["id"], made)

    def test_backdating(self):
        self.cc("task", "create", "Old", "--id", "O-1", "--at", "2026-01-05T09:00:00Z")
        self.cc("task", "complete", "O-1", "--at", "2026-01-06T09:00:00Z")
        shown = self.ccj("task", "show", "O-1").json
        self.assertEqual((shown["created"], shown["ended"]), ("2026-01-05T09:00:00Z", "2026-01-06T09:00:00Z"))
        self.cc("task", "create", "Newer", "--id", "O-2", "--at", "2026-01-05T09:00:00Z")
        self.cc("task", "start", "O-2", "--at", "2026-01-07T09:00:00Z")
        refused = self.ccj("task", "comment", "O-2", "too early", "--at", "2026-01-06T09:00:00Z", code=None)
        self.assertNotEqual(refused.code, 0, "a given time before the last event is refused")

    def test_init_and_where(self):
        del self.environment["CONTEXTCORE_PROJECT"]
        missing = self.cc("task", "create", "No project", code=2)
        self.assertIn("contextcore init", missing.err)
        self.cc("init", "shop", "--prefix", "sh")
        self.assertEqual(self.ccj("where").json["project"], "shop")
        self.cc("init", "shop", code=4)
        made = self.ccj("task", "create", "With a project").json["task"]
        self.assertEqual(made["project"], "shop")
        self.assertTrue(made["id"].startswith("sh-"), made["id"])

    def test_local_store_in_a_git_repository(self):
        del self.environment["CONTEXTCORE_STORE"], self.environment["CONTEXTCORE_PROJECT"]
        subprocess.run(["git", "init", "-q", self.folder], check=True, env=self.environment)
        self.cc("init", "shop", "--local")
        self.assertEqual(self.ccj("where").json["store"], os.path.join(self.folder, ".git/contextcore"))
        self.cc("task", "create", "Here", "--id", "L-1")
        below = os.path.join(self.folder, "deep/er")
        os.makedirs(below)
        listed = subprocess.run([CLI, "--json", "task", "list"], cwd=below, env=self.environment,
                                capture_output=True, text=True)
        self.assertEqual([task["id"] for task in json.loads(listed.stdout)["items"]], ["L-1"])

    def test_help_goes_to_standard_output(self):
        self.assertIn("--lease", self.cc("task", "claim", "--help").out)
        self.assertIn("TraceQL", self.cc("--help").out)
        self.assertTrue(self.cc("--version").out.startswith("contextcore "))
