"""contextcore store verify, backup, restore, stats, retention and compact, on real files and beside a real server."""

import os
import pathlib
import re
import shutil
import threading

from harness import ProcessTest, free_port

KINDS = ("spans", "logs", "work", "commands", "metrics", "mask", "forwards", "digests")


def flip(path, offset):
    with open(path, "r+b") as file:
        file.seek(offset)
        byte = file.read(1)[0]
        file.seek(offset)
        file.write(bytes([byte ^ 0x21]))


class StoreCare(ProcessTest):
    def fill(self, count=20):
        for number in range(count):
            self.cc("task", "create", f"Task {number}", "--id", f"care-{number}")
            self.cc("task", "start", f"care-{number}")
            self.cc("task", "comment", f"care-{number}", "x" * 200)

    def data(self, kind, folder=None):
        return sorted(pathlib.Path(folder or self.store, "data").glob(f"*.{kind}"))

    def cut_store(self):
        """A store with segments: a backup of a served one whose server was told to stop, which cuts."""
        self.environment["CONTEXTCORE_STORE"] = self.store
        # An embedded writer cuts once the log is larger than a megabyte.
        for number in range(6):
            self.cc("task", "create", f"Big {number}", "--id", f"big-{number}", "--description", "d" * 120_000)
        for number in range(6):
            self.cc("task", "comment", f"big-{number}", "c" * 120_000)
        self.assertTrue(self.data("spans"), "a cut was made")

    def test_a_sound_store(self):
        self.fill(3)
        report = self.ccj("store", "verify").json
        self.assertEqual(report["schema"], "contextcore.store_verify/1")
        self.assertTrue(report["sound"], report)
        self.assertGreater(report["frames"], 3)
        text = self.cc("store", "verify").out
        self.assertTrue(text.startswith("sound"), text)

    def test_no_store(self):
        self.cc("store", "verify", code=3)
        self.cc("store", "stats", code=3)
        self.cc("store", "retention", code=3)
        self.cc("store", "backup", os.path.join(self.folder, "b"), code=3)

    def test_damage_is_found_and_named(self):
        self.fill(4)
        self.cut_store()
        self.assertTrue(self.ccj("store", "verify").json["sound"])
        tried = 0
        for kind in KINDS:
            for path in self.data(kind)[:1]:
                for offset in (20, path.stat().st_size // 2, path.stat().st_size - 3):
                    tried += 1
                    flip(path, offset)
                    report = self.ccj("store", "verify", code=1).json
                    flip(path, offset)
                    self.assertIn(str(path), [damage["file"] for damage in report["damages"]], (kind, offset, report))
        self.assertGreater(tried, 8)
        log = sorted(pathlib.Path(self.store, "wal").glob("*.wal"))[0]
        flip(log, 60)
        self.assertIn(str(log), [damage["file"] for damage in self.ccj("store", "verify", code=1).json["damages"]])
        flip(log, 60)
        # A damaged page of work names its tasks.
        flip(self.data("spans")[0], 30)
        text = self.cc("store", "verify", code=1).out
        flip(self.data("spans")[0], 30)
        self.assertRegex(text, r"(row group 0, column \w+|whole rows, block 0), rows 0 to \d+: its checksum does not match")
        self.assertRegex(text, r"of task (care|big)-\d")
        self.assertIn("backup", text)
        self.assertTrue(self.ccj("store", "verify").json["sound"])

    def test_a_damaged_work_table_is_rebuilt(self):
        self.fill(4)
        self.cut_store()
        before = self.ccj("task", "list").json["items"]
        for path in self.data("work"):
            flip(path, 200)
        report = self.ccj("store", "verify", code=1).json
        self.assertTrue(all("remove the file" in damage["remedy"] for damage in report["damages"]), report)
        for path in self.data("work"):
            path.unlink()
        self.assertEqual(self.ccj("task", "list").json["items"], before)
        for number in range(12):
            self.cc("task", "comment", f"big-{number % 6}", "c" * 120_000)  # until the next cut
        self.assertTrue(self.ccj("store", "verify").json["sound"])

    def test_backup_beside_a_server_and_restore(self):
        backup = os.path.join(self.folder, "backup")
        restored = os.path.join(self.folder, "restored")
        with self.server():
            self.fill(4)
            stop = threading.Event()
            made = []

            def write():
                while not stop.is_set():
                    number = len(made)
                    self.cc("task", "create", f"More {number}", "--id", f"more-{number}")
                    made.append(number)

            writer = threading.Thread(target=write)
            writer.start()
            try:
                for turn in range(5):
                    first_of_these = len(made)
                    report = self.ccj("store", "backup", backup).json
                    self.assertEqual(report["added_to"], turn > 0)
                    self.assertTrue(self.ccj("store", "verify", "--store", backup).json["sound"])
                    self.assertTrue(self.ccj("store", "verify").json["sound"])
                    ids = {task["id"] for task in self.ccj("task", "list", "--store", self.copy_of(backup, turn),
                                                           "--limit", 100000).json["items"]}
                    for number in range(first_of_these):
                        self.assertIn(f"more-{number}", ids, "what was acknowledged before the backup is in it")
                    numbers = sorted(int(name.split("-")[1]) for name in ids if name.startswith("more-"))
                    self.assertEqual(numbers, list(range(len(numbers))), "and nothing without what came before it")
            finally:
                stop.set()
                writer.join()
        answer = self.cc("store", "restore", backup, restored)
        self.assertIn("Exports go on from where the backup was", answer.out)
        self.assertTrue(self.ccj("store", "verify", "--store", restored).json["sound"])
        self.cc("task", "complete", "care-1", "--store", restored)
        again = self.cc("store", "restore", backup, restored, code=5)
        self.assertIn("not empty", again.err)
        self.cc("task", "create", "In the backup", "--store", backup)
        refused = self.cc("store", "backup", backup, code=5)
        self.assertIn("written to", refused.err)

    def copy_of(self, backup, turn):
        """Commands may write; the backup itself must stay as it is."""
        copy = os.path.join(self.folder, f"copy-{turn}")
        shutil.copytree(backup, copy)
        return copy

    def test_restore_refuses_a_damaged_backup(self):
        self.cut_store()
        backup = os.path.join(self.folder, "backup")
        restored = os.path.join(self.folder, "restored")
        self.cc("store", "backup", backup)
        path = self.data("spans", backup)[0]
        shutil.copy(path, str(path) + ".copy")  # not the store's own bytes, which a link is
        os.replace(str(path) + ".copy", path)
        flip(path, 40)
        answer = self.cc("store", "restore", backup, restored, code=1)
        self.assertIn("nothing was restored", answer.out)
        self.assertFalse(os.path.exists(restored))
        self.cc("store", "restore", backup, restored, "--damaged", code=1)
        self.assertTrue(os.path.exists(os.path.join(restored, "CURRENT")))
        self.assertTrue(self.ccj("store", "verify").json["sound"])

    def test_stats(self):
        self.fill(3)
        self.cut_store()
        stats = self.ccj("store", "stats").json
        self.assertEqual(stats["schema"], "contextcore.store_stats/1")
        spans = [part for part in stats["segments"] if part["kind"] == "spans" and part["class"] == "work"][0]
        self.assertEqual(sum(column["bytes"] for column in spans["columns"]), spans["bytes"])
        self.assertEqual(spans["bytes"], sum(path.stat().st_size for path in self.data("spans")))
        sizes = [column["bytes"] for column in spans["columns"]]
        self.assertEqual(sizes, sorted(sizes, reverse=True))
        self.assertGreater(stats["work_table"]["rows"], 0)
        text = self.cc("store", "stats").out
        self.assertRegex(text, re.compile(r"^COLUMN +BYTES +PER ROW +SHARE", re.M))
        self.assertIn("whole rows", text)

    def test_compact(self):
        self.cc("store", "compact", code=3)  # there is no store
        self.cut_store()
        with self.server() as server:
            refused = self.cc("store", "compact", code=6)
            self.assertIn(str(server.process.pid), refused.err)
            old = {"traceId": "0" * 31 + "1", "spanId": "0" * 15 + "1", "name": "old", "kind": 1,
                   "startTimeUnixNano": "1600000000000000000", "endTimeUnixNano": "1600000000000000001"}
            status, _ = server.request("POST", "/v1/traces", {"resourceSpans": [{"scopeSpans": [{"spans": [old]}]}]})
            self.assertEqual(status, 200)
        for number in range(8):
            for part in range(10):
                self.cc("task", "comment", "big-0", f"{number}.{part}" + "c" * 120_000)
        before = self.ccj("store", "stats").json
        self.cc("store", "retention", "--server", "127.0.0.1:1", code=2)  # it reads files
        (part,) = self.ccj("store", "retention").json["received"]
        self.assertEqual((part["kind"], part["kept_seconds"], part["tenants"]), ("spans", 14 * 86400, [""]))
        self.assertEqual((part["rows"], part["due_rows"], part["next"]), (1, 1, None))
        words = self.cc("store", "retention").out
        self.assertRegex(words, r"spans +14d +1 +1 .* 2020-09-13 \d\d:\d\d +1 rows +\(default\)")
        self.assertIn("contextcore store compact --expire", words)
        (part,) = self.ccj("store", "retention", environment={"CONTEXTCORE_RETENTION_SPANS": "0"}).json["received"]
        self.assertEqual((part["kept_seconds"], part["due_rows"], part["next"]), (0, 0, None))
        report = self.ccj("store", "compact").json
        self.assertEqual(report["expired_rows"], 0)
        self.assertLess(report["segments"], report["segments_before"] + 2)
        self.assertGreater(report["merges"], 0)
        self.assertEqual(len(self.spans('{ name = "old" }')), 1)
        self.assertEqual(self.ccj("store", "compact", "--expire").json["expired_rows"], 1)
        self.assertEqual(self.spans('{ name = "old" }'), {})
        self.assertIn("Nothing that was received is in files yet", self.cc("store", "retention").out)
        self.assertEqual(self.ccj("store", "stats").json["work_table"]["rows"], before["work_table"]["rows"])
        self.assertTrue(self.ccj("store", "verify").json["sound"])

    def test_expire_waits_for_exports(self):
        exporting = {"CONTEXTCORE_EXPORT_TRACES_ENDPOINT": f"http://127.0.0.1:{free_port()}"}  # nobody answers
        old = {"traceId": "0" * 31 + "1", "spanId": "0" * 15 + "1", "name": "old", "kind": 1,
               "startTimeUnixNano": "1600000000000000000", "endTimeUnixNano": "1600000000000000001"}
        with self.server(environment=exporting) as server:
            status, _ = server.request("POST", "/v1/traces", {"resourceSpans": [{"scopeSpans": [{"spans": [old]}]}]})
            self.assertEqual(status, 200)
            _, metrics = server.request("GET", "/metrics")
            self.assertIn('contextcore_export_overdue_total{destination="traces-', metrics.decode())
        kept = self.ccj("store", "compact", "--expire", environment=exporting).json
        self.assertEqual((kept["expired_rows"], kept["held_segments"]), (0, 1))
        words = self.cc("store", "compact", "--expire", environment=exporting).out
        self.assertIn("1 older segments stay until exports have sent them", words)
        self.assertEqual(len(self.spans('{ name = "old" }')), 1)
        gone = self.ccj("store", "compact", "--expire").json  # the destination is no longer configured
        self.assertEqual((gone["expired_rows"], gone["held_segments"]), (1, 0))
