"""kill -9 of the server and of writers under load: nothing acknowledged is lost or doubled, log and span agree,
and a rebuild from the log alone gives the same spans. While a server runs OTLP is sent to it, too, over HTTP and gRPC:
what was acknowledged is there once by the APIs of Tempo and Loki, also when it was sent again after a kill."""

import collections
import json
import os
import random
import signal
import subprocess
import sys
import time

import otlp_sender
from harness import CLI, GRPC, TIER, ProcessTest, Server
from naive_fold import differences, fold

ROUNDS = int(os.environ.get("CONTEXTCORE_CRASH_ROUNDS", {"full": 12, "night": 200}.get(TIER, 12)))

# Creates, moves, comments on and completes tasks; writes a line per acknowledged change.
WRITER = r"""
import json, os, subprocess, sys
cli, name, acks = sys.argv[1], sys.argv[2], open(sys.argv[3], "a", buffering=1)
def run(*arguments):
    done = subprocess.run([cli, *arguments], capture_output=True, text=True)
    if done.returncode == 0:
        acks.write(json.dumps(arguments) + "\n")
    return done.returncode
number = int(sys.argv[4])
while True:
    task = f"{name}-{number}"
    run("task", "create", f"Task {task}", "--id", task)
    run("task", "start", task)
    run("task", "comment", task, f"comment on {task}")
    if number % 3 == 0:
        run("task", "block", task, "--reason", f"reason of {task}")
    else:
        run("task", "complete", task, "--outcome", f"outcome of {task}")
    number += 1
"""


class KillNine(ProcessTest):
    def check(self, acks):
        entries = self.log_lines('{service="contextcore"}')
        seen = {}
        for labels, line in entries:
            key = line["task_id"], line["event"], line.get("text", "")
            seen[key] = seen.get(key, 0) + 1
        wanted = {"create": "task.created", "comment": "task.commented", "block": "task.blocked", "complete": "task.completed"}
        for arguments in acks:
            verb = arguments[1]
            if verb not in wanted:
                continue
            task = arguments[arguments.index("--id") + 1] if verb == "create" else arguments[2]
            text = arguments[3] if verb == "comment" else ""
            self.assertEqual(seen.get((task, wanted[verb], text), 0), 1, f"acknowledged {arguments} is in the log once")
        for key, count in seen.items():
            if key[1] in wanted.values():
                self.assertEqual(count, 1, f"doubled: {key}")
        folded = fold(entries)
        listed = {task["id"]: task for task in self.ccj("task", "list", "--limit", 1000000).json["items"]}
        self.assertEqual(sorted(listed), sorted(task["id"] for task in folded.values()))
        problems = [line for task in folded.values() for line in differences(task, listed[task["id"]])]
        self.assertEqual(problems, [])

    def spans_of_everything(self):
        return self.spans("{ span.project.id = \"test\" } | select(span.task.status, span.task.title, span.task.id, "
                          "span.contextcore.revision, span.phase.status, span.phase.ordinal, status)")

    def wait_for_acks(self, path, wanted=4):
        """Until the writers of this round have had some changes acknowledged."""
        before = os.path.getsize(path) if os.path.exists(path) else 0
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if os.path.exists(path) and os.path.getsize(path) > before + 40 * wanted:
                return
            time.sleep(0.005)
        self.fail("the writers got nothing acknowledged in a minute")

    def check_telemetry(self, senders):
        with self.server() as server:
            tenants = {sender.tenant for sender in senders}
            spans = {tenant: collections.Counter(otlp_sender.stored_spans(server, tenant)) for tenant in tenants}
            lines = {tenant: collections.Counter(otlp_sender.stored_lines(server, tenant)) for tenant in tenants}
            for sender in senders:
                self.assertEqual(sender.refused, 0, sender.name)
                self.assertTrue(sender.acknowledged, sender.name)
                stored = (lines if sender.name.startswith("logs") else spans)[sender.tenant]
                # Also of batches that were written and not answered, whoever made files of them before they came again.
                found = collections.Counter(stored[one] for ids in sender.acknowledged for one in ids)
                self.assertEqual(set(found), {1}, f"{sender.name}: how often items were found: {found}")
            for sender in senders:
                if sender.name.startswith("logs"):
                    continue
                for ids in sender.acknowledged[-20:]:
                    found = otlp_sender.spans_of_trace(server, ids[0][0], sender.tenant)
                    self.assertEqual(len(found), len(ids), f"{sender.name}: trace {ids[0][0]}")
        counts = ", ".join(f"{len(sender.acknowledged)} of {sender.name} ({sender.repeated} sent again)" for sender in senders)
        print(f"\n  acknowledged requests: {counts}", file=sys.stderr)

    def rounds(self, rounds, use_server):
        generator = random.Random(20261122 + rounds)
        acks_path = os.path.join(self.folder, "acks")
        numbers = [0, 0, 0]
        senders = otlp_sender.senders() if use_server else []
        self.cc("task", "create", "Seed", "--id", "seed-0")
        for _ in range(rounds):
            server = None
            if use_server:
                server = Server(self.store, self.folder, self.environment, GRPC)
                addresses = server.address, server.grpc_address()
            for sender in senders:
                sender.start(addresses)
            writers = [subprocess.Popen([sys.executable, "-c", WRITER, CLI, f"w{i}", acks_path, str(numbers[i])],
                                        cwd=self.folder, env=self.environment, stderr=subprocess.DEVNULL,
                                        start_new_session=True) for i in range(3)]
            self.wait_for_acks(acks_path)
            time.sleep(generator.uniform(0, 0.2))  # pull the plug anywhere in the next command
            victims = [("server", server)] * 2 if server else []
            victims += [("writer", w) for w in writers]
            kind, victim = generator.choice(victims)
            if kind == "server":
                victim.kill()
            else:
                os.killpg(victim.pid, signal.SIGKILL)
            time.sleep(0.05)
            for writer in writers:
                if writer.poll() is None:
                    os.killpg(writer.pid, signal.SIGKILL)
                writer.wait()
            if server:
                server.kill()
                server.log.close()
            for sender in senders:
                self.assertTrue(sender.join(), sender.name)
            for index in range(3):
                numbers[index] += 1000
        acks = [json.loads(line) for line in open(acks_path) if line.endswith("\n")]
        self.assertGreater(len(acks), rounds)
        self.check(acks)
        if senders:
            self.check_telemetry(senders)
        before = self.spans_of_everything()
        report = self.ccj("rebuild").json
        self.assertEqual(report["changed"], 0)
        self.assertEqual(self.spans_of_everything().keys(), before.keys())
        print(f"\n  {rounds} rounds, {len(acks)} acknowledged changes, {report['spans']} spans", file=sys.stderr)

    def test_writers_without_a_server(self):
        self.rounds(ROUNDS, use_server=False)

    def test_server_and_writers(self):
        self.rounds(ROUNDS, use_server=True)
