"""The cirro command, as a shell uses it.

usage: cli_test.py BIN_FOLDER [unittest arguments]
"""

import json
import os
import pathlib
import pty
import re
import select
import signal
import subprocess
import sys
import tempfile
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from serving import PATIENCE, Program, Sink, TestCase, free_port  # noqa: E402

BIN = pathlib.Path(sys.argv.pop(1)).resolve()


def cirro(*arguments: str, stdin: bytes = b"", **more) -> subprocess.CompletedProcess:
    return subprocess.run(
        [BIN / "cirro", *arguments], input=stdin, capture_output=True, timeout=PATIENCE, **more
    )


def sh(script: str, *arguments: str) -> subprocess.CompletedProcess:
    """With the command as $0."""
    return subprocess.run(
        ["sh", "-c", script, BIN / "cirro", *arguments], capture_output=True, timeout=PATIENCE
    )


class Send(TestCase):
    """Against echo, whose reply shows what arrived."""

    @classmethod
    def setUpClass(cls):
        cls.echo = Program([str(BIN / "echo")]).__enter__()
        cls.addClassCleanup(cls.echo.__exit__)

    def send(self, *arguments: str, **more) -> dict:
        done = cirro("send", self.echo.url, "--type", "t", *arguments, **more)
        self.assertEqual((done.returncode, done.stderr), (0, b"200\n"), done)
        return json.loads(done.stdout)

    def test_sends_what_it_is_told_in_each_single_mode(self):
        for mode in ("binary", "structured"):
            with self.subTest(mode):
                event = self.send(
                    *("--mode", mode, "--id", "7", "--source", "/s", "--subject", "su b"),
                    *("--time", "2020-01-01T00:00:00Z", "--dataschema", "urn:x:y"),
                    *("-e", "one=1", "-e", "two=a=b", "--data", '{"a":1}'),
                )
                self.assertEqual(
                    event,
                    {
                        "specversion": "1.0",
                        "id": "7",
                        "source": "/s",
                        "type": "t",
                        "datacontenttype": "application/json",
                        "dataschema": "urn:x:y",
                        "subject": "su b",
                        "time": "2020-01-01T00:00:00Z",
                        "one": "1",
                        "two": "a=b",
                        "data": {"a": 1},
                    },
                )

    def test_fills_in_an_id_and_the_time(self):
        first, second = self.send(), self.send()
        self.assertRegex(first["id"], "^[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}$")
        self.assertNotEqual(first["id"], second["id"])
        self.assertIn("time", first)
        self.assertNotIn("data", first)

    def test_knows_json_text_and_bytes_apart(self):
        self.assertEqual(self.send("--data", "1.5")["data"], 1.5)
        text = self.send("--data", "{")
        self.assertEqual((text["datacontenttype"], text["data"]), ("text/plain", "{"))
        binary = self.send("--data-file", "-", stdin=b"\xff\x00")
        self.assertEqual(
            (binary["datacontenttype"], binary["data_base64"]),
            ("application/octet-stream", "/wA="),
        )
        own = self.send("--data", "{}", "--content-type", "text/x-mine")
        self.assertEqual((own["datacontenttype"], own["data"]), ("text/x-mine", "{}"))

    def test_reads_data_from_a_file(self):
        with tempfile.NamedTemporaryFile() as file:
            file.write(b'["from a file"]')
            file.flush()
            self.assertEqual(self.send("--data-file", file.name)["data"], ["from a file"])

    def test_sends_a_number_of_events_apart_by_their_ids(self):
        done = cirro("send", self.echo.url, "-t", "t", "--id", "x", "--count", "3")
        ids = [json.loads(line)["id"] for line in done.stdout.splitlines()]
        self.assertEqual((done.returncode, ids), (0, ["x-1", "x-2", "x-3"]), done)

    def test_sends_a_batch_as_one_request_with_its_headers(self):
        with Sink() as sink:
            done = cirro(
                *("send", sink.url, "-t", "t", "--mode", "batch", "--count", "2", "--id", "x"),
                *("-H", "authorization=Bearer a=b", "--header", "x-two: 2"),
            )
            headers, body = sink.take()
        self.assertEqual((done.returncode, done.stdout, done.stderr), (0, b"", b"202\n"))
        self.assertEqual(headers["content-type"], "application/cloudevents-batch+json")
        self.assertEqual((headers["authorization"], headers["x-two"]), ("Bearer a=b", "2"))
        self.assertEqual([event["id"] for event in json.loads(body)], ["x-1", "x-2"])


