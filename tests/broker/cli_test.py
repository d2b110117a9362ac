#!/usr/bin/env python3
"""`cirro send` and `cirro listen` on brokers, with the built command.

And a function that is fed by a broker through its settings alone.

usage: cli_test.py BUILD_DIR
"""

import json
import os
import pathlib
import subprocess
import tempfile
import unittest
import uuid

from command import (CIRRO, HELLO, KAFKA, NATS, cirro, make_stream, make_topic,
                     settings)


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

    def test_a_topic_that_there_is_not_is_named(self):
        sent = cirro("send", f"kafka://{KAFKA}/nowhere", "--type", "a")

        self.assertEqual(sent.returncode, 1, sent.stderr)
        self.assertIn("nowhere", sent.stderr)

    def test_what_was_sent_is_read_from_the_beginning(self):
        url = f"kafka://{KAFKA}/{make_topic()}"
        sent = cirro("send", url, "--type", "a", "--id", "x", "--count", "2")
        self.assertEqual(sent.returncode, 0, sent.stderr)

        heard = cirro("listen", url, "--from", "beginning", "--count", "2")

        self.assertEqual(heard.returncode, 0, heard.stderr)
        ids = [json.loads(line)["id"] for line in heard.stdout.splitlines()]
        self.assertEqual(ids, ["x-1", "x-2"])


class Function(unittest.TestCase):
    """functions/hello, which knows of no broker."""

    def serve(self, of):
        if not os.path.exists(HELLO):
            self.skipTest("the sample functions are not built")
        process = subprocess.Popen(
            [HELLO, "--set=http.enabled=false", *settings(of)],
            stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait, 20)
        self.addCleanup(process.terminate)
        return process

    def test_answers_the_records_of_a_topic_on_another(self):
        if not KAFKA:
            self.skipTest("CIRRO_TEST_KAFKA_URL names no broker")
        asked, answered = make_topic(), make_topic()
        sent = cirro("send", f"kafka://{KAFKA}/{asked}", "--type",
                     "com.example.hello", "--data", '{"name":"Ada"}')
        self.assertEqual(sent.returncode, 0, sent.stderr)

        process = self.serve([
            "inlet.in.type=kafka", f"inlet.in.brokers={KAFKA}",
            f"inlet.in.topics={asked}", f"inlet.in.group=g-{asked}",
            "outlet.out.type=kafka", f"outlet.out.brokers={KAFKA}",
            f"outlet.out.topic={answered}", "dispatch.reply_to=out"])
        heard = cirro("listen", f"kafka://{KAFKA}/{answered}", "--from",
                      "beginning", "--count", "1")

        self.assertEqual(heard.returncode, 0, heard.stderr)
        self.assertIn("Ada", heard.stdout)
        process.terminate()
        self.assertEqual(process.wait(20), 0, process.stderr.read())

    def test_a_stream_that_there_is_not_is_named_and_waited_for(self):
        if not NATS:
            self.skipTest("CIRRO_TEST_NATS_URL names no server")
        process = self.serve([
            "inlet.in.type=nats", f"inlet.in.servers={NATS}",
            "inlet.in.stream=NOWHERE", "inlet.in.durable=d"])

        line = next(line for line in process.stderr if "NOWHERE" in line)

        self.assertIn('"part":"in"', line)
        self.assertIsNone(process.poll())


