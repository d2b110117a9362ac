"""Each sample function, run as a user runs it, against its expected output.

usage: functions_test.py BIN_FOLDER SPEC_DATA [unittest arguments]
"""

import json
import os
import pathlib
import sys
import unittest

sys.path.insert(0, str(pathlib.Path(__file__).resolve().parents[1] / "support"))
from serving import Answer, Program, Sink, TestCase  # noqa: E402

SPEC_DATA = pathlib.Path(os.environ.get("CIRRO_SPEC_DATA", sys.argv.pop(2)))
BIN = pathlib.Path(sys.argv.pop(1)).resolve()


def function(name: str, **environment: str) -> Program:
    return Program([str(BIN / name)], environment)


class FunctionTest(TestCase):
    def assert_reply(self, answer: Answer, attributes: dict, body: bytes) -> None:
        """Beside what is given, a reply has an id and a time of its own."""
        self.assertEqual(answer.status, 200, answer)
        got = answer.attributes
        self.assertNotEqual(got.pop("id"), "")
        self.assertRegex(got.pop("time"), r"^\d{4}-\d\d-\d\dT[\d:.]+Z$")
        self.assertEqual(got, {"specversion": "1.0", **attributes})
        self.assertEqual(answer.body, body)

    def assert_rejected(self, answer: Answer, detail: str) -> None:
        self.assertEqual(answer.status, 422, answer)
        self.assertEqual(answer.headers["content-type"], "application/problem+json")
        self.assertIn(detail, json.loads(answer.body)["detail"])


class Hello(FunctionTest):
    def test_greets_whom_the_data_names(self):
        with function("hello") as hello:
            answer = hello.send("com.example.hello", '{"name":"Ada"}')
        self.assert_reply(
            answer,
            {"type": "com.example.greeting", "source": "/hello", "content-type": "text/plain"},
            b"Hello, Ada!",
        )

    def test_greets_the_world_when_nobody_is_named(self):
        with function("hello") as hello:
            self.assertEqual(hello.send("com.example.hello", "{}").body, b"Hello, world!")

    def test_rejects_what_is_no_person(self):
        with function("hello") as hello:
            self.assert_rejected(hello.send("com.example.hello"), "has no data")
            self.assert_rejected(hello.send("com.example.hello", "[]"), "does not fit")
            self.assert_rejected(
                hello.send("com.example.hello", "x", **{"content-type": "text/plain"}),
                "not JSON",
            )

    def test_answers_the_same_event_with_the_same_id(self):
        with function("hello") as hello:
            ids = {
                hello.send("com.example.hello", "{}", id=id_).attributes["id"]
                for id_ in ("a", "a", "b")
            }
        self.assertEqual(len(ids), 2)


class Orders(FunctionTest):
    def test_accepts_an_order(self):
        with function("orders") as orders:
            answer = orders.send(
                "com.example.order.placed", '{"id":"A-1","total":12.5}', subject="A-1"
            )
        self.assert_reply(
            answer,
            {
                "type": "com.example.order.accepted",
                "source": "/orders",
                "subject": "A-1",
                "content-type": "application/json",
            },
            b'{"id":"A-1"}',
        )

    def test_refunds_a_cancelled_one(self):
        with function("orders") as orders:
            answer = orders.send("com.example.order.cancelled", '{"id":"A-1","total":12.5}')
        self.assert_reply(
            answer,
            {
                "type": "com.example.order.refunded",
                "source": "/orders",
                "content-type": "application/json",
            },
            b'{"id":"A-1","total":12.5}',
        )

    def test_rejects_what_the_function_does_not_want(self):
        with function("orders") as orders:
            answer = orders.send("com.example.order.placed", '{"id":"A-1","total":-1}')
        self.assert_rejected(answer, "total must not be negative")

    def test_rejects_what_the_schema_does_not_allow_and_says_where(self):
        with function("orders") as orders:
            self.assert_rejected(
                orders.send("com.example.order.placed", '{"id":"","total":1}'), "'/id'"
            )
            self.assert_rejected(
                orders.send("com.example.order.cancelled", '{"id":"A"}'), "'total'"
            )

    def test_watches_orders_that_no_other_function_takes(self):
        with function("orders") as orders:
            answer = orders.send("com.example.order.shipped", '{"id":"A-1"}')
            self.assertEqual((answer.status, answer.body), (202, b""))
            self.assertEqual(orders.send("com.example.invoice.sent", "{}").status, 404)
        self.assertIn("com.example.order.shipped", orders.log)

    def test_serves_the_one_function_that_the_platform_chose(self):
        with function("orders", FUNCTION_TARGET="refund") as orders:
            cancelled = orders.send("com.example.order.cancelled", '{"id":"A","total":1}')
            placed = orders.send("com.example.order.placed", '{"id":"A","total":1}')
        self.assertEqual((cancelled.status, placed.status), (200, 404))


