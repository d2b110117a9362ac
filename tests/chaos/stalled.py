#!/usr/bin/env python3
"""A function that stands still, and producers at full speed: memory stays.

Three processes with a function that ends none of its calls are fed by Kafka,
by JetStream and by the broker in memory, each as fast as somebody produces.
Their resident memory must stay under what docs/delivery.md says, nothing must
be settled, and their inlets must have taken what their bounds let them.
"""

import argparse
import contextlib
import os
import pathlib
import re
import shutil
import socket
import subprocess
import sys
import tempfile
import threading
import time
import urllib.request

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE.parent / "servers"))

from brokers import kafka, nats  # noqa: E402
from brokers.child import (Unavailable, before_exec, free_ports,  # noqa: E402
                           say)

SKIPPED = 77
MIB = 1 << 20
PARTITIONS = 4
IN_FLIGHT = 10_000
PATIENCE = 60
EVERY_SECONDS = 0.1
# Of docs/delivery.md: what a process is without events, and that these take
# more than their bytes, with what libraries and allocators keep beside them.
BASE = 32 * MIB
FACTOR = 1.5
DATA = b'"' + b"x" * 1022 + b'"'
REQUEST = (b"POST /events HTTP/1.1\r\nHost: localhost\r\nce-specversion: 1.0\r\n"
           b"ce-id: 1\r\nce-source: /stalled\r\nce-type: com.example.chaos\r\n"
           b"content-type: application/json\r\ncontent-length: %d\r\n\r\n%s"
           % (len(DATA), DATA))
PIPELINED = 16


class Broken(Exception):
    """What was to be shown does not hold."""


class KafkaThatForgets(kafka.Kafka):
    """Else a producer at full speed fills the disk."""

    def _write_properties(self, folder, data, ports):
        file = super()._write_properties(folder, data, ports)
        with open(file, "a", encoding="utf-8") as properties:
            properties.write("\nlog.retention.bytes=134217728\n"
                             "log.segment.bytes=33554432\n"
                             "log.retention.check.interval.ms=1000\n"
                             "log.segment.delete.delay.ms=100\n")
        return file


class OfTool:
    """A broker, and the program that makes and fills its topics."""

    def __init__(self, build, server):
        self._tool = str(build / "tests" / "bin" / self.tool)
        self._server = server
        self._producer = None

    def start(self, stack):
        self._server.prepare()
        stack.callback(self._server.stop)
        self._server.start()
        self._server.wait_until_ready()
        subprocess.run([self._tool, self._address(), "make", "in",
                        str(PARTITIONS)], check=True)

    def produce(self, stack, _port):
        self._producer = subprocess.Popen(
            [self._tool, self._address(), "produce", "in", "1000000000000",
             "1000"], stdin=subprocess.DEVNULL, preexec_fn=before_exec)
        stack.callback(self._producer.wait)
        stack.callback(self._producer.kill)

    def check(self):
        if self._producer.poll() is not None:
            raise Broken(f"{self.name}: the producer ended")

    def _address(self):
        return self._server.address()


class OnKafka(OfTool):
    name = "Kafka"
    tool = "chaos_kafka"
    # What is fetched ahead of each partition, and what is in flight.
    bytes = PARTITIONS * 16 * MIB + 64 * MIB
    in_flight = IN_FLIGHT

    def __init__(self, build, folder):
        super().__init__(build, KafkaThatForgets(build / "deps",
                                                 folder / "kafka"))

    def settings(self):
        return ["inlet.in.type=kafka", f"inlet.in.brokers={self._address()}",
                "inlet.in.topics=in", "inlet.in.group=stalled"]


class OnJetStream(OfTool):
    name = "JetStream"
    tool = "chaos_nats"
    bytes = 64 * MIB
    in_flight = IN_FLIGHT

    def __init__(self, build, folder):
        super().__init__(build, nats.Nats(build / "deps", folder / "nats"))

    def _address(self):
        return f"nats://{super()._address()}"

    def settings(self):
        return ["inlet.in.type=nats", f"inlet.in.servers={self._address()}",
                "inlet.in.stream=in", "inlet.in.durable=stalled",
                f"inlet.in.max_ack_pending={2 * IN_FLIGHT}"]


class InMemory:
    """Filled over HTTP, as fast as one connection after the other answers."""

    name = "memory"
    bytes = 64 * MIB  # What is in flight is in the broker, too.
    in_flight = IN_FLIGHT

    def __init__(self, _build, _folder):
        self._statuses = {}
        self._stop = threading.Event()
        self._trouble = None

    def start(self, stack):
        pass

    def settings(self):
        return ["inlet.in.type=memory", "inlet.in.topics=events",
                "outlet.events.type=memory", "outlet.events.topic=events",
                "outlet.events.http_path=/events"]

    def produce(self, stack, port):
        thread = threading.Thread(target=self._run, args=(port,))
        thread.start()
        stack.callback(thread.join)
        stack.callback(self._stop.set)

    def _run(self, port):
        try:
            with socket.create_connection(("127.0.0.1", port),
                                          PATIENCE) as connection:
                answers = connection.makefile("rb")
                while not self._stop.is_set():
                    connection.sendall(REQUEST * PIPELINED)
                    for _ in range(PIPELINED):
                        self._count(answers)
        except OSError as error:
            self._trouble = error

    def _count(self, answers):
        status = int(answers.readline().split()[1])
        length = 0
        while (line := answers.readline()) != b"\r\n":
            name, _, value = line.partition(b":")
            if name.lower() == b"content-length":
                length = int(value)
        answers.read(length)
        self._statuses[status] = self._statuses.get(status, 0) + 1

    def check(self):
        if self._trouble is not None:
            raise Broken(f"memory: the producer ended: {self._trouble}")
        strange = set(self._statuses) - {202, 429}
        if strange:
            raise Broken(f"memory: it was answered {strange}")


