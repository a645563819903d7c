"""What the pictures of a graph have in common: levels, search, folding, marks, and the words around them (RULES.md 15).

A picture is read and laid out in a thread, only ever as far as it was asked for; it stays as it is until it is asked
for again.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import date
from typing import Any, ClassVar, Literal

from textual import on, work
from textual.geometry import Size
from textual.message import Message
from textual.timer import Timer
from textual.widget import Widget
from typing_extensions import override

from dpconsole.core.graph.layout import Layout
from dpconsole.core.services import (
    Grouping,
    ListKind,
    ListRequest,
    QueryError,
    Timestamp,
    Window,
    WindowNode,
)
from dpconsole.screens.base import ConsoleScreen
from dpconsole.screens.dag_picture import Picture, draw_picture
from dpconsole.screens.prompts import ChoicePrompt, TextPrompt
from dpconsole.screens.reading import in_thread
from dpconsole.screens.session import Session
from dpconsole.screens.times import TimeDisplay, show_moment
from dpconsole.widgets.dag_view import DagView
from dpconsole.widgets.filter_bar import FilterBar
from dpconsole.widgets.ink import Cell, Ink, Piece
from dpconsole.widgets.line import Line
from dpconsole.widgets.status import chips

Direction = Literal["up", "down"]

RESIZE_REST = 0.2
"""Seconds a window keeps its size before the picture is laid out for it: one that is dragged does so once."""


@dataclass(frozen=True, slots=True)
class Asked:
    """What a picture is asked with. `opened` are nodes that stand by themselves though their group is folded."""

    main: Any
    up: int | None = 1
    down: int | None = 1
    expanded: frozenset[int] | Literal[True] = frozenset()
    by: Grouping = Grouping.NONE
    opened: frozenset[int] = frozenset()


class DagScreen(ConsoleScreen):
    """What the pictures of instances and of tasks have in common."""

    kind: ClassVar[ListKind]
    """Of what the nodes are, for queries by which they are marked."""
    groupings: ClassVar[Sequence[Grouping]] = tuple(Grouping)
    """What the nodes can be aggregated by."""

    class Drawn(Message):
        """The picture that was asked for; None when its main node is gone."""

        def __init__(self, asked: Asked, picture: Picture | None, facts: Facts, wanted: int | None) -> None:
            self.asked, self.picture, self.facts, self.wanted = asked, picture, facts, wanted
            super().__init__()

    class Matched(Message):
        """The rows of a query by which nodes are marked or unmarked."""

        def __init__(self, ids: Collection[int], marked: bool) -> None:
            self.ids, self.marked = ids, marked
            super().__init__()

    class Told(Message):
        """A thread has something to say to the operator."""

        def __init__(self, words: str) -> None:
            self.words = words
            super().__init__()

    def __init__(self, session: Session, main: Any) -> None:
        self.asked = Asked(main)
        self.picture: Picture | None = None
        self.facts = Facts()
        super().__init__(session)
        self.head, self.hover, self.about = Line(), Line(), Line()
        self.view = DagView()
        self.bar = FilterBar(placeholder="part of a name, or an id")
        self._sought_from = 0
        self._is_stale = False
        self._drawn_in: Size | None = None
        self._resting: Timer | None = None

    @override
    def body(self) -> Iterable[Widget]:
        self.bar.display = False
        yield self.head
        yield self.view
        yield self.bar
        yield self.hover
        yield self.about

    def on_mount(self) -> None:
        """Read the picture."""
        self.view.focus()
        self.arrived.clear()
        self.call_after_refresh(self.look, self.asked)

    # Reading and laying out

    def read(self, asked: Asked) -> Window | None:
        """The window; called in a thread."""
        raise NotImplementedError

    def read_facts(self, window: Window) -> Facts:
        """What is known beside the window; called in a thread."""
        return Facts()

    def look(self, asked: Asked, *, keep: bool = True, wanted: int | None = None) -> None:
        """Ask for a picture; the focus goes to the node `wanted`, or stays."""
        self.asked, self._drawn_in = asked, self._room
        layout = self.picture.layout if keep and self.picture else None
        self._draw(asked, layout, self._room, wanted)

    @in_thread("picture")
    def _draw(self, asked: Asked, keep: Layout | None, room: tuple[int, int], wanted: int | None) -> None:
        window = self.read(asked)
        if window is None:
            self.post_message(self.Drawn(asked, None, Facts(), wanted))
            return
        picture = draw_picture(window, asked.by, asked.opened, room, self.when(window), keep)
        self.post_message(self.Drawn(asked, picture, self.read_facts(window), wanted))

    @on(Drawn)
    def _show_drawn(self, message: Drawn) -> None:
        if message.asked is not self.asked:
            return
        self.arrived.set()
        before, self.picture, self.facts = self.picture, message.picture, message.facts
        self._is_stale = False
        if message.picture is None:
            self.view.empty_text = "It is no longer there."
            self.view.show(None, {}, 0)
        else:
            self.rev = max(self.rev, message.picture.window.rev)
            self.show_picture(self._next_focus(before, message.picture, message.wanted))

    def _next_focus(self, before: Picture | None, after: Picture, wanted: int | None) -> int:
        """The node that is wanted, or that was in focus, or what that was folded into or opened to; or the main one."""
        if before is None:
            return after.main
        here = before.box(self.view.focused_node).members[0]
        parent = before.window.nodes[here].parent
        inside = (id for id, node in after.window.nodes.items() if node.parent == here)
        for id in (wanted, here, parent, *inside):
            if id is not None and (box := after.box_of(id)) is not None:
                return box
        return after.main

    def show_picture(self, focus: int) -> None:
        """Show the picture anew, and all that speaks of it."""
        picture = self.picture
        assert picture is not None
        self.view.show(picture.layout, picture.cells(self.when(picture.window)), focus, picture.members)
        self._show_words()

    def _show_words(self) -> None:
        self.refresh_header(now=True)
        self._show_head()
        self._show_hover()
        self.refresh_keys()

    def when(self, window: Window) -> Any:
        """How due times are written: by day where they are not of the run day of the main node."""
        main, session = window.nodes[window.anchor], self.session
        day = date.fromisoformat(main.business_date) if main.business_date else None
        return lambda due: show_moment(due, session.times, self.services.zone, session.now, day)

    # The window

    @property
    def _room(self) -> Size:
        """The window of the picture; the line of a search only borrows from it."""
        width, height = self.view.size
        return Size(width, height + self.bar.display)

    @on(DagView.Resized)
    def _let_rest(self) -> None:
        if self._resting is not None:
            self._resting.stop()
        self._resting = self.set_timer(RESIZE_REST, self._fit_window)

    def _fit_window(self) -> None:
        """Lay out again where the window is not as large as it was; the focus stays."""
        if self._drawn_in not in (None, self._room):
            self.look(replace(self.asked))

    # What stands above and below

    @property
    @override
    def heading(self) -> str:
        main = self._main
        if self.picture is None or main is None:
            return self.title_words
        is_whole = self.picture.window.main in self.picture.window.nodes
        return f"{self.title_words} of {main.title if is_whole else main.task.partition('.')[2]}"

    @property
    def _main(self) -> WindowNode | None:
        window = self.picture.window if self.picture else None
        return window.nodes[window.anchor] if window else None

    @property
    def here(self) -> int:
        """The box in focus; to be asked only where there is a picture."""
        return self.view.focused_node

    @property
    def focused_node(self) -> WindowNode | None:
        """The node in focus; None without a picture, and on a box of several."""
        return self.picture.node(self.here) if self.picture else None

    def _show_head(self) -> None:
        if self.picture is None:
            self.head.show("")
            return
        window = self.picture.window
        up, down = ("all" if levels is None else f"{levels}" for levels in (window.up, window.down))
        said: list[Piece] = [
            (f"{up} up, {down} down   ", Ink.PLAIN),
            (f"{_number(len(window.nodes), 'node')}, {_number(len(window.edges), 'edge')}", Ink.DIM),
        ]
        if self.asked.by is not Grouping.NONE:
            said.append((f"   by {self.asked.by}", Ink.ACCENT))
        if window.truncated:
            said.append(("   not all of them fit: ask for fewer levels", Ink.WARNING))
        self.head.show(said, self.aside())

    def aside(self) -> Cell:
        """What the head says at its right end."""
        return ""

    def _show_hover(self) -> None:
        if self.picture is None:
            return
        node = self.focused_node
        if node is not None:
            self.hover.show(self.hover_cell(node), self.hover_note(node))
            self.about.show([(self.about_words(node), Ink.DIM)])
            return
        box = self.picture.box(self.here)
        what = "more of this level" if box.rest else box.value
        opens = self.session.keymap["dag.open"].display
        self.hover.show([(f"{len(box.members):,} nodes: {what}   ", Ink.STRONG), *chips(box.counts)])
        self.about.show([(f"{opens} shows them one by one", Ink.DIM)])

    def hover_cell(self, node: WindowNode) -> Cell:
        """What there is to say about a node."""
        raise NotImplementedError

    def hover_note(self, node: WindowNode) -> Cell:
        """What hinders the operator there."""
        return ""

    def about_words(self, node: WindowNode) -> str:
        """What the node is for."""
        return node.description

    @on(DagView.Moved)
    def _moved(self) -> None:
        self._show_hover()
        self.refresh_keys()

    @on(DagView.MarksChanged)
    def _marks_changed(self) -> None:
        self.refresh_keys()

    @property
    @override
    def note(self) -> str:
        """`2 marked (0 off screen)`, and whether the picture has to be read again."""
        parts = []
        if marked := self.view.marks.ids:
            boxes = {id: self.picture.box_of(id) if self.picture else None for id in marked}
            off = sum(1 for box in boxes.values() if box is None or not self.view.in_sight(box))
            parts.append(f"{len(marked):,} marked ({off:,} off screen)")
        if self._is_stale:
            parts.append(f"changed - {self.session.keymap['dag.refresh'].display}")
        return "   ".join(parts)

    # More and less

    def action_more(self, up: int, down: int) -> None:
        """So many levels more on each side."""
        asked = self.asked
        wanted = replace(asked, up=_more(asked.up, up), down=_more(asked.down, down))
        self._extend(wanted, "up" if up else "down")

    def action_all(self, direction: Direction) -> None:
        """All levels on one side."""
        wanted = replace(self.asked, up=None) if direction == "up" else replace(self.asked, down=None)
        self._extend(wanted, direction)

    def _extend(self, asked: Asked, direction: Direction) -> None:
        """Ask for more levels where there are any."""
        if self.picture is None:
            return
        if self._has_more(direction):
            self.look(asked)
        else:
            self.notify(f"Nothing more {direction}stream", timeout=3, markup=False)

    def _has_more(self, direction: Direction) -> bool:
        assert self.picture is not None
        sign = -1 if direction == "up" else 1
        beyond = (node.hidden_up if sign < 0 else node.hidden_down for node in self._side(sign))
        return self.picture.window.truncated or any(beyond)

    def _side(self, sign: int) -> Iterable[WindowNode]:
        assert self.picture is not None
        return (node for node in self.picture.window.nodes.values() if node.level * sign >= 0)

    def action_fold_levels(self) -> None:
        """Back to one level up and one down."""
        self.look(replace(self.asked, up=1, down=1, opened=frozenset()))

    def action_refresh_picture(self) -> None:
        """Read again, and lay out afresh."""
        self.look(replace(self.asked), keep=False)

    def action_main_node(self) -> None:
        """Back to the main node."""
        if self.picture is not None:
            self.view.go_to(self.picture.main)

    @work
    async def action_aggregate(self) -> None:
        """Fold what has something in common into one box."""
        choices = [(by.value, _TITLES[by]) for by in self.groupings]
        asked = ChoicePrompt(self.session, "Aggregate", choices, chosen=(self.asked.by.value,))
        chosen = await self.app.push_screen_wait(asked)
        if chosen is not None:
            self.look(replace(self.asked, by=Grouping(chosen), opened=frozenset()), keep=False)

    @on(DagView.Opened)
    def _open(self) -> None:
        if self.picture is None:
            return
        node = self.focused_node
        if node is not None:
            self.open_node(node)
        else:
            self._unfold(self.picture.box(self.here).members)

    def open_node(self, node: WindowNode) -> None:
        """Show all there is to know about a node."""
        raise NotImplementedError

    def _unfold(self, members: Collection[int]) -> None:
        """Show nodes by themselves; the focus goes to the one that was searched for, or that failed, or the first."""
        assert self.picture is not None
        sought = self._hits()
        first = next((node.id for node in (*sought, *self.picture.order) if node.id in members), None)
        self.look(replace(self.asked, opened=self.asked.opened | frozenset(members)), wanted=first)

    # Times

    def action_time_display(self) -> None:
        """Show times in the next way."""
        self.session.times = self.session.times.next
        self.refresh_header(now=True)
        self.look(replace(self.asked))

    @override
    def on_minute(self) -> None:
        if self.picture is not None and self.session.times is TimeDisplay.AGE:
            self.view.write(self.picture.cells(self.when(self.picture.window)))
        self._show_hover()

    # Search

    def action_search(self) -> None:
        """Go to what is called so while it is typed; Enter goes on to the next."""
        self._sought_from = self.here
        self.bar.display = True
        self.bar.focus_input()

    def _hits(self) -> Sequence[WindowNode]:
        wanted = self.bar.text.strip().casefold()
        if not wanted or self.picture is None:
            return ()
        return [node for node in self.picture.order if wanted in node.title.casefold() or wanted in node.key.casefold()]

    @on(FilterBar.Changed)
    def _search_live(self) -> None:
        self._seek(self._sought_from, inclusive=True)

    @on(FilterBar.Submitted)
    def _search_on(self) -> None:
        self._seek(self.here, inclusive=False)

    def _seek(self, start: int, *, inclusive: bool) -> None:
        """To the first hit from a box on, round and round."""
        hits = self._hits()
        if self.picture is None or not self.bar.display:
            return
        boxes = list(dict.fromkeys(self.picture.grouped.group_of[node.id] for node in hits))
        order = list(dict.fromkeys(self.picture.grouped.group_of[node.id] for node in self.picture.order))
        at = order.index(start) if start in order else 0
        around = order[at + (not inclusive) :] + order[: at + (not inclusive)]
        found = next((box for box in around if box in boxes), None)
        if found is not None:
            self.view.go_to(found)
        self.head.show(self._search_words(len(hits)), self.aside())

    def _search_words(self, hits: int) -> Cell:
        if not self.bar.text.strip():
            return [("search by name or id, in what is shown", Ink.DIM)]
        if not hits:
            return [("0 found", Ink.WARNING)]
        back = self.session.keymap["app.peel"].display
        return [(f"{hits:,} found", Ink.STRONG), (f"   Enter the next one, {back} back to the picture", Ink.DIM)]

    @override
    def peel_one(self) -> bool:
        """Typing, marks, what was opened: in this order."""
        if self.bar.has_focus_within:
            self.bar.display = False
            self.view.focus()
            self._show_head()
            return True
        if self.view.peel():
            return True
        if self.asked.opened:
            self.look(replace(self.asked, opened=frozenset()))
            return True
        return False

    # Marks

    async def action_move(self, name: str) -> None:
        """Let the picture do it."""
        await self.app.run_action(name, self.view)

    @on(DagView.LikeRequested)
    def _mark_like(self) -> None:
        """Mark what is of the same kind in an aggregated picture, else what it would be aggregated by first."""
        if self.picture is None:
            return
        value = next(_ALIKE[by] for by in (self.asked.by, *self.groupings) if by in _ALIKE)
        like = value(self.picture.window.nodes[self.picture.box(self.here).members[0]])
        ids = [id for id, node in self.picture.window.nodes.items() if value(node) == like]
        self._mark_matched(self.Matched(ids, True))

    @work
    async def action_mark_query(self, marked: bool) -> None:
        """Mark or unmark the nodes that a query matches."""
        title = "Mark by query" if marked else "Unmark by query"
        text = await self.app.push_screen_wait(TextPrompt(self.session, title, placeholder="status:failed owner:me"))
        if text and self.picture is not None:
            self._mark_matching(text, tuple(self.picture.window.nodes), marked)

    @in_thread("marks")
    def _mark_matching(self, text: str, ids: Sequence[int], marked: bool) -> None:
        request = ListRequest(self.kind, environment=self.session.environment, text=text)
        try:
            self.post_message(self.Matched(self.services.lists.refilter(request, ids), marked))
        except QueryError as error:
            self.post_message(self.Told(str(error)))

    @on(Matched)
    def _mark_matched(self, message: Matched) -> None:
        self.view.mark(message.ids, message.marked)
        verb = "marked" if message.marked else "unmarked"
        self.notify(f"{len(message.ids):,} nodes {verb}", timeout=3, markup=False)

    @on(Told)
    def _tell(self, message: Told) -> None:
        self.notify(message.words, severity="warning", markup=False)


_TITLES: Mapping[Grouping, str] = {
    Grouping.NONE: "not at all",
    Grouping.STATUS: "by status",
    Grouping.PROJECT: "by project",
    Grouping.OWNER: "by owner",
    Grouping.PRIORITY: "by priority",
}

_ALIKE: Mapping[Grouping, Any] = {
    Grouping.STATUS: lambda node: node.status,
    Grouping.PROJECT: lambda node: node.project,
    Grouping.OWNER: lambda node: node.owner,
    Grouping.PRIORITY: lambda node: node.effective_priority,
}
"""What nodes have in common that `,` marks together."""


def _number(count: int, what: str) -> str:
    return f"{count:,} {what}{'s' * (count != 1)}"


def _more(levels: int | None, more: int) -> int | None:
    return None if levels is None else levels + more


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known beside a window: where the operator may not act, and the data timestamps of its backfill."""

    forbidden: frozenset[str] = frozenset()
    dates: tuple[Timestamp, ...] = ()
