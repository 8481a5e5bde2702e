"""Metrics of others: a stock OpenTelemetry SDK, remote-write by hand, promtool; killed and started again in between."""

import json
import os
import shutil
import struct
import subprocess
import unittest
import urllib.parse

from harness import ProcessTest

PYTHON = os.environ.get("CONTEXTCORE_VENV_PYTHON", "")
PROMTOOL = os.environ.get("CONTEXTCORE_PROMTOOL") or shutil.which("promtool")

SDK = """
import sys, time
from opentelemetry.sdk.metrics import MeterProvider
from opentelemetry.sdk.metrics.export import PeriodicExportingMetricReader
from opentelemetry.sdk.resources import Resource
from opentelemetry.exporter.otlp.proto.http.metric_exporter import OTLPMetricExporter
reader = PeriodicExportingMetricReader(OTLPMetricExporter(), export_interval_millis=3_600_000)
provider = MeterProvider([reader], Resource.create({'service.name': sys.argv[1], 'task.id': 'T-1', 'project.id': 'test'}))
meter = provider.get_meter('test')
counter = meter.create_counter('orders.taken', unit='{order}')
counter.add(10, {'kind': 'a'})
meter.create_gauge('queue.depth').set(7)
histogram = meter.create_histogram('wait.time', unit='s')
for n in range(1, 11):
    histogram.record(n)
assert provider.force_flush()
until = time.time_ns() + 5_000_000  # the next point has another millisecond
while time.time_ns() < until:
    pass
counter.add(20, {'kind': 'a'})
assert provider.force_flush()
provider.shutdown()
"""


def varint(number):
    out = b""
    while number > 127:
        out += bytes([number & 127 | 128])
        number >>= 7
    return out + bytes([number])


def sized(field, data):
    return bytes([field << 3 | 2]) + varint(len(data)) + data


def write_request(labels, samples):
    series = b"".join(sized(1, sized(1, k.encode()) + sized(2, v.encode())) for k, v in labels.items())
    series += b"".join(sized(2, b"\x09" + struct.pack("<d", value) + b"\x10" + varint(time_ms)) for time_ms, value in samples)
    raw = sized(1, series)
    # One literal is a snappy block, too.
    return varint(len(raw)) + bytes([61 << 2]) + struct.pack("<H", len(raw) - 1) + raw


