"""What happens is seen as it happens: by `watch` without a server and with one that comes meanwhile, and over HTTP."""

import http.client
import json
import subprocess

from harness import CLI, ProcessTest


class Watch(ProcessTest):
    def watch(self, *arguments):
        process = subprocess.Popen([CLI, "--json", "watch", *arguments], cwd=self.folder, env=self.environment,
                                   stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)

        def end():
            process.kill()
            process.wait()
            process.stdout.close()
            process.stderr.close()
        self.addCleanup(end)
        return process

    def next_event(self, process):
        line = process.stdout.readline()
        if not line:
            self.fail("watch ended: " + process.stderr.read())
        return json.loads(line)

    def test_what_there_is(self):
        self.cc("task", "create", "One", "--id", "A-1")
        self.cc("task", "start", "A-1")
        self.cc("task", "create", "Two", "--id", "A-2")
        events = self.ccj("watch", "--since", "0", "--no-follow").lines
        self.assertEqual([e["sequence"] for e in events], sorted(e["sequence"] for e in events))
        self.assertEqual([e["task_id"] for e in events if e["event"] == "task.created"], ["A-1", "A-2"])
        one = self.ccj("watch", "A-2", "--since", "0", "--no-follow").lines
        self.assertEqual([e["event"] for e in one], ["task.created"])
        moved = self.ccj("watch", "--event", "task.status_changed", "--since", "0", "--no-follow").lines
        self.assertEqual([e["to_status"] for e in moved], ["in_progress"])
        self.assertEqual(self.ccj("watch", "--no-follow").lines, [])
        self.assertIn("A-2", self.cc("watch", "--since", "0", "--no-follow").out)
        self.cc("watch", "--event", "*", code=2)

    def test_other_processes_and_a_server_that_comes_and_goes(self):
        self.cc("task", "create", "First", "--id", "A-0")
        watching = self.watch("--since", "0", "--event", "task.created")
        self.assertEqual(self.next_event(watching)["task_id"], "A-0")
        self.cc("task", "create", "Without a server", "--id", "A-1")
        self.assertEqual(self.next_event(watching)["task_id"], "A-1")
        with self.server():
            self.cc("task", "create", "Through the server", "--id", "A-2")
            self.assertEqual(self.next_event(watching)["task_id"], "A-2")
            remote = self.watch("--event", "task.created", "--since", "0")
            self.assertEqual([self.next_event(remote)["task_id"] for _ in range(3)], ["A-0", "A-1", "A-2"])
            self.cc("task", "create", "Both see it", "--id", "A-3")
            self.assertEqual(self.next_event(watching)["task_id"], "A-3")
            self.assertEqual(self.next_event(remote)["task_id"], "A-3")
        self.cc("task", "create", "The server has gone", "--id", "A-4")
        self.assertEqual(self.next_event(watching)["task_id"], "A-4")
        self.assertEqual(self.next_event(remote)["task_id"], "A-4")

    def test_server_sent_events(self):
        with self.server() as server:
            host, port = server.address.rsplit(":", 1)

            def follow(query, headers=None):
                connection = http.client.HTTPConnection(host, int(port), timeout=30)
                connection.request("GET", "/tracker/v1/events" + query, headers=headers or {})
                response = connection.getresponse()
                self.addCleanup(connection.close)
                self.addCleanup(response.close)
                self.assertEqual((response.status, response.headers["Content-Type"]), (200, "text/event-stream"))
                return response

            def message(response):
                fields = {}
                while True:
                    line = response.readline().decode().rstrip("\n")
                    if line == "":
                        return fields
                    name, _, value = line.partition(": ")
                    fields[name] = value

            response = follow("?project=test")
            begun = message(response)
            self.cc("task", "create", "One", "--id", "A-1")
            self.cc("task", "create", "Elsewhere", "--id", "B-1", "--project", "other")
            self.cc("task", "create", "Two", "--id", "A-2")
            first, second = message(response), message(response)
            self.assertEqual([json.loads(m["data"])["task_id"] for m in (first, second)], ["A-1", "A-2"])
            self.assertEqual(int(second["id"]) - int(begun["id"]), 3)
            # A connection that was lost goes on where it was.
            again = follow("?project=test", {"Last-Event-ID": first["id"]})
            message(again)
            self.assertEqual(json.loads(message(again)["data"])["task_id"], "A-2")
            ended = follow("?since=0&follow=false").read().decode()
            self.assertEqual(ended.count("event: task.created"), 3)
        self.assertEqual(response.read(), b"", "a server that stops ends its streams")
