"""Handing telemetry on: a back end that fails in every way, settle time and lives, dead letters, TLS, secrets."""

import json
import os
import pathlib
import shutil
import subprocess
import time
import unittest

from backend import BackEnd
from harness import ProcessTest

FAST = ["--export-backoff-min", "10ms", "--export-backoff-max", "200ms"]
TASK = "contextcore.task.task"


class ExportTest(ProcessTest):
    def setUp(self):
        super().setUp()
        self.back_end = BackEnd()
        self.addCleanup(lambda: self.back_end.stop())

    def to(self, *signals):
        paths = {"traces": "/v1/traces", "logs": "/v1/logs", "loki": "/loki/api/v1/push",
                 "metrics": "/api/v1/push"}
        out = list(FAST)
        for signal in signals:
            out += [f"--export-{signal}-endpoint", self.back_end.url + paths[signal]]
        return out

    def until(self, condition, what, seconds=120):
        deadline = time.monotonic() + seconds
        while not condition():
            if time.monotonic() > deadline:
                raise AssertionError(f"{what}: not reached; log: {open(self.folder + '/server.log').read()[-3000:]}")
            time.sleep(0.02)  # tidy: waiting for a process, bounded

    def do(self, server, op, **args):
        status, answer = server.command(op, args)
        self.assertEqual(status, 200, answer)
        return answer

    def tasks(self):
        with self.back_end.lock:
            return {key: copies for key, copies in self.back_end.spans.items() if copies[0]["name"] == TASK}

    def status(self):
        return {one["kind"]: one for one in self.ccj("export", "status").json["destinations"]}

    def send_spans(self, server, numbers):
        body = {"resourceSpans": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
                                   "scopeSpans": [{"spans": [
                                       {"traceId": f"{n // 3 + 1:032x}", "spanId": f"{n + 1:016x}", "name": f"GET {n}",
                                        "startTimeUnixNano": str(10**18 + n), "endTimeUnixNano": str(10**18 + n + 5)}
                                       for n in numbers]}]}]}
        self.assertEqual(server.request("POST", "/v1/traces", body)[0], 200)

    def send_logs(self, server, numbers):
        body = {"resourceLogs": [{"resource": {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]},
                                  "scopeLogs": [{"logRecords": [
                                      {"timeUnixNano": str(10**18 + n), "body": {"stringValue": f"line {n}"}}
                                      for n in numbers]}]}]}
        self.assertEqual(server.request("POST", "/v1/logs", body)[0], 200)

    def certificate(self, name):
        key, certificate = (os.path.join(self.folder, name + end) for end in (".key", ".pem"))
        subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes",
                        "-keyout", key, "-out", certificate, "-days", "2", "-subj", "/CN=" + name,
                        "-addext", "subjectAltName=IP:127.0.0.1"], check=True, capture_output=True)
        return certificate, key


