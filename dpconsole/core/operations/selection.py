"""What an operator has chosen: ids, folders of backfills, or everything that matches a query; except some.

Never "everything on this page": a query and what lies below a folder are resolved when the plan is made, over all they
stand for.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum

from dpconsole.core.domain.keys import Layer, TreeId


class Kind(StrEnum):
    """What a verb is asked of, and what the items of its record are; only the latter stands in the ledger."""

    INSTANCE = "instance"
    BACKFILL = "backfill"
    BACKFILL_DATE = "backfill_date"
    BACKFILL_FLOW = "backfill_flow"
    PENDING = "pending"  # a backfill that is to be submitted; its records are of kind backfill


LAYERS: Mapping[Kind, Layer] = {
    Kind.INSTANCE: Layer.INSTANCE,
    Kind.BACKFILL: Layer.BACKFILL,
    Kind.BACKFILL_DATE: Layer.DATE,
    Kind.BACKFILL_FLOW: Layer.FLOW,
}
"""The layer of a backfill's tree that the items of a record belong to (section 8.1), or the flow that makes it."""

BACKFILL_LISTS = frozenset({"submitted", "pending"})
"""The lists whose rows are backfills; every other holds instances (section 4)."""


@dataclass(frozen=True, slots=True)
class Selection:
    """Instances by id, what lies below `folders`, or what the text of a query matches (section "query language").

    `without` are instances and `without_folders` folders that are spared. `listing` narrows a query to one tab: of
    instances, where empty means every tab, or of backfills (submitted, pending). `environment` is prod or dev.
    """

    ids: tuple[int, ...] = ()
    query: str | None = None
    without: frozenset[int] = frozenset()
    listing: str = ""
    environment: str = "prod"
    folders: tuple[TreeId, ...] = ()
    without_folders: frozenset[TreeId] = frozenset()

    @classmethod
    def of(cls, ids: Iterable[int]) -> Selection:
        """The instances with these ids, each once, in this order."""
        return cls(ids=tuple(dict.fromkeys(ids)))

    @classmethod
    def of_rows(cls, rows: Iterable[TreeId]) -> Selection:
        """Rows of the tree of backfills, each once: instances, and folders with all that is below them."""
        rows = tuple(dict.fromkeys(rows))
        ids = tuple(row.id for row in rows if row.layer is Layer.INSTANCE)
        return cls(ids=ids, folders=tuple(row for row in rows if row.layer is not Layer.INSTANCE))

    @property
    def matches_backfills(self) -> bool:
        """Whether the query is one of backfills."""
        return self.query is not None and self.listing in BACKFILL_LISTS

    def less(self, ids: Iterable[int]) -> Selection:
        """The same selection without these instances."""
        spared = frozenset(ids)
        kept = tuple(id for id in self.ids if id not in spared)
        named = self.query is None and not self.folders
        return replace(self, ids=kept, without=self.without if named else self.without | spared)

    def less_rows(self, rows: Iterable[TreeId]) -> Selection:
        """The same selection without these rows of the tree."""
        rows = frozenset(rows)
        folders = frozenset(row for row in rows if row.layer is not Layer.INSTANCE)
        less = self.less(row.id for row in rows - folders) if rows - folders else self
        kept = tuple(folder for folder in less.folders if folder not in folders)
        return replace(less, folders=kept, without_folders=less.without_folders | (folders - set(less.folders)))

    def words(self, keys: Mapping[int, str]) -> list[str]:
        """The selection as arguments of the command line; `keys` are the instances' shown ids."""
        spared = ",".join([*(folder.key for folder in sorted(self.without_folders)), *map(str, sorted(self.without))])
        if self.query is None:
            named = [*(folder.key for folder in self.folders), *(keys.get(id, str(id)) for id in self.ids)]
            return [*named, f"--without={spared}"] if spared else named
        if not spared:
            return ["-q", self.query]
        return ["-q", f"({self.query}) and not id:{spared}" if self.query else f"not id:{spared}"]
