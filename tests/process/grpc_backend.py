#!/usr/bin/env python3
"""A stock gRPC server that takes OTLP traces and logs; a program of its own, for an interpreter that has grpcio.

  grpc_backend.py PORT JSON      {"certificate": [file, key], "script": [words], "refuses": text, "max": bytes}

Prints a line with its port, then one for each call: {"word", "path", "items": [ids], "metadata"}. Words of the script,
one for each next call: unavailable exhausted (RetryInfo of 50 ms) deadline partial. Ends when its input does.
"""

import concurrent.futures
import json
import sys
import threading

import grpc

from backend import records_of, spans_of

SERVICES = {"/opentelemetry.proto.collector.trace.v1.TraceService/Export":
            lambda body: [span["span_id"] + " " + span["name"] for span in spans_of(body)],
            "/opentelemetry.proto.collector.logs.v1.LogsService/Export":
            lambda body: [str(record["body"]) for record in records_of(body)]}
# google.rpc.Status { code: 8, details: [RetryInfo { retry_delay { nanos: 50,000,000 } }] }
DELAY = b"\x10\x80\xe1\xeb\x17"
INFO = b"\x0a\x28type.googleapis.com/google.rpc.RetryInfo\x12\x07\x0a\x05" + DELAY
DETAILS = b"\x08\x08\x1a" + bytes([len(INFO)]) + INFO
CODES = {"unavailable": grpc.StatusCode.UNAVAILABLE, "exhausted": grpc.StatusCode.RESOURCE_EXHAUSTED,
         "deadline": grpc.StatusCode.DEADLINE_EXCEEDED, "refuse": grpc.StatusCode.INVALID_ARGUMENT}


class Receiver(grpc.GenericRpcHandler):
    def __init__(self, options):
        self.script, self.refuses, self.lock = options.get("script", []), options.get("refuses"), threading.Lock()

    def service(self, call):
        if call.method not in SERVICES:
            return None
        return grpc.unary_unary_rpc_method_handler(lambda body, context: self.export(call.method, body, context))

    def export(self, path, body, context):
        items = SERVICES[path](body)
        metadata = {key: value for key, value in context.invocation_metadata() if isinstance(value, str)}
        with self.lock:
            word = self.script.pop(0) if self.script else "ok"
            if self.refuses and any(self.refuses in item for item in items):
                word = "refuse"
            if word == "partial":
                items = items[:-1]
            print(json.dumps({"word": word, "path": path, "items": items, "metadata": metadata}), flush=True)
        if word == "exhausted":
            context.set_trailing_metadata((("grpc-status-details-bin", DETAILS),))
        if word in CODES:
            context.abort(CODES[word], f"the script says {word}")
        return b"\x0a\x0a\x08\x01\x12\x06one no" if word == "partial" else b""


def main():
    options = json.loads(sys.argv[2])
    server = grpc.server(concurrent.futures.ThreadPoolExecutor(4), handlers=[Receiver(options)],
                         options=[("grpc.max_receive_message_length", options.get("max", 4 << 20)),
                                  ("grpc.so_reuseport", 0)])
    address = "127.0.0.1:" + sys.argv[1]
    if options.get("certificate"):
        chain, key = (open(path, "rb").read() for path in options["certificate"])
        port = server.add_secure_port(address, grpc.ssl_server_credentials([(key, chain)]))
    else:
        port = server.add_insecure_port(address)
    server.start()
    print(port, flush=True)
    sys.stdin.read()
    server.stop(None).wait()


if __name__ == "__main__":
    main()
