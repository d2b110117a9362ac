#!/usr/bin/env python3
"""What a program says of settings that are wrong: one line that names the
setting. And that brokers which are away are waited for.

usage: wrong_settings_test.py BUILD_DIR
"""

import json
import os
import pathlib
import queue
import shutil
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.error
import urllib.request
import uuid

BUILD = pathlib.Path(sys.argv.pop(1))
HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "servers"))
sys.path.insert(0, str(HERE.parent / "support"))

from brokers import kafka, nats  # noqa: E402
from brokers.child import free_ports  # noqa: E402

HELLO = str(BUILD / "bin" / "hello")
CIRRO = str(BUILD / "bin" / "cirro")
MAKE_TOPIC = str(BUILD / "tests" / "bin" / "cirro_test_make_topic")
MAKE_STREAM = str(BUILD / "tests" / "bin" / "cirro_test_make_stream")
KAFKA = os.environ.get("CIRRO_TEST_KAFKA_URL")
KAFKA_HOME = os.environ.get("CIRRO_TEST_KAFKA_HOME")
NATS = os.environ.get("CIRRO_TEST_NATS_URL")
PATIENCE = 30
QUIET = 3  # Seconds; it tries again many times meanwhile.
WRONG_CONFIGURATION = 78
FAILED = 1

USER, PASSWORD = "alice", "rabbit-hole"
SASL = f"""
listeners=SASL://127.0.0.1:{{port}},CONTROLLER://127.0.0.1:{{controller}}
advertised.listeners=SASL://127.0.0.1:{{port}}
listener.security.protocol.map=SASL:SASL_PLAINTEXT,CONTROLLER:PLAINTEXT
inter.broker.listener.name=SASL
sasl.enabled.mechanisms=PLAIN
sasl.mechanism.inter.broker.protocol=PLAIN
listener.name.sasl.plain.sasl.jaas.config=org.apache.kafka.common.security\
.plain.PlainLoginModule required username="broker" password="broker" \
user_broker="broker" user_{USER}="{PASSWORD}";
"""


class KafkaWithPasswords(kafka.Kafka):

    def _write_properties(self, folder, data, ports):
        file = super()._write_properties(folder, data, ports)
        # Of two lines with one name the later counts.
        with open(file, "a", encoding="utf-8") as properties:
            properties.write(SASL.format(port=ports[0], controller=ports[1]))
        return file


class NatsWithPasswords(nats.Nats):

    def command(self, fresh):
        return [*super().command(fresh), "--user", USER, "--pass", PASSWORD]


class Hello:
    """functions/hello with settings, until the test is over."""

    def __init__(self, test, settings, environment=None, http=False):
        self.port = free_ports(1)[0]
        serve = (["--host=127.0.0.1", f"--port={self.port}"] if http
                 else ["--set=http.enabled=false"])
        self.process = subprocess.Popen(
            [HELLO, *serve, "--set=dispatch.reply_to=none",
             *(f"--set={setting}" for setting in settings)],
            env={**os.environ, **(environment or {})},
            stderr=subprocess.PIPE, text=True)
        self.lines = queue.Queue()
        self._reader = threading.Thread(target=self._read, daemon=True)
        self._reader.start()
        test.addCleanup(self._end)

    def _read(self):
        for line in self.process.stderr:
            self.lines.put(json.loads(line))
        self.lines.put(None)

    def _end(self):
        self.process.kill()
        self.process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        self.process.stderr.close()

    def line(self, wanted):
        """The first that `wanted` takes, and all that came before it."""
        before = []
        while True:
            line = self.lines.get(timeout=PATIENCE)
            if line is None:
                raise AssertionError(f"it ended, and said {before}")
            if wanted(line):
                return line, before
            before.append(line)

    def said_within(self, seconds):
        """What it says meanwhile; a program that ended says nothing."""
        said, end = [], time.monotonic() + seconds
        while (left := end - time.monotonic()) > 0:
            try:
                line = self.lines.get(timeout=left)
            except queue.Empty:
                break
            if line is None:
                break
            said.append(line)
        return said

    def refusal(self):
        """The one line of a program that does not start."""
        status = self.process.wait(PATIENCE)
        lines = []
        while (line := self.lines.get(timeout=PATIENCE)) is not None:
            lines.append(line)
        return status, [line["message"] for line in lines]

    def readiness(self):
        try:
            with urllib.request.urlopen(
                    f"http://127.0.0.1:{self.port}/readyz", timeout=PATIENCE) as answer:
                return answer.status
        except urllib.error.HTTPError as error:
            error.close()
            return error.code
        except OSError:
            return 0


    def metrics(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self.port}/metrics",
                                    timeout=PATIENCE) as answer:
            return answer.read().decode()


