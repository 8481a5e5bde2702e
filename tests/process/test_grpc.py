"""OTLP over gRPC to a stock server (grpcio): plain and TLS, with and without gzip, statuses that ask for patience."""

import collections
import functools
import json
import os
import shutil
import socket
import subprocess
import threading
import unittest

import test_export
from backend import BackEnd
from harness import ROOT

PYTHON = os.environ.get("CONTEXTCORE_VENV_PYTHON", "")


@functools.cache
def lacking():
    """Why the interpreter has no grpcio, "" if it has, after trying to install it."""
    if subprocess.run([PYTHON, "-c", "import grpc"], capture_output=True).returncode == 0:
        return ""
    done = subprocess.run([PYTHON, "-m", "pip", "install", "--quiet", "grpcio"], capture_output=True, text=True)
    return done.stderr[-200:] if done.returncode != 0 else ""


class GrpcBackEnd:
    """tests/process/grpc_backend.py and what it has told so far."""

    def __init__(self, **options):
        self.options, self.calls, self.port, self.process = options, [], 0, None
        self.start()

    def start(self):
        self.process = subprocess.Popen(
            [PYTHON, str(ROOT / "tests/process/grpc_backend.py"), str(self.port), json.dumps(self.options)],
            stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)
        self.port = int(self.process.stdout.readline())
        self.options["script"] = []
        self.reader = threading.Thread(target=self.read, args=(self.process,), daemon=True)
        self.reader.start()

    def read(self, process):
        for line in process.stdout:
            self.calls.append(json.loads(line))

    def stop(self):
        if self.process:
            self.process.stdin.close()
            self.process.wait(timeout=60)
            self.reader.join(timeout=60)
            self.process.stdout.close()
            self.process = None

    def taken(self, path):
        """How often each item was taken."""
        return collections.Counter(item for call in list(self.calls) if path in call["path"]
                                   and call["word"] in ("ok", "partial") for item in call["items"])

    def words(self):
        return collections.Counter(call["word"] for call in list(self.calls))


