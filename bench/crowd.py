#!/usr/bin/env python3
"""Children of one parent completed by many processes: is the rate flat, however many are done already?

  bench/crowd.py [--children 5000] [--processes 16] [--server] [--bin build/release/bin]

Each process runs the command line (`task complete`) again and again, by itself without a server, or as a client of one.
Prints completions per second of the first, middle and last 1,000 children, and what the parent says in the end.
"""

import argparse
import json
import os
import pathlib
import signal
import subprocess
import sys
import tempfile
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
sys.path.insert(0, str(ROOT / "tests/process"))

# Completes every n-th child and says when each was acknowledged.
WORKER = r"""
import subprocess, sys, time
cli, first, children, step = sys.argv[1], *map(int, sys.argv[2:5])
for number in range(first, children, step):
    while True:
        done = subprocess.run([cli, "task", "complete", f"C-{number}"], stdin=subprocess.DEVNULL, capture_output=True)
        if done.returncode != 6:  # busy for longer than a command waits
            break
    if done.returncode != 0:
        raise SystemExit(done.stderr.decode())
    print(time.monotonic(), flush=True)
"""


def create(cli, environment, children):
    lines = [{"op": "task.create", "args": {"id": "P", "title": "The parent", "type": "epic"}}]
    lines += [{"op": "task.create", "args": {"id": f"C-{n}", "title": f"Child {n}", "parent_id": "P"}} for n in range(children)]
    began = time.monotonic()
    done = subprocess.run([cli, "task", "apply", "-"], env=environment, input="".join(json.dumps(line) + "\n" for line in lines),
                          capture_output=True, text=True)
    if done.returncode != 0:
        raise SystemExit(done.stderr)
    print(f"made {children} children in one transaction: {time.monotonic() - began:.2f} s")


def complete(cli, environment, children, processes, folder):
    outputs = [open(os.path.join(folder, f"worker-{number}"), "w+") for number in range(processes)]
    began = time.monotonic()
    workers = [subprocess.Popen([sys.executable, "-c", WORKER, cli, str(number), str(children), str(processes)],
                                env=environment, stdout=output) for number, output in enumerate(outputs)]
    try:
        for worker in workers:
            if worker.wait() != 0:
                raise SystemExit("a worker failed")
    finally:
        for worker in workers:
            if worker.poll() is None:
                worker.kill()
    times = []
    for output in outputs:
        output.seek(0)
        times += [float(line) for line in output]
        output.close()
    return began, sorted(times)


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--children", type=int, default=5000)
    parser.add_argument("--processes", type=int, default=16)
    parser.add_argument("--server", action="store_true")
    parser.add_argument("--bin", default=str(ROOT / "build/release/bin"))
    arguments = parser.parse_args()
    os.environ["CONTEXTCORE_BIN"] = arguments.bin
    signal.signal(signal.SIGTERM, lambda *_: sys.exit("ended"))  # so that what it started ends, too
    from harness import Server, clean_environment

    with tempfile.TemporaryDirectory() as folder:
        store = os.path.join(folder, "store")
        environment = clean_environment(HOME=folder, CONTEXTCORE_STORE=store, CONTEXTCORE_PROJECT="bench", USER="bench")
        cli = os.path.join(arguments.bin, "contextcore")
        create(cli, environment, arguments.children)
        server = Server(store, folder, environment) if arguments.server else None
        try:
            began, times = complete(cli, environment, arguments.children, arguments.processes, folder)
        finally:
            if server:
                server.stop()
        seconds = times[-1] - began
        print(f"{len(times)} completed by {arguments.processes} processes {'of a server' if server else 'without a server'} "
              f"in {seconds:.1f} s ({len(times) / seconds:.0f}/s)")
        window = min(1000, arguments.children // 3)
        marks = [began, *times]
        for name, start in (("first", 0), ("middle", (len(times) - window) // 2), ("last", len(times) - window)):
            print(f"  {name:6} {window}: {window / (marks[start + window] - marks[start]):7.0f} completions/s")
        shown = json.loads(subprocess.run([cli, "--json", "task", "show", "P"], env=environment, capture_output=True, text=True).stdout)
        print(f"  parent: {shown['subtask_completed']} of {shown['subtask_count']} done, {shown['percent_complete']} %")
        if (shown["subtask_completed"], shown["percent_complete"]) != (arguments.children, 100):
            raise SystemExit("the parent lost an update")


if __name__ == "__main__":
    main()
