"""A table of a million rows that an operator moves through over a slow line.

The screen pushes an ordered snapshot of ids (`show`), gives a function that reads rows by id, and describes the columns
as data. The table promises: nothing but the visible rows is ever read or drawn; a key repaints two lines, a changed row
one; the cursor and the marks belong to row ids, so rows may come, go and change without either of them slipping.

    table = RowTable(columns, fetch, empty_text="Nothing matches this filter - Esc clears it")
    table.show(array("q", ids), scope=query)   # the first list, a new filter or sort; the cursor stays on its id
    table.update_rows(changed_ids)             # from the change feed: repaints what is visible and differs
    table.redraw(ids)                          # nothing changed but the time: repaints them
    table.note_moved(37)                       # sort or membership changed; the list waits for the operator's refresh
    table.targets()                            # what a verb acts on: marks (a live range included) or the cursor row
    table.peel()                               # Esc: drops the range, else the marks; False when there was nothing

Keys come from the app's registry; these are the actions to bind:

    cursor_up cursor_down page_up page_down half_page_up half_page_down home end column_left column_right
    open mark_and_step range mark_all invert_marks mark_like only_marked previous_mark next_mark toggle_width sort

Posted: `Opened`, `Moved`, `MarksChanged`, `LikeRequested`, `MarkedOnlyRequested`, `SortRequested`, `MovedRowsNoted`.
Sheet: `styles/row_table.tcss`, with the inks of `styles/inks.tcss`.
"""

from __future__ import annotations

from collections import OrderedDict
from collections.abc import Iterable, Sequence

from textual import events
from textual.geometry import Region, Size
from textual.message import Message
from textual.scroll_view import ScrollView
from textual.strip import Strip

from dpconsole.widgets.columns import Column, Placed, place
from dpconsole.widgets.ink import INK_CLASSES
from dpconsole.widgets.marks import NO_IDS, Marks
from dpconsole.widgets.row_cache import Fetch, Row, RowCache
from dpconsole.widgets.row_painter import DOTS, LINE_CLASSES, Gutter, RowPainter, Sort, State
from dpconsole.widgets.strips import changed_to

__all__ = ["Marks", "Row", "RowTable", "Sort"]

HEADER = 1
"""Lines above the first row."""

WHEEL = 3
"""Rows a notch of the wheel moves."""

STRIPS = 1_024
"""Rows whose drawn lines are remembered."""