class Echo(FunctionTest):
    def test_replies_with_the_event_as_it_was(self):
        attributes = {
            "specversion": "1.0",
            "id": "7%20%25",
            "source": "urn:x:y",
            "type": "any.type",
            "subject": "G%C3%BC%22te",
            "time": "2020-02-29T23:59:59.500+02:00",
            "dataschema": "https://example.com/s",
            "myext": "kept",
            "sampledrate": "3",
        }
        body = bytes(range(256))
        headers = {f"ce-{k}": v for k, v in attributes.items()}
        headers["content-type"] = attributes["content-type"] = "application/x-mine; a=b"
        with function("echo") as echo:
            answer = echo.post(headers, body)
        self.assertEqual(answer.status, 200, answer)
        self.assertEqual(answer.attributes, attributes)
        self.assertEqual(answer.body, body)

    def test_replies_in_the_mode_of_the_request(self):
        event = {
            "specversion": "1.0",
            "id": "1",
            "source": "/s",
            "type": "t",
            "datacontenttype": "application/json",
            "anumber": 3,
            "aflag": True,
            "data": {"a": [1, 2, {"b": None}]},
        }
        with function("echo") as echo:
            answer = echo.post(
                {"content-type": "application/cloudevents+json"}, json.dumps(event).encode()
            )
        self.assertEqual(answer.status, 200, answer)
        self.assertTrue(
            answer.headers["content-type"].startswith("application/cloudevents+json")
        )
        self.assertEqual(json.loads(answer.body), event)


class Chain(FunctionTest):
    def test_sends_an_event_for_each_member_to_the_sink(self):
        with Sink() as sink, function("chain", K_SINK=sink.url) as chain:
            answer = chain.send("com.example.chain", '{"a":1,"b":{"c":"d"}}')
            links = [sink.take(), sink.take()]
        self.assertEqual((answer.status, answer.body), (202, b""), answer)
        got = sorted(
            (headers["ce-type"], headers["ce-subject"], headers["ce-source"], body)
            for headers, body in links
        )
        self.assertEqual(
            got,
            [
                ("com.example.chain.link", "a", "/tests", b"1"),
                ("com.example.chain.link", "b", "/tests", b'{"c":"d"}'),
            ],
        )

    def test_is_not_done_before_the_sink_has_them(self):
        with Sink(status=500) as sink, function("chain", K_SINK=sink.url) as chain:
            answer = chain.send("com.example.chain", '{"a":1,"b":2}')
        self.assertEqual(answer.status, 500, answer)

    def test_says_what_to_set_where_there_is_no_sink(self):
        with function("chain") as chain:
            self.assert_rejected(
                chain.send("com.example.chain", '{"a":1,"b":2}'), "K_SINK"
            )


class Slow(FunctionTest):
    def test_finishes_later(self):
        with function("slow") as slow:
            answer = slow.send("com.example.slow", '{"ms":20}')
        self.assert_reply(
            answer,
            {
                "type": "com.example.slow.done",
                "source": "/slow",
                "content-type": "application/json",
            },
            b'{"waited_ms":20}',
        )

    def test_rejects_a_wish_that_is_too_long(self):
        with function("slow") as slow:
            answer = slow.send("com.example.slow", '{"ms":10001}')
        self.assert_rejected(answer, "at '/ms'")
        self.assert_rejected(answer, "10000")

    def test_rejects_a_wish_that_an_int_would_cut_to_fit(self):
        with function("slow") as slow:
            for ms in ("4294967297", "-4294967295", "1.9", "1e300", "true"):
                answer = slow.send("com.example.slow", f'{{"ms":{ms}}}')
                self.assert_rejected(answer, "at '/ms'")


class FfConformance(FunctionTest):
    def test_writes_the_event_as_json(self):
        with function("ff_conformance") as program:
            answer = program.send("google.pubsub.v1", '{"a":1}', subject="s", extra="x")
            written = json.loads((program.path / "function_output.json").read_text())
        self.assertEqual((answer.status, answer.body), (202, b""), answer)
        self.assertEqual(
            written,
            {
                "specversion": "1.0",
                "id": "1",
                "source": "/tests",
                "type": "google.pubsub.v1",
                "datacontenttype": "application/json",
                "subject": "s",
                "extra": "x",
                "data": {"a": 1},
            },
        )

    def test_passes_the_events_of_the_conformance_suite(self):
        """Sent in binary mode, as its client does."""
        events = SPEC_DATA / "conformance" / "functions-framework" / "events"
        if not events.is_dir():
            self.skipTest(f"no {events}")
        attributes = ("id", "source", "subject", "type", "time", "datacontenttype")
        tried = 0
        with function("ff_conformance") as program:
            for path in sorted(events.glob("*-cloudevent-input.json")):
                event = json.loads(path.read_text())
                wanted_path = path.with_name(path.name.replace("-input", "-output"))
                if not wanted_path.exists():  # Those of legacy functions alone.
                    continue
                wanted = json.loads(wanted_path.read_text())
                headers = {
                    f"ce-{name}": value
                    for name, value in event.items()
                    if name not in ("data", "datacontenttype")
                }
                headers["content-type"] = event.get("datacontenttype", "application/json")
                answer = program.post(headers, json.dumps(event["data"]).encode())
                self.assertEqual(answer.status, 202, (path.name, answer))
                written = json.loads((program.path / "function_output.json").read_text())
                for name in attributes:
                    self.assertEqual(written.get(name), wanted.get(name), (path.name, name))
                self.assertEqual(written["data"], event["data"], path.name)
                # For Pub/Sub what is wanted is less than what is sent.
                self.assertEqual(
                    {**written["data"], **wanted["data"]}, written["data"], path.name
                )
                tried += 1
        self.assertGreater(tried, 0)


if __name__ == "__main__":
    unittest.main(verbosity=2)
