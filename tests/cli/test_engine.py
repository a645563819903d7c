"""`generate` and `engine`: a night made and run without a screen."""

from __future__ import annotations

from pathlib import Path

import pytest

from dpconsole.cli.exits import Exit
from dpconsole.core.domain.clock import SystemClock
from dpconsole.core.engine.lease import Lease, Process
from dpconsole.core.store.opening import open_store
from tests.cli.conftest import DAY, Run, document

VIRTUALLY = ("engine", "run", "--until-idle", "--virtual", "--start", "2026-11-19T23:30", "--seed", 1)


def test_a_business_date_is_generated_once(loaded: Run) -> None:
    first = document(loaded("generate", "--date", DAY, "--json"))
    assert (first["created"], first["existing"]) == (7, 0)
    assert first["dates"] == [{"business_date": DAY, "created": 7, "existing": 0}]
    assert loaded("generate", "--date", DAY).stdout == f"{DAY}: 0 created, 7 there already\n"


def test_several_business_dates(loaded: Run) -> None:
    made = document(loaded("generate", "--date", DAY, "--until", "2026-11-21", "--json"))
    assert [some["business_date"] for some in made["dates"]] == [DAY, "2026-11-20", "2026-11-21"]


@pytest.mark.parametrize("word", ["today", "yesterday", "-1d", "2026-11-19"])
def test_a_date_takes_the_usual_words(loaded: Run, word: str) -> None:
    assert loaded("generate", "--date", word).exit_code == Exit.DONE


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--date", "soon"], "--date: soon is not a date"),
        (["--date", DAY, "--until", "2026-11-18"], "--until 2026-11-18 lies before --date 2026-11-19"),
    ],
)
def test_a_date_that_is_none_is_named(loaded: Run, words: list[str], said: str) -> None:
    result = loaded("generate", *words)
    assert result.exit_code == Exit.USAGE
    assert said in result.stderr


def test_a_virtual_night_ends_and_says_why_some_stand_still(generated: Run) -> None:
    result = generated(*VIRTUALLY, "--json")
    assert result.exit_code == Exit.DONE
    summary = document(result)
    assert summary["counts"] == {
        "NOT_RUNNING": 1,
        "WAITING_TIME": 0,
        "THROTTLED": 0,
        "WAITING_RESOURCE": 0,
        "RUNNING": 0,
        "SUCCEEDED": 3,
        "FAILED": 2,
    }
    assert summary["blocked"] == {"an upstream failed": 1}
    assert summary["now"].startswith("2026-11-20T0") and summary["now"].endswith("+08:00")


def test_the_summary_in_words_is_talk_and_not_data(generated: Run) -> None:
    result = generated(*VIRTUALLY)
    assert result.stdout == ""
    assert "1 Not Running, 3 Succeeded, 2 Failed" in result.stderr
    assert "1 not at an end: an upstream failed" in result.stderr


def test_virtual_time_stops_where_it_is_told(generated: Run) -> None:
    words = ("engine", "run", "--until", "2026-11-20T00:15", "--virtual", "--start", "2026-11-19T23:30", "--json")
    summary = document(generated(*words))
    assert summary["now"] == "2026-11-20T00:15:00+08:00"
    assert summary["counts"]["SUCCEEDED"] == 1


def test_in_real_time_a_night_long_past_is_run_at_once(generated: Run) -> None:
    summary = document(generated("engine", "run", "--until", "now", "--json"))
    assert summary["counts"]["SUCCEEDED"] == 0


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--virtual"], "--virtual needs an end"),
        (["--start", "now", "--until-idle"], "add --virtual"),
        (["--until", "whenever"], "--until: whenever is not"),
    ],
)
def test_a_run_that_cannot_be_meant_is_refused(generated: Run, words: list[str], said: str) -> None:
    result = generated("engine", "run", *words)
    assert result.exit_code == Exit.USAGE
    assert said in result.stderr


def test_nobody_drives_the_database_after_a_run(night: Run) -> None:
    result = night("engine", "status", "--json")
    assert result.exit_code == Exit.RETRY
    assert document(result)["alive"] is False


def test_one_engine_at_a_time(generated: Run, home: Path) -> None:
    store = open_store(home / "data" / "dpconsole" / "dpconsole.db")
    lease = Lease(store, SystemClock(), Process("lin@ops1", "another boot", 1, "1"))
    assert lease.acquire()
    result = generated(*VIRTUALLY)
    assert result.exit_code == Exit.RETRY
    assert "the engine is with lin@ops1" in result.stderr
    status = generated("engine", "status")
    assert status.exit_code == Exit.DONE
    assert status.stdout.startswith("lin@ops1 #1")
    store.close()
