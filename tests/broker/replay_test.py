#!/usr/bin/env python3
"""`cirro replay` on brokers, with the built command.

usage: replay_test.py BUILD_DIR
"""

import json
import os
import pathlib
import shlex
import signal
import socket
import subprocess
import sys
import unittest
import urllib.parse
import uuid

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))

from command import (CIRRO, HELLO, KAFKA, NATS, cirro, make_stream, make_topic,  # noqa: E402
                     settings)
from serving import PATIENCE, Program, Sink, free_port  # noqa: E402

HELLO_TYPE = "com.example.hello"


def taken(sink):
    """The headers of what it got so far."""
    got = []
    while not sink.received.empty():
        got.append(sink.received.get()[0])
    return got


def ids_of(requests):
    return [headers["ce-id"] for headers in requests]


def go_on(stderr):
    """The flags that it says to go on with."""
    (line,) = [line for line in stderr.splitlines() if "--from" in line][-1:]
    return shlex.split(line[line.index("--from"):])


class Replays:
    """What Kafka and JetStream have in common. SETTINGS: of an inlet."""

    SETTINGS: list = []
    url = ""

    def send(self, id_, *words, type_=HELLO_TYPE):
        sent = cirro("send", self.url, "--type", type_, "--id", id_, *words)
        self.assertEqual(sent.returncode, 0, sent.stderr)

    def words(self, *words):
        return ["replay", *settings(self.SETTINGS), *words]

    def replay(self, *words):
        return cirro(*self.words(*words))

    def test_sends_them_to_the_function_in_their_order(self):
        if not os.path.exists(HELLO):
            self.skipTest("the sample functions are not built")
        for n in range(4):
            self.send(str(n), "--data", json.dumps({"name": f"no. {n}"}))
        self.send("other", type_="com.example.other")
        with Program([HELLO, "--set=http.redrive=true"]) as hello:
            to = ("--from", "beginning", "--function", HELLO_TYPE, "--to", hello.url)
            done = self.replay(*to, "--type", HELLO_TYPE)
            # A function gets what it takes, whoever names it.
            all_of_them = self.replay(*to)

        self.assertEqual(done.returncode, 0, done.stderr)
        # What is told each second may stand before it.
        self.assertEqual(done.stderr.splitlines()[-1], "replayed 4")
        replies = [json.loads(line)["data"] for line in done.stdout.splitlines()]
        self.assertEqual(replies, [f"Hello, no. {n}!" for n in range(4)])
        self.assertEqual(all_of_them.returncode, 1, all_of_them.stderr)
        self.assertIn("@4 (404)", all_of_them.stderr.replace("@5", "@4"))

    def test_a_function_that_there_is_not_is_named(self):
        if not os.path.exists(HELLO):
            self.skipTest("the sample functions are not built")
        self.send("1")
        with Program([HELLO, "--set=http.redrive=true"]) as hello:
            done = self.replay("--from", "beginning", "--function", "nobody",
                               "--to", hello.url)

        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("no function 'nobody' takes", done.stdout + done.stderr)

    def test_is_refused_by_a_function_that_does_not_allow_it(self):
        if not os.path.exists(HELLO):
            self.skipTest("the sample functions are not built")
        self.send("1")
        with Program([HELLO]) as hello:
            done = self.replay("--from", "beginning", "--function", HELLO_TYPE,
                               "--to", hello.url)

        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("http.redrive", done.stderr)

    def test_sends_each_as_it_was_for_the_function_alone(self):
        self.send("1", "--data", '{"n": 1.0}', "--mode", "binary", "--subject", "s")
        self.send("2", "--data", '{"n": 2}', "--mode", "structured")
        with Sink() as sink:
            done = self.replay("--from", "beginning", "--function", "bill \u20ac",
                               "--to", sink.url)
            (first, body), (second, structured) = sink.take(), sink.take()

        self.assertEqual(done.returncode, 0, done.stderr)
        for headers in (first, second):
            self.assertEqual(headers["cirro-redrive-function"], "bill%20%E2%82%AC")
        self.assertEqual((first["ce-id"], first["ce-subject"]), ("1", "s"))
        self.assertEqual(body, b'{"n": 1.0}')
        self.assertEqual(second["content-type"].split(";")[0],
                         "application/cloudevents+json")
        self.assertEqual(json.loads(structured)["id"], "2")

    def test_ends_at_the_first_that_is_not_taken_and_goes_on_there(self):
        self.send("x", "--count", "5")
        refused = {"x-3"}
        with Sink(lambda headers: 500 if headers["ce-id"] in refused else 202) as sink:
            to = ("--function", "f", "--to", sink.url)
            first = self.replay("--from", "beginning", *to)
            self.send("later")
            refused.clear()
            second = self.replay(*go_on(first.stderr), *to)
            got = ids_of(taken(sink))

        self.assertEqual(first.returncode, 1, first.stderr)
        self.assertIn("(500)", first.stderr)
        self.assertIn("replayed 2, not taken 1", first.stderr)
        self.assertEqual((second.returncode, second.stderr.splitlines()[-1:]),
                         (0, ["replayed 3"]))
        self.assertEqual(got, ["x-1", "x-2", "x-3", "x-3", "x-4", "x-5"])

    def test_passes_over_what_is_refused_where_it_may(self):
        self.send("x", "--count", "3")
        with Sink(lambda headers: 422 if headers["ce-id"] == "x-2" else 202) as sink:
            done = self.replay("--from", "beginning", "--function", "f", "--to",
                               sink.url, "--keep-going")
            got = ids_of(taken(sink))

        self.assertEqual(done.returncode, 1, done.stderr)
        self.assertIn("replayed 2, not taken 1", done.stderr)
        self.assertEqual(got, ["x-1", "x-2", "x-3"])

    def test_goes_on_for_nobody_who_is_away_or_overloaded(self):
        self.send("x", "--count", "2")
        words = ("--from", "beginning", "--function", "f", "--keep-going", "--to")
        away = self.replay(*words, f"http://127.0.0.1:{free_port()}")
        with Sink(429) as sink:
            overloaded = self.replay(*words, sink.url)
            got = ids_of(taken(sink))

        self.assertEqual(away.returncode, 69, away.stderr)
        self.assertEqual((overloaded.returncode, got), (75, ["x-1"]))
        self.assertIn("go on with --from", overloaded.stderr)

    def test_takes_those_that_are_meant(self):
        self.send("1", "--subject", "a", type_="com.example.order.placed")
        self.send("2", "--subject", "b", type_="com.example.order.paid")
        self.send("3", "--subject", "a", "--source", "/other")

        def shown(*words):
            done = self.replay("--from", "beginning", "--dry-run", *words)
            self.assertEqual(done.returncode, 0, done.stderr)
            return [json.loads(line)["id"] for line in done.stdout.splitlines()]

        self.assertEqual(shown(), ["1", "2", "3"])
        self.assertEqual(shown("--type", "com.example.order.*"), ["1", "2"])
        self.assertEqual(shown("--type", "com.example.order.paid"), ["2"])
        self.assertEqual(shown("--type", "com.example.order"), [])
        self.assertEqual(shown("--subject", "a"), ["1", "3"])
        self.assertEqual(shown("--source", "/other"), ["3"])
        self.assertEqual(shown("--id", "2"), ["2"])

    def test_begins_and_ends_at_times(self):
        for id_ in ("1", "2", "3"):
            self.send(id_)
        lines = self.replay("--from", "beginning", "--dry-run").stdout
        times = [json.loads(line)["time"] for line in lines.splitlines()]

        done = self.replay("--from", times[1], "--until", times[2], "--dry-run")

        self.assertEqual(done.returncode, 0, done.stderr)
        (line,) = done.stdout.splitlines()
        self.assertEqual(json.loads(line)["id"], "2")

    def test_keeps_to_a_limit_and_a_rate(self):
        self.send("x", "--count", "4")
        with Sink() as sink:
            to = ("--function", "f", "--to", sink.url)
            first = self.replay("--from", "beginning", "--limit", "3", *to)
            rest = self.replay(*go_on(first.stderr), "--rate", "1000", *to)
            got = ids_of(taken(sink))

        self.assertEqual((first.returncode, rest.returncode), (0, 0))
        self.assertEqual(got, ["x-1", "x-2", "x-3", "x-4"])

    def test_a_signal_ends_it_in_good_order(self):
        self.send("x", "--count", "10")
        with Sink() as sink:
            to = ("--function", "f", "--to", sink.url)
            replay = subprocess.Popen(
                [CIRRO, *self.words("--from", "beginning", "--rate", "1", *to)],
                stderr=subprocess.PIPE, text=True)
            self.addCleanup(replay.stderr.close)
            first = [sink.take()[0] for _ in range(2)]
            replay.send_signal(signal.SIGTERM)
            self.assertEqual(replay.wait(PATIENCE), 128 + signal.SIGTERM)
            first += taken(sink)
            rest = self.replay(*go_on(replay.stderr.read()), *to)
            got = ids_of(first + taken(sink))

        self.assertEqual(rest.returncode, 0, rest.stderr)
        self.assertEqual(got, [f"x-{n}" for n in range(1, 11)])

    def test_killed_it_goes_on_from_what_it_said_last(self):
        self.send("x", "--count", "30")
        with Sink() as sink:
            to = ("--function", "f", "--to", sink.url)
            replay = subprocess.Popen(
                [CIRRO, *self.words("--from", "beginning", "--rate", "10", *to)],
                stderr=subprocess.PIPE, text=True)
            self.addCleanup(replay.stderr.close)
            said = replay.stderr.readline()
            replay.kill()
            replay.wait(PATIENCE)
            rest = self.replay(*go_on(said), *to)
            got = ids_of(taken(sink))

        self.assertEqual(rest.returncode, 0, rest.stderr)
        self.assertEqual(list(dict.fromkeys(got)), [f"x-{n}" for n in range(1, 31)])
        # What it did in less than a second may be done again.
        self.assertLess(len(got), 30 + 12)

    def test_wrong_words_are_told(self):
        for words, says in (
                ((), "--from"),
                (("--from", "yesterday", "--dry-run"), "'yesterday'"),
                (("--from", "1", "--until", "x@", "--dry-run"), "--until"),
                (("--from", "2", "--until", "1", "--dry-run"), "--until: '1' is before"),
                (("--from", "2026-02-01T00:00:00Z", "--until",
                  "2026-01-01T00:00:00Z", "--dry-run"), "--until: "),
                (("--from", "1"), "--function and --to"),
                (("--from", "1", "--to", "http://127.0.0.1:1"), "--function and --to")):
            done = self.replay(*words)

            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(says, done.stderr)

    def test_wrong_settings_are_told(self):
        for words, code, says in (
                (("0", "--inlet", "out"), 78, "there is no [inlet.out], but in"),
                (("0", "--set", f"inlet.in.{self.PLACE}=nowhere"), 66, "'nowhere'"),
                (("99",), 66, "--from: ")):
            done = self.replay("--dry-run", "--from", *words)

            self.assertEqual(done.returncode, code, done.stderr)
            self.assertIn(says, done.stderr)


