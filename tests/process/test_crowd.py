"""Many agents on one store: workers in every worktree of a repository, some killed, some stopped past their lease."""

import collections
import json
import os
import random
import signal
import subprocess
import sys
import time

from harness import CLI, ProcessTest, clean_environment

SCALE = int(os.environ.get("CONTEXTCORE_CROWD_SCALE", "1"))
LEASE_SECONDS = 3
WORKTREES = 8
WORKERS = 12 * SCALE  # of a generation
QUOTA = 4  # tasks that a worker of the first two generations takes
TASKS = 2 * WORKERS * QUOTA + 6

# Claims, does and completes tasks; one line per acknowledged step. Stops itself with a task in hand when told to.
WORKER = r"""
import json, os, signal, subprocess, sys
cli, lease, quota, stop = sys.argv[1], sys.argv[2], int(sys.argv[3]), sys.argv[4] == "stop"
def run(*arguments):
    while True:
        done = subprocess.run([cli, "--json", *arguments], capture_output=True, text=True)
        if done.returncode != 6:  # the store was busy for longer than a command waits
            return done
def say(what, **more):
    print(json.dumps({"what": what, **more}), flush=True)
for _ in range(quota):
    claimed = run("ready", "--claim", "--lease", lease)
    if claimed.returncode == 7:
        break
    assert claimed.returncode == 0, claimed.stderr
    answer = json.loads(claimed.stdout)
    task, token = answer["task"]["id"], answer["token"]
    say("claimed", task=task, lease_end=answer["lease_end"])
    if stop:
        os.kill(os.getpid(), signal.SIGSTOP)
    completed = run("task", "complete", task, "--token", str(token), "--outcome", f"done by {os.getpid()}")
    assert completed.returncode in (0, 4), completed.stderr
    if completed.returncode == 0:
        assert json.loads(completed.stdout)["changed"], completed.stdout
    say("done" if completed.returncode == 0 else "lost", task=task, stopped=stop)
    stop = False
say("end")
"""


class Repository(ProcessTest):
    """A scratch repository with a store in its common directory, and many places to work from."""

    def setUp(self):
        super().setUp()
        self.environment = clean_environment(HOME=self.folder, USER="tester", GIT_CONFIG_NOSYSTEM="1")
        self.main = os.path.join(self.folder, "main")
        self.git("init", "-q", self.main, at=self.folder)
        self.at(self.main, "init", "--local", "crowd")
        self.git("add", ".contextcore.toml")
        self.git("-c", "user.name=tester", "-c", "user.email=tester@example.org", "commit", "-q", "-m", "Name the project")
        self.store = os.path.join(self.main, ".git", "contextcore")
        self.worktrees = [os.path.join(self.folder, f"tree-{number}") for number in range(WORKTREES)]
        for number, path in enumerate(self.worktrees):
            self.git("worktree", "add", "-q", "-b", f"b{number}", path)
        subfolder = os.path.join(self.worktrees[0], "src", "deep")
        os.makedirs(subfolder)
        elsewhere = os.path.join(self.folder, "elsewhere")
        os.makedirs(elsewhere)
        shell = {**self.environment, "CONTEXTCORE_STORE": self.store, "CONTEXTCORE_PROJECT": "crowd", "USER": "second"}
        self.places = [(path, self.environment) for path in [*self.worktrees, subfolder]] + [(elsewhere, shell)]

    def git(self, *arguments, at=None):
        subprocess.run(["git", *arguments], cwd=at or self.main, env=self.environment, check=True, capture_output=True)

    def at(self, place, *arguments, code=0, environment=None):
        done = subprocess.run([CLI, "--json", *arguments], cwd=place, env=environment or self.environment,
                              capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)
        self.assertEqual(done.returncode, code, f"{place} {arguments}: {done.stdout}{done.stderr}")
        return done.stdout

    def cc(self, *arguments, **options):
        return super().cc("--store", self.store, "--project", "crowd", *arguments, **options)

    def apply(self, lines, place=None):
        """Commands in one transaction."""
        text = "".join(json.dumps(line) + "\n" for line in lines)
        done = subprocess.run([CLI, "task", "apply", "-"], cwd=place or self.main, env=self.environment, input=text,
                              capture_output=True, text=True, timeout=60)
        self.assertEqual(done.returncode, 0, done.stderr)

    def open_tasks(self):
        items = json.loads(self.at(self.main, "task", "list", "--limit", "100000"))["items"]
        return {task["id"]: task for task in items if task["status"] != "done"}


