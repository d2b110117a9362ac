#!/usr/bin/env python3
"""The kill test: functions, members and brokers killed under load.

Two functions answer keyed events and fail at random. Meanwhile processes are
killed (SIGKILL) and started anew, the broker is killed and started on the data
it left, members leave in good order and come. At the end a judge that knows
only the topics says whether an event was lost, done too often or out of order.

A round is 1,000,000 events with 30 kills, 3 of the broker, and 3 each of
members that stand still until their group has given them up (SIGSTOP), leave,
and come; --small: 50,000, 5 and 1 each. The seed, which is printed, fixes what
happens and after how many results. --minutes repeats small rounds with other
seeds until the time is over.
"""

import argparse
import collections
import contextlib
import json
import os
import pathlib
import queue
import random
import signal
import subprocess
import sys
import tempfile
import threading
import time

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "servers"))

from brokers import kafka, nats  # noqa: E402
from brokers.child import Unavailable, before_exec, say  # noqa: E402

SKIPPED = 77
STALL_SECONDS = 90
STOP_SECONDS = 60
FROZEN_SECONDS = 3  # Longer than a session.
MEMBERS = 2
KEYS = 200
PARTITIONS = 4
IN_FLIGHT = 500
COMMIT_MS = 250
WORK_US = 5_000  # The longest call.
BIG = {"events": 1_000_000, "kills": 30, "broker_kills": 3, "freezes": 3,
       "leaves": 3, "joins": 3}
SMALL = {"events": 50_000, "kills": 5, "broker_kills": 1, "freezes": 1,
         "leaves": 1, "joins": 1}


class Broken(Exception):
    """What the round was to show does not hold."""


class OnKafka:
    """Topics of a Kafka broker, and the settings of a function on them."""

    server = kafka.Kafka
    tool = "chaos_kafka"
    keeps_order = True
    order_by = "source"
    in_flight = IN_FLIGHT
    work_us = WORK_US

    def __init__(self, exactly_once=False, offset_map=True):
        self.exactly_once = exactly_once
        # Without it what was done above an open event is done again, which is
        # as much as the span allows: reported, and no promise.
        self.bounds_duplicates = offset_map
        self._offset_map = offset_map

    def tool_address(self, server):
        return server.address()

    def forgot(self, _server):
        return False

    def settings(self, server, member):
        common = [f"inlet.in.brokers={server.address()}",
                  *(f"outlet.{name}.type=kafka" for name in ("out", "dead")),
                  *(f"outlet.{name}.brokers={server.address()}"
                    for name in ("out", "dead"))]
        return [
            *common, "inlet.in.type=kafka", "inlet.in.topics=in",
            "inlet.in.group=chaos", "inlet.in.session_timeout=2s",
            f"inlet.in.commit_every={COMMIT_MS}ms",
            f"inlet.in.offset_map={str(self._offset_map).lower()}",
            f"inlet.in.exactly_once={str(self.exactly_once).lower()}",
            f"inlet.in.transactional_id=chaos-{member}",
            "outlet.out.topic=out", "outlet.dead.topic=dead"]


class OnJetStream:
    """Streams. Members share what is in a consumer, and have no order unless it
    gives one message at a time to all of them together."""

    server = nats.Nats
    tool = "chaos_nats"
    order_by = "partitionkey"
    exactly_once = False
    bounds_duplicates = True

    def __init__(self, in_flight=IN_FLIGHT, work_us=WORK_US):
        self.keeps_order = in_flight == 1
        self.in_flight = in_flight
        self.work_us = work_us

    def tool_address(self, server):
        return f"nats://{server.address()}"

    def forgot(self, server):
        """Whether the kill came while the server wrote anew what is settled: it
        empties that file first, and then begins with the first message."""
        return any(file.stat().st_size == 0 for file in
                   server.data.glob("**/streams/in/obs/chaos/o.dat"))

    def settings(self, server, _member):
        url = self.tool_address(server)
        return [
            "inlet.in.type=nats", f"inlet.in.servers={url}",
            "inlet.in.stream=in", "inlet.in.durable=chaos",
            "inlet.in.ack_wait=2s", "inlet.in.heartbeat=1s",
            f"inlet.in.max_ack_pending={self.in_flight}",
            *(f"outlet.{name}.{what}" for name in ("out", "dead")
              for what in ("type=nats", f"servers={url}", f"subject={name}",
                           "mode=binary",
                           # The judge is to see what is sent twice.
                           "message_ids=false"))]


