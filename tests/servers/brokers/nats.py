"""nats-server with JetStream."""

import shutil
import signal
import socket

from .child import Child, Unavailable


class Nats(Child):
    what = "nats-server"
    stop_signal = signal.SIGINT

    def prepare(self):
        unpacked = self.cache / "nats-server" / "usr" / "sbin" / "nats-server"
        # Outside root's PATH on Debian.
        self._program = (shutil.which("nats-server") or
                         shutil.which("/usr/sbin/nats-server") or
                         shutil.which(str(unpacked)))
        if self._program is None:
            raise Unavailable("nats-server is not installed (./dev setup)")

    def command(self, fresh):
        if fresh:
            shutil.rmtree(self.data, ignore_errors=True)
        self.data.mkdir(exist_ok=True)
        return [self._program, "-a", "127.0.0.1", "-p", str(self.ports[0]),
                "-js", "-sd", str(self.data)]

    def answers(self):
        """JetStream is there as soon as the greeting names it."""
        try:
            with socket.create_connection(("127.0.0.1", self.ports[0]),
                                          timeout=2) as connection:
                greeting = connection.recv(4096)
        except OSError:
            return False
        return greeting.startswith(b"INFO") and b'"jetstream":true' in greeting

    def environment(self):
        return {"CIRRO_TEST_NATS_URL": f"nats://{self.address()}"}