class OneStore(Repository):
    def test_worktrees_a_subfolder_and_a_second_users_shell_see_the_same(self):
        for number, (place, environment) in enumerate(self.places):
            self.at(place, "task", "create", f"Made from place {number}", "--id", f"P-{number}", environment=environment)
        for question in (["task", "list"], ["task", "show", "P-3"], ["ready"],
                         ["logs", '{service="contextcore"}', "--forward"],
                         ["query", "{ span.task.status != nil }", "--limit", "1000"]):
            answers = {self.at(place, *question, environment=environment) for place, environment in self.places}
            if question[0] == "query":  # an open span ends now
                answers = {tuple(sorted(span["span_id"] for line in answer.splitlines() for span in json.loads(line)["spans"]))
                           for answer in answers}
            elif question[:2] == ["task", "list"]:
                self.assertEqual(len(json.loads(next(iter(answers)))["items"]), len(self.places))
            self.assertEqual(len(answers), 1, f"{question} is answered differently: {answers}")
        stores = {os.path.realpath(json.loads(self.at(place, "where", environment=environment))["store"])
                  for place, environment in self.places}
        self.assertEqual(stores, {os.path.realpath(self.store)})


class ClaimRace(Repository):
    """Every task is done exactly once, whatever happens to those who do them."""

    def start(self, number, quota, stop=False, lease=f"{LEASE_SECONDS}s"):
        place, environment = self.places[number % len(self.places)]
        output = open(os.path.join(self.folder, f"worker-{len(self.outputs)}.out"), "w+")
        self.outputs.append(output)
        self.addCleanup(output.close)
        worker = subprocess.Popen([sys.executable, "-c", WORKER, CLI, lease, str(quota), "stop" if stop else "go"],
                                  cwd=place, env=environment, stdin=subprocess.DEVNULL, stdout=output, stderr=output,
                                  start_new_session=True)
        worker.output = output
        self.addCleanup(self.end, worker)
        return worker

    @staticmethod
    def end(worker):
        """Of a test that has failed: stopped workers would wait for ever."""
        if worker.poll() is None:
            os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()

    def said(self, output):
        output.seek(0)
        lines = output.read().splitlines()
        self.assertEqual([line for line in lines if not line.startswith("{")], [], "a worker failed")
        return [json.loads(line) for line in lines]

    def wait_for(self, condition, why, seconds=90):
        deadline = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), deadline, why)
            time.sleep(0.005)  # tidy: waiting for processes, bounded

    def kill_some(self, workers):
        """Pulls the plug of each at any moment after its first task; whatever it runs dies with it."""
        generator = random.Random(20261122)
        for worker in workers:
            self.wait_for(lambda w=worker: w.poll() is not None or os.path.getsize(w.output.name) > 0, "nothing was claimed")
            time.sleep(generator.uniform(0, 0.1))  # tidy: anywhere in the next commands
            if worker.poll() is None:
                os.killpg(worker.pid, signal.SIGKILL)
            worker.wait()

    def finish(self, workers):
        for worker in workers:
            worker.wait(timeout=120)
            self.assertIn(worker.returncode, (0, -signal.SIGKILL), worker.output.name)

    def wait_until_leases_are_over(self):
        ends = [task["claim"]["lease_end"] for task in self.open_tasks().values() if task.get("claim")]
        if not ends:
            return
        last = max(ends)
        self.wait_for(lambda: not any(task.get("claim") for task in self.open_tasks().values()),
                      f"a claim lives on after {last}", LEASE_SECONDS + 30)

    def test_killed_and_stopped_workers_leave_nothing_undone_and_nothing_done_twice(self):
        self.outputs = []
        self.apply([{"op": "task.create", "args": {"id": f"T-{number}", "title": f"Task {number}"}} for number in range(TASKS)])

        first = [self.start(number, QUOTA) for number in range(WORKERS)]
        self.kill_some(first[::3])
        self.finish(first)

        second = [self.start(number, QUOTA, stop=number % 3 == 0) for number in range(WORKERS)]
        stopped = second[::3]
        for worker in stopped:
            _, status = os.waitpid(worker.pid, os.WUNTRACED)
            self.assertTrue(os.WIFSTOPPED(status), self.said(worker.output))
        self.finish([worker for worker in second if worker not in stopped])
        self.wait_until_leases_are_over()

        # Nothing is stuck now: one worker that asks once for each task gets everything that is left. Half of the
        # stopped ones come back while it works, the others when all is done.
        last = self.start(0, len(self.open_tasks()) + 1, lease="1h")
        half = len(stopped) // 2
        for worker in stopped[:half]:
            os.killpg(worker.pid, signal.SIGCONT)
        self.finish([last, *stopped[:half]])
        self.assertEqual(self.open_tasks(), {}, "stuck after every lease was over")
        for worker in stopped[half:]:
            os.killpg(worker.pid, signal.SIGCONT)
        self.finish(stopped[half:])

        for worker in stopped:
            came_back = [line for line in self.said(worker.output) if line.get("stopped")]
            self.assertEqual([line["what"] for line in came_back], ["lost"], "completed after its lease")
        self.check()

    def check(self):
        """The log has one completion of each task, by who held the claim, and it is the one that was acknowledged."""
        completed, holders, stolen = collections.Counter(), {}, []
        for labels, line in self.log_lines('{service="contextcore"}'):
            if line["event"] == "task.claimed":
                holders.setdefault(line["task_id"], []).append(line["session_id"])
            elif line["event"] == "task.released" and line["reason"] not in ("ended", "lease_expired"):
                stolen.append(line)
            elif line["event"] == "task.completed":
                completed[line["task_id"]] += 1
        self.assertEqual(completed, collections.Counter({f"T-{number}": 1 for number in range(TASKS)}))
        self.assertEqual(stolen, [])
        told = collections.Counter(line["task"] for output in self.outputs for line in self.said(output) if line["what"] == "done")
        self.assertLessEqual(told.items(), completed.items(), "acknowledged and not in the log, or acknowledged twice")
        again = sum(len(sessions) > 1 for sessions in holders.values())
        self.assertGreater(again, 0, "nobody took over from the stopped and the killed")
        self.assertEqual(self.ccj("rebuild").json["changed"], 0)
        print(f"\n  {len(self.outputs)} workers, {TASKS} tasks, {again} taken over", file=sys.stderr)


