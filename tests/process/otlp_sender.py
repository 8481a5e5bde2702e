"""Senders of OTLP that keep account of what was acknowledged: traces and logs over HTTP, traces over gRPC. What was sent
and not answered is sent again as it was, by whoever goes on after a restart, as exporters do."""

import http.client
import itertools
import json
import socket
import struct
import threading
import time

SERVICE = "sender"
BATCH = 5
TENANT = "a-tenant"


# ---- OTLP/protobuf, as much of it as is sent here ----------------------------------------------

def varint(number):
    out = bytearray()
    while number > 0x7f:
        out.append(number & 0x7f | 0x80)
        number >>= 7
    return bytes(out + bytes([number]))


def field(number, data):
    return varint(number << 3 | 2) + varint(len(data)) + data


def span_bytes(trace_id, span_id, name, start_ns):
    times = b"".join(varint(number << 3 | 1) + struct.pack("<Q", start_ns + extra) for number, extra in ((7, 0), (8, 1000)))
    return field(1, bytes.fromhex(trace_id)) + field(2, bytes.fromhex(span_id)) + field(5, name.encode()) + b"\x30\x02" + times


def traces_bytes(spans):
    service = field(1, b"service.name") + field(2, field(1, SERVICE.encode()))
    return field(1, field(1, field(1, service)) + field(2, b"".join(field(2, span_bytes(*span)) for span in spans)))


# ---- the ways in -------------------------------------------------------------------------------

class Http:
    """One connection that is kept. send() raises OSError or HTTPException when no answer came."""

    def __init__(self, address, path, headers=None):
        host, port = address.rsplit(":", 1)
        self.connection, self.path = http.client.HTTPConnection(host, int(port), timeout=20), path
        self.headers = {"Content-Type": "application/json", **(headers or {})}

    def send(self, body):
        self.connection.request("POST", self.path, body, self.headers)
        response = self.connection.getresponse()
        answer = response.read()
        return response.status == 200 and not json.loads(answer).get("partialSuccess")

    def close(self):
        self.connection.close()