SIDES = {side.name: side for side in (OnKafka, OnJetStream, InMemory)}


class Process:
    """A function that ends no call, and its memory."""

    def __init__(self, build, side, folder):
        self.side = side
        self.bound = BASE + FACTOR * side.bytes
        self.most = 0
        self.most_in_flight = 0
        self._port = free_ports(1)[0]
        self._log = folder / f"{side.name}.log"
        settings = ["http.host=127.0.0.1", f"http.port={self._port}",
                    "metrics.public=true", "dispatch.reply_to=none",
                    "dispatch.workers=4",
                    f"dispatch.max_in_flight={4 * IN_FLIGHT}",
                    "function.com_example_chaos.timeout=24h",
                    f"inlet.in.max_in_flight={IN_FLIGHT}", *side.settings()]
        with open(self._log, "wb") as log:
            self._process = subprocess.Popen(
                [str(build / "tests" / "bin" / "chaos_worker"),
                 *(f"--set={each}" for each in settings)],
                env={**os.environ, "CHAOS_STALLS": "1"},
                stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                preexec_fn=before_exec)

    def kill(self):
        self._process.kill()
        self._process.wait()

    def wait_until_ready(self, stack):
        until = time.monotonic() + PATIENCE
        while True:
            self._must_run()
            with contextlib.suppress(OSError), urllib.request.urlopen(
                    f"http://127.0.0.1:{self._port}/readyz", timeout=PATIENCE):
                break
            if time.monotonic() > until:
                raise Broken(f"{self.side.name} is not ready:\n{self._end()}")
            time.sleep(0.02)
        self.side.produce(stack, self._port)

    def look(self):
        self._must_run()
        self.side.check()
        status = pathlib.Path(f"/proc/{self._process.pid}/status").read_text()
        resident = int(re.search(r"VmRSS:\s+(\d+) kB", status)[1]) * 1024
        self.most = max(self.most, resident)
        if resident > self.bound:
            raise Broken(f"{self.side.name}: {resident / MIB:.0f} MiB resident,"
                         f" more than {self.bound / MIB:.0f}")

    def look_inside(self):
        with urllib.request.urlopen(f"http://127.0.0.1:{self._port}/metrics",
                                    timeout=PATIENCE) as answer:
            page = answer.read().decode()
        done = re.search(r'events_settled_total\{inlet="in",outcome="done"\} '
                         r"[1-9]", page)
        if done:
            raise Broken(f"{self.side.name}: a call that stands still is done")
        now = int(re.search(r"^cirro_events_in_flight (\d+)", page, re.M)[1])
        self.most_in_flight = max(self.most_in_flight, now)

    def judge(self):
        # Demand ends at three quarters of the bound.
        if self.most_in_flight < self.side.in_flight * 3 // 4:
            raise Broken(f"{self.side.name}: only {self.most_in_flight} events "
                         "were in flight: nothing was at its bound")
        say(f"{self.side.name}: at most {self.most / MIB:.0f} MiB resident "
            f"(bound {self.bound / MIB:.0f}), {self.most_in_flight} in flight")

    def _must_run(self):
        if self._process.poll() is not None:
            raise Broken(f"{self.side.name} ended:\n{self._end()}")

    def _end(self):
        lines = self._log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-15:])


def run(build, names, seconds, folder):
    with contextlib.ExitStack() as stack:
        sides = []
        for name in names:
            try:
                side = SIDES[name](build, folder)
                side.start(stack)
                sides.append(side)
            except Unavailable as why:
                say(f"skipped {name}: {why}")
        if not sides:
            return SKIPPED
        processes = []
        for side in sides:
            process = Process(build, side, folder)
            stack.callback(process.kill)
            processes.append(process)
        for process in processes:
            process.wait_until_ready(stack)
        until = time.monotonic() + seconds
        while time.monotonic() < until:
            for process in processes:
                process.look()
            time.sleep(EVERY_SECONDS)
            if int(time.monotonic() * 10) % 10 == 0:
                for process in processes:
                    process.look_inside()
        for process in processes:
            process.look_inside()
            process.judge()
    return 0 if len(sides) == len(names) else SKIPPED


def main():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawTextHelpFormatter)
    parser.add_argument("build", type=pathlib.Path)
    parser.add_argument("--seconds", type=float, default=30)
    parser.add_argument("--only", action="append", choices=list(SIDES))
    arguments = parser.parse_args()
    folder = pathlib.Path(tempfile.mkdtemp(prefix="cirro-stalled-"))
    try:
        return run(arguments.build.resolve(), arguments.only or list(SIDES),
                   arguments.seconds, folder)
    except Broken as why:
        say(f"FAILED: {why}")
        return 1
    finally:
        shutil.rmtree(folder, ignore_errors=True)


if __name__ == "__main__":
    sys.exit(main())
