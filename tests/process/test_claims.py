"""Exactly one claim: racing processes, a holder that was stopped past its lease."""

import collections
import json
import os
import signal
import subprocess
import time

from harness import CLI, ProcessTest

RACER = """
import json, subprocess, sys
cli, wins = sys.argv[1], []
while True:
    done = subprocess.run([cli, "--json", "ready", "--claim", "--lease", "1h"], capture_output=True, text=True)
    if done.returncode == 7:
        break
    if done.returncode == 6:
        continue  # the store was busy for longer than a command waits
    assert done.returncode == 0, done.stderr
    wins.append(json.loads(done.stdout)["task"]["id"])
print(json.dumps(wins))
"""


class ClaimRace(ProcessTest):
    def race(self, processes, tasks):
        for number in range(tasks):
            self.cc("task", "create", f"Task {number}", "--id", f"T-{number}")
        # Identical user, agent name and environment on purpose.
        environment = {**self.environment, "CONTEXTCORE_AGENT": "worker"}
        racers = [subprocess.Popen(["python3", "-c", RACER, CLI], env=environment, cwd=self.folder,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) for _ in range(processes)]
        wins = collections.Counter()
        for racer in racers:
            out, err = racer.communicate(timeout=300)
            self.assertEqual(racer.returncode, 0, err)
            wins.update(json.loads(out))
        self.assertEqual(sum(wins.values()), tasks)
        self.assertEqual(max(wins.values()), 1, "a task was handed out twice")
        claimed = [line["task_id"] for _, line in self.log_lines('{service="contextcore"} | json | event="task.claimed"')]
        self.assertEqual(sorted(claimed), sorted(wins))

    def test_64_identical_processes_claim_100_tasks_once_each(self):
        self.race(64, 100)

    def test_the_same_through_a_server(self):
        self.cc("task", "create", "First", "--id", "T-first")
        self.cc("task", "cancel", "T-first")
        with self.server():
            self.race(16, 60)


class StoppedHolder(ProcessTest):
    def test_a_process_stopped_past_its_lease_gets_a_conflict_and_writes_nothing(self):
        self.cc("task", "create", "Slow work", "--id", "S-1")
        script = ("import json, os, signal, subprocess, sys\n"
                  "cli = sys.argv[1]\n"
                  "claim = subprocess.run([cli, '--json', 'task', 'claim', 'S-1', '--lease', '1s'], capture_output=True, text=True)\n"
                  "assert claim.returncode == 0, claim.stderr\n"
                  "token = json.loads(claim.stdout)['task']['claim']['token']\n"
                  "os.kill(os.getpid(), signal.SIGSTOP)\n"
                  "done = subprocess.run([cli, '--json', 'task', 'complete', 'S-1', '--token', str(token)], capture_output=True, text=True)\n"
                  "sys.stderr.write(done.stderr)\n"
                  "sys.exit(done.returncode)\n")
        holder = subprocess.Popen(["python3", "-c", script, CLI], cwd=self.folder, stderr=subprocess.PIPE, text=True,
                                  env={**self.environment, "CONTEXTCORE_AGENT": "slow"})
        _, status = os.waitpid(holder.pid, os.WUNTRACED)
        self.assertTrue(os.WIFSTOPPED(status))
        deadline = time.monotonic() + 30
        while True:  # the lease of one second runs out while the holder is stopped
            taken = self.ccj("task", "claim", "S-1", environment={"CONTEXTCORE_AGENT": "fast"}, code=None)
            if taken.code == 0:
                break
            self.assertEqual(taken.code, 4, taken.err)
            self.assertLess(time.monotonic(), deadline)
        before = self.log_lines('{service="contextcore"}')
        os.kill(holder.pid, signal.SIGCONT)
        error = holder.stderr.read()
        holder.stderr.close()
        self.assertEqual(holder.wait(timeout=30), 4, error)
        self.assertEqual(json.loads(error.splitlines()[-1])["error"]["code"], "conflict")
        self.assertEqual(self.log_lines('{service="contextcore"}'), before)
        shown = self.ccj("task", "show", "S-1").json
        self.assertEqual((shown["status"], shown["claim"]["claimed_by"]), ("in_progress", "fast"))
        released = self.log_lines('{service="contextcore"} | json | event="task.released"')
        self.assertEqual([line["reason"] for _, line in released], ["lease_expired"])