class Grpc:
    """gRPC over HTTP/2 in plain text, without a library: headers as literals, and of an answer only what says that it
    is one. An error comes as trailers alone, so a whole message and the end of its stream are the acknowledgement."""

    METHOD = "/opentelemetry.proto.collector.trace.v1.TraceService/Export"
    DATA, HEADERS, RST_STREAM, SETTINGS, PING, GOAWAY, WINDOW_UPDATE = 0, 1, 3, 4, 6, 7, 8

    def __init__(self, address, metadata=None):
        host, port = address.rsplit(":", 1)
        self.metadata = metadata or {}
        self.socket = socket.create_connection((host, int(port)), timeout=20)
        self.streams = itertools.count(1, 2)
        self.socket.sendall(b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n" + self.frame(self.SETTINGS, 0, 0, b""))

    @staticmethod
    def frame(kind, flags, stream, payload):
        return struct.pack(">I", len(payload))[1:] + bytes([kind, flags]) + struct.pack(">I", stream) + payload

    def exactly(self, count):
        data = b""
        while len(data) < count:
            piece = self.socket.recv(count - len(data))
            if not piece:
                raise ConnectionError("the server closed the connection")
            data += piece
        return data

    def send(self, body):
        stream = next(self.streams)
        headers = {":method": "POST", ":scheme": "http", ":path": self.METHOD, ":authority": "localhost",
                   "content-type": "application/grpc", "te": "trailers", **self.metadata}
        block = b"".join(b"\x00" + b"".join(bytes([len(part)]) + part.encode() for part in pair) for pair in headers.items())
        message = b"\x00" + struct.pack(">I", len(body)) + body
        self.socket.sendall(self.frame(self.HEADERS, 4, stream, block) + self.frame(self.DATA, 1, stream, message))
        answer = b""
        while True:
            head = self.exactly(9)
            kind, flags = head[3], head[4]
            payload = self.exactly(int.from_bytes(head[:3], "big"))
            if kind in (self.RST_STREAM, self.GOAWAY):
                raise ConnectionError("the server ended the stream")
            if kind in (self.SETTINGS, self.PING) and not flags & 1:
                self.socket.sendall(self.frame(kind, 1, 0, payload if kind == self.PING else b""))
            if int.from_bytes(head[5:], "big") != stream:
                continue
            if kind == self.DATA:
                answer += payload
            if flags & 1:
                return len(answer) >= 5 and len(answer) == 5 + int.from_bytes(answer[1:5], "big")

    def close(self):
        self.socket.close()


# ---- senders -----------------------------------------------------------------------------------

class Sender:
    """Batches of one sort, one after another; lives through restarts of the server."""

    def __init__(self, name, number, connect, batch, tenant=""):
        self.name, self.connect, self.batch, self.tenant = name, connect, batch, tenant
        self.numbers = itertools.count(number << 32)
        self.unanswered = None     # (body, ids)
        self.acknowledged = []     # lists of ids
        self.refused = self.repeated = 0
        self.thread = None

    def start(self, addresses):
        self.thread = threading.Thread(target=self.run, args=(addresses,))
        self.thread.start()

    def run(self, addresses):
        connection = None
        try:
            connection = self.connect(addresses)
            while True:
                self.repeated += self.unanswered is not None
                if self.unanswered is None:
                    self.unanswered = self.batch([next(self.numbers) for _ in range(BATCH)])
                body, ids = self.unanswered
                if connection.send(body):
                    self.acknowledged.append(ids)
                else:
                    self.refused += 1
                self.unanswered = None
                time.sleep(0.002)  # leaves the processor to others
        except (OSError, http.client.HTTPException, ValueError):
            return  # the server is gone
        finally:
            if connection:
                connection.close()

    def join(self):
        self.thread.join(timeout=60)
        return not self.thread.is_alive()


def spans_of(numbers):
    trace_id = f"{numbers[0] + 1:032x}"
    return [(trace_id, f"{number + 1:016x}", f"span {number}", time.time_ns()) for number in numbers]


def json_traces(numbers):
    spans = [{"traceId": trace, "spanId": span, "name": name, "kind": 2, "startTimeUnixNano": str(start),
              "endTimeUnixNano": str(start + 1000)} for trace, span, name, start in spans_of(numbers)]
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": SERVICE}}]}
    body = {"resourceSpans": [{"resource": resource, "scopeSpans": [{"spans": spans}]}]}
    return json.dumps(body), [(span["traceId"], span["spanId"]) for span in spans]


def protobuf_traces(numbers):
    spans = spans_of(numbers)
    return traces_bytes(spans), [span[:2] for span in spans]


def json_logs(numbers):
    lines = [f"line {number}" for number in numbers]
    now_ns = time.time_ns()
    records = [{"timeUnixNano": str(now_ns + i), "body": {"stringValue": line}} for i, line in enumerate(lines)]
    resource = {"attributes": [{"key": "service.name", "value": {"stringValue": SERVICE}}]}
    return json.dumps({"resourceLogs": [{"resource": resource, "scopeLogs": [{"logRecords": records}]}]}), lines


def senders():
    """addresses given to start(): (of HTTP, of gRPC). A tenant sends under the ids and in the words of the default one."""
    of = {"X-Scope-OrgID": TENANT}
    return [Sender("traces over HTTP", 1, lambda to: Http(to[0], "/v1/traces"), json_traces),
            Sender("traces over gRPC", 2, lambda to: Grpc(to[1]), protobuf_traces),
            Sender("logs over HTTP", 3, lambda to: Http(to[0], "/v1/logs"), json_logs),
            Sender("traces of a tenant", 1, lambda to: Http(to[0], "/v1/traces", of), json_traces, TENANT),
            Sender("logs of a tenant", 3, lambda to: Http(to[0], "/v1/logs", of), json_logs, TENANT)]


# ---- what is there -----------------------------------------------------------------------------

def stored_spans(server, tenant=""):
    """(trace id, span id) of all that were sent here, as often as Tempo's search gives them."""
    path = "/api/search?limit=200000&spss=10000&q=%7B%20resource.service.name%20%3D%20%22" + SERVICE + "%22%20%7D"
    status, body = server.request("GET", path, timeout=120, headers={"X-Scope-OrgID": tenant})
    assert status == 200, body
    return [(trace["traceID"].zfill(32), span["spanID"].zfill(16)) for trace in json.loads(body)["traces"]
            for spans in trace["spanSets"] for span in spans["spans"]]


def spans_of_trace(server, trace_id, tenant=""):
    status, body = server.request("GET", f"/api/v2/traces/{trace_id}", headers={"X-Scope-OrgID": tenant})
    assert status == 200, body
    trace = json.loads(body)["trace"]
    return [span for resource in trace["resourceSpans"] for scope in resource["scopeSpans"] for span in scope["spans"]]


def stored_lines(server, tenant=""):
    """All lines that were sent here, as often as Loki's query_range gives them."""
    lines, start_ns = [], 1
    while True:
        path = (f"/loki/api/v1/query_range?direction=forward&limit=5000&start={start_ns}&end={time.time_ns() + 10**12}"
                "&query=%7Bservice_name%3D%22" + SERVICE + "%22%7D")
        status, body = server.request("GET", path, timeout=120, headers={"X-Scope-OrgID": tenant})
        assert status == 200, body
        entries = [(int(at), line) for stream in json.loads(body)["data"]["result"] for at, line in stream["values"]]
        lines += [line for _, line in entries]
        if len(entries) < 5000:
            return lines
        start_ns = max(at for at, _ in entries) + 1
