#!/usr/bin/env python3
"""`cirro send` and `cirro listen` on brokers, with the built command.

usage: cli_test.py CIRRO
"""

import json
import os
import subprocess
import sys
import unittest
import uuid

CIRRO = sys.argv.pop(1) if len(sys.argv) > 1 else "cirro"
KAFKA = os.environ.get("CIRRO_TEST_KAFKA_URL")
NATS = os.environ.get("CIRRO_TEST_NATS_URL")


def cirro(*words):
    return subprocess.run([CIRRO, *words], capture_output=True, text=True,
                          timeout=60, check=False)


class Nats(unittest.TestCase):

    def setUp(self):
        if not NATS:
            self.skipTest("CIRRO_TEST_NATS_URL names no server")

    def test_what_is_sent_is_heard(self):
        url = f"{NATS}/{uuid.uuid4()}"
        listener = subprocess.Popen(
            [CIRRO, "listen", url, "--count", "1"], stdout=subprocess.PIPE,
            text=True)
        self.addCleanup(listener.stdout.close)
        self.addCleanup(listener.kill)

        # Core NATS keeps nothing for who is not there yet.
        while listener.poll() is None:
            sent = cirro("send", url, "--type", "a", "--data", '{"n":1}')
            self.assertEqual(sent.returncode, 0, sent.stderr)
            try:
                listener.wait(0.2)
            except subprocess.TimeoutExpired:
                continue

        self.assertEqual(listener.returncode, 0)
        event = json.loads(listener.stdout.readline())
        self.assertEqual(event["type"], "a")
        self.assertEqual(event["data"], {"n": 1})


class Kafka(unittest.TestCase):

    def setUp(self):
        if not KAFKA:
            self.skipTest("CIRRO_TEST_KAFKA_URL names no broker")

    def test_a_topic_takes_what_is_sent(self):
        sent = cirro("send", f"kafka://{KAFKA}/sent-{uuid.uuid4()}",
                     "--type", "a", "--count", "3")

        self.assertEqual(sent.returncode, 0, sent.stderr)

    def test_what_was_sent_is_read_from_the_beginning(self):
        url = f"kafka://{KAFKA}/read-{uuid.uuid4()}"
        sent = cirro("send", url, "--type", "a", "--id", "x", "--count", "2")
        self.assertEqual(sent.returncode, 0, sent.stderr)

        heard = cirro("listen", url, "--from", "beginning", "--count", "2")

        self.assertEqual(heard.returncode, 0, heard.stderr)
        ids = [json.loads(line)["id"] for line in heard.stdout.splitlines()]
        self.assertEqual(ids, ["x-1", "x-2"])


class WrongUse(unittest.TestCase):

    def test_a_url_without_a_topic_says_what_one_is(self):
        for verb in (["send", "--type", "a"], ["listen"]):
            done = cirro(*verb, "kafka://127.0.0.1:1")

            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn("kafka://HOST:PORT/TOPIC", done.stderr)

    def test_a_broker_that_is_away_is_told_in_time(self):
        done = cirro("send", "nats://127.0.0.1:1/x", "--type", "a",
                     "--timeout", "0.5")

        self.assertIn(done.returncode, (69, 75), done.stderr)
        self.assertIn("cirro: ", done.stderr)

    def test_an_outlet_that_is_not_configured_is_named(self):
        done = cirro("send", "--outlet", "nowhere", "--type", "a")

        self.assertEqual(done.returncode, 2, done.stderr)
        self.assertIn("there is no [outlet.nowhere]", done.stderr)


if __name__ == "__main__":
    unittest.main()
