#!/usr/bin/env python3
"""A store of 100,000 tasks beside 20 million received spans: opening it, its memory and disk, and the command line without a
server while 1, 8 and 64 writers take turns, with a log just short of a cut.

  bench/large.py [--spans 20000000] [--history STORE] [--folder DIR] [--bin build/release/bin]

Needs the benchmarks (cmake --preset release -DCONTEXTCORE_BENCH=ON) and some 2 GB in the folder. --history: a store that
`contextcore demo --tasks 100000` has made, which is copied; without it one is made, which takes minutes.
"""

import argparse
import concurrent.futures
import json
import os
import pathlib
import shutil
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/process"))
sys.path.insert(0, str(ROOT / "bench"))

# An embedded writer cuts above 2,000 rows and 1 MiB of log. A task that is created takes three rows.
ROWS_BEFORE_A_CUT, BYTES_BEFORE_A_CUT, BYTES_OF_A_TASK = 1900, 980_000, 2600


def timed(arguments, environment):
    began = time.perf_counter()
    done = subprocess.run(arguments, env=environment, stdin=subprocess.DEVNULL, capture_output=True)
    if done.returncode != 0:
        raise SystemExit(f"{' '.join(arguments)}: {done.stderr.decode()}")
    return (time.perf_counter() - began) * 1000


def percentiles(times):
    times = sorted(times)
    return statistics.median(times), times[min(len(times) - 1, int(len(times) * 0.99))]


class Large:
    def __init__(self, arguments, folder):
        import harness
        self.harness = harness
        self.arguments = arguments
        self.folder = folder
        self.store = os.path.join(folder, "store")
        self.cli = os.path.join(arguments.bin, "contextcore")
        self.environment = harness.clean_environment(HOME=folder, CONTEXTCORE_STORE=self.store, CONTEXTCORE_PROJECT="bench")

    def row(self, name, figure, target, note=""):
        print(f"{name:58}{figure:>26}   {target:<26}{note}", flush=True)

    def server(self):
        return self.harness.Server(self.store, self.folder, self.environment)

    def make(self):
        if self.arguments.history:
            shutil.copytree(self.arguments.history, self.store)
        else:
            print("making a history of 100,000 tasks", file=sys.stderr, flush=True)
            subprocess.run([self.cli, "demo", "--store", self.store, "--tasks", "100000", "--seed", "42"], check=True,
                           env=self.environment, stdout=subprocess.DEVNULL)

    def fill(self):
        from budgets import cpu_s, memory_mb, metric, settle
        server = self.server()
        try:
            before = metric(server, "contextcore_store_segment_bytes")
            done = subprocess.run([os.path.join(self.arguments.bin, "client_ingest_bench"), server.address, str(self.arguments.spans)],
                                  capture_output=True, text=True)
            if done.returncode != 0:
                raise SystemExit(done.stderr)
            sent = json.loads(done.stdout)
            settle(server)
            millions = self.arguments.spans / 1e6
            self.row(f"ingest of {millions:g}M spans until idle, CPU-s a million", f"{cpu_s(server) / millions:.1f}", "5",
                     f"{sent['spans_per_s']:.0f}/s, {sent['refused']} refused and sent again")
            self.row("peak memory, MB", f"{memory_mb(server, 'VmHWM'):.0f}", "500")
            after = metric(server, "contextcore_store_segment_bytes")
            self.row("bytes of segments a span", f"{(after - before) / self.arguments.spans:.1f}", "75",
                     f"{before / 1e6:.0f} MB of tasks and their log besides")
        finally:
            server.stop()

    def opening(self):
        exec_alone = percentiles([timed(["/bin/true"], self.environment) for _ in range(20)])[0]
        times = []
        for _ in range(7):
            began = time.perf_counter()
            server = self.server()
            times.append((time.perf_counter() - began) * 1000 - exec_alone)
            server.stop()
        self.row("open and be ready, ms (first / median)", f"{times[0]:.0f} / {statistics.median(times):.0f}", "100",
                 f"beside {exec_alone:.1f} ms of exec; asked every 10 ms")

    def fill_log(self):
        """As much in the log as a writer leaves there."""
        while True:
            with open(os.devnull) as nothing:
                stats = json.loads(subprocess.run([self.cli, "--json", "store", "stats"], env=self.environment, stdin=nothing,
                                                  capture_output=True, check=True).stdout)
            rows, size = stats["head"]["span_rows"] + stats["head"]["log_rows"], stats["log"]["bytes"]
            tasks = min((ROWS_BEFORE_A_CUT - rows) // 3, (BYTES_BEFORE_A_CUT - size) // BYTES_OF_A_TASK)
            if tasks <= 0:
                return f"{rows} rows, {size / 1e3:.0f} kB in the log"
            for number in range(tasks):
                timed([self.cli, "task", "create", f"Filler {number}"], self.environment)

    def commands(self):
        runs = self.arguments.runs
        from budgets import syncs_ms
        alone = percentiles([timed(["/bin/true"], self.environment) for _ in range(runs)])
        sync = percentiles(syncs_ms(self.folder, runs))
        self.row("exec alone, fdatasync alone, ms p50 / p99",
                 f"{alone[0]:.1f}/{alone[1]:.1f}, {sync[0]:.1f}/{sync[1]:.1f}", "")
        note = self.fill_log()
        for name, command in (("show", ["task", "show", self.first_task()]), ("list", ["task", "list"]), ("ready", ["ready"])):
            p50, p99 = percentiles([timed([self.cli, *command], self.environment) for _ in range(runs)])
            self.row(f"command line: {name}, ms p50 / p99", f"{p50:.1f} / {p99:.1f}", "10 / 50", note)
        for writers, target in ((1, "10 / 50"), (8, "10 / 50"), (64, "- / 250")):
            with concurrent.futures.ThreadPoolExecutor(writers) as pool:
                begun = time.perf_counter()
                times = list(pool.map(lambda n: timed([self.cli, "task", "create", f"Task {n}"], self.environment),
                                      range(max(runs, writers * 10))))
                seconds = time.perf_counter() - begun
            p50, p99 = percentiles(times)
            self.row(f"command line: create, {writers} writers, ms p50 / p99", f"{p50:.1f} / {p99:.1f}", target,
                     f"{len(times) / seconds:.0f} commands/s with the starting of processes")

    def first_task(self):
        done = subprocess.run([self.cli, "--json", "task", "create", "One to show"], env=self.environment, stdin=subprocess.DEVNULL,
                              capture_output=True, check=True)
        return json.loads(done.stdout)["task"]["id"]


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--spans", type=int, default=20_000_000)
    parser.add_argument("--history")
    parser.add_argument("--folder")
    parser.add_argument("--runs", type=int, default=100)
    parser.add_argument("--bin", default=str(ROOT / "build/release/bin"))
    arguments = parser.parse_args()
    arguments.bin = os.path.abspath(arguments.bin)
    os.environ["CONTEXTCORE_BIN"] = arguments.bin
    with tempfile.TemporaryDirectory(prefix="contextcore-large-", dir=arguments.folder) as folder:
        large = Large(arguments, folder)
        large.make()
        print(f"{'row':58}{'measured':>26}   {'target':<26}note")
        large.fill()
        os.sync()  # what was copied and is not written yet would make whoever syncs next wait for all of it
        large.opening()
        large.commands()


if __name__ == "__main__":
    sys.exit(main())
