"""cirro dlq, on files that the module wrote.

usage: dlq_test.py BIN_FOLDER MAKE_LETTERS [unittest arguments]
"""

import contextlib
import http.server
import json
import os
import pathlib
import queue
import re
import signal
import sqlite3
import subprocess
import sys
import tempfile
import threading

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from serving import PATIENCE, Program, Sink, TestCase, free_port  # noqa: E402

BIN = pathlib.Path(sys.argv.pop(1)).resolve()
MAKE_LETTERS = pathlib.Path(sys.argv.pop(1)).resolve()


class Scripted:
    """A receiver that answers what `answer` says for each event's id, with
    `reply` as headers of its own."""

    def __init__(self, answer, reply=None):
        self.ids: list[str] = []
        self.came: queue.Queue = queue.Queue()
        receiver = self

        class Handler(http.server.BaseHTTPRequestHandler):
            def do_POST(self) -> None:
                self.rfile.read(int(self.headers.get("content-length", 0)))
                id_ = self.headers.get("ce-id", "")
                receiver.ids.append(id_)
                receiver.came.put(id_)
                self.send_response(answer(id_))
                for name, value in (reply or {}).items():
                    self.send_header(name, value)
                self.send_header("content-length", "0")
                self.end_headers()

            def log_message(self, *_) -> None:
                pass

        self._server = http.server.ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self._server.server_address[1]}"

    def __enter__(self) -> "Scripted":
        threading.Thread(target=self._server.serve_forever, daemon=True).start()
        return self

    def __exit__(self, *_) -> None:
        self._server.shutdown()
        self._server.server_close()


class Dlq(TestCase):
    def setUp(self):
        folder = tempfile.TemporaryDirectory()
        self.addCleanup(folder.cleanup)
        self.file = str(pathlib.Path(folder.name) / "letters.db")

    def bury(self, count: int) -> None:
        subprocess.run([MAKE_LETTERS, self.file, str(count)], check=True, timeout=PATIENCE)

    def command(self, verb: str, *arguments: str) -> list[str]:
        return [str(BIN / "cirro"), "dlq", verb, "--file", self.file, *arguments]

    def dlq(self, verb: str, *arguments: str) -> subprocess.CompletedProcess:
        return subprocess.run(
            self.command(verb, *arguments), capture_output=True, timeout=PATIENCE
        )

    def ok(self, verb: str, *arguments: str) -> bytes:
        done = self.dlq(verb, *arguments)
        self.assertEqual(done.returncode, 0, done)
        return done.stdout

    def positions(self, *arguments: str) -> list[str]:
        lines = self.ok("list", "--format", "json", *arguments).splitlines()
        return [json.loads(line)["position"] for line in lines]

    def id_at(self, position: str) -> str:
        line = self.ok("list", "--format", "json", "--position", position).splitlines()[0]
        return json.loads(line)["id"]


