"""The five checks of one executable instance, each with its verdict and its sentence (section 13)."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property

from dpconsole.core.domain.clock import format_duration
from dpconsole.core.domain.definitions import TaskType
from dpconsole.core.domain.diagnosis import Check, Place, Step, Verdict, place_of, verdicts
from dpconsole.core.domain.statuses import Cause, Status
from dpconsole.core.engine.why import Moment
from dpconsole.core.store.details import TransitionRow
from dpconsole.core.store.pages import InstanceRow
from dpconsole.core.store.waits import Standing

SLOTS = (Step.THROTTLING, Step.RESOURCES)
BEFORE_THE_RUN = (Step.UPSTREAM, Step.SCHEDULED_TIME, *SLOTS)


@dataclass(frozen=True)
class Case:
    """One instance to be diagnosed: its row, why it stands still, its journal, how many direct upstreams it has."""

    row: InstanceRow
    standing: Standing
    why: str
    journal: Sequence[TransitionRow]
    upstreams: int
    moment: Moment

    @cached_property
    def place(self) -> Place:
        """The check at which it stands."""
        last = self.journal[-1] if self.journal else None
        return place_of(
            self.row.status,
            paused=self.row.paused,
            pending=self.row.pending,
            autonomous=self.standing.autonomous,
            is_due=self.row.due_at <= self.moment.now,
            failed_from=last.before if last is not None else None,
        )

    @cached_property
    def this_run(self) -> Sequence[TransitionRow]:
        """The journal since the instance last went back to the beginning."""
        begins = [n for n, step in enumerate(self.journal) if _begins_a_run(step)]
        return self.journal[begins[-1] :] if begins else self.journal

    @cached_property
    def spent(self) -> Mapping[Status, int]:
        """How long this run stood in each status so far, in milliseconds."""
        spent: Counter[Status] = Counter()
        ends = [step.at for step in self.this_run[1:]] + [self.moment.now]
        for step, end in zip(self.this_run, ends, strict=True):
            spent[step.after] += end - step.at
        return spent

    @property
    def does_no_work(self) -> bool:
        """Whether it succeeds at once when its turn comes: a dry run, a virtual node (A9)."""
        return self.row.dry_run or self.row.type == TaskType.VIRTUAL

    @cached_property
    def skipped(self) -> Mapping[Step, str]:
        """The checks that the run does not ask, and why."""
        if self.row.status is Status.SUCCEEDED and self.row.set_by_hand:
            return dict.fromkeys(BEFORE_THE_RUN, "set to success by hand")
        if self.journal and self.journal[-1].cause == Cause.GENERATED and self.row.status is Status.SUCCEEDED:
            return dict.fromkeys(BEFORE_THE_RUN, "not scheduled on this day")
        forced = dict.fromkeys((Step.UPSTREAM, Step.SCHEDULED_TIME), "the run was forced") if self.row.forced else {}
        return forced | (dict.fromkeys(SLOTS, "it does no work, so it takes no slot") if self.does_no_work else {})


def _begins_a_run(step: TransitionRow) -> bool:
    return step.after is Status.NOT_RUNNING or step.cause == Cause.FORCED


def five_checks(case: Case, behind: str = "") -> tuple[Check, ...]:
    """The checks in order; `behind` is what is known beyond the sentence of the check at which the instance stands."""
    found = verdicts(case.place, case.skipped)
    return tuple(Check(step, verdict, _detail(case, step, verdict, behind)) for step, verdict in found.items())


def _detail(case: Case, step: Step, verdict: Verdict, behind: str) -> str:
    if step is case.place.step:
        return "; ".join(filter(None, (_standing(case), behind)))
    if verdict is Verdict.SKIPPED:
        return case.skipped[step]
    return _PASSED[step](case) if verdict is Verdict.PASSED else ""


# --- where it stands --------------------------------------------------------------------------------------------------


def _standing(case: Case) -> str:
    place = case.place
    if place.step is Step.RUN:
        return _RUN[place.verdict](case)
    if place.verdict is Verdict.FAILED:
        return f"stopped{_by(case)} before it started"
    if place.step is Step.SCHEDULED_TIME and case.row.status is Status.NOT_RUNNING:
        return f"{_due(case)}; {case.why}"
    return case.why


def _running(case: Case) -> str:
    return f"attempt {case.row.attempt} runs since {_since(case, case.row.started_at)}"


def _since(case: Case, start: int | None) -> str:
    began = case.moment.now if start is None else start
    return f"{case.moment.at(began)} ({format_duration((case.moment.now - began) / 1000)})"


def _succeeded(case: Case) -> str:
    row = case.row
    if row.set_by_hand:
        return f"set to success{_by(case)}"
    if row.started_at is None or row.ended_at is None:
        return "no work to do: succeeded at once"
    took = format_duration((row.ended_at - row.started_at) / 1000)
    return f"attempt {row.attempt} succeeded at {case.moment.at(row.ended_at)} after {took}"


def _by(case: Case) -> str:
    actor = case.journal[-1].actor if case.journal else ""
    return f" by {actor}" if actor else ""


_RUN: Mapping[Verdict, Callable[[Case], str]] = {
    Verdict.RUNNING: _running,
    Verdict.PASSED: _succeeded,
    Verdict.FAILED: lambda case: case.why,
}


# --- what it has passed -----------------------------------------------------------------------------------------------


def _upstreams(case: Case) -> str:
    if not case.upstreams:
        return "it has no upstreams"
    last = [step.at for step in case.this_run if step.cause == Cause.RELEASED]
    when = f", the last by {case.moment.at(last[-1])}" if last else ""
    return f"{case.upstreams} upstream{'s' * (case.upstreams > 1)} succeeded{when}"


def _due(case: Case) -> str:
    return f"due {case.moment.at(case.row.due_at)}"


def _throttling(case: Case) -> str:
    spent = case.spent.get(Status.THROTTLED)
    return f"a rule held it back for {format_duration(spent / 1000)}" if spent else "no rule held it back"


def _resources(case: Case) -> str:
    group, spent = case.row.resource_group, case.spent.get(Status.WAITING_RESOURCE)
    took = f"waited {format_duration(spent / 1000)} for a slot" if spent else "a slot was free"
    return f"{took} in resource group '{group}'"


_PASSED: Mapping[Step, Callable[[Case], str]] = {
    Step.UPSTREAM: _upstreams,
    Step.SCHEDULED_TIME: _due,
    Step.THROTTLING: _throttling,
    Step.RESOURCES: _resources,
}
