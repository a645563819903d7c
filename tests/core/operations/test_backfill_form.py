"""The form of a backfill: every answer that can be given, and every one that cannot, with what is said beside it."""

from __future__ import annotations

import shlex
from datetime import date, time
from typing import Any
from zoneinfo import ZoneInfo

import pytest

from dpconsole.core.domain.backfill_form import BackfillForm, DateRange, Filters, Handling, Mode, Offsets, Periodic
from dpconsole.core.domain.backfills import Recurrence
from dpconsole.core.domain.clock import parse_iso
from dpconsole.core.domain.definitions import Environment, Method
from dpconsole.core.operations.backfill_answers import DATES_LIMIT, FormFacts, join_list, split_list
from dpconsole.core.operations.backfill_form import FIELDS, asked_fields, command_line, read_form, settled, suggested
from tests.core.graph.definitions import stored
from tests.nights import node, table, task

SHANGHAI = ZoneInfo("Asia/Shanghai")
FACTS = FormFacts(
    now=parse_iso("2026-11-20T10:00", SHANGHAI),
    zone=SHANGHAI,
    environment=Environment.PROD,
    tasks=stored(
        task("orders"),
        table("dim", node("base", "id", "city"), node("value", "ltv")),
        task("once", method=Method.ONE_TIME),
        task("orders", project="q"),
        task("users"),
        task("long" * 40),
    ),
)
"""10:00 on the 20th in Shanghai: T-1 is the 19th."""

START = {"task": "p.orders"}


def form(**answers: str) -> BackfillForm:
    reading = read_form(START | {name.replace("_", "-"): answer for name, answer in answers.items()}, FACTS)
    assert reading.problems == ()
    assert reading.form is not None
    return reading.form


def ranges(*days: tuple[str, str]) -> tuple[DateRange, ...]:
    return tuple(DateRange(date.fromisoformat(first), date.fromisoformat(last)) for first, last in days)


def test_nothing_but_a_task_makes_up_for_yesterday_at_once() -> None:
    assert form() == BackfillForm(
        tasks=("p.orders",), name="orders_20261120100000", ranges=ranges(("2026-11-19", "2026-11-19"))
    )


@pytest.mark.parametrize(
    ("typed", "meant"),
    [
        ("2026-11-01..2026-11-07", [("2026-11-01", "2026-11-07")]),
        ("2026-11-03", [("2026-11-03", "2026-11-03")]),
        (" 2026-11-03 , 20261105 .. 2026-11-06", [("2026-11-03", "2026-11-03"), ("2026-11-05", "2026-11-06")]),
        ("-7d..-1d", [("2026-11-13", "2026-11-19")]),
        ("yesterday", [("2026-11-19", "2026-11-19")]),
        ("T-1", [("2026-11-19", "2026-11-19")]),
        ("t-7 .. T - 1", [("2026-11-13", "2026-11-19")]),
        ("T..T+1", [("2026-11-20", "2026-11-21")]),
        ("today..+2d", [("2026-11-20", "2026-11-22")]),
    ],
)
def test_data_timestamps_are_written_in_many_ways(typed: str, meant: list[tuple[str, str]]) -> None:
    assert form(range=typed).ranges == ranges(*meant)


def test_as_many_data_timestamps_as_a_tree_can_show_are_taken() -> None:
    assert len(form(range="2024-02-24..2026-11-19").dates) == DATES_LIMIT
    assert len(form(range="2024-02-24..2026-11-19,2026-01-01..2026-11-19").dates) == DATES_LIMIT


