"""A back end that answers by a script: OTLP/HTTP traces and logs, Loki's push API, remote write. Keeps what it takes."""

import collections
import gzip
import http.server
import json
import socket
import ssl
import struct
import threading


def fields(data):
    """Protobuf: field number → values, of one message. Varints and fixed numbers as int, else bytes."""
    out, at = collections.defaultdict(list), 0

    def varint():
        nonlocal at
        value = shift = 0
        while True:
            byte = data[at]
            at += 1
            value |= (byte & 127) << shift
            shift += 7
            if byte < 128:
                return value

    while at < len(data):
        key = varint()
        number, kind = key >> 3, key & 7
        if kind == 0:
            out[number].append(varint())
        elif kind == 2:
            size = varint()
            out[number].append(data[at:at + size])
            at += size
        elif kind == 1:
            out[number].append(struct.unpack_from("<Q", data, at)[0])
            at += 8
        elif kind == 5:
            out[number].append(struct.unpack_from("<I", data, at)[0])
            at += 4
        else:
            raise ValueError(f"wire type {kind}")
    return out


def value_of(data):
    value = fields(data)
    if 1 in value:
        return value[1][0].decode()
    if 2 in value:
        return bool(value[2][0])
    if 3 in value:
        number = value[3][0]
        return number - (1 << 64) if number >> 63 else number
    if 4 in value:
        return struct.unpack("<d", struct.pack("<Q", value[4][0]))[0]
    return None


def attributes_of(values):
    out = {}
    for pair in values:
        one = fields(pair)
        out[one[1][0].decode()] = value_of(one[2][0]) if one[2] else None
    return out


def spans_of(body):
    for resource_spans in fields(body)[1]:
        for scope_spans in fields(resource_spans)[2]:
            for data in fields(scope_spans)[2]:
                span = fields(data)
                yield {"trace_id": span[1][0].hex(), "span_id": span[2][0].hex(),
                       "parent": span[4][0].hex() if span[4] else "", "name": span[5][0].decode(),
                       "start": span[7][0], "end": span[8][0], "attributes": attributes_of(span[9]),
                       "events": len(span[11]),
                       "links": [{"span_id": fields(link)[2][0].hex(), "attributes": attributes_of(fields(link)[4])}
                                 for link in span[13]]}


def records_of(body):
    for resource_logs in fields(body)[1]:
        for scope_logs in fields(resource_logs)[2]:
            for data in fields(scope_logs)[2]:
                record = fields(data)
                yield {"time": record[1][0] if record[1] else 0, "body": value_of(record[5][0]),
                       "attributes": attributes_of(record[6])}


def unsnappy(data):
    """A snappy block."""
    out, at = bytearray(), 0
    while data[at] >= 128:
        at += 1
    at += 1
    while at < len(data):
        tag = data[at]
        at += 1
        kind = tag & 3
        if kind == 0:
            size = tag >> 2
            if size >= 60:
                wide = size - 59
                size = int.from_bytes(data[at:at + wide], "little")
                at += wide
            out += data[at:at + size + 1]
            at += size + 1
            continue
        if kind == 1:
            size, distance = (tag >> 2 & 7) + 4, (tag >> 5) << 8 | data[at]
            at += 1
        else:
            wide = 2 if kind == 2 else 4
            size, distance = (tag >> 2) + 1, int.from_bytes(data[at:at + wide], "little")
            at += wide
        for _ in range(size):
            out.append(out[-distance])
    return bytes(out)


def samples_of(body):
    """(labels, time in ms, value) of a remote-write request."""
    for data in fields(unsnappy(body))[1]:
        series = fields(data)
        labels = tuple(sorted((fields(label)[1][0].decode(), fields(label)[2][0].decode()) for label in series[1]))
        for data in series[2]:
            sample = fields(data)
            value = struct.unpack("<d", struct.pack("<Q", sample[1][0]))[0] if sample[1] else 0.0
            yield labels, sample[2][0], value


