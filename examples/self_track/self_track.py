#!/usr/bin/env python3
"""Imports a repository's git history as tasks, so that a project tracks itself.

    examples/self_track/self_track.py [--repository FOLDER] [--project NAME] [--contextcore PROGRAM]

How commits become tasks. Commits are read oldest first, merges left out: what they brought in is there by itself. A task
is a sitting: commits that follow each other, of one author, in one area, none more than --gap (8 hours) after the one
before. The area of a commit is the folder in which it changed most lines (two levels below src/ and tests/, one
elsewhere). Every area is an epic, the parent of its tasks; it stays open.

  id        git-<first commit>, area:<folder>: the same history gives the same tasks
  title     subject of the first commit            type      bug when it begins with "Fix", else task
  assignee  author                                 times     those of the first and the last commit
  commits   one commit.linked event each           status    done, but for a sitting that may still go on

Running it again adds what is new and changes nothing else: what has ended is left alone, a commit that is linked already
is not linked twice. A sitting is ended only once --gap has passed since its last commit, so that no later commit can
belong to it. Where dates step back (after a rebase), a commit counts as of the latest date before it.

Everything goes through `contextcore task apply`, a thousand commands to the transaction, with the times of the commits.
"""

import argparse
import collections
import datetime
import json
import pathlib
import re
import subprocess
import sys

COMMANDS_PER_TRANSACTION = 1000
Commit = collections.namedtuple("Commit", "id time author subject area")


def area_of(changes):
    """The folder with most changed lines; changes: path → lines."""
    lines = collections.Counter()
    for path, count in changes.items():
        parts = pathlib.PurePosixPath(path).parts
        depth = 2 if parts[0] in ("src", "tests") else 1
        lines["/".join(parts[:-1][:depth]) or "."] += count
    return min(lines, key=lambda area: (-lines[area], area)) if lines else "."


def read_commits(repository):
    """Every commit that is no merge, oldest first, at times that never decrease."""
    log = subprocess.run(["git", "-C", repository, "-c", "core.quotePath=false", "log", "--no-merges", "--reverse",
                          "--topo-order", "--no-renames", "--numstat", "--format=%x1e%H%x1f%ct%x1f%an%x1f%s"],
                         check=True, capture_output=True, text=True, errors="replace").stdout
    latest = 0
    for entry in log.split("\x1e")[1:]:
        head, *rows = entry.strip("\n").split("\n")
        commit, seconds, author, subject = head.split("\x1f")
        changes = {}
        for row in rows:
            if fields := re.match(r"(\d+|-)\t(\d+|-)\t(.+)", row):
                changes[fields[3]] = sum(int(n) if n != "-" else 1 for n in fields.groups()[:2])
        latest = max(latest, int(seconds))
        yield Commit(commit, latest, author, subject or commit, area_of(changes))


def sittings(commits, gap_seconds):
    group = []
    for commit in commits:
        last = group[-1] if group else None
        if last and (commit.author, commit.area) == (last.author, last.area) and commit.time - last.time <= gap_seconds:
            group.append(commit)
            continue
        if group:
            yield group
        group = [commit]
    if group:
        yield group


def rfc3339(seconds):
    return datetime.datetime.fromtimestamp(seconds, datetime.timezone.utc).strftime("%Y-%m-%dT%H:%M:%SZ")


def commands_of(group, repository, known, linked, may_go_on):
    """What a sitting adds to the tasks that are known (id → status); linked: task → commits that it has."""
    first, last = group[0], group[-1]
    task, epic = f"git-{first.id[:12]}", f"area:{first.area}"

    def command(op, at, **args):
        return {"op": op, "time": rfc3339(at.time), "args": args}

    if known.get(task) in ("done", "failed", "cancelled"):
        return
    had = set(known)
    if epic not in known:
        known[epic] = "todo"
        yield command("task.import", first, id=epic, title=first.area, type="epic", source="git " + repository)
    if task not in known:
        known[task] = "in_progress"
        yield command("task.import", first, id=task, title=first.subject, parent_id=epic, assignee=first.author,
                      type="bug" if first.subject.startswith("Fix") else "task", source="git " + repository)
        yield command("task.status", first, id=task, status="in_progress")
    has = linked(task) if task in had else set()
    for commit in group:
        if commit.id in has:
            continue
        yield command("task.commit", commit, id=task, commit=commit.id, repository=repository, author=commit.author,
                      message=commit.subject)
    if not may_go_on:
        count = len(group)
        yield command("task.complete", last, id=task, outcome=f"{count} commit" + ("s" if count > 1 else ""))


class ContextCore:
    """The command line program, in the repository's folder."""

    def __init__(self, program, folder, project):
        self.base = [program, "--json", *(["--project", project] if project else [])]
        self.folder = folder

    def __call__(self, *words, text=None):
        done = subprocess.run([*self.base, *words], cwd=self.folder, input=text, capture_output=True, text=True)
        if done.returncode != 0:
            raise SystemExit(f"contextcore {' '.join(words)}: {done.stderr.strip()}")
        return json.loads(done.stdout)

    def known_tasks(self):
        done = subprocess.run([*self.base, "list", "--limit", "1000000"], cwd=self.folder, capture_output=True, text=True)
        if done.returncode == 3:  # no store yet: the first command makes it
            return {}
        if done.returncode != 0:
            raise SystemExit(f"contextcore list: {done.stderr.strip()}")
        return {task["id"]: task["status"] for task in json.loads(done.stdout)["items"]}

    def linked_commits(self, task):
        return {event["commit"] for event in self("show", task)["events"] if event["event"] == "commit.linked"}

    def apply(self, commands):
        """How many of the commands changed something."""
        changed = 0
        for at in range(0, len(commands), COMMANDS_PER_TRANSACTION):
            part = "".join(json.dumps(command) + "\n" for command in commands[at:at + COMMANDS_PER_TRANSACTION])
            changed += sum(result["changed"] for result in self("task", "apply", "-", text=part)["results"])
        return changed


def repository_name(folder):
    url = subprocess.run(["git", "-C", folder, "remote", "get-url", "origin"], capture_output=True, text=True).stdout
    name = re.sub(r"\.git$", "", url.strip().rstrip("/").rpartition("/")[2])
    return name or pathlib.Path(folder).resolve().name


def main():
    parser = argparse.ArgumentParser(description=__doc__.split("\n\n")[0])
    parser.add_argument("--repository", default=".", help="folder of the repository (default: here)")
    parser.add_argument("--project", help="project (default: as contextcore finds it from that folder)")
    parser.add_argument("--contextcore", default="contextcore", help="the program (default: contextcore)")
    parser.add_argument("--gap", type=float, default=8, metavar="HOURS", help="what ends a sitting (default: 8)")
    given = parser.parse_args()
    contextcore = ContextCore(given.contextcore, given.repository, given.project)
    gap_seconds = given.gap * 3600
    name = repository_name(given.repository)
    now = datetime.datetime.now(datetime.timezone.utc).timestamp()
    known = contextcore.known_tasks()
    groups = list(sittings(read_commits(given.repository), gap_seconds))
    commands = []
    for group in groups:
        may_go_on = group is groups[-1] and now - group[-1].time <= gap_seconds
        commands += commands_of(group, name, known, contextcore.linked_commits, may_go_on)
    changed = contextcore.apply(commands)
    print(f"{sum(map(len, groups))} commits in {len(groups)} tasks of {name}; {changed} changes written")
    return 0


if __name__ == "__main__":
    sys.exit(main())
