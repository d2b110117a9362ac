#!/usr/bin/env python3
"""What is hard on a runtime that brokers feed, with processes of a function.

Poison that kills its process; keys that hang, fail or are slow beside others;
50 processes that end by SIGTERM under load, and how long until another has
what they gave back.

usage: hard_test.py BUILD_DIR
"""

import collections
import json
import os
import pathlib
import re
import signal
import statistics
import subprocess
import sys
import tempfile
import threading
import time
import unittest
import urllib.request
import uuid

BUILD = pathlib.Path(sys.argv.pop(1))
CIRRO = str(BUILD / "bin" / "cirro")
TOOLS = BUILD / "tests" / "bin"
WORKER = str(TOOLS / "hard_worker")
KAFKA = os.environ.get("CIRRO_TEST_KAFKA_URL")
NATS = os.environ.get("CIRRO_TEST_NATS_URL")
PATIENCE = 60


def await_that(condition, what):
    """The first of its answers that is one."""
    until = time.monotonic() + PATIENCE
    while True:
        answer = condition()
        if answer:
            return answer
        if time.monotonic() > until:
            raise AssertionError(f"{what}: not within {PATIENCE} s")
        time.sleep(0.01)  # Between two looks at what other processes do.


class Worker:
    """A process of hard_worker, its log and its work."""

    def __init__(self, case, folder, settings, http=False, pause_us=0,
                 echo=False):
        self._folder = folder
        self._counted = self._count = 0
        words = [WORKER, *(f"--set={setting}" for setting in settings)]
        words += ["--port=0"] if http else ["--set=http.enabled=false"]
        self.log = folder / f"log.{uuid.uuid4().hex}"
        with open(self.log, "wb") as log:
            self.process = subprocess.Popen(
                words, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env={**os.environ, "HARD_WORK": str(folder),
                     "HARD_PAUSE_US": str(pause_us),
                     **({"HARD_ECHO": "1"} if echo else {})})
        case.addCleanup(self.process.wait, 20)
        case.addCleanup(self.process.kill)

    def logged(self, text=""):
        return [line for line in self.log.read_text().splitlines()
                if text in line]

    def done(self):
        """(time, id, key) of each event, in the order of their ends."""
        file = self._folder / f"done.{self.process.pid}"
        lines = file.read_text().splitlines() if file.exists() else []
        return [(int(line.split()[0]), *line.split()[1:]) for line in lines
                if line.count(" ") == 2]

    def count(self):
        """How many events it has done."""
        file = self._folder / f"done.{self.process.pid}"
        if file.exists():
            with open(file, "rb") as lines:
                lines.seek(self._counted)
                new = lines.read()
            self._counted += len(new)
            self._count += new.count(b"\n")
        return self._count

    def end(self, case):
        self.process.send_signal(signal.SIGTERM)
        case.assertEqual(self.process.wait(30), 0, self.log.read_text())


def make_topic(partitions=1):
    return subprocess.run(
        [TOOLS / "cirro_test_make_topic", str(partitions)],
        stdout=subprocess.PIPE, text=True, timeout=30,
        check=True).stdout.strip()


class OnKafka:

    echo = False

    def __init__(self, partitions=1):
        self.topic, self.dead = make_topic(partitions), make_topic()
        self.url = f"kafka://{KAFKA}/{self.topic}"
        self.settings = [
            "inlet.in.type=kafka", f"inlet.in.brokers={KAFKA}",
            f"inlet.in.topics={self.topic}", f"inlet.in.group=g-{self.topic}",
            "inlet.in.commit_every=50ms", "inlet.in.session_timeout=1s",
            "inlet.in.librdkafka.heartbeat.interval.ms=200",
            "outlet.dead.type=kafka", f"outlet.dead.brokers={KAFKA}",
            f"outlet.dead.topic={self.dead}", "dispatch.dead_letter=dead"]


