"""The README's tour, replayed: what it prints is what the README says, but for ids and times."""

import os
import re
import subprocess

from harness import BIN, ROOT, ProcessTest


def normal(text):
    text = re.sub(r"\b[0-9a-f]{32}\b", "TRACE", text)
    text = re.sub(r"\b[0-9a-f]{16}\b", "SPAN", text)
    text = re.sub(r"\b(insight|i)-[0-9a-z]+\b", "INSIGHT", text)
    text = re.sub(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(:\d\d(\.\d+)?Z?)?", "TIME", text)
    text = re.sub(r"\"[a-z_]*seconds[a-z_]*\":[0-9.e-]+", '"SECONDS":0', text)
    text = re.sub(r"\bnow\b|\b\d+(\.\d+)?\s?(ns|µs|us|ms|s)( ago)?\b", "DURATION", text)
    text = re.sub(r"/tmp/[^\s]*", "FOLDER", text)
    return re.sub(r"[ \t]+", " ", text).strip()


class Tour(ProcessTest):
    def test_the_readme_tells_the_truth(self):
        self.environment.pop("CONTEXTCORE_PROJECT")
        environment = {**self.environment, "PATH": f"{BIN}:{os.environ['PATH']}"}
        done = subprocess.run([str(ROOT / "scripts/tour")], env=environment, capture_output=True, text=True, timeout=120)
        self.assertEqual(done.returncode, 0, done.stdout + done.stderr)
        readme = (ROOT / "README.md").read_text()
        written = re.search(r"<!-- tour:[^\n]*-->\n```console\n(.*?)```\n<!-- /tour -->", readme, re.S).group(1)
        self.assertEqual(normal(done.stdout).splitlines(), normal(written).splitlines(),
                         "renew the README with scripts/renew-tour")
