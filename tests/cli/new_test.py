"""What `cirro new` writes builds against an installed Cirro, passes its own
test, and answers as its README says.

usage: new_test.py BUILD_DIR CXX
"""

import os
import pathlib
import re
import shutil
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from serving import Program, TestCase  # noqa: E402

CXX = sys.argv.pop(2)
BUILD = pathlib.Path(sys.argv.pop(1)).resolve()
# Kept between runs, so that what did not change is not compiled again.
SCRATCH = BUILD / "tests" / "cli" / "new"
PREFIX = SCRATCH / "prefix"
PROJECT = SCRATCH / "greeter"
CIRRO = PREFIX / "bin" / "cirro"
ENVIRONMENT = {"CMAKE_PREFIX_PATH": str(PREFIX), "CXX": CXX}


def call(*words, **more) -> subprocess.CompletedProcess:
    done = subprocess.run(
        list(map(str, words)), env={**os.environ, **ENVIRONMENT}, capture_output=True, text=True, **more
    )
    if done.returncode != 0:
        raise AssertionError(f"{words}: {done.returncode}\n{done.stdout}\n{done.stderr}")
    return done


class New(TestCase):
    @classmethod
    def setUpClass(cls):
        PROJECT.mkdir(parents=True, exist_ok=True)
        shutil.rmtree(PREFIX, ignore_errors=True)
        call("cmake", "--install", BUILD, "--prefix", PREFIX)
        with tempfile.TemporaryDirectory() as folder:
            call(CIRRO, "new", "greeter", cwd=folder)
            fresh = pathlib.Path(folder) / "greeter"
            cls.files = {file.name: file.read_text() for file in fresh.iterdir()}
        for name, text in cls.files.items():
            file = PROJECT / name
            if not file.exists() or file.read_text() != text:
                file.write_text(text)
        # Configures and builds, as `cirro run` does for the project's author.
        call(CIRRO, "run", PROJECT, "--version")

    def test_writes_a_whole_project(self):
        self.assertEqual(
            set(self.files),
            {
                *("CMakeLists.txt", "main.cc", "function.h", "function.cc"),
                *("function_test.cc", "cirro.toml", "README.md", ".gitignore"),
            },
        )
        for name, text in self.files.items():
            self.assertNotIn("@NAME@", text, name)
            self.assertTrue(text.isascii() and text.endswith("\n"), name)

    def test_passes_its_own_test(self):
        said = call("ctest", "--test-dir", PROJECT / "build", "--no-tests=error").stdout
        self.assertIn("100% tests passed", said)

    def test_answers_as_its_readme_says(self):
        line = re.search(r"cirro send \S+ (.*)", self.files["README.md"])[1]
        with Program([str(CIRRO), "run", str(PROJECT)], ENVIRONMENT) as greeter:
            done = call("sh", "-c", f"'{CIRRO}' send {greeter.url} {line}")
        self.assertIn('"data":"Hello, Ada!"', done.stdout)
        self.assertIn('"type":"com.example.greeting"', done.stdout)


if __name__ == "__main__":
    unittest.main(verbosity=2)
