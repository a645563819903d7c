"""Reads workspace files into one `Workspace`, or refuses them all with every problem they have.

Reading goes in three steps, and each goes on past what it finds: the text becomes values that know their places
(`documents`), each definition is held against its shape (`schema`), and all definitions of all files against each
other (`checks`). A part that was refused is left out and the rest is still looked at, so that one round of mending is
enough. Nothing but `WorkspaceRefused` is raised, whatever the files hold.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from dpconsole.core.domain import definitions as d
from dpconsole.core.workspace import schema
from dpconsole.core.workspace.checks import Entry, Fault, Scope, find_faults
from dpconsole.core.workspace.documents import Block, Document, Finding, Loc, read_document
from dpconsole.core.workspace.problems import WorkspaceRefused, shown
from dpconsole.core.workspace.validation import validate


def read_workspace(
    paths: Sequence[Path],
    known_tasks: Collection[str] = (),
    *,
    known_projects: Collection[str] = (),
    known_groups: Collection[str] = (),
) -> d.Workspace:
    """Read the files as one workspace; `known_*` name what earlier loads brought in and may be referred to.

    When the files describe no project at all, those that nobody knows yet are taken from the task ids, basic and open.
    Raises `WorkspaceRefused` with every problem of every file, in the order they stand in.
    """
    reading = _Reading()
    for path in paths:
        reading.take(read_document(path))
    return reading.finish(known_tasks, known_projects, known_groups)


@dataclass(frozen=True, slots=True)
class _Part:
    """A part of a file that holds definitions: a list whose items name themselves by `key`, or a mapping from names."""

    model: type[schema.Model]
    define: Callable[[str, Any], Any]
    key: str = ""

    def items(self, raw: Any) -> Iterator[tuple[int | str, Any, Any]]:
        """The place, the name and the value of each definition; what is no name is whatever stands there."""
        if self.key:
            yield from (
                (at, each.get(self.key) if isinstance(each, dict) else None, each) for at, each in enumerate(raw)
            )
        else:
            yield from ((name, name, {} if each is None else each) for name, each in raw.items())


_PARTS: dict[str, _Part] = {
    "projects": _Part(schema.Project, lambda name, model: model.definition(name)),
    "resource_groups": _Part(schema.ResourceGroup, lambda name, model: model.definition(name)),
    "throttling": _Part(schema.Throttling, lambda _, model: model.definition(), "name"),
    "baselines": _Part(schema.Baseline, lambda _, model: model.definition(), "name"),
    "tasks": _Part(schema.Task, lambda _, model: model.definition(), "id"),
}
_SETTINGS = ("timezone", "environment")


@dataclass(slots=True)
class _Reading:
    """What the documents taken so far hold."""

    documents: list[Document] = field(default_factory=list)
    entries: dict[str, list[Entry]] = field(default_factory=lambda: {part: [] for part in _PARTS})
    names: dict[str, dict[str, tuple[Document, Loc]]] = field(default_factory=lambda: {part: {} for part in _PARTS})
    settings: dict[str, tuple[Any, str]] = field(default_factory=dict)
    faults: list[Fault] = field(default_factory=list)

    def take(self, document: Document) -> None:
        """Read every part of one document."""
        self.documents.append(document)
        if document.root is None:
            self._take_nothing(document)
            return
        top, _, findings = validate(schema.File, document.root)
        self._note(document, (), findings)
        if top is not None:
            for setting in _SETTINGS:
                self._set(setting, getattr(top, setting), document)
            for part in _PARTS:
                self._take_part(part, getattr(top, part), document)

    def _take_nothing(self, document: Document) -> None:
        if not document.findings:
            self._note(document, (), [Finding((), "holds nothing", "a workspace file begins with version: 1")])

    def _note(self, document: Document, prefix: Loc, findings: Sequence[Finding]) -> None:
        self.faults.extend((document, finding.under(prefix)) for finding in findings)

    def _set(self, setting: str, value: Any, document: Document) -> None:
        if value is None:
            return
        place = _place(document, (setting,))
        first, where = self.settings.setdefault(setting, (value, place))
        if value != first:
            finding = Finding((setting,), f"is {shown(first)} in {where}", "a workspace has only one")
            self._note(document, (), [finding])

    def _take_part(self, part: str, raw: Any, document: Document) -> None:
        kind = _PARTS[part]
        for at, name, value in kind.items(raw):
            loc: Loc = (part, at)
            model, damaged, findings = validate(kind.model, value)
            self._note(document, loc, findings)
            if not isinstance(name, str):
                continue
            if self._is_new(part, name, document, loc) and model is not None:
                self.entries[part].append(Entry(kind.define(name, model), document, loc, damaged))

    def _is_new(self, part: str, name: str, document: Document, loc: Loc) -> bool:
        """Remember the name; refuse one that is taken, with both places."""
        taken = self.names[part].setdefault(name, (document, loc))
        if taken == (document, loc):
            return True
        key = _PARTS[part].key
        finding = Finding(
            (key,) if key else (), f"duplicate {key or 'name'} {shown(name)}", f"first in {_place(*taken)}"
        )
        self._note(document, loc, [finding])
        return False

    def finish(self, tasks: Collection[str], projects: Collection[str], groups: Collection[str]) -> d.Workspace:
        """Hold everything against everything; the workspace, or `WorkspaceRefused`."""
        here = self.names
        known = {*projects, *map(_project_of, tasks)}
        implied = () if here["projects"] else self._implied_projects(known)
        scope = Scope(
            entries=self.entries,
            tasks={**dict.fromkeys(here["tasks"]), **dict.fromkeys(tasks)},
            projects={*here["projects"], *known, *implied},
            groups={*here["resource_groups"], *groups, d.DEFAULT_GROUP.name},
            is_whole=all(isinstance(document.root, Block) for document in self.documents),
        )
        self.faults.extend(find_faults(scope))
        self._refuse_faults()
        return self._workspace(implied)

    def _implied_projects(self, known: Collection[str]) -> tuple[str, ...]:
        named = (_project_of(task) for task in self.names["tasks"])
        return tuple(dict.fromkeys(project for project in named if project not in known))

    def _refuse_faults(self) -> None:
        for document in self.documents:
            self._note(document, (), document.findings)
        order = {id(document): number for number, document in enumerate(self.documents)}
        problems = [(order[id(document)], document.problem(finding)) for document, finding in self.faults]
        if problems:
            ordered = sorted(problems, key=lambda each: (each[0], each[1].line, each[1].column))
            raise WorkspaceRefused(dict.fromkeys(problem for _, problem in ordered))

    def _workspace(self, implied: Collection[str]) -> d.Workspace:
        settings: dict[str, Any] = {setting: value for setting, (value, _) in self.settings.items()}
        parts: dict[str, Any] = {
            part: tuple(entry.definition for entry in entries) for part, entries in self.entries.items()
        }
        parts["projects"] += tuple(map(d.Project, implied))
        return d.Workspace(**settings, **parts)


def _place(document: Document, loc: Loc) -> str:
    return f"{document.file}:{document.locate(loc)[1].line}"


def _project_of(task_id: str) -> str:
    return task_id.partition(".")[0]