class Kafka(Replays, unittest.TestCase):
    PLACE = "topics"

    def setUp(self):
        if not KAFKA:
            self.skipTest("CIRRO_TEST_KAFKA_URL names no broker")
        self.topic = make_topic()
        self.url = f"kafka://{KAFKA}/{self.topic}"
        self.SETTINGS = ["inlet.in.type=kafka", f"inlet.in.brokers={KAFKA}",
                         f"inlet.in.topics={self.topic}", "inlet.in.group=g"]

    def test_merges_partitions_by_time_and_reads_one_alone(self):
        topic = make_topic(3)
        self.url = f"kafka://{KAFKA}/{topic}"
        self.SETTINGS[2] = f"inlet.in.topics={topic}"
        for n in range(8):
            self.send(str(n), "--extension", f"partitionkey=k{n}")

        done = self.replay("--from", "beginning", "--dry-run")

        self.assertEqual(done.returncode, 0, done.stderr)
        lines = [json.loads(line) for line in done.stdout.splitlines()]
        self.assertEqual([line["id"] for line in lines], [str(n) for n in range(8)])
        partitions = [line["position"].split("@")[0] for line in lines]
        self.assertGreater(len(set(partitions)), 1)
        number = partitions[0].split("/")[1]
        one = self.replay("--from", "beginning", "--partition", number, "--dry-run")
        self.assertEqual(
            [json.loads(line)["id"] for line in one.stdout.splitlines()],
            [str(n) for n in range(8) if partitions[n] == partitions[0]])

    def test_a_broker_that_is_away_is_told_in_time(self):
        self.SETTINGS[1] = f"inlet.in.brokers=127.0.0.1:{free_port()}"

        done = self.replay("--from", "beginning", "--dry-run")

        self.assertEqual(done.returncode, 75, done.stderr)
        self.assertIn("no broker answers", done.stderr)


