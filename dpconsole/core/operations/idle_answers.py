"""Answers of a backfill form that would come to nothing, and are told instead of taken in silence (section 7).

A project or a task that a filter names and nobody has is a slip of the keys: what should be left out would run. A
parameter that no covered task has is more likely a slip than not, but may be read by a script in a way of its own.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence

from dpconsole.core.domain.backfill_form import BackfillForm
from dpconsole.core.domain.definitions import Task
from dpconsole.core.domain.parameters import BUILT_INS, names_in
from dpconsole.core.graph.tasks import Tasks, among_excluded
from dpconsole.core.operations.backfill_answers import perhaps, said
from dpconsole.core.operations.backfill_form import Problem


def idle_filters(form: BackfillForm, tasks: Tasks) -> Iterator[Problem]:
    """Projects and tasks that the filters of massive mode name and that do not exist."""
    projects = {stored.task.project for stored in tasks.values()}
    ids = {word for id, stored in tasks.items() for word in (str(id), stored.task.id)}
    for which, filters in (("include", form.include), ("exclude", form.exclude)):
        yield from _unknown(f"{which}-project", "no task is of project", filters.projects, projects)
        yield from _unknown(f"{which}-id", "no task", filters.ids, ids)


def _unknown(field: str, what: str, words: Iterable[str], known: Collection[str]) -> Iterator[Problem]:
    unknown = [word for word in words if word not in known]
    if unknown:
        yield Problem(field, "; ".join(f"{what} {said(word)}{perhaps(word, known)}" for word in unknown))


def idle_exclusions(form: BackfillForm, left_out: Collection[str]) -> Iterator[str]:
    """The filters that exclude by a part of a name and leave nothing out; `left_out` are the reasons given."""
    for kind in ("names", "outputs"):
        words: Sequence[str] = getattr(form.exclude, kind)
        if words and among_excluded(kind) not in left_out:
            yield f"nothing more is left out by the excluded {kind}: {', '.join(map(said, words))}"


def fixed_parameters(form: BackfillForm) -> Iterator[Problem]:
    """Parameters that keep their meaning whatever is said (section 18)."""
    names = dict.fromkeys([name for name, _ in form.parameters] + [name for _, name, _ in form.task_parameters])
    fixed = [name for name in names if name in BUILT_INS]
    if fixed:
        yield Problem("set", f"{' and '.join(fixed)} cannot be set: the data timestamp and the scheduled time say it")


def idle_parameters(form: BackfillForm, covered: Mapping[str, Task]) -> Iterator[str]:
    """Parameters that no covered task, here by its key, has or reads."""
    everywhere = {name for task in covered.values() for name in _read_by(task)}
    yield from (f"no task of these has a parameter {name}" for name, _ in form.parameters if name not in everywhere)
    for key, name, _ in form.task_parameters:
        if key not in covered:
            yield f"{said(key)} is not covered: its parameter {name} changes nothing"
        elif name not in _read_by(covered[key]):
            yield f"{said(key)} has no parameter {name}"


def _read_by(task: Task) -> set[str]:
    """The parameters that a task declares, and those that its command and its code refer to."""
    texts: Sequence[str] = (*task.run.command, task.code, *(node.code for node in task.nodes))
    return {name for name, _ in task.parameters} | {name for text in texts for name in names_in(text)}