class Served(unittest.TestCase):
    """functions/hello, fed by a broker, and what it could not do."""

    SETTINGS: list = []
    FUNCTION = "com.example.hello"

    def start(self):
        process = subprocess.Popen(
            [HELLO, "--set=http.enabled=false", "--set=dispatch.reply_to=none",
             *settings(self.SETTINGS)],
            stderr=subprocess.PIPE, text=True)
        self.addCleanup(process.stderr.close)
        self.addCleanup(process.wait, 20)
        self.addCleanup(process.kill)
        return process

    def send(self, url, id_, data):
        sent = cirro("send", url, "--type", "com.example.hello", "--id", id_,
                     "--data", data, "--mode", "binary")
        self.assertEqual(sent.returncode, 0, sent.stderr)

    def dlq_words(self, verb, *words):
        return ["dlq", verb, "--place", "dead", *words,
                *settings(self.SETTINGS)]

    def dlq(self, verb, *words):
        return cirro(*self.dlq_words(verb, *words))

    def letters(self, *words):
        listed = self.dlq("list", "--format", "json", *words)
        self.assertEqual(listed.returncode, 0, listed.stderr)
        return [json.loads(line) for line in listed.stdout.splitlines()]

    def wait_for_letters(self, count, *words):
        for _ in range(100):
            letters = self.letters(*words)
            if len(letters) >= count:
                break
        self.assertEqual(len(letters), count)
        return letters


    def kill_redrives(self, url):
        """Three are killed on their way, one ends: what the source then has."""
        process = self.start()
        sent = cirro("send", url, "--type", "com.example.hello", "--id", "bad",
                     "--data", '{"name":7}', "--count", "60")
        self.assertEqual(sent.returncode, 0, sent.stderr)
        self.wait_for_letters(60)
        process.terminate()
        self.assertEqual(process.wait(20), 0)

        kills = 3
        for _ in range(kills):
            # It says each second how far it is.
            redrive = subprocess.Popen(
                [CIRRO, *self.dlq_words("redrive", "--rate", "10")],
                stderr=subprocess.PIPE, text=True)
            self.assertRegex(redrive.stderr.readline(), "last letter")
            redrive.kill()
            redrive.wait(20)
            redrive.stderr.close()
        left = len(self.letters())
        self.assertLess(left, 60)
        done = self.dlq("redrive")
        self.assertEqual(done.returncode, 0, done.stderr)
        self.assertRegex(done.stderr, f"redriven {left}$")
        self.assertEqual(self.letters(), [])

        read = cirro("replay", "--from", "beginning", "--dry-run",
                     *settings(self.SETTINGS), "--function", self.FUNCTION)
        self.assertEqual(read.returncode, 0, read.stderr)
        ids = [json.loads(line)["id"] for line in read.stdout.splitlines()]
        wanted = [f"bad-{n}" for n in range(1, 61)]
        self.assertEqual(ids[:60], wanted)
        redriven = ids[60:]
        self.assertEqual(list(dict.fromkeys(redriven)), wanted)
        return len(redriven) - 60, kills


class KafkaLetters(Served):

    def setUp(self):
        if not KAFKA:
            self.skipTest("CIRRO_TEST_KAFKA_URL names no broker")
        if not os.path.exists(HELLO):
            self.skipTest("the sample functions are not built")
        self.asked, self.dead = make_topic(), make_topic()
        self.url = f"kafka://{KAFKA}/{self.asked}"
        self.SETTINGS = [
            "inlet.in.type=kafka", f"inlet.in.brokers={KAFKA}",
            f"inlet.in.topics={self.asked}", f"inlet.in.group=g-{self.asked}",
            "outlet.dead.type=kafka", f"outlet.dead.brokers={KAFKA}",
            f"outlet.dead.topic={self.dead}", "dispatch.dead_letter=dead"]

    def test_a_letter_is_listed_redriven_and_purged(self):
        process = self.start()
        self.send(self.url, "good", '{"name":"Ada"}')
        for id_ in ("bad-1", "bad-2"):
            self.send(self.url, id_, '{"name":7}')

        letters = self.wait_for_letters(2)
        self.assertEqual([letter["position"] for letter in letters],
                         [f"{self.asked}/0@{n}" for n in (1, 2)])
        self.assertEqual(letters[0]["event"]["id"], "bad-1")

        # They die again: two letters of positions behind the first ones'.
        redriven = self.dlq("redrive")
        self.assertEqual(redriven.returncode, 0, redriven.stderr)
        self.assertIn("redriven 2", redriven.stderr)
        again = self.wait_for_letters(2)
        self.assertEqual([letter["position"] for letter in again],
                         [f"{self.asked}/0@{n}" for n in (3, 4)])
        self.assertEqual(len(self.letters("--redriven")), 4)

        shown = self.dlq("show", again[1]["id"])
        self.assertEqual(shown.returncode, 0, shown.stderr)
        letter = json.loads(shown.stdout)
        self.assertEqual(letter["event"]["id"], "bad-2")
        self.assertEqual(letter["position"], again[1]["position"])
        raw = self.dlq("show", "--raw", again[1]["id"])
        self.assertEqual((raw.returncode, raw.stdout), (0, '{"name":7}'),
                         raw.stderr)
        absent = self.dlq("show", "0@99")
        self.assertEqual(absent.returncode, 1, absent.stderr)
        self.assertIn("0@99", absent.stderr)

        refused = self.dlq("purge", "--yes", "--id", "bad-2")
        self.assertEqual(refused.returncode, 1, refused.stderr)
        self.assertIn("nothing is removed", refused.stderr)
        purged = self.dlq("purge", "--yes")
        self.assertEqual(purged.returncode, 0, purged.stderr)
        self.assertIn("purged 2", purged.stderr)
        self.assertEqual(self.letters("--redriven"), [])
        process.terminate()
        self.assertEqual(process.wait(20), 0)

    def test_a_redriven_letter_waits_for_its_function(self):
        process = self.start()
        self.send(self.url, "bad", '{"name":7}')
        (letter,) = self.wait_for_letters(1)
        process.terminate()
        self.assertEqual(process.wait(20), 0)

        self.assertEqual(self.dlq("redrive", "--dry-run").returncode, 0)
        self.assertEqual(len(self.letters()), 1)
        redriven = self.dlq("redrive", "--id", "bad")
        self.assertEqual(redriven.returncode, 0, redriven.stderr)

        self.start()
        again = self.wait_for_letters(1)
        self.assertEqual(again[0]["function"], letter["function"])
        self.assertEqual(again[0]["position"], f"{self.asked}/0@1")


    def test_a_redrive_that_is_killed_loses_nothing_and_keeps_the_order(self):
        twice, kills = self.kill_redrives(self.url)

        self.assertLessEqual(twice, kills)


