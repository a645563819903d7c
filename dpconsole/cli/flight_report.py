"""A flight plan for a reader and for a program: the same plan, as text on standard output or as one JSON document."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from itertools import groupby
from typing import Any
from zoneinfo import ZoneInfo

from dpconsole.cli.tables import write_table
from dpconsole.cli.talk import number_of, say, write
from dpconsole.core.domain.backfill_form import BackfillForm
from dpconsole.core.domain.clock import format_duration, format_iso, to_datetime
from dpconsole.core.domain.text import clean
from dpconsole.core.operations.backfill_answers import join_list
from dpconsole.core.operations.flight import BaselineEffect, DateMark, FlightPlan

SHOWN = 20
"""Lines of a section that are written out; the rest is counted."""


def write_plan(plan: FlightPlan, zone: ZoneInfo) -> None:
    """Write a plan for a reader; what is to be heeded goes to standard error."""
    assert plan.form is not None
    for title, words in _facts(plan, plan.form, zone):
        write(f"{title:<12}{words}")
    for titles, rows in _sections(plan, zone):
        if rows:
            write("")
            write_table(titles, rows[:SHOWN])
        if len(rows) > SHOWN:
            write(f"and {len(rows) - SHOWN:,} more")
    for warning in plan.warnings:
        say(f"warning: {warning}")
    for refusal in plan.refusals:
        say(f"refused: {refusal}")


def _facts(plan: FlightPlan, form: BackfillForm, zone: ZoneInfo) -> Iterator[tuple[str, str]]:
    yield "name", clean(form.name)
    yield "start", clean(join_list(form.tasks)) + (f" ({', '.join(map(clean, form.fields))})" if form.fields else "")
    if plan.required:
        yield "required", ", ".join(f"{clean(field)} with {clean(node)}" for field, node in plan.required.items())
    what = f"{number_of(len(plan.tasks), 'task')} on {number_of(len(plan.strip), 'data timestamp')}"
    yield "makes", f"{number_of(plan.instances, 'instance')}: {what}"
    order = "ascending" if form.ascending or _is_turned(plan) else "descending"
    groups = len(plan.queues)
    at_once = f"{groups:,} groups side by side" if groups > 1 else "one data timestamp at a time"
    yield "runs", f"{order}, {at_once}"
    if guess := plan.estimate:
        longest = format_duration(guess.longest_ms / 1000)
        yield (
            "begins",
            f"{_when(guess.begins_at, zone)}{'' if form.periodic is None else f', {form.periodic.recurrence}'}",
        )
        yield "done", f"about {_when(guess.ends_at, zone)}; a data timestamp takes up to {longest}"
        if guess.unknown:
            yield "", f"{guess.unknown:,} of what runs has never succeeded: its time counts as nothing"


def _is_turned(plan: FlightPlan) -> bool:
    first = next((queue for queue in plan.queues if len(queue) > 1), ())
    return bool(first) and first[0] < first[1]


def _sections(plan: FlightPlan, zone: ZoneInfo) -> Iterator[tuple[Sequence[str], list[Sequence[object]]]]:
    yield ("data timestamps", "start is", "days", "instances"), list(_stretches(plan.strip))
    yield ("level", "tasks", "instances"), [(each.level, each.tasks, f"{each.instances:,}") for each in plan.layers]
    yield ("left out", "tasks"), list(plan.left_out_by_reason)
    yield ("baseline", "committed", "shares", "effect"), [_baseline(each, zone) for each in plan.baselines]


def _stretches(strip: Iterable[DateMark]) -> Iterator[Sequence[object]]:
    """Data timestamps that follow each other and stand alike, as one line."""
    marks = list(enumerate(strip))
    for (standing, _), some in groupby(marks, key=lambda mark: (mark[1].standing, mark[1].day.toordinal() - mark[0])):
        days = [mark for _, mark in some]
        first, last = days[0].day, days[-1].day
        shown = str(first) if first == last else f"{first}..{last}"
        yield shown, standing.replace("_", " "), len(days), f"{sum(mark.instances for mark in days):,}"


def _baseline(effect: BaselineEffect, zone: ZoneInfo) -> Sequence[object]:
    slots = ", ".join(
        f"up to {some.takes} of {some.slots} slots of {some.kind} {clean(some.name)}" for some in effect.shared
    )
    ends = "done before its alert time" if effect.ends_before else "still at work at its alert time"
    return clean(effect.name), _when(effect.committed_at, zone), slots, f"{ends} {_when(effect.alert_at, zone)}"


def _when(ms: int, zone: ZoneInfo) -> str:
    return f"{to_datetime(ms, zone):%Y-%m-%d %H:%M}"


# --- for a program ----------------------------------------------------------------------------------------------------


def plan_document(plan: FlightPlan, zone: ZoneInfo) -> dict[str, Any]:
    """A plan as JSON values: times in ISO 8601, durations in seconds, queues and positions counted from 1."""
    guess = plan.estimate
    return {
        "instances": plan.instances,
        "dates": [_date(mark) for mark in plan.strip],
        "queues": [[str(day) for day in queue] for queue in plan.queues],
        "layers": [{"level": one.level, "tasks": one.tasks, "instances": one.instances} for one in plan.layers],
        "tasks": [
            {
                "id": task.key,
                "name": task.name,
                "project": task.project,
                "level": task.level,
                "instances": task.instances,
                "nodes": list(task.nodes) or None,
            }
            for task in plan.tasks
        ],
        "left_out": [{"id": one.key, "reason": one.reason} for one in plan.left_out],
        "required_fields": [{"name": field, "node": node} for field, node in plan.required.items()],
        "estimate": guess
        and {
            "begins": format_iso(guess.begins_at, zone),
            "ends": format_iso(guess.ends_at, zone),
            "longest_date": guess.longest_ms / 1000,
            "unknown": guess.unknown,
        },
        "baselines": [_effect(effect, zone) for effect in plan.baselines],
        "warnings": list(plan.warnings),
        "refusals": list(plan.refusals),
        "command": plan.command,
    }


def _date(mark: DateMark) -> dict[str, Any]:
    return {
        "business_date": str(mark.day),
        "start": mark.standing.upper(),
        "counts": {status: number for status, number in mark.counts.items() if number},
        "queue": mark.queue + 1,
        "position": mark.position + 1,
        "instances": mark.instances,
    }


def _effect(effect: BaselineEffect, zone: ZoneInfo) -> dict[str, Any]:
    return {
        "name": effect.name,
        "committed": format_iso(effect.committed_at, zone),
        "alert": format_iso(effect.alert_at, zone),
        "shared": [some._asdict() for some in effect.shared],
        "ends_before": effect.ends_before,
    }