class BackEnd:
    """`script` holds what to do with the next requests, one word each: ok slow 429 500 503 partial refuse reset.
    Without a word: ok. `refuses(item)` true: a request with such an item gets 400."""

    def __init__(self, certificate=None):
        self.script, self.lock = collections.deque(), threading.Lock()
        self.spans, self.lines, self.records, self.samples = {}, {}, {}, {}  # by id → list of contents
        self.requests, self.headers = collections.Counter(), []
        self.retry_after_seen = []
        self.refuses = lambda item: False
        self.certificate = certificate
        self.port = 0
        self.server = None
        self.start()

    def start(self):
        back_end = self

        class Handler(http.server.BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def log_message(self, *_):
                pass

            def do_POST(self):
                back_end.answer(self)

        class Quiet(http.server.ThreadingHTTPServer):
            daemon_threads = True
            allow_reuse_address = True

            def handle_error(self, *_):
                pass

        self.server = Quiet(("127.0.0.1", self.port), Handler)
        if self.certificate:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            context.load_cert_chain(*self.certificate)
            self.server.socket = context.wrap_socket(self.server.socket, server_side=True)
        self.port = self.server.server_address[1]
        threading.Thread(target=self.server.serve_forever, args=(0.05,), daemon=True).start()

    def stop(self):
        if self.server:
            self.server.shutdown()
            self.server.server_close()
            self.server = None

    @property
    def url(self):
        return f"http{'s' if self.certificate else ''}://127.0.0.1:{self.port}"

    def answer(self, handler):
        body = handler.rfile.read(int(handler.headers["Content-Length"]))
        if handler.headers.get("Content-Encoding") == "gzip":
            body = gzip.decompress(body)
        with self.lock:
            word = self.script.popleft() if self.script else "ok"
            self.requests[word] += 1
            self.headers.append(dict(handler.headers))
        if word == "reset":
            # Half of an answer, then a reset: nobody knows whether it was taken (it was not).
            handler.wfile.write(b"HTTP/1.1 200 OK\r\nContent-Le")
            handler.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            handler.close_connection = True
            handler.connection.close()
            return None
        if word in ("429", "503"):
            return self.send(handler, int(word), b"slow down", {"Retry-After": "0"})
        if word == "500":
            return self.send(handler, 500, b"boom")
        items = list(self.items(handler.path, body))
        if any(self.refuses(item) for _, _, item in items):
            return self.send(handler, 400, b"that is bad")
        if word == "slow":
            threading.Event().wait(0.3)  # tidy: the slow back end of the script
        if word == "partial" and len(items) > 1 and handler.path.startswith("/v1/"):
            # Takes all but the last, and says so.
            self.take(items[:-1])
            return self.send(handler, 200, b"\x0a\x0a\x08\x01\x12\x06one no", kind="application/x-protobuf")
        self.take(items)
        return self.send(handler, 204 if handler.path.startswith("/loki") else 200, b"")

    @staticmethod
    def send(handler, status, body, headers=None, kind="text/plain"):
        handler.send_response(status)
        handler.send_header("Content-Type", kind)
        for name, value in (headers or {}).items():
            handler.send_header(name, value)
        if status != 204:
            handler.send_header("Content-Length", str(len(body)))
        handler.end_headers()
        if status != 204:
            handler.wfile.write(body)

    def items(self, path, body):
        if path == "/v1/traces":
            for span in spans_of(body):
                yield self.spans, span["span_id"], span
        elif path == "/api/v1/push":
            for labels, time, value in samples_of(body):
                yield self.samples, (labels, time), value
        elif path == "/v1/logs":
            for record in records_of(body):
                yield self.records, record["attributes"].get("event_id") or (record["time"], record["body"]), record
        else:
            for stream in json.loads(body)["streams"]:
                for time, line, metadata in stream["values"]:
                    # What Loki takes as one entry: the same stream, time and line.
                    key = (tuple(sorted(stream["stream"].items())), time, line)
                    yield self.lines, key, {"labels": stream["stream"], "time": int(time), "line": line,
                                            "metadata": metadata}

    def take(self, items):
        with self.lock:
            for home, key, item in items:
                home.setdefault(key, []).append(item)
