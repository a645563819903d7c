"""A backfill written straight into the store: data timestamps in their states, and instances below them."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import insert, select, update

from dpconsole.core.domain.backfills import BackfillState, DateState
from dpconsole.core.domain.keys import Layer, TreeId
from dpconsole.core.domain.statuses import Status
from dpconsole.core.operations.selection import Selection
from dpconsole.core.store.models import Backfill, BackfillDate, Instance, LogicalField, Node, NodeField
from tests.core.operations.night import NOW, Night


class Folders:
    """Writes one backfill and what is below it; `night` has the rest of the words."""

    def __init__(
        self,
        night: Night,
        *dates: DateState,
        state: BackfillState = BackfillState.SUBMITTED,
        project: str = "trade",
        groups: int = 1,
    ) -> None:
        self.night = night
        night.project(project)
        values = {"name": "refill", "state": state, "project": project, "submitter": "lin", "submitted_at": NOW}
        with night.store.write() as transaction:
            row = transaction.execute(insert(Backfill).values(**values, form={}, groups=groups).returning(Backfill.id))
            self.id: int = row.scalar_one()
            self.dates = [self._date(transaction, number, state) for number, state in enumerate(dates, 1)]

    def _date(self, transaction: Any, number: int, state: DateState) -> int:
        values = {"business_date": f"2026-11-{number:02}", "queue": 1, "position": number, "state": state}
        row = transaction.execute(insert(BackfillDate).values(backfill_id=self.id, **values).returning(BackfillDate.id))
        return int(row.scalar_one())

    @property
    def selection(self) -> Selection:
        """All of it."""
        return Selection.of_rows([TreeId(Layer.BACKFILL, self.id)])

    def date(self, number: int) -> Selection:
        """One data timestamp, counted from 1."""
        return Selection.of_rows([TreeId(Layer.DATE, self.dates[number - 1])])

    def instance(self, name: str, status: Status, date: int = 1, **columns: Any) -> int:
        """A script of a data timestamp, which is autonomous when that has begun."""
        return self.night.instance(name, status, **self._columns(date), **{"autonomous": self._begun(date)} | columns)

    def table(self, name: str, nodes: Sequence[tuple[Status, str]], date: int = 1) -> tuple[int, list[int]]:
        """A logical table; each node with its status and the fields it carries, `a b`."""
        table, ids = self.night.table(name, [status for status, _ in nodes], **self._columns(date))
        task = self.night.row(table).task_id
        with self.night.store.write() as transaction:
            fields = self._fields(transaction, task, {field for _, some in nodes for field in some.split()})
            for id, (_, carried) in zip(ids, nodes, strict=True):
                node = insert(Node).values(task_id=task, position=id, name=f"n{id}", code="").returning(Node.id)
                node_id = transaction.execute(node).scalar_one()
                rows = [{"node_id": node_id, "field_id": fields[field], "position": 0} for field in carried.split()]
                transaction.execute(insert(NodeField), rows)
                values = {**self._columns(date), "node_id": node_id, "autonomous": self._begun(date)}
                transaction.execute(update(Instance).where(Instance.id == id).values(**values))
        return table, ids

    def state(self) -> str:
        """Where the backfill stands."""
        return str(self.one("state"))

    def states(self) -> list[str]:
        """Where its data timestamps stand."""
        with self.night.store.read() as connection:
            found = select(BackfillDate.state).where(BackfillDate.backfill_id == self.id).order_by(BackfillDate.id)
            return list(connection.execute(found).scalars())

    def one(self, column: str) -> Any:
        """A column of the backfill."""
        return self._one(select(getattr(Backfill, column)).where(Backfill.id == self.id))

    def set(self, **columns: Any) -> None:
        """What somebody else does to it in the meantime."""
        with self.night.store.write() as transaction:
            transaction.execute(update(Backfill).where(Backfill.id == self.id).values(**columns, rev=transaction.rev))

    def _one(self, statement: Any) -> Any:
        with self.night.store.read() as connection:
            return connection.execute(statement).scalar_one()

    def _columns(self, date: int) -> dict[str, Any]:
        return {"origin": "backfill", "backfill_id": self.id, "backfill_date_id": self.dates[date - 1]}

    def _begun(self, date: int) -> bool:
        return self.states()[date - 1] in (DateState.BEGUN, DateState.DONE)

    def _fields(self, transaction: Any, task: int, names: set[str]) -> Mapping[str, int]:
        one = insert(LogicalField).returning(LogicalField.id)
        rows = {name: {"task_id": task, "position": 0, "name": name, "type": "", "is_key": False} for name in names}
        return {name: transaction.execute(one.values(row)).scalar_one() for name, row in rows.items()}