class List(Dlq):
    def test_shows_the_letters_in_the_original_order(self):
        self.bury(11)
        expected = [f"orders/0@{n}" for n in range(1, 12)] + ["orders/1@7"]
        self.assertEqual(self.positions(), expected)

    def test_shows_what_is_asked_for(self):
        self.bury(4)
        self.assertEqual(self.positions("--function", "bill"), ["orders/0@1", "orders/0@3"])
        self.assertEqual(self.positions("--reason", "malformed"), ["orders/1@7"])
        self.assertEqual(self.positions("--position", "orders/1"), ["orders/1@7"])
        self.assertEqual(self.positions("--id", "2"), ["orders/0@2"])
        self.assertEqual(self.positions("--since", "2027-01-15T08:00:04Z"), ["orders/0@4"])
        self.assertEqual(self.positions("--type", "no.such"), [])
        self.assertEqual(self.positions("-n", "1"), ["orders/0@1"])

    def test_puts_no_control_character_on_a_terminal(self):
        self.bury(1)
        table = self.ok("list").decode()
        self.assertIn("no?[2Jmoney", table)
        self.assertTrue(all(c == "\n" or c.isprintable() for c in table), table)

    def test_says_nothing_to_a_reader_that_has_enough(self):
        self.bury(2000)
        for command in (self.command("list"),
                        self.command("redrive", "--to", "http://x", "--dry-run"),
                        # In one piece.
                        [BIN / "cirro", "config", "--markdown"]):
            reads, writes = os.pipe()
            os.close(reads)
            done = subprocess.run(command, stdout=writes, stderr=subprocess.PIPE,
                                  timeout=PATIENCE, check=False)
            os.close(writes)
            self.assertNotIn(b"standard output", done.stderr)
            self.assertNotIn(b"2000", done.stderr)
            self.assertEqual(done.returncode, 74, done)

    def test_says_what_is_wrong(self):
        for code, said, arguments in (
            (66, "`path`", ("list",)),
            (2, "--since", ("list", "--since", "yesterday")),
            (2, "--reason", ("list", "--reason", "bored")),
            (2, "--until", ("purge", "--yes", "--since", "2027-01-02T00:00:00Z",
                            "--until", "2027-01-01T00:00:00Z")),
            (2, "--limit", ("purge", "--limit", "0", "--yes")),
            (1, "no [inlet.orders]", ("redrive",)),
        ):
            with self.subTest(arguments):
                if code != 66:
                    self.bury(0)
                done = self.dlq(*arguments)
                self.assertEqual(done.returncode, code, done)
                self.assertIn(said, done.stderr.decode())

    def test_knows_its_flags_also_misspelt(self):
        done = self.dlq("list", "--positon", "x")
        self.assertEqual(done.returncode, 2)
        self.assertIn("did you mean --position", done.stderr.decode())


class Places(Dlq):
    """Named by the configuration of a process that would be started here."""

    def place(self, text: str, *arguments: str) -> subprocess.CompletedProcess:
        config = pathlib.Path(self.file).parent / "cirro.toml"
        config.write_text(text)
        return subprocess.run(
            [BIN / "cirro", "dlq", "list", "--config", config, "--format", "json", *arguments],
            capture_output=True,
            timeout=PATIENCE,
        )

    def test_takes_the_place_that_is_named_or_the_only_one_in_use_or_the_only_one(self):
        self.bury(0)
        one = f'[dead_letter.here]\npath = "{self.file}"\n'
        two = one + '[dead_letter.there]\npath = "/nowhere/letters.db"\n'
        used = '[dispatch]\ndead_letter = "here"\n' + two
        # HTTP is a place, and has nothing to list.
        web = '[outlet.web]\ntype = "http"\nurl = "http://127.0.0.1:1"\n'
        sent = '[dispatch]\ndead_letter = ["here", "web"]\n' + two + web
        for text, arguments in (
            (one, ()),
            (two, ("--place", "here")),
            (used, ()),
            (sent, ()),
        ):
            done = self.place(text, *arguments)
            self.assertEqual((done.returncode, len(done.stdout.splitlines())), (0, 1), done)
        other = two.replace(self.file, "/nowhere/else.db")
        set_ = ("--place", "here", "--set", f"dead_letter.here.path={self.file}")
        self.assertEqual(self.place(other, *set_).returncode, 0)

    def test_says_which_places_there_are(self):
        two = (
            f'[dead_letter.here]\npath = "{self.file}"\n'
            f'[dead_letter.there]\npath = "{self.file}2"\n'
        )
        for code, said, text, arguments in (
            (78, "here, there", two, ()),
            (78, "here, there", '[dispatch]\ndead_letter = ["there", "here"]\n' + two, ()),
            (78, "here, there", two, ("--place", "hear")),
            (78, "no [dead_letter.NAME]", "", ()),
            (78, "`path`", two, ("--place", "here")),
            (78, "dead_leter", "[dead_leter.x]\n", ()),
            (2, "excludes", two, ("--place", "here", "--file", self.file)),
        ):
            with self.subTest(said):
                done = self.place(text, *arguments)
                self.assertEqual(done.returncode, code, done)
                self.assertIn(said, done.stderr.decode())


