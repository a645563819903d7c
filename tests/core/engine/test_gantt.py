"""The Gantt chart of a critical path, over nights as they were played (RULES.md 14)."""

from __future__ import annotations

from datetime import time, timedelta
from random import Random

import pytest
from sqlalchemy import func, select

from dpconsole.core.domain.definitions import Baseline, Simulation
from dpconsole.core.domain.statuses import Status
from dpconsole.core.engine.diagnosis import explain
from dpconsole.core.engine.gantt import Gantt, candidates, read_gantt
from dpconsole.core.graph.critical import NEVER, PathRole, Segment, Stage
from dpconsole.core.store.models import Instance, InstanceDependency, Transition
from dpconsole.core.store.session import Store
from tests.nights import BUSINESS_DATE, MINUTE, Night, every, fails, node, on, on_itself, table, task

DAY_BEFORE = BUSINESS_DATE - timedelta(days=1)


def chart(night: Night, end: str, start: str | None = None) -> Gantt:
    found = read_gantt(night.store, night.clock, night.id(end), None if start is None else night.id(start))
    assert found is not None
    return found


def path(night: Night, end: str, start: str | None = None) -> list[str]:
    return [row.row.name for row in chart(night, end, start).rows]


def dates_to_the_last(night: Night, name: str) -> list[str]:
    """The data timestamps on the path to the last instance of a name."""
    with night.store.read() as connection:
        end = connection.execute(select(func.max(Instance.id)).where(Instance.name == name)).scalar_one()
    found = read_gantt(night.store, night.clock, end)
    assert found is not None
    return [row.row.business_date for row in found.rows]


def takes(minutes: float) -> Simulation:
    return Simulation(duration=(minutes * 60, minutes * 60), fail_rate=0.0)


def played(store: Store, *tasks: object, until: str | None = None, **limits: object) -> Night:
    night = Night(store, *tasks, **limits)  # type: ignore[arg-type]
    night.generate()
    night.run(until)
    return night


# --- over random nights -----------------------------------------------------------------------------------------------


def drawn(store: Store, seed: int) -> Night:
    """Up to nine tasks with runs of different lengths, some of which fail, somewhere in the night."""
    rng = Random(seed)
    names = [f"t{number}" for number in range(rng.randint(3, 9))]
    tasks = [
        task(
            name,
            *(up for up in names[:number] if rng.random() < 0.4),
            at=rng.choice(("00:05", "00:30", "01:00")),
            simulate=fails() if rng.random() < 0.1 else takes(rng.choice((1, 7, 20, 45))),
        )
        for number, name in enumerate(names)
    ]
    return played(store, *tasks, until=rng.choice(("00:20", "00:50", "01:30", "04:00")))


def oracle(night: Night) -> tuple[dict[int, set[int]], dict[int, int]]:
    """By row its upstreams and its finish, each from another source than the chart's."""
    with night.store.read() as connection:
        ids = connection.execute(select(Instance.id)).scalars().all()
        ups: dict[int, set[int]] = {id: set() for id in ids}
        for edge in connection.execute(select(InstanceDependency.__table__)):
            ups[edge.downstream_id].add(edge.upstream_id)
        ended = dict(
            connection.execute(
                select(Transition.instance_id, func.max(Transition.at))
                .where(Transition.after == Status.SUCCEEDED)
                .group_by(Transition.instance_id)
            ).all()
        )
    for id in ids:
        if id not in ended:
            found = explain(night.store, night.clock, id)
            assert found is not None
            ended[id] = NEVER if found.eta.at is None else found.eta.at
    return ups, ended


def every_path(ups: dict[int, set[int]], end: int) -> list[tuple[int, ...]]:
    return [(end,), *((end, *rest) for up in ups[end] for rest in every_path(ups, up))]


@pytest.mark.parametrize("seed", range(5))
def test_of_all_paths_it_is_the_one_whose_every_step_back_finished_last(sqlite_store: Store, seed: int) -> None:
    night = drawn(sqlite_store, seed)
    ups, finish = oracle(night)

    def latest(paths: list[tuple[int, ...]]) -> tuple[int, ...]:
        return tuple(reversed(max(paths, key=lambda path: [(finish[id], id) for id in path[1:]], default=())))

    for end in ups:
        whole = [one for one in every_path(ups, end) if not ups[one[-1]]]
        for start in (None, *ups):
            wanted = whole if start is None else [one for one in every_path(ups, end) if one[-1] == start]
            found = read_gantt(night.store, night.clock, end, start)
            assert found is not None
            assert found.ids == latest(wanted)
            assert bool(found.words) is not bool(wanted)


# --- where it leads ---------------------------------------------------------------------------------------------------


def test_it_goes_back_to_the_upstream_that_finished_last(store: Store) -> None:
    night = played(
        store,
        task("quick", simulate=takes(1)),
        task("slow", simulate=takes(30)),
        task("end", "quick", "slow", at="00:10"),
        until="03:00",
    )
    assert path(night, "end") == ["slow", "end"]
    assert path(night, "end", "quick") == ["quick", "end"]


def test_where_no_path_leads_it_says_so(sqlite_store: Store) -> None:
    night = played(sqlite_store, task("a"), task("b"), until="03:00")
    assert chart(night, "b", "a").words == "No path leads from a to b."
    assert path(night, "b", "b") == ["b"]


