"""The picture of a dependency graph, on the line API: drawn line by line as it comes into sight, and never as a whole.

The core says where everything stands (`Layout`), the screen says what is written on the nodes; this widget draws both,
scrolls, and walks. The node in focus is on the ground of the cursor and the wires that lead to it are brought out. A
key repaints the stretches of lines that differ from what is on the screen, a node that changed its words only its own.

    view.show(layout, cells, focus, members)    # another picture, or the same grown; the focus stays where it was seen
    view.write({node: cell})                    # these nodes say something else now; nothing moves
    view.mark(ids, True)                        # marks are of rows, of which a node may stand for several
    view.go_to(node)

Keys come from the registry; these are the actions to bind:

    cursor_up cursor_down column_left column_right page_up page_down half_page_up half_page_down home end open
    mark_and_step mark_all invert_marks mark_like previous_mark next_mark

Posted: `Moved`, `Opened`, `Resized`, `MarksChanged`, `LikeRequested`.
Sheet: `styles/dag_view.tcss`, with `styles/inks.tcss`.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Collection, Iterable, Iterator, Mapping
from dataclasses import dataclass

from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from dpconsole.core.domain.text import clean
from dpconsole.core.graph.layout import Arm, Layout, Place
from dpconsole.core.graph.painting import frames, wire_glyph
from dpconsole.widgets.cells import cut_cells, fit, width_of
from dpconsole.widgets.ink import INK_CLASSES, Cell, Ink, Piece, inked, pieces
from dpconsole.widgets.marks import Marks
from dpconsole.widgets.strips import join, stretches

MARGIN = 1
"""Free columns on both sides of the picture: the signs of the outermost nodes stand there."""

WHEEL = 3
"""Lines a notch of the wheel scrolls; columns three times as many, for a cell is half as wide as it is high."""

MARKED, PARTLY, CURSOR = "●", "◌", "›"
"""What stands before a node that is marked, of which some is marked, or that is in focus."""

LEFTWARDS, RIGHTWARDS = "‹", "›"
"""What stands at the edges of the window where a line goes on beyond them."""

WIRE, LIT, FOCUS, AWAY, EMPTY = (
    "dag-view--wire",
    "dag-view--lit",
    "dag-view--focus",
    "dag-view--away",
    "dag-view--empty",
)


@dataclass(frozen=True, slots=True)
class Span:
    """Characters from a column on, in one style."""

    x: int
    text: str
    style: Style
    width: int


class DagView(ScrollView, can_focus=True, inherit_bindings=False):
    """The picture; see the module's first page for how it is used."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES = INK_CLASSES | {WIRE, LIT, FOCUS, AWAY, EMPTY}
    DEFAULT_CSS = "DagView { height: 1fr; overflow: hidden hidden; scrollbar-size: 0 0; }"

    class NodeMessage(Message):
        """A message about a node."""

        def __init__(self, view: DagView, node: int) -> None:
            self.view, self.node = view, node
            super().__init__()

        @property
        def control(self) -> DagView:
            """The view, for `@on` selectors."""
            return self.view

    class Moved(NodeMessage):
        """Another node is in focus."""

        def can_replace(self, message: Message) -> bool:
            """Only the last one counts."""
            return isinstance(message, DagView.Moved) and message.view is self.view

    class Opened(NodeMessage):
        """The operator wants to see into a node."""

    class Resized(NodeMessage):
        """The window is of another size."""

    class MarksChanged(NodeMessage):
        """Marks changed; read `view.marks`."""

    class LikeRequested(NodeMessage):
        """Mark all nodes that are like this one."""

    def __init__(self, *, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._layout: Layout | None = None
        self._cells: dict[int, list[Piece]] = {}
        self._on_line: Mapping[int, list[int]] = {}
        self._frames: Mapping[int, dict[int, str]] = {}
        self._focus = 0
        self._lit: Mapping[int, frozenset[int]] = {}
        self._members: Mapping[int, Collection[int]] = {}
        self.marks = Marks()
        self._strips: dict[int, Strip] = {}
        self._left = 0
        self._looks: dict[tuple[str, Ink], Style] = {}
        self._empty_text = ""

    # What is shown

    @property
    def focused_node(self) -> int:
        """The node in focus."""
        return self._focus

    @property
    def empty_text(self) -> str:
        """What stands in the middle where there is no picture."""
        return self._empty_text

    @empty_text.setter
    def empty_text(self, text: str) -> None:
        self._empty_text = text
        self.refresh()

    def show(
        self,
        layout: Layout | None,
        cells: Mapping[int, Cell],
        focus: int,
        members: Mapping[int, Collection[int]] | None = None,
    ) -> None:
        """Show a picture, with `cells` on its nodes; None shows none. The node in focus stays where it stood.

        `members` are the ids of the rows each node stands for, by themselves where they are not given.
        """
        before, shift = self._lines_in_sight(), self._seen_at()
        self._layout, self._focus = layout, focus
        self._cells = {node: _cleaned(cell) for node, cell in cells.items()}
        self._members = {node: (node,) for node in cells} if members is None else members
        self._lay_out()
        self.virtual_size = self._picture_size()
        self._look_at(*self._beside(shift))
        self._repaint(before)

    def write(self, cells: Mapping[int, Cell]) -> None:
        """These nodes say something else now; what does not fit in its place is cut."""
        changed_nodes = {node: cell for node, cell in cells.items() if node in self._cells}
        self._cells |= {node: _cleaned(cell) for node, cell in changed_nodes.items()}
        self._redraw_nodes(changed_nodes)

    def mark(self, ids: Iterable[int], marked: bool = True) -> None:
        """Mark or unmark rows, wherever they are."""
        (self.marks.add if marked else self.marks.discard)(ids)
        self._marks_changed()

    def peel(self) -> bool:
        """Esc: drop the marks; whether there were any."""
        if not self.marks:
            return False
        self.marks.clear()
        self._marks_changed()
        return True

    def in_sight(self, node: int) -> bool:
        """Whether a node is on the screen."""
        place = self._place(node)
        return place is not None and self._window.overlaps(_region(place))

    # Walking

    def go_to(self, node: int) -> None:
        """Put the focus on a node; past the window's edge the picture scrolls half a window."""
        if self._layout is None or node not in self._layout.places or node == self._focus:
            return
        before, lines = self._lines_in_sight(), {*self._lit, *self._lines_of(self._focus)}
        self._focus = node
        self._light()
        self._forget({*lines, *self._lit, *self._lines_of(node)})
        self._reveal()
        self._repaint(before)
        self.post_message(self.Moved(self, node))

    def action_cursor_up(self) -> None:
        """The node above."""
        self._step(Arm.N)

    def action_cursor_down(self) -> None:
        """The node below."""
        self._step(Arm.S)

    def action_column_left(self) -> None:
        """To an upstream, or the node to the left where the picture runs down."""
        self._step(Arm.W)

    def action_column_right(self) -> None:
        """To a downstream, or the node to the right where the picture runs down."""
        self._step(Arm.E)

    def action_page_up(self) -> None:
        """A window further up among the nodes of the layer."""
        self._stride(-1.0)

    def action_page_down(self) -> None:
        """A window further down."""
        self._stride(1.0)

    def action_half_page_up(self) -> None:
        """Half a window further up."""
        self._stride(-0.5)

    def action_half_page_down(self) -> None:
        """Half a window further down."""
        self._stride(0.5)

    def action_home(self) -> None:
        """To the first node of the layer."""
        self._stride(float("-inf"))

    def action_end(self) -> None:
        """To the last node of the layer."""
        self._stride(float("inf"))

    def action_mark_and_step(self) -> None:
        """Mark what the node stands for, or unmark it, and go on to the next of its layer."""
        if self._layout is not None:
            members = self._members[self._focus]
            self.mark(members, not all(id in self.marks for id in members))
            self._step(Arm.E if self._layout.top_down else Arm.S)

    def action_mark_all(self) -> None:
        """Mark all that the picture shows, and what is folded in it."""
        self.mark(self._everything)

    def action_invert_marks(self) -> None:
        """Mark what is unmarked, unmark what is marked."""
        unmarked = [id for id in self._everything if id not in self.marks]
        self.marks.clear()
        self.mark(unmarked)

    def action_mark_like(self) -> None:
        """Ask the screen to mark what is like the node."""
        if self._layout is not None:
            self.post_message(self.LikeRequested(self, self._focus))

    def action_previous_mark(self) -> None:
        """To the marked node before."""
        self._go_to_mark(-1)

    def action_next_mark(self) -> None:
        """To the next marked node."""
        self._go_to_mark(1)

    def _go_to_mark(self, step: int) -> None:
        places = self._layout.places if self._layout else {}
        order = sorted(places, key=lambda node: (places[node].layer, self._along(places[node])))
        if self._focus in order:
            at = order.index(self._focus)
            after = order[at + 1 :] if step > 0 else order[:at][::-1]
            self.go_to(next((node for node in after if self._sign(node) in (MARKED, PARTLY)), self._focus))

    def _marks_changed(self) -> None:
        self._redraw_nodes(self._cells)
        self.post_message(self.MarksChanged(self, self._focus))

    @property
    def _everything(self) -> list[int]:
        return [id for members in self._members.values() for id in members]

    def action_open(self) -> None:
        """Open the node in focus."""
        if self._layout is not None:
            self.post_message(self.Opened(self, self._focus))

    def _step(self, towards: Arm) -> None:
        """One node as it is drawn; where the picture runs down and nothing stands beside, left and right flow too."""
        if self._layout is None:
            return
        flows = {Arm.W: Arm.N, Arm.E: Arm.S} if self._layout.top_down else {}
        found = self._layout.step(self._focus, towards)
        if found is None and towards in flows:
            found = self._layout.step(self._focus, flows[towards])
        if found is not None:
            self.go_to(found)

    def _stride(self, windows: float) -> None:
        """Along the layer of the focus, so many windows."""
        if self._layout is None:
            return
        layer, along = self._layer(), self._along(self._layout.places[self._focus])
        room = self.size.width if self._layout.top_down else self.size.height
        wanted = along + windows * room
        beyond = [node for node in layer if (self._along(self._layout.places[node]) - along) * windows > 0]
        if beyond:
            self.go_to(min(beyond, key=lambda node: self._distance(node, wanted)))

    def _distance(self, node: int, wanted: float) -> float:
        assert self._layout is not None
        along = self._along(self._layout.places[node])
        return abs(along - wanted) if abs(wanted) != float("inf") else (-along if wanted > 0 else along)

    def _layer(self) -> list[int]:
        assert self._layout is not None
        places = self._layout.places
        return [node for node, place in places.items() if place.layer == places[self._focus].layer]

    def _along(self, place: Place) -> int:
        assert self._layout is not None
        return place.x if self._layout.top_down else place.y

    # The window and the mouse

    def on_resize(self) -> None:
        """Keep the focus in the window."""
        self._strips.clear()
        self._reveal()
        self.post_message(self.Resized(self, self._focus))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """The wheel moves the window."""
        self._wheel(event, 1)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """The wheel, upwards."""
        self._wheel(event, -1)

    def _wheel(self, event: events.MouseEvent, step: int) -> None:
        event.prevent_default().stop()
        x, y = self.scroll_offset
        aside = event.shift or event.ctrl
        self._look_at(x + step * WHEEL * 3 * aside, y + step * WHEEL * (not aside))
        self.refresh()

    def on_click(self, event: events.Click) -> None:
        """A click puts the focus on a node, a second one opens it."""
        node = self._node_at(*self._from_screen(event.x, event.y))
        if node is None:
            return
        self.go_to(node)
        if event.chain > 1:
            self.action_open()

    def on_focus(self) -> None:
        """The cursor's ground comes back."""
        self._redraw_nodes((self._focus,))

    def on_blur(self) -> None:
        """The cursor's ground fades."""
        self._redraw_nodes((self._focus,))

    # Geometry

    @property
    def _origin(self) -> tuple[int, int]:
        """Where the picture begins on a screen that is not scrolled: a small one stands in the middle."""
        size = self._picture_size()
        return max(0, (self.size.width - size.width) // 2) + MARGIN, max(0, (self.size.height - size.height) // 2)

    def _picture_size(self) -> Size:
        layout = self._layout
        return Size(layout.width + 2 * MARGIN, layout.height) if layout else Size(0, 0)

    @property
    def _window(self) -> Region:
        """The part of the picture that is on the screen."""
        return Region(*self._from_screen(0, 0), *self.size)

    def _from_screen(self, x: int, y: int) -> tuple[int, int]:
        left, top = self._origin
        return x + self.scroll_offset.x - left, y + self.scroll_offset.y - top

    def _place(self, node: int) -> Place | None:
        return self._layout.places.get(node) if self._layout else None

    def _node_at(self, x: int, y: int) -> int | None:
        places = self._layout.places if self._layout else {}
        return next((node for node, place in places.items() if _region(place).contains(x, y)), None)

    def _lines_of(self, node: int) -> range:
        place = self._place(node)
        return range(place.y, place.y + place.height) if place else range(0)

    def _seen_at(self) -> tuple[int, int] | None:
        """Where on the screen the focus is; None where it is not."""
        place = self._place(self._focus)
        if place is None or not self.in_sight(self._focus):
            return None
        window = self._window
        return place.x - window.x, place.y - window.y

    def _beside(self, seen_at: tuple[int, int] | None) -> tuple[int, int]:
        """How far to scroll so that the focus stands where it was seen, or in the middle."""
        place = self._place(self._focus)
        if place is None:
            return 0, 0
        width, height = self.size
        x, y = seen_at or ((width - place.width) // 2, height // 2)
        return place.x + MARGIN - max(0, min(x, width - place.width)), place.y - max(0, min(y, height - 1))

    def _look_at(self, x: int, y: int) -> None:
        size, (width, height) = self._picture_size(), self.size
        x, y = max(0, min(x, size.width - width)), max(0, min(y, size.height - height))
        if (x, y) != self.scroll_offset:
            self.scroll_to(x=x, y=y, animate=False, force=True)

    def _reveal(self) -> None:
        """Bring the focus into the window, half a window from the edge it crossed."""
        place = self._place(self._focus)
        if place is None:
            return
        window, region = self._window, _region(place).grow((0, MARGIN, 0, MARGIN))
        x, y = self.scroll_offset
        if region.x < window.x or region.right > window.right:
            x = place.x + MARGIN - max(MARGIN, (self.size.width - place.width) // 2)
        if region.y < window.y or region.bottom > window.bottom:
            y = place.y - self.size.height // 2
        self._look_at(x, y)

    # What has to be drawn again

    def _lay_out(self) -> None:
        """What is where, line by line."""
        self._strips.clear()
        layout = self._layout
        on_line: dict[int, list[int]] = defaultdict(list)
        borders: dict[int, dict[int, str]] = defaultdict(dict)
        for node, place in sorted(layout.places.items(), key=lambda item: item[1].x) if layout else ():
            on_line[place.text[1]].append(node)
        for (x, y), char in (frames(layout) if layout else {}).items():
            borders[y][x] = char
        self._on_line, self._frames = on_line, borders
        self._light()

    def _light(self) -> None:
        """The wires of the node in focus, and its frame, by line."""
        lit: dict[int, set[int]] = defaultdict(set)
        if self._layout is not None and self._focus in self._layout.places:
            own = self._layout.places[self._focus]
            for x, y in self._layout.route(self._layout.edges_of(self._focus)):
                lit[y].add(x)
            for y in range(own.y, own.y + own.height) if own.framed else ():
                lit[y].update(range(own.x, own.x + own.width))
        self._lit = {y: frozenset(columns) for y, columns in lit.items()}

    def _forget(self, lines: Iterable[int]) -> None:
        for line in lines:
            self._strips.pop(line, None)

    def _redraw_nodes(self, nodes: Iterable[int]) -> None:
        before = self._lines_in_sight()
        self._forget({line for node in nodes for line in self._lines_of(node)})
        self._repaint(before)

    def _lines_in_sight(self) -> dict[int, Strip]:
        """What the screen shows by its lines, as far as it was drawn."""
        left, top = self._from_screen(0, 0)
        if self._layout is None or left != self._left:
            return {}
        return {y: self.render_line(y) for y in range(self.size.height) if self._is_drawn(top + y)}

    def _is_drawn(self, line: int) -> bool:
        return self._layout is not None and (line in self._strips or not 0 <= line < self._layout.height)

    def _repaint(self, before: Mapping[int, Strip]) -> None:
        """Have those stretches sent that differ from what was there before."""
        for y in range(self.size.height):
            now, then = self.render_line(y), before.get(y)
            if now is not then:
                for first, end in stretches(then, now) if then else ((0, self.size.width),):
                    self.refresh(Region(first, y, end - first, 1))

    # Drawing

    def render_line(self, y: int) -> Strip:
        """A line of the window; nothing is drawn that was drawn before."""
        if self._layout is None:
            return self._empty(y)
        line = self._from_screen(0, y)[1]
        if not 0 <= line < self._layout.height:
            return Strip.blank(self.size.width, self._style_of("", Ink.PLAIN))
        left = self._from_screen(0, 0)[0]
        if left != self._left:
            self._left = left
            self._strips.clear()
        if line not in self._strips:
            self._strips[line] = self._edged(self._line(line, left, left + self.size.width), line, left)
        return self._strips[line]

    def _empty(self, y: int) -> Strip:
        style = self._style_of(EMPTY, Ink.PLAIN)
        text = cut_cells(clean(self._empty_text), self.size.width) if y == self.size.height // 2 else ""
        return join([(" " * ((self.size.width - width_of(text)) // 2) + text, style)], self.size.width, style)

    def notify_style_update(self) -> None:
        """The sheets changed: every style and drawn line is stale."""
        super().notify_style_update()
        self._looks.clear()
        self._strips.clear()

    def _style_of(self, line: str, ink: Ink) -> Style:
        """The style of an ink on one of the grounds of the picture."""
        key = (line, ink)
        if key not in self._looks:
            base = self.get_component_rich_style(line) if line else self.rich_style
            self._looks[key] = inked(self, ink, base)
        return self._looks[key]

    def _line(self, y: int, left: int, right: int) -> Strip:
        """The columns of a line of the picture from `left` up to `right`."""
        blank = self._style_of("", Ink.PLAIN)
        spans = sorted((*self._wires(y, left, right), *self._texts(y, left, right)), key=lambda span: span.x)
        at = start = min([left, *(span.x for span in spans[:1])])
        runs: list[tuple[str, Style]] = []
        for span in spans:
            runs += [(" " * (span.x - at), blank), (span.text, span.style)]
            at = span.x + span.width
        return join(runs, right - start, blank).crop(left - start, right - start)

    def _edged(self, strip: Strip, y: int, left: int) -> Strip:
        """A line of the window that tells at its edges whether it goes on there."""
        first, end = self._extent(y)
        right, style = left + strip.cell_length, self._style_of("", Ink.ACCENT)
        if first < left:
            strip = Strip.join((Strip([Segment(LEFTWARDS, style)]), strip.crop(1)))
        if end > right:
            strip = Strip.join((strip.crop(0, right - left - 1), Strip([Segment(RIGHTWARDS, style)])))
        return strip

    def _extent(self, y: int) -> tuple[int, int]:
        """The first column of a line where something is drawn, and the one behind the last."""
        assert self._layout is not None
        codes = self._layout.wires.lines[y]
        places = [self._layout.places[node] for node in self._on_line.get(y, ())]
        drawn = {*self._frames.get(y, ()), *(x for at in places for x in (at.x, at.x + at.width - 1))}
        if codes.strip(b"\0"):
            drawn |= {len(codes) - len(codes.lstrip(b"\0")), len(codes.rstrip(b"\0")) - 1}
        return min(drawn, default=len(codes)), max(drawn, default=-1) + 1

    def _wires(self, y: int, left: int, right: int) -> Iterator[Span]:
        """Wires and frames of a line: those of the focus brought out, the others drawn back."""
        assert self._layout is not None
        codes, down, first = self._layout.wires.lines[y], self._layout.top_down, max(0, left)
        chars = {x: char for x, char in self._frames.get(y, {}).items() if left <= x < right}
        chars |= {x: wire_glyph(code, down) for x, code in enumerate(codes[first : max(0, right)], first) if code}
        lit = self._lit.get(y, frozenset())
        for columns in _stretches(sorted(chars), lit):
            style = self._style_of(LIT if columns[0] in lit else WIRE, Ink.PLAIN)
            yield Span(columns[0], "".join(chars[x] for x in columns), style, len(columns))

    def _texts(self, y: int, left: int, right: int) -> Iterator[Span]:
        """The nodes that are written on a line, each after its sign; those that reach into these columns."""
        assert self._layout is not None
        for node in self._on_line.get(y, ()):
            place = self._layout.places[node]
            if not (place.x - MARGIN < right and left < place.x + place.width):
                continue
            ground = (FOCUS if self.has_focus else AWAY) if node == self._focus else ""
            at = place.text[0]
            yield Span(at - 1, self._sign(node), self._style_of("", Ink.MARK), 1)
            for text, ink in fit(self._cells[node], place.text_width):
                yield Span(at, text, self._style_of(ground, ink), width_of(text))
                at += width_of(text)

    def _sign(self, node: int) -> str:
        members = self._members[node]
        marked = sum(1 for id in members if id in self.marks) if self.marks else 0
        if marked:
            return MARKED if marked == len(members) else PARTLY
        return CURSOR if node == self._focus else " "


def _cleaned(cell: Cell) -> list[Piece]:
    return [(clean(text), ink) for text, ink in pieces(cell)]


def _region(place: Place) -> Region:
    return Region(place.x, place.y, place.width, place.height)


def _stretches(columns: Iterable[int], lit: Collection[int]) -> Iterator[list[int]]:
    """Columns that follow each other and are equally bright."""
    run: list[int] = []
    for x in columns:
        if run and (x != run[-1] + 1 or (x in lit) is not (run[-1] in lit)):
            yield run
            run = []
        run.append(x)
    if run:
        yield run
