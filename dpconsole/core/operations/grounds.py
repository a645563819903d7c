"""What verbs stand on, for each kind of target: how it is read, and which of what was seen still stands as it was."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, TypeAlias

from sqlalchemy import Connection

from dpconsole.core.operations.flows import read_flows
from dpconsole.core.operations.records import NO_SUCH_FOLDER, NO_SUCH_INSTANCE
from dpconsole.core.operations.selection import Kind
from dpconsole.core.store import backfill_verbs, verbs
from dpconsole.core.store.backfill_verbs import Folder, read_backfills, read_dates
from dpconsole.core.store.session import Transaction
from dpconsole.core.store.targets import Target, read_targets

Aim: TypeAlias = Target | Folder
"""A row a verb is aimed at: an instance, a backfill, a data timestamp of one, or a saved flow."""


@dataclass(frozen=True, slots=True)
class Ground:
    """How the targets of one kind are read by id, which of them still stand as they were seen, and what a gap is."""

    read: Callable[[Connection, Collection[int]], Sequence[Any]]
    steady: Callable[[Transaction, Sequence[Any]], list[Any]]
    missing: str


def _steady_instances(transaction: Transaction, targets: Sequence[Target]) -> list[Target]:
    same = verbs.unchanged(transaction, [part for target in targets for part in target.parts])
    return [target for target in targets if all(part.id in same for part in target.parts)]


def _folders(read: Callable[[Connection, Collection[int]], list[Folder]]) -> Ground:
    def steady(transaction: Transaction, folders: Sequence[Folder]) -> list[Folder]:
        now = read(transaction.connection, [folder.id for folder in folders])
        return backfill_verbs.unchanged(now, folders)

    return Ground(read, steady, NO_SUCH_FOLDER)


GROUNDS: Mapping[Kind, Ground] = {
    Kind.INSTANCE: Ground(read_targets, _steady_instances, NO_SUCH_INSTANCE),
    Kind.BACKFILL: _folders(read_backfills),
    Kind.BACKFILL_DATE: _folders(read_dates),
    Kind.BACKFILL_FLOW: _folders(read_flows),
}
"""By the kind of a verb's targets."""
