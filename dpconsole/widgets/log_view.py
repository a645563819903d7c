"""A run log of any size: opens at the first error, searches and follows without ever holding the log.

    view = LogView()
    view.open(read)        # read(offset, limit) -> (bytes, next offset); called from a thread as well
    view.poll()            # more may have been written: the screen's tick calls this while the attempt runs
    view.search("timeout") # `n` and `N` go on from there

Bytes of the log never reach the terminal: SGR colours become styles, all else passes `clean`. Reading ahead and search
run in threads that stop when the log is closed or another search begins. A line is cut at 8 KiB.

Actions to bind: cursor_up cursor_down page_up page_down half_page_up half_page_down home end left right next_error
previous_error next_match previous_match toggle_follow toggle_wrap toggle_timestamps.
Posted: `Progressed` (lines known, or the cursor moved), `Searched` (a search ended; `line` is None when nothing was
found), `ReadFailed`. Sheet: `styles/log_view.tcss`.
"""

from __future__ import annotations

import re
from bisect import bisect_left, bisect_right
from collections.abc import Callable
from functools import lru_cache, partial
from itertools import pairwise
from typing import NamedTuple

from rich.cells import cell_len
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget
from textual.worker import get_current_worker

from dpconsole.core.domain.text import ELLIPSIS, LINE_LIMIT, clean
from dpconsole.widgets.log_index import LINE_BYTES, LogReader, Read, is_error
from dpconsole.widgets.sgr import styled

SIDESTEP = 20
"""Cells a step to the side moves the text."""

WHEEL = 3
"""Lines a notch of the wheel moves."""

PATIENCE = 0.05
"""Seconds a search waits for more of the log before it looks whether it was cancelled."""

TELL_EVERY = 16
"""Chunks read between two reports of progress."""

_TIMESTAMP = re.compile(r"\[?\d{4}-\d\d-\d\d[T ]\d\d:\d\d:\d\d(?:[.,]\d+)?(?:Z|[+-]\d\d:?\d\d)?\]?\s*")


class Place(NamedTuple):
    """A row of the window: a line, and which part of it when long lines are wrapped."""

    line: int
    part: int


def _nothing(_offset: int, _limit: int) -> tuple[bytes, int]:
    return b"", 0