def says(*words):
    return lambda line: all(word in line["message"] for word in words)


def is_trouble(line):
    return line["severity"] in ("WARNING", "ERROR")


def make(program, *words):
    made = subprocess.run([program, *words], capture_output=True, text=True,
                          timeout=PATIENCE, check=True)
    return made.stdout.strip()


class Case(unittest.TestCase):

    def setUp(self):
        if not os.path.exists(HELLO):
            self.skipTest("the sample functions are not built")

    def needs(self, address, name):
        if not address:
            self.skipTest(f"{name} names no server")
        return address

    def assert_refused(self, settings, *words, environment=None):
        status, lines = Hello(self, settings, environment).refusal()
        self.assertEqual(status, WRONG_CONFIGURATION, lines)
        self.assertEqual(len(lines), 1, lines)
        for word in words:
            self.assertIn(word, lines[0])

    def assert_told_once(self, settings, *words):
        """It goes on, after the one line of trouble."""
        hello = Hello(self, settings)
        line, before = hello.line(is_trouble)
        for word in words:
            self.assertIn(word, line["message"])
        self.assertEqual(line["part"], "in")
        again = filter(is_trouble, hello.said_within(QUIET))
        self.assertEqual([line["message"] for line in again], [])
        self.assertIsNone(hello.process.poll())
        return hello


def kafka_inlet(brokers, topic, *more):
    return ["inlet.in.type=kafka", f"inlet.in.brokers={brokers}",
            f"inlet.in.topics={topic}", f"inlet.in.group=g-{topic}", *more]


def nats_inlet(url, *more):
    return ["inlet.in.type=nats", f"inlet.in.servers={url}",
            "inlet.in.durable=d", *more]


class BeforeItStarts(Case):

    def test_a_module_that_is_not_there(self):
        # Modules are looked for beside the library.
        with tempfile.TemporaryDirectory() as folder:
            for library in (BUILD / "lib").glob("libcirro.so*"):
                shutil.copy(library, folder, follow_symlinks=True)
            self.assert_refused(
                kafka_inlet("127.0.0.1:1", "t"), "inlet.in.type = \"kafka\"",
                folder, environment={"LD_LIBRARY_PATH": folder,
                                     "CIRRO_MODULE_PATH": ""})

    def test_a_dead_letter_file_that_cannot_be_made(self):
        self.assert_refused(["dead_letter.kept.path=/nowhere/letters.db",
                             *nats_inlet("nats://127.0.0.1:1",
                                         "inlet.in.stream=S")],
                            "dead_letter.kept.path = ", "No such file")

    def test_a_dead_letter_file_that_is_none(self):
        with tempfile.NamedTemporaryFile() as file:
            file.write(b"no database, but long enough to be looked at " * 100)
            file.flush()
            self.assert_refused([f"dead_letter.kept.path={file.name}",
                                 *nats_inlet("nats://127.0.0.1:1",
                                             "inlet.in.stream=S")],
                                "dead_letter.kept.path = ", file.name)

    def test_exactly_once_with_an_outlet_elsewhere(self):
        for outlet in (["outlet.o.url=http://127.0.0.1:1/"],
                       ["outlet.o.type=memory", "outlet.o.topic=t"],
                       ["outlet.o.type=kafka", "outlet.o.topic=t",
                        "outlet.o.brokers=127.0.0.1:2"]):
            self.assert_refused(
                [*kafka_inlet("127.0.0.1:1", "t", "inlet.in.exactly_once=true"),
                 *outlet],
                "inlet.in.exactly_once = true: ", "'o'", "`brokers`")

    def test_an_empty_group(self):
        self.assert_refused(kafka_inlet("127.0.0.1:1", "t", "inlet.in.group="),
                            'inlet.in.group = ""')

    def test_a_durable_that_cannot_be_a_name(self):
        self.assert_refused(
            nats_inlet("nats://127.0.0.1:1", "inlet.in.stream=S",
                       "inlet.in.durable=a.b"), 'inlet.in.durable = "a.b"')

    def test_what_only_a_binding_knows_to_be_needed(self):
        self.assert_refused(nats_inlet("nats://127.0.0.1:1"),
                            "inlet.in.stream: ", "(flag --set)")
        self.assert_refused(
            kafka_inlet("127.0.0.1:1", "t", "inlet.in.username=a",
                        "inlet.in.security=sasl_plaintext"),
            "inlet.in.password: ")


