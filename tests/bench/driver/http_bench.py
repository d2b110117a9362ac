"""Requests over HTTP: interleaved rounds of every server in every mode."""

import collections
import contextlib
import dataclasses

from driver import load, servers
from driver.report import Table, median, ratio

POOL_TYPE = "com.example.bench.pool"
WARM_UP_SECONDS = 1


@dataclasses.dataclass(frozen=True)
class Case:
    """One line of a table: a server, how events are sent to it, and which."""

    server: str
    mode: str
    event_type: str = ""

    @property
    def label(self):
        where = " on the pool" if self.event_type == POOL_TYPE else ""
        return LABELS[self.server] + where


LABELS = {
    "floor": "bare epoll, no parsing (the floor)",
    "cirro": "Cirro",
    "sdk_rust": "Rust SDK on axum",
    "ff_go": "functions-framework-go",
    "sdk_go": "Go SDK receiver",
    "npm": "npm SDK on Node http",
}

CASES = [Case(name, mode)
         for mode in ("binary", "structured") for name in LABELS]
CASES.insert(2, Case("cirro", "binary", POOL_TYPE))
# Only these receive a batch.
CASES += [Case(name, "batch") for name in ("floor", "cirro", "npm")]


class Results:
    """Samples by connections and case, and what was seen of each server."""

    def __init__(self):
        self.samples = collections.defaultdict(list)
        self.idle_megabytes = {}
        self.loaded_megabytes = {}
        self.system_calls = {}
        self.skipped = {}

    def of(self, connections, server, mode="binary", event_type=""):
        return self.samples.get((connections, Case(server, mode, event_type)))


def run(commands, options, log_folder, say):
    """Measures every server of `commands`, by name: (command, environment)."""
    results = Results()
    with contextlib.ExitStack() as stack:
        running = {}
        for name, (command, environment) in commands.items():
            try:
                server = stack.enter_context(
                    servers.Server(name, command, log_folder, **environment))
            except (servers.Broken, OSError) as error:
                results.skipped[name] = str(error)
                continue
            running[name] = server
            results.idle_megabytes[name] = server.resident_megabytes()
        cases = [case for case in CASES if case.server in running]
        if "http" in options.only:
            _rounds(running, cases, options, results, say)
            results.loaded_megabytes = {
                name: server.resident_megabytes()
                for name, server in running.items()}
        if "syscalls" in options.only:
            for case in cases:
                if case.mode == "binary" and case.server in ("floor", "cirro"):
                    say(f"system calls: {case.label}")
                    results.system_calls[case] = load.system_calls(
                        running[case.server], case.mode, case.event_type)
    return results


def _rounds(running, cases, options, results, say):
    for case in cases:
        say(f"warming up: {case.label}, {case.mode}")
        load.measure(running[case.server], case.mode, case.event_type, 32,
                     WARM_UP_SECONDS)
    for number in range(options.rounds):
        for connections in options.connections:
            for case in cases:
                if case.mode == "batch" and connections > 32:
                    continue
                say(f"round {number + 1} of {options.rounds}, {connections} "
                    f"connections: {case.label}, {case.mode}")
                results.samples[connections, case].append(load.measure(
                    running[case.server], case.mode, case.event_type,
                    connections, options.seconds))


def tables(results):
    made = []
    groups = dict.fromkeys((case.mode, connections)
                           for connections, case in results.samples)
    for mode, connections in groups:
        floor = results.of(connections, "floor", mode)
        batch = mode == "batch"
        header = ["server", "requests/s"] + ["events/s"] * batch
        header += ["of the floor", "CPU us/request", "x the floor's", "p50 us",
                   "p99 us", "errors"]
        rows = []
        for (count, case), samples in results.samples.items():
            if (case.mode, count) != (mode, connections):
                continue
            speed = median(samples, "requests_per_second")
            row = [case.label, f"{speed:,.0f}"]
            row += [f"{speed * load.BATCH:,.0f}"] * batch
            row += [f"{ratio(samples, floor, 'requests_per_second'):.2f}"
                    if floor else "-",
                    f"{median(samples, 'microseconds_per_request'):.2f}",
                    f"{ratio(samples, floor, 'microseconds_per_request'):.2f}"
                    if floor else "-",
                    f"{median(samples, 'p50_microseconds'):,.0f}",
                    f"{median(samples, 'p99_microseconds'):,.0f}",
                    sum(sample.errors for sample in samples)]
            rows.append(row)
        unit = f"batches of {load.BATCH} events" if batch else f"{mode} events"
        made.append(Table(f"HTTP, {unit}, {connections} connections", header,
                          rows))
    return made


def memory_table(results):
    rows = [[LABELS[name], f"{idle:.1f}",
             f"{results.loaded_megabytes[name]:.1f}"
             if name in results.loaded_megabytes else "-"]
            for name, idle in results.idle_megabytes.items()]
    return Table("Resident memory, MiB", ["server", "idle", "after the load"],
                 rows)


def system_calls_table(results):
    rows = []
    for case, calls in results.system_calls.items():
        if calls is None:
            results.skipped["system calls"] = "strace is missing or may not trace"
            continue
        often = sorted(calls.items(), key=lambda item: -item[1])
        rows.append([case.label, f"{sum(calls.values()):.2f}",
                     ", ".join(f"{name} {count:.2f}" for name, count in often
                               if count >= 0.005)])
    return Table("System calls a request, 32 connections",
                 ["server", "all", "each"], rows) if rows else None
