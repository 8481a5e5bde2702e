#!/usr/bin/env python3
"""Latency of the command line without a server, on a store of N tasks, beside exec and fdatasync alone.

  bench/cli.py [--tasks 10000] [--runs 200] [--bin build/release/bin]
"""

import argparse
import http.client
import json
import os
import pathlib
import statistics
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/process"))


def fill(server, tasks):
    host, port = server.address.rsplit(":", 1)
    connection = http.client.HTTPConnection(host, int(port))
    began = time.monotonic()
    for number in range(tasks):
        message = {"op": "task.create", "project": "bench", "args": {
            "id": f"B-{number}", "title": f"Task number {number}", "priority": ["critical", "high", "medium", "low"][number % 4],
            "labels": ["bench", f"l{number % 7}"], "description": "What is to be done, in a sentence or two. " * 3}}
        if number % 10:
            message["args"]["parent_id"] = f"B-{number - number % 10}"
        connection.request("POST", "/tracker/v1/commands", json.dumps(message), {"Content-Type": "application/json"})
        response = connection.getresponse()
        body = response.read()
        if response.status != 200:
            raise SystemExit(body.decode())
    seconds = time.monotonic() - began
    print(f"filled {tasks} tasks in {seconds:.1f} s through one connection ({tasks / seconds:.0f}/s)")


def measure(command, environment, runs, make=None):
    times = []
    for number in range(runs):
        arguments = make(number) if make else command
        began = time.perf_counter()
        done = subprocess.run(arguments, env=environment, stdin=subprocess.DEVNULL, capture_output=True)
        times.append((time.perf_counter() - began) * 1000)
        if done.returncode not in (0, 7):
            raise SystemExit(done.stderr.decode())
    times.sort()
    return statistics.median(times), times[int(len(times) * 0.99) - 1]


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--tasks", type=int, default=10000)
    parser.add_argument("--runs", type=int, default=200)
    parser.add_argument("--bin", default=str(ROOT / "build/release/bin"))
    arguments = parser.parse_args()
    os.environ["CONTEXTCORE_BIN"] = arguments.bin
    from harness import Server, clean_environment

    with tempfile.TemporaryDirectory() as folder:
        store = os.path.join(folder, "store")
        environment = clean_environment(HOME=folder, CONTEXTCORE_STORE=store, CONTEXTCORE_PROJECT="bench")
        server = Server(store, folder, environment)
        fill(server, arguments.tasks)
        server.stop()
        cli = os.path.join(arguments.bin, "contextcore")
        middle = arguments.tasks // 2
        rows = [("exec of /bin/true alone", measure(["/bin/true"], environment, arguments.runs))]
        with open(os.path.join(folder, "sync"), "wb") as file:
            times = []
            for _ in range(arguments.runs):
                file.write(b"x" * 512)
                file.flush()
                began = time.perf_counter()
                os.fdatasync(file.fileno())
                times.append((time.perf_counter() - began) * 1000)
            times.sort()
            rows.append(("append of 512 bytes + fdatasync alone", (statistics.median(times), times[int(len(times) * 0.99) - 1])))
        rows += [
            ("contextcore --version", measure([cli, "--version"], environment, arguments.runs)),
            ("task show", measure([cli, "task", "show", f"B-{middle}"], environment, arguments.runs)),
            ("task list", measure([cli, "task", "list"], environment, arguments.runs)),
            ("ready", measure([cli, "ready"], environment, arguments.runs)),
            ("task create", measure(None, environment, arguments.runs, lambda n: [cli, "task", "create", f"New {n}", "--id", f"N-{n}"])),
            ("task start", measure(None, environment, arguments.runs, lambda n: [cli, "task", "start", f"N-{n}"])),
            ("task comment", measure(None, environment, arguments.runs, lambda n: [cli, "task", "comment", f"B-{middle + n}", "a comment"])),
            ("task complete", measure(None, environment, arguments.runs, lambda n: [cli, "task", "complete", f"N-{n}"])),
            ("ready --claim", measure([cli, "ready", "--claim"], environment, arguments.runs)),
        ]
        print(f"\n{arguments.tasks} tasks, no server, {arguments.runs} runs each; milliseconds, started from Python")
        print(f"{'':40} {'p50':>8} {'p99':>8}")
        for name, (p50, p99) in rows:
            print(f"{name:40} {p50:8.2f} {p99:8.2f}")


if __name__ == "__main__":
    main()