class FaultTest(ExportTest):
    def test_everything_arrives_once_whatever_the_back_end_and_we_go_through(self):
        """A back end that is down, slow, resets, answers 429, 500 and partial success; the server killed twice."""
        arguments = self.to("traces", "loki", "logs") + ["--export-settle", "100ms", "--export-batch-items", "7"]
        self.back_end.stop()  # down at first, for many attempts: a day of them
        ended, wanted = set(), 300

        def work(server, numbers):
            for n in numbers:
                answer = self.do(server, "task.create", id=f"T{n}", title=f"task {n}")
                self.do(server, "task.start", id=f"T{n}")
                if n % 3:
                    self.do(server, "task.complete", id=f"T{n}")
                    ended.add(answer["span_id"])
            self.do(server, "insight.emit", type="lesson", summary=f"s {numbers[0]}", confidence=0.5)
            self.send_spans(server, range(numbers[0] * 10, numbers[-1] * 10 + 10))
            self.send_logs(server, range(numbers[0] * 10, numbers[-1] * 10 + 10))

        with self.server(*arguments) as server:
            work(server, range(0, 10))
            # The back end is away, and tasks go on as before.
            self.until(lambda: all(one["failed"] >= 5 for one in self.status().values()), "attempts")
            self.assertEqual({one["state"] for one in self.status().values()}, {"failing"})
            self.back_end.script.extend(["slow", "429", "500", "reset", "ok", "503", "reset", "ok", "slow", "500"] * 3)
            self.back_end.start()
            self.until(lambda: self.back_end.requests["reset"] >= 2, "faults")
            server.kill()
        self.back_end.script.extend(["reset", "ok", "500", "429"] * 3)
        with self.server(*arguments) as server:
            work(server, range(10, 20))
            self.until(lambda: len(self.tasks()) >= 6, "some")
            server.kill()
        with self.server(*arguments) as server:
            work(server, range(20, 30))
            self.until(lambda: len(self.tasks()) == len(ended), "tasks")
            self.until(lambda: sum(1 for s in self.back_end.spans.values() if s[0]["name"].startswith("GET")) == wanted,
                       "received spans")
            events = self.log_lines('{service="contextcore"}')
            self.until(lambda: len(self.back_end.lines) == len(events) + wanted, "lines")
            self.until(lambda: len(self.back_end.records) == len(events) + wanted, "records")
            # Every event is there, word for word, and what is sent twice bears the same id and content.
            found = {copies[0]["metadata"]["event_id"]: copies for copies in self.back_end.lines.values()
                     if copies[0]["labels"]["service_name"] == "contextcore"}
            self.assertEqual(set(found), {labels["event_id"] for labels, _ in events})
            for labels, line in events:
                for copy in found[labels["event_id"]]:
                    self.assertEqual(json.loads(copy["line"]), line)
                    self.assertEqual(copy["metadata"]["trace_id"], labels["trace_id"])
            self.assertEqual(set(self.tasks()), ended)
            for home in (self.back_end.spans, self.back_end.records):
                for copies in home.values():
                    self.assertTrue(all(copy == copies[0] for copy in copies), copies)
            # One span a task, each phase, each insight.
            names = [copies[0]["name"] for copies in self.back_end.spans.values()]
            self.assertEqual(names.count("insight.lesson"), 3)
            self.assertEqual(names.count("contextcore.phase"), 30 + len(ended))
            metrics = server.request("GET", "/metrics")[1].decode()
            self.assertIn('contextcore_export_dead_letters{destination="traces-', metrics)
            self.assertEqual({one["dead_letters"] for one in self.status().values()}, {0})
            self.until(lambda: {one["state"] for one in self.status().values()} == {"idle"}, "rest")
        for word in ("slow", "429", "500", "503", "reset"):
            self.assertGreater(self.back_end.requests[word], 0, word)

    def test_partial_success_leaves_a_letter_that_a_retry_delivers(self):
        with self.server(*self.to("logs")) as server:
            self.back_end.script.append("partial")
            self.send_logs(server, range(5))
            self.until(lambda: self.status()["logs"]["dead_letters"] == 1, "the letter")
            self.assertEqual(len(self.back_end.records), 4)
            letter = self.ccj("export", "status", "--letters").json["destinations"][0]["letters"][0]
            self.assertEqual((letter["refused"], letter["status"], len(letter["items"])), (1, 200, 5))
            self.assertIn("one no", letter["message"])
            self.cc("export", "retry", "logs")
            self.until(lambda: len(self.back_end.records) == 5, "the last one")
            self.until(lambda: self.status()["logs"]["dead_letters"] == 0, "no letter")


class LivesTest(ExportTest):
    def test_undo_and_reopen_within_the_settle_time_leave_one_span(self):
        with self.server(*self.to("traces", "loki"), "--export-settle", "4s") as server:
            span = self.do(server, "task.create", id="A", title="a")["span_id"]
            self.do(server, "task.create", id="B", title="b")
            for task, back in (("A", "task.undo"), ("B", "task.reopen")):
                self.do(server, "task.complete", id=task)
                self.do(server, back, id=task)
                self.do(server, "task.complete", id=task)
            self.until(lambda: len(self.tasks()) == 2, "both")
            # Events do not wait: each is there, of both ends.
            events = self.log_lines('{service="contextcore"}')
            self.until(lambda: len(self.back_end.lines) == len(events), "events")
            names = [json.loads(copies[0]["line"])["event"] for copies in self.back_end.lines.values()]
            self.assertEqual(names.count("task.completed"), 4)
            self.assertEqual({key: len(copies) for key, copies in self.tasks().items() if key == span}, {span: 1})
            # A reopening after it has left: a second life, that says of which it is one.
            self.do(server, "task.reopen", id="A")
            self.do(server, "task.complete", id="A", outcome="at last")
            self.until(lambda: len(self.tasks()) == 3, "the second life")
            second = next(copies[0] for copies in self.tasks().values() if copies[0]["attributes"].get("task.life") == 2)
            self.assertEqual(second["attributes"]["task.id"], "A")
            self.assertEqual(second["attributes"]["task.outcome"], "at last")
            self.assertEqual([link["span_id"] for link in second["links"]], [span])
            self.assertEqual(second["links"][0]["attributes"]["type"], "continues")


