#!/usr/bin/env python3
"""Writes the dashboards that Grafana reads from their typed source (kit/).

  grafana/build.py            writes dashboards/*.json
  grafana/build.py --check    fails when a file is not what its source says
  grafana/build.py --queries  prints every query as JSON: dashboard, panel, language, query
"""

import json
import pathlib
import sys

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))
from kit import agents, portfolio, project  # noqa: E402

DASHBOARDS = {"portfolio": portfolio.DASHBOARD, "project": project.DASHBOARD, "agents": agents.DASHBOARD}


def main(arguments):
    if arguments == ["--queries"]:
        rows = [{"dashboard": name, "panel": panel.title, "language": type(query).__name__, "query": query.query,
                 "instant": getattr(query, "instant", False)}
                for name, dashboard in DASHBOARDS.items() for panel, query in dashboard.queries()]
        print(json.dumps(rows, indent=1))
        return 0
    if arguments not in ([], ["--check"]):
        print(__doc__, file=sys.stderr)
        return 2
    stale = 0
    for name, dashboard in DASHBOARDS.items():
        path = HERE / "dashboards" / f"{name}.json"
        text = json.dumps(dashboard.json(), indent=2) + "\n"
        if arguments:
            if not path.exists() or path.read_text() != text:
                print(f"{path.relative_to(HERE.parent)} is not what its source says: run grafana/build.py", file=sys.stderr)
                stale += 1
        else:
            path.parent.mkdir(exist_ok=True)
            path.write_text(text)
    return 1 if stale else 0


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
