"""Starts programs of the build and talks HTTP to them, for tests in Python."""

import http.client
import http.server
import os
import pathlib
import queue
import signal
import socket
import subprocess
import tempfile
import threading
import unittest
from collections.abc import Callable

PATIENCE = 30.0


def free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Program:
    """A function program that serves on 127.0.0.1 until the block ends."""

    def __init__(self, command: list[str], environment: dict[str, str] | None = None):
        self.port = free_port()
        self.folder = tempfile.TemporaryDirectory()
        self._command = [*command, "--host", "127.0.0.1", "--port", str(self.port)]
        kept = {k: v for k, v in os.environ.items() if not k.startswith(("CIRRO__", "K_"))}
        for name in ("PORT", "FUNCTION_TARGET"):
            kept.pop(name, None)
        self._environment = {**kept, **(environment or {})}
        self.log = ""

    def __enter__(self) -> "Program":
        self._process = subprocess.Popen(
            self._command,
            cwd=self.folder.name,
            env=self._environment,
            stderr=subprocess.PIPE,
            text=True,
        )
        # Its log says when it listens.
        for line in self._process.stderr:
            self.log += line
            if "listening on" in line:
                self._reader = threading.Thread(target=self._read, daemon=True)
                self._reader.start()
                return self
        raise AssertionError(f"{self._command} did not start:\n{self.log}")

    def _read(self) -> None:
        for line in self._process.stderr:
            self.log += line

    def __exit__(self, *_) -> None:
        self._process.send_signal(signal.SIGTERM)
        status = self._process.wait(PATIENCE)
        self._reader.join(PATIENCE)
        self._process.stderr.close()
        self.folder.cleanup()
        if status != 0:
            raise AssertionError(f"exit status {status}:\n{self.log}")

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    @property
    def path(self) -> pathlib.Path:
        return pathlib.Path(self.folder.name)

    def post(self, headers: dict[str, str], body: bytes = b"") -> "Answer":
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("POST", "/", body, headers)
            return Answer(connection.getresponse())
        finally:
            connection.close()

    def send(self, type_: str, data: bytes | str = b"", **attributes: str) -> "Answer":
        """One event in binary mode; data that is given is JSON."""
        headers = {
            "ce-specversion": "1.0",
            "ce-id": "1",
            "ce-source": "/tests",
            "ce-type": type_,
        }
        if data:
            headers["content-type"] = "application/json"
        for name, value in attributes.items():
            headers[name if name.startswith("content") else f"ce-{name}"] = value
        body = data.encode() if isinstance(data, str) else data
        return self.post({k.replace("_", "-"): v for k, v in headers.items()}, body)


class Answer:
    """A status, headers in lower case, and a body."""

    def __init__(self, response: http.client.HTTPResponse):
        self.status = response.status
        self.headers = {name.lower(): value for name, value in response.getheaders()}
        self.body = response.read()

    @property
    def attributes(self) -> dict[str, str]:
        """Of a reply in binary mode: its attributes, without the prefix."""
        return {
            name.removeprefix("ce-"): value
            for name, value in self.headers.items()
            if name.startswith("ce-") or name == "content-type"
        }

    def __repr__(self) -> str:
        return f"{self.status} {self.headers} {self.body!r}"


class Sink:
    """A receiver of events that keeps what it got, and answers `status`.

    That may be a function of an event's headers.
    """

    def __init__(self, status: int | Callable[[dict[str, str]], int] = 202):
        self.received: queue.Queue = queue.Queue()
        sink = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                body = self.rfile.read(int(self.headers.get("content-length", 0)))
                lower = {name.lower(): value for name, value in self.headers.items()}
                sink.received.put((lower, body))
                self.send_response(status(lower) if callable(status) else status)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "Sink":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self._server.shutdown()
        self._server.server_close()

    def take(self) -> tuple[dict[str, str], bytes]:
        return self.received.get(timeout=PATIENCE)


class TestCase(unittest.TestCase):
    maxDiff = None
