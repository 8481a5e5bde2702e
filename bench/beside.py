#!/usr/bin/env python3
"""The ingest and disk rows of budgets.py, taken of another receiver of OTLP over HTTP that runs already, such as a Tempo with local
storage: the same spans, sent by the same program.

  bench/beside.py --pid PID --data DIR --address HOST:PORT [--spans 1000000] [--bin build/release/bin] [--idle SECONDS]

Prints CPU seconds a million spans while they are sent and until the process has been idle for some seconds, its peak memory, and the
bytes below DIR per span then. A receiver that flushes late needs a longer --idle.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import time

from budgets import cpu_of, memory_of

ROOT = pathlib.Path(__file__).resolve().parents[1]


def tree_bytes(folder):
    sizes = {}
    for directory, _, names in os.walk(folder):
        size = sum(os.path.getsize(os.path.join(directory, name)) for name in names if os.path.exists(os.path.join(directory, name)))
        top = os.path.relpath(directory, folder).split(os.sep)[0]
        sizes[top] = sizes.get(top, 0) + size
    return sizes


def wait_idle(pid, seconds, longest=900):
    calm, before, began = 0, cpu_of(pid), time.time()
    while calm < seconds and time.time() - began < longest:
        time.sleep(1)
        now = cpu_of(pid)
        calm = calm + 1 if now - before < 0.1 else 0
        before = now


def main():
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--pid", type=int, required=True)
    parser.add_argument("--data", required=True)
    parser.add_argument("--address", required=True)
    parser.add_argument("--spans", type=int, default=1_000_000)
    parser.add_argument("--idle", type=int, default=30)
    parser.add_argument("--bin", default=str(ROOT / "build/release/bin"))
    arguments = parser.parse_args()
    millions = arguments.spans / 1e6
    before = cpu_of(arguments.pid)
    done = subprocess.run([os.path.join(arguments.bin, "client_ingest_bench"), arguments.address, str(arguments.spans)],
                          capture_output=True, text=True)
    if done.returncode != 0:
        sys.exit(done.stderr)
    sent = json.loads(done.stdout)
    during = cpu_of(arguments.pid) - before
    wait_idle(arguments.pid, arguments.idle)
    print(f"sent {sent['spans_per_s']:.0f} spans/s, p50 {sent['p50_ms']:.1f} ms, p99 {sent['p99_ms']:.1f} ms, {sent['refused']} refused and sent again")
    print(f"CPU-s a million spans: {during / millions:.1f} while sending, {(cpu_of(arguments.pid) - before) / millions:.1f} until idle")
    print(f"peak memory: {memory_of(arguments.pid, 'VmHWM'):.0f} MB")
    for name, size in sorted(tree_bytes(arguments.data).items()):
        print(f"{name}: {size / 1e6:.1f} MB, {size / arguments.spans:.1f} B a span")


if __name__ == "__main__":
    main()