@unittest.skipUnless(PYTHON, "CONTEXTCORE_VENV_PYTHON is not set (tests/process/python_package.sh sets it)")
class GrpcTest(test_export.ExportTest):
    def setUp(self):
        if error := lacking():
            self.skipTest("grpcio could not be installed: " + error)
        super().setUp()

    def receiver(self, **options):
        receiver = GrpcBackEnd(**options)
        self.addCleanup(receiver.stop)
        return receiver

    def arguments(self, endpoint, *more):
        return [*test_export.FAST, "--export-protocol", "grpc", "--export-endpoint", endpoint, *more]

    def all_once(self, receiver, server, spans, lines):
        """Every span and line that was sent, and every event, has arrived, and once."""
        wanted_spans = collections.Counter(f"{n + 1:016x} GET {n}" for n in spans)
        events = [json.dumps(line, sort_keys=True) for _, line in self.log_lines('{service="contextcore"}')]
        wanted_logs = collections.Counter([*events, *(f"line {n}" for n in lines)])

        def logs():
            return collections.Counter(text if text.startswith("line") else json.dumps(json.loads(text), sort_keys=True)
                                       for text in receiver.taken("Logs").elements())

        self.until(lambda: receiver.taken("Trace").total() >= wanted_spans.total() and
                   logs().total() >= wanted_logs.total(), "all of it")
        self.until(lambda: {one["state"] for one in self.status().values()} == {"idle"}, "rest")
        self.assertEqual(receiver.taken("Trace"), wanted_spans)
        self.assertEqual(logs(), wanted_logs)

    def test_everything_arrives_once_and_what_fails_is_tried_again(self):
        receiver = self.receiver(script=["unavailable", "exhausted", "deadline"] * 3)
        arguments = self.arguments(f"http://127.0.0.1:{receiver.port}", "--export-batch-items", "20",
                                   "--export-headers", "X-Scope-OrgID=team-a")
        with self.server(*arguments) as server:
            self.do(server, "task.create", id="A", title="a")
            self.send_spans(server, range(100))
            self.send_logs(server, range(100))
            self.all_once(receiver, server, range(100), range(100))
            self.assertEqual({receiver.words()[word] for word in ("unavailable", "exhausted", "deadline")}, {3})
            metadata = receiver.calls[0]["metadata"]
            self.assertEqual(metadata["x-scope-orgid"], "team-a")
            self.assertIn("contextcore/", metadata["user-agent"])
            self.assertEqual(metadata["x-contextcore-store"],
                             json.loads(server.request("GET", "/tracker/v1/server")[1])["store_id"])
            # A receiver that goes away and comes back: the kept connection is made anew.
            receiver.stop()
            self.send_spans(server, range(100, 150))
            self.until(lambda: self.status()["traces"]["failed"] >= 5, "attempts")
            receiver.start()
            self.all_once(receiver, server, range(150), range(100))

    @unittest.skipUnless(shutil.which("openssl"), "needs the openssl program")
    def test_tls_with_a_certificate_of_our_own(self):
        """An address without a scheme goes through TLS, and without TLS such a receiver is not reached."""
        mine, other = self.certificate("mine"), self.certificate("other")
        receiver = self.receiver(certificate=mine)
        address = f"127.0.0.1:{receiver.port}"
        for arguments, words in ((["--export-certificate", other[0]], "TLS"),
                                 (["--export-insecure", "true"], "closed the connection")):
            with self.server(*self.arguments(address, *arguments)) as server:
                if words == "TLS":
                    self.send_spans(server, range(1))
                self.until(lambda: self.status()["traces"]["failed"] >= 2, "refusal")
                self.assertIn(words, self.status()["traces"]["last_error"])
                self.assertEqual(receiver.calls, [])
        plain = ["--export-certificate", mine[0], "--export-compression", "none"]
        with self.server(*self.arguments(address, *plain)) as server:
            self.send_spans(server, range(1, 3000))
            self.send_logs(server, range(3000))
            self.all_once(receiver, server, range(3000), range(3000))

    @unittest.skipUnless(shutil.which("openssl"), "needs the openssl program")
    def test_a_receiver_that_does_not_agree_to_http_2(self):
        mine = self.certificate("mine")
        self.back_end.stop()
        self.back_end = BackEnd(certificate=mine)
        with self.server(*self.arguments(self.back_end.url, "--export-certificate", mine[0])) as server:
            self.send_spans(server, range(1))
            self.until(lambda: self.status()["traces"]["failed"] >= 1, "refusal")
            self.assertIn("does not agree to h2", self.status()["traces"]["last_error"])

    def test_a_silent_receiver_does_not_hold_up_the_stop(self):
        with socket.create_server(("127.0.0.1", 0)) as listener:
            address = f"http://127.0.0.1:{listener.getsockname()[1]}"
            with self.server(*self.arguments(address, "--export-timeout", "1h")) as server:
                self.send_spans(server, range(1))
                kept, _ = listener.accept()
                self.addCleanup(kept.close)
                self.assertEqual(kept.recv(14), b"PRI * HTTP/2.0")
                self.assertEqual(self.status()["traces"]["state"], "sending")

    def test_refused_too_large_and_partly_taken(self):
        receiver = self.receiver(refuses="GET 13", max=4000)
        address = f"http://127.0.0.1:{receiver.port}"
        with self.server(*self.arguments(address, "--export-compression", "none")) as server:
            self.send_spans(server, range(100))  # more than 4,000 bytes
            self.until(lambda: receiver.taken("Trace").total() == 99, "the others")
            self.until(lambda: self.status()["traces"]["dead_letters"] == 1, "the letter")
            letter = self.ccj("export", "status", "--letters").json["destinations"][0]["letters"][0]
            self.assertEqual((letter["refused"], letter["status"]), (1, 3))
            self.assertEqual(letter["message"], "gRPC INVALID_ARGUMENT: the script says refuse")
            receiver.stop()
            receiver.options = {"script": ["partial"]}
            receiver.start()
            self.send_logs(server, range(5))
            self.until(lambda: self.status()["logs"]["dead_letters"] == 1, "a letter of what was partly taken")
            self.assertEqual(receiver.taken("Logs").total(), 4)
            self.cc("export", "retry")
            self.until(lambda: receiver.taken("Trace").total() == 100, "the last span")
            self.until(lambda: {one["dead_letters"] for one in self.status().values()} == {0}, "no letter")

    def test_a_receiver_of_http_is_told_apart(self):
        with self.server(*self.arguments(self.back_end.url)) as server:
            self.send_spans(server, range(1))
            self.until(lambda: self.status()["traces"]["failed"] >= 1, "refusal")
            self.assertIn("HTTP/", self.status()["traces"]["last_error"])


if __name__ == "__main__":
    unittest.main()
