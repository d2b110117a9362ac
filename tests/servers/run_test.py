#!/usr/bin/env python3
"""What `run` promises to the command and to those who stop it."""

import os
import pathlib
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import unittest

HERE = pathlib.Path(__file__).resolve().parent
sys.path.insert(0, str(HERE))

from brokers import nats  # noqa: E402
from brokers.child import Unavailable, free_ports  # noqa: E402

RUN = str(HERE / "run")
DEPS = HERE.parent.parent / "build" / "deps"
PATIENCE = 100  # Seconds, of a machine that stands still now and then.

# The signal comes when the child is there, and before Popen has returned.
IN_TIME = """
import importlib.machinery, importlib.util, os, signal, subprocess, sys
loader = importlib.machinery.SourceFileLoader("run", sys.argv[1])
run = importlib.util.module_from_spec(
    importlib.util.spec_from_loader("run", loader))
loader.exec_module(run)

class Popen(subprocess.Popen):
    def __init__(self, *words, **options):
        super().__init__(*words, **options)
        os.kill(os.getpid(), signal.SIGTERM)

subprocess.Popen = Popen
print(run.Command().run(["sleep", "20"], os.environ))
"""


def run(*words, **options):
    return subprocess.run([RUN, *words], capture_output=True, text=True,
                          timeout=PATIENCE, check=False, **options)


def is_there(pid):
    try:
        return pathlib.Path(f"/proc/{pid}/stat").read_text().split()[2] != "Z"
    except OSError:
        return False


def servers_below(pid):
    """The children of `pid` that are nats-servers."""
    children = pathlib.Path(f"/proc/{pid}/task/{pid}/children").read_text()
    return [int(child) for child in children.split()
            if "nats-server" in pathlib.Path(f"/proc/{child}/cmdline")
            .read_text()]


class Run(unittest.TestCase):

    def setUp(self):
        try:
            nats.Nats(DEPS, pathlib.Path("unused")).prepare()
        except Unavailable as why:
            self.skipTest(str(why))

    def wait_until(self, condition):
        until = time.monotonic() + PATIENCE
        while not condition():
            self.assertLess(time.monotonic(), until, "it never came about")
            time.sleep(0.01)

    def start(self):
        process = subprocess.Popen(
            [RUN, "--only", "nats", "sh", "-c", "echo $$; exec sleep 60"],
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, text=True)
        self.addCleanup(process.stdout.close)
        command = int(process.stdout.readline())
        servers = servers_below(process.pid)
        self.assertEqual(len(servers), 1)
        return process, command, servers[0]

    def test_the_command_reaches_the_server_and_its_status_is_kept(self):
        done = run("--only", "nats", "bash", "-c",
                   'u=${CIRRO_TEST_NATS_URL#nats://}; '
                   'read -r line <"/dev/tcp/${u%:*}/${u#*:}"; '
                   'echo "${line%% *}"; exit 7')

        self.assertEqual(done.stdout, "INFO\n", done.stderr)
        self.assertEqual(done.returncode, 7)

    def test_a_command_that_is_not_there_is_said(self):
        done = run("--only", "nats", "/nowhere/command")

        self.assertEqual(done.returncode, 127)
        self.assertIn("/nowhere/command: No such file", done.stderr)

    def test_a_signal_ends_the_command_and_then_the_server(self):
        for number in (signal.SIGTERM, signal.SIGINT):
            with self.subTest(number):
                process, command, server = self.start()

                process.send_signal(number)

                self.assertEqual(process.wait(PATIENCE), 128 + number)
                self.assertFalse(is_there(command))
                self.assertFalse(is_there(server))

    def test_a_signal_reaches_a_command_that_has_only_just_begun(self):
        done = subprocess.run(
            [sys.executable, "-c", IN_TIME, RUN], capture_output=True,
            text=True, timeout=PATIENCE, check=False)

        self.assertEqual(done.stdout, f"{128 + signal.SIGTERM}\n", done.stderr)

    def test_the_server_does_not_outlive_a_killed_run(self):
        process, command, server = self.start()
        self.addCleanup(os.kill, command, signal.SIGKILL)

        process.kill()
        process.wait(PATIENCE)

        self.wait_until(lambda: not is_there(server))

    def test_a_server_that_cannot_be_had_is_named_and_the_command_runs(self):
        with tempfile.TemporaryDirectory() as folder:
            missing = pathlib.Path(folder) / "missing"
            tools = pathlib.Path(folder) / "bin"
            tools.mkdir()
            for tool in ("python3", "env", "sh"):
                (tools / tool).symlink_to(shutil.which(tool))

            done = run("--only", "kafka", "--missing", str(missing), "--cache",
                       folder, "sh", "-c", "echo ${CIRRO_TEST_KAFKA_URL-unset}",
                       env={"PATH": str(tools)})

            self.assertEqual(done.stdout, "unset\n", done.stderr)
            self.assertEqual(done.returncode, 0)
            self.assertIn("SKIPPED kafka: no java", done.stderr)
            self.assertIn("kafka: no java", missing.read_text())

    def test_a_taken_port_is_left_for_another(self):
        with tempfile.TemporaryDirectory() as folder:
            first = nats.Nats(DEPS, pathlib.Path(folder) / "first")
            first.prepare()
            first.start()
            self.addCleanup(first.stop)
            first.wait_until_ready()
            ports = [first.ports, free_ports(1)]
            second = nats.Nats(DEPS, pathlib.Path(folder) / "second")
            second.prepare()
            second.take_ports = lambda: ports.pop(0)

            second.start()
            self.addCleanup(second.stop)
            second.wait_until_ready()

            self.assertTrue(second.runs())
            self.assertNotEqual(second.ports, first.ports)


if __name__ == "__main__":
    unittest.main()
