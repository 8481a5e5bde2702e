"""contextcore run: a command in a trace that leads to its task; signals and exit codes pass through."""

import json
import os
import signal
import subprocess
import sys
import time

from harness import CLI, ProcessTest

SHOW = "import json, os; print(json.dumps({k: os.environ.get(k) for k in " \
       "('TRACEPARENT', 'OTEL_RESOURCE_ATTRIBUTES', 'OTEL_EXPORTER_OTLP_ENDPOINT')}))"


class Run(ProcessTest):
    def setUp(self):
        super().setUp()
        self.ccj("task", "start", "T-1", "--title", "Work")
        self.task = self.ccj("task", "show", "T-1").json

    def run_spans(self):
        return list(self.spans('{ name = "contextcore.run" } | select(span.run.command, span.run.exit_code)').values())

    def test_the_command_sees_its_trace_and_the_trace_leads_to_the_task(self):
        seen = json.loads(self.cc("run", "--task", "T-1", "--", sys.executable, "-c", SHOW,
                                  environment={"OTEL_RESOURCE_ATTRIBUTES": "team=a"}).out)
        version, trace_id, span_id, flags = seen["TRACEPARENT"].split("-")
        self.assertEqual((version, flags), ("00", "01"))
        self.assertNotEqual(trace_id, self.task["trace_id"])
        self.assertEqual(seen["OTEL_RESOURCE_ATTRIBUTES"], "team=a,task.id=T-1,project.id=test")
        self.assertIsNone(seen["OTEL_EXPORTER_OTLP_ENDPOINT"])
        span, = self.run_spans()
        self.assertEqual((span["span_id"], span["attributes"]["run.exit_code"]), (span_id, 0))
        found = self.ccj("trace", "task", trace_id).json["items"]
        self.assertEqual([task["id"] for task in found], ["T-1"])
        traces = self.ccj("task", "traces", "T-1").json["items"]
        self.assertEqual([trace["trace_id"] for trace in traces], [trace_id])
        self.assertIn("contextcore.run", self.cc("task", "show", "T-1", "--trace").out)
        self.assertEqual(self.ccj("query", '{ resource.task.id = "T-1" }').lines[0]["trace_id"], trace_id)

    def test_join_puts_it_into_the_tasks_trace(self):
        self.cc("run", "--task", "T-1", "--join", "--", "true")
        self.assertEqual(len(self.spans('{ span.task.id = "T-1" } > { name = "contextcore.run" }')), 1)
        self.assertEqual(self.cc("traceparent", "T-1").out.strip(),
                         f"00-{self.task['trace_id']}-{self.task['span_id']}-01")

    def test_the_exit_code_is_the_commands(self):
        self.cc("run", "--task", "T-1", "--", "sh", "-c", "exit 42", code=42)
        self.assertEqual(self.run_spans()[0]["attributes"]["run.exit_code"], 42)
        self.assertEqual(len(self.spans('{ name = "contextcore.run" && status = error }')), 1)
        self.cc("run", "--task", "T-1", "--", "sh", "-c", "kill -9 $$", code=137)
        self.cc("run", "--task", "T-1", "--", "no-such-program-here", code=127)
        self.cc("run", "--task", "T-9", "--", "true", code=3)
        self.cc("run", "--task", "T-1", code=2)
        self.assertEqual(len(self.run_spans()), 2)
        self.cc("trace", "task", "xyz", code=2)
        self.cc("trace", "task", "0123456789abcdef0123456789abcdef", code=3)

    def test_a_signal_reaches_the_command(self):
        ready = os.path.join(self.folder, "ready")
        process = subprocess.Popen(
            [CLI, "run", "--task", "T-1", "--", "sh", "-c", f"trap 'exit 7' TERM; : >{ready}; while :; do sleep 0.05; done"],
            cwd=self.folder, env=self.environment, stdin=subprocess.DEVNULL)
        deadline = time.monotonic() + 30
        while not os.path.exists(ready) and time.monotonic() < deadline:
            time.sleep(0.01)  # tidy: waiting for a process, bounded
        process.send_signal(signal.SIGTERM)
        self.assertEqual(process.wait(timeout=30), 7)
        self.assertEqual(self.run_spans()[0]["attributes"]["run.exit_code"], 7)

    def test_with_a_server_its_endpoint_is_given(self):
        with self.server() as server:
            seen = json.loads(self.cc("run", "--task", "T-1", "--", sys.executable, "-c", SHOW).out)
            self.assertEqual(seen["OTEL_EXPORTER_OTLP_ENDPOINT"], "http://" + server.address)
            own = {"OTEL_EXPORTER_OTLP_ENDPOINT": "http://example.test:4318"}
            seen = json.loads(self.cc("run", "--task", "T-1", "--", sys.executable, "-c", SHOW, environment=own).out)
            self.assertEqual(seen["OTEL_EXPORTER_OTLP_ENDPOINT"], own["OTEL_EXPORTER_OTLP_ENDPOINT"])
            self.assertEqual(len(self.run_spans()), 2)
