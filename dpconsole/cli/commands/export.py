"""`export`: lists as workbooks, the downloads of the console, written into a directory under a name of their own."""

from __future__ import annotations

from array import array
from collections.abc import Sequence
from pathlib import Path

import click

from dpconsole.cli.commands.lists import instance_of
from dpconsole.cli.exits import Exit, Failure
from dpconsole.cli.lazy import Command, Entry, LazyGroup
from dpconsole.cli.levels import Levels
from dpconsole.cli.talk import progress, say, write
from dpconsole.cli.work import Work, asked, opened
from dpconsole.core.export.neighbours import MOST_LEVELS, export_neighbours
from dpconsole.core.export.workbook import export_instances, recurring_ids
from dpconsole.core.operations.selection import Selection


@click.command(cls=Command, name="instances")
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="DIR", help="Where the workbook is put.")
@click.option("-q", "--query", default="", metavar="QUERY", help="Only those that match; all of them without it.")
@click.pass_context
def instances(context: click.Context, out: Path, query: str) -> Exit:
    """Write the recurring instances, both kinds, as `Dataphin_recurring_instance_{time}.xlsx`; prints its path."""
    with opened(context) as work, asked(query):
        ids = _chosen(work, query)
        if not ids:
            say("nothing matched: no workbook was written")
            return Exit.NOTHING
        with progress("instances written") as tell:
            path = export_instances(work.store, ids, out, work.clock.now(), work.zone, progress=tell)
    write(str(path))
    return Exit.DONE


def _chosen(work: Work, query: str) -> Sequence[int]:
    """The recurring instances that match, in the order of the download."""
    every = recurring_ids(work.store, work.environment)
    if not query.strip():
        return every
    from dpconsole.core.query.lists import ListRequest

    matching = set(work.lists.snapshot(ListRequest(environment=work.environment, text=query)).ids)
    return array("q", (id for id in every if id in matching))


@click.command(cls=Command, name="neighbours")
@click.argument("id")
@click.option("--up", type=Levels(1, MOST_LEVELS), default="1", metavar="N", help="Levels upstream, 1 to 10 or all.")
@click.option("--down", type=Levels(1, MOST_LEVELS), default="1", metavar="N", help="Levels downstream; 1 without it.")
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="DIR", help="Where the workbook is put.")
@click.pass_context
def neighbours(context: click.Context, id: str, up: int | None, down: int | None, out: Path) -> Exit:
    """Write what stands upstream and downstream of the instance ID; prints the path of the workbook.

    It is called `{task_name}_upstream_and_downstream_nodes_{time}.xlsx`.
    """
    with opened(context) as work:
        row = instance_of(work, id).row
        with progress("instances written") as tell:
            path = export_neighbours(work.store, row.id, up, down, out, work.clock.now(), work.zone, progress=tell)
    if path is None:
        say(f"nothing stands upstream or downstream of {row.name}: no workbook was written")
        return Exit.NOTHING
    write(str(path))
    return Exit.DONE


@click.command(cls=Command, name="backfill")
@click.argument("ids", nargs=-1, metavar="[ID..]")
@click.option("-q", "--query", metavar="QUERY", help="The backfills that match, instead of ids; all without either.")
@click.option("--out", type=click.Path(path_type=Path), required=True, metavar="DIR", help="Where the workbook is put.")
@click.pass_context
def backfill(context: click.Context, ids: tuple[str, ...], query: str | None, out: Path) -> Exit:
    """Write the instances of backfills as `Dataphin_data_backfill_instance_{time}.xlsx`; prints its path.

    ID is f_12, or dr_345 for one data timestamp of it. Data timestamps that were left out are not written.
    """
    from dpconsole.cli.folders import folder_of, matching_folders

    if ids and query is not None:
        raise Failure("name backfills by ID.., or by -q QUERY; one of the two", Exit.USAGE)
    with opened(context) as work:
        folders = [folder_of(work, id) for id in ids] if ids else matching_folders(work, query or "")
        rows = work.operations.rows(Selection.of_rows(folders))
        if not rows:
            say("nothing matched: no workbook was written")
            return Exit.NOTHING
        with progress("instances written") as tell:
            now = work.clock.now()
            path = export_instances(work.store, rows, out, now, work.zone, of_backfills=True, progress=tell)
    write(str(path))
    return Exit.DONE


_ENTRIES = {
    "instances": Entry(lambda: instances, "The recurring instances, as one workbook."),
    "backfill": Entry(lambda: backfill, "The instances of backfills, as one workbook."),
    "neighbours": Entry(lambda: neighbours, "What stands around an instance, as one workbook."),
}


@click.group(cls=LazyGroup, name="export", entries=_ENTRIES)
def export() -> None:
    """Write lists as workbooks."""
