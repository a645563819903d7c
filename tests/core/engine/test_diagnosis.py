"""The five checks, the start blocking instances, the turn in the queue and the estimated end (RULES.md 13)."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from datetime import date

import pytest

from dpconsole.core.domain.definitions import (
    Cycle,
    Method,
    Priority,
    ResourceGroup,
    RunConfig,
    Schedule,
    Simulation,
    Task,
    ThrottlingRule,
)
from dpconsole.core.domain.diagnosis import Step, Verdict
from dpconsole.core.domain.statuses import Status
from dpconsole.core.engine.diagnosis import Explanation, explain
from dpconsole.core.store.diagnosis import read_upstream
from dpconsole.core.store.session import Store
from tests.nights import A_MINUTE, AT_ONCE, BUSINESS_DATE, HANGS, Night, fails, node, on, on_itself, table, task

PASSED, SKIPPED, PAUSED, BLOCKED, WAITING, RUNNING, FAILED, NOT_REACHED = Verdict


def diagnose(night: Night, name: str) -> Explanation:
    found = explain(night.store, night.clock, night.id(name))
    assert found is not None
    return found


def roots(night: Night, name: str) -> list[str]:
    return [one.name for one in diagnose(night, name).start_blocking]


# --- the five checks --------------------------------------------------------------------------------------------------


@dataclass(frozen=True)
class Situation:
    """How an instance called `x` comes to stand where it does, and what is to be said of it."""

    night: Callable[[Store], Night]
    verdicts: tuple[Verdict, ...]
    detail: str
    roots: tuple[str, ...] = ()
    ahead: int | None = None
    eta: str | None = None


def generated(store: Store) -> Night:
    night = Night(store, task("x", at="02:00"))
    night.generate()
    return night


def until(moment: str, *tasks: object, **limits: object) -> Callable[[Store], Night]:
    def run(store: Store) -> Night:
        night = Night(store, *tasks, **limits)  # type: ignore[arg-type]
        night.generate()
        night.run(until=moment)
        return night

    return run


def paused(store: Store) -> Night:
    night = Night(store, task("a", simulate=fails()), task("x", "a"))
    night.generate()
    night.set("x", paused=True)
    night.run()
    return night


SUNDAYS = Schedule(Cycle.WEEK, weekdays=(7,))
IN_G = RunConfig(reruns=0, resource_group="g")
ONE = (ThrottlingRule("one at a time", 1),)

SITUATIONS = {
    "nobody has looked yet": Situation(
        generated,
        (PASSED, WAITING, NOT_REACHED, NOT_REACHED, NOT_REACHED),
        "due 2026-11-20 02:00:00; ready: the engine takes it up with its next tick",
        eta="02:00",
    ),
    "waits for its scheduled time": Situation(
        until("01:00", task("x", at="02:00")),
        (PASSED, WAITING, NOT_REACHED, NOT_REACHED, NOT_REACHED),
        "waits for its scheduled time, 02:00:00 (in 1h00m00s)",
        eta="02:00",
    ),
    "the root failed, not the parent": Situation(
        until("03:00", task("a", simulate=fails()), task("b", "a"), task("x", "b")),
        (BLOCKED, NOT_REACHED, NOT_REACHED, NOT_REACHED, NOT_REACHED),
        "waits for 1 upstream: b (t_2_20261119_2) Not Running; start blocking: a (t_1_20261119_1) Failed: ERROR",
        roots=("a",),
    ),
    "paused, whatever is above it": Situation(
        paused,
        (PAUSED, NOT_REACHED, NOT_REACHED, NOT_REACHED, NOT_REACHED),
        "paused: resume it to let it go on",
    ),
    "throttled": Situation(
        until("00:00", *(task(name, simulate=HANGS) for name in ("a", "b")), task("x"), throttling=ONE),
        (PASSED, PASSED, WAITING, NOT_REACHED, NOT_REACHED),
        "throttled by 'one at a time' (1 of 1 slots taken); 1 goes before it, a higher priority moves it up; "
        "slots held by a (t_1_20261119_1); it has waited 0s",
        ahead=1,
        eta="00:00",
    ),
    "waits for schedule resources": Situation(
        until("00:30", task("a", simulate=HANGS), task("x"), slots=1),
        (PASSED, PASSED, PASSED, WAITING, NOT_REACHED),
        "resource group 'default' is full (1 of 1 slots taken); it is next; slots held by a (t_1_20261119_1); "
        "it has waited 30m00s",
        ahead=0,
        eta="00:30",
    ),
    "runs": Situation(
        until("00:30", task("a", simulate=AT_ONCE), task("x", "a", simulate=HANGS)),
        (PASSED, PASSED, PASSED, PASSED, RUNNING),
        "attempt 1 runs since 00:00:00 (30m00s)",
        eta="00:30",
    ),
    "succeeded": Situation(
        until("03:00", task("x")),
        (PASSED, PASSED, PASSED, PASSED, PASSED),
        "attempt 1 succeeded at 00:01:00 after 1m00s",
    ),
    "failed": Situation(
        until("03:00", task("x", simulate=fails())),
        (PASSED, PASSED, PASSED, PASSED, FAILED),
        "failed: ERROR",
    ),
    "failed, to be rerun by itself": Situation(
        until("00:02", task("x", simulate=fails(), run=RunConfig(reruns=1, rerun_interval=300))),
        (PASSED, PASSED, PASSED, PASSED, FAILED),
        "; automatic rerun 1 of 1 at 00:06:00 (in 4m00s)",
        eta="00:06",
    ),
    "a dry run": Situation(
        until("03:00", task("x", method=Method.DRY_RUN)),
        (PASSED, PASSED, SKIPPED, SKIPPED, PASSED),
        "no work to do: succeeded at once",
    ),
    "a placeholder": Situation(
        until("03:00", task("x", schedule=SUNDAYS)),
        (SKIPPED, SKIPPED, SKIPPED, SKIPPED, PASSED),
        "no work to do: succeeded at once",
    ),
    "a task that is not scheduled": Situation(
        until("03:00", task("x", method=Method.PAUSED)),
        (PAUSED, NOT_REACHED, NOT_REACHED, NOT_REACHED, NOT_REACHED),
        "paused: resume it to let it go on",
    ),
}


@pytest.mark.parametrize("situation", SITUATIONS.values(), ids=SITUATIONS)
def test_where_an_instance_stands(sqlite_store: Store, situation: Situation) -> None:
    night = situation.night(sqlite_store)
    found = diagnose(night, "x")
    assert tuple(check.verdict for check in found.checks) == situation.verdicts
    assert [check.step for check in found.checks] == list(Step)
    assert situation.detail in [check.detail for check in found.checks if check.verdict is not NOT_REACHED][-1]
    assert situation.detail in found.summary
    assert tuple(one.name for one in found.start_blocking) == situation.roots
    assert found.queue_position == situation.ahead
    assert (None if found.eta.at is None else night.clock_of(found.eta.at)) == situation.eta


def test_the_checks_that_were_passed_say_how(sqlite_store: Store) -> None:
    night = Night(sqlite_store, task("up"), task("x", "up", at="02:00"))
    night.generate()
    night.run()
    details = [check.detail for check in diagnose(night, "x").checks]
    assert details == [
        "1 upstream succeeded, the last by 00:01:00",
        "due 02:00:00",
        "no rule held it back",
        "a slot was free in resource group 'default'",
        "attempt 1 succeeded at 02:01:00 after 1m00s",
    ]


def test_time_spent_in_queues_is_told_afterwards(sqlite_store: Store) -> None:
    """One at a time: `a` first, then x, whose group `g` a task of another project keeps for two more minutes."""
    rule = ThrottlingRule("one", 1, project="p")
    other = task("other", project="q", simulate=Simulation(duration=(180, 180), fail_rate=0.0), run=IN_G)
    tasks = (task("a", priority=Priority.HIGH), task("x", run=IN_G), other)
    night = Night(sqlite_store, *tasks, throttling=(rule,), groups=(ResourceGroup("g", 1),))
    night.generate()
    night.run()
    details = [check.detail for check in diagnose(night, "x").checks]
    assert details[2:4] == ["a rule held it back for 1m00s", "waited 2m00s for a slot in resource group 'g'"]


def test_an_instance_that_is_not_there_has_no_diagnosis(sqlite_store: Store) -> None:
    assert explain(sqlite_store, Night(sqlite_store).clock, 99) is None


# --- the start blocking instances -------------------------------------------------------------------------------------


def test_several_roots_are_listed_failed_paused_running_waiting(store: Store) -> None:
    roots_of_x = (
        task("waiting", at="05:00"),
        task("running", simulate=HANGS),
        task("paused", method=Method.PAUSED),
        task("failed", simulate=fails()),
        task("fine"),
    )
    parents = [task(f"below_{one.name}", one.name) for one in roots_of_x]
    night = Night(store, *roots_of_x, *parents, task("x", *(one.name for one in parents)))
    night.generate()
    night.run(until="02:00")
    assert roots(night, "x") == ["failed", "paused", "running", "waiting"]


def test_a_paused_parent_is_the_root_whatever_is_above_it(store: Store) -> None:
    night = Night(store, task("a", simulate=fails()), task("b", "a"), task("x", "b"))
    night.generate()
    night.set("b", paused=True)
    night.run()
    assert roots(night, "x") == ["b"]


def test_one_path_of_many_is_enough_to_be_listed_once(store: Store) -> None:
    layers = [task("root", simulate=fails())]
    for layer in range(4):
        above = [one.name for one in layers[-3:]]
        layers += [task(f"t{layer}{n}", *above) for n in range(3)]
    night = Night(store, *layers)
    night.generate()
    night.run()
    assert roots(night, "t32") == ["root"]


def test_an_alternative_that_succeeded_blocks_nothing(store: Store) -> None:
    """Field `f` is carried by a node that failed and by one that succeeded; field `g` by one that failed."""
    carriers = table("t", node("bad", "f", "g", simulate=fails()), node("good", "f"))
    night = Night(store, carriers, task("y", on("t", fields=("f",))), task("x", on("t", fields=("g",))))
    night.generate()
    night.run()
    assert diagnose(night, "y").checks[0].verdict is PASSED
    assert roots(night, "x") == ["bad"]


def test_every_alternative_left_is_a_root(store: Store) -> None:
    carriers = table("t", node("slow", "f", simulate=HANGS), node("bad", "f", simulate=fails()))
    night = Night(store, carriers, task("x", on("t", fields=("f",))))
    night.generate()
    night.run(until="02:00")
    assert roots(night, "x") == ["bad", "slow"]


def test_a_backlog_leads_to_its_oldest_day(store: Store) -> None:
    night = Night(store, task("x", on_itself(), simulate=Simulation(duration=(60, 60), fail=(("2026-11-10", -1),))))
    night.generate(date(2026, 11, 9), BUSINESS_DATE)
    night.run()
    (root,) = diagnose(night, "x@00:00").start_blocking
    assert (root.business_date, root.status) == ("2026-11-10", Status.FAILED)


def test_the_walk_ends_at_its_limit_and_says_so(store: Store) -> None:
    chain = [task("t0", simulate=fails())] + [task(f"t{n}", f"t{n - 1}") for n in range(1, 9)]
    night = Night(store, *chain)
    night.generate()
    night.run()
    with store.read() as connection:
        short, whole = (read_upstream(connection, [night.id("t8")], limit) for limit in (4, 99))
    names = {id: f"t{n}" for n in range(9) for id in [night.id(f"t{n}")]}
    assert {names[id] for id in short.rows} == {"t8", "t7", "t6", "t5"}
    assert (short.truncated, whole.truncated, len(whole.rows)) == (True, False, 9)


# --- slots ------------------------------------------------------------------------------------------------------------


def test_the_position_counts_those_that_go_first_in_the_same_queue(store: Store) -> None:
    """Effective priority, then due time, then id; another rule's queue and another group's do not count."""
    held = [
        task("low", priority=Priority.LOW),
        task("early"),
        task("later", at="00:30"),
        task("high", at="00:40", priority=Priority.HIGH),
    ]
    elsewhere = [task(f"q{n}", project="q", simulate=HANGS) for n in range(3)]
    rules = (ThrottlingRule("of p", 1, project="p"), ThrottlingRule("of q", 1, project="q"))
    night = Night(store, task("a", simulate=HANGS, priority=Priority.HIGHEST), *held, *elsewhere, throttling=rules)
    night.generate()
    night.run(until="01:00")
    positions = {one.name: diagnose(night, one.name).queue_position for one in held}
    assert positions == {"high": 0, "early": 1, "later": 2, "low": 3}
    assert [one.name for one in diagnose(night, "low").occupants] == ["a"]


def test_a_group_is_occupied_by_what_runs_in_it(store: Store) -> None:
    inside = [task(f"g{n}", run=IN_G, simulate=HANGS) for n in range(4)]
    night = Night(store, task("elsewhere", simulate=HANGS), *inside, groups=(ResourceGroup("g", 2),))
    night.generate()
    night.run(until="01:00")
    found = diagnose(night, "g3")
    assert ([one.name for one in found.occupants], found.queue_position) == (["g0", "g1"], 1)


def test_a_paused_row_stands_in_no_queue(store: Store) -> None:
    night = Night(store, task("a", simulate=HANGS), task("b"), task("x"), throttling=ONE)
    night.generate()
    night.run(until="00:10")
    night.set("b", paused=True)
    assert (diagnose(night, "b").queue_position, diagnose(night, "x").queue_position) == (None, 0)


# --- logical tables ---------------------------------------------------------------------------------------------------


def test_a_table_is_explained_by_the_node_that_holds_it_up(store: Store) -> None:
    tables = table("x", node("last", "c", after=["base"]), node("base", "a", after=[on("up")]), node("done", "b"))
    night = Night(store, task("up", simulate=fails()), tables)
    night.generate()
    night.run()
    found = diagnose(night, "x")
    assert found.node is not None
    assert (found.row.name, found.node.name, found.checks[0].verdict) == ("x", "base", BLOCKED)
    assert [one.name for one in found.others] == ["last"]
    assert roots(night, "x") == ["up"]
    assert found.summary.startswith("base waits for 1 upstream: up ")
    assert found.summary.endswith("; will not be done before p.up is mended")


def test_a_node_that_failed_comes_before_one_that_runs(store: Store) -> None:
    night = Night(store, table("x", node("slow", "a", simulate=HANGS), node("bad", "b", simulate=fails())))
    night.generate()
    night.run(until="02:00")
    found = diagnose(night, "x")
    assert found.node is not None
    assert (found.node.name, [one.name for one in found.others]) == ("bad", ["slow"])
    assert "before bad of p.x is mended" in found.eta.words


# --- when it will be done ---------------------------------------------------------------------------------------------

PAST = date(2026, 11, 17)


def lasting(minutes: float) -> Simulation:
    return Simulation(duration=(minutes * 60, minutes * 60), fail_rate=0.0)


def experienced(store: Store, *tasks: Task, until: str) -> Night:
    """A night before which every task has run twice, at a moment of it."""
    night = Night(store, *tasks)
    night.generate(PAST, date(2026, 11, 18))
    night.run(until="2026-11-19T23:30")
    night.generate()
    night.run(until=until)
    return night


def estimated(night: Night, name: str) -> str:
    return diagnose(night, name).eta.words


def test_the_longest_path_of_recent_durations_and_due_times(store: Store) -> None:
    tasks = (
        task("short", at="01:00", simulate=lasting(5)),
        task("long", at="00:30", simulate=lasting(50)),
        task("x", "short", "long", at="00:45", simulate=lasting(10)),
        task("y", "x", at="03:00", simulate=lasting(7)),
    )
    night = experienced(store, *tasks, until="00:40")
    assert estimated(night, "x@00:45") == "done at about 01:30:00 (in 50m00s)"
    assert estimated(night, "y@03:00") == "done at about 03:07:00 (in 2h27m00s)"
    assert estimated(night, "long@00:30") == "done at about 01:20:00 (in 40m00s)"


def test_the_median_leaves_one_bad_night_out(store: Store) -> None:
    bad = (("2026-11-12", 1),)
    x = task("x", at="01:00", simulate=Simulation(duration=(600, 600), fail=bad), run=RunConfig(reruns=1))
    night = Night(store, x)
    night.generate(date(2026, 11, 6), date(2026, 11, 18))
    night.run(until="2026-11-19T23:30")
    night.generate()
    night.run(until="00:40")
    assert estimated(night, "x@01:00") == "done at about 01:10:00 (in 30m00s)"


BLOCKED_FOR_GOOD = {
    "failed": (fails(), {}, "will not start before p.a is mended"),
    "paused": (A_MINUTE, {"paused": True}, "will not start before p.a is resumed"),
    "by hand only": (A_MINUTE, {"autonomous": False}, "will not start before p.a is run by hand"),
}


@pytest.mark.parametrize(("simulate", "columns", "words"), BLOCKED_FOR_GOOD.values(), ids=BLOCKED_FOR_GOOD)
def test_what_only_an_operator_moves_has_no_estimate(
    sqlite_store: Store, simulate: Simulation, columns: dict[str, bool], words: str
) -> None:
    night = Night(sqlite_store, task("a", simulate=simulate), task("b", "a"), task("x", "b"))
    night.generate()
    night.set("a", **columns)
    night.run()
    found = diagnose(night, "x")
    assert (found.eta.at, found.eta.words) == (None, words)


def test_one_alternative_that_will_do_gives_an_estimate(store: Store) -> None:
    carriers = table("t", node("bad", "f", simulate=fails()), node("good", "f", simulate=lasting(30)))
    x = task("x", on("t", fields=("f",)), simulate=lasting(1))
    night = experienced(store, carriers, x, until="00:10")
    assert estimated(night, "x@00:00") == "done at about 00:31:00 (in 21m00s)"


def test_a_pause_that_ends_by_itself_only_delays(store: Store) -> None:
    night = experienced(store, task("a", at="01:00"), task("x", "a", at="01:00"), until="00:10")
    night.set("x@01:00", paused=True, paused_until=night.moment("02:00"))
    found = diagnose(night, "x@01:00")
    assert found.checks[0].verdict is PAUSED
    assert found.eta.words == "done at about 02:01:00 (in 1h51m00s)"


def test_what_never_ran_is_not_guessed(store: Store) -> None:
    night = Night(store, task("a", at="01:00"), task("x", "a"))
    night.generate()
    night.run(until="00:10")
    assert estimated(night, "x") == "not done before 01:00:00: 2 tasks still to run never succeeded so far"