class MetricsTest(ExportTest):
    def test_views_are_written_from_the_first_event_on(self):
        """What remote write gets equals what PromQL answers, sample by sample, also through failures."""
        started = time.time()
        self.cc("task", "create", "a", "--id", "A", "--at", "5h ago")
        self.cc("task", "create", "b", "--id", "B", "--at", "4h ago")
        self.cc("task", "complete", "A", "--at", "3h ago")
        self.back_end.script.extend(["500", "429", "ok", "reset", "ok", "500"])
        arguments = [*self.to("metrics"), "--export-batch-items", "50"]
        with self.server(*arguments) as server:
            self.until(lambda: self.back_end.requests["500"] == 2, "faults")
            server.kill()
        with self.server(*arguments) as server:
            self.until(lambda: any(at / 1000 > started - 120 for _, at in list(self.back_end.samples)), "all of it")
            self.until(lambda: self.status()["metrics"]["state"] == "idle", "rest")
            for metric in ("task_completed_total", "task_count_by_status", "task_lead_time_seconds_bucket"):
                sent = {key: copies for key, copies in self.back_end.samples.items()
                        if dict(key[0])["__name__"] == metric}
                self.assertTrue(sent, metric)
                times = [key[1] for key in sent]
                self.assertGreater(max(times) - min(times), 5 * 3600 * 1000 - 180_000, metric)
                status, body = server.request("GET", f"/api/v1/query_range?query={metric}&step=60"
                                                     f"&start={min(times) / 1000}&end={max(times) / 1000}")
                self.assertEqual(status, 200, body)
                asked = {(tuple(sorted(series["metric"].items())), int(float(time) * 1000)): float(value)
                         for series in json.loads(body)["data"]["result"] for time, value in series["values"]}
                self.assertEqual(set(sent), set(asked), metric)
                for key, copies in sent.items():
                    self.assertEqual(set(copies), {asked[key]}, key)


class LetterTest(ExportTest):
    def test_what_is_refused_waits_for_a_retry_and_takes_nothing_with_it(self):
        self.back_end.refuses = lambda item: "line 13" in json.dumps(item)
        with self.server(*self.to("loki")) as server:
            self.send_logs(server, range(50))
            self.until(lambda: len(self.back_end.lines) == 49, "the others")
            self.until(lambda: self.status()["loki"]["dead_letters"] == 1, "the letter")
            self.assertEqual(self.status()["loki"]["state"], "idle")
            self.assertEqual(server.request("POST", "/tracker/v1/export/retry?destination=nowhere")[0], 404)
        # No server: the store tells, and a retry waits for the next one.
        text = self.cc("export", "status", "--letters").out
        self.assertIn("stopped", text)
        self.assertIn("that is bad", text)
        self.assertIn("No server runs", text)
        self.cc("export", "retry", "nowhere", code=3)
        answer = self.ccj("export", "retry").json
        self.assertEqual((answer["schema"], answer["letters"]), ("contextcore.export_retry/1", 1))
        self.back_end.refuses = lambda item: False
        with self.server(*self.to("loki")):
            self.until(lambda: len(self.back_end.lines) == 50, "the last one")
            self.until(lambda: self.status()["loki"]["dead_letters"] == 0, "no letter")

    def test_nothing_is_exported_unless_asked_for(self):
        with self.server() as server:
            self.assertIn("Nothing is exported", self.cc("export", "status").out)
            self.assertEqual(json.loads(server.request("GET", "/tracker/v1/export")[1])["destinations"], [])
        # The other command of that word is as it was.
        self.cc("task", "create", "one", "--id", "A")
        self.assertEqual(self.cc("export").lines[0]["line"]["event"], "task.created")


