"""contextcore demo: a store of its own, the same for the same seed, removed by the one who made it."""

import os

from harness import ProcessTest

UNTIL = "2026-10-01T12:00:00Z"


class Demo(ProcessTest):
    def setUp(self):
        super().setUp()
        self.demo = self.store + "-demo"
        del self.environment["CONTEXTCORE_PROJECT"]

    def test_makes_and_removes_a_store_beside_the_real_one(self):
        self.cc("task", "create", "Real work", "--id", "A-1", "--project", "test")
        made = self.ccj("demo", "--tasks", "300", "--projects", "2", "--until", UNTIL).json
        self.assertEqual((made["store"], made["tasks"], made["projects"]), (self.demo, 300, 2))
        self.assertEqual(len(self.ccj("watch", "--since", "0", "--no-follow", "--event", "task.created").lines), 1)
        projects = self.ccj("project", "list", "--store", self.demo).json["items"]
        self.assertEqual(len(projects), 2)
        self.assertIn("DEMO", self.cc("where", "--store", self.demo).out)
        self.cc("demo", code=4)
        self.cc("demo", "--store", self.store, code=4)
        self.cc("demo", "--remove", "--store", self.store, code=5)
        self.cc("demo", "--remove")
        self.assertFalse(os.path.exists(self.demo))
        self.cc("demo", "--remove", code=3)
        self.assertEqual(self.ccj("task", "show", "A-1").json["title"], "Real work")

    def test_the_page_says_demo(self):
        self.cc("demo", "--tasks", "60", "--until", UNTIL, "--store", self.store)
        with self.server() as server:
            status, page = server.request("GET", "/")
        self.assertEqual(status, 200)
        self.assertIn(b"DEMO", page)

    def test_the_same_seed_is_the_same_history(self):
        lines = []
        for seed, store in ((1, "a"), (1, "b"), (2, "c")):
            path = os.path.join(self.folder, store)
            self.cc("demo", "--tasks", "80", "--projects", "1", "--seed", seed, "--until", UNTIL, "--store", path)
            lines.append(self.cc("logs", '{service="contextcore"}', "--limit", "100000", "--forward", "--store", path).out)
        self.assertEqual(lines[0], lines[1])
        self.assertNotEqual(lines[0], lines[2])

    def test_says_what_is_wrong(self):
        self.cc("demo", "--months", "0", code=2)
        self.cc("demo", "--projects", "-1", code=2)
        self.cc("demo", "--until", "in 3d", code=2)
        self.cc("demo", "--server", "127.0.0.1:1", code=2)
        self.assertFalse(os.path.exists(self.demo))
