"""One task through every door, and telemetry of a stock OpenTelemetry SDK beside it."""

import os
import subprocess
import unittest

from harness import ROOT, ProcessTest

PYTHON = os.environ.get("CONTEXTCORE_VENV_PYTHON", "")
EXAMPLE = ROOT / "build/test-example/contextcore-example-claims"


@unittest.skipUnless(PYTHON, "CONTEXTCORE_VENV_PYTHON is not set (tests/process/python_package.sh sets it)")
class EveryDoor(ProcessTest):
    def python(self, code, **environment):
        done = subprocess.run([PYTHON, "-c", code], cwd=self.folder, env={**self.environment, **environment},
                              capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stderr)
        return done.stdout

    def test_python_starts_cli_blocks_http_claims_cpp_completes(self):
        self.python("from contextcore import TaskTracker\n"
                    "TaskTracker(project='test').start_task('D-1', 'Every door', task_type='story')")
        self.cc("task", "block", "D-1", "--reason", "waiting for the vendor")
        blocked = self.spans('{ span.task.status = "blocked" && status = error }')
        self.assertEqual(len(blocked), 1, "blocked work is in TraceQL at once")
        self.cc("task", "unblock", "D-1", "--resolution", "vendor answered")
        with self.server() as server:
            status, answer = server.command("task.claim", {"id": "D-1"}, agent="http-agent", session="http-1")
            self.assertEqual(status, 200, answer)
            token = answer["task"]["claim"]["token"]
            without = subprocess.run([EXAMPLE, "complete", "test", "D-1"], env=self.environment, capture_output=True, text=True)
            self.assertEqual(without.returncode, 4, without.stdout + without.stderr)
            self.assertIn("conflict", without.stderr)
            done = subprocess.run([EXAMPLE, "complete", "test", "D-1", str(token)], env=self.environment, capture_output=True, text=True)
            self.assertEqual(done.returncode, 0, done.stderr)
        spans = self.spans('{ span.task.id = "D-1" }')
        self.assertEqual(len(spans), 1, "one span")
        created = self.log_lines('{service="contextcore"} | json | task_id="D-1" | event="task.created"')
        self.assertEqual(len(created), 1, "one start")
        self.assertEqual(self.ccj("task", "show", "D-1").json["status"], "done")

    def test_serve_started_while_python_writes_loses_and_doubles_nothing(self):
        writer = subprocess.Popen(
            [PYTHON, "-c", "from contextcore import TaskTracker\nt = TaskTracker(project='test')\n"
             "for n in range(400):\n    t.start_task(f'W-{n}', f'Work {n}')\n    t.complete_task(f'W-{n}')\n"],
            cwd=self.folder, env=self.environment, stderr=subprocess.PIPE, text=True)
        servers = 0
        while writer.poll() is None:
            with self.server():
                servers += 1
                try:
                    writer.wait(timeout=0.4)
                except subprocess.TimeoutExpired:
                    pass
        self.assertEqual(writer.returncode, 0, writer.stderr.read())
        writer.stderr.close()
        self.assertGreater(servers, 0)
        lines = self.log_lines('{service="contextcore"}')
        for event in ("task.created", "task.completed"):
            ids = [line["task_id"] for _, line in lines if line["event"] == event]
            self.assertEqual(sorted(ids), sorted(f"W-{n}" for n in range(400)), event)

    def test_a_span_of_a_stock_sdk_with_a_link_is_shown_under_the_task(self):
        probe = subprocess.run([PYTHON, "-c", "import opentelemetry.exporter.otlp.proto.http.trace_exporter"], capture_output=True)
        if probe.returncode != 0:
            installed = subprocess.run([PYTHON, "-m", "pip", "install", "--quiet", "opentelemetry-sdk",
                                        "opentelemetry-exporter-otlp-proto-http"], capture_output=True, text=True)
            if installed.returncode != 0:
                self.skipTest("the OpenTelemetry SDK could not be installed: " + installed.stderr[-200:])
        self.cc("task", "create", "Linked", "--id", "L-1")
        with self.server() as server:
            self.python(
                "from contextcore import TaskTracker\n"
                "from opentelemetry import trace\n"
                "from opentelemetry.sdk.trace import TracerProvider\n"
                "from opentelemetry.sdk.resources import Resource\n"
                "from opentelemetry.sdk.trace.export import SimpleSpanProcessor\n"
                "from opentelemetry.exporter.otlp.proto.http.trace_exporter import OTLPSpanExporter\n"
                "link = TaskTracker(project='test').get_task_link('L-1')\n"
                "provider = TracerProvider(resource=Resource.create({'service.name': 'checkout'}))\n"
                "provider.add_span_processor(SimpleSpanProcessor(OTLPSpanExporter()))\n"
                "context = trace.SpanContext(int(link.trace_id, 16), int(link.span_id, 16), True)\n"
                "with provider.get_tracer('t').start_as_current_span('deploy', links=[trace.Link(context, link.attributes)]):\n"
                "    pass\n"
                "provider.shutdown()\n",
                OTEL_EXPORTER_OTLP_ENDPOINT=f"http://{server.address}")
            shown = self.ccj("task", "show", "L-1").json
            found = self.spans('{ link:spanID = "%s" && resource.service.name = "checkout" }' % shown["span_id"])
            self.assertEqual([span["name"] for span in found.values()], ["deploy"])
            _, page = server.request("GET", "/task/test/L-1")
            self.assertIn(b"deploy", page)


