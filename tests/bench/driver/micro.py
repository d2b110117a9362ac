"""The in-process benchmarks: Google Benchmark programs bench_micro_*."""

import json
import os
import re
import shutil
import subprocess

from driver import servers
from driver.report import Table

CALLGRIND_ITERATIONS = 1000


def programs(folder):
    return sorted(path for path in folder.glob("bench_micro_*")
                  if os.access(path, os.X_OK))


def _pin():
    os.sched_setaffinity(0, servers.SERVER_CORES)


def run(folder, repetitions, say):
    """By benchmark name: median nanoseconds and the counters it reported."""
    found = {}
    for program in programs(folder):
        say(f"in process: {program.name}")
        output = subprocess.run(
            [str(program), "--benchmark_format=json",
             f"--benchmark_repetitions={max(3, repetitions)}",
             "--benchmark_enable_random_interleaving=true",
             "--benchmark_min_time=0.1",
             "--benchmark_report_aggregates_only=true"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.DEVNULL, text=True, check=True, preexec_fn=_pin)
        entries = json.loads(output.stdout)["benchmarks"]
        for entry in sorted(entries, key=lambda entry: entry["family_index"]):
            if entry["aggregate_name"] == "median":
                found[entry["run_name"]] = entry
    return found


def _instructions(program, name, iterations):
    output = subprocess.run(
        ["valgrind", "--tool=callgrind", "--callgrind-out-file=/dev/null",
         str(program), f"--benchmark_filter=^{re.escape(name)}(/|$)"],
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, check=True,
        env=servers.environment(BENCH_ITERATIONS=str(iterations)))
    return int(re.search(r"Collected : (\d+)", output.stdout)[1])


def instructions(folder, say):
    """Instructions an iteration by name: what N more iterations add, over N."""
    if not shutil.which("valgrind"):
        return None
    counts = {}
    for program in programs(folder):
        listed = subprocess.run([str(program), "--benchmark_list_tests"],
                                stdout=subprocess.PIPE, text=True, check=True)
        for line in listed.stdout.split():
            say(f"callgrind: {line}")
            few = _instructions(program, line, CALLGRIND_ITERATIONS)
            many = _instructions(program, line, 2 * CALLGRIND_ITERATIONS)
            counts[line] = (many - few) / CALLGRIND_ITERATIONS
    return counts


def table(found, counts):
    rows = []
    for name in dict.fromkeys([*found, *counts]):
        entry = found.get(name)
        allocations = entry.get("allocations") if entry else None
        rows.append([
            name.replace("_", " "),
            f"{entry['cpu_time']:,.0f}" if entry else "-",
            "-" if allocations is None else f"{allocations:.2f}",
            f"{counts[name]:,.0f}" if name in counts else "-"])
    return Table("In process, one core",
                 ["what", "ns", "allocations", "instructions"], rows)