ROUNDS = {"kafka": OnKafka(),
          "kafka_no_map": OnKafka(offset_map=False),
          "kafka_exactly_once": OnKafka(exactly_once=True),
          "jetstream": OnJetStream(),
          "jetstream_ordered": OnJetStream(in_flight=1, work_us=200)}


class Member:
    """One process of the function, which is started again and again."""

    def __init__(self, number, command, folder):
        self._command = command
        self._log = folder / f"member-{number}.log"
        self._process = None
        self._frozen = False

    def start(self):
        """If it does not run; if it is frozen it goes on."""
        frozen, self._frozen = self._frozen, False
        if self.runs():
            if frozen:
                self._process.send_signal(signal.SIGCONT)
            return
        with open(self._log, "ab") as log:
            self._process = subprocess.Popen(
                self._command, stdin=subprocess.DEVNULL, stdout=log,
                stderr=log, preexec_fn=before_exec)

    def runs(self):
        return self._process is not None and self._process.poll() is None

    def works(self):
        return self.runs() and not self._frozen

    def kill(self):
        if self._process is not None:
            self._process.kill()
            self._process.wait()

    def freeze(self):
        self._process.send_signal(signal.SIGSTOP)
        self._frozen = True

    def stop(self):
        self.start()  # What is frozen hears nothing.
        self._process.terminate()
        try:
            status = self._process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            raise Broken(f"a member did not stop in {STOP_SECONDS} s:\n"
                         f"{self.end_of_log()}") from None
        # One that was just started does not listen to signals yet.
        if status not in (0, -signal.SIGTERM):
            raise Broken(f"a member ended with {status}:\n{self.end_of_log()}")

    def end_of_log(self):
        lines = self._log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-15:])


class Progress:
    """How many results there are, as a reader of their topic counts them."""

    def __init__(self, process):
        self._process = process
        self._lines = queue.Queue()
        self.done = 0
        threading.Thread(target=self._read, daemon=True).start()

    def _read(self):
        for line in self._process.stdout:
            self._lines.put(int(line))
        self._lines.put(None)

    def wait_for(self, count, meanwhile):
        """Until there are so many; it is a stall when nothing comes."""
        moved = time.monotonic()
        while self.done < count:
            meanwhile()
            try:
                done = self._lines.get(timeout=0.1)
            except queue.Empty:
                if time.monotonic() > moved + STALL_SECONDS:
                    raise Broken(f"nothing moved for {STALL_SECONDS} s at "
                                 f"{self.done} results") from None
                continue
            moved = time.monotonic()
            if done is None:
                raise Broken(f"the results cannot be read: "
                             f"{self._process.wait()}")
            self.done = done


