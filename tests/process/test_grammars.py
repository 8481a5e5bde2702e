"""Every query of the Grafana kit parses with the grammars that Grafana's own editors use, and the kit's files have the
fields that Grafana and the rulers ask for."""

import json
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

from harness import ROOT

try:
    import yaml
except ImportError:
    yaml = None

GRAFANA = ROOT / "grafana"
PACKAGES = ["@grafana/lezer-traceql@1.0.0", "@grafana/lezer-logql@0.4.2", "@prometheus-io/lezer-promql@0.315.0",
            "@lezer/lr@1.4.10", "@lezer/common@1.5.5", "@lezer/highlight@1.2.3"]
# What Grafana puts in for its variables before a query is parsed.
VARIABLES = {"$__range": "90d", "$__interval": "5m", "$__rate_interval": "5m"}


def kit_queries():
    """Of panels, rules and alerts: language, query."""
    done = subprocess.run([sys.executable, str(GRAFANA / "build.py"), "--queries"], capture_output=True, check=True)
    rows = [(row["language"], row["query"]) for row in json.loads(done.stdout)]
    for language, name in (("LogQL", "loki.yaml"), ("PromQL", "alerts.yaml")):
        for group in read_yaml(GRAFANA / "rules" / name)["groups"]:
            rows += [(language, rule["expr"]) for rule in group["rules"]]
    return rows


def read_yaml(path):
    return yaml.safe_load(path.read_text())


def filled_in(query):
    for name, value in VARIABLES.items():
        query = query.replace(name, value)
    return re.sub(r"\$\w+", "checkout", query)


@unittest.skipUnless(yaml, "PyYAML is not installed")
class Grammars(unittest.TestCase):
    maxDiff = None

    @classmethod
    def setUpClass(cls):
        if shutil.which("npm") is None or shutil.which("node") is None:
            raise unittest.SkipTest("node and npm are not installed")
        cls.folder = tempfile.mkdtemp(prefix="contextcore-grammars-")
        cls.addClassCleanup(shutil.rmtree, cls.folder, ignore_errors=True)
        (pathlib.Path(cls.folder) / "package.json").write_text('{"private": true}')
        try:
            done = subprocess.run(["npm", "install", "--no-audit", "--no-fund", "--ignore-scripts", "--legacy-peer-deps",
                                   "--fetch-retries=1", "--fetch-timeout=30000", *PACKAGES], cwd=cls.folder,
                                  capture_output=True, text=True, timeout=180)
        except subprocess.TimeoutExpired:
            raise unittest.SkipTest("npm could not fetch the grammars in three minutes") from None
        if done.returncode != 0:
            raise unittest.SkipTest("npm could not fetch the grammars: " + done.stderr[-300:])

    def wrong(self, rows):
        queries = [{"language": language, "query": filled_in(query)} for language, query in rows]
        done = subprocess.run(["node", str(ROOT / "tests/process/grammars.mjs")], cwd=self.folder, text=True,
                              input=json.dumps(queries), capture_output=True)
        self.assertEqual(done.returncode, 0, done.stderr)
        return json.loads(done.stdout)

    def test_every_query_of_the_kit_parses(self):
        rows = kit_queries()
        self.assertEqual({language for language, _ in rows}, {"TraceQL", "LogQL", "PromQL"})
        self.assertGreater(len(rows), 60)
        self.assertEqual(self.wrong(rows), [])

    def test_an_error_is_seen(self):
        rows = [("TraceQL", "{ span.a = }"), ("LogQL", '{a="b"} | json |'), ("PromQL", "sum by (a (b)")]
        self.assertEqual([one["language"] for one in self.wrong(rows)], ["TraceQL", "LogQL", "PromQL"])


class Files(unittest.TestCase):
    """What Grafana, Loki's ruler and Prometheus refuse a file for."""

    def test_dashboards_have_what_grafana_asks_for(self):
        uids = set()
        for path in sorted((GRAFANA / "dashboards").glob("*.json")):
            board = json.loads(path.read_text())
            with self.subTest(path=path.name):
                for field in ("uid", "title", "schemaVersion", "panels", "templating", "time", "tags"):
                    self.assertIn(field, board)
                self.assertNotIn(board["uid"], uids)
                uids.add(board["uid"])
                names = {variable["name"] for variable in board["templating"]["list"]}
                ids = []
                for panel in self.panels(board["panels"]):
                    ids.append(panel["id"])
                    self.assertTrue({"type", "title", "gridPos"} <= panel.keys(), panel.get("title"))
                    self.assertTrue({"x", "y", "w", "h"} <= panel["gridPos"].keys())
                    self.assertLessEqual(panel["gridPos"]["x"] + panel["gridPos"]["w"], 24)
                    refs = [target["refId"] for target in panel.get("targets", [])]
                    self.assertEqual(len(refs), len(set(refs)), panel["title"])
                    used = set(re.findall(r"\$\{?([a-z]\w*)", json.dumps(panel.get("targets", []))))
                    self.assertLessEqual(used - {"__range"}, names, panel["title"])
                self.assertEqual(len(ids), len(set(ids)))
        self.assertTrue(uids)

    def panels(self, panels):
        for panel in panels:
            yield panel
            yield from self.panels(panel.get("panels", []))

    @unittest.skipUnless(yaml, "PyYAML is not installed")
    def test_rules_have_what_the_rulers_ask_for(self):
        for name in ("loki.yaml", "alerts.yaml"):
            groups = read_yaml(GRAFANA / "rules" / name)["groups"]
            self.assertEqual(len({group["name"] for group in groups}), len(groups))
            for group in groups:
                self.assertRegex(group["interval"], r"^\d+[smh]$")
                for rule in group["rules"]:
                    with self.subTest(file=name, rule=rule):
                        self.assertEqual(len({"record", "alert"} & rule.keys()), 1)
                        self.assertLessEqual(rule.keys(), {"record", "alert", "expr", "for", "labels", "annotations"})
                        self.assertTrue(rule["expr"].strip())
                        if "record" in rule:
                            self.assertRegex(rule["record"], r"^[a-zA-Z_:][a-zA-Z0-9_:]*$")
                        else:
                            self.assertIn("severity", rule["labels"])
                            self.assertIn("summary", rule["annotations"])

    @unittest.skipUnless(yaml, "PyYAML is not installed")
    def test_provisioning_has_what_grafana_asks_for(self):
        for path in sorted(GRAFANA.glob("**/provisioning/datasources/*.yaml")):
            file = read_yaml(path)
            self.assertEqual(file["apiVersion"], 1)
            sources = file["datasources"]
            self.assertEqual(len({source["uid"] for source in sources}), len(sources))
            for source in sources:
                with self.subTest(path=path, source=source["name"]):
                    self.assertIn(source["type"], ("tempo", "loki", "prometheus"))
                    self.assertTrue({"name", "uid", "url", "access"} <= source.keys())
        for path in sorted(GRAFANA.glob("**/provisioning/dashboards/*.yaml")):
            file = read_yaml(path)
            self.assertEqual(file["apiVersion"], 1)
            for provider in file["providers"]:
                self.assertIn("path", provider["options"])


if __name__ == "__main__":
    unittest.main()
