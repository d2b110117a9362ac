"""Load by wrk from its own core, and what it cost the server."""

import dataclasses
import json
import os
import pathlib
import re
import shutil
import signal
import subprocess
import time

from driver import servers

SCRIPT = pathlib.Path(__file__).resolve().parent.parent / "wrk_event.lua"
BATCH = 100  # events in a batch of wrk_event.lua


@dataclasses.dataclass(frozen=True)
class Sample:
    """One run of wrk against one server."""

    requests_per_second: float
    microseconds_per_request: float  # of the server's processor time
    errors: int  # of sockets, and answers other than 2xx and 3xx
    p50_microseconds: int
    p99_microseconds: int


def _wrk(url, mode, event_type, connections, seconds):
    command = ["wrk", "-t1", f"-c{connections}", f"-d{seconds}s",
               "--timeout", "10s", "-s", str(SCRIPT), url, "--", mode]
    result = subprocess.run(
        command + ([event_type] if event_type else []),
        stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
        stderr=subprocess.STDOUT, text=True, check=False,
        preexec_fn=lambda: os.sched_setaffinity(0, servers.LOAD_CORES))
    found = re.search(r"^RESULT (.*)$", result.stdout, re.MULTILINE)
    if not found:
        raise servers.Broken(f"wrk said: {result.stdout.strip()[-200:]}")
    return json.loads(found[1])


def measure(server, mode, event_type, connections, seconds):
    before = server.processor_seconds()
    result = _wrk(server.url, mode, event_type, connections, seconds)
    used = server.processor_seconds() - before
    requests = max(1, result["requests"])
    return Sample(
        requests / (result["microseconds"] / 1e6), used * 1e6 / requests,
        sum(result[kind] for kind in ("connect", "read", "write", "status",
                                      "timeout")),
        result["p50"], result["p99"])


def system_calls(server, mode, event_type):
    """System calls by name for each request, or None without strace."""
    strace = shutil.which("strace")
    if not strace:
        return None
    tracer = subprocess.Popen(
        [strace, "-c", "-f", "-p", str(server.pid)], stdin=subprocess.DEVNULL,
        stdout=subprocess.DEVNULL, stderr=subprocess.PIPE, text=True)
    if not _is_traced(server.pid):
        tracer.terminate()
        tracer.communicate()
        return None
    try:
        result = _wrk(server.url, mode, event_type, 32, 1)
    finally:
        tracer.send_signal(signal.SIGINT)
        summary = tracer.communicate()[1]
    calls = {}
    for line in summary.splitlines():
        fields = line.split()
        if len(fields) >= 5 and fields[3].isdigit() and fields[-1] != "total":
            calls[fields[-1]] = int(fields[3]) / max(1, result["requests"])
    return calls


def _is_traced(pid):
    status = pathlib.Path(f"/proc/{pid}/status")
    end = time.monotonic() + 3
    while time.monotonic() < end:
        if "TracerPid:\t0\n" not in status.read_text():
            return True
        time.sleep(0.02)
    return False