def planned(size, dice):
    """What happens after how many results."""
    whats = [what for what in size if what != "events"
             for _ in range(size[what])]
    times = [dice.randrange(size["events"] * 2 // 100,
                            size["events"] * 95 // 100) for _ in whats]
    dice.shuffle(whats)
    return sorted((at, what, dice.randrange(MEMBERS), dice.uniform(0, 2))
                  for at, what in zip(times, whats))


class Round:

    def __init__(self, build, name, size, seed, settings):
        self._bin = build / "tests" / "bin"
        self._name = name
        self._side = ROUNDS[name]
        self._size = size
        self._seed = seed
        self._settings = settings
        self._folder = pathlib.Path(tempfile.mkdtemp(prefix="cirro-chaos-"))
        self._server = self._side.server(build / "deps",
                                         self._folder / "broker")
        self._members = []
        self._late = []  # When whom to start again.
        self._begin = 0
        self._progress = None
        self._done = collections.Counter()  # Of what was planned.
        self._broker_ends = 0  # By itself.
        self._forgotten = 0  # Results whose events the server gives again.

    def _tool(self, *words):
        return [str(self._bin / self._side.tool),
                self._side.tool_address(self._server), *map(str, words)]

    def _member(self, number):
        work = ["env", f"CHAOS_WORK_US={self._side.work_us}",
                "CHAOS_FAILURES=20",
                str(self._bin / "chaos_worker")]
        settings = ["http.enabled=false", "dispatch.reply_to=out",
                    "dispatch.dead_letter=dead", "dispatch.retry_base=5ms",
                    "dispatch.retry_cap=100ms", "dispatch.retry_attempts=1000",
                    "function.com_example_chaos.order_by="
                    + self._side.order_by,
                    f"inlet.in.max_in_flight={self._side.in_flight}",
                    *self._side.settings(self._server, number),
                    *self._settings]
        return Member(number, work + [f"--set={each}" for each in settings],
                      self._folder)

    def run(self):
        """Its report; a Broken has the place of all logs."""
        try:
            with contextlib.ExitStack() as stack:
                report = self._run(stack)
        except Broken as why:
            raise Broken(f"{self._name}, seed {self._seed}: {why}\n"
                         f"what was logged: {self._folder}") from why
        subprocess.run(["rm", "-rf", self._folder], check=False)
        return report

    def _run(self, stack):
        self._server.prepare()
        stack.callback(self._server.stop)
        self._server.start()
        self._server.wait_until_ready()
        for topic in ("in", "out", "dead"):
            subprocess.run(self._tool("make", topic, PARTITIONS), check=True)
        self._begin = time.monotonic()
        producer = self._child(stack, self._tool(
            "produce", "in", self._size["events"], KEYS))
        follower = self._child(stack, self._tool(
            "follow", "out", self._size["events"]), stdout=subprocess.PIPE)
        progress = self._progress = Progress(follower)
        for number in range(MEMBERS + 1):
            self._members.append(self._member(number))
            stack.callback(self._members[-1].kill)
        for member in self._members[:MEMBERS]:
            member.start()
        for at, what, number, pause in planned(self._size,
                                               random.Random(self._seed)):
            progress.wait_for(at, self._start_who_is_late)
            self._do(what, number, pause)
        self._start_all()
        try:
            progress.wait_for(self._size["events"], self._start_who_is_late)
        except Broken as why:
            raise Broken(f"{why}: {self._verdict()}") from why
        seconds = time.monotonic() - self._begin
        if producer.wait(STALL_SECONDS) != 0:
            raise Broken("the producer failed")
        for member in self._members:
            if member.runs():
                member.stop()
        return self._judged(seconds)

    def _child(self, stack, command, **options):
        process = subprocess.Popen(command, stdin=subprocess.DEVNULL, text=True,
                                   preexec_fn=before_exec, **options)
        stack.callback(process.wait)
        stack.callback(process.kill)
        return process

    def _do(self, what, number, pause):
        now = time.monotonic()
        self._done[what] += 1
        if what == "broker_kills":
            say(f"{now - self._begin:.1f} s: {what}")
            self._server.kill()
            self._start_broker_again()
            return
        member = self._members[MEMBERS if what == "joins" else number]
        if what != "joins" and not member.works():
            # Another one, so that it happens as often as it was planned.
            member = next(filter(Member.works, self._members), member)
            member.start()
        say(f"{now - self._begin:.1f} s: {what} {self._members.index(member)}")
        if what == "joins":
            if member.runs():
                member.stop()
            member.start()
            return
        if what == "freezes":
            member.freeze()
            pause += FROZEN_SECONDS
        elif what == "leaves":
            member.stop()
        else:
            member.kill()
        self._late.append((now + pause, member))

    def _start_broker_again(self):
        if self._side.forgot(self._server):
            self._forgotten += self._progress.done
            say(f"the server has lost what was settled: "
                f"{self._progress.done} results")
        self._server.start_again()
        self._server.wait_until_ready()

    def _start_who_is_late(self):
        if not self._server.runs():
            # As nats-server 2.9 does, of a nil pointer, when it was killed and
            # is asked again for a consumer. What supervises it starts it anew.
            self._broker_ends += 1
            say(f"{time.monotonic() - self._begin:.1f} s: the server ended by "
                f"itself:\n{self._server.end_of_log()}")
            self._start_broker_again()
        for late in [late for late in self._late if late[0] <=
                     time.monotonic()]:
            self._late.remove(late)
            late[1].start()

    def _start_all(self):
        self._late.clear()
        for member in self._members[:MEMBERS]:
            member.start()

    def _verdict(self):
        judged = subprocess.run(
            self._tool("judge", "in", "out", "dead", COMMIT_MS),
            stdout=subprocess.PIPE, text=True, check=False)
        if judged.returncode != 0:
            raise Broken("the judge cannot judge")
        return json.loads(judged.stdout)

    def _judged(self, seconds):
        verdict = self._verdict()
        done = self._done
        for what, count in self._size.items():
            if what != "events" and done[what] != count:
                raise Broken(f"{done[what]} {what} of {count}")
        # Who stood still repeats what others did meanwhile.
        kills = (done["kills"] + done["broker_kills"] + done["freezes"] +
                 self._broker_ends)
        bound = (kills * (self._side.in_flight + verdict["most_at_once"]) +
                 self._forgotten)
        ends = (f", which ended {self._broker_ends} times by itself"
                if self._broker_ends else "")
        report = (f"{verdict['inputs']} "
                  f"events in {seconds:.0f} s, {done['kills']} kills, "
                  f"{done['freezes']} that stood still, "
                  f"{done['broker_kills']} kills of the broker{ends}: "
                  f"lost {verdict['lost']}, out of order "
                  f"{verdict['disordered']}, duplicates "
                  f"{verdict['duplicates']} (bound {bound}), dead letters "
                  f"{verdict['letters']}, of nothing {verdict['strangers']}")
        wrong = [verdict["inputs"] != self._size["events"], verdict["lost"],
                 verdict["strangers"], verdict["letters"],
                 self._side.keeps_order and verdict["disordered"],
                 self._side.bounds_duplicates and
                 verdict["duplicates"] > bound,
                 self._side.exactly_once and verdict["duplicates"]]
        if any(wrong):
            raise Broken(f"{report}\nfor example: "
                         f"{', '.join(verdict['examples'])}")
        return report


def parsed():
    parser = argparse.ArgumentParser(
        description=__doc__,
        formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("build", type=pathlib.Path, metavar="BUILD_DIR")
    parser.add_argument("--round", metavar="NAME,..", default=",".join(ROUNDS),
                        help=f"of {', '.join(ROUNDS)}; default: each")
    parser.add_argument("--small", action="store_true")
    parser.add_argument("--minutes", metavar="N", type=float)
    parser.add_argument("--set", metavar="KEY=VALUE", action="append",
                        default=[], help="one more setting of the function")
    for name in [*BIG, "seed"]:
        parser.add_argument("--" + name.replace("_", "-"), metavar="N",
                            type=int)
    arguments = parser.parse_args()
    arguments.round = arguments.round.split(",")
    for name in arguments.round:
        if name not in ROUNDS:
            parser.error(f"{name!r} is none of {', '.join(ROUNDS)}")
    return arguments


def main():
    arguments = parsed()
    size = dict(BIG)
    if arguments.small or arguments.minutes is not None:
        size = dict(SMALL)
    for name in size:
        if getattr(arguments, name) is not None:
            size[name] = getattr(arguments, name)
    seed = arguments.seed
    if seed is None:
        seed = int.from_bytes(os.urandom(4), "big")
    until = time.monotonic() + 60 * (arguments.minutes or 0)
    failed = False
    while True:
        for name in arguments.round:
            say(f"{name}, seed {seed}")
            try:
                report = Round(arguments.build.resolve(), name, size, seed,
                               arguments.set).run()
                print(f"{name}, seed {seed}: {report}", flush=True)
            except Unavailable as why:
                print(f"SKIPPED {name}: {why}", flush=True)
                return SKIPPED
            except Broken as why:
                print(f"BROKEN {why}", flush=True)
                failed = True
        seed += 1
        if time.monotonic() >= until:
            return 1 if failed else 0


if __name__ == "__main__":
    sys.exit(main())