class ExitCodes(TestCase):
    def assert_exit(self, code: int, said: str, *arguments: str, **more) -> None:
        done = cirro(*arguments, **more)
        self.assertEqual(done.returncode, code, done)
        self.assertIn(said, done.stderr.decode())
        self.assertEqual(done.stdout, b"")

    def test_refused_failed_and_try_later_are_apart(self):
        for status, code in ((400, 1), (404, 1), (500, 1), (302, 1), (429, 75), (503, 75)):
            with self.subTest(status), Sink(status=status) as sink:
                self.assert_exit(code, str(status), "send", sink.url, "-t", "t")

    def test_they_are_apart_through_an_outlet_too(self):
        for status, code in ((400, 1), (429, 75), (503, 75)):
            with self.subTest(status), Sink(status=status) as sink:
                with tempfile.NamedTemporaryFile("w", suffix=".toml") as config:
                    config.write(f'[outlet.o]\ntype = "http"\nurl = "{sink.url}"\n')
                    config.flush()
                    to = ("--outlet", "o", "--config", config.name)
                    self.assert_exit(code, str(status), "send", *to, "-t", "t")

    def test_nobody_there(self):
        url = f"http://127.0.0.1:{free_port()}"
        self.assert_exit(69, "127.0.0.1", "send", url, "-t", "t")

    def test_wrong_use(self):
        self.assert_exit(2, "--type is required", "send", "http://x")
        self.assert_exit(2, "time MUST", "send", "http://x", "-t", "t", "--time", "now")
        self.assert_exit(2, "not http or https", "send", "ftp://x", "-t", "t")
        self.assert_exit(2, "no NAME=VALUE", "send", "http://x", "-t", "t", "-e", "a")
        self.assert_exit(2, "line break", "send", "http://x", "-t", "t", "-H", "a=b\r\nc: d")
        self.assert_exit(2, "binary,structured,batch", "send", "http://x", "-t", "t", "--mode=x")

    def test_files_that_are_not_there(self):
        self.assert_exit(66, "/no", "send", "http://x", "-t", "t", "--data-file", "/no")
        self.assert_exit(127, "there is no /no", "run", "/no")
        self.assert_exit(2, "CMakeLists.txt", "run", "/")

    def test_data_that_cannot_be_read(self):
        to_nobody = ("send", "http://x", "-t", "t", "--data-file")
        self.assert_exit(66, "cannot read /tmp: Is a directory", *to_nobody, "/tmp")
        for stdin in ("<&-", "</tmp"):
            with self.subTest(stdin):
                done = sh(f'exec "$0" "$@" {stdin}', *to_nobody, "-")
                self.assertEqual((done.returncode, done.stdout), (66, b""), done)
                self.assertIn(b"cannot read the standard input: ", done.stderr)

    def test_output_that_cannot_be_written(self):
        commands = [["config", "--print"], ["config", "--markdown"], ["metrics", "--markdown"]]
        commands += [["version"], ["completion", "bash"], ["--help"], ["send", "--help"]]
        commands += [["--version"]]
        with Program([str(BIN / "echo")]) as echo:
            commands += [["send", echo.url, "-t", "t"]]
            for command in commands:
                for to in (">/dev/full", ">&-"):
                    with self.subTest(command, to=to):
                        done = sh(f'exec "$0" "$@" {to}', *command)
                        self.assertEqual(done.returncode, 74, done)
                        said = done.stderr.decode().removeprefix("200\n")
                        self.assertRegex(said, r"^cirro: .*standard output.*: .+\n$")

    def test_a_failure_is_worth_more_than_its_output(self):
        done = sh('exec "$0" "$@" >/dev/full', "send", "http://x")
        self.assertEqual(done.returncode, 2, done)

    def test_times_that_are_none(self):
        for value in ("nan", "-nan", "inf", "-inf", "-1", "0", "1e300", "1s"):
            with self.subTest(value):
                arguments = ("send", "http://x", "-t", "t", f"--timeout={value}")
                self.assert_exit(2, "0.001 to 86400", *arguments)

    def test_programs_that_cannot_run(self):
        with tempfile.NamedTemporaryFile() as file:
            self.assert_exit(126, file.name, "run", file.name)

    def test_wrong_settings(self):
        self.assert_exit(78, "did you mean http.port", "config", "--set", "htp.port=1")

    def test_nearest_command_and_flag(self):
        self.assert_exit(2, "did you mean send?", "sned", "http://x")
        self.assert_exit(2, "did you mean --type?", "send", "http://x", "--tpye", "t")
        self.assert_exit(2, "did you mean --count?", "send", "http://x", "--cuont=3")
        self.assert_exit(2, "there is no command quite-other\n", "quite-other")

    def test_values_are_not_taken_for_flags(self):
        with Sink() as sink:
            done = cirro("send", sink.url, "-t", "t", "--subject", "--nonsense")
        self.assertEqual(done.returncode, 0, done)


