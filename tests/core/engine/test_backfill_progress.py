"""How far a backfill is, and when it will be done: in flight by forecast, in the queues one after the other."""

from __future__ import annotations

from datetime import date

from sqlalchemy import select

from dpconsole.core.domain.definitions import Simulation
from dpconsole.core.domain.keys import Layer, TreeId
from dpconsole.core.engine.backfill_progress import BackfillProgress, read_progress
from dpconsole.core.operations.selection import Selection
from dpconsole.core.store.models import BackfillDate
from dpconsole.core.store.session import Store
from tests.nights import EVENING, MINUTE, Night, fails, task

FIRST = date(2026, 11, 1)


def progress(night: Night, backfill: int) -> BackfillProgress:
    with night.store.read() as connection:
        return read_progress(connection, backfill, night.clock.now())


def minutes(night: Night, moment: int | None) -> float | None:
    return None if moment is None else (moment - EVENING) / MINUTE


def test_what_has_run_says_how_long_the_rest_will_take(sqlite_store: Store) -> None:
    night = Night(sqlite_store, task("a"), task("b", "a"))
    backfill = night.backfill("a", first=FIRST, days=5, groups=2)
    night.run(until="2026-11-19T23:02")
    night.clock.advance_to(EVENING + 2 * MINUTE + MINUTE // 2)
    seen = progress(night, backfill)
    assert (seen.done, seen.total) == (4, 10)
    assert minutes(night, seen.eta) == 6
    by_day = {one.business_date[-2:]: (one.queue, one.state, minutes(night, one.eta)) for one in seen.dates}
    assert by_day == {
        "01": (1, "done", None),
        "02": (2, "done", None),
        "03": (1, "begun", 4),
        "04": (2, "begun", 4),
        "05": (1, "waiting", 6),
    }
    night.run()
    assert minutes(night, night.clock.now()) == 6


def test_a_failure_leaves_its_queue_without_an_end_and_the_others_with_theirs(sqlite_store: Store) -> None:
    once = Simulation(duration=(60, 60), fail=(("2026-11-02", 1),))
    night = Night(sqlite_store, task("a", simulate=once))
    backfill = night.backfill("a", first=FIRST, days=6, groups=2)
    night.run(until="2026-11-19T23:01")
    seen = progress(night, backfill)
    ends = {one.business_date[-2:]: minutes(night, one.eta) for one in seen.dates}
    assert ends == {"01": None, "03": 2, "05": 3, "02": None, "04": None, "06": None}
    assert seen.eta is None


def test_what_was_left_out_counts_for_nothing(sqlite_store: Store) -> None:
    night = Night(sqlite_store, task("a"))
    backfill = night.backfill("a", first=FIRST, days=3)
    night.run(until="2026-11-19T23:00")
    with night.store.read() as connection:
        last = connection.execute(select(BackfillDate.id).order_by(BackfillDate.id.desc()).limit(1)).scalar_one()
    operations = night.operations()
    chosen = Selection.of_rows([TreeId(Layer.DATE, last)])
    operations.apply(operations.plan("exclude-dates", chosen))
    seen = progress(night, backfill)
    assert (seen.total, [one.eta is None for one in seen.dates]) == (2, [False, False, True])


def test_one_click_rerun_lets_the_queue_go_on(sqlite_store: Store) -> None:
    night = Night(sqlite_store, task("a", simulate=fails(1)))
    backfill = night.backfill("a", first=FIRST, days=2, groups=2)
    night.run()
    operations = night.operations()
    everything = Selection.of_rows([TreeId(Layer.BACKFILL, backfill)])
    assert operations.apply(operations.plan("one-click-rerun-failed", everything)).acts == 2
    night.run()
    assert {str(one.state) for one in progress(night, backfill).dates} == {"done"}


def test_one_that_is_not_there_is_empty(sqlite_store: Store) -> None:
    night = Night(sqlite_store, task("a"))
    assert (progress(night, 9).total, progress(night, 9).dates) == (0, ())
