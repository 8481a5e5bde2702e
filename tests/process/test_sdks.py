"""Stock OpenTelemetry SDKs of Python, JavaScript and Go send traces and logs to one server over gRPC, HTTP/protobuf and
HTTP/JSON (Go has no JSON exporter): each arrives once, with attributes of every type as they were given.

The SDKs, in versions pinned in tests/process/sdks, come from the registries of their languages into build/test-sdks; a
test skips, and says what it lacked, where a tool or a registry is absent.
"""

import contextlib
import functools
import json
import os
import shutil
import socket
import subprocess
import sys
import unittest
import urllib.parse

from harness import CLI, GRPC, ROOT, ProcessTest, free_port

SOURCES = ROOT / "tests/process/sdks"
PLACE = ROOT / "build/test-sdks"
COUNT = 50


def run(*command, cwd=None, timeout=600, **environment):
    return subprocess.run([str(word) for word in command], cwd=cwd, capture_output=True, text=True, timeout=timeout,
                          env={**os.environ, **environment})


def lacking(what, done):
    return f"{what} could not be installed (is the registry reachable?): " + (done.stderr or done.stdout)[-300:]


@functools.cache
def python_sdk():
    """(command of the sender, "" or what is lacking)."""
    pins = (SOURCES / "requirements.txt").read_text()
    folder = PLACE / "python"
    python = folder / "bin/python"
    stamp = folder / "installed"
    if not stamp.is_file() or stamp.read_text() != pins:
        shutil.rmtree(folder, ignore_errors=True)
        for command in ([sys.executable, "-m", "venv", folder],
                        [python, "-m", "pip", "install", "--quiet", "--disable-pip-version-check", "-r",
                         SOURCES / "requirements.txt"]):
            done = run(*command)
            if done.returncode != 0:
                return [], lacking("the Python SDK", done)
        stamp.write_text(pins)
    return [python, SOURCES / "sender.py"], ""


@functools.cache
def javascript_sdk():
    if not shutil.which("node") or not shutil.which("npm"):
        return [], "no node or npm"
    folder = PLACE / "javascript"
    pins = (SOURCES / "package.json").read_text()
    stamp = folder / "installed"
    if not stamp.is_file() or stamp.read_text() != pins:
        shutil.rmtree(folder, ignore_errors=True)
        folder.mkdir(parents=True)
        (folder / "package.json").write_text(pins)
        done = run("npm", "install", "--no-audit", "--no-fund", "--no-package-lock", cwd=folder)
        if done.returncode != 0:
            return [], lacking("the JavaScript SDK", done)
        stamp.write_text(pins)
    return ["node", SOURCES / "sender.mjs"], ""


@functools.cache
def go_sdk():
    if not shutil.which("go"):
        return [], "no go"
    done = run("go", "mod", "download", cwd=SOURCES / "go", GOFLAGS="-mod=readonly")
    if done.returncode != 0:
        return [], lacking("the Go SDK", done)
    program = PLACE / "go/sender"
    program.parent.mkdir(parents=True, exist_ok=True)
    done = run("go", "build", "-o", program, ".", cwd=SOURCES / "go", GOFLAGS="-mod=readonly")
    if done.returncode != 0:
        raise RuntimeError("the Go sender does not compile: " + done.stderr)
    return [program], ""


def attributes(count):
    """What the senders give every span and record, as OTLP JSON."""
    def array(kind, *values):
        return {"arrayValue": {"values": [{kind: value} for value in values]}}
    return {"text": {"stringValue": 'grüße "x"'}, "flag": {"boolValue": True}, "count": {"intValue": str(count)},
            "ratio": {"doubleValue": 0.1}, "words": array("stringValue", "a", "b"),
            "flags": array("boolValue", True, False), "counts": array("intValue", "1", "2"),
            "ratios": array("doubleValue", 0.5, 1.5)}