class Run(TestCase):
    def test_becomes_the_program_with_its_flags(self):
        # Program adds --host and --port.
        with Program([str(BIN / "cirro"), "run", str(BIN / "echo")]) as echo:
            self.assertEqual(echo.send("t").status, 200)

    def test_passes_unknown_flags_on(self):
        done = cirro("run", str(BIN / "echo"), "--prot", "1")
        self.assertEqual(done.returncode, 2, done)
        self.assertIn(b"did you mean --port?", done.stderr)

    def test_ends_as_the_program_does(self):
        done = cirro("run", str(BIN / "echo"), "--version")
        self.assertEqual((done.returncode, done.stdout[:6]), (0, b"cirro "), done)


    def host_of(self, *flags: str, toml: str = "", **environment: str) -> str:
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "cirro.toml").write_text(toml)
            done = cirro(
                *("run", str(BIN / "echo"), "--print-config", *flags),
                cwd=folder,
                env={**os.environ, **environment},
            )
        self.assertEqual(done.returncode, 0, done)
        return re.search(r'(?m)^host = "(.*?)"', done.stdout.decode())[1]

    def test_serves_this_machine_alone_unless_told_otherwise(self):
        self.assertEqual(self.host_of(), "127.0.0.1")
        self.assertEqual(self.host_of("--host", "::1"), "::1")
        self.assertEqual(self.host_of("--address=::1"), "::1")
        self.assertEqual(self.host_of("--set", "http.host=::1"), "::1")
        self.assertEqual(self.host_of("--set=http.host=::1"), "::1")
        self.assertEqual(self.host_of(CIRRO__HTTP__HOST="::1"), "::1")
        self.assertEqual(self.host_of(toml='[http]\nhost = "::1"\n'), "::1")


class Config(TestCase):
    def test_shows_the_layer_of_each_setting(self):
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "cirro.toml").write_text("[drain]\ngrace = '3s'\n")
            environment = {**os.environ, "PORT": "1234", "K_SINK": "http://u:secret@sink"}
            done = cirro(
                *("config", "--print", "--set", "log.level=debug"),
                cwd=folder,
                env=environment,
            )
        self.assertEqual(done.returncode, 0, done)
        text = done.stdout.decode()
        self.assertRegex(text, r"(?m)^port = 1234 +# .*PORT")
        self.assertRegex(text, r'(?m)^grace = "3s" +# cirro.toml:2')
        self.assertRegex(text, r'(?m)^level = "debug" +# .*--set')
        self.assertNotIn("secret", text)


    def test_writes_the_pages_of_the_docs(self):
        docs = pathlib.Path(__file__).resolve().parents[2] / "docs"
        for command, page in (("config", "configuration.md"), ("metrics", "metrics.md")):
            done = cirro(command, "--markdown")
            self.assertEqual(done.stdout.decode(), (docs / page).read_text(), page)

    def test_says_what_the_page_of_the_brokers_says(self):
        page = pathlib.Path(__file__).resolve().parents[2] / "docs" / "brokers.md"

        done = cirro("brokers")

        self.assertEqual(done.returncode, 0, done)
        for table in done.stdout.decode().split("\n\n"):
            self.assertIn(table.strip(), page.read_text())


def type_into_bash(folder: str, keys: str) -> str:
    """What a bash at a terminal shows until it ends; it begins with `script`."""
    pid, terminal = pty.fork()
    if pid == 0:
        os.chdir(folder)
        os.execvpe(
            "bash",
            ["bash", "--rcfile", "script", "-i"],
            {**os.environ, "PATH": f".:{os.environ['PATH']}", "TERM": "dumb", "HISTFILE": ""},
        )
    shown = b""
    os.write(terminal, keys.encode())
    while select.select([terminal], [], [], PATIENCE)[0]:
        try:
            got = os.read(terminal, 4096)
        except OSError:  # The terminal's other side is closed.
            break
        if not got:
            break
        shown += got
    os.kill(pid, signal.SIGKILL)
    os.waitpid(pid, 0)
    os.close(terminal)
    return shown.decode()