class ReceivedMetrics(ProcessTest):
    def ask(self, server, query, **parameters):
        path = "/api/v1/query?" + urllib.parse.urlencode({"query": query, **parameters})
        status, body = server.request("GET", path)
        self.assertEqual(status, 200, body)
        return json.loads(body)["data"]["result"]

    def value(self, server, query, **parameters):
        result = self.ask(server, query, **parameters)
        self.assertEqual(len(result), 1, f"{query}: {result}")
        return float(result[0]["value"][1])

    @unittest.skipUnless(PYTHON, "CONTEXTCORE_VENV_PYTHON is not set (tests/process/python_package.sh sets it)")
    def test_what_a_stock_sdk_sends_is_asked_after_a_kill(self):
        probe = subprocess.run([PYTHON, "-c", "import opentelemetry.exporter.otlp.proto.http.metric_exporter"], capture_output=True)
        if probe.returncode != 0:
            installed = subprocess.run([PYTHON, "-m", "pip", "install", "--quiet", "opentelemetry-sdk",
                                        "opentelemetry-exporter-otlp-proto-http"], capture_output=True, text=True)
            if installed.returncode != 0:
                self.skipTest("the OpenTelemetry SDK could not be installed: " + installed.stderr[-200:])
        with self.server() as server:
            for job, temporality in (("shop", "cumulative"), ("agent", "delta")):
                done = subprocess.run([PYTHON, "-c", SDK, job], capture_output=True, text=True, timeout=120, env={
                    **self.environment, "OTEL_EXPORTER_OTLP_ENDPOINT": f"http://{server.address}",
                    "OTEL_EXPORTER_OTLP_METRICS_TEMPORALITY_PREFERENCE": temporality})
                self.assertEqual(done.returncode, 0, done.stderr)
                self.assertEqual(done.stderr, "")
            server.kill()
        with self.server() as server:
            for job in ("shop", "agent"):
                of = '{job="%s"}' % job
                self.assertEqual(self.value(server, "orders_taken_total" + of), 30, job)
                self.assertEqual(self.value(server, "queue_depth" + of), 7)
                self.assertEqual(self.value(server, "wait_time_seconds_count" + of), 10)
                self.assertEqual(self.value(server, "histogram_quantile(0.5, wait_time_seconds_bucket%s)" % of), 5)
            # 10, 30 and, at the end, 30 again: half of a mean distance more on either side makes 20 half as much again.
            self.assertAlmostEqual(self.value(server, 'increase(orders_taken_total{job="shop"}[1m])'), 30, delta=0.01)
            self.assertAlmostEqual(self.value(server, 'rate(orders_taken_total{job="shop"}[1m]) * 60'), 30, delta=0.01)
            # Deltas begin with 0 at the start of the first.
            self.assertGreaterEqual(self.value(server, 'increase(orders_taken_total{job="agent"}[1m])'), 30)
            labels = self.ask(server, 'orders_taken_total{job="agent"}')[0]["metric"]
            self.assertEqual(labels["task_id"], "T-1")
            self.assertEqual(labels["kind"], "a")
            info = self.ask(server, 'target_info{job="shop"}')[0]["metric"]
            self.assertEqual(info["telemetry_sdk_language"], "python")
        found = self.ccj("metrics", 'sum(orders_taken_total)').out
        self.assertIn("60", found, "without a server, too")

    def test_remote_write_by_two_processes_any_age_and_promtool(self):
        headers = {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy"}
        year = 31_536_000_000
        now = 1_795_000_000_000
        with self.server() as server:
            for time_ms in (now, now - 3 * year, now - 60_000):
                body = write_request({"__name__": "load", "host": "h1"}, [(time_ms, time_ms / year), (time_ms + 15_000, 1)])
                for _ in range(2):  # a repeat changes nothing
                    status, answer = server.request("POST", "/api/v1/write", body, headers)
                    self.assertEqual((status, answer), (204, b""))
            old = self.ask(server, "load[1m]", time=(now - 3 * year + 30_000) / 1000)
            self.assertEqual([point[0] * 1000 for point in old[0]["values"]], [now - 3 * year, now - 3 * year + 15_000])
            status, body = server.request("POST", "/prometheus/api/v1/write", write_request({"__name__": "task_wip"}, [(now, 1)]), headers)
            self.assertEqual(status, 400)
            self.assertIn(b"belongs to a view", body)
            status, _ = server.request("POST", "/api/v1/write", write_request({"__name__": "load"}, [(now, 5)]),
                                       {**headers, "X-Scope-OrgID": "blue"})
            self.assertEqual(status, 204)
            self.assertEqual(len(self.ask(server, "load", time=now / 1000)), 1, "the other tenant's is not seen")
            if PROMTOOL:
                self.promtool(server, now)
            server.kill()
        # Work goes on beside it without the server, and both are in one answer.
        self.cc("task", "create", "One", "--id", "T-1")
        with self.server() as server:
            self.assertEqual(self.value(server, "count_over_time(load[2m])", time=now / 1000), 3)
            names = json.loads(server.request("GET", "/api/v1/label/__name__/values")[1])["data"]
            self.assertIn("load", names)
            self.assertIn("task_count_by_status", names)

    def promtool(self, server, now):
        def run(*arguments):
            done = subprocess.run([PROMTOOL, "query", *arguments], capture_output=True, text=True, timeout=60)
            self.assertEqual(done.returncode, 0, done.stderr)
            return done.stdout
        url = f"http://{server.address}"
        at = f"{now / 1000:.3f}"
        self.assertIn('load{host="h1"}', run("instant", "--time", at, url, "load"))
        self.assertIn('load{host="h1"}', run("range", "--start", at, "--end", f"{now / 1000 + 60:.3f}", "--step", "15s", url, "load"))
        self.assertIn('{__name__="load", host="h1"}', run("series", "--match", "load", "--start", at, "--end", at, url))
        self.assertIn("h1", run("labels", "--start", at, "--end", at, url, "host"))


if __name__ == "__main__":
    unittest.main()
