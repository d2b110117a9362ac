"""Brokers: the inlets and outlets beside raw loops of their client libraries.

The programs interleave their rounds themselves and print one JSON line a round
and side; the servers are real, started and stopped by tests/servers/run.
"""

import dataclasses
import json
import os
import pathlib
import subprocess
import sys

from driver.report import Table, median, ratio

SERVERS = pathlib.Path(__file__).resolve().parent.parent.parent / "servers" / "run"
WARM_UP_ROUNDS = 1

# Program, its server, events of a round, arguments behind the rounds.
CASES = {
    "Kafka consume": ("kafka_consume", "KAFKA", 400_000, []),
    "Kafka consume, deep queue": ("kafka_consume", "KAFKA", 400_000,
                                  ["1000000", "256"]),
    "Kafka produce": ("kafka_produce", "KAFKA", 200_000, []),
    "JetStream fetch": ("nats_consume", "NATS", 60_000, []),
    "JetStream publish": ("nats_produce", "NATS", 60_000, []),
}
LATENCIES = {
    "Kafka": ("kafka_latency", "KAFKA", "Kafka consume", "Kafka produce"),
    "JetStream": ("nats_latency", "NATS", "JetStream fetch",
                  "JetStream publish"),
}
LATENCY_SECONDS = 2


@dataclasses.dataclass(frozen=True)
class Sample:
    per_second: float = 0
    processor_us: float = 0
    p50_us: float = 0
    p99_us: float = 0


class Results:
    def __init__(self):
        self.samples = {}  # By what and side, in the order of the rounds.
        self.rates = {}  # Of the latencies.
        self.skipped = {}

    def of(self, what, side):
        return self.samples.get((what, side))


def _rounds(program, address, messages, rounds, more):
    """The samples of each side, without those of the warm-up."""
    command = [str(program), address, str(messages),
               str(rounds + WARM_UP_ROUNDS), *more]
    output = subprocess.run(command, stdin=subprocess.DEVNULL,
                            stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                            text=True, check=False)
    if output.returncode != 0:
        lines = output.stderr.strip().splitlines() or ["no reason given"]
        raise RuntimeError(lines[-1])
    sides = {}
    for line in output.stdout.splitlines():
        found = json.loads(line)
        side = found.pop("side")
        del found["what"]
        sides.setdefault(side, []).append(Sample(**found))
    return {side: samples[WARM_UP_ROUNDS:] for side, samples in sides.items()}


def measure(programs, rounds):
    """As the command of tests/servers/run: prints what was found, as JSON."""
    found = {"samples": {}, "rates": {}, "skipped": {}}

    def take(what, name, server, messages, more):
        address = os.environ.get(f"CIRRO_TEST_{server}_URL")
        program = programs / f"bench_{name}"
        if address is None or not program.exists():
            found["skipped"][what] = ("no server" if address is None
                                      else f"{program.name} is not built")
            return
        print(f"brokers: {what}", file=sys.stderr, flush=True)
        try:
            sides = _rounds(program, address, messages, rounds, more)
        except RuntimeError as why:
            found["skipped"][what] = str(why)
            return
        found["samples"][what] = {
            side: [dataclasses.asdict(sample) for sample in samples]
            for side, samples in sides.items()}

    for what, (name, server, messages, more) in CASES.items():
        take(what, name, server, messages, more)
    for what, (name, server, *both) in LATENCIES.items():
        if not all(each in found["samples"] for each in both):
            continue
        # Sending and receiving share the cores: half of what both can do.
        speeds = [median([Sample(**s) for s in found["samples"][each]["cirro"]],
                         "per_second") for each in both]
        rate = int(0.5 / sum(1 / speed for speed in speeds))
        found["rates"][what] = rate
        take(what, name, server, rate * LATENCY_SECONDS, [str(rate)])
    json.dump(found, sys.stdout)


def run(programs, rounds, say):
    results = Results()
    say("brokers")
    output = subprocess.run(
        [sys.executable, str(SERVERS), "--", sys.executable, "-m",
         "driver.brokers", str(programs.resolve()), str(rounds)],
        cwd=pathlib.Path(__file__).resolve().parent.parent, stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True,
        check=False)
    line = output.stdout.strip().splitlines()[-1:] or [""]
    if output.returncode != 0 or not line[0].startswith("{"):
        results.skipped["brokers"] = f"tests/servers/run: {output.returncode}"
        return results
    found = json.loads(line[0])
    results.skipped.update(found["skipped"])
    results.rates = found["rates"]
    for what, sides in found["samples"].items():
        for side, samples in sides.items():
            results.samples[what, side] = [Sample(**s) for s in samples]
    return results


def tables(results):
    rows, slow = [], []
    for what in CASES:
        raw, cirro = results.of(what, "raw"), results.of(what, "cirro")
        if not raw or not cirro:
            continue
        rows.append([
            what, f"{median(raw, 'per_second'):,.0f}",
            f"{median(cirro, 'per_second'):,.0f}",
            f"{ratio(cirro, raw, 'per_second'):.2f}",
            f"{median(raw, 'processor_us'):.2f}",
            f"{median(cirro, 'processor_us'):.2f}",
            f"{ratio(cirro, raw, 'processor_us'):.2f}"])
    for what in LATENCIES:
        raw, cirro = results.of(what, "raw"), results.of(what, "cirro")
        if not raw or not cirro:
            continue
        row = [what, f"{results.rates[what]:,}"]
        for field in ("p50_us", "p99_us"):
            before, after = median(raw, field), median(cirro, field)
            row += [f"{before:,.0f}", f"{after:,.0f}",
                    f"{after - before:+,.0f}"]
        slow.append(row)
    made = []
    if rows:
        made.append(Table(
            "Brokers: Cirro beside a raw loop of the client library",
            ["what", "raw/s", "Cirro/s", "of raw", "raw CPU us", "Cirro CPU us",
             "x raw's"], rows))
    if slow:
        made.append(Table(
            "Brokers: from before the send to the function, at half load",
            ["what", "events/s", "raw p50 us", "Cirro p50 us", "added",
             "raw p99 us", "Cirro p99 us", "added"], slow))
    return made


if __name__ == "__main__":
    measure(pathlib.Path(sys.argv[1]), int(sys.argv[2]))
