#!/usr/bin/env python3
"""What the queries of a Grafana dashboard cost: each one asked of a server that has just started (cold), then again (warm),
with the processor time of the server beside the wall time, since the machine may be busy.

  bench/dashboards.py --store /tmp/history [--dashboard portfolio] [--days 90] [--rounds 3] [--bin build/release/bin]

The store is a demo's, for instance the one that bench/history.py makes.
"""

import argparse
import json
import os
import pathlib
import subprocess
import sys
import tempfile
import time
import urllib.parse

ROOT = pathlib.Path(__file__).resolve().parents[1]
UNTIL_S = 1793491200  # 2026-11-01, where the demo of bench/history.py ends


def processor_seconds(pid):
    fields = pathlib.Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()
    return (int(fields[11]) + int(fields[12])) / os.sysconf("SC_CLK_TCK")


def path_of(row, project, days):
    query = row["query"].replace("$__range", f"{days}d").replace("$project", project)
    begin = UNTIL_S - days * 86400
    if row["language"] == "TraceQL":
        return "/api/search", {"q": query, "start": begin, "end": UNTIL_S, "limit": 200, "spss": 10}
    prefix = "/loki/api/v1" if row["language"] == "LogQL" else "/api/v1"
    if row["instant"]:
        return prefix + "/query", {"query": query, "time": UNTIL_S}
    return prefix + "/query_range", {"query": query, "start": begin, "end": UNTIL_S, "step": 86400, "limit": 200}


def main():
    parser = argparse.ArgumentParser()
    parser.add_argument("--store", required=True)
    parser.add_argument("--dashboard", default="portfolio")
    parser.add_argument("--days", type=int, default=90)
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--bin", default=str(ROOT / "build/release/bin"))
    options = parser.parse_args()
    os.environ["CONTEXTCORE_BIN"] = options.bin
    sys.path.insert(0, str(ROOT / "tests/process"))
    from harness import CLI, Server, clean_environment

    rows = json.loads(subprocess.run([sys.executable, str(ROOT / "grafana/build.py"), "--queries"], check=True,
                                     capture_output=True).stdout)
    rows = [row for row in rows if row["dashboard"] == options.dashboard]
    environment = clean_environment(CONTEXTCORE_STORE=options.store)
    projects = json.loads(subprocess.run([CLI, "--json", "project", "list"], env=environment, check=True,
                                         capture_output=True).stdout)["items"]
    print(f"{sum(item['tasks'] for item in projects)} tasks in {len(projects)} projects; {len(rows)} queries of {options.dashboard}")

    with tempfile.TemporaryDirectory() as folder:
        server = Server(options.store, folder, environment)
        try:
            pid = server.process.pid
            times = {}
            for _ in range(options.rounds + 1):
                for number, row in enumerate(rows):
                    path, parameters = path_of(row, projects[0]["project"], options.days)
                    began, before = time.perf_counter(), processor_seconds(pid)
                    status, body = server.request("GET", f"{path}?{urllib.parse.urlencode(parameters)}", timeout=300)
                    wall, spent = time.perf_counter() - began, processor_seconds(pid) - before
                    if status != 200:
                        raise SystemExit(f"{row['query']}: {status} {body[:300]}")
                    times.setdefault(number, []).append((wall * 1000, spent * 1000))
        finally:
            server.stop()

    print(f"\n{'milliseconds':44} {'cold':>9} {'CPU':>9} {'warm':>9} {'CPU':>9}")
    total = [0.0] * 4
    for number, row in enumerate(rows):
        cold, warm = times[number][0], min(times[number][1:])
        figures = (*cold, *warm)
        total = [a + b for a, b in zip(total, figures)]
        print(f"{row['language'][:7]:8}{row['panel'][:35]:36}" + "".join(f" {figure:9.1f}" for figure in figures))
    print(f"{'all':44}" + "".join(f" {figure:9.1f}" for figure in total))


if __name__ == "__main__":
    sys.exit(main())