def test_what_will_never_finish_by_itself_finishes_last(sqlite_store: Store) -> None:
    night = played(
        sqlite_store,
        task("broken", simulate=fails()),
        task("slow", simulate=takes(500)),
        task("end", "broken", "slow"),
        until="03:00",
    )
    found = chart(night, "end")
    assert (path(night, "end"), found.ends_at) == (["broken", "end"], None)


def test_a_logical_table_is_shown_as_a_whole(store: Store) -> None:
    night = played(
        store,
        task("source", simulate=takes(5)),
        table("t", node("n1", "f", after=(on("source"),)), node("n2", "g", after=("n1",))),
        task("end", "t"),
        until="03:00",
    )
    assert path(night, "end") == ["source", "t", "end"]
    assert path(night, "n2") == ["source", "t"]
    (whole,) = [row for row in chart(night, "end").rows if row.row.name == "t"]
    run = whole.bar.run
    assert run is not None
    assert run.ends_at - run.begins_at == 2 * MINUTE == whole.bar.usual_ms


def test_it_goes_back_over_midnight_only_to_what_kept_something_waiting(sqlite_store: Store) -> None:
    night = Night(sqlite_store, task("a", on_itself(), simulate=takes(1500)), task("b", "a"))
    night.generate(DAY_BEFORE, BUSINESS_DATE)
    night.run("2026-11-21T12:00")
    assert dates_to_the_last(night, "b") == ["2026-11-18", "2026-11-19", "2026-11-19"]


def test_what_had_finished_before_a_row_came_to_be_never_kept_it_waiting(sqlite_store: Store) -> None:
    night = Night(sqlite_store, task("a", on_itself()), task("b", "a"))
    night.generate(DAY_BEFORE)
    night.run("2026-11-19T23:30")
    night.generate()
    night.run("2026-11-20T12:00")
    assert dates_to_the_last(night, "b") == ["2026-11-19", "2026-11-19"]


def test_an_instance_that_is_gone_has_no_chart(sqlite_store: Store) -> None:
    night = played(sqlite_store, task("a"), until="00:00")
    assert read_gantt(night.store, night.clock, 4711) is None
    assert read_gantt(night.store, night.clock, night.id("a"), 4711) is None


# --- what its bars say ------------------------------------------------------------------------------------------------


def test_a_bar_says_what_was_waited_for_and_what_is_still_to_come(sqlite_store: Store) -> None:
    night = played(sqlite_store, task("a", at="01:00", simulate=takes(10)), task("b", "a", at="02:00"), until="01:05")
    at = night.moment
    first, second = (row.bar.segments for row in chart(night, "b").rows)
    assert first == (
        Segment(Stage.TIME, at("2026-11-19T23:00"), at("01:00")),
        Segment(Stage.RUN, at("01:00"), at("01:05"), Status.RUNNING),
    )
    assert second == (
        Segment(Stage.UPSTREAM, at("2026-11-19T23:00"), at("01:05")),
        Segment(Stage.TIME, at("01:05"), at("02:00"), expected=True),
    )


def test_a_promise_over_the_end_is_marked(sqlite_store: Store) -> None:
    promises = Baseline("late", ("p.c",), time(8)), Baseline("early", ("p.b",), time(6))
    tasks = task("a"), task("b", "a"), task("c", "b"), task("d", "c")
    night = played(sqlite_store, *tasks, until="03:00", baselines=promises)

    def committed(name: str) -> list[tuple[str, str]]:
        return [(one.name, night.clock_of(one.at)) for one in chart(night, name).committed]

    assert committed("b") == [("early", "06:00")]
    assert committed("c") == [("late", "08:00")]
    assert committed("a") == [("early", "06:00")], "of those that protect it on the way, the earliest"
    assert committed("d") == []


# --- the other end ----------------------------------------------------------------------------------------------------


def labels(night: Night, name: str, role: PathRole) -> list[str]:
    return [one.label for one in candidates(night.store, night.id(name), role)]


def test_candidates_lie_beyond_and_are_named_with_their_time(sqlite_store: Store) -> None:
    night = played(sqlite_store, task("a", at="01:00"), task("b", "a", at="02:00"), task("c"), until="00:00")
    assert labels(night, "a", PathRole.START) == ["b(n_2, 2026-11-20 02:00:00)"]
    assert labels(night, "b", PathRole.END) == ["a(n_1, 2026-11-20 01:00:00)"]
    assert labels(night, "c", PathRole.START) == []


def test_sub_day_nodes_are_offered_once_per_occurrence_and_tables_as_a_whole(store: Store) -> None:
    night = played(
        store,
        task("hourly", schedule=every(8)),
        table("t", node("n1", "f", after=(on("hourly"),)), node("n2", "g", after=(on("hourly"),))),
        task("end", "t"),
        until="00:00",
    )
    assert labels(night, "end", PathRole.END) == [
        "hourly(n_1, 2026-11-20 00:00:00)",
        "t(n_2, 2026-11-20 00:00:00)",
        "hourly(n_1, 2026-11-20 08:00:00)",
        "hourly(n_1, 2026-11-20 16:00:00)",
    ]