@pytest.mark.parametrize(
    ("answers", "values"),
    [
        ({"task": "users"}, {"tasks": ("p.users",)}),
        ({"task": "5, p.orders,users"}, {"tasks": ("p.users", "p.orders")}),
        ({"name": "  fix of the 3rd  "}, {"name": "fix of the 3rd"}),
        ({"name": "x" * 128}, {"name": "x" * 128}),
        ({"downstream": "all"}, {"mode": Mode.LIST, "levels": None}),
        ({"downstream": "10"}, {"mode": Mode.LIST, "levels": 10}),
        ({"downstream": "all", "only": "users"}, {"chosen": ("p.users",)}),
        ({"downstream": "2", "hide-paused": "no"}, {"hide_paused": False}),
        ({"downstream": "ALL", "massive": "yes"}, {"mode": Mode.MASSIVE}),
        (
            {"downstream": "all", "massive": "yes", "include-project": "p, q", "exclude-source": "users"},
            {"include": Filters(projects=("p", "q")), "exclude": Filters(sources=("p.users",))},
        ),
        ({"hours": "00:00-05:59"}, {"hours": (time(0, 0), time(5, 59))}),
        ({"hours": "6:00 - 6:00"}, {"hours": (time(6, 0), time(6, 0))}),
        ({"groups": "7", "order": "DESC"}, {"groups": 7, "ascending": False}),
        ({"groups": "", "order": " "}, {"groups": 1, "ascending": True}),
        ({"paused-tasks": "keep"}, {"paused_tasks": Handling.KEEP, "dry_run_tasks": Handling.NORMAL}),
        ({"dry-run-tasks": "keep", "dry-run-start": "yes"}, {"dry_run_tasks": Handling.KEEP, "dry_run_start": True}),
        ({"set": "a=1, b = x=y ,c="}, {"parameters": (("a", "1"), ("b", "x=y"), ("c", ""))}),
        ({"set": r"a=1\,2,users:a=3"}, {"parameters": (("a", "1,2"),), "task_parameters": (("p.users", "a", "3"),)}),
        ({"at": "2026-11-21T02:00"}, {"at": parse_iso("2026-11-21T02:00", SHANGHAI)}),
        ({"at": "12:30"}, {"at": parse_iso("2026-11-20T12:30", SHANGHAI)}),
        ({"at": "02:00"}, {"at": parse_iso("2026-11-21T02:00", SHANGHAI)}),
        ({"at": "+2h"}, {"at": parse_iso("2026-11-20T12:00", SHANGHAI)}),
        (
            {"every": "daily", "at": "02:30"},
            {
                "periodic": Periodic(Recurrence.DAILY, time(2, 30)),
                "offsets": (Offsets(1, 1),),
                "ranges": (),
                "at": None,
            },
        ),
        (
            {"every": "weekly", "at": "02:30", "on": "mon,5", "range": "T-7..-1d,T-14"},
            {
                "periodic": Periodic(Recurrence.WEEKLY, time(2, 30), weekdays=(1, 5)),
                "offsets": (Offsets(7, 1), Offsets(14, 14)),
            },
        ),
        (
            {"every": "monthly", "at": "0:05", "on": "1,last", "range": "yesterday"},
            {"periodic": Periodic(Recurrence.MONTHLY, time(0, 5), month_days=(1, -1)), "offsets": (Offsets(1, 1),)},
        ),
    ],
)
def test_an_answer_is_read_as_it_is_meant(answers: dict[str, str], values: dict[str, Any]) -> None:
    found = form(**answers)
    assert {name: getattr(found, name) for name in values} == values


def test_the_fields_of_a_table_that_starts_are_asked_for() -> None:
    assert form(task="dim", fields="ltv, city").fields == ("ltv", "city")
    names = [
        [field.name for field in asked_fields({"task": start}, FACTS)] for start in ("dim", "users", "dim,users", "x")
    ]
    assert ["fields" in some for some in names] == [True, False, False, False]


def test_a_name_is_made_of_the_task_and_the_moment_and_never_too_long() -> None:
    name = form(task="long" * 40).name
    assert len(name) == 128
    assert name.endswith("longl_20261120100000")


# --- what cannot be taken ---------------------------------------------------------------------------------------------

