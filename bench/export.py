#!/usr/bin/env python3
"""What handing telemetry on costs local writes: latency of commands through a server without a destination, with one
that takes everything, with one that is slow, and with one that is away. Prints medians and their ratio to the first.
The destination is a process of its own that looks at nothing: a thread beside the clock would hold the interpreter for
5 ms at a time, and its parsing would take a core.

  bench/export.py [--commands 2000] [--bin build/release/bin] [--folder DIR]

A folder in memory (/dev/shm) shows what processors and locks cost, without the noise of a shared disk.
"""

import argparse
import http.client
import json
import multiprocessing
import os
import pathlib
import socketserver
import statistics
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/process"))


class Sink(socketserver.StreamRequestHandler):
    """Answers 200 to whatever comes, after `wait_s`."""

    disable_nagle_algorithm = True
    wait_s = 0
    taken = None  # requests, shared with the measuring process

    def handle(self):
        while self.rfile.readline():
            length = 0
            while (line := self.rfile.readline().strip().lower()):
                if line.startswith(b"content-length:"):
                    length = int(line.split(b":")[1])
            self.rfile.read(length)
            if self.wait_s:
                time.sleep(self.wait_s)
            with self.taken.get_lock():
                self.taken.value += 1
            self.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n")


class Threads(socketserver.ThreadingTCPServer):
    daemon_threads = True
    allow_reuse_address = True


def sink(wait_s, taken, port):
    Sink.wait_s, Sink.taken = wait_s, taken
    with Threads(("127.0.0.1", 0), Sink) as server:
        port.value = server.server_address[1]
        server.serve_forever(0.05)


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
    parser.add_argument("--folder", help="where the stores are made (a temporary folder)")
    arguments = parser.parse_args()
    os.environ["CONTEXTCORE_BIN"] = os.path.abspath(arguments.bin)
    import harness

    base = None
    print(f"{'back end':12}{'p50 ms':>9}{'p99 ms':>9}{'ratio p50':>11}{'requests':>10}")
    for kind in ("none", "taking", "slow", "away"):
        taken, port = multiprocessing.Value("q", 0), multiprocessing.Value("i", 0)
        back_end = multiprocessing.Process(target=sink, args=(0.3 if kind == "slow" else 0, taken, port), daemon=True)
        back_end.start()
        while port.value == 0:
            time.sleep(0.01)
        if kind == "away":
            back_end.kill()
        export = [] if kind == "none" else ["--export-endpoint", f"http://127.0.0.1:{port.value}", "--export-settle", "0s"]
        with tempfile.TemporaryDirectory(prefix="contextcore-bench-", dir=arguments.folder) as folder:
            server = harness.Server(os.path.join(folder, "store"), folder, harness.clean_environment(HOME=folder), export)
            times = latencies(server, arguments.commands)
            server.stop()
        back_end.kill()
        median = statistics.median(times)
        base = base or median
        print(f"{kind:12}{median:9.2f}{times[int(len(times) * 0.99) - 1]:9.2f}{median / base:11.2f}{taken.value:10}")


if __name__ == "__main__":
    main()
