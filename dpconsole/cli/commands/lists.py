"""Looking: `ls` for lists, `show` for one thing and why it stands still."""

from __future__ import annotations

import re
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from difflib import get_close_matches
from typing import Any

import click

from dpconsole.cli.exits import Exit, Failure
from dpconsole.cli.lazy import Command
from dpconsole.cli.tables import write_table
from dpconsole.cli.talk import Progress, progress, say, write
from dpconsole.cli.work import Work, asked, opened
from dpconsole.core.domain.keys import parse_instance_key
from dpconsole.core.domain.text import clean
from dpconsole.core.engine.why import Moment, explain
from dpconsole.core.export.csv_rows import cell, write_csv
from dpconsole.core.export.json_items import LISTS, SCHEMA_VERSION, detail_item, dumps, list_items
from dpconsole.core.operations.history import History
from dpconsole.core.query.fields import ListKind
from dpconsole.core.query.lists import ListRequest
from dpconsole.core.store.details import InstanceDetail

PAGE = 1_000
"""Rows read at once."""

TEXT_ROWS = 200
"""Rows of a list printed as text, unless `--limit` says otherwise."""

COLUMNS: Mapping[str, tuple[str, ...]] = {
    ListKind.INSTANCES: (
        "id",
        "name",
        "status",
        "cycle",
        "business_date",
        "due",
        "started",
        "duration",
        "priority",
        "owner",
    ),
    ListKind.TASKS: ("id", "type", "method", "cycle", "owner", "status", "upstreams", "downstreams"),
    ListKind.BACKFILLS: ("id", "name", "status", "submitter", "submitted", "dates", "nodes"),
    ListKind.RECORDS: ("id", "verb", "actor", "at", "state", "acts", "skipped", "refused", "reason"),
    "pending": ("id", "name", "state", "submit_after", "recurrence", "submitter", "dates", "error"),
}
"""The columns of a list as text, unless `--columns` says otherwise; the JSON has all."""


# --- ls ---------------------------------------------------------------------------------------------------------------


@click.command(cls=Command)
@click.argument("kind", type=click.Choice([str(kind) for kind in ListKind]))
@click.option(
    "-q", "--query", default="", metavar="QUERY", help="Which of them, such as 'status:failed biz:yesterday'."
)
@click.option("--sort", default="", metavar="COL", help="In the order of a field; -COL for descending.")
@click.option("--limit", type=click.IntRange(0), metavar="N", help="At most N of them; 0 for all.")
@click.option("--columns", default="", metavar="A,B", help="These columns, in this order.")
@click.option("--json", "form", flag_value="json", help="One JSON object.")
@click.option("--csv", "form", flag_value="csv", help="Comma-separated values with a line of titles.")
@click.option("--verify", is_flag=True, help="Of records: check the hash chain of the whole ledger as well.")
@click.pass_context
def ls(
    context: click.Context,
    kind: str,
    query: str,
    sort: str,
    limit: int | None,
    columns: str,
    form: str | None,
    verify: bool,
) -> Exit:
    """List instances, backfills, tasks or records.

    As text at most 200 of them, unless --limit says otherwise; as JSON or CSV all.
    """
    if verify and kind != ListKind.RECORDS:
        raise Failure("--verify goes with records: no other list has a hash chain", Exit.USAGE)
    shape = Shape.of(kind, limit, columns, form)
    with opened(context) as work, asked(query):
        if kind == ListKind.RECORDS:
            work.operations.close_abandoned()
        code = write_list(work, request_of(work, ListKind(kind), query, sort), shape)
        if verify and not _verify(work):
            return Exit.FAILED
    return code


def request_of(work: Work, kind: ListKind, query: str, sort: str, listing: str = "") -> ListRequest:
    """What a list is asked for, in the words of the command line: `-COL` is descending."""
    return ListRequest(
        kind,
        listing=listing,
        environment=work.environment,
        text=query,
        sort=sort.removeprefix("-"),
        descending=sort.startswith("-"),
    )


@dataclass(frozen=True)
class Shape:
    """How a list is written: what its items are, how many at most, which columns, and in which form."""

    items: str
    limit: int | None
    names: Sequence[str]
    form: str | None

    @classmethod
    def of(cls, items: str, limit: int | None, columns: str, form: str | None) -> Shape:
        """The shape that the options come to. Raises `Failure` for a column that there is none of."""
        by_default = TEXT_ROWS if form is None else None
        return cls(items, by_default if limit is None else limit or None, _columns(items, columns), form)


def write_list(work: Work, request: ListRequest, shape: Shape) -> Exit:
    """Write what a request matches."""
    ids = work.lists.snapshot(request).ids
    listed = Listed(work, request.kind, ids[: shape.limit], len(ids), shape.items)
    with progress(f"{request.kind} read") as tell:
        _WRITERS[shape.form](listed, shape.names, tell)
    if listed.truncated:
        say(f"{len(listed.ids):,} of {listed.total:,} {request.kind} shown; --limit 0 shows all")
    if not listed.total and request.text:
        say(f"no {request.kind} match {clean(request.text)}")
    return Exit.DONE if listed.total else Exit.NOTHING


def _verify(work: Work) -> bool:
    """Say whether the ledger is as it was written; whether it is."""
    chain = History(work.store, work.actor.user).verify()
    say(chain.words)
    return chain.broken_at is None


