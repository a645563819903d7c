"""Rerun and forced rerun with what stands below (O2 to O4, AMB-11 to AMB-14, AMB-27, AMB-28, sections 5 and 9.3)."""

from __future__ import annotations

import pytest

from dpconsole.core.domain.definitions import Environment, Origin, Role, RunConfig
from dpconsole.core.domain.statuses import Status
from dpconsole.core.operations.records import Outcome, State
from dpconsole.core.operations.selection import Selection
from dpconsole.core.operations.service import Operations
from dpconsole.core.store.session import Store
from tests.checker import check, stuck
from tests.core.operations.night import Night
from tests.nights import HANGS, ByHand, fails, node, on, table, task
from tests.nights import Night as RunningNight

N, W, T, R, RUN, S, F = Status


def acting(operations: Operations, verb: str, *ids: int, **arguments: str) -> set[int]:
    """The rows a verb would act on."""
    return {item.id for item in operations.plan(verb, Selection.of(ids), arguments).acts}


# --- what is reached --------------------------------------------------------------------------------------------------


@pytest.fixture
def chain(night: Night) -> list[int]:
    """a -> b -> c -> d, all succeeded but c."""
    statuses = (S, S, F, S)
    ids = [night.instance(name, status) for name, status in zip("abcd", statuses, strict=True)]
    night.chain(*ids)
    return ids


@pytest.mark.parametrize(
    ("arguments", "reached"),
    [
        ({"scope": "this"}, "a"),
        ({"scope": "downstream"}, "abcd"),
        ({"scope": "downstream", "levels": "1"}, "ab"),
        ({"scope": "downstream", "levels": "2"}, "abc"),
        ({"scope": "downstream-failed"}, "ac"),
        ({"scope": "downstream", "status": "failed"}, "ac"),
        ({"scope": "downstream", "status": "FAILED,succeeded"}, "abcd"),
        ({"scope": "downstream", "name": "D"}, "ad"),
        ({"scope": "downstream", "owner": "nobody"}, "a"),
        ({"scope": "downstream", "owner": "nobody,lin"}, "abcd"),
        ({"scope": "downstream", "project": "trade"}, "abcd"),
        ({"scope": "downstream", "project": "risk"}, "a"),
    ],
)
def test_what_stands_below_can_be_narrowed(
    operations: Operations, chain: list[int], arguments: dict[str, str], reached: str
) -> None:
    assert acting(operations, "rerun", chain[0], **arguments) == {chain["abcd".index(name)] for name in reached}


def test_a_row_can_be_spared_by_id_and_dropped_from_the_preview(operations: Operations, chain: list[int]) -> None:
    plan = operations.plan("rerun", Selection.of(chain[:1]), {"scope": "downstream", "except": str(chain[2])})
    assert set(plan.targets) == {chain[0], chain[1], chain[3]}
    dropped = plan.without([chain[3]])
    assert f"--except={chain[2]},{chain[3]}" in dropped.command
    assert operations.apply(dropped).acts == 2


def test_what_waits_or_runs_below_is_left_alone(night: Night, operations: Operations) -> None:
    start = night.instance("start", F)
    below = {night.instance(status, status): status for status in Status}
    for id in below:
        night.edge(start, id)
    plan = operations.plan("rerun", Selection.of([start]), {"scope": "downstream"})
    assert {below[item.id] for item in plan.acts if item.id != start} == {S, F}
    skipped = {below[item.id]: item.reason for item in plan.items if item.outcome is Outcome.SKIPPED}
    assert skipped[RUN] == "Running: below the start, it is left alone"
    assert skipped[N] == "Not Running: it runs in its turn"


def test_the_start_must_have_ended(night: Night, operations: Operations) -> None:
    start, below = night.instance("start", RUN), night.instance("below", F)
    night.edge(start, below)
    plan = operations.plan("rerun", Selection.of([start]), {"scope": "downstream"})
    assert [(item.id, item.outcome) for item in plan.items] == [(start, Outcome.REFUSED)]


def test_a_chosen_row_that_is_no_start_may_be_reached_from_another(night: Night, operations: Operations) -> None:
    start, waiting, far = night.instance("a", S), night.instance("b", W), night.instance("c", S)
    night.chain(start, waiting, far)
    plan = operations.plan("rerun", Selection.of([waiting, start]), {"scope": "downstream"})
    outcomes = {item.id: item.outcome for item in plan.items}
    assert outcomes == {start: Outcome.PLANNED, far: Outcome.PLANNED, waiting: Outcome.REFUSED}


def test_rows_of_other_projects_need_permission_there(night: Night, operations: Operations) -> None:
    night.members("closed", mei=Role.ADMIN)
    start, secret = night.instance("a", S), night.instance("b", S, project="closed")
    open_again = night.instance("c", S)
    night.chain(start, secret, open_again)
    plan = operations.plan("rerun", Selection.of([start]), {"scope": "downstream"})
    assert {item.id for item in plan.acts} == {start, open_again}
    assert plan.reasons(Outcome.SKIPPED) == [("no permission", 1)]


