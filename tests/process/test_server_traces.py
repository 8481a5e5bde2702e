"""A server's own traces (server_traces) by a real server: asked for by a header, kept in its store, also by its stop."""

import json
import time

from harness import ProcessTest

TRACE = "0af7651916cd43dd8448eb211c80319c"
PARENT = "b7ad6b7169203331"
SAMPLED = {"traceparent": f"00-{TRACE}-{PARENT}-01"}


class ServerTraces(ProcessTest):
    def spans_of(self, server):
        status, body = server.request("GET", f"/api/v2/traces/{TRACE}")
        self.assertEqual(status, 200)
        trace = json.loads(body)["trace"]
        return [span for resource in trace.get("resourceSpans", []) for scope in resource["scopeSpans"]
                for span in scope["spans"]]

    def test_sampled_requests_are_kept(self):
        with self.server(environment={"CONTEXTCORE_SERVER_TRACES": "sampled"}) as server:
            server.request("GET", "/api/search?q=%7B%7D", headers=SAMPLED)
            deadline = time.monotonic() + 60
            while not (found := self.spans_of(server)) and time.monotonic() < deadline:
                time.sleep(0.05)
            self.assertEqual({span["name"] for span in found}, {"GET /api/search", "traceql"})
            status, _ = server.request("POST", "/v1/logs", {"resourceLogs": []}, headers=SAMPLED)
            self.assertEqual(status, 200)
            self.assertEqual(server.stop(), 0)  # what waits is kept
        with self.server() as server:
            self.assertIn("POST /v1/logs", {span["name"] for span in self.spans_of(server)})
            server.request("GET", "/api/search?q=%7B%7D", headers=SAMPLED)  # off again
            self.assertEqual(server.stop(), 0)
        names = [span["name"] for span in self.spans('{ resource.service.name = "contextcore-server" }').values()]
        self.assertEqual(sorted(names), ["GET /api/search", "POST /v1/logs", "traceql"])

    def test_other_words_are_refused(self):
        answer = self.cc("serve", code=2, environment={"CONTEXTCORE_SERVER_TRACES": "always"})
        self.assertIn("server_traces is 'always' (from CONTEXTCORE_SERVER_TRACES)", answer.err)
