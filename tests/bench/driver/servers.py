"""Servers under measurement: started on loopback, watched by /proc, ended by pid."""

import http.client
import os
import pathlib
import signal
import socket
import subprocess
import time

TICKS_PER_SECOND = os.sysconf("SC_CLK_TCK")
PATIENCE_SECONDS = 15

# Settings of a platform or a shell that would change what a server does.
FOREIGN = ("K_", "CE_", "CIRRO_", "FUNCTION_", "PORT")

CORES = sorted(os.sched_getaffinity(0))
SERVER_CORES = {CORES[0]}
LOAD_CORES = {CORES[1]} if len(CORES) > 1 else {CORES[0]}

_ATTRIBUTES = {"ce-specversion": "1.0", "ce-id": "1", "ce-source": "/bench",
               "ce-type": "com.example.bench.inline",
               "Content-Type": "application/json"}


class Broken(Exception):
    """A server that does not do what is measured."""


def environment(**extra):
    kept = {name: value for name, value in os.environ.items()
            if not name.startswith(FOREIGN)}
    return {**kept, **extra}


def free_port():
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Server:
    """One running server. Use it as a context manager: leaving ends it."""

    def __init__(self, name, command, log_folder, **extra_environment):
        self.name = name
        self.command = command
        self.port = free_port()
        self._extra = extra_environment
        self._log = pathlib.Path(log_folder) / f"{name}.log"
        self._process = None

    def __enter__(self):
        with open(self._log, "wb") as log:
            self._process = subprocess.Popen(
                self.command, stdin=subprocess.DEVNULL, stdout=log, stderr=log,
                env=environment(PORT=str(self.port), **self._extra),
                preexec_fn=lambda: os.sched_setaffinity(0, SERVER_CORES))
        try:
            self._wait_until_ready()
            self._refuses_what_is_no_event()
        except BaseException:
            self.__exit__()
            raise
        return self

    def __exit__(self, *_):
        self._process.send_signal(signal.SIGTERM)
        try:
            self._process.wait(3)
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()

    @property
    def pid(self):
        return self._process.pid

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}/"

    def processor_seconds(self):
        """User and system time of all its threads since it started."""
        stat = pathlib.Path(f"/proc/{self.pid}/stat").read_text()
        fields = stat.rpartition(")")[2].split()
        return (int(fields[11]) + int(fields[12])) / TICKS_PER_SECOND

    def resident_megabytes(self):
        status = pathlib.Path(f"/proc/{self.pid}/status").read_text()
        line = next(l for l in status.splitlines() if l.startswith("VmRSS:"))
        return int(line.split()[1]) / 1024

    def _post(self, headers):
        connection = http.client.HTTPConnection("127.0.0.1", self.port,
                                                timeout=PATIENCE_SECONDS)
        try:
            connection.request("POST", "/", b"{}", headers)
            return connection.getresponse().status
        finally:
            connection.close()

    def _wait_until_ready(self):
        end = time.monotonic() + PATIENCE_SECONDS
        while self._process.poll() is None and time.monotonic() < end:
            try:
                status = self._post(_ATTRIBUTES)
            except OSError:
                time.sleep(0.02)
                continue
            if not 200 <= status < 300:
                raise Broken(f"answered an event with {status}")
            return
        raise Broken(f"did not answer an event; see bench-logs/{self._log.name}")

    # A server that took an event without id, source and type did not decode.
    def _refuses_what_is_no_event(self):
        if self.name == "floor":
            return
        status = self._post({"ce-specversion": "1.0"})
        if 200 <= status < 300:
            raise Broken(f"answered {status} to what is no event")
