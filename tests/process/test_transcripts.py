"""Golden transcripts of the command line: data/cli/*.txt.

A transcript is a store's life from the first command on. Lines that start with `$ ` are commands (without the program's
name, quoted as in a shell); below each stands what it printed, standard error behind `! `, and `[exit N]`. `# ` is a remark.
`% post traces FILE` sends FILE of data/cli/files through a server for a moment; {insight:N} is the id of the Nth insight;
a lone `$` is the program without a command. Commands run in a folder that holds a copy of data/cli/files.

Every transcript is told twice: as people read it (NAME.txt) and with --json (NAME.json.txt, the same commands). Times near
the present, made-up ids, keys of commands and paths are blanked; given times stand as they are.

To add a case, write its `$ ` line into NAME.txt and run with UPDATE_GOLDEN=1: both files are written anew, leaving out
nothing. Read the difference before you commit it.
"""

import datetime
import json
import os
import pathlib
import re
import shlex
import shutil
import unittest

from harness import ProcessTest

DATA = pathlib.Path(__file__).resolve().parent / "data/cli"
UPDATE = bool(os.environ.get("UPDATE_GOLDEN"))

# Commands without a transcript, and where they are tested instead.
ELSEWHERE = {
    "serve": "test_clients.py, test_watch.py: it runs until it is stopped",
    "watch": "test_watch.py: it runs until it is stopped",
    "demo": "test_demo.py: it takes its time",
    "metrics": "test_metrics.py: what it prints depends on the time",
    "report": "test_metrics.py: what it prints depends on the time",
    "run": "test_run.py: what it prints is its command's",
    "traceparent": "test_run.py",
    "task traces": "test_run.py: made-up trace ids and durations",
    "trace task": "test_run.py: made-up trace ids",
    "store verify": "test_store_care.py: what it prints depends on the sizes of files",
    "store backup": "test_store_care.py",
    "store restore": "test_store_care.py",
    "store stats": "test_store_care.py",
    "store retention": "test_store_care.py: its table tells the sizes of files",
    "store compact": "test_store_care.py",
}

TIME_HINT = "2026-11-22T15:24:29Z, 2026-11-22 15:24, 2026-11-22"
TIME = re.compile(r"\d{4}-\d\d-\d\d[T ]\d\d:\d\d(?::\d\d(?:\.\d+)?)?Z?")
MADE_HEX = re.compile(r"\b(?:[0-9a-f]{32}|[0-9a-f]{16})\b")
BLANKED = [
    (re.compile(r"\b[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[0-9a-f]{4}-[0-9a-f]{12}\b"), "<uuid>"),
    (re.compile(r'("observed_timestamp":)"\d+"'), r'\1"<now>"'),
    (re.compile(r'("(?:command_id|store_id)":)"[0-9a-f]{32}"'), r'\1"<key>"'),
    (re.compile(r'("(?:overdue_seconds|idle_seconds|blocked_seconds|age_seconds|duration_ns)":)\d+'), r"\1<n>"),
    (re.compile(r"\b(test|sh)-[0-9a-z]{4,8}\b(?!\.)"), r"\1-<made>"),
    (re.compile(r"\b\d+(?:\.\d+)?(?:s|m|h|d|ms)(?: \d+[smh])? ago\b"), "<age>"),
    (re.compile(r"(?<=  )now(?=  |$)|(?<=\()now(?=\))", re.M), "<age>"),
    # Given times of a transcript lie within some days; what reaches to the present is longer, or has a fraction.
    (re.compile(r"\b\d{2,}d(?: \d+h)?\b"), "<long>"),
    (re.compile(r'("\w+_seconds":)(?:\d{7,}|\d+\.\d+)'), r"\1<n>"),
]


def near(text):
    """A time of this run is blanked, a given one stays."""
    found = text.replace(" ", "T").rstrip("Z")
    found = re.sub(r"(\.\d{6})\d+$", r"\1", found)
    if "." in found:
        whole, part = found.split(".")
        found = f"{whole}.{part:<06}"
    time = datetime.datetime.fromisoformat(found).replace(tzinfo=datetime.timezone.utc)
    return abs(time - datetime.datetime.now(datetime.timezone.utc)) < datetime.timedelta(days=1)


