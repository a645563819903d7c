"""The journeys of an on-call night, key by key, from a running console: no more keys than were promised.

What is typed - a query, the number of rows that a preview asks for - comes on top and is not counted.
"""

from __future__ import annotations

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from textual.pilot import Pilot

from dpconsole.app import ConsoleApp
from dpconsole.core.domain.statuses import Status
from dpconsole.core.services import InstanceRow, ListKind, ListRequest, Record
from tests.screens.hands import press, pulse, settle, text, type_text
from tests.screens.night import Night


class Hands:
    """A keyboard that counts."""

    def __init__(self, pilot: Pilot[int], night: Night) -> None:
        self.pilot, self.night = pilot, night
        self.keys = 0

    async def press(self, *keys: str) -> None:
        self.keys += len(keys)
        await press(self.pilot, *keys)

    async def type(self, words: str) -> None:
        """What is typed on top of the keys."""
        await type_text(self.pilot, words)

    async def let_the_armed_go(self) -> None:
        """The five seconds go by in which a destructive batch could be called off."""
        self.night.clock.advance_to(self.night.clock.now() + 5_000)
        await pulse(self.pilot)
        await settle(self.pilot)

    @property
    def screen(self) -> str:
        return text(self.pilot)


@asynccontextmanager
async def at(app: ConsoleApp, night: Night) -> AsyncIterator[Hands]:
    """Somebody sits down at a running console."""
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        await pulse(pilot)
        yield Hands(pilot, night)


def matching(night: Night, query: str) -> list[InstanceRow]:
    lists = night.services.lists
    return list(lists.rows(ListKind.INSTANCES, lists.snapshot(ListRequest(text=query)).ids))


def last_record(night: Night) -> Record:
    lists = night.services.lists
    newest = lists.rows(ListKind.RECORDS, lists.snapshot(ListRequest(ListKind.RECORDS)).ids)[0]
    record = night.services.operations.record(newest.key)
    assert record is not None
    return record


async def test_1_what_broke_since_yesterday_and_is_it_one_cause(app: ConsoleApp, night: Night) -> None:
    async with at(app, night) as hands:
        assert "5 failed, 2 causes" in hands.screen
        assert "FATAL: heap space exhausted" in hands.screen
        assert hands.keys == 0
        await hands.press("enter")
        assert 'error:"FATAL: heap space exhausted"' in hands.screen
        assert "3 of" in hands.screen
        assert hands.keys <= 2


async def test_2_the_failing_line_of_a_failed_instance(app: ConsoleApp, night: Night) -> None:
    async with at(app, night) as hands:
        await hands.press("2", "!", "o")
        assert "ERROR ODPS-0130131: Table not found" in hands.screen
        assert hands.keys <= 3


async def test_3_rerun_everything_that_failed(app: ConsoleApp, night: Night) -> None:
    async with at(app, night) as hands:
        await hands.press("2", "!", "*", "r", "enter")
        assert (last_record(night).verb, last_record(night).acts) == ("rerun", 4)
        assert hands.keys <= 5


async def test_4_why_it_has_not_started_and_when_it_will(app: ConsoleApp, night: Night) -> None:
    async with at(app, night) as hands:
        await hands.press("2", "/")
        await hands.type("ads_gmv_board")
        await hands.press("enter", "i")
        assert "The five checks" in hands.screen
        assert "Start blocking" in hands.screen
        assert "dwd_pay_di" in hands.screen
        assert "will not start before trade.dwd_pay_di is mended" in hands.screen
        assert hands.keys <= 4


async def test_5_stop_a_runaway_while_its_downstream_stays_put(app: ConsoleApp, night: Night) -> None:
    async with at(app, night) as hands:
        await hands.press("2", "/")
        await hands.type("sync_mysql_0")
        await hands.press("enter", "x")
        assert "1 running attempt would be killed" in hands.screen
        await hands.type("1")
        await hands.press("enter")
        assert matching(night, "name=sync_mysql_0 biz:yesterday")[0].status is Status.RUNNING
        await hands.let_the_armed_go()
        assert matching(night, "name=sync_mysql_0 biz:yesterday")[0].status is Status.FAILED
        assert hands.keys <= 5


async def test_6_pause_some_that_wait_and_later_resume_just_those(app: ConsoleApp, night: Night) -> None:
    async with at(app, night) as hands:
        await hands.press("2", "/")
        await hands.type("status:waiting_time project:growth")
        await hands.press("enter", "*", "p", "enter")
        paused = last_record(night)
        assert (paused.verb, paused.acts) == ("pause", 16)
        assert hands.keys <= 6
        hands.keys = 0
        await hands.press("z", "enter")
        resumed = last_record(night)
        assert (resumed.verb, resumed.acts) == ("resume", paused.acts)
        assert {item.id for item in resumed.items} == {item.id for item in paused.items}
        assert hands.keys <= 3


async def test_7_force_rerun_it_and_everything_downstream_seeing_the_reach_first(app: ConsoleApp, night: Night) -> None:
    async with at(app, night) as hands:
        await hands.press("2", "/")
        await hands.type("dwd_pay_di")
        await hands.press("enter", "R", "]")
        assert "[downstream]" in hands.screen
        assert "ads_gmv_board" in hands.screen
        await hands.type("4")
        await hands.press("enter")
        await hands.let_the_armed_go()
        assert (last_record(night).verb, last_record(night).acts) == ("force-rerun", 4)
        assert hands.keys <= 6


async def test_10_tonights_baseline_is_late_find_its_chain_and_raise_it(app: ConsoleApp, night: Night) -> None:
    async with at(app, night) as hands:
        await hands.press("5", "enter")
        assert "never done by itself: dwd_pay_di" in hands.screen
        await hands.press("*", "P", "1")
        assert "no effect on 3 of 3 while covered by gmv before six: it is kept until then" in hands.screen
        await hands.press("enter")
        record = last_record(night)
        assert (record.verb, record.acts) == ("priority", 3)
        assert {item.after for item in record.items} == {"highest"}
        assert hands.keys <= 6


async def test_9_backfill_it_and_its_downstream_for_a_week_and_later_rerun_only_failures(
    app: ConsoleApp, night: Night
) -> None:
    async with at(app, night) as hands:
        await hands.press("4", "/")
        await hands.type("dwd_pay_di")
        await hands.press("enter", "b")
        await hands.type("-7d..-1d")
        await hands.press("tab", "space", "enter")
        created = last_record(night)
        assert any(line.startswith("›") and "dwd_pay_di_20261120" in line for line in hands.screen.splitlines())
        assert (created.verb, created.acts) == ("backfill", 1)
        assert hands.keys <= 8
        submitted = matching(night, f"backfill:{created.items[0].id}")
        assert {row.business_date for row in submitted} == {f"2026-11-{day}" for day in range(13, 20)}
        assert {row.task for row in submitted} == {
            "trade.dwd_pay_di",
            "trade.dws_trade_pay_ord_1d",
            "trade.ads_gmv_board",
        }
        night.pass_minutes(30)
        failed = [row for row in matching(night, f"backfill:{created.items[0].id}") if row.status is Status.FAILED]
        await pulse(hands.pilot)
        hands.keys = 0
        await hands.press("3", "r", "enter")
        rerun = last_record(night)
        assert (rerun.verb, {item.id for item in rerun.items}) == ("one-click-rerun-failed", {row.id for row in failed})
        assert hands.keys <= 3
