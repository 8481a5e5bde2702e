#!/usr/bin/env python3
"""The store's budgets on this machine: each row measured through a server of its own and printed beside its target
and beside a bound, measured in the same run: what the machine would need for that alone which nobody can leave out.

  bench/budgets.py [--spans 1000000] [--only ROW ...] [--bin build/release/bin] [--folder DIR] [--json]

Needs the benchmarks: cmake --preset release -DCONTEXTCORE_BENCH=ON && cmake --build --preset release. CPU seconds count,
wall times are those of a shared machine. Rows that other commands measure are named at the end.
"""

import argparse
import contextlib
import http.client
import json
import os
import pathlib
import signal
import statistics
import subprocess
import sys
import tempfile
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/process"))

ELSEWHERE = [
    ("ingest by phase, recovery of a full head, bytes a span", "store_ingest_bench"),
    ("bytes of a JSON line", "store_logs_bench"),
    ("scans by predicate, beside reading memory", "store_rows_bench"),
    ("a trace of 84 spans, a work trace of 2,000 in 20 pieces", "work_trace_bench"),
    ("a simulated week: memory, files, write amplification", "work_soak_bench DIR"),
    ("commands of the command line at 100k tasks; as-of", "bench/cli.py, bench/history.py"),
    ("dashboards over 100k tasks", "bench/dashboards.py"),
]


COMMAND_CONNECTIONS = 32
# What client_ingest_bench draws for each span, in bits: span id 64, a 25th of a trace id 5.1, which span is the parent 3.6, name 5.9,
# kind 1.6, duration 26.3, path 12, client address 12, thread 6, query 3.6, method, status code and status 1.3.
RANDOM_BYTES = 17.7


class Run:
    def __init__(self, arguments):
        import harness
        self.harness = harness
        self.arguments = arguments
        self.rows = []

    @contextlib.contextmanager
    def server(self, *flags, store=None):
        with tempfile.TemporaryDirectory(prefix="contextcore-budgets-", dir=self.arguments.folder) as folder:
            environment = self.harness.clean_environment(HOME=folder)
            server = self.harness.Server(store or os.path.join(folder, "store"), folder, environment, flags)
            server.restart = lambda: self.harness.Server(server.store, folder, environment, flags)
            try:
                yield server
            finally:
                server.stop()

    def row(self, name, figure, target, note="", bound=""):
        self.rows.append({"row": name, "measured": figure, "target": target, "bound": bound, "note": note})
        if not self.arguments.json:
            print(f"{name:52}{figure:>14}   {target:<24}{bound:<36}{note}", flush=True)

    def bench(self, program, *arguments):
        done = subprocess.run([os.path.join(self.arguments.bin, program), *map(str, arguments)], capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"{program}: {done.stderr}")
        return json.loads(done.stdout)

    def send(self, server, spans, rate=0, connections=4, copies=1):
        return self.bench("client_ingest_bench", server.address, spans, rate, connections, copies)


def cpu_of(pid):
    fields = open(f"/proc/{pid}/stat").read().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def cpu_s(server):
    return cpu_of(server.process.pid)


def memory_of(pid, what):
    for line in open(f"/proc/{pid}/status"):
        if line.startswith(what + ":"):
            return int(line.split()[1]) / 1024
    return 0


def memory_mb(server, what="VmRSS"):
    return memory_of(server.process.pid, what)


def metric(server, name):
    for line in server.request("GET", "/metrics")[1].decode().splitlines():
        if line.startswith(name + " "):
            return float(line.split()[1])
    raise SystemExit(f"no {name} in /metrics")


def syncs_ms(folder, times=300):
    """fdatasync of half a kilobyte more, by itself."""
    out = []
    with tempfile.TemporaryFile(dir=folder) as file:
        for _ in range(times):
            file.write(b"x" * 512)
            file.flush()
            began = time.perf_counter()
            os.fdatasync(file.fileno())
            out.append((time.perf_counter() - began) * 1000)
    return sorted(out)


def decoding_cpu_s(run):
    """CPU seconds to decode a million spans of this size and do nothing with them."""
    done = subprocess.run([os.path.join(run.arguments.bin, "store_ingest_bench"), "200000", run.arguments.folder or tempfile.gettempdir()],
                          capture_output=True, text=True, check=True)
    return next(float(line.split("of which decoding")[1].split()[0]) for line in done.stdout.splitlines() if "of which decoding" in line)


