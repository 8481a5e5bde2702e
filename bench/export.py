#!/usr/bin/env python3
"""What handing telemetry on costs local writes: latency of commands through a server without a destination, with one
that takes everything, with one that is slow, and with one that is away. Prints medians and their ratio to the first.

  bench/export.py [--commands 2000] [--bin build/release/bin]
"""

import argparse
import http.client
import json
import os
import pathlib
import statistics
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/process"))


def latencies(server, commands):
    host, port = server.address.rsplit(":", 1)
    connection = http.client.HTTPConnection(host, int(port))
    times = []
    for number in range(commands):
        op, args = [("task.create", {"id": f"B-{number}", "title": f"Task number {number}"}),
                    ("task.complete", {"id": f"B-{number - 1}"})][number % 2]
        message = json.dumps({"op": op, "project": "bench", "args": args})
        began = time.perf_counter()
        connection.request("POST", "/tracker/v1/commands", message, {"Content-Type": "application/json"})
        response = connection.getresponse()
        body = response.read()
        times.append((time.perf_counter() - began) * 1000)
        if response.status != 200:
            raise SystemExit(body.decode())
    return sorted(times)


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--commands", type=int, default=2000)
    parser.add_argument("--bin", default=str(ROOT / "build/release/bin"))
    arguments = parser.parse_args()
    os.environ["CONTEXTCORE_BIN"] = arguments.bin
    import backend
    import harness

    base = None
    print(f"{'back end':12}{'p50 ms':>9}{'p99 ms':>9}{'ratio p50':>11}{'sent':>8}")
    for kind in ("none", "taking", "slow", "away"):
        back_end = backend.BackEnd()
        if kind == "slow":
            back_end.script.extend(["slow"] * 100000)
        if kind == "away":
            back_end.stop()
        export = [] if kind == "none" else ["--export-endpoint", back_end.url, "--export-settle", "0s"]
        with tempfile.TemporaryDirectory(prefix="contextcore-bench-") as folder:
            server = harness.Server(os.path.join(folder, "store"), folder, harness.clean_environment(HOME=folder), export)
            times = latencies(server, arguments.commands)
            server.stop()
        back_end.stop()
        median = statistics.median(times)
        base = base or median
        sent = len(back_end.spans) + len(back_end.records)
        print(f"{kind:12}{median:9.2f}{times[int(len(times) * 0.99) - 1]:9.2f}{median / base:11.2f}{sent:8}")


if __name__ == "__main__":
    main()
