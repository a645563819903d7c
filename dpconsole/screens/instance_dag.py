"""The DAG of an instance: what it hangs together with, a few levels around it, live (RULES.md 15).

Statuses follow the night in their places; who hangs together with whom is read again on demand. Marks and verbs are
those of every list.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import replace
from typing import Literal

from textual import on, work
from textual.message import Message
from typing_extensions import override

from dpconsole.core.services import (
    Delta,
    Explanation,
    Layer,
    ListKind,
    Record,
    Selection,
    Timestamp,
    TreeId,
    Window,
    WindowNode,
    next_failed,
    window_ids,
)
from dpconsole.screens.asking import OpenInstance, OpenLog, OpenTaskDag
from dpconsole.screens.dag import Asked, DagScreen, Facts
from dpconsole.screens.export import LEVELS, NeighboursExport
from dpconsole.screens.keymap import Key
from dpconsole.screens.prompts import ChoicePrompt
from dpconsole.screens.reading import in_thread
from dpconsole.screens.session import Session
from dpconsole.screens.times import show_took
from dpconsole.screens.verbs import Verbs
from dpconsole.widgets.ink import Cell, Ink
from dpconsole.widgets.status import status_cell

FARTHEST = 24
"""Levels up to which a start blocking node is looked for before the operator is sent there instead."""


class InstanceDagScreen(Verbs, DagScreen):
    """The picture around an instance, live."""

    stack = "dag"
    title_words = "DAG"
    kind = ListKind.INSTANCES

    class Refreshed(Message):
        """Nodes as they are now."""

        def __init__(self, of: Asked, nodes: Mapping[int, WindowNode], rev: int) -> None:
            self.of, self.nodes, self.rev = of, nodes, rev
            super().__init__()

    class Turned(Message):
        """The same picture on another data timestamp."""

        def __init__(self, window: Window, ids: Mapping[int, int], day: str) -> None:
            self.window, self.ids, self.day = window, ids, day
            super().__init__()

    class Blocked(Message):
        """What blocks a node at the root."""

        def __init__(self, node: int, found: Explanation, window: Window | None, asked: Asked) -> None:
            self.node, self.found, self.window, self.asked = node, found, window, asked
            super().__init__()

    def __init__(self, session: Session, instance_id: int) -> None:
        super().__init__(session, instance_id)
        self._blocking: tuple[int, ...] = ()
        self._changed: set[int] = set()

    @override
    def read(self, asked: Asked) -> Window | None:
        return self.services.window(asked.main, asked.up, asked.down, expanded=asked.expanded)

    @override
    def read_facts(self, window: Window) -> Facts:
        backfill_id = window.nodes[window.anchor].backfill_id
        return Facts(
            self.services.forbidden({node.project for node in window.nodes.values()}),
            tuple(self.services.timestamps(backfill_id)) if backfill_id else (),
        )

    # What a node says

    @override
    def hover_cell(self, node: WindowNode) -> Cell:
        status = [] if node.status is None else status_cell(node.status, paused=node.paused, width=22)
        shown = "-" if node.due_at is None or self.picture is None else self.when(self.picture.window)(node.due_at)
        took = show_took(node.started_at, node.ended_at, self.session.now)
        facts = [node.type.replace("_", " "), node.cycle, node.owner, f"due {shown}", f"took {took}"]
        if node.backfill:
            facts = [node.key, f"due {shown}", f"took {took}", node.backfill, node.owner]
        return [(f"{node.title}  ", Ink.STRONG), *status, ("  " + "  ".join(filter(None, facts)), Ink.PLAIN)]

    @override
    def hover_note(self, node: WindowNode) -> Cell:
        if node.project in self.facts.forbidden:
            return [(f"no permission in {node.project}", Ink.WARNING)]
        return [(node.project, Ink.DIM)]

    @override
    def about_words(self, node: WindowNode) -> str:
        waits = f"no upstream instance of {', '.join(node.vacuous)}" if node.vacuous else ""
        parts = f"{node.parts} materialization nodes" if node.parts else ""
        return "   ".join(filter(None, (node.description, parts, waits)))

    @override
    def aside(self) -> Cell:
        main, dates = self._main, self.facts.dates
        if main is None or not dates:
            return [("data timestamp ", Ink.DIM), (main.business_date if main else "", Ink.PLAIN)]
        at = [one.id for one in dates].index(main.backfill_date_id) if main.backfill_date_id else 0
        return [(main.business_date, Ink.STRONG), (f"   {at + 1} of {len(dates)} data timestamps", Ink.DIM)]

    # Live

    @override
    def take(self, delta: Delta) -> None:
        if self.picture is None:
            return
        concerned = window_ids(self.picture.window)
        changed = concerned if delta.everything else concerned & delta.ids.get("instance", frozenset())
        if changed:
            self._read_again(changed)

    @override
    def show_picture(self, focus: int) -> None:
        """Show the picture; what was committed while it was read is read again."""
        super().show_picture(focus)
        assert self.picture is not None
        if self.picture.window.rev < self.rev:
            self._read_again(window_ids(self.picture.window))

    def _read_again(self, changed: Collection[int]) -> None:
        """Read these rows, and those that were asked for and are not there yet: only the newest answer counts."""
        assert self.picture is not None
        self._changed.update(changed)
        self._refresh(self.asked, self.picture.window, frozenset(self._changed), self.rev)

    @in_thread("refresh")
    def _refresh(self, of: Asked, window: Window, changed: Collection[int], rev: int) -> None:
        self.post_message(self.Refreshed(of, self.services.refreshed(window, changed), rev))

    @on(Refreshed)
    def _show_refreshed(self, message: Refreshed) -> None:
        if self.picture is None or message.of.main != self.asked.main or message.rev < self.picture.window.rev:
            return
        if message.rev >= self.rev:
            self._changed.clear()
        known = {id: node for id, node in message.nodes.items() if id in self.picture.window.nodes}
        self.picture = self.picture.with_nodes(known, message.rev)
        when = self.when(self.picture.window)
        boxes = {self.picture.grouped.group_of[id] for id in known}
        self.view.write({box: self.picture.cell(box, when) for box in boxes})
        if self.here in boxes:
            self._show_hover()
            self.refresh_keys()

    # Rows and verbs

    @property
    @override
    def row(self) -> WindowNode | None:
        return self.focused_node

    @override
    def selection(self) -> Selection | None:
        if self.picture is None:
            return None
        return Selection.of(self.view.marks.ids or self.picture.box(self.here).members)

    @override
    def to_watch(self) -> Sequence[TreeId]:
        selection = self.selection()
        return [TreeId(Layer.INSTANCE, id) for id in (selection.ids if selection else ())]

    @override
    def acted(self, record: Record) -> None:
        self.view.peel()

    @override
    def _works(self, entry: Key) -> bool:
        if entry.id in ("dag.date_before", "dag.date_after"):
            return len(self.facts.dates) > 1
        return super()._works(entry)

    @override
    def _is_refused(self, entry: Key) -> bool:
        node = self.focused_node
        if self.view.marks or node is None:
            return self.picture is None
        return node.project in self.facts.forbidden or super()._is_refused(entry)

    @override
    def open_node(self, node: WindowNode) -> None:
        self.app.post_message(OpenInstance(node.id))

    @override
    def action_dag(self) -> None:
        """Make the node in focus the main one."""
        node = self.focused_node
        if node is not None and node.id != self.asked.main:
            self.look(Asked(node.id, expanded=self.asked.expanded), wanted=node.id)

    def action_open_log(self) -> None:
        """The run log of the node."""
        if self.row is not None:
            self.app.post_message(OpenLog(self.row.id))

    def action_go_task(self) -> None:
        """The task's own DAG."""
        if self.row is not None:
            self.app.post_message(OpenTaskDag(self.row.task))

    # Failed, and what blocks

    def action_failed(self, step: Literal[1, -1]) -> None:
        """To the next failed node, or the box it is folded into; or to the one before."""
        picture = self.picture
        if picture is None:
            return
        at: int | None = picture.box(self.here).members[-1 if step == 1 else 0]
        for _ in picture.window.nodes:
            at = next_failed(picture.window, at, step) if at is not None else None
            if at is None or picture.grouped.group_of[at] != self.here:
                break
        if at is None:
            self.notify("Nothing failed in this picture", timeout=3)
        else:
            self.view.go_to(picture.grouped.group_of[at])

    def action_blocking(self) -> None:
        """To the node that blocks this one at the root; again to the next of them."""
        node = self.focused_node
        if node is None or self.picture is None:
            return
        if node.id in self._blocking and len(self._blocking) > 1:
            after = self._blocking.index(node.id) + 1
            self._go_to_row(self._blocking[after % len(self._blocking)])
        else:
            self._find_blocking(self.asked, self.picture.window, node.id)

    @in_thread("blocking")
    def _find_blocking(self, asked: Asked, window: Window, node: int) -> None:
        """Explain a node; where its root is not in the picture, more is read until it is."""
        found = self.services.explain(node)
        if found is None:
            return
        missing = {one.id for one in found.start_blocking} - window_ids(window) - window.nodes.keys()
        wider = replace(asked, main=node) if missing and node != window.anchor else asked
        levels = wider.up
        grown: Window | None = window
        while missing and levels is not None and levels < FARTHEST and grown is not None:
            levels += 1
            wider = replace(wider, up=levels)
            grown = self.read(wider)
            missing -= (window_ids(grown) | grown.nodes.keys()) if grown else set()
        self.post_message(self.Blocked(node, found, None if missing else grown, wider))

    @on(Blocked)
    def _show_blocking(self, message: Blocked) -> None:
        roots = tuple(one.id for one in message.found.start_blocking)
        if not roots:
            self.notify(message.found.summary, timeout=6, markup=False)
        elif message.window is None:
            first = message.found.start_blocking[0]
            self.notify(f"{first.name} blocks it, further up than a picture holds", timeout=6, markup=False)
        else:
            self._blocking = roots
            if message.asked == self.asked:
                self._go_to_row(roots[0])
            else:
                self.look(message.asked, wanted=roots[0])

    def _go_to_row(self, id: int) -> None:
        box = self.picture.box_of(id) if self.picture else None
        if box is not None:
            self.view.go_to(box)

    # Materialization nodes

    def action_toggle_nodes(self) -> None:
        """Show the materialization nodes of the table, or fold them into it again."""
        node = self.focused_node
        if node is None or self.picture is None:
            return
        table = node.parent if node.parent is not None else node.id
        expanded = self.picture.window.expanded
        if table in expanded:
            self.look(replace(self.asked, expanded=expanded - {table}))
        elif node.parts:
            self.look(replace(self.asked, expanded=expanded | {table}))
        else:
            self.notify("Only logical tables have materialization nodes", timeout=3)

    def action_toggle_all_nodes(self) -> None:
        """Show the materialization nodes of all tables, or fold them all."""
        if self.picture is not None:
            folded = any(node.parts for node in self.picture.window.nodes.values())
            self.look(replace(self.asked, expanded=True if folded else frozenset()))

    # The other data timestamps of a backfill

    def action_date(self, step: int) -> None:
        """The same picture on the data timestamp before, or after."""
        main, dates = self._main, self.facts.dates
        if self.picture is None or main is None or len(dates) < 2:
            self.notify("Only backfills have other data timestamps", timeout=3)
            return
        at = [one.id for one in dates].index(main.backfill_date_id or dates[0].id) + step
        if 0 <= at < len(dates):
            self._turn(self.asked, self.picture.window, dates[at])
        else:
            self.notify(f"This is the {'first' if step < 0 else 'last'} data timestamp", timeout=3, markup=False)

    @in_thread("turn")
    def _turn(self, asked: Asked, window: Window, day: Timestamp) -> None:
        turned = self.services.turned(window, day.id)
        if turned is not None:
            self.post_message(self.Turned(*turned, day.business_date))
            return
        twin = self.services.twins((window.main,), day.id).get(window.main)
        if twin is None or twin == window.main:
            self.post_message(self.Told(f"It was not made for {day.business_date}"))
            return
        there = self.read(replace(asked, main=twin))
        if there is not None:
            self.post_message(self.Turned(there, {}, day.business_date))

    @on(Turned)
    def _show_turned(self, message: Turned) -> None:
        picture, ids = self.picture, message.ids
        if picture is None:
            return
        expanded = self.asked.expanded
        if expanded is not True:
            expanded = frozenset(ids.get(table, table) for table in expanded)
        opened = frozenset(ids.get(id, id) for id in self.asked.opened)
        asked = replace(self.asked, main=message.window.main, expanded=expanded, opened=opened)
        if not ids:
            self.look(asked, keep=False)
            return
        here = ids[picture.box(self.here).members[0]]
        self.asked = asked
        self.picture = picture.of(message.window, ids)
        self.show_picture(self.picture.box_of(here) or self.picture.main)

    # Download

    @work
    async def action_export(self) -> None:
        """Write a workbook of what is upstream and downstream of the node in focus."""
        node = self.focused_node
        if node is None:
            return
        chosen: list[int | None] = []
        for side in ("upstream", "downstream"):
            asked = ChoicePrompt(self.session, f"{node.title}: levels {side}", LEVELS, chosen=("1",))
            answer = await self.app.push_screen_wait(asked)
            if answer is None:
                return
            chosen.append(None if answer == "all" else int(answer))
        dialog = NeighboursExport(self.session, node.name, node.id, *chosen)
        path = await self.app.push_screen_wait(dialog)
        if path is not None:
            self.notify(f"Written: {path}", markup=False)