class Show(Dlq):
    def test_shows_all_of_an_event(self):
        self.bury(1)
        letter = json.loads(self.ok("show", self.id_at("orders/0@1")))
        self.assertEqual((letter["reason"], letter["function"]), ("rejected", "bill"))
        self.assertEqual(letter["event"]["id"], "1")
        self.assertEqual(letter["event"]["data"], "d" * 20)

    def test_shows_what_is_no_event_as_it_came(self):
        self.bury(0)
        id_ = self.id_at("orders/1@7")
        letter = json.loads(self.ok("show", id_))
        self.assertEqual(letter["malformed"], "`id` is missing")
        self.assertEqual(letter["headers"][0], ["content-type", "application/json"])
        self.assertEqual(letter["body_base64"], "/wB7")
        self.assertEqual(self.ok("show", id_, "--raw"), b"\xff\0{")

    def test_says_that_there_is_none(self):
        self.bury(0)
        self.assertEqual(self.dlq("show", "99").returncode, 1)


class Redrive(Dlq):
    def test_sends_each_once_in_order_for_its_function_alone(self):
        self.bury(4)
        with Sink() as sink:
            done = self.dlq("redrive", "--to", sink.url, "--position", "orders/0")
            sent = [sink.take()[0] for _ in range(4)]
            again = self.dlq("redrive", "--to", sink.url, "--position", "orders/0")
            self.assertTrue(sink.received.empty())
        # What is told each second may stand before it.
        said = done.stderr.splitlines()[-1:]
        self.assertEqual((done.returncode, said), (0, [b"redriven 4"]))
        self.assertEqual((again.returncode, again.stderr), (0, b"redriven 0\n"))
        self.assertEqual([headers["ce-id"] for headers in sent], ["1", "2", "3", "4"])
        functions = [headers["cirro-redrive-function"] for headers in sent]
        self.assertEqual(functions[:2], ["bill", "mail%20%E2%82%AC"])
        self.assertEqual(self.positions(), ["orders/1@7"])
        self.assertEqual(len(self.positions("--redriven")), 5)

    def test_sends_no_credentials_of_what_is_no_event(self):
        self.bury(0)
        with Sink() as sink:
            self.ok("redrive", "--to", sink.url)
            headers, body = sink.take()
        self.assertEqual((headers["content-type"], body), ("application/json", b"\xff\0{"))
        self.assertNotIn("authorization", headers)
        self.assertNotIn("cirro-redrive-function", headers)

    def test_ends_at_the_first_that_is_not_taken_and_goes_on_there(self):
        self.bury(4)
        refusing = {"3"}
        with Scripted(lambda id_: 500 if id_ in refusing else 202) as receiver:
            to = ("redrive", "--to", receiver.url, "--position", "orders/0")
            first = self.dlq(*to)
            refusing.clear()
            second = self.dlq(*to)
        self.assertEqual(first.returncode, 1, first)
        self.assertIn(b"orders/0@3; 500", first.stderr)
        self.assertIn(b"redriven 2, not taken 1", first.stderr)
        self.assertEqual(second.returncode, 0, second)
        self.assertEqual(receiver.ids, ["1", "2", "3", "3", "4"])

    def test_passes_over_what_is_refused_where_it_may(self):
        self.bury(4)
        with Scripted(lambda id_: 422 if id_ == "2" else 202) as receiver:
            done = self.dlq(
                *("redrive", "--to", receiver.url, "--position", "orders/0", "--keep-going")
            )
        self.assertEqual(done.returncode, 1)
        self.assertEqual(receiver.ids, ["1", "2", "3", "4"])
        self.assertEqual(self.positions("--position", "orders/0"), ["orders/0@2"])

    def test_goes_on_for_nobody_who_is_away_or_overloaded(self):
        self.bury(3)
        away = f"http://127.0.0.1:{free_port()}"
        self.assertEqual(self.dlq("redrive", "--to", away, "--keep-going").returncode, 69)
        with Scripted(lambda _: 429) as receiver:
            done = self.dlq("redrive", "--to", receiver.url, "--keep-going")
        self.assertEqual((done.returncode, receiver.ids), (75, ["1"]))
        self.assertEqual(len(self.positions()), 4)

    def test_loses_nothing_when_it_is_killed_at_any_point(self):
        self.bury(40)
        with Scripted(lambda _: 202) as receiver:
            to = ("redrive", "--to", receiver.url, "--position", "orders/0")
            kills = 6
            for kill in range(kills):
                process = subprocess.Popen(self.command(*to), stderr=subprocess.DEVNULL)
                for _ in range(kill + 1):
                    receiver.came.get(timeout=PATIENCE)
                process.kill()
                process.wait(PATIENCE)
            self.ok(*to)
        self.assertEqual(sorted(set(receiver.ids), key=int), [str(n) for n in range(1, 41)])
        first = list(dict.fromkeys(receiver.ids))
        self.assertEqual(first, sorted(first, key=int))
        self.assertLessEqual(len(receiver.ids), 40 + kills)
        self.assertEqual(self.positions("--position", "orders/0"), [])

    def test_a_signal_ends_it_in_good_order(self):
        self.bury(10)
        with Scripted(lambda _: 202) as receiver:
            to = ("redrive", "--to", receiver.url, "--position", "orders/0")
            process = subprocess.Popen(
                self.command(*to, "--rate", "2"), stderr=subprocess.PIPE)
            self.addCleanup(process.stderr.close)
            for _ in range(2):
                receiver.came.get(timeout=PATIENCE)
            process.send_signal(signal.SIGTERM)
            self.assertEqual(process.wait(PATIENCE), 128 + signal.SIGTERM)
            done = len(receiver.ids)
            self.assertIn(b"redriven %d\n" % done, process.stderr.read())
            self.ok(*to)
        self.assertEqual(receiver.ids, [str(n) for n in range(1, 11)])

    def test_a_signal_in_a_reply_that_nobody_reads_sends_nothing_twice(self):
        self.bury(200)
        reply = {"ce-specversion": "1.0", "ce-id": "r" * 1000, "ce-source": "/r",
                 "ce-type": "r"}
        with Scripted(lambda _: 200, reply) as receiver:
            to = ("redrive", "--to", receiver.url, "--position", "orders/0")
            process = subprocess.Popen(self.command(*to), stdout=subprocess.PIPE,
                                       stderr=subprocess.PIPE)
            with self.assertRaises(queue.Empty):  # The pipe is full.
                while True:
                    receiver.came.get(timeout=1)
            process.send_signal(signal.SIGTERM)
            process.communicate(timeout=PATIENCE)
            self.assertEqual(process.returncode, 128 + signal.SIGTERM)
            self.assertLess(len(receiver.ids), 200)
            self.ok(*to)
        self.assertEqual(receiver.ids, [str(n) for n in range(1, 201)])

    def test_a_second_signal_ends_it_at_once(self):
        self.bury(1)
        answers = threading.Event()
        self.addCleanup(answers.set)
        with Scripted(lambda _: answers.wait() and 202) as receiver:
            process = subprocess.Popen(
                self.command("redrive", "--to", receiver.url), stderr=subprocess.PIPE)
            self.addCleanup(process.stderr.close)
            receiver.came.get(timeout=PATIENCE)
            process.send_signal(signal.SIGINT)
            process.send_signal(signal.SIGTERM)
            ended = process.wait(PATIENCE)
            answers.set()
        self.assertIn(ended, (-signal.SIGINT, -signal.SIGTERM))
        self.assertEqual(len(self.positions()), 2)

    def test_a_letter_whose_reply_is_not_written_is_not_done(self):
        self.bury(2)
        reply = {"ce-specversion": "1.0", "ce-id": "r", "ce-source": "/r", "ce-type": "r"}
        with Scripted(lambda _: 200, reply) as receiver, open("/dev/full", "wb") as full:
            done = subprocess.run(
                self.command("redrive", "--to", receiver.url),
                stdout=full, stderr=subprocess.PIPE, timeout=PATIENCE, check=False,
            )
            self.assertEqual(done.returncode, 74, done)
            self.assertIn(b"redriven 0, not taken 1", done.stderr)
            self.assertEqual(len(receiver.ids), 1)
        self.assertEqual(len(self.positions()), 3)

    def test_keeps_to_a_limit_and_shows_what_it_would_do(self):
        self.bury(5)
        with Sink() as sink:
            dry = self.dlq("redrive", "--to", sink.url, "--dry-run", "--format", "json")
            self.assertTrue(sink.received.empty())
            self.ok("redrive", "--to", sink.url, "--limit", "2", "--rate", "1000")
            self.assertEqual(sink.received.qsize(), 2)
        self.assertEqual(len(dry.stdout.splitlines()), 6)
        self.assertEqual(dry.stderr, b"would redrive 6\n")

    def test_is_refused_by_a_function_that_does_not_allow_it(self):
        self.bury(1)
        with Program([str(BIN / "echo")]) as echo:
            done = self.dlq("redrive", "--to", echo.url)
        self.assertEqual(done.returncode, 1, done)
        self.assertIn(b"http.redrive", done.stderr)


