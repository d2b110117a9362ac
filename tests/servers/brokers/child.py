"""A server as a direct child: started on free ports, ended by its number."""

import contextlib
import ctypes
import os
import pathlib
import signal
import socket
import subprocess
import sys
import time

TRIES = 4
PATIENCE_SECONDS = 180
STOP_SECONDS = 20
LISTENS = "0A"  # The state, as /proc/net/tcp writes it.
_PR_SET_PDEATHSIG = 1
_LIBC = ctypes.CDLL(None, use_errno=True)


class Unavailable(Exception):
    """A server that cannot be had here, and why."""


def say(text):
    print(f"== {text}", file=sys.stderr, flush=True)


def free_ports(count):
    """Ports that were free a moment ago; Child tries others if they are not."""
    probes = [socket.socket() for _ in range(count)]
    try:
        for probe in probes:
            probe.bind(("127.0.0.1", 0))
        return [probe.getsockname()[1] for probe in probes]
    finally:
        for probe in probes:
            probe.close()


def before_exec():
    """What a child does first, so that it ends with this process."""
    # Ctrl-C on a terminal is for the command; a server ends after it, or with
    # the process that started it, however that ends.
    os.setsid()
    _LIBC.prctl(_PR_SET_PDEATHSIG, signal.SIGKILL)


class Child:
    """What the brokers have in common. One of them says how it is started
    (`command`; without `fresh` on the data that is there), whether it answers
    (`answers`) and what `environment` tells."""

    what = "a server"
    ports_needed = 1
    stop_signal = signal.SIGTERM

    def __init__(self, cache: pathlib.Path, data: pathlib.Path):
        self.cache = cache
        self.data = data
        self.log = data.with_suffix(".log")
        self.ports = []
        self._process = None
        self._tries = 0
        self._again = False

    def address(self):
        return f"127.0.0.1:{self.ports[0]}"

    def start(self):
        self._tries += 1
        if not self._again:
            self.ports = self.take_ports()
        command = self.command(fresh=not self._again)
        with open(self.log, "ab" if self._again else "wb") as log:
            self._process = subprocess.Popen(
                command, stdin=subprocess.DEVNULL, stdout=log,
                stderr=subprocess.STDOUT, preexec_fn=before_exec)

    def kill(self):
        """As a power cut of this process; nothing is flushed."""
        self._process.kill()
        self._process.wait()

    def start_again(self):
        """On the same ports, with the data that the last one left."""
        self._again = True
        self._tries = 0
        self.start()

    def take_ports(self):
        return free_ports(self.ports_needed)

    def runs(self):
        return self._process is not None and self._process.poll() is None

    def _listens(self):
        """Itself: somebody else may answer on a port that it could not get."""
        folder = pathlib.Path(f"/proc/{self._process.pid}")
        wanted = f":{self.ports[0]:04X}"
        sockets = set()
        for table in ("tcp", "tcp6"):
            with contextlib.suppress(OSError):
                for line in (folder / "net" / table).read_text().splitlines():
                    fields = line.split()
                    if fields[3] == LISTENS and fields[1].endswith(wanted):
                        sockets.add(f"socket:[{fields[9]}]")
        with contextlib.suppress(OSError):  # It ended meanwhile.
            for descriptor in (folder / "fd").iterdir():
                with contextlib.suppress(OSError):
                    if os.readlink(descriptor) in sockets:
                        return True
        return False

    def wait_until_ready(self):
        until = time.monotonic() + PATIENCE_SECONDS
        while not (self._listens() and self.answers()):
            if not self.runs() and self._tries < TRIES:
                self.start()
            elif not self.runs() or time.monotonic() > until:
                raise SystemExit(f"{self.what} does not start:\n"
                                 f"{self.end_of_log()}")
            time.sleep(0.01)

    def end_of_log(self):
        lines = self.log.read_text(errors="replace").splitlines()
        return "\n".join(lines[-15:])

    def stop(self, patience=STOP_SECONDS):
        """Whether it ended within `patience` seconds when it was asked to."""
        if self._process is None:
            return True
        if self.runs():
            self._process.send_signal(self.stop_signal)
        try:
            self._process.wait(patience)
            return True
        except subprocess.TimeoutExpired:
            self._process.kill()
            self._process.wait()
            return False
