"""A form that was handed in, as the answers that would give it again: what is shown of a backfill that waits.

The other half of `backfill_form.read_form`, and of the same table: reading these answers comes to the same form.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from zoneinfo import ZoneInfo

from dpconsole.core.domain.backfill_form import BackfillForm, DateRange, Filters, Mode, Offsets, Periodic
from dpconsole.core.domain.clock import format_iso
from dpconsole.core.domain.definitions import LAST_DAY, Environment
from dpconsole.core.operations.backfill_answers import join_list
from dpconsole.core.operations.backfill_form import FIELDS

_YES: Mapping[bool, str] = {True: "yes", False: "no"}
_WEEKDAYS = ("mon", "tue", "wed", "thu", "fri", "sat", "sun")
_FILTERS: Mapping[str, Callable[[Filters], tuple[str, ...]]] = {
    "project": lambda filters: filters.projects,
    "output": lambda filters: filters.outputs,
    "name": lambda filters: filters.names,
    "id": lambda filters: filters.ids,
    "source": lambda filters: filters.sources,
    "target": lambda filters: filters.targets,
}


def said(form: BackfillForm, zone: ZoneInfo) -> dict[str, str]:
    """The answers that make a difference, by the name of the field and in the order of the questions."""
    answers = {
        "task": join_list(form.tasks),
        "name": form.name,
        "fields": join_list(form.fields),
        "downstream": "none" if form.mode is Mode.CURRENT else str(form.levels or "all"),
        "massive": _YES[form.mode is Mode.MASSIVE],
        "hide-paused": _YES[form.hide_paused],
        "only": join_list(form.chosen or ()),
        **_filters("include", form.include),
        **_filters("exclude", form.exclude),
        "range": ",".join(_range(some) for some in form.ranges or form.offsets),
        "hours": "-".join(f"{moment:%H:%M}" for moment in form.hours),
        "groups": str(form.groups),
        "order": "asc" if form.ascending else "desc",
        "paused-tasks": form.paused_tasks,
        "dry-run-tasks": form.dry_run_tasks,
        "dry-run-start": _YES[form.dry_run_start],
        "set": join_list(_parameters(form)),
        "at": "" if form.at is None else format_iso(form.at, zone),
        **_periodic(form),
        "environment": "" if form.environment is Environment.PROD else form.environment,
    }
    return {name: answers[name] for name, field in FIELDS.items() if answers.get(name, "") not in ("", field.default)}


def _filters(which: str, filters: Filters) -> dict[str, str]:
    return {f"{which}-{name}": join_list(read(filters)) for name, read in _FILTERS.items()}


def _range(some: DateRange | Offsets) -> str:
    ends = (f"T-{some.first}", f"T-{some.last}") if isinstance(some, Offsets) else (str(some.first), str(some.last))
    return ends[0] if ends[0] == ends[1] else "..".join(ends)


def _parameters(form: BackfillForm) -> list[str]:
    everywhere = [f"{name}={value}" for name, value in form.parameters]
    return everywhere + [f"{key}:{name}={value}" for key, name, value in form.task_parameters]


def _periodic(form: BackfillForm) -> dict[str, str]:
    if form.periodic is None:
        return {}
    return {"every": form.periodic.recurrence, "on": days_of(form.periodic), "at": f"{form.periodic.at:%H:%M}"}


def days_of(periodic: Periodic) -> str:
    """The days of a week or a month as they are answered; nothing of a daily one."""
    days = [_WEEKDAYS[day - 1] for day in periodic.weekdays]
    return ",".join([*days, *("last" if day == LAST_DAY else str(day) for day in periodic.month_days)])
