"""Builds the servers that Cirro is compared with, outside the source tree.

Each comes from its registry by the ordinary client, at the versions of the lock
files in tests/bench/peers. What cannot be had is a skip with a reason.
"""

import filecmp
import os
import pathlib
import shutil
import subprocess

SOURCES = pathlib.Path(__file__).resolve().parent.parent / "peers"
PATIENCE_SECONDS = 900


class Skipped(Exception):
    """Why a peer takes no part."""


def _tool(name, *usual_places):
    found = shutil.which(name)
    for place in usual_places:
        candidate = pathlib.Path(place).expanduser() / name
        if not found and candidate.exists():
            found = str(candidate)
    if not found:
        raise Skipped(f"{name} is not installed")
    return found


def _run(command, cwd, **environment):
    try:
        result = subprocess.run(
            command, cwd=cwd, env={**os.environ, **environment},
            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT, text=True, timeout=PATIENCE_SECONDS,
            check=False)
    except subprocess.TimeoutExpired as error:
        raise Skipped(f"{command[0]} took over {PATIENCE_SECONDS} s") from error
    if result.returncode != 0:
        lines = [line for line in result.stdout.splitlines() if line.strip()]
        raise Skipped(f"{pathlib.Path(command[0]).name} failed: "
                      f"{lines[-1].strip() if lines else result.returncode}")


def _go(source, cache):
    go = _tool("go", "/usr/local/go/bin")
    binary = cache / source
    _run([go, "build", "-buildvcs=false", "-o", str(binary), "."],
         SOURCES / source, CGO_ENABLED="0")
    return [str(binary)]


def build_sdk_go(cache):
    return _go("sdk_go", cache)


def build_ff_go(cache):
    return _go("ff_go", cache)


def build_sdk_rust(cache):
    cargo = _tool("cargo", "~/.cargo/bin")
    target = cache / "sdk_rust"
    _run([cargo, "build", "--release", "--locked", "--target-dir", str(target)],
         SOURCES / "sdk_rust")
    return [str(target / "release" / "cirro-bench-rust")]


def build_npm(cache):
    node, npm = _tool("node"), _tool("npm")
    target = cache / "npm"
    target.mkdir(parents=True, exist_ok=True)
    files = ["package.json", "package-lock.json", "server.js"]
    _, changed, missing = filecmp.cmpfiles(SOURCES / "npm", target, files,
                                           shallow=False)
    installed = (target / "node_modules" / "cloudevents").is_dir()
    for file in changed + missing:
        shutil.copy(SOURCES / "npm" / file, target / file)
    if changed or missing or not installed:
        _run([npm, "ci", "--ignore-scripts", "--no-audit", "--no-fund"], target)
    return [node, str(target / "server.js")]
