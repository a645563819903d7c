"""Which verbs could act on a selection, and why the others could not: what a list of all verbs says beside each."""

from __future__ import annotations

from collections import Counter
from collections.abc import Sequence

from sqlalchemy import Connection

from dpconsole.core.domain.definitions import Role
from dpconsole.core.operations.actor import Actor
from dpconsole.core.operations.permissions import is_allowed
from dpconsole.core.operations.records import NO_PERMISSION
from dpconsole.core.operations.registry import OPERATIONS, Operation
from dpconsole.core.store.targets import Target, read_members, read_targets

LOOKED_AT = 200
"""Rows of a selection that are asked; with more than that, some verb acts on some of them."""


def verdicts(connection: Connection, ids: Sequence[int], actor: Actor) -> dict[str, str]:
    """By verb: why it could act on none of these instances, the reason most of them give; empty where it could."""
    targets, members = read_targets(connection, ids[:LOOKED_AT]), read_members(connection)

    def verdict(operation: Operation) -> str:
        allowed = [t for t in targets if is_allowed(members, t.project, actor.user, Role(operation.role))]
        if not allowed:
            return NO_PERMISSION if targets else "nothing is selected"
        return _reason(connection, operation, allowed)

    return {name: verdict(operation) for name, operation in OPERATIONS.items()}


def _reason(connection: Connection, operation: Operation, targets: Sequence[Target]) -> str:
    """A verb that still has to be told something is judged by its preview, once it has been told."""
    arguments = operation.complete({})
    if any(field.required for field in operation.fields):
        return ""
    reasons = [operation.refuse(target, arguments) for target in operation.looks(connection, targets)]
    given = Counter(reason for reason in reasons if reason)
    return given.most_common(1)[0][0] if len(reasons) == given.total() else ""