BAD = [
    ({"task": ""}, "task", "name the task to start from"),
    ({"task": " , "}, "task", "name the task to start from"),
    ({"task": "p.order"}, "task", "no task p.order; did you mean p.orders?"),
    ({"task": "zzz"}, "task", "no task zzz"),
    ({"task": "p.us\x1b]0;x\x07ers"}, "task", "no task p.us␛]0;x␇ers"),
    ({"task": "orders"}, "task", "orders is the name of 2 tasks: write p.orders or q.orders"),
    ({"task": "once"}, "task", "p.once is a one-time task"),
    ({"name": "x" * 200}, "name", "a name has at most 128 characters, this one has 200"),
    ({"name": "a\x07b"}, "name", "no control or invisible characters: a␇b"),
    ({"name": "a\u202eb"}, "name", "no control or invisible characters"),
    ({"range": "2026-11-07..2026-11-01"}, "range", "ends before it starts; did you mean 2026-11-01..2026-11-07?"),
    ({"range": "T-1..T-7"}, "range", "did you mean T-7..T-1?"),
    ({"range": ""}, "range", "no data timestamps; write 2026-11-01..2026-11-07"),
    ({"range": ","}, "range", "no data timestamps"),
    ({"range": ".."}, "range", ".. is no range"),
    ({"range": "2026-11-01.."}, "range", "2026-11-01.. is no range"),
    ({"range": "2026-11-01..2026-11-02..2026-11-03"}, "range", "is no range"),
    ({"range": "2026-02-30"}, "range", "2026-02-30 is not a date; write 2026-11-19"),
    ({"range": "2000-01-01..2027-05-18"}, "range", "10,000 data timestamps; one backfill takes at most 1,000"),
    ({"range": "-999999d"}, "range", "-999999d is out of reach"),
    ({"range": "T-800000"}, "range", "is out of reach"),
    ({"range": "0001-01-01..9999-12-31"}, "range", "0001-01-01 is out of reach"),
    ({"at": "2026-11-20T09:59"}, "at", "2026-11-20T09:59 has passed already"),
    ({"at": "yesterday"}, "at", "yesterday has passed already"),
    ({"at": "25:00"}, "at", "25:00 is not a time"),
    ({"at": "9999-12-31T23:59"}, "at", "out of reach"),
    ({"hours": "06:00-05:00"}, "hours", "06:00-05:00 ends before it starts; did you mean 05:00-06:00?"),
    ({"hours": "06:00"}, "hours", "06:00 is no hour window; write 00:00-05:59"),
    ({"hours": "00:00-24:00"}, "hours", "24:00 is no time of day"),
    ({"groups": "0"}, "groups", "a whole number from 1 to 1,000, not 0"),
    ({"groups": "-1"}, "groups", "a whole number from 1"),
    ({"groups": "1.5"}, "groups", "a whole number from 1"),
    ({"groups": "9" * 5000}, "groups", "a whole number from 1"),
    ({"order": "up"}, "order", "up is none of asc, desc"),
    ({"downstream": "11"}, "downstream", "a number of levels from 1 to 10, not 11"),
    ({"downstream": "0"}, "downstream", "not 0"),
    ({"downstream": "al"}, "downstream", "downstream is all, none, or a number of levels"),
    ({"massive": "yes"}, "massive", "goes with downstream all"),
    ({"downstream": "2", "include-name": "x"}, "include-name", "goes with massive mode"),
    ({"only": "users"}, "only", "goes with downstream by levels or all"),
    ({"downstream": "all", "massive": "yes", "only": "users"}, "only", "goes with"),
    ({"downstream": "all", "only": "user"}, "only", "no task user; did you mean users?"),
    ({"fields": "ltv"}, "fields", "goes with one logical table as the start"),
    ({"task": "dim", "fields": "cities"}, "fields", "p.dim has no field cities; did you mean city?"),
    ({"set": "a"}, "set", "a sets nothing; write name=value"),
    ({"set": "a b=1"}, "set", "made of letters, digits and underscores"),
    ({"set": f"{'a' * 33}=1"}, "set", "at most 32 characters"),
    ({"set": "dp_glb_a=1"}, "set", "kept for global ones"),
    ({"set": f"a={'1' * 257}"}, "set", "at most 256 characters"),
    ({"set": "a=1,a=2"}, "set", "a is set twice"),
    ({"set": "user:a=1"}, "set", "no task user; did you mean users?"),
    ({"paused-tasks": "skip"}, "paused-tasks", "skip is none of normal, keep"),
    ({"dry-run-start": "maybe"}, "dry-run-start", "maybe is none of no, yes"),
    ({"every": "year"}, "every", "year is none of once, daily, weekly, monthly"),
    ({"every": "daily"}, "at", "say at what time of day it runs: 02:00"),
    ({"every": "daily", "at": "tomorrow"}, "at", "tomorrow is no time of day"),
    ({"every": "weekly", "at": "02:00"}, "on", "say on which days it runs"),
    ({"every": "weekly", "at": "02:00", "on": "mon,first"}, "on", "first is no weekday; write mon,thu"),
    ({"every": "monthly", "at": "02:00", "on": "32"}, "on", "32 is no day of a month"),
    ({"every": "daily", "at": "02:00", "on": "mon"}, "on", "goes with weekly or monthly"),
    ({"every": "daily", "at": "02:00", "range": "2026-11-01"}, "range", "counted from its run day; write T-7..T-1"),
    ({"every": "daily", "at": "02:00", "range": "T-1001..T-1"}, "range", "1,001 data timestamps"),
    ({"every": "daily", "at": "02:00", "range": "T-1..T-7"}, "range", "did you mean T-7..T-1?"),
]