class SettingTest(ExportTest):
    def test_standard_variables_and_secrets(self):
        environment = {"OTEL_EXPORTER_OTLP_ENDPOINT": self.back_end.url,
                       "OTEL_EXPORTER_OTLP_HEADERS": "api-key=hunter2,x-team=a%20b",
                       "CONTEXTCORE_EXPORT_LOKI_ENDPOINT": self.back_end.url.replace("//", "//me:hunter2@"),
                       "OTEL_EXPORTER_OTLP_COMPRESSION": "none"}
        with self.server(*FAST, environment=environment) as server:
            self.do(server, "task.create", id="A", title="a")
            self.send_spans(server, range(2))
            self.until(lambda: len(self.back_end.spans) == 2 and self.back_end.lines, "both")
            status = self.ccj("export", "status").out
            metrics = server.request("GET", "/metrics")[1].decode()
            self.assertEqual(set(self.status()), {"traces", "loki"})
        shown = self.cc("config", environment=environment).out + self.ccj("config", environment=environment).out
        self.assertIn("OTEL_EXPORTER_OTLP_HEADERS", shown)
        self.assertIn("api-key=…", shown)
        texts = [shown, status, metrics, pathlib.Path(self.folder, "server.log").read_text()]
        texts += [path.read_text() for path in pathlib.Path(self.store, "export").iterdir()]
        for text in texts:
            self.assertNotIn("hunter2", text)
        otlp = next(h for h in self.back_end.headers if h["Content-Type"] == "application/x-protobuf")
        self.assertEqual((otlp["api-key"], otlp["x-team"]), ("hunter2", "a b"))
        self.assertNotIn("Content-Encoding", otlp)
        loki = next(h for h in self.back_end.headers if h["Content-Type"] == "application/json")
        self.assertEqual(loki["Authorization"], "Basic bWU6aHVudGVyMg==")
        self.assertNotIn("api-key", loki)

    def test_settings_of_the_project_file(self):
        def config(**environment):
            return {one["name"]: one for one in self.ccj("config", environment=environment).json["items"]}

        path = pathlib.Path(self.folder, ".contextcore.toml")
        path.write_text('[export]\nsettle = "7m"\nreceived = false\nbatch_items = 9\n'
                        'loki_headers = "a=b"\ncertificate = "ca.pem"\n')
        found = config(CONTEXTCORE_EXPORT_BATCH_ITEMS="8")
        self.assertEqual([found["export." + name]["value"] for name in
                          ("settle", "received", "batch_items", "loki_headers", "certificate", "timeout")],
                         ["7m", "false", "8", "a=…", str(path.parent / "ca.pem"), "10s"])
        self.assertEqual(found["export.settle"]["origin"], str(path))
        self.assertEqual(found["export.batch_items"]["origin"], "CONTEXTCORE_EXPORT_BATCH_ITEMS")
        path.write_text("[export]\nsetle = 1\n")
        self.assertIn("unknown key 'setle' of [export]", self.cc("config", code=2).err)

    def test_settings_that_cannot_be_met_stop_the_start(self):
        for arguments, message in ((["--export-settle", "soon"], "export.settle is not a duration"),
                                   (["--export-endpoint", "nowhere"], "export.endpoint is not an address")):
            done = self.cc("serve", "--listen", "127.0.0.1:0", "--no-otlp-listen", *arguments, code=2)
            self.assertIn(message, done.err)

    def test_a_server_does_not_export_to_itself(self):
        with self.server() as server:
            store_id = json.loads(server.request("GET", "/tracker/v1/server")[1])["store_id"]
            status, body = server.request("POST", "/v1/logs", {"resourceLogs": []},
                                          {"X-ContextCore-Store": store_id})
            self.assertEqual(status, 508, body)


@unittest.skipUnless(shutil.which("openssl"), "needs the openssl program")
class TlsTest(ExportTest):
    def test_tls_with_a_certificate_of_our_own(self):
        mine, other = self.certificate("mine"), self.certificate("other")
        self.back_end.stop()
        self.back_end = BackEnd(certificate=mine)
        with self.server(*self.to("loki"), "--export-certificate", other[0]) as server:
            self.do(server, "task.create", id="A", title="a")
            self.until(lambda: self.status()["loki"]["failed"] >= 2, "refusal")
            self.assertIn("TLS", self.status()["loki"]["last_error"])
            self.assertEqual(self.back_end.lines, {})
        with self.server(*self.to("loki"), "--export-certificate", mine[0]):
            self.until(lambda: len(self.back_end.lines) == 1, "the event")
        done = self.cc("serve", "--listen", "127.0.0.1:0", "--no-otlp-listen", *self.to("loki"),
                       "--export-certificate", mine[1], code=2)
        self.assertIn("is no file of certificates", done.err)


if __name__ == "__main__":
    unittest.main()