def test_levels_count_tables_as_one_step(store: Store) -> None:
    night = RunningNight(store)
    night.load(
        task("ods"),
        table("dim", node("a", "x", after=[on("ods")]), node("b", "y", after=["a"])),
        task("ads", on("dim", fields=("y",))),
        task("bi", "ads"),
    )
    night.generate()
    night.run()
    operations = night.operations()
    plan = operations.plan("rerun", Selection.of([night.id("ods")]), {"scope": "downstream", "levels": "2"})
    assert [item.name for item in plan.acts] == ["ods", "dim", "ads"]


def test_of_a_table_below_only_the_fields_that_depend_on_the_start(store: Store) -> None:
    """x and y share a node, so that y goes along with x; z has a node of its own (section 9.3)."""
    nodes = (node("one", "x", after=[on("ods")]), node("both", "x", "y"), node("other", "z"))
    night = RunningNight(store, task("ods"), table("dim", *nodes))
    night.generate()
    night.run()
    record = night.act("rerun", "ods", scope="downstream")
    assert [(item.name, item.after) for item in record.items] == [("ods", N), ("dim", N)]
    assert [night.status(name) for name in ("one", "both", "other")] == [N, N, S]
    night.run()
    assert set(night.statuses().values()) == {S}
    assert night.started().count("other") == 1
    assert check(store) == []


# --- rerun downstream -------------------------------------------------------------------------------------------------


def test_everything_below_runs_again_in_order(store: Store) -> None:
    night = RunningNight(store, task("a"), task("b", "a"), task("c", "a"), task("d", "b", "c"))
    night.generate()
    night.run()
    night.act("rerun", "a", scope="downstream")
    assert set(night.statuses().values()) == {N}
    night.run()
    assert night.started()[4:] == ["a", "b", "c", "d"]
    assert check(store) == []


def test_a_dry_start_succeeds_at_once_and_the_rest_follows(store: Store) -> None:
    night = RunningNight(store, task("a", simulate=fails()), task("b", "a"))
    night.generate()
    night.run()
    record = night.act("rerun", "a", scope="downstream", start="dry-run")
    row = night.row("a")
    assert [(item.name, item.after) for item in record.items] == [("a", S), ("b", N)]
    assert (row.status, row.dry_run, row.started_at, row.ended_at) == (S, True, None, None)
    night.run()
    assert night.statuses() == {"a": S, "b": S}
    assert len(night.attempts("a")) == 1, "no work, no attempt"
    assert check(store) == []


def test_what_acted_dry_once_runs_for_real_the_next_time(store: Store) -> None:
    night = RunningNight(store, task("a"))
    night.generate()
    night.act("force-rerun", "a", start="dry-run")
    assert night.row("a").dry_run
    night.act("rerun", "a")
    assert not night.row("a").dry_run
    night.run()
    assert len(night.attempts("a")) == 1
    assert check(store) == []


def test_what_is_a_dry_run_by_its_nature_stays_one(night: Night, operations: Operations) -> None:
    id = night.instance("placeholder", S, dry_run=True)
    for verb, arguments in (("force-rerun", {"start": "dry-run"}), ("force-rerun", {}), ("rerun", {})):
        operations.apply(operations.plan(verb, Selection.of([id]), arguments))
        assert night.row(id).dry_run


def test_in_development_a_rerun_wakes_what_has_not_run(store: Store) -> None:
    night = RunningNight(store, task("a"), task("b", "a"), environment=Environment.DEV)
    night.generate()
    night.act("set-success", "a")
    night.act("rerun", "a", scope="downstream")
    night.run()
    assert night.statuses() == {"a": S, "b": S}
    assert check(store) == []


# --- forced rerun -----------------------------------------------------------------------------------------------------


def test_force_skips_upstreams_and_time_but_not_slots(store: Store) -> None:
    night = RunningNight(
        store, task("busy", simulate=HANGS), task("ods", at="09:00"), task("dws", "ods", at="09:00"), slots=1
    )
    night.generate()
    night.tick("00:00")
    record = night.act("force-rerun", "dws")
    assert record.items[0].after == T
    night.tick()
    assert night.status("dws") is R
    night.act("stop", "busy")
    night.tick()
    assert night.status("dws") is RUN
    assert night.attempts("dws")[0].trigger == "forced"
    assert check(store) == []


def test_force_ends_the_live_attempt_first_and_the_journal_holds_both(store: Store) -> None:
    hands = ByHand()
    night = RunningNight(store, task("ods"), executor=hands)
    night.generate()
    night.tick("00:00")
    night.act("force-rerun", "ods")
    night.tick()
    assert [(entry.after, entry.cause, entry.actor) for entry in night.journal("ods")][-3:] == [
        (F, "stopped", "lin"),
        (T, "forced", "lin"),
        (RUN, "admitted", ""),
    ]
    assert [attempt.state for attempt in night.attempts("ods")] == ["stopped", "running"]
    assert hands.stopped == [hands.orders[0].handle]
    assert check(store) == []