# 600 words of different lengths and endings: no text repeats, and none is random noise either.
STEMS = ("build test deploy rewrite measure config server client index table query parse render merge review schedule "
         "migrate cache retry lock queue stream batch export import trace metric alert budget limit token lease claim "
         "branch commit release patch module driver socket buffer kernel thread").split()
WORDS = [stem + ending for stem in STEMS for ending in ("", "s", "ed", "ing", "er", "able", "-free", " again", " first", " later")]


def sentences(generator):
    return " ".join(" ".join(generator.choice(WORDS) for _ in range(generator.randint(6, 14))).capitalize() + "."
                    for _ in range(generator.randint(1, 4)))


class Comments(ProcessTest):
    COUNT = 1000

    def test_a_thousand_comments_cost_at_most_twice_the_bytes_of_their_texts(self):
        generator = random.Random(1)
        texts = [sentences(generator) for _ in range(self.COUNT)]
        with self.server() as server:
            description = " ".join(sentences(generator) for _ in range(60))
            status, answer = server.command("task.create", {"id": "C-1", "title": "Much discussed", "description": description})
            self.assertEqual(status, 200, answer)
            for number, text in enumerate(texts):
                status, answer = server.command("task.comment", {"id": "C-1", "text": text},
                                                session=f"s{number % 7}", command_id=f"{generator.getrandbits(128):032x}")
                self.assertEqual(status, 200, answer)
        # A server that stops leaves no long log behind: everything is in files now.
        data = os.path.join(self.store, "data")
        sizes = {name: os.path.getsize(os.path.join(data, name)) for name in sorted(os.listdir(data))}
        text_bytes = sum(len(text.encode()) for text in texts)
        print(f"\n  {self.COUNT} comments: texts {text_bytes} bytes, data {sum(sizes.values())}: {sizes}", file=sys.stderr)
        self.assertTrue(any(name.endswith(".logs") for name in sizes), sizes)
        written = [line["text"] for _, line in self.log_lines('{service="contextcore"} | json | event="task.commented"')]
        self.assertEqual(written, texts)
        self.assertLessEqual(sum(sizes.values()), 2 * text_bytes)
