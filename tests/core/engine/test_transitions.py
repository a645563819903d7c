"""The automatic transitions A1 to A12 (RULES.md 2.3), each as the journal tells it, on both databases."""

from __future__ import annotations

from dpconsole.core.domain.definitions import (
    Cycle,
    Environment,
    Method,
    ResourceGroup,
    RunConfig,
    Schedule,
    TaskType,
    ThrottlingRule,
)
from dpconsole.core.domain.statuses import Status
from dpconsole.core.store.session import Store
from tests.nights import HANGS, Night, fails, node, on, table, task

NOT_RUNNING, WAITING_TIME, THROTTLED, WAITING_RESOURCE, RUNNING, SUCCEEDED, FAILED = Status
TO_THE_END = [NOT_RUNNING, WAITING_TIME, RUNNING, SUCCEEDED]

OFF_DAY = Schedule(Cycle.MONTH, month_days=(2,))
"""A schedule that the run day, the 20th, is not on."""


# --- A1, A2: generation -----------------------------------------------------------------------------------------------


def test_a1_what_is_generated_is_not_running(store: Store) -> None:
    night = Night(store, task("a"), task("b", "a"))
    night.generate()
    assert night.statuses() == {"a": NOT_RUNNING, "b": NOT_RUNNING}
    assert night.causes("a") == ["generated"]


def test_a2_a_placeholder_is_generated_succeeded_and_holds_nothing_back(store: Store) -> None:
    night = Night(store, task("monthly", schedule=OFF_DAY), task("daily", "monthly"))
    night.generate()
    assert night.path("monthly") == [SUCCEEDED]
    night.run()
    placeholder = night.row("monthly")
    assert (placeholder.dry_run, placeholder.started_at, placeholder.ended_at) == (True, None, None)
    assert night.attempts("monthly") == []
    assert night.path("daily") == TO_THE_END


# --- A3: the upstream check -------------------------------------------------------------------------------------------


def test_a3_waits_for_the_scheduled_time_once_every_upstream_succeeded(store: Store) -> None:
    night = Night(store, task("a"), task("b", at="02:00"), task("c", "a", "b", at="04:00"))
    night.generate()
    night.run(until="01:00")
    assert night.statuses() == {"a": SUCCEEDED, "b": WAITING_TIME, "c": NOT_RUNNING}
    night.run(until="03:00")
    assert night.statuses() == {"a": SUCCEEDED, "b": SUCCEEDED, "c": WAITING_TIME}
    assert night.causes("c") == ["generated", "released"]


def test_a3_an_upstream_that_failed_does_not_fail_its_downstreams(store: Store) -> None:
    night = Night(store, task("a", simulate=fails()), task("b", "a"))
    night.generate()
    night.run()
    assert night.statuses() == {"a": FAILED, "b": NOT_RUNNING}


def test_a3_a_paused_instance_does_not_go_on_and_holds_its_downstreams(store: Store) -> None:
    night = Night(store, task("a", method=Method.PAUSED), task("b", "a"))
    night.generate()
    night.run()
    assert night.row("a").paused
    assert night.statuses() == {"a": NOT_RUNNING, "b": NOT_RUNNING}


def test_a3_a_resumed_instance_goes_on(store: Store) -> None:
    night = Night(store, task("a", method=Method.PAUSED), task("b", "a"))
    night.generate()
    night.run()
    night.set("a", paused=False)
    night.run()
    assert night.statuses() == {"a": SUCCEEDED, "b": SUCCEEDED}


# --- A4 to A8: time, throttling, resources ----------------------------------------------------------------------------


def test_a4_and_a7_a_rule_without_a_free_slot_throttles_until_one_is_free(store: Store) -> None:
    night = Night(store, task("a"), task("b"), throttling=(ThrottlingRule("one", 1),))
    night.generate()
    night.tick("00:00")
    assert night.statuses() == {"a": RUNNING, "b": THROTTLED}
    night.run()
    assert night.path("b") == [NOT_RUNNING, WAITING_TIME, THROTTLED, RUNNING, SUCCEEDED]
    assert night.causes("b") == ["generated", "released", "throttled", "admitted", "finished"]