def settle(server):
    """Until no cut and no merge is under way or due."""
    calm = 0
    while calm < 5:
        busy = metric(server, "contextcore_store_frozen_rows") + metric(server, "contextcore_store_compaction_pending_rows")
        calm = 0 if busy else calm + 1
        time.sleep(0.3)


def timed_ms(server, path, times=1):
    host, port = server.address.rsplit(":", 1)
    connection = http.client.HTTPConnection(host, int(port), timeout=600)
    out = []
    for _ in range(times):
        began = time.perf_counter()
        connection.request("GET", path)
        response = connection.getresponse()
        body = response.read()
        out.append((time.perf_counter() - began) * 1000)
        if response.status != 200:
            raise SystemExit(f"{path}: {response.status} {body[:200]}")
    return out, body


SEARCH = "/api/search?" + urllib.parse.urlencode({"q": "{ span.http.response.status_code = 500 }", "limit": 20})
RATE = "/api/metrics/query_range?" + urllib.parse.urlencode({"q": "{} | rate() by (resource.service.name)", "since": "1h"})


def ingest(run):
    spans = run.arguments.spans
    with run.server() as server:
        sent = run.send(server, spans)
        settle(server)
        used = cpu_s(server) / (spans / 1e6)
        run.row("durable ingest until idle, CPU-s a million spans", f"{used:.1f}", "5 (stretch 3.5)",
                f"{sent['bytes_per_span']:.0f} B a span, {sent['spans_per_s']:.0f}/s, {sent['refused']} refused",
                f"{decoding_cpu_s(run):.2f} decoding alone")
        run.row("disk after compaction, B a span",
                f"{metric(server, 'contextcore_store_segment_bytes') / spans:.1f}", "75 (aim 50)",
                bound=f"{RANDOM_BYTES:.1f} that are random")
        run.row("peak memory, MB", f"{memory_mb(server, 'VmHWM'):.0f}", "300 at 1M, 500 at 20M")
        answer = json.loads(timed_ms(server, SEARCH)[1])
        trace = "/api/v2/traces/" + answer["traces"][0]["traceID"]
        server.kill()
        began = time.perf_counter()
        for log in pathlib.Path(server.store, "wal").iterdir():
            log.read_bytes()
        log_ms = (time.perf_counter() - began) * 1000
        began = time.perf_counter()
        again = server.restart()
        opened = (time.perf_counter() - began) * 1000
        try:
            run.row("kill -9, open and serve again, ms", f"{opened:.0f}", "1000 with a full head",
                    f"{metric(again, 'contextcore_store_head_span_rows'):.0f} rows replayed", f"{log_ms:.0f} reading the log")
            cold = timed_ms(again, trace)[0][0]
            warm = statistics.median(timed_ms(again, trace, 50)[0])
            bare = statistics.median(timed_ms(again, "/ready", 50)[0])
            run.row("trace by id, ms cold / warm", f"{cold:.1f} / {warm:.2f}", "5 / 1 (84 spans)", "25 spans, HTTP included",
                    f"{bare:.2f} a request for /ready")
            for name, path in (("search, 20 of many", SEARCH), ("rate() by service over an hour", RATE)):
                cold = timed_ms(again, path)[0][0]
                warm = statistics.median(timed_ms(again, path, 10)[0])
                run.row(f"{name}, ms cold / warm", f"{cold:.1f} / {warm:.2f}", "")
        finally:
            again.stop()


def latency(run):
    for rate, target in ((50_000, "10 on one pinned core"), (100_000, "10")):
        alone = syncs_ms(run.arguments.folder)
        with run.server() as server:
            sent = run.send(server, rate * 10, rate)
            run.row(f"p99 acknowledgement at {rate // 1000}k spans/s, ms", f"{sent['p99_ms']:.1f}", target,
                    f"p50 {sent['p50_ms']:.1f}, max {sent['max_ms']:.0f}, {sent['spans_per_s']:.0f}/s, {sent['refused']} refused",
                    f"{alone[len(alone) * 99 // 100]:.1f} (p50 {statistics.median(alone):.1f}) fdatasync alone")


def retries(run):
    spans = run.arguments.spans // 2
    used = []
    for copies in (1, 2):
        with run.server() as server:
            run.send(server, spans, copies=copies)
            settle(server)
            used.append(cpu_s(server) / (spans / 1e6))
    run.row("retry storm: a repeat's CPU beside fresh data", f"{(used[1] - used[0]) / used[0]:.2f}", "1")


