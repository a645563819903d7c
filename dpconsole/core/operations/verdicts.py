"""Which verbs could act on a selection, and why the others could not: what a list of all verbs says beside each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Sequence

from sqlalchemy import Connection

from dpconsole.core.domain.definitions import Role
from dpconsole.core.operations.actor import Actor
from dpconsole.core.operations.grounds import GROUNDS, Aim
from dpconsole.core.operations.permissions import is_allowed
from dpconsole.core.operations.records import NO_PERMISSION
from dpconsole.core.operations.registry import OPERATIONS, Operation, verb_on
from dpconsole.core.operations.selection import Kind, Selection
from dpconsole.core.store.targets import read_members

NOTHING_TO_ACT_ON = "nothing there to act on"

LOOKED_AT = 200
"""Rows of a selection that are asked; with more than that, some verb acts on some of them."""


def verdicts(
    connection: Connection, actor: Actor, find: Callable[[Operation], Sequence[int]], selection: Selection
) -> dict[str, str]:
    """By verb: why it could act on nothing of a selection, the reason most of it gives; empty where it could.

    `find` are the targets of a verb there. On folders, a verb that stands for another one there answers for that.
    """
    members = read_members(connection)

    def verdict(operation: Operation) -> str:
        targets = GROUNDS[operation.kind].read(connection, find(operation)[:LOOKED_AT])
        allowed = [t for t in targets if is_allowed(members, t.project, actor.user, Role(operation.role))]
        if not allowed:
            return NO_PERMISSION if targets else NOTHING_TO_ACT_ON
        return _reason(connection, operation, allowed)

    asked = [operation for operation in OPERATIONS.values() if selection.folders or Kind.INSTANCE in operation.scopes]
    given = {operation.name: verdict(operation) for operation in asked}
    return {name: given[verb_on(name, selection)] for name in given}


def _reason(connection: Connection, operation: Operation, targets: Sequence[Aim]) -> str:
    """A verb that still has to be told something is judged by its preview, once it has been told."""
    arguments = operation.complete({})
    if any(field.required for field in operation.fields):
        return ""
    reasons = [operation.refuse(target, arguments) for target in operation.looks(connection, targets)]
    given = Counter(reason for reason in reasons if reason)
    return given.most_common(1)[0][0] if len(reasons) == given.total() else ""
