"""scripts/promql-scripts on a script of our own: what passes, what is refused, and that what differs is seen."""

import pathlib
import subprocess
import sys

from harness import ROOT, ProcessTest

SCRIPT = r"""
# Series notation: steps, gaps, repeats, stale markers, special values.
load 1m
  up{job="a"}            0+10x3 _ _x2 7x1 stale
  up{job="b"}            NaN -Inf 1e3-1x2
  {"odd{", "a b"="c"}    1
  native                 {{schema:0 sum:1 count:1}}x3

eval instant at 3m up{job="a"}
  up{job="a"} 30

eval range from 0 to 2m step 1m up{job="b"}
  up{job="b"} NaN -Inf 1000

eval instant at 9m up{job="a"}

eval instant at 2m up{job="a"}[2m]
  expect range vector from 1m to 2m step 1m
  up{job="a"} 10 20

eval_ordered instant at 3m sort_desc(up)
  up{job="b"} 999
  up{job="a"} 30

eval instant at 1m "a\tb"
  expect string "a\tb"

eval instant at 1m 1 + 0x10
  17

eval_fail instant at 3m up + on () up

eval instant at 3m quantile(2, up)
  expect warn msg: PromQL warning: quantile value should be between 0 and 1, got 2 (1:10)
  expect no_info
  {} +Inf

eval instant at 3m sum(native)
  {} {{schema:0 sum:1 count:1}}

clear

# Nothing is left.
eval instant at 1m up

eval instant at 3m limitk(1, up)
"""

WRONG = """
load 1m
  up 1

eval instant at 0 up
  up 2

eval instant at 0 up
  expect fail

eval instant at 0 up
  expect warn
  up 1
"""


class PromqlScripts(ProcessTest):
    def run_script(self, server, name, text):
        folder = pathlib.Path(self.folder, name)
        folder.mkdir()
        (folder / f"{name}.test").write_text(text)
        return subprocess.run([sys.executable, ROOT / "scripts/promql-scripts", folder, f"http://{server.address}"],
                              capture_output=True, text=True, timeout=60)

    def test_passes_refusals_and_differences_are_told_apart(self):
        with self.server() as server:
            good = self.run_script(server, "good", SCRIPT)
            self.assertEqual(good.returncode, 0, good.stdout + good.stderr)
            self.assertIn("of 11 cases without native histograms 10 pass, 1 are refused, 0 differ", good.stdout)
            self.assertIn("| good.test | 10 | 1 | 0 | 0 | 0 | 0 | 0 | 1 |", good.stdout)
            wrong = self.run_script(server, "wrong", WRONG)
            self.assertEqual(wrong.returncode, 1, wrong.stdout + wrong.stderr)
            self.assertIn("of 3 cases without native histograms 0 pass, 0 are refused, 3 differ", wrong.stdout)
            self.assertIn("| wrong.test | 0 | 0 | 2 | 0 | 0 | 1 | 0 | 0 |", wrong.stdout)