class StockSdks(ProcessTest):
    def ask(self, server, path, **parameters):
        status, body = server.request("GET", path + "?" + urllib.parse.urlencode(parameters))
        self.assertEqual(status, 200, body)
        return json.loads(body)

    def check_traces(self, server, service, count):
        wanted = attributes(count)
        query = '{ resource.service.name = "%s" } | select(%s)' % (
            service, ", ".join(f"span.{name}" for name in wanted))
        traces = self.ask(server, "/api/search", q=query, limit=1000, spss=1000)["traces"]
        spans = [span for trace in traces for span in trace["spanSet"]["spans"]]
        self.assertEqual(sorted(span["name"] for span in spans), sorted(f"span {i}" for i in range(COUNT)))
        for span in spans:
            self.assertEqual({one["key"]: one["value"] for one in span["attributes"] if one["key"] in wanted}, wanted)
        # One whole trace, with what a search does not show.
        whole = self.ask(server, "/api/traces/" + traces[0]["traceID"])
        scope = whole["batches"][0]["scopeSpans"][0]
        self.assertEqual((scope["scope"]["name"], scope["scope"]["version"]), ("sdks", "1.2"))
        self.assertEqual([event["name"] for event in scope["spans"][0]["events"]], ["event"])
        return {trace["traceID"] for trace in traces}

    def check_logs(self, server, service, count, traces):
        streams = self.ask(server, "/loki/api/v1/query_range", query='{service_name="%s"}' % service, limit=5000,
                           since="1h")["data"]["result"]
        lines = [(value[1], {**stream["stream"], **(value[2] if len(value) > 2 else {})})
                 for stream in streams for value in stream["values"]]
        self.assertEqual(sorted(line for line, _ in lines), sorted(f"line {i}" for i in range(COUNT)))
        wanted = {"text": 'grüße "x"', "flag": "true", "count": str(count), "ratio": "0.1", "words": ["a", "b"],
                  "flags": [True, False], "counts": [1, 2], "ratios": [0.5, 1.5], "severity_text": "WARN"}
        for _, labels in lines:
            got = {name: labels.get(name) for name in wanted}
            for name in ("words", "flags", "counts", "ratios"):
                got[name] = json.loads(got[name])
            self.assertEqual(got, wanted)
            self.assertIn(labels["trace_id"].rjust(32, "0"), {trace.rjust(32, "0") for trace in traces})
        # Loki's labels are text; its comparisons are of numbers (floats, in which 2^53 + 1 is 2^53).
        found = self.ask(server, "/loki/api/v1/query_range", limit=5000, since="1h",
                         query='{service_name="%s"} | ratio = 0.1 | count >= %d | flag = "true"' % (service, count))
        self.assertEqual(sum(len(stream["values"]) for stream in found["data"]["result"]), COUNT)

    def check(self, sdk, language, protocols, count):
        command, missing = sdk()
        if missing:
            self.skipTest(missing)
        cwd = PLACE / language if language == "javascript" else self.folder
        with self.server(*GRPC) as server:
            for protocol in protocols:
                with self.subTest(protocol):
                    service = f"{language}-{protocol}"
                    endpoint = "http://" + (server.grpc_address() if protocol.startswith("grpc") else server.address)
                    done = run(*command, protocol, service, endpoint, COUNT, cwd=cwd, timeout=120)
                    self.assertEqual(done.returncode, 0, done.stderr)
                    self.assertEqual(done.stderr, "", "the SDK complains of nothing")
                    traces = self.check_traces(server, service, count)
                    self.check_logs(server, service, count, traces)
            _, metrics = server.request("GET", "/metrics")
            self.assertIn(b'TraceService/Export",code="OK"}', metrics)
            self.assertIn(b'LogsService/Export",code="OK"}', metrics)

    def test_python(self):
        self.check(python_sdk, "python", ("grpc", "grpc-gzip", "http/protobuf", "http/json"), 9007199254740993)

    def test_javascript(self):
        # Its integers are floats: 2^53 + 1 is none of them.
        self.check(javascript_sdk, "javascript", ("grpc", "grpc-gzip", "http/protobuf", "http/json"), 1234567890123)

    def test_go(self):
        self.check(go_sdk, "go", ("grpc", "grpc-gzip", "http/protobuf"), 9007199254740993)


class Ports(ProcessTest):
    """Where `contextcore serve` listens for OTLP over gRPC."""

    def serve(self, *arguments):
        process = subprocess.Popen([CLI, "serve", "--json", "--store", self.store, "--listen", "127.0.0.1:0", *arguments],
                                   cwd=self.folder, env=self.environment, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                                   text=True)
        line = process.stdout.readline()
        process.terminate()
        _, complaints = process.communicate(timeout=60)
        return process.returncode, json.loads(line) if line else None, complaints

    def test_an_address_of_its_own_and_none(self):
        asked = f"127.0.0.1:{free_port()}"
        for arguments, address in ((["--no-otlp-listen"], ""), (["--no-otlp-listen", "--otlp-grpc-listen", asked], asked),
                                   (["--otlp-listen", "127.0.0.1:0", "--no-otlp-grpc-listen"], "")):
            code, line, complaints = self.serve(*arguments)
            self.assertEqual((code, line["otlp_grpc_address"]), (0, address), complaints)

    def test_a_durability_that_was_asked_for(self):
        code, line, complaints = self.serve("--no-otlp-listen", "--durability", "interval")
        self.assertEqual((code, bool(line)), (0, True), complaints)

    def test_taken_and_asked_for_is_an_error(self):
        with socket.create_server(("127.0.0.1", 0)) as taken:
            address = f"127.0.0.1:{taken.getsockname()[1]}"
            code, line, complaints = self.serve("--no-otlp-listen", "--otlp-grpc-listen", address)
        self.assertEqual((code, line), (6, None))
        self.assertIn(address + " is taken", complaints)

    def test_taken_by_default_is_a_note(self):
        # Whoever has the port now, we or another program: it is taken.
        with contextlib.ExitStack() as stack:
            with contextlib.suppress(OSError):
                stack.enter_context(socket.create_server(("127.0.0.1", 4317)))
            code, line, complaints = self.serve("--otlp-listen", "127.0.0.1:0")
        self.assertEqual((code, line["otlp_grpc_address"]), (0, ""))
        self.assertIn("127.0.0.1:4317 is taken by another program; started without it", complaints)


if __name__ == "__main__":
    unittest.main()