class Damaged(Dlq):
    """A letter that cannot be read keeps none of the others."""

    def setUp(self):
        super().setUp()
        self.bury(3)
        with contextlib.closing(sqlite3.connect(self.file)) as database, database:
            database.execute("UPDATE letters SET attributes = x'02' WHERE position LIKE '%/0@2'")

    def test_is_named_and_passed_over(self):
        done = self.dlq("list", "--format", "json")
        self.assertEqual(done.returncode, 1, done)
        self.assertIn(b"cannot be read", done.stderr)
        self.assertEqual(len(done.stdout.splitlines()), 3)

    def test_does_not_end_a_redrive(self):
        with Scripted(lambda _: 200) as receiver:
            done = self.dlq("redrive", "--to", receiver.url)
        self.assertEqual(done.returncode, 1, done)
        self.assertIn(b"redriven 3\n", done.stderr)
        self.assertEqual(self.dlq("list").stdout.count(b"\n"), 1)

    def test_is_purged_by_its_id_alone(self):
        done = self.dlq("purge", "--yes")
        self.assertEqual(done.returncode, 1, done)
        self.assertIn(b"purged 3\n", done.stderr)
        id_ = re.search(rb"dead letter (\d+) cannot", done.stderr).group(1).decode()
        self.ok("purge", id_, "--yes")
        self.assertEqual(self.positions(), [])


class Purge(Dlq):
    def test_removes_what_is_meant_and_asks_before(self):
        self.bury(4)
        self.assertEqual(self.dlq("purge").returncode, 2)
        dry = self.dlq("purge", "--function", "bill", "--dry-run")
        self.assertEqual((dry.returncode, dry.stderr), (0, b"would purge 2\n"))
        done = self.dlq("purge", "--function", "bill", "--yes")
        self.assertEqual((done.returncode, done.stderr), (0, b"purged 2\n"))
        self.assertEqual(self.positions(), ["orders/0@2", "orders/0@4", "orders/1@7"])

    def test_removes_one(self):
        self.bury(2)
        id_ = self.id_at("orders/0@1")
        self.ok("purge", id_, "--yes")
        self.assertEqual(self.dlq("purge", id_, "--yes").returncode, 1)
        self.assertEqual(self.positions(), ["orders/0@2", "orders/1@7"])


if __name__ == "__main__":
    import unittest

    unittest.main(verbosity=2)
