"""The budgets, beside what was measured. For people to read: no test asserts."""

from driver.http_bench import POOL_TYPE
from driver.report import Table, ratio

_BINARY, _STRUCTURED = "binary", "structured"


class Budgets:
    def __init__(self):
        self.rows = []

    def _add(self, what, budget, measured, met):
        self.rows.append([what, budget, measured, "met" if met else "NOT MET"])

    def _unknown(self, what, budget):
        self.rows.append([what, budget, "not measured", "-"])

    def at_least(self, what, least, measured):
        if measured is None:
            return self._unknown(what, f">= {least:g} x")
        return self._add(what, f">= {least:g} x", f"{measured:.2f} x",
                         measured >= least)

    def at_most(self, what, most, measured, unit="", strictly=False):
        budget = f"{'<' if strictly else '<='} {most:g}{unit}"
        if measured is None:
            return self._unknown(what, budget)
        met = measured < most if strictly else measured <= most
        return self._add(what, budget, f"{measured:.2f}{unit}", met)

    def none_of(self, what, measured):
        if measured is None:
            return self._unknown(what, "0")
        return self._add(what, "0", f"{measured:g}", measured == 0)


def _of(results, samples, others, field):
    return ratio(samples, others, field) if samples and others else None


def _http(budgets, results, connections):
    def speed(mine, other):
        return _of(results, mine, other, "requests_per_second")

    for count in connections:
        cirro = results.of(count, "cirro")
        floor = results.of(count, "floor")
        where = f"binary inline, {count} connections"
        budgets.at_least(f"{where}: of the floor", 0.8, speed(cirro, floor))
        budgets.at_most(f"{where}: processor time of the floor's", 1.3,
                        _of(results, cirro, floor, "microseconds_per_request"),
                        " x")
        for peer, name, least in (
                ("sdk_rust", "Rust SDK", 1.3),
                ("ff_go", "functions-framework-go", 2.5),
                ("sdk_go", "Go SDK", 3.5), ("npm", "npm SDK", 12)):
            budgets.at_least(f"{where}: of the {name}", least,
                             speed(cirro, results.of(count, peer)))
        structured = results.of(count, "cirro", _STRUCTURED)
        where = f"structured, {count} connections"
        budgets.at_least(f"{where}: of binary", 0.9, speed(structured, cirro))
        budgets.at_least(
            f"{where}: of the Rust SDK", 1.5,
            speed(structured, results.of(count, "sdk_rust", _STRUCTURED)))
        budgets.at_least(
            f"on the pool, {count} connections: of inline", 0.6,
            speed(results.of(count, "cirro", _BINARY, POOL_TYPE), cirro))
    mine = [sample for (_, case), samples in results.samples.items()
            if case.server == "cirro" for sample in samples]
    budgets.none_of("socket errors and refused requests",
                    sum(s.errors for s in mine) if mine else None)


def _system_calls(budgets, results):
    calls = next((calls for case, calls in results.system_calls.items()
                  if case.server == "cirro" and not case.event_type), None)
    # epoll_wait is shared by the requests of a turn; these two are not.
    budgets.at_most(
        "system calls a request to receive and answer", 2.005,
        None if not calls else sum(
            calls.get(name, 0) for name in (
                "recvfrom", "recvmsg", "read", "readv", "sendto", "sendmsg",
                "write", "writev")))


def _micro(budgets, found):
    def value(name, field):
        return found[name].get(field) if name in found else None

    for name, nanoseconds, allocations in (
            ("decode_binary", 400, 3), ("decode_structured", 700, 3),
            ("route_10000_types", 100, 0)):
        what = name.replace("_", " ")
        budgets.at_most(what, nanoseconds, value(name, "cpu_time"), " ns",
                        strictly=True)
        budgets.at_most(f"{what}: allocations", allocations,
                        value(name, "allocations"))
    # Over a million events a second on one core.
    for name in ("engine_event_from_memory_inline",
                 "engine_event_from_memory_queued",
                 "memory_partitioned_inline", "memory_partitioned_queued",
                 "memory_shared_inline", "memory_shared_queued"):
        budgets.at_most(name.replace("_", " "), 1000, value(name, "cpu_time"),
                        " ns", strictly=True)


def _brokers(budgets, found):
    for what, least in (("Kafka consume", 0.8), ("JetStream fetch", 0.9)):
        raw, cirro = found.of(what, "raw"), found.of(what, "cirro")
        budgets.at_least(f"{what}: of the raw loop", least,
                         _of(found, cirro, raw, "per_second"))
        if what == "Kafka consume":
            budgets.at_most(f"{what}: processor time of the raw loop's", 1.5,
                            _of(found, cirro, raw, "processor_us"), " x")


def table(parts, results, cold, found, brokers, connections):
    """Each budget of the design that `parts` of this suite measure."""
    budgets = Budgets()
    if "http" in parts:
        _http(budgets, results, connections)
    if "syscalls" in parts:
        _system_calls(budgets, results)
    if "micro" in parts:
        _micro(budgets, found)
    if "brokers" in parts:
        _brokers(budgets, brokers)
    if "cold" in parts:
        mine, empty = (cold[name][0] if name in cold else None
                       for name in ("cirro", "empty"))
        budgets.at_most("cold start", 3, mine, " ms", strictly=True)
        budgets.at_most("cold start: of an empty C++ program's", 1.5,
                        mine / empty if mine and empty else None, " x")
        budgets.at_most("idle memory", 7, results.idle_megabytes.get("cirro"),
                        " MiB", strictly=True)
    return Table("Budgets", ["what", "budget", "measured", ""], budgets.rows)
