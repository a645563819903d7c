"""A form on one page: label and value on a line, and right under them what is wrong with the value, while it is typed.

The screen gives the entries once, says which of them are asked now and what is wrong with any, and is told of each
answer as it changes. Texts are typed into directly; of choices one is taken with keys. What has not been touched has no
answer: its default shows through. All of it is one widget on the line API: a form of thirty lines opens as fast as one
of three, and a keystroke draws one line.

    form = Form(entries, answers, basics=4)
    form.show_asked(names)            # the others are out of the way, their answers are kept
    form.show_problems({"range": "ends before it starts"})
    form.suggest("task", "trade.ods") # shown behind what is typed of it, until it is taken or no longer fits
    form.step(1); form.choose(1)      # what the keys of the app's registry do

Posted: `Changed` when an answer is another one, `Entered` when another entry is the current one.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass

from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from dpconsole.core.domain.text import clean
from dpconsole.widgets.cells import cut_cells, cut_pieces, width_of, wrapped
from dpconsole.widgets.ink import INK_CLASSES, Ink, Piece, inked
from dpconsole.widgets.line_edit import LineEdit
from dpconsole.widgets.strips import join

POINTER = "› "
LABEL = 32
"""Cells before the values."""

TAKES = frozenset({"right", "end"})
"""Keys that take what is suggested, where there would be nothing to move to."""

CURRENT, CURSOR = "form--current", "form--cursor"


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a form: its name, its label, what stands for it while it has no answer, and its choices, if any."""

    name: str
    label: str
    default: str = ""
    choices: tuple[str, ...] = ()


@dataclass
class Answer:
    """What an entry says; `touched` once somebody gave it an answer."""

    entry: Entry
    line: LineEdit
    touched: bool = False

    @property
    def value(self) -> str:
        """The answer, or what goes without saying."""
        return self.line.text if self.touched or not self.entry.choices else self.entry.default


@dataclass(frozen=True, slots=True)
class Row:
    """A line as it is drawn: of an entry the first, or a line of its message, or one that says something by itself."""

    answer: Answer | None = None
    words: tuple[Piece, ...] = ()


