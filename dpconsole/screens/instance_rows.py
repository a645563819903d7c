"""What every list of instances has: verbs on its marks, details of its rows, and terms for alike rows."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from textual import on
from typing_extensions import override

from dpconsole.core.domain.definitions import Priority
from dpconsole.core.services import InstanceRow, Layer, ListRequest, Record, Selection, TreeId
from dpconsole.screens.asking import OpenInstance, OpenLog, OpenTask
from dpconsole.screens.keymap import Key
from dpconsole.screens.listing import ListScreen
from dpconsole.screens.verbs import Verbs
from dpconsole.widgets.row_table import RowTable


def quoted(text: str) -> str:
    """A value as the query language takes it literally."""
    escaped = text.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'


INSTANCE_TERMS: Mapping[str, Callable[[InstanceRow], str]] = {
    "name": lambda row: f"task:{quoted(row.task)}",
    "status": lambda row: f"status:{row.status}",
    "chips": lambda row: f"status:{row.status}",
    "cycle": lambda row: f"cycle:{row.cycle}",
    "biz": lambda row: f"biz:{row.business_date}",
    "prio": lambda row: f"prio:{Priority.of(row.effective_priority)}",
    "owner": lambda row: f"owner:{quoted(row.owner)}",
    "project": lambda row: f"project:{quoted(row.project)}",
    "group": lambda row: f"group:{quoted(row.resource_group)}",
}
"""By column: the term that matches the instances whose cell reads the same."""


class InstanceRows(Verbs, ListScreen):
    """A list of instances."""

    @override
    def selection(self) -> Selection | None:
        """The marks; a query with exclusions when everything that matches is marked, or else the cursor's row."""
        marks = self.table.targets()
        if not marks:
            return None
        if not marks.everything:
            return Selection.of(marks.ids)
        request = marks.scope
        assert isinstance(request, ListRequest)
        return Selection(
            query=request.text, without=marks.ids, listing=request.listing, environment=request.environment
        )

    @override
    def to_watch(self) -> Sequence[TreeId]:
        marks = self.table.targets()
        ids = self.table.ids if marks.everything else marks.ids
        return [TreeId(Layer.INSTANCE, id) for id in ids if id in marks]

    @override
    def _is_refused(self, entry: Key) -> bool:
        return not self.table.marks and super()._is_refused(entry)

    @override
    def acted(self, record: Record) -> None:
        self.table.marks.clear()
        self.table.refresh()
        self.refresh_keys()

    @on(RowTable.Opened)
    def _open(self, message: RowTable.Opened) -> None:
        self.open_row(message.row_id)

    def open_row(self, row_id: int) -> None:
        """See into a row."""
        self.app.post_message(OpenInstance(row_id))

    def action_open_log(self) -> None:
        """The run log of the instance under the cursor."""
        if self.row is not None:
            self.app.post_message(OpenLog(self.row.id))

    def action_go_task(self) -> None:
        """The task of the instance under the cursor."""
        if self.row is not None:
            self.app.post_message(OpenTask(self.row.task))
