"""Tenants of traces and logs: written every way in, read alone, through a kill and compaction; limits of one of them;
handed on under their names to another server."""

import json
import os
import pathlib
import time
import urllib.parse

from harness import GRPC, ProcessTest, Server
from otlp_sender import Grpc, traces_bytes

TENANTS = (None, "a", "b")
TRACE = "0" * 28 + "a1b2"


def header(tenants):
    return {} if tenants is None else {"X-Scope-OrgID": tenants}


def word(tenant):
    return tenant or "default"


class Tenants(ProcessTest):
    def setUp(self):
        super().setUp()
        self.now_ns = time.time_ns() - 60 * 10**9

    def post(self, server, path, body, tenant, wanted=(200, 204)):
        status, answer = server.request("POST", path, body, header(tenant))
        self.assertIn(status, wanted, answer)
        return answer

    def ask(self, server, path, tenants, **parameters):
        status, body = server.request("GET", path + "?" + urllib.parse.urlencode(parameters), headers=header(tenants))
        self.assertEqual(status, 200, body)
        return json.loads(body)

    # ---- one of each sort, under the same ids and labels for each tenant

    def spans(self, name, span_id="00000000000000c1"):
        span = {"traceId": TRACE, "spanId": span_id, "name": name, "kind": 2,
                "startTimeUnixNano": str(self.now_ns), "endTimeUnixNano": str(self.now_ns + 10**6)}
        return {"resourceSpans": [{"resource": self.resource(), "scopeSpans": [{"spans": [span]}]}]}

    def lines(self, *lines):
        records = [{"timeUnixNano": str(self.now_ns + n), "body": {"stringValue": line}}
                   for n, line in enumerate(lines)]
        return {"resourceLogs": [{"resource": self.resource(), "scopeLogs": [{"logRecords": records}]}]}

    @staticmethod
    def resource():
        return {"attributes": [{"key": "service.name", "value": {"stringValue": "shop"}}]}

    def push(self, line):
        stream = {"service_name": "shop", "app": "pushed"}
        return {"streams": [{"stream": stream, "values": [[str(self.now_ns + 9), line]]}]}

    def send_all(self, server):
        for tenant in TENANTS:
            self.post(server, "/v1/traces", self.spans(f"http of {word(tenant)}"), tenant)
            self.post(server, "/v1/logs", self.lines(f"line of {word(tenant)}"), tenant)
            self.post(server, "/loki/api/v1/push", self.push(f"pushed of {word(tenant)}"), tenant)
            connection = Grpc(server.grpc_address(), {key.lower(): value for key, value in header(tenant).items()})
            span = (TRACE, "00000000000000c2", f"grpc of {word(tenant)}", self.now_ns)
            self.assertTrue(connection.send(traces_bytes([span])))
            connection.close()

    # ---- what is read

    def names(self, server, tenants):
        """Of the spans of the one trace, as the trace and as search give them."""
        trace = self.ask(server, f"/api/v2/traces/{TRACE}", tenants)["trace"]
        names = sorted(span["name"] for resource in trace.get("resourceSpans", []) for scope in resource["scopeSpans"]
                       for span in scope["spans"])
        found = self.ask(server, "/api/search", tenants, q='{ name =~ ".* of .*" }', limit=100, spss=100)["traces"]
        self.assertEqual(names, sorted(span["name"] for one in found for spans in one["spanSets"]
                                       for span in spans["spans"]))
        self.assertEqual(len(found), min(len(names), 1))
        return names

    def log_entries(self, server, tenants):
        """(tenant of the stream's label, line)"""
        result = self.logs(server, tenants, '{service_name="shop"}')
        return sorted((stream["stream"].get("__tenant_id__", ""), line)
                      for stream in result for _, line in stream["values"])

    def logs(self, server, tenants, query):
        return self.ask(server, "/loki/api/v1/query_range", tenants, query=query)["data"]["result"]

    def check(self, server):
        for tenant in TENANTS:
            self.assertEqual(self.names(server, tenant), [f"grpc of {word(tenant)}", f"http of {word(tenant)}"])
            self.assertEqual(self.log_entries(server, tenant),
                             [("", f"line of {word(tenant)}"), ("", f"pushed of {word(tenant)}")])
            work = self.ask(server, "/api/search", tenant, q='{ span.task.id = "T" }')["traces"]
            self.assertEqual(len(work), 1 if tenant is None else 0, tenant)
            self.assertEqual(bool(self.logs(server, tenant, '{service="contextcore"}')), tenant is None, tenant)
        self.assertEqual(self.log_entries(server, "b|a"),
                         [(tenant, f"{what} of {tenant}") for tenant in "ab" for what in ("line", "pushed")])
        self.assertEqual({name[-1] for name in self.names(server, "a|b")}, {"a", "b"})
        self.assertEqual(self.names(server, "nobody"), [])
        self.assertEqual(self.log_entries(server, "nobody"), [])

    def test_each_reads_its_own_whatever_the_store_goes_through(self):
        self.cc("task", "create", "Work", "--id", "T")
        with self.server(*GRPC) as server:
            self.send_all(server)
            self.check(server)
            self.assertEqual(server.request("GET", "/api/search?q={}", headers=header("a b"))[0], 400)
            self.assertEqual(server.request("POST", "/v1/logs", self.lines("x"), header("a|b"))[0], 400)
            server.kill()
        self.assertTrue(self.ccj("store", "verify").json["sound"])
        with self.server() as server:
            self.check(server)
        for command in (("compact",), ("compact", "--expire")):  # of files: a server that stops cuts
            self.cc("store", *command)
            report = self.ccj("store", "verify").json
            self.assertTrue(report["sound"], report)
        with self.server() as server:
            self.check(server)
            # Nothing of it is a stranger's when it comes again: the same bytes are a repeat.
            self.post(server, "/v1/traces", self.spans("http of a"), "a")
            self.check(server)
        copy = os.path.join(self.folder, "copy")
        self.cc("store", "backup", copy)
        self.environment["CONTEXTCORE_STORE"] = self.store = copy
        with self.server() as server:
            self.check(server)

    def test_limits_hold_for_the_tenant_they_name(self):
        settings = pathlib.Path(self.folder, ".contextcore.toml")
        settings.write_text('[tenants.a]\ningest_rate = 100\n[tenants.c]\nquery_slots = "1"\n')
        shown = {one["name"]: one["value"] for one in self.ccj("config").json["items"]}
        self.assertEqual((shown["tenants.a.ingest_rate"], shown["tenants.c.query_slots"]), ("100", "1"))
        with self.server() as server:
            large = self.lines("x" * 20_000)
            for tenant in ("a", "b"):
                self.post(server, "/v1/logs", large, tenant)
            for path, body in (("/v1/traces", self.spans("more")), ("/v1/logs", self.lines("more")),
                               ("/loki/api/v1/push", self.push("more"))):
                self.assertIn(b"a second were sent by tenant", self.post(server, path, body, "a", (429,)))
                for tenant in ("b", None):
                    self.post(server, path, body, tenant)
            self.assertEqual(self.log_entries(server, "a"), [("", "x" * 20_000)])
            self.assertEqual(len(self.log_entries(server, "b")), 3)
            self.assertEqual(len(self.log_entries(server, "c")), 0)
        settings.write_text("[tenants.a]\ningest_rates = 100\n")
        refused = self.cc("serve", "--listen", "127.0.0.1:0", "--no-otlp-listen", code=2)
        self.assertIn("unknown key 'ingest_rates' of [tenants.a]", refused.err)

    def test_what_is_kept_for_a_shorter_time_goes_alone(self):
        settings = pathlib.Path(self.folder, ".contextcore.toml")
        settings.write_text('[tenants.a]\nretention_spans = "30s"\nretention_logs = "30s"\n')
        with self.server() as server:
            for tenant in TENANTS:  # what is a minute old
                self.post(server, "/v1/traces", self.spans(f"http of {word(tenant)}"), tenant)
                self.post(server, "/v1/logs", self.lines(f"line of {word(tenant)}"), tenant)
        self.cc("store", "compact", "--expire")
        report = self.ccj("store", "verify").json
        self.assertTrue(report["sound"], report)
        with self.server() as server:
            for tenant in TENANTS:
                kept = tenant != "a"
                self.assertEqual(self.names(server, tenant), [f"http of {word(tenant)}"] * kept)
                self.assertEqual(self.log_entries(server, tenant), [("", f"line of {word(tenant)}")] * kept)

    def test_another_server_gets_each_under_its_name(self):
        """Over HTTP and over gRPC; what the default tenant has sent goes to the tenant that is configured."""
        with self.server(*GRPC) as server:
            self.send_all(server)
        for protocol in ("http/protobuf", "grpc"):
            store = os.path.join(self.folder, "store-" + protocol[:4])
            receiver = Server(store, self.folder, self.environment, GRPC)
            try:
                address = receiver.address if protocol.startswith("http") else receiver.grpc_address()
                with self.server("--export-endpoint", "http://" + address, "--export-protocol", protocol,
                                 "--export-headers", "x-scope-orgid=team") as server:
                    self.until(lambda: all(one["state"] == "idle" and one["sent"] >= 6
                                           for one in self.ccj("export", "status").json["destinations"]))
                    for here, there in ((None, "team"), ("a", "a"), ("b", "b")):
                        self.assertEqual(self.names(receiver, there), self.names(server, here))
                        self.assertEqual(self.log_entries(receiver, there), self.log_entries(server, here))
                self.assertEqual(self.names(receiver, None), [])
                self.assertEqual(self.log_entries(receiver, None), [])
            finally:
                receiver.stop()

    def until(self, condition, seconds=60):
        deadline = time.monotonic() + seconds
        while not condition():
            self.assertLess(time.monotonic(), deadline, open(self.folder + "/server.log").read()[-2000:])
            time.sleep(0.02)  # tidy: waiting for a process, bounded