class Form(Widget, can_focus=True, inherit_bindings=False):
    """The form; see the module's first page for how it is used."""

    ALLOW_SELECT = False
    COMPONENT_CLASSES = INK_CLASSES | {CURRENT, CURSOR}
    DEFAULT_CSS = "Form { width: 1fr; height: 1fr; }"

    class FormMessage(Message):
        """A message of a form about one of its entries."""

        def __init__(self, name: str) -> None:
            self.name = name
            super().__init__()

    class Changed(FormMessage):
        """The answer to the entry of this name is another one."""

    class Entered(FormMessage):
        """The entry of this name is the current one."""

    def __init__(
        self, entries: Sequence[Entry], answers: Mapping[str, str], *, basics: int = 0, rest: str = "More"
    ) -> None:
        super().__init__()
        self._answers = {entry.name: Answer(entry, LineEdit()) for entry in entries}
        self._basics = [entry.name for entry in entries][:basics]
        self._rest = rest
        self._asked: Collection[str] = tuple(self._answers)
        self._problems: Mapping[str, str] = {}
        self._suggestion = ("", "")
        self._current = next(iter(self._answers))
        self._rows: list[Row] = []
        self._top = 0
        self._give(answers)

    # What is asked and answered

    @property
    def answers(self) -> dict[str, str]:
        """The answers that were given, those to what is not asked now among them."""
        return {name: answer.line.text for name, answer in self._answers.items() if answer.touched}

    def answer(self, name: str, value: str) -> None:
        """Give an answer, as the operator would."""
        self._answers[name].line = LineEdit(value)
        self._touch(name)

    def begin(self, answers: Mapping[str, str]) -> None:
        """Begin anew with these answers and no others."""
        self._give(answers)
        self._lay_out()
        self.post_message(self.Changed(self._current))

    def _give(self, answers: Mapping[str, str]) -> None:
        for name, answer in self._answers.items():
            answer.line, answer.touched = LineEdit(answers.get(name, "")), name in answers

    def show_asked(self, names: Collection[str]) -> None:
        """Show the lines of these entries only."""
        if set(names) != set(self._asked):
            self._asked = names
            self._lay_out()

    def show_problems(self, problems: Mapping[str, str]) -> None:
        """What is wrong with each entry; nothing is with the others."""
        if problems != self._problems:
            self._problems = problems
            self._lay_out()

    def suggest(self, name: str, text: str) -> None:
        """What the text of an entry may become; nothing is suggested for the others."""
        self._suggestion = (name, text)
        self._refresh_entry(name)

    def _suggested_of(self, answer: Answer) -> str:
        """What is suggested behind the cursor; it takes no notice of what the cursor has left."""
        name, whole = self._suggestion
        line = answer.line
        is_at_end = line.cursor == len(line.text) and not line.fresh
        return (
            whole[len(line.text) :] if name == answer.entry.name and is_at_end and whole.startswith(line.text) else ""
        )

    # Where one is

    @property
    def current(self) -> str:
        """The name of the entry that keys answer."""
        return self._current

    @property
    def is_typing(self) -> bool:
        """Whether letters go into a text now."""
        return not self._answers[self._current].entry.choices

    def go_to(self, name: str) -> None:
        """Make an entry the current one; what is typed then takes the place of what it says."""
        self._current = name
        self._answers[name].line.come()
        self._lay_out()
        self.post_message(self.Entered(name))

    def step(self, number: int) -> None:
        """So many entries on, round and round."""
        shown = [name for name in self._answers if name in self._asked]
        at = shown.index(self._current) if self._current in shown else 0
        self.go_to(shown[(at + number) % len(shown)])

    # Answers

    def choose(self, step: int) -> None:
        """Another choice of the current entry."""
        answer = self._answers[self._current]
        if choices := answer.entry.choices:
            self._take(choices[(choices.index(answer.value) + step) % len(choices)])

    def _take(self, choice: str) -> None:
        self._answers[self._current].line = LineEdit(choice)
        self._touch(self._current)

    def _touch(self, name: str) -> None:
        self._answers[name].touched = True
        self._refresh_entry(name)
        self.post_message(self.Changed(name))

    def on_key(self, event: events.Key) -> None:
        """Type into the text; what is no part of typing is left to the keys of the screen."""
        line = self._answers[self._current].line
        if not self.is_typing:
            return
        before = line.text
        if event.key in TAKES and (rest := self._suggested_of(self._answers[self._current])):
            line.insert(rest)
        elif event.is_printable and event.character is not None:
            line.insert(event.character)
        elif not line.press(event.key):
            return
        event.stop()
        self._touch(self._current) if line.text != before else self._refresh_entry(self._current)

    def on_paste(self, event: events.Paste) -> None:
        """Text from the clipboard, its first line."""
        event.stop()
        if self.is_typing and (pasted := event.text.splitlines()):
            self._answers[self._current].line.insert(pasted[0])
            self._touch(self._current)

    def on_click(self, event: events.Click) -> None:
        """A click goes to a line; on a choice it takes it."""
        at = self._top + event.y
        answer = self._rows[at].answer if at < len(self._rows) else None
        if answer is None:
            return
        self.go_to(answer.entry.name)
        end = LABEL
        for choice in answer.entry.choices:
            if end <= event.x < (end := end + 1 + width_of(choice)):
                self._take(choice)

    # Drawing

    def on_resize(self) -> None:
        """Messages are wrapped to the width."""
        self._lay_out()

    def _lay_out(self) -> None:
        """All lines anew, the current entry with its message in sight."""
        self._rows = list(self._every_row())
        if not self.size.height:
            return
        places = [at for at, row in enumerate(self._rows) if row.answer is self._answers[self._current]]
        first, last = (places[0], places[-1]) if places else (0, 0)
        while last + 1 < len(self._rows) and self._rows[last + 1].words and self._rows[last + 1].answer is None:
            last += 1
        top = min(max(self._top, last - self.size.height + 1), first)
        self._top = max(0, min(top, len(self._rows) - self.size.height))
        self.refresh()

    def _every_row(self) -> Iterator[Row]:
        said_more = not self._basics
        for name, answer in self._answers.items():
            if name not in self._asked:
                continue
            if not said_more and name not in self._basics:
                said_more = True
                yield from (Row(), Row(words=((f"  {self._rest}", Ink.DIM),)))
            yield Row(answer)
            if words := self._problems.get(name):
                room = max(20, self.size.width - LABEL)
                yield from (Row(words=((" " * LABEL + line, Ink.ERROR),)) for line in wrapped(clean(words), room))

    def _refresh_entry(self, name: str) -> None:
        for at, row in enumerate(self._rows):
            if row.answer is self._answers[name]:
                self.refresh(Region(0, at - self._top, self.size.width, 1))

    def render_line(self, y: int) -> Strip:
        """A line of the form."""
        base, width, at = self.rich_style, self.size.width, self._top + y
        row = self._rows[at] if at < len(self._rows) else Row()
        if row.answer is None:
            return join([(text, inked(self, ink, base)) for text, ink in row.words], width, base)
        return join(self._drawn(row.answer, base, width), width, base)

    def _drawn(self, answer: Answer, base: Style, width: int) -> Iterator[tuple[str, Style]]:
        is_current = answer.entry.name == self._current
        lead, ink = (POINTER, Ink.STRONG) if is_current else (" " * len(POINTER), Ink.DIM)
        label = cut_cells(answer.entry.label, LABEL - len(POINTER) - 1)
        yield lead, inked(self, Ink.ACCENT, base)
        yield label, inked(self, ink, base)
        yield " " * (LABEL - len(POINTER) - width_of(label)), base
        style = base + self.get_component_rich_style(CURRENT, partial=True) if is_current else base
        room = width - LABEL
        drawn = list(self._value(answer, style, room, is_current=is_current))
        yield from drawn
        yield " " * max(0, room - sum(width_of(text) for text, _ in drawn)), style

    def _value(self, answer: Answer, style: Style, room: int, *, is_current: bool) -> Iterator[tuple[str, Style]]:
        if answer.entry.choices:
            yield from ((text, inked(self, ink, style)) for text, ink in cut_pieces(list(_choices(answer)), room))
        elif is_current:
            yield from self._typed(answer, style, room)
        elif answer.line.text:
            yield cut_cells(answer.line.text, room), style
        else:
            yield cut_cells(self._default(answer), room), inked(self, Ink.DIM, style)

    def _default(self, answer: Answer) -> str:
        """What shows through an empty text; nothing where being empty is what is wrong with it."""
        is_wrong = answer.touched and answer.entry.name in self._problems
        return "" if is_wrong else answer.entry.default

    def _typed(self, answer: Answer, style: Style, room: int) -> Iterator[tuple[str, Style]]:
        """The text with the cursor in it; all of it looks like the cursor while the next character replaces it."""
        cursor = style + self.get_component_rich_style(CURSOR, partial=True)
        if not answer.line.text:
            default = cut_cells(self._default(answer) or " ", room)
            yield from ((default[:1], cursor), (default[1:], inked(self, Ink.DIM, style)))
            return
        text, at = answer.line.seen(room)
        if answer.line.fresh:
            yield text, cursor
            return
        rest = cut_cells(self._suggested_of(answer), max(0, room - width_of(text)))
        yield from ((text[:at], style), (text[at : at + 1] or rest[:1] or " ", cursor), (text[at + 1 :], style))
        yield rest[1:], inked(self, Ink.DIM, style)


def _choices(answer: Answer) -> Iterator[Piece]:
    """Between two choices stands a blank, or a bracket of the taken one: nothing moves when another is taken."""
    before = None
    for choice in answer.entry.choices:
        is_taken = choice == answer.value
        yield ("[" if is_taken else "]" if before == answer.value else " ", Ink.STRONG)
        yield (choice, Ink.STRONG if is_taken else Ink.DIM)
        before = choice
    yield ("]" if before == answer.value else " ", Ink.STRONG)