class LogView(Widget, can_focus=True, inherit_bindings=False):
    """The view; see the module's first page for how it is used."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES = {"log-view--cursor", "log-view--match", "log-view--error"}  # noqa: RUF012
    DEFAULT_CSS = "LogView { height: 1fr; }"

    class Progressed(Message):
        """More lines are known, or the cursor stands elsewhere."""

        def __init__(self, view: LogView) -> None:
            self.view = view
            super().__init__()

        @property
        def control(self) -> LogView:
            """The view, for `@on` selectors."""
            return self.view

        def can_replace(self, message: Message) -> bool:
            """Only the last one counts."""
            return isinstance(message, LogView.Progressed) and message.view is self.view

    class Searched(Message):
        """A search ended."""

        def __init__(self, view: LogView, text: str, line: int | None) -> None:
            self.view = view
            self.text = text
            self.line = line
            super().__init__()

        @property
        def control(self) -> LogView:
            """The view, for `@on` selectors."""
            return self.view

    class ReadFailed(Message):
        """The log cannot be read; what is known of it stays."""

        def __init__(self, view: LogView, reason: str) -> None:
            self.view = view
            self.reason = reason
            super().__init__()

        @property
        def control(self) -> LogView:
            """The view, for `@on` selectors."""
            return self.view

    class _Scanned(Message):
        """The thread that reads ahead came further."""

        def __init__(self, reader: LogReader, done: bool) -> None:
            self.reader = reader
            self.done = done
            super().__init__()

    class _Found(Message):
        """The thread that searches came to its end."""

        def __init__(self, reader: LogReader, text: str, line: int | None) -> None:
            self.reader = reader
            self.text = text
            self.line = line
            super().__init__()

    def __init__(
        self, *, follow: bool = False, name: str | None = None, id: str | None = None, classes: str | None = None
    ) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._reader = LogReader(_nothing)
        self._top = Place(0, 0)
        self._cursor = 0
        self._left = 0
        self._touched = False
        self._scanning = False
        self._again = False
        self._sought = ""
        self._seen_bytes = 0
        self._seen_lines = 0
        self.follow = follow
        self.wrap = False
        self.timestamps = True
        self._rows_of = lru_cache(256)(self._draw_line)

    # What the screen asks

    @property
    def lines(self) -> int:
        """Lines known so far."""
        return self._reader.index.count

    @property
    def cursor(self) -> int:
        """The line of the cursor, from 0."""
        return self._cursor

    @property
    def complete(self) -> bool:
        """Whether the log was read to its present end."""
        return not self._scanning

    @property
    def errors(self) -> int:
        """Lines known to tell of an error."""
        return len(self._reader.index.errors)

    def open(self, read: Read) -> None:
        """Show another log, from its first error; the view must be mounted."""
        self.workers.cancel_node(self)
        self._reader = LogReader(read)
        self._top, self._cursor, self._left = Place(0, 0), 0, 0
        self._seen_bytes = self._seen_lines = 0
        self._touched = self._scanning = self._again = False
        self._redraw()
        self.poll()

    def poll(self) -> None:
        """Read on, in a thread, what may have been written since."""
        if self._scanning:
            self._again = True
            return
        self._scanning = True
        self._in_thread("scan", partial(self._scan, self._reader))

    def search(self, text: str) -> None:
        """Look for `text` from the cursor's line on; small letters match capitals too. Empty text ends the search."""
        self._sought = text
        self._redraw()
        if text:
            self._seek(self._cursor - 1, 1)

    def line_text(self) -> str:
        """The line under the cursor, safe to show or to copy."""
        return "".join(text for text, _ in self._pieces(self._cursor))

    # Movement

    def go_to(self, line: int) -> None:
        """Put the cursor on a line; past the window's edge the view scrolls half a page."""
        self._touched = True
        self._move(line)

    def action_cursor_up(self) -> None:
        """One line up."""
        self.go_to(self._cursor - 1)

    def action_cursor_down(self) -> None:
        """One line down."""
        self.go_to(self._cursor + 1)

    def action_page_up(self) -> None:
        """A window up."""
        self._page(-self.size.height)

    def action_page_down(self) -> None:
        """A window down."""
        self._page(self.size.height)

    def action_half_page_up(self) -> None:
        """Half a window up."""
        self._page(-(self.size.height // 2))

    def action_half_page_down(self) -> None:
        """Half a window down."""
        self._page(self.size.height // 2)

    def action_home(self) -> None:
        """To the first line."""
        self.go_to(0)

    def action_end(self) -> None:
        """To the last line known."""
        self.go_to(self.lines - 1)

    def action_left(self) -> None:
        """The text to the right, to see what is left."""
        self._sidestep(-SIDESTEP)

    def action_right(self) -> None:
        """The text to the left, to see what is right."""
        self._sidestep(SIDESTEP)

    def action_next_error(self) -> None:
        """To the next line that tells of an error."""
        errors = self._reader.index.errors
        at = bisect_right(errors, self._cursor)
        self.go_to(errors[at] if at < len(errors) else self._cursor)

    def action_previous_error(self) -> None:
        """To the previous one."""
        errors = self._reader.index.errors
        at = bisect_left(errors, self._cursor) - 1
        self.go_to(errors[at] if at >= 0 else self._cursor)

    def action_next_match(self) -> None:
        """To the next match of the search."""
        self._seek(self._cursor, 1)

    def action_previous_match(self) -> None:
        """To the previous match of the search."""
        self._seek(self._cursor, -1)

    def action_toggle_follow(self) -> None:
        """Stay at the end as the log grows, or stand still."""
        self.follow = not self.follow
        if self.follow:
            self.action_end()
        self.post_message(self.Progressed(self))

    def action_toggle_wrap(self) -> None:
        """Long lines in several rows, or cut."""
        self.wrap, self._left = not self.wrap, 0
        self._top = Place(self._top.line, 0)
        self._redraw()
        self._reveal()

    def action_toggle_timestamps(self) -> None:
        """Times at the beginning of lines shown, or left out."""
        self.timestamps = not self.timestamps
        self._redraw()

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        """The wheel moves the cursor."""
        event.prevent_default().stop()
        self.go_to(self._cursor + WHEEL)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        """The wheel, upwards."""
        event.prevent_default().stop()
        self.go_to(self._cursor - WHEEL)

    def on_click(self, event: events.Click) -> None:
        """A click puts the cursor on its line."""
        window = self._window()
        if event.y < len(window):
            self.go_to(window[event.y].line)

    def on_resize(self) -> None:
        """Lines wrap anew."""
        self._redraw()
        self._reveal()

    # Reading ahead and searching, in threads

    def _in_thread(self, group: str, work: Callable[[], None]) -> None:
        """Do work that reads the log; what the reading raises is told to the screen and ends nothing else."""

        def guarded() -> None:
            try:
                work()
            except Exception as error:
                self.post_message(self.ReadFailed(self, str(error)))

        self.run_worker(guarded, thread=True, group=group, exclusive=True)

    def _scan(self, reader: LogReader) -> None:
        worker = get_current_worker()
        chunks = 0
        try:
            while not worker.is_cancelled and reader.scan():
                chunks += 1
                if chunks % TELL_EVERY == 1:
                    self.post_message(self._Scanned(reader, done=False))
        finally:
            reader.settled.set()
            self.post_message(self._Scanned(reader, done=True))

    def on_log_view__scanned(self, message: _Scanned) -> None:
        """Show what is new, and open at the first error when the operator has not moved yet."""
        message.stop()
        if message.reader is not self._reader:
            return
        self._scanning = not message.done
        self._show_growth()
        if self.follow:
            self._move(self.lines - 1)
        elif not self._touched and self.errors:
            self._touched = True
            self._move(self._reader.index.errors[0])
        if message.done and self._again:
            self._again = False
            self.poll()

    def _show_growth(self) -> None:
        """Repaint only when a line that is in the window is new or became longer."""
        index = self._reader.index
        if index.size == self._seen_bytes:
            return
        if self._window_end >= self._seen_lines:
            self._redraw()
        self._seen_bytes, self._seen_lines = index.size, index.count
        self.post_message(self.Progressed(self))

    @property
    def _window_end(self) -> int:
        """The line after the last in the window; beyond all lines while the window is not full."""
        rows = self._window()
        return rows[-1].line + 1 if rows and len(rows) == self.size.height else self.lines + 1

    def _seek(self, line: int, step: int) -> None:
        if not self._sought:
            return
        self._in_thread("search", partial(self._find, self._reader, self._sought, line, step))

    def _find(self, reader: LogReader, text: str, line: int, step: int) -> None:
        """Search on to the end, then from the other end; what is not read yet is waited for before giving up."""
        worker = get_current_worker()
        pattern = re.compile(re.escape(text.encode("utf-8", "replace")), _flags(text))

        def cancelled() -> bool:
            return bool(worker.is_cancelled)

        found = reader.find(pattern, line, step, cancelled)
        while found is None and not cancelled() and not reader.settled.wait(PATIENCE):
            pass
        for start in (line, -1 if step > 0 else reader.index.count):
            found = reader.find(pattern, start, step, cancelled) if found is None else found
        if not cancelled():
            self.post_message(self._Found(reader, text, found))

    def on_log_view__found(self, message: _Found) -> None:
        """Go to what was found."""
        message.stop()
        if message.reader is self._reader:
            if message.line is not None:
                self.go_to(message.line)
            self.post_message(self.Searched(self, message.text, message.line))

    # Drawing

    def render_line(self, y: int) -> Strip:
        """A row of the window."""
        window = self._window()
        if y >= len(window):
            return Strip.blank(self.size.width, self.rich_style)
        place = window[y]
        return self._rows_of(place.line, place.line == self._cursor)[place.part]

    def notify_style_update(self) -> None:
        """The sheets changed: drawn lines are stale."""
        super().notify_style_update()
        self._rows_of.cache_clear()

    def _redraw(self) -> None:
        self._rows_of.cache_clear()
        self.refresh()

    def _draw_line(self, line: int, at_cursor: bool) -> list[Strip]:
        """The rows of a line: one, or when wrapped as many as it needs."""
        width = max(1, self.size.width)
        base = self.get_component_rich_style("log-view--cursor") if at_cursor else self.rich_style
        segments = [Segment(text, base + style) for text, style in self._highlighted(line)]
        strip = Strip(segments).simplify()
        starts = range(0, strip.cell_length, width) if self.wrap else (self._left,)
        rows = [strip.crop(start, start + width).extend_cell_length(width, base) for start in starts]
        return rows or [Strip.blank(width, base)]

    def _pieces(self, line: int) -> list[tuple[str, Style]]:
        """The cleaned text of a line with the styles it asked for."""
        if line >= self.lines:
            return []
        raw = self._reader.line(line)
        text = raw.decode("utf-8", "replace").rstrip("\r") + (ELLIPSIS if len(raw) == LINE_BYTES else "")
        if not self.timestamps and (stamp := _TIMESTAMP.match(text)):
            text = text[stamp.end() :]
        parts = [(clean(part, LINE_LIMIT), style) for part, style in styled(text)]
        if is_error(raw) and all(not style for _, style in parts):
            error = self.get_component_rich_style("log-view--error", partial=True)
            return [(part, error) for part, _ in parts]
        return parts

    def _highlighted(self, line: int) -> list[tuple[str, Style]]:
        """The pieces of a line with the matches of the search brought out."""
        parts = self._pieces(line)
        if not self._sought:
            return parts
        style = self.get_component_rich_style("log-view--match")
        text = "".join(part for part, _ in parts)
        found = re.finditer(re.escape(self._sought), text, _flags(self._sought))
        spans = [match.span() for match in found]
        return _restyle(parts, spans, style) if spans else parts

    # The window

    def _window(self) -> list[Place]:
        """The rows that are shown, from the top."""
        rows: list[Place] = []
        line, part = self._top
        while len(rows) < self.size.height and line < self.lines:
            rows += [Place(line, p) for p in range(part, self._height(line))]
            line, part = line + 1, 0
        return rows[: self.size.height]

    def _height(self, line: int) -> int:
        return len(self._rows_of(line, line == self._cursor)) if self.wrap else 1

    def _move(self, line: int) -> None:
        line = max(0, min(self.lines - 1, line))
        before, self._cursor = self._cursor, line
        if line != before:
            self._reveal()
            for y, place in enumerate(self._window()):
                if place.line in (before, line):
                    self.refresh(Region(0, y, self.size.width, 1))
            self.post_message(self.Progressed(self))

    def _reveal(self) -> None:
        """Bring the cursor's line into the window, half a page from its edge."""
        window = self._window()
        if not window or window[0].line <= self._cursor <= window[-1].line:
            return
        self._set_top(self._back(Place(self._cursor, 0), self.size.height // 2))

    def _page(self, rows: int) -> None:
        """Move window and cursor together."""
        self._touched = True
        move = self._ahead if rows > 0 else self._back
        self._set_top(move(self._top, abs(rows)))
        line = move(Place(self._cursor, 0), abs(rows)).line
        self._move(line)

    def _set_top(self, place: Place) -> None:
        last = self._back(Place(self.lines, 0), self.size.height)
        top = min(place, last)
        if top != self._top:
            self._top = top
            self.refresh()

    def _ahead(self, place: Place, rows: int) -> Place:
        """The place so many rows further down."""
        line, part = place.line, place.part + rows
        while line < self.lines - 1 and part >= self._height(line):
            part -= self._height(line)
            line += 1
        return Place(line, min(part, self._height(line) - 1)) if line < self.lines else place

    def _back(self, place: Place, rows: int) -> Place:
        """The place so many rows further up."""
        line, part = place.line, place.part - rows
        while part < 0 and line > 0:
            line -= 1
            part += self._height(line)
        return Place(line, max(0, part))

    def _sidestep(self, cells: int) -> None:
        widest = max((cell_len("".join(t for t, _ in self._pieces(p.line))) for p in self._window()), default=0)
        left = max(0, min(widest - self.size.width + SIDESTEP, self._left + cells))
        if left != self._left and not self.wrap:
            self._left = left
            self._redraw()


def _flags(text: str) -> re.RegexFlag:
    """Small letters match capitals too; a capital means what it says."""
    return re.IGNORECASE if text.islower() else re.NOFLAG


def _restyle(parts: list[tuple[str, Style]], spans: list[tuple[int, int]], style: Style) -> list[tuple[str, Style]]:
    """The pieces with `style` laid over these spans of their joined text."""
    edges = sorted({edge for span in spans for edge in span})
    restyled: list[tuple[str, Style]] = []
    at = 0
    for text, own in parts:
        cuts = [0, *(edge - at for edge in edges if at < edge < at + len(text)), len(text)]
        for start, stop in pairwise(cuts):
            within = any(first <= at + start < last for first, last in spans)
            restyled.append((text[start:stop], own + style if within else own))
        at += len(text)
    return restyled