class AwayAtTheStart(Case):

    def test_kafka_is_told_once_and_waited_for(self):
        home = self.needs(KAFKA_HOME, "CIRRO_TEST_KAFKA_HOME")
        with tempfile.TemporaryDirectory() as folder:
            server = kafka.Kafka(pathlib.Path(home).parents[1],
                                 pathlib.Path(folder) / "kafka")
            server.prepare()
            server.ports = server.take_ports()
            hello = self.assert_told_once(
                kafka_inlet(server.address(), "t"), "no broker of",
                server.address(), "refused", "`brokers`")
            ports = server.ports
            server.take_ports = lambda: ports
            server.start()
            self.addCleanup(server.stop)
            server.wait_until_ready()

            # It is asked, and has no such topic.
            _, before = hello.line(says("`topics`"))

            self.assertEqual([line for line in before if is_trouble(line)], [])
            server.stop()

    def test_nats_is_told_once_and_waited_for(self):
        self.needs(NATS, "CIRRO_TEST_NATS_URL")
        with tempfile.TemporaryDirectory() as folder:
            server = nats.Nats(BUILD / "deps", pathlib.Path(folder) / "nats")
            server.prepare()
            server.ports = server.take_ports()
            url = f"nats://{server.address()}"
            hello = self.assert_told_once(
                nats_inlet(url, "inlet.in.stream=S"), "not connected to", url,
                "refused", "`servers`")
            ports = server.ports
            server.take_ports = lambda: ports
            server.start()
            self.addCleanup(server.stop)
            server.wait_until_ready()

            _, before = hello.line(
                lambda line: line["message"].startswith(f"connected to {url}"))

            self.assertEqual([line for line in before if is_trouble(line)], [])
            server.stop()


class Refused(Case):

    def test_kafka_tells_the_credentials_and_goes_on(self):
        home = self.needs(KAFKA_HOME, "CIRRO_TEST_KAFKA_HOME")
        with tempfile.TemporaryDirectory() as folder:
            server = KafkaWithPasswords(pathlib.Path(home).parents[1],
                                        pathlib.Path(folder) / "kafka")
            server.prepare()
            server.start()
            self.addCleanup(server.stop)
            server.wait_until_ready()
            known = kafka_inlet(server.address(), "t",
                                "inlet.in.security=sasl_plaintext",
                                f"inlet.in.username={USER}")

            self.assert_told_once([*known, "inlet.in.password=wrong"],
                                  "Authentication failed", "`username`",
                                  "`password`")
            outlet = Hello(self, [each.replace("inlet.in", "outlet.o")
                                  for each in known if ".topics" not in each
                                  and ".group" not in each] +
                           ["outlet.o.topic=t", "outlet.o.password=wrong"],
                           http=True)
            line, _ = outlet.line(is_trouble)
            self.assertIn("`password`", line["message"])
            self.assertEqual(line["part"], "o")
            # With the right one it gets as far as the topic.
            self.assert_told_once([*known, f"inlet.in.password={PASSWORD}"],
                                  "`topics`")
            server.stop()

    def test_nats_tells_the_credentials_and_ends(self):
        self.needs(NATS, "CIRRO_TEST_NATS_URL")
        with tempfile.TemporaryDirectory() as folder:
            server = NatsWithPasswords(BUILD / "deps",
                                       pathlib.Path(folder) / "nats")
            server.prepare()
            server.start()
            self.addCleanup(server.stop)
            server.wait_until_ready()
            known = nats_inlet(f"nats://{server.address()}",
                               "inlet.in.stream=S", f"inlet.in.user={USER}")

            hello = Hello(self, [*known, "inlet.in.password=wrong"])
            line, _ = hello.line(is_trouble)
            self.assertIn("refuses it", line["message"])
            self.assertIn("`password`", line["message"])
            self.assertNotIn("wrong", line["message"])
            # It may be heard of while it starts, too.
            self.assertIn(hello.process.wait(PATIENCE),
                          (FAILED, WRONG_CONFIGURATION))
            self.assert_told_once([*known, f"inlet.in.password={PASSWORD}"],
                                  "'S' is not there")
            heard = subprocess.run(
                [CIRRO, "listen", f"nats://{USER}:wrong@{server.address()}/s"],
                capture_output=True, text=True, timeout=PATIENCE, check=False)
            self.assertEqual(heard.returncode, FAILED, heard.stderr)
            self.assertIn("refuses it", heard.stderr)
            sent = subprocess.run(
                [CIRRO, "send", f"nats://{USER}:wrong@{server.address()}/s",
                 "--type", "a", "--timeout", "2"],
                capture_output=True, text=True, timeout=PATIENCE, check=False)
            self.assertIn("refuses it", sent.stderr)
            self.assertNotEqual(sent.returncode, 0)
            server.stop()