class OnKafkaExactlyOnce(OnKafka):
    """What is done is answered, in the transaction that settles it."""

    echo = True

    def __init__(self):
        super().__init__()
        self.out = make_topic()
        self.settings += [
            "inlet.in.exactly_once=true", "outlet.out.type=kafka",
            f"outlet.out.brokers={KAFKA}", f"outlet.out.topic={self.out}",
            "dispatch.reply_to=out"]

    def answered(self):
        """Of each answer the id, as who reads what is committed sees them."""
        read = subprocess.run(
            [CIRRO, "replay", "--from", "beginning", "--dry-run", "--function",
             "work", "--set=inlet.in.type=kafka",
             f"--set=inlet.in.brokers={KAFKA}",
             f"--set=inlet.in.topics={self.out}", "--set=inlet.in.group=none"],
            capture_output=True, text=True, timeout=60, check=True)
        return [json.loads(line)["id"] for line in read.stdout.splitlines()]


class OnJetStream:

    echo = False

    def __init__(self):
        name = uuid.uuid4().hex
        self.stream, self.dead = f"in-{name}", f"dead-{name}"
        for stream in (self.stream, self.dead):
            subprocess.run([TOOLS / "cirro_test_make_stream", stream,
                            f"{stream}.*"], capture_output=True, timeout=30,
                           check=True)
        self.url = f"{NATS}/{self.stream}.x"
        self.settings = [
            "inlet.in.type=nats", f"inlet.in.servers={NATS}",
            f"inlet.in.stream={self.stream}", "inlet.in.durable=d",
            "inlet.in.ack_wait=1s", "inlet.in.heartbeat=1s",
            "outlet.dead.type=nats", f"outlet.dead.servers={NATS}",
            f"outlet.dead.subject={self.dead}.letters",
            "dispatch.dead_letter=dead"]