def queries(run):
    with run.server() as server:
        run.send(server, 300_000)
        settle(server)
        timed_ms(server, SEARCH, 3)
        idle = statistics.median(timed_ms(server, SEARCH, 50)[0])
        load = subprocess.Popen([os.path.join(run.arguments.bin, "client_ingest_bench"), server.address, "500000", "50000"],
                                stdout=subprocess.DEVNULL)
        time.sleep(4)  # its bodies are made first
        times = []
        while load.poll() is None:
            times += timed_ms(server, SEARCH, 5)[0]
        run.row("search while 50k spans/s come, p50 beside idle", f"{statistics.median(times) / idle:.2f}", "2",
                f"idle {idle:.1f} ms, {len(times)} searches")


def commands(run):
    with run.server() as server:
        done = run.bench("client_commands_bench", server.address, 5000, COMMAND_CONNECTIONS)
        sync = statistics.median(syncs_ms(run.arguments.folder))
        run.row("task commands through a server, claims included, /s", f"{done['commands_per_s']:.0f}", "5000",
                f"p50 {done['p50_ms']:.1f} ms, p99 {done['p99_ms']:.1f} ms, server {cpu_s(server) / done['commands'] * 1e6:.0f} us CPU each",
                f"{COMMAND_CONNECTIONS * 1000 / sync:.0f}: {COMMAND_CONNECTIONS} a sync of {sync:.2f} ms")


def tenants(run):
    from test_received_metrics import write_request
    with run.server() as server:
        host, port = server.address.rsplit(":", 1)
        connection = http.client.HTTPConnection(host, int(port))
        before = memory_mb(server)
        now_ns = str(time.time_ns())
        span = {"traceId": "0" * 31 + "1", "spanId": "0" * 15 + "1", "name": "GET /", "kind": 2, "startTimeUnixNano": now_ns,
                "endTimeUnixNano": now_ns}
        line = {"timeUnixNano": now_ns, "body": {"stringValue": "GET /"}}
        json_type = {"Content-Type": "application/json"}
        sample = write_request({"__name__": "up", "host": "a"}, [(int(time.time() * 1000), 1.0)])
        requests = [
            ("/api/v1/write", sample, {"Content-Type": "application/x-protobuf", "Content-Encoding": "snappy"}),
            ("/v1/traces", json.dumps({"resourceSpans": [{"scopeSpans": [{"spans": [span]}]}]}), json_type),
            ("/v1/logs", json.dumps({"resourceLogs": [{"scopeLogs": [{"logRecords": [line]}]}]}), json_type)]
        for number in range(999):  # and the default one
            for path, body, headers in requests:
                connection.request("POST", path, body, {"X-Scope-OrgID": f"tenant-{number}", **headers})
                response = connection.getresponse()
                response.read()
                if response.status >= 300:
                    raise SystemExit(f"tenant {number}: {path} answered {response.status}")
        grown = memory_mb(server) - before
        server.stop()
        # A cut: it needs the store for itself.
        subprocess.run([os.path.join(run.arguments.bin, "contextcore"), "store", "compact", "--store", server.store], check=True,
                       stdout=subprocess.DEVNULL)
        files = sum(len(names) for _, _, names in os.walk(server.store))
        run.row("1,000 idle tenants, MB", f"{grown:.1f}", "50, no file per tenant",
                f"{files} files in the store after a cut; each had sent a span, a line and a sample")


ROWS = {"ingest": ingest, "latency": latency, "retries": retries, "queries": queries, "commands": commands, "tenants": tenants}


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spans", type=int, default=1_000_000)
    parser.add_argument("--only", nargs="+", choices=ROWS)
    parser.add_argument("--bin", default=str(ROOT / "build/release/bin"))
    parser.add_argument("--folder")
    parser.add_argument("--json", action="store_true")
    arguments = parser.parse_args()
    arguments.bin = os.path.abspath(arguments.bin)
    os.environ["CONTEXTCORE_BIN"] = arguments.bin
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(1))
    run = Run(arguments)
    if not arguments.json:
        print(f"{'row':52}{'measured':>14}   {'target':<24}{'bound':<36}note")
    for name in arguments.only or ROWS:
        ROWS[name](run)
    if arguments.json:
        print(json.dumps(run.rows, indent=1))
    else:
        print("\nmeasured elsewhere:")
        for what, command in ELSEWHERE:
            print(f"  {what}: {command}")


if __name__ == "__main__":
    main()