class NatsLetters(Served):

    def setUp(self):
        if not NATS:
            self.skipTest("CIRRO_TEST_NATS_URL names no server")
        if not os.path.exists(HELLO):
            self.skipTest("the sample functions are not built")
        name = uuid.uuid4().hex
        self.asked, self.dead = f"asked-{name}", f"dead-{name}"
        for stream in (self.asked, self.dead):
            make_stream(stream)
        self.SETTINGS = [
            "inlet.in.type=nats", f"inlet.in.servers={NATS}",
            f"inlet.in.stream={self.asked}", "inlet.in.durable=d",
            "outlet.dead.type=nats", f"outlet.dead.servers={NATS}",
            f"outlet.dead.subject={self.dead}.letters",
            "dispatch.dead_letter=dead"]

    def test_a_letter_is_listed_redriven_and_purged(self):
        process = self.start()
        for id_ in ("bad-1", "bad-2"):
            self.send(f"{NATS}/{self.asked}.x", id_, '{"name":7}')
        letters = self.wait_for_letters(2)
        self.assertEqual([letter["position"] for letter in letters],
                         [f"{self.asked}/d@{n}" for n in (1, 2)])
        self.assertEqual(letters[0]["event"]["id"], "bad-1")

        # They die again: two letters of positions behind the first ones'.
        redriven = self.dlq("redrive")
        self.assertEqual(redriven.returncode, 0, redriven.stderr)
        self.assertIn("redriven 2", redriven.stderr)
        again = self.wait_for_letters(2)
        self.assertEqual([letter["position"] for letter in again],
                         [f"{self.asked}/d@{n}" for n in (3, 4)])

        shown = self.dlq("show", again[1]["id"])
        self.assertEqual(json.loads(shown.stdout)["event"]["id"], "bad-2")
        purged = self.dlq("purge", "--yes", "--id", "bad-2")
        self.assertEqual(purged.returncode, 0, purged.stderr)
        self.assertEqual([letter["event"]["id"] for letter in self.letters()],
                         ["bad-1"])
        self.assertEqual(self.dlq("show", again[1]["id"]).returncode, 1)
        process.terminate()
        self.assertEqual(process.wait(20), 0)


    def test_a_redrive_that_is_killed_loses_nothing_and_sends_nothing_twice(
            self):
        twice, _ = self.kill_redrives(f"{NATS}/{self.asked}.x")

        self.assertEqual(twice, 0)


class WrongUse(unittest.TestCase):

    def test_a_url_without_a_topic_says_what_one_is(self):
        for verb in (["send", "--type", "a"], ["listen"]):
            done = cirro(*verb, "kafka://127.0.0.1:1")

            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn("kafka://HOST:PORT/TOPIC", done.stderr)

    def test_flags_of_another_broker_are_told_by_their_names(self):
        kafka, nats = "kafka://127.0.0.1:1/t", "nats://127.0.0.1:1/t"
        for words, says in (
                (("listen", kafka, "--from", "yesterday"), "--from: 'yesterday'"),
                (("listen", kafka, "--from", "9" * 20), "--from: '999"),
                (("listen", nats, "--from", "beginning"), "--from is of Kafka"),
                (("listen", nats, "--group", "g"), "--group is of Kafka"),
                (("send", kafka, "--type", "a", "--mode", "batch"), "--mode batch"),
                (("send", nats, "--type", "a", "--header", "a=b"), "--header"),
                (("send", "--outlet", "x", "--type", "a", "--mode", "binary"),
                 "outlet.x.mode")):
            done = cirro(*words)

            self.assertEqual(done.returncode, 2, done.stderr)
            self.assertIn(says, done.stderr)

    def test_each_verb_looks_for_modules_where_it_is_told_to(self):
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "kafka.so").write_text("no library")
            for verb in (["send", "--type", "a"], ["listen"]):
                done = subprocess.run(
                    [CIRRO, *verb, "kafka://127.0.0.1:1/t"],
                    capture_output=True, text=True, timeout=60, check=False,
                    env={**os.environ, "CIRRO_MODULE_PATH": folder})

                self.assertIn(done.returncode, (2, 78), done.stderr)
                self.assertIn(f"{folder}/kafka.so: file too short",
                              done.stderr)

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
