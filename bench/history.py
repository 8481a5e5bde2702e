#!/usr/bin/env python3
"""What questions of the past and single commands cost on a store with years of work: the demo of N tasks (made once and kept
where --store says), the command line without a server. CPU seconds beside wall time: the machine may be busy.

  bench/history.py --store /tmp/history [--tasks 100000] [--runs 20] [--bin build/release/bin]
"""

import argparse
import json
import os
import pathlib
import resource
import statistics
import subprocess
import sys
import time

ROOT = pathlib.Path(__file__).resolve().parents[1]
UNTIL = "2026-11-01T00:00:00Z"


def run(arguments, environment):
    """(wall ms, CPU ms, output)"""
    before = resource.getrusage(resource.RUSAGE_CHILDREN)
    began = time.perf_counter()
    done = subprocess.run(arguments, env=environment, stdin=subprocess.DEVNULL, capture_output=True)
    wall = time.perf_counter() - began
    after = resource.getrusage(resource.RUSAGE_CHILDREN)
    if done.returncode not in (0, 7):
        raise SystemExit(done.stderr.decode())
    cpu = after.ru_utime + after.ru_stime - before.ru_utime - before.ru_stime
    return wall * 1000, cpu * 1000, done.stdout


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--store", required=True)
    parser.add_argument("--tasks", type=int, default=100000)
    parser.add_argument("--runs", type=int, default=20)
    parser.add_argument("--bin", default=str(ROOT / "build/release/bin"))
    options = parser.parse_args()
    cli = os.path.join(options.bin, "contextcore")
    environment = {k: v for k, v in os.environ.items() if not k.startswith("CONTEXTCORE_")} | {"NO_COLOR": "1"}
    if not os.path.exists(options.store):
        wall, cpu, _ = run([cli, "demo", "--tasks", str(options.tasks), "--seed", "42", "--until", UNTIL, "--store",
                            options.store], environment)
        print(f"demo of {options.tasks} tasks: {wall / 1000:.0f} s, {cpu / 1000:.0f} CPU-s")
    size = sum(path.stat().st_size for path in pathlib.Path(options.store, "data").iterdir())
    environment["CONTEXTCORE_STORE"] = options.store
    projects = json.loads(run([cli, "--json", "project", "list"], environment)[2])["items"]
    environment["CONTEXTCORE_PROJECT"] = project = projects[0]["project"]
    tasks = sum(item["tasks"] for item in projects)
    print(f"{tasks} tasks in {len(projects)} projects, {size / 1e6:.0f} MB of data; project {project}: {projects[0]['tasks']} tasks")
    first = json.loads(run([cli, "--json", "task", "list", "--status", "in_progress", "--limit", "1"], environment)[2])
    task = first["items"][0]["id"]

    few = max(3, options.runs // 5)
    questions = [
        ("/bin/true", ["/bin/true"], options.runs),
        ("task show", [cli, "task", "show", task], options.runs),
        ("task comment", [cli, "task", "comment", task, "a comment"], options.runs),
        ("task list, 20 rows", [cli, "task", "list", "--limit", "20"], options.runs),
        ("ready", [cli, "ready"], options.runs),
        ("task history", [cli, "task", "history", task], options.runs),
        ("task show --as-of", [cli, "task", "show", task, "--as-of", "now"], few),
        ("list --as-of, one project", [cli, "task", "list", "--as-of", "2026-09-01T00:00:00Z", "--limit", "1000000"], few),
        ("list --as-of, all projects", [cli, "task", "list", "--all-projects", "--as-of", "2026-09-01T00:00:00Z", "--limit",
                                        "1000000"], few),
        ("diff of a week", [cli, "diff", "--from", "2026-10-01T00:00:00Z", "--to", "2026-10-08T00:00:00Z"], few),
    ]
    print(f"\n{'milliseconds':32} {'p50':>9} {'max':>9} {'CPU p50':>9} {'runs':>5}")
    for name, arguments, runs in questions:
        rows = [run(arguments, environment) for _ in range(runs)]
        walls = sorted(row[0] for row in rows)
        print(f"{name:32} {statistics.median(walls):9.1f} {walls[-1]:9.1f} {statistics.median(r[1] for r in rows):9.1f} {runs:5}")


if __name__ == "__main__":
    sys.exit(main())