@pytest.mark.parametrize(("answers", "field", "message"), BAD)
def test_a_bad_answer_is_told_beside_its_field(answers: dict[str, str], field: str, message: str) -> None:
    reading = read_form(START | answers, FACTS)
    assert reading.form is None
    assert [problem.field for problem in reading.problems] == [field]
    assert message in reading.problem(field)
    assert reading.problem(field).isprintable()


def test_all_that_is_wrong_is_told_at_once_in_the_order_of_the_form() -> None:
    reading = read_form({"groups": "0", "name": "x" * 129, "range": "", "task": "?"}, FACTS)
    assert [problem.field for problem in reading.problems] == ["task", "name", "range", "groups"]
    assert reading.problem("order") == ""


# --- in words ---------------------------------------------------------------------------------------------------------


def test_what_was_relative_is_written_down_as_it_was_meant() -> None:
    answers = START | {"range": "-2d..-1d", "at": "02:00", "groups": "1", "order": "desc"}
    reading = read_form(answers, FACTS)
    assert reading.form is not None
    assert settled(answers, reading.form, FACTS) == {
        "task": "p.orders",
        "range": "2026-11-18..2026-11-19",
        "order": "desc",
        "at": "2026-11-21T02:00:00+08:00",
    }


@pytest.mark.parametrize(
    ("answers", "options"),
    [
        ({"range": "2026-11-01..2026-11-02"}, "--from=2026-11-01 --to=2026-11-02"),
        ({"range": "2026-11-01,2026-11-03"}, "--range=2026-11-01 --range=2026-11-03"),
        ({"range": "T-7..T-1"}, "--range=T-7..T-1"),
        ({"massive": "yes", "hide-paused": "no"}, "--massive --no-hide-paused"),
        ({"set": r"a=1\,2,b=x y"}, "--set=a=1,2 '--set=b=x y'"),
        ({"include-name": r"a\,b,c"}, r"'--include-name=a\,b' --include-name=c"),
    ],
)
def test_the_command_line_asks_for_the_same(answers: dict[str, str], options: str) -> None:
    assert command_line(answers) == f"dpconsole backfill create {options}"
    assert shlex.split(command_line(answers, 60))[-1] == "--expect=60"


@pytest.mark.parametrize("elements", [["a", "b"], ["a,b", "c"], ["\\"], ["a\\,b", "\\\\"], []])
def test_a_list_is_one_answer_and_comes_apart_again(elements: list[str]) -> None:
    assert split_list(join_list(elements)) == elements


def test_every_field_says_how_it_is_answered() -> None:
    for field in FIELDS.values():
        assert field.title
        assert field.help.endswith(".")
        assert field.default in ("", *field.choices) or not field.choices


def test_the_environment_is_the_workspaces_unless_it_is_said() -> None:
    assert form().environment is Environment.PROD
    assert form(environment="dev").environment is Environment.DEV
    dev = FormFacts(FACTS.now, FACTS.zone, Environment.DEV, FACTS.tasks)
    for answers, facts, options in (
        ({"environment": "prod"}, FACTS, []),
        ({"environment": "dev"}, FACTS, ["--environment=dev"]),
        ({"environment": "prod"}, dev, ["--environment=prod"]),
        ({}, dev, []),
    ):
        read = read_form(START | answers, facts).form
        assert read is not None
        words = command_line(settled(START | answers, read, facts))
        assert [word for word in shlex.split(words) if word.startswith("--environment")] == options


@pytest.mark.parametrize(
    ("name", "typed", "becomes"),
    [
        ("task", "p.u", "p.users"),
        ("task", "us", "users"),
        ("task", "p.users, q.o", "p.users, q.orders"),
        ("task", "p.users", ""),
        ("task", "ord", ""),
        ("task", "p.users,", ""),
        ("task", "1", ""),
        ("task", "", ""),
        ("only", "p.d", "p.dim"),
        ("name", "p.u", ""),
    ],
)
def test_a_task_is_suggested_while_its_name_is_typed(name: str, typed: str, becomes: str) -> None:
    """A name that several projects have names none; neither does a number."""
    assert suggested(name, typed, FACTS) == becomes


def test_a_comma_in_a_name_is_hinted_at_as_it_is_written() -> None:
    facts = FormFacts(FACTS.now, FACTS.zone, FACTS.environment, stored(task("gmv,uv")))
    assert read_form({"task": "p.gmv,uv"}, facts).problem("task") == r"no task p.gmv; did you mean p.gmv\,uv?"
    assert read_form({"task": r"p.gmv\,uv"}, facts).problems == ()