class Completion(TestCase):
    """In bash itself: what a TAB offers."""

    @classmethod
    def setUpClass(cls):
        cls.script = cirro("completion", "bash").stdout.decode()

    def complete(self, *words: str, folder: str = "/") -> set[str]:
        quoted = " ".join(f"'{word}'" for word in words)
        done = subprocess.run(
            ["bash", "--norc", "-euc"]
            + [
                f"{self.script}\nCOMP_WORDS=({quoted}); COMP_CWORD=$((${{#COMP_WORDS[@]}} - 1))\n"
                "_cirro || true; printf '%s\\n' \"${COMPREPLY[@]}\""
            ],
            capture_output=True,
            text=True,
            cwd=folder,
        )
        self.assertEqual((done.returncode, done.stderr), (0, ""), done)
        return set(filter(None, done.stdout.split("\n")))

    def test_offers_commands(self):
        self.assertLessEqual(
            {"run", "send", "new", "config", "version", "completion"}, self.complete("cirro", "")
        )
        self.assertEqual(self.complete("cirro", "se"), {"send"})

    def test_offers_the_flags_of_a_command(self):
        self.assertEqual(
            self.complete("cirro", "send", "--da"), {"--data", "--data-file", "--dataschema"}
        )
        self.assertEqual(self.complete("cirro", "config", "--pr"), {"--print"})

    def test_offers_values(self):
        self.assertEqual(self.complete("cirro", "send", "--mode", "b"), {"binary", "batch"})
        self.assertEqual(self.complete("cirro", "completion", ""), {"bash"})
        for words in (("send", "--data-file"), ("run",), ("config", "--config")):
            self.assertIn("/etc/passwd", self.complete("cirro", *words, "/etc/passw"))

    def test_offers_a_file_name_with_blanks_as_one(self):
        with tempfile.TemporaryDirectory() as folder:
            for name in ("sp ace.json", "sp*"):
                (pathlib.Path(folder) / name).touch()
            found = self.complete("cirro", "send", "--data-file", "sp", folder=folder)
            self.assertEqual(found, {"sp ace.json", "sp*"})

    def test_a_tab_writes_a_file_name_with_blanks_as_one_word(self):
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "sp ace.json").touch()
            os.mkdir(pathlib.Path(folder) / "send")
            (pathlib.Path(folder) / "script").write_text(self.script)
            # What is completed is printed, a line each word.
            (pathlib.Path(folder) / "cirro").write_text("#!/bin/sh\nprintf '<%s>' \"$@\"\n")
            os.chmod(pathlib.Path(folder) / "cirro", 0o755)
            said = type_into_bash(folder, "cirro sen\t--data-file sp\t; exit\n")
        self.assertIn("<send><--data-file><sp ace.json>", said)

    def test_offers_nothing_for_free_text(self):
        self.assertEqual(self.complete("cirro", "send", "--type", "a"), set())


class Version(TestCase):
    def test_names_the_version_and_the_abi(self):
        done = cirro("version")
        self.assertRegex(done.stdout.decode(), r"^cirro \d+\.\d+\.\d+\nabi   cirro\d.* (gcc|clang)")
        self.assertEqual(cirro("--version").returncode, 0)


class New(TestCase):
    def test_overwrites_nothing(self):
        with tempfile.TemporaryDirectory() as folder:
            (pathlib.Path(folder) / "mine").write_text("mine")
            done = cirro("new", "a", "--dir", folder)
            self.assertEqual(os.listdir(folder), ["mine"])
        self.assertEqual(done.returncode, 73, done)

    def test_refuses_names_that_cannot_be(self):
        cases = dict.fromkeys(("A", "1a", "a/b", "..", "a b", "a.b", ""), "[a-z][a-z0-9_-]*")
        for name in ("all", "clean", "edit_cache", "help", "install", "package"):
            cases[name] = "CMake has a target of this name"
        for name in ("package_source", "preinstall", "rebuild_cache", "test"):
            cases[name] = "CMake has a target of this name"
        for name in ("my_test", "my_tests"):
            cases[name] = "would take its program for a test"
        for name, why in cases.items():
            with self.subTest(name), tempfile.TemporaryDirectory() as folder:
                done = cirro("new", name, cwd=folder)
                self.assertEqual(done.returncode, 2, done)
                self.assertIn(f"'{name}' is no name for a project: ", done.stderr.decode())
                self.assertIn(why, done.stderr.decode())
                self.assertEqual(os.listdir(folder), [])


if __name__ == "__main__":
    unittest.main(verbosity=2)
