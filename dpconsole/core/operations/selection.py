"""What an operator has chosen: ids, or everything that matches a query except some.

Never "everything on this page": a query is resolved when the plan is made, over all it matches.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace


@dataclass(frozen=True, slots=True)
class Selection:
    """Instances by id, or by the text of a query (section "query language"), less `without`.

    `listing` narrows a query to one tab; empty means every tab. `environment` is prod or dev.
    """

    ids: tuple[int, ...] = ()
    query: str | None = None
    without: frozenset[int] = frozenset()
    listing: str = ""
    environment: str = "prod"

    @classmethod
    def of(cls, ids: Iterable[int]) -> Selection:
        """The instances with these ids, each once, in this order."""
        return cls(ids=tuple(dict.fromkeys(ids)))

    def less(self, ids: Iterable[int]) -> Selection:
        """The same selection without these instances."""
        spared = frozenset(ids)
        kept = tuple(id for id in self.ids if id not in spared)
        return replace(self, ids=kept, without=self.without if self.query is None else self.without | spared)

    def words(self, keys: Mapping[int, str]) -> list[str]:
        """The selection as arguments of the command line; `keys` are the instances' shown ids."""
        if self.query is None:
            return [keys.get(id, str(id)) for id in self.ids]
        spared = ",".join(map(str, sorted(self.without)))
        if not spared:
            return ["-q", self.query]
        return ["-q", f"({self.query}) and not id:{spared}" if self.query else f"not id:{spared}"]