class JetStream(Replays, unittest.TestCase):
    PLACE = "stream"

    def setUp(self):
        if not NATS:
            self.skipTest("CIRRO_TEST_NATS_URL names no server")
        self.stream = f"s-{uuid.uuid4().hex}"
        make_stream(self.stream)
        self.url = f"{NATS}/{self.stream}.x"
        self.SETTINGS = ["inlet.in.type=nats", f"inlet.in.servers={NATS}",
                         f"inlet.in.stream={self.stream}", "inlet.in.durable=d"]

    def publish(self, headers, payload):
        """As bytes on the wire: what no command of ours would send."""
        server = urllib.parse.urlsplit(NATS)
        head = "NATS/1.0\r\n" + "".join(f"{k}: {v}\r\n" for k, v in headers) + "\r\n"
        total = len(head) + len(payload)
        with socket.create_connection((server.hostname, server.port),
                                      timeout=PATIENCE) as peer:
            peer.sendall(f'CONNECT {{"verbose":false,"headers":true}}\r\n'
                         f"HPUB {self.stream}.x {len(head)} {total}\r\n"
                         f"{head}{payload}\r\nPING\r\n".encode())
            answer = b""
            while b"PONG" not in answer:
                answer += peer.recv(4096)

    def test_passes_over_what_is_no_event_or_anothers(self):
        event = [("ce-specversion", "1.0"), ("ce-source", "/s"), ("ce-type", "t")]
        self.publish([("a", "b")], "no event")
        self.publish([*event, ("ce-id", "mine"), ("cirro-redrive-function", "f")], "x")
        self.publish([*event, ("ce-id", "other"), ("cirro-redrive-function", "g")], "x")
        self.send("last")

        with Sink() as sink:
            done = self.replay("--from", "beginning", "--function", "f", "--to", sink.url)
            got = taken(sink)

        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertEqual(ids_of(got), ["mine", "last"])
        self.assertEqual(done.stderr, "replayed 2, passed over 1 that is no event\n")

    def test_a_server_that_is_away_is_told_in_time(self):
        self.SETTINGS[1] = f"inlet.in.servers=nats://127.0.0.1:{free_port()}"

        done = self.replay("--from", "beginning", "--dry-run")

        self.assertEqual(done.returncode, 75, done.stderr)
        self.assertIn("no server answers", done.stderr)

    def test_core_nats_keeps_nothing(self):
        done = self.replay("--from", "beginning", "--dry-run",
                           "--set", "inlet.in.jetstream=false",
                           "--set", "inlet.in.subject=x")

        self.assertEqual(done.returncode, 78, done.stderr)
        self.assertIn("jetstream", done.stderr)


if __name__ == "__main__":
    unittest.main()
