"""Definitions in: `load` for workspace files, `import` for what other tools have written."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import click

from dpconsole.cli.exits import Exit
from dpconsole.cli.lazy import Command, Entry, LazyGroup
from dpconsole.cli.talk import complain, number_of, say, write, write_json
from dpconsole.cli.work import Work, opened
from dpconsole.core.domain.definitions import Workspace
from dpconsole.core.domain.text import clean
from dpconsole.core.store.definitions import LoadReport, save_workspace
from dpconsole.core.workspace.problems import Problem, WorkspaceRefused

_EXAMPLES = 5
"""Names of changed definitions that are told; the JSON has them all."""

_json = click.option("--json", "as_json", is_flag=True, help="One JSON object on standard output.")


@click.command(cls=Command)
@click.argument("files", nargs=-1, required=True, type=click.Path(path_type=Path))
@_json
@click.pass_context
def load(context: click.Context, files: tuple[Path, ...], as_json: bool) -> Exit:
    """Read workspace YAML into the database, all FILES as one workspace.

    As often as one likes: it says what is created, changed and unchanged. Files with problems are refused as a whole.
    """

    def read(work: Work) -> Workspace:
        from dpconsole.core.store.definitions import known_task_keys
        from dpconsole.core.workspace.reading import read_workspace

        with work.store.read() as connection:
            keys = known_task_keys(connection)
        return read_workspace(files, keys, known_projects=work.facts.projects, known_groups=work.facts.groups)

    return _bring_in(context, "load", read, as_json)


def _dbt() -> click.Command:
    return dbt


@click.group(
    cls=LazyGroup, name="import", entries={"dbt": Entry(_dbt, "The models, seeds and snapshots of a dbt manifest.")}
)
def import_() -> None:
    """Read definitions made by another tool into the database."""


@click.command(cls=Command)
@click.argument("manifest", type=click.Path(path_type=Path))
@click.option("--project", metavar="P", help="The project they come into (else the manifest's own).")
@click.option("--command", metavar="TEMPLATE", help="What a task runs, such as 'dbt run --select {name}'.")
@click.option("--tables", is_flag=True, help="Models that declare columns become logical tables.")
@_json
@click.pass_context
def dbt(
    context: click.Context, manifest: Path, project: str | None, command: str | None, tables: bool, as_json: bool
) -> Exit:
    """Read the models, seeds and snapshots of a dbt MANIFEST (.json or .json.gz) as tasks."""

    def read(_work: Work) -> Workspace:
        from dpconsole.core.workspace.dbt import read_manifest

        imported = read_manifest(manifest, project, command, tables)
        for note in imported.notes:
            say(note)
        return imported.workspace

    return _bring_in(context, "import", read, as_json, keep_settings=True)


def _bring_in(
    context: click.Context, what: str, read: Callable[[Work], Workspace], as_json: bool, *, keep_settings: bool = False
) -> Exit:
    with opened(context, create=True) as work:
        try:
            workspace = read(work)
        except WorkspaceRefused as refused:
            return _refuse(what, refused.problems, as_json)
        with work.store.write() as transaction:
            report = save_workspace(transaction, workspace, work.clock.now(), keep_settings=keep_settings)
    if as_json:
        write_json({"operation": what, **_document(report)})
    else:
        _write_report(report)
    return Exit.DONE


def _refuse(what: str, problems: tuple[Problem, ...], as_json: bool) -> Exit:
    for problem in problems:
        say(str(problem))
    complain(f"nothing loaded: {number_of(len(problems), 'problem')}; mend them and try again")
    if as_json:
        write_json({"operation": what, "state": "refused", "refusals": [_refusal(problem) for problem in problems]})
    return Exit.USAGE


def _refusal(problem: Problem) -> dict[str, Any]:
    return {
        "file": problem.file,
        "line": problem.line,
        "column": problem.column,
        "key": problem.key,
        "reason": problem.reason,
        "hint": problem.hint,
    }


def _document(report: LoadReport) -> dict[str, Any]:
    names = {"created": report.created, "changed": report.changed, "unchanged": report.unchanged}
    counts = {how: sum(len(some) for some in kinds.values()) for how, kinds in names.items()}
    return {"state": "done", **counts, "names": {how: _listed(kinds) for how, kinds in names.items()}, "refusals": []}


def _listed(kinds: Mapping[str, tuple[str, ...]]) -> dict[str, list[str]]:
    return {kind: [clean(name) for name in names] for kind, names in kinds.items()}


def _write_report(report: LoadReport) -> None:
    for kind in report.created:
        numbers = [len(part[kind]) for part in (report.created, report.changed, report.unchanged)]
        if any(numbers):
            created, changed, unchanged = numbers
            words = kind.replace("_", " ")
            write(f"{words}: {created:,} created, {changed:,} changed, {unchanged:,} unchanged{_some(report, kind)}")


def _some(report: LoadReport, kind: str) -> str:
    """The first names of what changed, and how many are left out."""
    names = report.changed[kind]
    if not names:
        return ""
    more = f" and {len(names) - _EXAMPLES:,} more" if len(names) > _EXAMPLES else ""
    return f" (changed: {', '.join(clean(name) for name in names[:_EXAMPLES])}{more})"
