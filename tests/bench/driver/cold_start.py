"""From exec to the first answered event, interleaved, by bench_cold_start."""

import statistics
import subprocess

from driver import http_bench, servers
from driver.report import Table

EMPTY = "empty"


def run(prober, empty, commands, rounds, say):
    """Median milliseconds by name, elapsed and of processor time; skips."""
    taken = {name: [] for name in [EMPTY, *commands]}
    skipped = {}
    for number in range(rounds):
        say(f"cold start, round {number + 1} of {rounds}")
        for name in list(taken):
            command, extra = commands.get(name, ([str(empty)], {}))
            where = "exit" if name == EMPTY else str(servers.free_port())
            result = subprocess.run(
                [str(prober), where, *command], stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
                env=servers.environment(**extra), check=False)
            if result.returncode != 0:
                lines = result.stderr.strip().splitlines() or ["no reason given"]
                skipped[f"cold start of {name}"] = lines[-1]
                del taken[name]
                continue
            # The server shares the prober's standard output.
            last = result.stdout.strip().splitlines()[-1]
            taken[name].append([int(part) / 1e6 for part in last.split()])
    medians = {name: tuple(map(statistics.median, zip(*times)))
               for name, times in taken.items()}
    return medians, skipped


def table(medians):
    rust = medians.get("sdk_rust")
    labels = {EMPTY: "empty C++ program, exec to exit", **http_bench.LABELS}
    rows = [[labels[name], f"{elapsed:.2f}",
             f"{elapsed / rust[0]:.2f}" if rust else "-", f"{processor:.2f}",
             f"{processor / rust[1]:.2f}" if rust else "-"]
            for name, (elapsed, processor) in medians.items()]
    return Table("Cold start: exec to the first answered event",
                 ["server", "ms", "x the Rust SDK's", "CPU ms", "x the Rust SDK's"], rows)