def test_a_retry_of_a_forced_run_checks_its_upstreams(store: Store) -> None:
    failing = task("dws", "ods", simulate=fails(), run=RunConfig(reruns=1))
    night = RunningNight(store, task("ods", at="09:00"), failing)
    night.generate()
    night.tick("00:00")
    night.act("force-rerun", "dws")
    night.run("08:00")
    assert (night.status("dws"), night.row("dws").auto_reruns) == (N, 1)
    assert check(store) == []


def test_force_downstream_resets_everything_and_starts_the_start(store: Store) -> None:
    hands = ByHand()
    night = RunningNight(store, task("a", at="09:00"), task("b", "a", at="09:00"), task("c", "b"), executor=hands)
    night.generate()
    night.act("set-success", "a", "b")
    night.tick("00:00")
    assert night.status("c") is RUN
    record = night.act("force-rerun", "a", scope="downstream")
    assert [(item.name, item.before, item.after) for item in record.items] == [
        ("a", S, T),
        ("b", S, N),
        ("c", RUN, N),
    ]
    night.tick()
    assert night.statuses() == {"a": RUN, "b": N, "c": N}
    assert [entry.after for entry in night.journal("a")][-3:] == [N, T, RUN]
    hands.report(hands.orders[-1], night.clock.now())
    night.tick()
    assert night.status("b") is W, "what stands below keeps its scheduled time"
    assert check(store) == []


def test_force_all_takes_what_has_not_run_below(night: Night, operations: Operations) -> None:
    start, done, new = night.instance("a", F), night.instance("b", S), night.instance("c", N)
    for id in (done, new):
        night.edge(start, id)
    assert acting(operations, "force-rerun", start, scope="all") == {start, new}
    night.set(start, origin=Origin.BACKFILL)
    assert acting(operations, "force-rerun", start, scope="all") == {start}, "of a backfill, the selection (section 6)"


def test_a_table_is_forced_in_the_order_of_its_nodes(store: Store) -> None:
    nodes = (node("base", "id", after=[on("ods")]), node("ltv", "ltv", after=["base"]))
    night = RunningNight(store, task("ods", simulate=fails()), table("dim", *nodes))
    night.generate()
    night.run()
    record = night.act("force-rerun", "dim")
    assert (record.items[0].after, night.statuses()) == (T, {"ods": F, "dim": T, "base": T, "ltv": N})
    night.run()
    assert night.statuses() == {"ods": F, "dim": S, "base": S, "ltv": S}
    assert check(store) == []
    assert stuck(store, night.clock.now()) == []


def test_a_paused_row_that_is_forced_is_paused_no_longer(night: Night, operations: Operations) -> None:
    id = night.instance("held", N, paused=True)
    assert operations.apply(operations.plan("force-rerun", Selection.of([id]))).state is State.DONE
    assert not night.row(id).paused


def test_the_preview_counts_all_the_work_that_would_be_killed(night: Night, operations: Operations) -> None:
    start, runs = night.instance("a", S), night.instance("b", RUN)
    night.edge(start, runs)
    assert operations.plan("force-rerun", Selection.of([start]), {"scope": "downstream"}).killed == (runs,)
    assert operations.plan("force-rerun", Selection.of([start])).killed == ()


# --- a chain in one batch ---------------------------------------------------------------------------------------------


def test_a_long_chain_is_reset_in_chunks_without_taking_itself_for_others(
    store: Store, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Resetting the head sends back what waits below it before its own chunk comes."""
    monkeypatch.setattr("dpconsole.core.operations.applying.CHUNK", 1)
    night = RunningNight(store, task("a"), task("b", "a", at="09:00"), task("c", "b", at="09:00"))
    night.generate()
    night.run("08:00")
    assert night.statuses() == {"a": S, "b": W, "c": N}
    record = night.act("force-rerun", "a", scope="downstream")
    assert (record.state, record.acts) == (State.DONE, 3)
    night.run()
    assert set(night.statuses().values()) == {S}
    assert check(store) == []


def test_nodes_that_vouch_for_each_other_may_change_places(store: Store) -> None:
    """One of two nodes leaves Succeeded in the transaction in which the other arrives there."""
    nodes = (node("x", "f", simulate=fails()), node("y", "f", after=["x"]))
    night = RunningNight(store, table("dim", *nodes), task("dws", on("dim", fields=("f",)), at="09:00"))
    night.generate()
    night.act("set-success", "x")
    night.run("07:00")
    night.act("force-rerun", "x")
    night.run("08:00")
    assert [night.status(name) for name in ("x", "y", "dws")] == [F, S, W]
    night.act("rerun", "x", scope="downstream", start="dry-run")
    assert [night.status(name) for name in ("x", "y")] == [S, N]
    assert night.row("dws").pending == 0
    assert check(store) == []