def test_a5_and_a8_a_group_without_a_free_slot_makes_wait_until_one_is_free(store: Store) -> None:
    night = Night(store, task("a"), task("b"), slots=1)
    night.generate()
    night.tick("00:00")
    assert night.statuses() == {"a": RUNNING, "b": WAITING_RESOURCE}
    night.run()
    assert night.path("b") == [NOT_RUNNING, WAITING_TIME, WAITING_RESOURCE, RUNNING, SUCCEEDED]
    assert night.causes("b") == ["generated", "released", "no_resource", "admitted", "finished"]


def test_a7_what_a_rule_lets_through_may_still_wait_for_resources(store: Store) -> None:
    quick, slow, last = task("quick"), task("slow", simulate=HANGS, project="q"), task("throttled", at="00:00")
    rule = ThrottlingRule("one of p", 1, project="p")
    night = Night(store, quick, slow, last, slots=2, throttling=(rule,))
    night.generate()
    night.tick("00:00")
    assert night.statuses() == {"quick": RUNNING, "slow": RUNNING, "throttled": THROTTLED}
    night.load(quick, slow, last, slots=1, throttling=(rule,))
    night.tick("00:01")
    assert night.path("throttled") == [NOT_RUNNING, WAITING_TIME, THROTTLED, WAITING_RESOURCE]
    night.load(quick, slow, last, slots=2, throttling=(rule,))
    night.tick()
    assert night.status("throttled") == RUNNING


def test_a6_starts_when_its_time_has_come(store: Store) -> None:
    night = Night(store, task("a", at="02:00"))
    night.generate()
    night.tick("01:59")
    assert night.status("a") == WAITING_TIME
    night.tick("02:00")
    assert night.path("a") == [NOT_RUNNING, WAITING_TIME, RUNNING]
    assert night.causes("a")[-1] == "due"
    assert night.row("a").started_at == night.moment("02:00")


def test_a6_a_time_earlier_than_the_upstreams_end_does_not_matter(store: Store) -> None:
    night = Night(store, task("late", at="05:00"), task("early", "late", at="01:00"))
    night.generate()
    night.run()
    assert night.clock_of(night.row("early").started_at) == "05:01"


# --- A9, A10: the end of an attempt -----------------------------------------------------------------------------------


def test_a9_a_run_that_ends_well_succeeds(store: Store) -> None:
    night = Night(store, task("a", at="02:00"))
    night.generate()
    night.run()
    (attempt,) = night.attempts("a")
    row = night.row("a")
    assert night.path("a") == TO_THE_END
    assert (attempt.state, attempt.exit_code) == ("ok", 0)
    assert (night.clock_of(row.started_at), night.clock_of(row.ended_at)) == ("02:00", "02:01")


def test_a9_a_dry_run_succeeds_on_dispatch_without_work_or_duration(store: Store) -> None:
    night = Night(store, task("a", at="02:00", method=Method.DRY_RUN), task("b", "a"), slots=1)
    night.generate()
    night.run(until="01:00")
    assert night.status("a") == WAITING_TIME
    night.tick("02:00")
    row = night.row("a")
    assert night.path("a") == TO_THE_END
    assert (row.started_at, row.ended_at, night.attempts("a")) == (None, None, [])
    assert night.status("b") == RUNNING


def test_a9_a_virtual_task_succeeds_like_a_dry_run(store: Store) -> None:
    night = Night(store, task("start", type=TaskType.VIRTUAL), task("b", "start"))
    night.generate()
    night.tick("00:00")
    assert night.path("start") == TO_THE_END
    assert night.attempts("start") == []
    assert night.status("b") == RUNNING


def test_a10_a_run_that_ends_with_an_error_fails_and_says_why(store: Store) -> None:
    night = Night(store, task("a", simulate=fails()))
    night.generate()
    night.run()
    (attempt,) = night.attempts("a")
    assert night.path("a") == [NOT_RUNNING, WAITING_TIME, RUNNING, FAILED]
    assert (attempt.state, attempt.exit_code) == ("failed", 1)
    assert night.row("a").error == attempt.why != ""


def test_a10_a_run_longer_than_its_timeout_is_ended_and_fails(store: Store) -> None:
    night = Night(store, task("a", simulate=HANGS, run=RunConfig(timeout=1800, reruns=3)))
    night.generate()
    night.run()
    (attempt,) = night.attempts("a")
    assert night.causes("a")[-1] == "timed_out"
    assert (attempt.state, night.clock_of(attempt.ended_at)) == ("timeout", "00:30")
    assert night.executor.alive() == set()