def commands_of(text):
    return [line for line in text.splitlines() if line.startswith(("$ ", "# ", "% ")) or line == "$"]


class Transcripts(ProcessTest):
    def setUp(self):
        super().setUp()
        self.environment.update(TZ="UTC", COLUMNS="160", CONTEXTCORE_SESSION="s-1")
        for key in ("GIT_DIR", "GIT_WORK_TREE", "XDG_DATA_HOME", "XDG_CONFIG_HOME"):
            self.environment.pop(key, None)

    def blank(self, text):
        # The times of the hint on times are fixed, and near the present once.
        text = text.replace(self.folder, "<folder>").replace(TIME_HINT, "<times>")
        text = TIME.sub(lambda found: "<now>" if near(found[0]) else found[0], text)
        for pattern, instead in BLANKED:
            text = pattern.sub(instead, text)
        if "{insight:" in text or "<made>" in text:  # of a made id, other ids are made too
            text = MADE_HEX.sub("<hex>", text)
        return re.sub(r"(?<=\S) {2,}", "  ", text)

    def post(self, words):
        kind, name = words
        with self.server() as server:
            status, body = server.request("POST", f"/v1/{kind}", json.loads((DATA / "files" / name).read_text()))
            self.assertEqual(status, 200, body)

    def insights(self):
        """The ids of the insights, oldest first."""
        answer = self.ccj("insight", "query", "--status", "all", code=None)
        return [item["id"] for item in reversed(answer.json["items"])] if answer.code == 0 else []

    def run_line(self, line, as_json):
        command = line[2:]
        for number, made in enumerate(self.insights() if "insight" in line else [], 1):
            command = command.replace(f"{{insight:{number}}}", made)
        answer = self.cc(*(["--json"] if as_json else []), *shlex.split(command), code=None)
        if "insight" in line:
            for number, made in enumerate(self.insights(), 1):
                answer.out = answer.out.replace(made, f"{{insight:{number}}}")
                answer.err = answer.err.replace(made, f"{{insight:{number}}}")
        out = "".join(f"{one}\n" for one in self.blank(answer.out).splitlines())
        out += "".join(f"! {one}\n" for one in self.blank(answer.err).splitlines())
        return f"{line}\n{out}[exit {answer.code}]\n"

    def replay(self, text, as_json):
        shutil.rmtree(self.folder)
        shutil.copytree(DATA / "files", self.folder)
        told = []
        for line in commands_of(text):
            if line.startswith("% post "):
                self.post(line.split()[2:])
            told.append(self.run_line(line, as_json) if line.startswith("$") else line + "\n")
        return "\n".join(told)

    def check(self, path, script, as_json):
        told = self.replay(script, as_json)
        if UPDATE:
            path.write_text(told)
        else:
            self.assertEqual(told, path.read_text(), f"{path.name}: UPDATE_GOLDEN=1 writes it anew")

    def test_every_transcript_for_people_and_programs(self):
        scripts = sorted(path for path in DATA.glob("*.txt") if not path.name.endswith(".json.txt"))
        self.assertGreater(len(scripts), 3)
        for path in scripts:
            script = path.read_text()
            with self.subTest(path.name):
                self.check(path, script, False)
            with self.subTest(path.stem + ".json.txt"):
                self.check(path.with_suffix(".json.txt"), script, True)

    def leaves(self, words=()):
        """Every command of the help, as its words."""
        listed = re.search(r"(?ms)^Subcommands:\n(.*)\Z", self.cc(*words, "--help").out)
        if not listed:
            return [words]
        found = []
        for name in re.findall(r"(?m)^  ([a-z-]+)", listed[1]):
            found += self.leaves((*words, name)) if " ".join((*words, name)) not in ELSEWHERE else []
        return found

    def test_every_command_has_a_transcript(self):
        told = set()
        for path in DATA.glob("*.txt"):
            for line in path.read_text().splitlines():
                if line.startswith("$ "):
                    words = [word for word in shlex.split(line[2:]) if not word.startswith("-")]
                    told |= {(word,) for word in words} | set(zip(words, words[1:]))
        leaves = self.leaves()
        self.assertGreater(len(leaves), 50)
        self.assertEqual([" ".join(words) for words in leaves if words not in told], [])


if __name__ == "__main__":
    unittest.main()
