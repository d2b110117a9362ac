"""The built command, and the brokers that tests may use."""

import os
import pathlib
import subprocess
import sys

BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
CIRRO = str(BUILD / "bin" / "cirro")
HELLO = str(BUILD / "bin" / "hello")
MAKE_TOPIC = str(BUILD / "tests" / "bin" / "cirro_test_make_topic")
MAKE_STREAM = str(BUILD / "tests" / "bin" / "cirro_test_make_stream")
KAFKA = os.environ.get("CIRRO_TEST_KAFKA_URL")
NATS = os.environ.get("CIRRO_TEST_NATS_URL")


def cirro(*words):
    return subprocess.run([CIRRO, *words], capture_output=True, text=True,
                          timeout=60, check=False)


def make_topic(partitions=1):
    return subprocess.run([MAKE_TOPIC, str(partitions)],
                          stdout=subprocess.PIPE, text=True, timeout=30,
                          check=True).stdout.strip()


def make_stream(name):
    """Of the subjects NAME.*."""
    made = subprocess.run([MAKE_STREAM, name, f"{name}.*"],
                          capture_output=True, text=True, timeout=30,
                          check=False)
    if made.returncode != 0:
        raise AssertionError(made.stderr)


def settings(words):
    return [f"--set={word}" for word in words]