# --- A11: automatic reruns --------------------------------------------------------------------------------------------


def test_a11_a_failure_is_rerun_after_the_interval_as_often_as_configured(store: Store) -> None:
    night = Night(store, task("a", simulate=fails(), run=RunConfig(reruns=2, rerun_interval=300)))
    night.generate()
    night.run()
    once = [WAITING_TIME, RUNNING, FAILED, NOT_RUNNING]
    assert night.path("a") == [NOT_RUNNING, *once, *once, *once[:-1]]
    assert [night.clock_of(attempt.started_at) for attempt in night.attempts("a")] == ["00:00", "00:06", "00:12"]
    assert [attempt.trigger for attempt in night.attempts("a")] == ["schedule", "retry", "retry"]


def test_a11_a_rerun_that_ends_well_ends_it(store: Store) -> None:
    night = Night(store, task("a", simulate=fails(1), run=RunConfig(reruns=3)), task("b", "a"))
    night.generate()
    night.run()
    assert night.statuses() == {"a": SUCCEEDED, "b": SUCCEEDED}
    assert night.row("a").auto_reruns == 1


def test_a11_no_reruns_configured_means_none(store: Store) -> None:
    night = Night(store, task("a", simulate=fails(1), run=RunConfig(reruns=0)))
    night.generate()
    night.run()
    assert night.path("a")[-1] == FAILED


def test_a11_a_timeout_is_rerun_only_where_that_is_enabled(store: Store) -> None:
    hanging = {"simulate": HANGS}
    run = {"timeout": 600, "reruns": 1}
    night = Night(
        store,
        task("left", run=RunConfig(**run), **hanging),
        task("rerun", run=RunConfig(**run, rerun_after_timeout=True), **hanging),
    )
    night.generate()
    night.run()
    assert len(night.attempts("left")) == 1
    assert len(night.attempts("rerun")) == 2


def test_a11_an_operators_rerun_resets_the_count(store: Store) -> None:
    night = Night(store, task("a", simulate=fails(3), run=RunConfig(reruns=1)))
    night.generate()
    night.run()
    night.rerun("a")
    assert night.row("a").auto_reruns == 0
    night.run()
    assert night.status("a") == SUCCEEDED
    assert len(night.attempts("a")) == 4


# --- A12: an upstream leaves Succeeded --------------------------------------------------------------------------------


def test_a12_what_waits_to_start_goes_back_when_an_upstream_is_rerun(store: Store) -> None:
    night = Night(store, task("a"), task("b", "a", at="05:00"))
    night.generate()
    night.run(until="01:00")
    assert night.status("b") == WAITING_TIME
    night.rerun("a")
    assert night.statuses() == {"a": NOT_RUNNING, "b": NOT_RUNNING}
    assert night.causes("b")[-1] == "withdrawn"
    night.run()
    assert night.statuses() == {"a": SUCCEEDED, "b": SUCCEEDED}


def test_a12_from_the_queues_as_well(store: Store) -> None:
    narrow, heavy = RunConfig(reruns=0, resource_group="narrow"), ("heavy",)
    night = Night(
        store,
        task("a"),
        task("slow", simulate=HANGS, run=narrow, tags=heavy),
        task("queued", "a", run=narrow),
        task("throttled", "a", tags=heavy),
        groups=(ResourceGroup("narrow", 1),),
        throttling=(ThrottlingRule("one heavy", 1, tag="heavy"),),
    )
    night.generate()
    night.run(until="00:02")
    assert (night.status("queued"), night.status("throttled")) == (WAITING_RESOURCE, THROTTLED)
    night.rerun("a")
    assert (night.status("queued"), night.status("throttled")) == (NOT_RUNNING, NOT_RUNNING)


def test_a12_leaves_alone_what_has_started(store: Store) -> None:
    night = Night(store, task("a"), task("b", "a", simulate=HANGS))
    night.generate()
    night.run(until="00:02")
    night.rerun("a")
    assert night.status("b") == RUNNING


# --- what never runs by itself ----------------------------------------------------------------------------------------


