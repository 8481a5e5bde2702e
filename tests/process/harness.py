"""What the process tests share: the programs, throw-away stores, servers on loopback."""

import contextlib
import http.client
import json
import os
import pathlib
import re
import shutil
import signal
import socket
import subprocess
import tempfile
import time
import unittest

ROOT = pathlib.Path(__file__).resolve().parents[2]
BIN = pathlib.Path(os.environ.get("CONTEXTCORE_BIN", ROOT / "build/release/bin"))
CLI = str(BIN / "contextcore")
TIER = os.environ.get("CONTEXTCORE_TEST_TIER", "full")


def clean_environment(**extra):
    """The environment without settings of ours, and with a home of its own."""
    environment = {k: v for k, v in os.environ.items() if not k.startswith(("CONTEXTCORE_", "OTEL_"))}
    environment.update({"NO_COLOR": "1", **extra})
    return environment


class Answer:
    def __init__(self, process):
        self.code, self.out, self.err = process.returncode, process.stdout, process.stderr

    @property
    def json(self):
        return json.loads(self.out)

    @property
    def lines(self):
        return [json.loads(line) for line in self.out.splitlines()]


class ProcessTest(unittest.TestCase):
    """A store in a folder of its own, and the command line on it."""

    maxDiff = None

    def setUp(self):
        self.folder = tempfile.mkdtemp(prefix="contextcore-test-")
        self.addCleanup(shutil.rmtree, self.folder, ignore_errors=True)
        self.store = os.path.join(self.folder, "store")
        self.environment = clean_environment(HOME=self.folder, CONTEXTCORE_STORE=self.store,
                                             CONTEXTCORE_PROJECT="test", USER="tester")

    def cc(self, *arguments, code=0, environment=None, timeout=60):
        process = subprocess.run([CLI, *map(str, arguments)], cwd=self.folder, capture_output=True, text=True,
                                 env={**self.environment, **(environment or {})}, timeout=timeout,
                                 stdin=subprocess.DEVNULL)
        answer = Answer(process)
        if code is not None:
            self.assertEqual(answer.code, code, f"{arguments}: {answer.out}{answer.err}")
        return answer

    def ccj(self, *arguments, **options):
        return self.cc("--json", *arguments, **options)

    def spans(self, traceql):
        """span id → attributes, of all spans that match."""
        found = {}
        for trace in self.ccj("query", traceql, "--limit", 100000).lines:
            for span in trace["spans"]:
                found[span["span_id"]] = span
        return found

    def log_lines(self, logql, limit=1000000):
        """(labels, fields of the JSON line) of all matching lines, oldest first."""
        return [(entry["labels"], json.loads(entry["line"]))
                for entry in self.ccj("logs", logql, "--forward", "--limit", limit).lines]

    @contextlib.contextmanager
    def server(self, *arguments, environment=None):
        server = Server(self.store, self.folder, {**self.environment, **(environment or {})}, arguments)
        try:
            yield server
        finally:
            server.stop()


GRPC = ("--otlp-grpc-listen", "127.0.0.1:0")  # for Server.grpc_address()


class Server:
    def __init__(self, store, folder, environment, arguments=()):
        self.store = store
        self.log = open(os.path.join(folder, "server.log"), "ab")
        self.log_start = self.log.seek(0, os.SEEK_END)
        self.process = subprocess.Popen(
            [CLI, "serve", "--store", store, "--listen", "127.0.0.1:0", "--no-otlp-listen", *arguments],
            cwd=folder, env=environment, stdin=subprocess.DEVNULL, stdout=self.log, stderr=self.log)
        self.address = self._wait()

    def _wait(self):
        path = os.path.join(self.store, "SERVER")
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            if self.process.poll() is not None:
                raise RuntimeError("the server stopped: " + open(self.log.name).read()[-2000:])
            with contextlib.suppress(OSError, ValueError, KeyError):
                info = json.loads(open(path).read())
                if info["pid"] == self.process.pid:
                    host, port = info["address"].rsplit(":", 1)
                    connection = http.client.HTTPConnection(host, int(port), timeout=5)
                    connection.request("GET", "/ready")
                    if connection.getresponse().status == 200:
                        return info["address"]
            time.sleep(0.01)  # tidy: waiting for a process, bounded
        raise RuntimeError("the server did not get ready")

    def grpc_address(self):
        """That of OTLP/gRPC, when it was started with GRPC."""
        deadline = time.monotonic() + 60
        while time.monotonic() < deadline:
            with open(self.log.name) as log:
                log.seek(self.log_start)
                if found := re.search(r"OTLP/gRPC at ([\d.]+:\d+)\)", log.read()):
                    return found[1]
            time.sleep(0.01)  # tidy: waiting for a process, bounded
        raise RuntimeError("the server does not say where it takes OTLP/gRPC")

    def request(self, method, path, body=None, headers=None, timeout=30):
        host, port = self.address.rsplit(":", 1)
        connection = http.client.HTTPConnection(host, int(port), timeout=timeout)
        try:
            if isinstance(body, (dict, list)):
                body, headers = json.dumps(body), {"Content-Type": "application/json", **(headers or {})}
            connection.request(method, path, body, headers or {})
            response = connection.getresponse()
            return response.status, response.read()
        finally:
            connection.close()

    def command(self, op, args, project="test", agent="tester", session="s", command_id=None, timeout=30):
        message = {"op": op, "project": project, "args": args,
                   "actor": {"actor": agent, "actor_type": "agent", "agent_id": agent, "session_id": session}}
        if command_id:
            message["command_id"] = command_id
        status, body = self.request("POST", "/tracker/v1/commands", message, timeout=timeout)
        return status, json.loads(body)

    def kill(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGKILL)
            self.process.wait()

    def stop(self):
        if self.process.poll() is None:
            self.process.send_signal(signal.SIGTERM)
            try:
                self.process.wait(timeout=30)
            except subprocess.TimeoutExpired:
                self.kill()
                raise
        self.log.close()
        return self.process.returncode


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]