class NotThere(Case):

    def test_a_topic_is_named(self):
        brokers = self.needs(KAFKA, "CIRRO_TEST_KAFKA_URL")

        self.assert_told_once(kafka_inlet(brokers, "nowhere"), "nowhere",
                              "`topics`")

    def test_a_stream_is_named(self):
        url = self.needs(NATS, "CIRRO_TEST_NATS_URL")

        self.assert_told_once(nats_inlet(url, "inlet.in.stream=NOWHERE"),
                              "NOWHERE", "stream")

    def test_a_group_that_shares_otherwise(self):
        brokers = self.needs(KAFKA, "CIRRO_TEST_KAFKA_URL")
        topic = make(MAKE_TOPIC)
        first = Hello(self, kafka_inlet(brokers, topic))
        first.line(says("assigned"))

        self.assert_told_once(
            kafka_inlet(brokers, topic,
                        "inlet.in.assignor=cooperative_sticky"), "`assignor`")


class Idle(Case):

    def assert_ready_without_lag(self, settings, partition):
        hello = Hello(self, [*settings, "readiness.broker=always",
                             "metrics.public=true"], http=True)
        wanted = f'cirro_inlet_lag{{inlet="in",partition="{partition}"}} '
        end = time.monotonic() + PATIENCE
        while time.monotonic() < end:
            if hello.readiness() == 200 and wanted + "0\n" in hello.metrics():
                break
            self.assertIsNone(hello.process.poll())
            time.sleep(0.02)  # The broker that is waited for has work to do.
        self.assertIn(wanted + "0\n", hello.metrics())
        self.assertEqual(hello.readiness(), 200)

    def test_a_topic_is_ready(self):
        brokers = self.needs(KAFKA, "CIRRO_TEST_KAFKA_URL")
        topic = make(MAKE_TOPIC)

        self.assert_ready_without_lag(kafka_inlet(brokers, topic),
                                      f"{topic}/0")

    def test_a_transactional_topic_is_ready(self):
        brokers = self.needs(KAFKA, "CIRRO_TEST_KAFKA_URL")
        asked, answered = make(MAKE_TOPIC), make(MAKE_TOPIC)
        sent = subprocess.run(
            [CIRRO, "send", f"kafka://{brokers}/{asked}", "--type",
             "com.example.hello", "--data", "{}"], capture_output=True,
            text=True, timeout=PATIENCE, check=False)
        self.assertEqual(sent.returncode, 0, sent.stderr)
        exactly_once = kafka_inlet(
            brokers, asked, "inlet.in.exactly_once=true",
            "outlet.out.type=kafka", f"outlet.out.brokers={brokers}",
            f"outlet.out.topic={answered}", "function.com_example_hello"
            ".reply_to=out")
        Hello(self, exactly_once)
        heard = subprocess.run(
            [CIRRO, "listen", f"kafka://{brokers}/{answered}", "--from",
             "beginning", "--count", "1"], capture_output=True, text=True,
            timeout=2 * PATIENCE, check=False)
        self.assertEqual(heard.returncode, 0, heard.stderr)

        # What it ends with is the marker of a transaction, which is no event.
        self.assert_ready_without_lag(
            kafka_inlet(brokers, answered, "dispatch.on_exhausted=drop"),
            f"{answered}/0")

    def test_a_stream_is_ready(self):
        url = self.needs(NATS, "CIRRO_TEST_NATS_URL")
        stream = f"idle-{uuid.uuid4().hex}"
        make(MAKE_STREAM, stream, f"{stream}.*")

        self.assert_ready_without_lag(
            nats_inlet(url, f"inlet.in.stream={stream}"), f"{stream}/d")


if __name__ == "__main__":
    unittest.main()
