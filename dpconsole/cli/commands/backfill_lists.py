"""`backfill ls`, `show` and `flows`: which backfills there are, how far one is, and what makes periodic ones."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import click

from dpconsole.cli.commands.lists import Shape, request_of, text_of, write_item, write_list
from dpconsole.cli.exits import Exit, Failure
from dpconsole.cli.folders import folder_or_flow_of
from dpconsole.cli.lazy import Command
from dpconsole.cli.tables import write_table
from dpconsole.cli.talk import number_of, say, write
from dpconsole.cli.work import Work, asked, opened
from dpconsole.core.domain.backfill_form import BackfillForm
from dpconsole.core.domain.keys import Layer, TreeId
from dpconsole.core.engine.backfill_progress import read_progress
from dpconsole.core.export.json_items import LISTS, backfill_detail, date_item, dumps, envelope, list_items
from dpconsole.core.operations.backfill_said import said
from dpconsole.core.operations.flows import saved_flow, saved_flows
from dpconsole.core.query.fields import ListKind
from dpconsole.core.query.lists import ListRequest
from dpconsole.core.store.backfill_pages import backfill_rows
from dpconsole.core.store.backfill_verbs import backfills_of
from dpconsole.core.store.definition_rows import from_text
from dpconsole.core.store.saved_flows import read_flow_form

DATE_COLUMNS = ("id", "business_date", "state", "queue", "status", "paused", "done", "nodes", "started", "eta")
"""What is written of a data timestamp for a reader; the JSON has all."""


@click.command(cls=Command)
@click.option("-q", "--query", default="", metavar="QUERY", help="Which of them, such as 'status:failed submitter:me'.")
@click.option("--pending", is_flag=True, help="Those that are to be submitted.")
@click.option("--sort", default="", metavar="COL", help="In the order of a field; -COL for descending.")
@click.option("--limit", type=click.IntRange(0), metavar="N", help="At most N of them; 0 for all.")
@click.option("--columns", default="", metavar="A,B", help="These columns, in this order.")
@click.option("--json", "form", flag_value="json", help="One JSON object.")
@click.option("--csv", "form", flag_value="csv", help="Comma-separated values with a line of titles.")
@click.pass_context
def ls(
    context: click.Context, query: str, pending: bool, sort: str, limit: int | None, columns: str, form: str | None
) -> Exit:
    """List the submitted backfills, or with --pending those that are to be submitted."""
    items, listing = ("pending", "pending") if pending else ("backfills", "submitted")
    shape = Shape.of(items, limit, columns, form)
    with opened(context) as work, asked(query):
        found = write_list(work, request_of(work, ListKind.BACKFILLS, query, sort, listing), shape)
        if found is Exit.NOTHING and not pending:
            _point_to_pending(work)
        return found


def _point_to_pending(work: Work) -> None:
    """Say that backfills wait elsewhere, for instance one that was just created for a later time."""
    waiting = len(work.lists.snapshot(ListRequest(ListKind.BACKFILLS, "pending", work.environment)).ids)
    if waiting:
        say(f"none is submitted; {number_of(waiting, 'backfill')} to be submitted, listed with --pending")


@click.command(cls=Command)
@click.argument("id")
@click.option("--json", "as_json", is_flag=True, help="The item as JSON.")
@click.pass_context
def show(context: click.Context, id: str, as_json: bool) -> Exit:
    """One backfill, or one data timestamp of it: how far it is, and when it will be done at this concurrency.

    A saved flow, flow_3, shows when it makes its next backfill, and what is asked for each time.
    """
    with opened(context) as work:
        target = folder_or_flow_of(work, id)
        item = _flow(work, target) if target.layer is Layer.FLOW else _item(work, target)
    if as_json:
        write(dumps(item))
    else:
        _write_text(item)
    return Exit.DONE


@click.command(cls=Command)
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_context
def flows(context: click.Context, as_json: bool) -> Exit:
    """List the saved flows that make periodic backfills, and when each makes its next one."""
    with opened(context) as work:
        with work.store.read() as connection:
            rows = saved_flows(connection, work.environment)
        items = list_items("flows", rows, work.zone)
    if as_json:
        write(dumps(envelope(items, len(items))))
    else:
        write_table(list(LISTS["flows"]), [[text_of(name, item) for name in item] for item in items])
    return Exit.DONE if items else Exit.NOTHING


def _flow(work: Work, target: TreeId) -> dict[str, Any]:
    with work.store.read() as connection:
        found = saved_flow(connection, target.id)
        form = read_flow_form(connection, target.id)
    if found is None or form is None:
        raise Failure(f"{target.key} was there a moment ago and is gone", Exit.NOTHING)
    (item,) = list_items("flows", [found], work.zone)
    answers = said(from_text(BackfillForm, form), work.zone)
    return item | {"form": [{"field": name, "answer": answer} for name, answer in answers.items()]}


def _item(work: Work, folder: TreeId) -> dict[str, Any]:
    with work.store.read() as connection:
        (backfill,) = backfills_of(connection, [folder])
        rows = backfill_rows(connection, [backfill])
        progress = read_progress(connection, backfill, work.clock.now())
    if not rows:
        raise Failure(f"{folder.key} was there a moment ago and is gone", Exit.NOTHING)
    if folder.layer is Layer.BACKFILL:
        return backfill_detail(rows[0], progress, work.zone)
    date = next(date for date in progress.dates if date.id == folder.id)
    return date_item(date, work.zone) | {"backfill": rows[0].key, "name": rows[0].name}


def _write_text(item: Mapping[str, Any]) -> None:
    """The facts, and a line for each data timestamp."""
    write_item({name: value for name, value in item.items() if name != "data_timestamps"})
    dates = item.get("data_timestamps", [])
    if dates:
        write("\ndata timestamps")
        write_table(DATE_COLUMNS, [[text_of(name, date) for name in DATE_COLUMNS] for date in dates])