class Hard(unittest.TestCase):

    def setUp(self):
        folder = tempfile.TemporaryDirectory(prefix="cirro-hard-")
        self.addCleanup(folder.cleanup)
        self.folder = pathlib.Path(folder.name)

    def need(self, address):
        if not address:
            self.skipTest("there is no broker")

    def send(self, side, kind, id_, *words, count=1):
        done = subprocess.run(
            [CIRRO, "send", side.url, "--mode", "binary", "--type",
             f"com.example.{kind}", "--id", id_, "--count", str(count),
             *words], capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(done.returncode, 0, done.stderr)

    def letters(self, side):
        listed = subprocess.run(
            [CIRRO, "dlq", "list", "--place", "dead", "--format", "json",
             *(f"--set={setting}" for setting in side.settings)],
            capture_output=True, text=True, timeout=60, check=False)
        self.assertEqual(listed.returncode, 0, listed.stderr)
        return [json.loads(line) for line in listed.stdout.splitlines()]


class Poison(Hard):
    """Story 13, with the whole runtime: nobody lived to count the deaths."""

    def check(self, side, begins, ends):
        self.send(side, "good", "before", count=30)
        self.send(side, "poison", "poison")
        self.send(side, "good", "after", count=30)
        good = {f"{part}-{n}" for part in ("before", "after")
                for n in range(1, 31)}
        workers = []
        done = set()

        def is_all_done():
            done.update(id_ for _, id_, _ in workers[-1].done())
            return done >= good and self.letters(side)

        while True:
            self.assertLess(len(workers), 10, "it is never given up")
            workers.append(Worker(self, self.folder, side.settings,
                                  echo=side.echo))
            await_that(lambda: workers[-1].process.poll() is not None or
                       is_all_done(), "dead or done")
            done.update(id_ for _, id_, _ in workers[-1].done())
            if workers[-1].process.poll() is None:
                break
            self.assertEqual(workers[-1].process.returncode, -signal.SIGKILL)

        self.assertGreaterEqual(len(workers), 4)
        (letter,) = self.letters(side)
        self.assertEqual(letter["event"]["id"], "poison")
        self.assertEqual(letter["reason"], "crashed")
        self.assertTrue(any(worker.logged(begins) for worker in workers))
        await_that(lambda: workers[-1].logged(ends), ends)
        self.assertEqual(done, good)
        workers[-1].end(self)
        # Nor does it, or a neighbour, come again.
        self.send(side, "good", "later")
        last = Worker(self, self.folder, side.settings, echo=side.echo)
        await_that(last.done, "the later one")
        self.assertEqual([id_ for _, id_, _ in last.done()], ["later"])
        self.assertEqual(len(self.letters(side)), 1)
        last.end(self)

    def test_poison_is_dead_lettered_and_no_neighbour_is_on_kafka(self):
        self.need(KAFKA)
        self.check(OnKafka(), "records run one at a time",
                   "records run in parallel again")

    def test_poison_is_dead_lettered_once_where_all_is_exactly_once(self):
        self.need(KAFKA)
        side = OnKafkaExactlyOnce()
        self.check(side, "records run one at a time",
                   "records run in parallel again")
        # Whatever was done more than once by those that died.
        self.assertEqual(sorted(side.answered()), sorted(
            [f"{part}-{n}" for part in ("before", "after")
             for n in range(1, 31)] + ["later"]))

    def test_poison_is_dead_lettered_and_no_neighbour_is_on_jetstream(self):
        self.need(NATS)
        self.check(OnJetStream(), "they run one at a time",
                   "no message is left that a process may have ended over")


class Keys(Hard):
    """A key delays no other before the span is at its bound, and then it says
    so."""

    SPAN = 300

    def check(self, kind, *settings):
        self.need(KAFKA)
        side = OnKafka()
        held = 'cirro_inlet_held{inlet="in",partition="%s/0"}' % side.topic
        self.send(side, kind, "stuck", "-e", "partitionkey=k")
        self.send(side, "good", "behind", "-e", "partitionkey=k")
        self.send(side, "good", "other", "-e", "partitionkey=o", count=200)
        self.send(side, "good", "any", count=200)
        worker = Worker(self, self.folder, [
            *side.settings, f"inlet.in.max_span={self.SPAN}",
            "metrics.public=true", "dispatch.retry_base=10ms", "dispatch.retry_cap=50ms",
            "dispatch.retry_attempts=1000000", *settings], http=True)

        def metric(name):
            (line,) = await_that(lambda: worker.logged("listening"),
                                 "listening")[:1]
            port = re.search(r":(\d+)", line.split("listening")[1])[1]
            with urllib.request.urlopen(
                    f"http://127.0.0.1:{port}/metrics") as page:
                for line in page.read().decode().splitlines():
                    if line.startswith(name):
                        return line.split()[-1]
            return None

        # All that the span has room for, but the one and what is behind it.
        await_that(lambda: len(worker.done()) == self.SPAN - 2, "the others")
        (line,) = await_that(lambda: worker.logged("`max_span`"), "the line")
        self.assertIn(f"{side.topic}/0 waits: offset 0 is not settled", line)
        self.assertEqual(await_that(lambda: metric(held), held), "1")
        ids = {id_ for _, id_, _ in worker.done()}
        self.assertEqual(len(ids), self.SPAN - 2)
        self.assertFalse(ids & {"stuck", "behind"})

        (self.folder / "release").touch()
        await_that(lambda: len(worker.done()) == 402, "all")
        order = [id_ for _, id_, key in worker.done() if key == "k"]
        self.assertEqual(order, ["stuck", "behind"])
        await_that(lambda: metric(held) == "0", held)
        self.assertEqual(self.letters(side), [])
        worker.end(self)

    def test_a_hung_key_delays_no_other(self):
        self.check("hung", "function.work.timeout=200ms")

    def test_a_slow_key_delays_no_other(self):
        self.check("slow", "function.work.timeout=10m")

    def test_a_failing_key_delays_no_other(self):
        self.check("failing")


class HandOver(Hard):
    """Ended by SIGTERM under load, a process settles what it finished, and what
    it gives back another has at once. How soon is printed, and no promise."""

    ROUNDS = int(os.environ.get("CIRRO_HAND_OVERS", "50"))
    KEYS = 6
    AT_ONCE = 300
    AHEAD = 12_000

    def feed(self, side, workers, stop):
        """Keeps the workers busy; in `sent` is how many batches each key has."""

        def ahead():
            return (self.sent.total() * self.AT_ONCE -
                    sum(worker.count() for worker in workers))

        while True:
            for key in range(self.KEYS):
                while ahead() > self.AHEAD and not stop.wait(0.01):
                    pass
                if stop.is_set():
                    return
                self.send(side, "good", f"{key}.{self.sent[key]}", "-e",
                          f"partitionkey={key}", count=self.AT_ONCE)
                self.sent[key] += 1

    def missing_below(self, ids):
        done = collections.defaultdict(set)
        for id_ in ids:
            key, batch, n = re.split("[.-]", id_)
            done[key].add(int(batch) * self.AT_ONCE + int(n))
        return {f"{key}.{(n - 1) // self.AT_ONCE}-{(n - 1) % self.AT_ONCE + 1}"
                for key, all_ in done.items()
                for n in range(1, max(all_)) if n not in all_}

    def check(self, side, settings, rounds=ROUNDS, may_repeat=False):
        self.sent = collections.Counter()
        stop = threading.Event()
        workers = []
        feeder = threading.Thread(target=self.feed, args=(side, workers, stop))

        def start():
            workers.append(Worker(self, self.folder,
                                  [*side.settings, *settings], pause_us=1000))
            return workers[-1]

        old, new = start(), start()
        feeder.start()
        self.addCleanup(feeder.join)
        self.addCleanup(stop.set)
        times = []
        for _ in range(rounds):
            await_that(lambda: len(old.done()) > 50 and len(new.done()) > 50,
                       "both at work")
            at = time.monotonic_ns()
            had = {key for when, _, key in old.done() if when > at - 10**9}
            old.end(self)
            # By key the next in order; of what has no order, all that is
            # missing below the newest that was done by then.
            missing = self.missing_below(
                id_ for worker in workers for _, id_, _ in worker.done())
            taken = {}

            def is_taken():
                for when, id_, key in new.done():
                    if when > at:
                        taken.setdefault(key, when)
                        taken.setdefault(id_, when)
                return had | missing <= taken.keys()

            await_that(is_taken, "by another")
            took = [taken[each] - at for each in had | missing]
            times += [max(took) / 1e6] if took else []
            old, new = new, start()
        stop.set()
        feeder.join()
        wanted = {f"{key}.{batch}-{n}" for key in range(self.KEYS)
                  for batch in range(self.sent[key])
                  for n in range(1, self.AT_ONCE + 1)}

        def all_done():
            return [id_ for worker in workers for _, id_, _ in worker.done()]

        missing = len(wanted)
        while missing:
            before = missing

            def fewer():
                nonlocal missing
                missing = len(wanted - set(all_done()))
                return missing < before

            await_that(fewer, f"one more of {missing}")
        for worker in (old, new):
            worker.end(self)
        done = all_done()
        self.assertEqual(set(done), wanted)
        again = len(done) - len(wanted)
        print(f"{self.id()}: {len(times)} times SIGTERM under load, "
              f"{len(done)} events: {again} done twice; another had what was "
              f"given back after {statistics.median(times):.0f} ms (median), "
              f"{max(times):.0f} ms (worst)", flush=True)
        self.assertTrue(may_repeat or again == 0, "\n".join(
            line for worker in workers for line in worker.logged("WARNING")))

    # Who stands still for a while is no leaver: it would lose its session.
    KAFKA_SETTINGS = ["inlet.in.session_timeout=30s"]

    def test_what_a_process_gives_back_another_has_on_kafka(self):
        self.need(KAFKA)
        self.check(OnKafka(partitions=4), self.KAFKA_SETTINGS)

    def test_what_a_process_gives_back_another_has_of_cooperative_members(self):
        self.need(KAFKA)
        # Before 2.10 librdkafka takes all from one whose commit meets a join,
        # which is kept from happening as far as a join can be foreseen.
        self.check(OnKafka(partitions=4),
                   [*self.KAFKA_SETTINGS,
                    "inlet.in.assignor=cooperative_sticky"],
                   rounds=15, may_repeat=True)

    def test_what_a_process_gives_back_another_has_on_jetstream(self):
        self.need(NATS)
        self.check(OnJetStream(), ["inlet.in.max_ack_pending=400",
                                   "inlet.in.ack_wait=10s"])


if __name__ == "__main__":
    unittest.main()