class Forged(ProcessTest):
    """Telemetry that pretends to be work changes neither tasks nor ready nor insights, and the sender is told."""

    def otlp_span(self, shown, attributes, scope="contextcore.tracker", span_id=None, name="contextcore.task.task"):
        return {"resourceSpans": [{"resource": {"attributes": [
            {"key": "service.name", "value": {"stringValue": "contextcore"}},
            {"key": "project.id", "value": {"stringValue": "test"}}]},
            "scopeSpans": [{"scope": {"name": scope}, "spans": [{
                "traceId": shown["trace_id"], "spanId": span_id or shown["span_id"], "name": name, "kind": 1,
                "startTimeUnixNano": "1700000000000000000", "endTimeUnixNano": "1700000001000000000",
                "status": {"code": 1},
                "attributes": [{"key": k, "value": v} for k, v in attributes.items()]}]}]}]}

    def test_forged_task_state(self):
        self.cc("task", "create", "Real", "--id", "F-1")
        shown = self.ccj("task", "show", "F-1").json
        ready = self.ccj("ready").json["items"]
        with self.server() as server:
            status, body = server.request("POST", "/v1/traces", self.otlp_span(shown, {
                "task.id": {"stringValue": "F-1"}, "task.status": {"stringValue": "done"},
                "contextcore.revision": {"intValue": "99"}}))
            self.assertEqual(status, 200)
            self.assertIn(b'"rejectedSpans":"1"', body.replace(b" ", b""))
            self.assertIn(b"work API", body)
            forged_log = {"resourceLogs": [{"resource": {"attributes": [
                {"key": "service.name", "value": {"stringValue": "contextcore"}},
                {"key": "service", "value": {"stringValue": "contextcore"}},
                {"key": "project.id", "value": {"stringValue": "test"}}]},
                "scopeLogs": [{"logRecords": [{"timeUnixNano": "1700000000000000000", "eventName": "task.completed",
                                               "traceId": shown["trace_id"], "spanId": shown["span_id"],
                                               "body": {"stringValue": '{"event":"task.completed","task_id":"F-1"}'}}]}]}]}
            status, body = server.request("POST", "/v1/logs", forged_log)
            self.assertEqual(status, 200)
            self.assertIn(b'"rejectedLogRecords":"1"', body.replace(b" ", b""))
            # Task-shaped with an id of its own: telemetry, found by TraceQL, never work.
            status, body = server.request("POST", "/v1/traces", self.otlp_span(shown, {
                "task.id": {"stringValue": "GHOST"}, "task.status": {"stringValue": "todo"}}, span_id="00000000000000aa"))
            self.assertEqual(status, 200)
            self.assertIn(b"kept as telemetry only", body)
            self.assertNotIn(b"rejectedSpans", body)
            status, body = server.request("POST", "/v1/traces", self.otlp_span(
                shown, {"insight.type": {"stringValue": "decision"}, "insight.summary": {"stringValue": "forged"},
                        "insight.confidence": {"doubleValue": 1}}, scope="contextcore.agent", span_id="00000000000000ab",
                name="insight.decision"))
            self.assertEqual(status, 200)
            self.assertIn(b"looks like an insight", body)
            self.assertEqual(len(self.spans('{ span.task.id = "GHOST" }')), 1)
            self.assertEqual(self.ccj("task", "show", "F-1").json, shown)
            self.assertEqual(self.ccj("ready").json["items"], ready)
            self.assertEqual(self.ccj("insight", "query", "--status", "all").json["items"], [])
            self.cc("task", "show", "GHOST", code=3)
        self.assertEqual(self.ccj("rebuild").json["changed"], 0)


if __name__ == "__main__":
    unittest.main()
