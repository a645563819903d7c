"""The tree of submitted backfills as the screens ask for it: a query for its first layer, another for its third.

The first layer is a list like every other (`ListKind.BACKFILLS`, tab `submitted`); a project that narrows it narrows
the instances below as well (section 4.2). The third layer is asked for a folder at a time, in the language and the
orders of instances. Rows go by their numbers (`keys.TreeId`).
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, and_, select

from dpconsole.core.domain.backfills import DateState
from dpconsole.core.domain.keys import Layer, TreeId, layer_of
from dpconsole.core.query.compiling import compile
from dpconsole.core.query.fields import ListKind
from dpconsole.core.query.language import And, Comparison, Everything, Expression, Not, parse
from dpconsole.core.query.lists import ListRequest, Lists, Snapshot
from dpconsole.core.query.ordering import order
from dpconsole.core.query.values import QueryContext
from dpconsole.core.store import backfill_tree as stored
from dpconsole.core.store.backfill_tree import Children, TreeRow
from dpconsole.core.store.models import Backfill, Instance
from dpconsole.core.store.session import Store

SUBMITTED = "submitted"
"""The tab of the backfills whose rows make the tree."""


@dataclass(frozen=True, slots=True)
class Inside:
    """Which instances stand in the folders, by a query of instances, and in which order (section 4.2)."""

    text: str = ""
    sort: str = "due"
    descending: bool = False


class BackfillTree:
    """The tree of one store, as the user of `lists` sees it. Every method is one short read, from any thread.

    A query that makes no sense raises QueryError.
    """

    def __init__(self, store: Store, lists: Lists) -> None:
        self._store = store
        self._lists = lists

    def snapshot(self, request: ListRequest, limit: int | None = None) -> Snapshot:
        """The rows of the first layer that a query matches, in its order."""
        found = self._lists.snapshot(request, limit)
        return replace(found, ids=stored.numbers(Layer.BACKFILL, found.ids))

    def children(self, request: ListRequest, inside: Inside, folders: Collection[int]) -> Children:
        """By folder: the rows in it; of a backfill only the data timestamps that hold a wanted instance."""
        ids = stored.by_layer(folders)
        with self._store.read() as connection:
            context = self._lists.context(connection, request.environment)
            wanted = _wanted(request, inside, context)
            dates = stored.dates_below(connection, ids[Layer.BACKFILL], wanted)
            ordered = order(ListKind.INSTANCES, inside.sort, inside.descending, context)
            return dates | stored.instances_below(connection, ids[Layer.DATE], wanted, ordered)

    def narrowing(self, request: ListRequest, inside: Inside) -> tuple[str, ...]:
        """What keeps some of the instances out of the folders, to be compared; empty where nothing does."""
        projects = (_words_of(term) for term in _of_projects(parse(request.text)))
        return tuple(words for words in (*projects, inside.text.strip()) if words)

    def everything_below(self, request: ListRequest, inside: Inside, backfill: int) -> Children:
        """The rows of a backfill and of all its data timestamps."""
        dates = self.children(request, inside, [backfill])
        return dates | self.children(request, inside, dates[backfill])

    def rows(self, numbers: Collection[int]) -> list[TreeRow]:
        """The rows with these numbers, in their order; those that name nothing are left out."""
        with self._store.read() as connection:
            return stored.tree_rows(connection, numbers)

    def parents(self, instances: Collection[int]) -> dict[int, int]:
        """By row: the folder of each instance with one of these ids, and the backfill of each such folder."""
        with self._store.read() as connection:
            return stored.parents(connection, instances)

    def folders_of(self, dates: Collection[int]) -> dict[int, int]:
        """By row of a data timestamp with one of these ids: its backfill."""
        with self._store.read() as connection:
            return stored.folders_of(connection, dates)

    def refilter(self, request: ListRequest, numbers: Collection[int]) -> set[int]:
        """Those rows of the first layer that the query matches now."""
        matching = self._lists.refilter(request, stored.by_layer(numbers)[Layer.BACKFILL])
        return {TreeId(Layer.BACKFILL, id).number for id in matching}

    def still_inside(self, request: ListRequest, inside: Inside, numbers: Collection[int]) -> set[int]:
        """Those rows of the third layer that are wanted now."""
        ids = stored.by_layer(numbers)[Layer.INSTANCE]
        return {TreeId(Layer.INSTANCE, id).number for id in self._instances(request, inside, Instance.id.in_(ids))}

    def matching(self, request: ListRequest, inside: Inside, text: str) -> dict[int, int]:
        """The instances under listed backfills that one more query matches: by row, its folder and that one's too."""
        found = self._instances(request, replace(inside, text=both(inside.text, text)))
        return self.parents(found)

    def chosen(self, request: ListRequest, inside: Inside, choices: Mapping[int, bool]) -> list[int]:
        """The ids of the instances that choices in the tree come to: of each row, the nearest one at or above it.

        What was left out of a backfill is never among them.
        """
        dates, apart = (
            set[int](),
            {number: marked for number, marked in choices.items() if layer_of(number) is Layer.DATE},
        )
        whole = [number for number, marked in choices.items() if marked and layer_of(number) is Layer.BACKFILL]
        for some in self.children(request, inside, whole).values():
            dates.update(some)
        for number, marked in apart.items():
            (dates.add if marked else dates.discard)(number)
        rows = self.rows(dates)
        kept = [row.id for row in rows if isinstance(row, stored.DateNode) and row.state is not DateState.EXCLUDED]
        found = {number for some in self.children(request, inside, kept).values() for number in some}
        for number, marked in choices.items():
            if layer_of(number) is Layer.INSTANCE:
                (found.add if marked else found.discard)(number)
        return stored.by_layer(found)[Layer.INSTANCE]

    def _instances(self, request: ListRequest, inside: Inside, *more: ColumnElement[bool]) -> Sequence[int]:
        """The instances that are wanted under the backfills of a request."""
        with self._store.read() as connection:
            context = self._lists.context(connection, request.environment)
            asked = compile(parse(request.text), ListKind.BACKFILLS, context)
            backfills = select(Backfill.id).where(Backfill.environment == request.environment, asked)
            wanted = _wanted(request, inside, context)
            listed = and_(Instance.backfill_id.in_(backfills), Instance.listing != "", *more)
            found = select(Instance.id).where(listed if wanted is None else and_(listed, wanted))
            return connection.execute(found).scalars().all()


def both(text: str, other: str) -> str:
    """One query that matches what two others both match."""
    return " and ".join(f"({each})" for each in (text, other) if each.strip())


def _wanted(request: ListRequest, inside: Inside, context: QueryContext) -> ColumnElement[bool] | None:
    """What an instance must meet to be listed; None where nothing was asked."""
    terms = _terms(request, inside)
    return and_(*(compile(term, ListKind.INSTANCES, context) for term in terms)) if terms else None


def _terms(request: ListRequest, inside: Inside) -> list[Expression]:
    terms = (*_of_projects(parse(request.text)), parse(inside.text))
    return [term for term in terms if not isinstance(term, Everything)]


def _words_of(term: Expression) -> str:
    if isinstance(term, Not):
        return f"not {_words_of(term.operand)}"
    assert isinstance(term, Comparison)
    return f"{term.name}{term.operator}{','.join(value.text for value in term.values)}"


def _of_projects(expression: Expression) -> Iterator[Expression]:
    """The terms of a query of backfills that every match must meet and that speak of the project."""
    for term in expression.operands if isinstance(expression, And) else (expression,):
        named = term.operand if isinstance(term, Not) else term
        if isinstance(named, Comparison) and named.name == "project":
            yield term