class RowTable(ScrollView, can_focus=True, inherit_bindings=False):
    """The table; see the module's first page for how it is used."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES = INK_CLASSES | LINE_CLASSES
    DEFAULT_CSS = """
    RowTable { height: 1fr; min-height: 2; overflow: hidden hidden; scrollbar-size: 0 0; }
    """

    class TableMessage(Message):
        """A message of a row table."""

        def __init__(self, table: RowTable) -> None:
            self.table = table
            super().__init__()

        @property
        def control(self) -> RowTable:
            """The table, for `@on` selectors."""
            return self.table

    class Latest(TableMessage):
        """A message of which only the last in the queue counts."""

        def can_replace(self, message: Message) -> bool:
            """A newer one of the same table replaces it."""
            return type(message) is type(self) and message.control is self.control

    class Moved(Latest):
        """The cursor came to another row."""

        def __init__(self, table: RowTable, row_id: int) -> None:
            self.row_id = row_id
            super().__init__(table)

    class Opened(TableMessage):
        """The operator wants to see into a row."""

        def __init__(self, table: RowTable, row_id: int) -> None:
            self.row_id = row_id
            super().__init__(table)

    class MarksChanged(Latest):
        """Marks or range changed; read `table.marks` and `table.range_ids`."""

    class LikeRequested(TableMessage):
        """Mark all rows whose cell in this column is like the one under the cursor."""

        def __init__(self, table: RowTable, row_id: int, column_id: str) -> None:
            self.row_id = row_id
            self.column_id = column_id
            super().__init__(table)

    class MarkedOnlyRequested(TableMessage):
        """Show only the marked rows, or all again."""

    class SortRequested(TableMessage):
        """Sort by this column, or turn its order round."""

        def __init__(self, table: RowTable, column_id: str) -> None:
            self.column_id = column_id
            super().__init__(table)

    class MovedRowsNoted(Latest):
        """Rows would stand elsewhere after a refresh; read `table.pending_moves`."""

    def __init__(
        self,
        columns: Sequence[Column],
        fetch: Fetch,
        *,
        empty_text: str = "Nothing here",
        marks: Marks | None = None,
        gutter: Gutter = DOTS,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._columns = tuple(columns)
        self._rows = RowCache(fetch)
        self._ids: Sequence[int] = NO_IDS
        self._scope: object = None
        self._cursor = 0
        self._range_start: int | None = None
        self._column_id: str | None = None
        self._fits = True
        self._placed: list[Placed] = []
        self._placed_width = -1
        self._strips: OrderedDict[int, dict[State, Strip]] = OrderedDict()
        self._gutter = gutter
        self._painter = RowPainter(self, gutter)
        self._sort: Sort | None = None
        self._empty_text = empty_text
        self.marks = Marks() if marks is None else marks
        self.pending_moves = 0

    # What is listed

    @property
    def ids(self) -> Sequence[int]:
        """The snapshot that is listed."""
        return self._ids

    @property
    def cursor(self) -> int:
        """The place of the cursor in the list; 0 in an empty one."""
        return self._cursor

    @property
    def cursor_id(self) -> int | None:
        """The id of the row under the cursor."""
        return self._ids[self._cursor] if self._ids else None

    @property
    def cursor_row(self) -> Row | None:
        """The row under the cursor; None in an empty list, or when the row is gone."""
        return self._rows.row_at(self._ids, self._cursor) if self._ids else None

    @property
    def visible_ids(self) -> Sequence[int]:
        """The ids on the screen now."""
        top = self.scroll_offset.y
        return self._ids[top : top + self.rows_shown]

    @property
    def rows_shown(self) -> int:
        """Rows that fit in the window."""
        return max(1, self.size.height - HEADER)

    def show(self, ids: Sequence[int], *, keep_cursor: bool = True, scope: object = None) -> None:
        """List these ids, an `array('q')` that nobody changes afterwards.

        The cursor stays on its id and on its line of the screen; if that row left the list it stays at its place. With
        `keep_cursor` false it goes to the top. `scope` is what the list was asked with: marks of "everything" keep it.
        """
        self._rows.clear()
        self._strips.clear()
        self._scope, self.pending_moves = scope, 0
        self._put(ids, keep_cursor)

    def splice(self, ids: Sequence[int]) -> None:
        """List these ids, of which most were listed before: what is known and drawn of those is kept."""
        self._put(ids, keep_cursor=True)

    def _put(self, ids: Sequence[int], keep_cursor: bool) -> None:
        before, line = self.cursor_id, self._cursor - self.scroll_offset.y
        self._ids, self._range_start = ids, None
        self._cursor = self._place_of(before) if keep_cursor else 0
        self._set_virtual_size()
        self._scroll_rows(self._cursor - line)
        self.refresh()
        if self.cursor_id is not None and self.cursor_id != before:
            self.post_message(self.Moved(self, self.cursor_id))

    def update_rows(self, changed: Iterable[int]) -> None:
        """These rows changed in the store: read again the visible ones and repaint what differs, forget the others."""
        ids = set(changed)
        self._rows.forget(ids)
        self.redraw(ids)

    def redraw(self, ids: Iterable[int]) -> None:
        """Repaint what these rows say now, where it depends on more than the store, such as the time."""
        stale, top = set(ids), self.scroll_offset.y
        visible = [top + line for line, row_id in enumerate(self.visible_ids) if row_id in stale]
        before = {index: self._drawn(index) for index in visible}
        for row_id in stale:
            self._strips.pop(row_id, None)
        self._rows.remember([self._ids[index] for index in visible])
        for index, old in before.items():
            width = changed_to(old, self._line_at(index)) if old else self.size.width
            if width:
                self.refresh(Region(0, HEADER + index - top, width - self.scroll_offset.x, 1))

    def note_moved(self, count: int) -> None:
        """So many rows would stand elsewhere after a refresh; the list stays until the screen shows a new one."""
        if count != self.pending_moves:
            self.pending_moves = count
            self.post_message(self.MovedRowsNoted(self))

    @property
    def empty_text(self) -> str:
        """What stands in the middle of an empty list, and why it is empty."""
        return self._empty_text

    @empty_text.setter
    def empty_text(self, text: str) -> None:
        self._empty_text = text
        if not self._ids:
            self.refresh()

    # Columns and order

    @property
    def columns(self) -> Sequence[Column]:
        """The chosen columns, shown or dropped for want of room."""
        return self._columns

    @columns.setter
    def columns(self, columns: Sequence[Column]) -> None:
        self._columns = tuple(columns)
        self._lay_out()

    @property
    def shown_columns(self) -> Sequence[Column]:
        """The columns there is room for."""
        return [placed.column for placed in self._lay()]

    @property
    def column_id(self) -> str | None:
        """The column in focus, for marking alike rows and sorting; None until the operator moved to one."""
        return self._column_id

    @property
    def sort(self) -> Sort | None:
        """The order shown by the arrow in the header."""
        return self._sort

    @sort.setter
    def sort(self, sort: Sort | None) -> None:
        self._sort = sort
        self._refresh_header()

    # Marks

    @property
    def range_ids(self) -> Sequence[int]:
        """The ids of the range that is being drawn, from where `v` was pressed to the cursor."""
        if self._range_start is None:
            return NO_IDS
        first, last = sorted((self._range_start, self._cursor))
        return self._ids[first : last + 1]

    def targets(self) -> Marks:
        """What a verb acts on: the marks with the range that is being drawn, or else the row under the cursor."""
        self._settle_range()
        if self.marks or self.cursor_id is None:
            return self.marks
        return Marks((self.cursor_id,))

    def mark(self, ids: Iterable[int], marked: bool = True) -> None:
        """Mark or unmark rows, wherever they are."""
        (self.marks.add if marked else self.marks.discard)(ids)
        self._marks_changed()

    def peel(self) -> bool:
        """Esc: drop the range, or else the marks; whether there was anything to drop."""
        if self._range_start is not None:
            self._range_start = None
        elif self.marks:
            self.marks.clear()
        else:
            return False
        self._marks_changed()
        return True

    # Movement

    def go_to(self, index: int) -> None:
        """Put the cursor on the row at `index`; past the window's edge the list scrolls half a page."""
        if not self._ids:
            return
        index = max(0, min(len(self._ids) - 1, index))
        if index == self._cursor:
            return
        before, self._cursor = self._cursor, index
        top, shown = self.scroll_offset.y, self.rows_shown
        if not top <= index < top + shown:
            self._scroll_rows(index - shown // 2)
        self._refresh_rows(before, index)
        self.post_message(self.Moved(self, self._ids[index]))

    def go_to_id(self, row_id: int) -> bool:
        """Put the cursor on a row; whether it is in the list."""
        place = self._place_of(row_id, missing=-1)
        self.go_to(place if place >= 0 else self._cursor)
        return place >= 0

    def action_cursor_up(self) -> None:
        """One row up."""
        self.go_to(self._cursor - 1)

    def action_cursor_down(self) -> None:
        """One row down."""
        self.go_to(self._cursor + 1)

    def action_page_up(self) -> None:
        """A window up."""
        self._page(-self.rows_shown)

    def action_page_down(self) -> None:
        """A window down."""
        self._page(self.rows_shown)

    def action_half_page_up(self) -> None:
        """Half a window up."""
        self._page(-(self.rows_shown // 2))

    def action_half_page_down(self) -> None:
        """Half a window down."""
        self._page(self.rows_shown // 2)

    def action_home(self) -> None:
        """To the first row."""
        self.go_to(0)

    def action_end(self) -> None:
        """To the last row."""
        self.go_to(len(self._ids) - 1)

    def action_column_left(self) -> None:
        """The focus one column to the left."""
        self._step_column(-1)

    def action_column_right(self) -> None:
        """The focus one column to the right."""
        self._step_column(1)

    def action_open(self) -> None:
        """Open the row under the cursor."""
        if self.cursor_id is not None:
            self.post_message(self.Opened(self, self.cursor_id))

    def action_mark_and_step(self) -> None:
        """Mark or unmark the row and go on; a range that is being drawn is settled instead."""
        if self._range_start is not None:
            self.action_range()
        elif self.cursor_id is not None:
            self.marks.toggle(self.cursor_id)
            self._refresh_rows(self._cursor, self._cursor)
            self.post_message(self.MarksChanged(self))
            self.action_cursor_down()

    def action_range(self) -> None:
        """Begin a range at the cursor, or mark the one that was begun."""
        if self._range_start is not None:
            self._settle_range()
        elif self._ids:
            self._range_start = self._cursor
            self._marks_changed()

    def action_mark_all(self) -> None:
        """Mark everything that matches, not only what is in the window."""
        self._range_start = None
        self.marks.mark_all(self._ids, self._scope)
        self._marks_changed()

    def action_invert_marks(self) -> None:
        """Mark what is unmarked, unmark what is marked."""
        self._settle_range()
        self.marks.invert(self._ids, self._scope)
        self._marks_changed()

    def action_mark_like(self) -> None:
        """Ask the screen to mark the rows whose cell is like this one."""
        column = self._column_id or next((column.id for column in self._columns), None)
        if self.cursor_id is not None and column is not None:
            self.post_message(self.LikeRequested(self, self.cursor_id, column))

    def action_only_marked(self) -> None:
        """Ask the screen to show only the marked rows."""
        self.post_message(self.MarkedOnlyRequested(self))

    def action_previous_mark(self) -> None:
        """To the marked row above."""
        self._go_to_mark(range(self._cursor - 1, -1, -1))

    def action_next_mark(self) -> None:
        """To the marked row below."""
        self._go_to_mark(range(self._cursor + 1, len(self._ids)))

    def action_toggle_width(self) -> None:
        """All columns at their full width, or those that fit."""
        self._fits = not self._fits
        self._lay_out()

    def action_sort(self) -> None:
        """Ask the screen to sort by the column in focus."""
        column = next((column for column in self._columns if column.id == self._column_id), None)
        if column is not None and column.sortable:
            self.post_message(self.SortRequested(self, column.id))

    # The window and the mouse

    def on_resize(self) -> None:
        """Keep the cursor in the window, and its line when it can stay."""
        top = self.scroll_offset.y
        self._scroll_rows(max(self._cursor - self.rows_shown + 1, min(top, self._cursor)))

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """The wheel moves the cursor, so that what is seen and what a verb acts on never part."""
        event.prevent_default().stop()
        self.go_to(self._cursor + WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """The wheel, upwards."""
        event.prevent_default().stop()
        self.go_to(self._cursor - WHEEL)

    def on_click(self, event: events.Click) -> None:
        """A click moves the cursor, in the gutter it marks, on a title it sorts; a second one opens."""
        if event.y < HEADER:
            self._click_title(event.x)
            return
        index = self.scroll_offset.y + event.y - HEADER
        if index >= len(self._ids):
            return
        self.go_to(index)
        if event.x < self._gutter.width:
            self.mark((self._ids[index],), self._ids[index] not in self.marks)
        elif event.chain > 1:
            self.action_open()

    def _click_title(self, x: int) -> None:
        x += self.scroll_offset.x
        column = next((placed.column for placed in self._lay() if placed.x <= x < placed.end), None)
        if column is not None and column.sortable:
            self.post_message(self.SortRequested(self, column.id))

    # Drawing

    def render_line(self, y: int) -> Strip:
        """The header, a row, or what stands in place of rows; nothing is computed that was drawn before."""
        width, left = self.size.width, self.scroll_offset.x
        if not self._ids and y > 0:
            return self._painter.empty(self._empty_text, y, self.size)
        index = self.scroll_offset.y + y - HEADER
        if y >= HEADER and index >= len(self._ids):
            return Strip.blank(width, self.rich_style)
        strip = self._line_at(index) if y >= HEADER else self._painter.header(self._lay(), self._sort, self._column_id)
        return strip.crop(left, left + width) if left or strip.cell_length != width else strip

    def _line_at(self, index: int) -> Strip:
        """The drawn line of a row, drawn now if it was not."""
        row_id = self._ids[index]
        state = self._state_of(index, row_id)
        drawn = self._strips.get(row_id)
        if drawn is None:
            drawn = self._strips[row_id] = {}
            if len(self._strips) > STRIPS:
                self._strips.popitem(last=False)
        self._strips.move_to_end(row_id)
        if state not in drawn:
            row = self._rows.row_at(self._ids, index)
            drawn[state] = self._painter.row(row, self._lay(), state, self._column_id)
        return drawn[state]

    def _drawn(self, index: int) -> Strip | None:
        """The line of a row as it stands on the screen, if it was drawn."""
        row_id = self._ids[index]
        return self._strips.get(row_id, {}).get(self._state_of(index, row_id))

    def _state_of(self, index: int, row_id: int) -> State:
        state = self._marked_state(row_id)
        if index == self._cursor:
            state |= State.CURSOR if self.has_focus else State.CURSOR | State.AWAY
        if self._range_start is not None and index in self._range_span(self._cursor):
            state |= State.RANGE
        return state

    def _marked_state(self, row_id: int) -> State:
        return State.MARKED if row_id in self.marks else State.PLAIN

    def notify_style_update(self) -> None:
        """The sheets changed: every style and drawn line is stale."""
        super().notify_style_update()
        self._painter.forget_styles()
        self._strips.clear()

    # What has to be drawn again

    def _lay(self) -> list[Placed]:
        """The columns in the present width."""
        if self._placed_width != self.size.width:
            self._placed_width = self.size.width
            self._placed = place(self._columns, self.size.width, self._gutter.width, fit=self._fits)
            self._strips.clear()
        return self._placed

    def _lay_out(self) -> None:
        self._placed_width = -1
        self._set_virtual_size()
        self.scroll_to(x=0, animate=False, force=True)
        self.refresh()

    def _set_virtual_size(self) -> None:
        width = max((placed.end for placed in self._lay()), default=0) if not self._fits else 0
        self.virtual_size = Size(width, len(self._ids) + HEADER)

    def _refresh_rows(self, first: int, last: int) -> None:
        """Repaint two rows, and what lies between them while a range is drawn."""
        places = sorted((first, last))
        rows = range(places[0], places[1] + 1) if self._range_start is not None else sorted(set(places))
        top, shown = self.scroll_offset.y, self.rows_shown
        for row in rows if len(rows) <= shown else range(top, top + shown):
            if top <= row < top + shown:
                self.refresh(Region(0, HEADER + row - top, self.size.width, 1))

    def _refresh_header(self) -> None:
        self.refresh(Region(0, 0, self.size.width, HEADER))

    def _scroll_rows(self, top: int) -> None:
        last = max(0, len(self._ids) - self.rows_shown)
        self.scroll_to(y=max(0, min(last, top)), animate=False, force=True)

    def _page(self, rows: int) -> None:
        """Move the cursor and the window together."""
        if not self._ids:
            return
        self._scroll_rows(self.scroll_offset.y + rows)
        self.go_to(self._cursor + rows)

    def _place_of(self, row_id: int | None, missing: int | None = None) -> int:
        """Where a row stands in the list; one that is not there keeps the cursor's place."""
        if row_id is not None:
            if self._cursor < len(self._ids) and self._ids[self._cursor] == row_id:
                return self._cursor
            try:
                return self._ids.index(row_id)
            except ValueError:
                pass
        return missing if missing is not None else max(0, min(self._cursor, len(self._ids) - 1))

    def _range_span(self, cursor: int) -> range:
        assert self._range_start is not None
        return range(min(self._range_start, cursor), max(self._range_start, cursor) + 1)

    def _settle_range(self) -> None:
        """Turn the range that is being drawn into marks."""
        if self._range_start is not None:
            ids, self._range_start = self.range_ids, None
            self.mark(ids)

    def _marks_changed(self) -> None:
        self.refresh()
        self.post_message(self.MarksChanged(self))

    def _go_to_mark(self, places: range) -> None:
        self.go_to(next((place for place in places if self._ids[place] in self.marks), self._cursor))

    def _step_column(self, step: int) -> None:
        """Focus the next column that is shown and bring it into the window."""
        placed = self._lay()
        if not placed:
            return
        names = [each.column.id for each in placed]
        at = names.index(self._column_id) + step if self._column_id in names else 0
        target = placed[max(0, min(len(placed) - 1, at))]
        self._column_id = target.column.id
        if self.cursor_id is not None:
            self._strips.pop(self.cursor_id, None)
        self._reveal(target)
        self._refresh_header()
        self._refresh_rows(self._cursor, self._cursor)

    def _reveal(self, placed: Placed) -> None:
        left, width = self.scroll_offset.x, self.size.width
        if placed.end > left + width:
            left = placed.end - width
        if placed.x < left:
            left = max(0, placed.x - self._gutter.width)
        self.scroll_to(x=left, animate=False, force=True)
