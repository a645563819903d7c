"""Backfills as they are named on the command line: `f_12`, `12`, `dr_345` for a data timestamp, or a name.

A saved flow is named by its id, `flow_3`.
"""

from __future__ import annotations

from collections.abc import Sequence

from dpconsole.cli.exits import Exit, Failure
from dpconsole.cli.work import Work, asked
from dpconsole.core.domain.keys import Layer, TreeId, backfill_key, parse_flow_key, parse_folder_key
from dpconsole.core.operations.flows import read_flows
from dpconsole.core.query.fields import ListKind
from dpconsole.core.query.lists import ListRequest
from dpconsole.core.store.backfill_verbs import Folder, read_backfills, read_dates

_READERS = {Layer.BACKFILL: read_backfills, Layer.DATE: read_dates, Layer.FLOW: read_flows}


def folder_of(work: Work, text: str) -> TreeId:
    """The backfill, or the data timestamp of one, that a word names. Raises `Failure` when it names none."""
    try:
        folder = parse_folder_key(text)
    except ValueError:
        folder = _by_name(work, text)
    state_of(work, folder)
    return folder


def state_of(work: Work, folder: TreeId) -> Folder:
    """How a folder stands. Raises `Failure` when there is none."""
    with work.store.read() as connection:
        found = _READERS[folder.layer](connection, [folder.id])
    if not found:
        what, listed = ("saved flow", "flows") if folder.layer is Layer.FLOW else ("backfill", "ls")
        raise Failure(f"no {what} {folder.key}; `dpconsole backfill {listed}` lists them", Exit.NOTHING)
    return found[0]


def flow_of(work: Work, text: str) -> TreeId:
    """The saved flow that an id names. Raises `Failure` when it names none."""
    try:
        flow = parse_flow_key(text)
    except ValueError as error:
        raise Failure(str(error), Exit.USAGE) from None
    state_of(work, flow)
    return flow


def folder_or_flow_of(work: Work, text: str) -> TreeId:
    """The backfill, data timestamp or saved flow that a word names. Raises `Failure` when it names none."""
    return flow_of(work, text) if text.startswith("flow_") else folder_of(work, text)


def matching_folders(work: Work, query: str) -> list[TreeId]:
    """The backfills that a query matches, submitted or to be."""
    with asked(query):
        request = ListRequest(ListKind.BACKFILLS, environment=work.environment, text=query)
        return [TreeId(Layer.BACKFILL, id) for id in work.lists.snapshot(request).ids]


def _by_name(work: Work, name: str) -> TreeId:
    quoted = name.replace("\\", "\\\\").replace('"', '\\"')
    found: Sequence[TreeId] = matching_folders(work, f'name="{quoted}"')
    if len(found) == 1:
        return found[0]
    if not found:
        raise Failure(f"no backfill {name}; `dpconsole backfill ls` lists them", Exit.NOTHING)
    keys = ", ".join(backfill_key(folder.id) for folder in found[:5])
    raise Failure(f"{len(found):,} backfills are called {name}: say which by id ({keys})", Exit.USAGE)