def test_the_development_environment_generates_and_never_starts(store: Store) -> None:
    night = Night(
        store, task("a"), table("t", node("n", "f")), task("dry", method=Method.DRY_RUN), environment=Environment.DEV
    )
    night.generate()
    assert night.run().moved == 0
    assert set(night.statuses().values()) == {NOT_RUNNING}


def test_a_one_time_task_has_no_recurring_instances(store: Store) -> None:
    night = Night(store, task("a"), task("once", method=Method.ONE_TIME))
    night.generate()
    assert night.points() == ["a@00:00"]


# --- logical tables (section 9) ---------------------------------------------------------------------------------------


def test_the_nodes_of_a_table_run_and_its_status_follows(store: Store) -> None:
    nodes = (node("one", "f"), node("two", "g", simulate=fails(seconds=600)), node("three", "h", after=("two",)))
    night = Night(store, table("t", *nodes))
    night.generate()
    night.run()
    assert night.statuses() == {"t": FAILED, "one": SUCCEEDED, "two": FAILED, "three": NOT_RUNNING}
    assert night.path("t") == [NOT_RUNNING, WAITING_TIME, RUNNING, FAILED]
    assert night.attempts("t") == []
    started, ended = night.row("t").started_at, night.row("t").ended_at
    assert (night.clock_of(started), night.clock_of(ended)) == ("00:00", "00:10")


def test_a_table_has_succeeded_when_all_its_nodes_have(store: Store) -> None:
    night = Night(store, table("t", node("one", "f"), node("two", "g", after=("one",))), task("after", "t"))
    night.generate()
    night.run()
    assert set(night.statuses().values()) == {SUCCEEDED}
    assert night.started() == ["one", "two", "after"]


def test_a_node_waits_for_its_sibling(store: Store) -> None:
    night = Night(store, table("t", node("one", "f"), node("two", "g", after=("one",))))
    night.generate()
    night.tick("00:00")
    assert (night.status("one"), night.status("two")) == (RUNNING, NOT_RUNNING)
    night.tick("00:01")
    assert (night.status("one"), night.status("two")) == (SUCCEEDED, RUNNING)


def test_a_dependency_on_a_table_needs_all_its_nodes(store: Store) -> None:
    night = Night(store, table("t", node("one", "f"), node("two", "g", simulate=fails())), task("b", "t"))
    night.generate()
    night.run()
    assert (night.status("one"), night.status("b")) == (SUCCEEDED, NOT_RUNNING)


def test_a_dependency_on_a_field_is_satisfied_by_any_node_that_carries_it(store: Store) -> None:
    nodes = (node("good", "both", "f"), node("bad", "both", "g", simulate=fails()))
    night = Night(
        store,
        table("t", *nodes),
        task("of both", on("t", fields=("both",))),
        task("of f", on("t", fields=("f",))),
        task("of g", on("t", fields=("g",))),
        task("of both and g", on("t", fields=("both", "g"))),
    )
    night.generate()
    night.run()
    assert night.status("of both") == night.status("of f") == SUCCEEDED
    assert night.status("of g") == night.status("of both and g") == NOT_RUNNING


def test_a_field_counts_once_however_many_of_its_nodes_succeed(store: Store) -> None:
    nodes = (node("one", "f"), node("two", "f", "g", simulate=fails(0, seconds=120)))
    night = Night(store, table("t", *nodes), task("b", on("t", fields=("f",)), "late"), task("late", at="03:00"))
    night.generate()
    night.run(until="02:00")
    assert (night.status("one"), night.status("two")) == (SUCCEEDED, SUCCEEDED)
    assert (night.status("b"), night.row("b").pending) == (NOT_RUNNING, 1)


def test_a_field_is_required_again_only_when_none_of_its_nodes_vouches_for_it(store: Store) -> None:
    """A12 and section 9.2 together: the field stays Succeeded as long as one node that carries it is."""
    nodes = (node("one", "f"), node("two", "f", "g"))
    night = Night(store, table("t", *nodes), task("b", on("t", fields=("f",)), at="05:00"), table("u", node("n", "x")))
    night.generate()
    night.run(until="01:00")
    assert night.status("b") == WAITING_TIME
    night.rerun("t")
    assert (night.status("b"), night.row("b").pending) == (NOT_RUNNING, 1)
    night.run()
    assert night.status("b") == SUCCEEDED