@dataclass(frozen=True)
class Listed:
    """What a list holds, and how many more match; `shape` says which keys its items have."""

    work: Work
    kind: ListKind
    ids: Sequence[int]
    total: int
    shape: str

    @property
    def truncated(self) -> bool:
        """Whether not all that match are here."""
        return len(self.ids) < self.total

    def items(self, tell: Progress) -> Iterator[dict[str, Any]]:
        """The items, read page by page."""
        for start in range(0, len(self.ids), PAGE):
            page = self.ids[start : start + PAGE]
            tell(start, len(self.ids))
            yield from list_items(self.shape, self.work.lists.rows(self.kind, page), self.work.zone)


def _write_json(listed: Listed, names: Sequence[str], tell: Progress) -> None:
    """The envelope, item by item: a long list is never held as a whole."""
    sys.stdout.write(f'{{"schema_version": {SCHEMA_VERSION}, "items": [')
    for number, item in enumerate(listed.items(tell)):
        chosen = {name: item[name] for name in names} if names else item
        sys.stdout.write((",\n" if number else "\n") + dumps(chosen, indent=None))
    write(f'], "total": {listed.total}, "truncated": {str(listed.truncated).lower()}}}')


def _write_csv(listed: Listed, names: Sequence[str], tell: Progress) -> None:
    write_csv(sys.stdout, names or list(LISTS[listed.shape]), listed.items(tell))


def _write_text(listed: Listed, names: Sequence[str], tell: Progress) -> None:
    titles = names or COLUMNS[listed.shape]
    write_table(titles, [[text_of(name, item) for name in titles] for item in listed.items(tell)])


_WRITERS = {"json": _write_json, "csv": _write_csv, None: _write_text}


def _columns(kind: str, text: str) -> list[str]:
    """The columns that `--columns` names; `Failure` names the nearest for one that is none."""
    names = [name.strip() for name in text.split(",") if name.strip()]
    for name in names:
        if name not in LISTS[kind]:
            nearest = get_close_matches(name, list(LISTS[kind]), n=1)
            meant = f"did you mean {nearest[0]}?" if nearest else f"known are {', '.join(LISTS[kind])}"
            raise Failure(f"--columns: no column {name!r}; {meant}", Exit.USAGE)
    return names


FEW_DATES = 3
"""Data timestamps of a backfill that are all written for a reader; of more the ends, and how many."""

_TIME = re.compile(r"(\d{4}-\d\d-\d\d)T(\d\d:\d\d:\d\d)[+\-Z].*")


def text_of(name: str, item: Mapping[str, Any]) -> str:
    """A value for a reader: times without their offset, and flags beside the status they overlay."""
    if name == "status" and item.get("paused") is True:
        return f"{item[name]} paused"
    value = item[name]
    if name == "dates" and isinstance(value, list) and len(value) > FEW_DATES:
        return f"{value[0]} .. {value[-1]} ({len(value):,})"
    return _TIME.sub(r"\1 \2", value if isinstance(value, str) else cell(value))


# --- show -------------------------------------------------------------------------------------------------------------


@click.command(cls=Command)
@click.argument("id")
@click.option("--json", "as_json", is_flag=True, help="The item as JSON.")
@click.pass_context
def show(context: click.Context, id: str, as_json: bool) -> Exit:
    """One instance, or one task by its id `project.name`: all there is to know, and why it stands still."""
    with opened(context) as work:
        item = _task(work, id) if _names_a_task(id) else _instance(work, id)
        if as_json:
            write(dumps(item))
        else:
            write_item(item)
    return Exit.DONE


def instance_of(work: Work, text: str) -> InstanceDetail:
    """Everything about the instance that `text` names. Raises `Failure` when it names none."""
    try:
        detail = work.lists.detail(parse_instance_key(text))
    except ValueError as error:
        raise Failure(str(error), Exit.USAGE) from None
    if detail is None:
        raise Failure(f"no instance {text}; `dpconsole ls instances` lists them", Exit.NOTHING)
    return detail


def _names_a_task(text: str) -> bool:
    return "." in text or text.startswith("n_")


def _instance(work: Work, text: str) -> dict[str, Any]:
    detail = instance_of(work, text)
    with work.store.read() as connection:
        why = explain(connection, detail.row.id, Moment(work.clock.now(), work.zone))
    return {**detail_item(detail, work.zone), "why": why or None}


def _task(work: Work, text: str) -> dict[str, Any]:
    request = ListRequest(ListKind.TASKS, environment=work.environment, text=f'id:"{text}"')
    with asked(request.text):
        ids = work.lists.snapshot(request, 1).ids
    if not ids:
        raise Failure(f"no task {text}; `dpconsole ls tasks` lists them", Exit.NOTHING)
    (item,) = list_items(ListKind.TASKS, work.lists.rows(ListKind.TASKS, ids), work.zone)
    return item


def write_item(item: Mapping[str, Any]) -> None:
    """One line for each plain value, a table for each list of items, the reason last: it is what one looks for."""
    tables = {
        name: value for name, value in item.items() if isinstance(value, list) and value and isinstance(value[0], dict)
    }
    plain = {name: value for name, value in item.items() if name not in tables and name != "why"}
    width = max(map(len, plain))
    for name in plain:
        write(f"{name:{width}}  {text_of(name, plain) or '-'}")
    for name, rows in tables.items():
        write(f"\n{name}")
        write_table(list(rows[0]), [[text_of(column, row) for column in row] for row in rows])
    if item.get("why"):
        write(f"\nwhy  {item['why']}")
