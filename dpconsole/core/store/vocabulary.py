"""The names a store knows - owners, projects, groups, baselines, tags -, for completion and for pick lists."""

from __future__ import annotations

from collections.abc import Iterable

from sqlalchemy import Connection, select

from dpconsole.core.domain.text import clean
from dpconsole.core.store.models import Baseline, Operation, Project, ResourceGroup, Task

_NAMES = {
    "project": select(Project.name),
    "owner": select(Task.owner).distinct(),
    "opowner": select(Task.operation_owner).distinct(),
    "group": select(ResourceGroup.name),
    "baseline": select(Baseline.name),
    "template": select(Task.template).distinct(),
    "folder": select(Task.folder).distinct(),
    "lock": select(Task.lock_holder).distinct(),
    "actor": select(Operation.actor).distinct(),
    "verb": select(Operation.verb).distinct(),
}
_TAGS = select(Task.tags)


def known_names(connection: Connection, what: str) -> list[str]:
    """The names of one sort, by the name of the query field that holds them, in order; empty for other fields."""
    if what == "tag":
        return _shown(str(tag) for tags in connection.execute(_TAGS).scalars() for tag in tags)
    return _shown(connection.execute(_NAMES[what]).scalars()) if what in _NAMES else []


def _shown(names: Iterable[str | None]) -> list[str]:
    return sorted({clean(name) for name in names if name})
