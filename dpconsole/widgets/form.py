"""A form on one page: label and value on a line, and right under them what is wrong with the value, while it is typed.

The screen gives the entries once, says which of them are asked now and what is wrong with any, and is told of each
answer as it changes. Texts are typed into directly; of choices one is taken with keys. What has not been touched has no
answer: its default shows through.

    form = Form(entries, answers)
    form.show_asked(names)            # the others are out of the way, their answers are kept
    form.show_problems({"range": "ends before it starts"})
    form.step(1); form.choose(1)      # what the keys of the app's registry do

Posted: `Changed` when an answer is another one, `Submitted` for Enter in a text, `Entered` when the focus is elsewhere.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from dataclasses import dataclass

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical, VerticalScroll
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input

from dpconsole.core.domain.text import clean
from dpconsole.widgets.cells import width_of
from dpconsole.widgets.ink import Ink, Piece
from dpconsole.widgets.line import Line
from dpconsole.widgets.safe import SafeText

POINTER = "› "
TEXT_LIMIT = 100_000
"""Characters that one answer takes: the keys of two thousand tasks."""


@dataclass(frozen=True, slots=True)
class Entry:
    """One line of a form: its name, its label, what stands for it while it has no answer, and its choices, if any."""

    name: str
    label: str
    default: str = ""
    choices: tuple[str, ...] = ()


class ChoiceLine(Line, can_focus=True):
    """The choices of an entry side by side, the taken one in brackets."""

    def __init__(self, entry: Entry, answer: str) -> None:
        self.entry = entry
        self.answer = answer
        super().__init__(self._choices())

    def take(self, answer: str) -> None:
        """Take another choice."""
        self.answer = answer
        self.show(self._choices())

    def _choices(self) -> list[Piece]:
        """Between two choices stands a blank, or a bracket of the taken one: nothing moves when another is taken."""
        drawn: list[Piece] = []
        before = ""
        for choice in self.entry.choices:
            is_taken = choice == self.answer
            drawn.append(("[" if is_taken else "]" if before == self.answer else " ", Ink.STRONG))
            drawn.append((choice, Ink.STRONG if is_taken else Ink.DIM))
            before = choice
        return [*drawn, ("]" if before == self.answer else " ", Ink.STRONG)]

    def on_click(self, event: events.Click) -> None:
        """A click takes the choice under it."""
        end = 0
        for choice in self.entry.choices:
            end += 1 + width_of(choice)
            if event.x < end:
                self.post_message(Form.Picked(self, choice))
                return


class FormLine(Vertical):
    """One entry: label, value, and a message of its own under them."""

    def __init__(self, entry: Entry, answer: str | None) -> None:
        super().__init__()
        self.entry = entry
        self.answer = answer
        self._label = Line(classes="form--label")
        self._message = SafeText(keep_lines=False, classes="form--message")
        self.value: Widget = self._make_value()
        self._draw_label()

    def _make_value(self) -> Widget:
        entry = self.entry
        if entry.choices:
            return ChoiceLine(entry, self.answer or entry.default)
        text = Input(
            clean(self.answer or "", TEXT_LIMIT),
            placeholder=entry.default,
            max_length=TEXT_LIMIT,
            select_on_focus=True,
        )
        text.cursor_blink = False
        return text

    def compose(self) -> ComposeResult:
        """Label and value side by side; the message stays out of the way until there is one."""
        self._message.display = False
        with Horizontal():
            yield self._label
            yield self.value
        yield self._message

    def begin(self, answer: str | None) -> None:
        """Have this answer, or none, as if nothing had been touched."""
        self.answer = answer
        if isinstance(self.value, Input):
            self.value.value = clean(answer or "", TEXT_LIMIT)
        elif isinstance(self.value, ChoiceLine):
            self.value.take(answer or self.entry.default)

    def show_problem(self, words: str) -> None:
        """Say what is wrong, or that nothing is."""
        self._message.show([(words, Ink.ERROR)])
        self._message.display = bool(words)

    def on_descendant_focus(self) -> None:
        """The pointer shows where one types, also without colour."""
        self._draw_label(POINTER)

    def on_descendant_blur(self) -> None:
        """No longer."""
        self._draw_label()

    def _draw_label(self, lead: str = " " * len(POINTER)) -> None:
        self._label.show([(lead, Ink.ACCENT), (self.entry.label, Ink.DIM if lead.isspace() else Ink.STRONG)])


class Form(VerticalScroll, can_focus=False, inherit_bindings=False):
    """The lines of a form."""

    DEFAULT_CSS = """
    Form { height: auto; scrollbar-size: 0 0; }
    Form FormLine { height: auto; }
    Form Horizontal { height: 1; }
    Form .form--label { width: 32; }
    Form .form--message { margin-left: 32; height: auto; }
    Form Input { width: 1fr; height: 1; border: none; padding: 0; }
    Form .form--rest { margin-top: 1; }
    """

    class FormMessage(Message):
        """A message of a form."""

        def __init__(self, name: str) -> None:
            self.name = name
            super().__init__()

    class Changed(FormMessage):
        """The answer to the entry of this name is another one."""

    class Submitted(FormMessage):
        """Enter, in the text of this name."""

    class Entered(FormMessage):
        """The entry of this name has the focus."""

    class Picked(Message):
        """A choice was clicked."""

        def __init__(self, line: ChoiceLine, choice: str) -> None:
            self.line, self.choice = line, choice
            super().__init__()

    def __init__(
        self, entries: Sequence[Entry], answers: Mapping[str, str], *, basics: int = 0, rest: str = "More"
    ) -> None:
        super().__init__()
        self._lines = {entry.name: FormLine(entry, answers.get(entry.name)) for entry in entries}
        self._basics = basics or len(self._lines)
        self._rest = Line([(f"  {rest}", Ink.DIM)], classes="form--rest")

    def compose(self) -> ComposeResult:
        """The basics, a word, the rest."""
        lines = list(self._lines.values())
        yield from lines[: self._basics]
        if lines[self._basics :]:
            yield self._rest
        yield from lines[self._basics :]

    # What is asked and answered

    @property
    def answers(self) -> dict[str, str]:
        """The answers that were given, those to what is not asked now among them."""
        return {name: line.answer for name, line in self._lines.items() if line.answer is not None}

    def answer(self, name: str, value: str) -> None:
        """Give an answer, as the operator would."""
        line = self._lines[name]
        if isinstance(line.value, Input):
            line.value.value = clean(value, TEXT_LIMIT)
        else:
            self._take(name, value)

    def begin(self, answers: Mapping[str, str]) -> None:
        """Begin anew with these answers and no others."""
        for name, line in self._lines.items():
            line.begin(answers.get(name))
        self.post_message(self.Changed(self.current))

    def show_asked(self, names: Collection[str]) -> None:
        """Show the lines of these entries only."""
        for name, line in self._lines.items():
            if line.display is not (name in names):
                line.display = name in names

    def show_problems(self, problems: Mapping[str, str]) -> None:
        """What is wrong with each entry; nothing is with the others."""
        for name, line in self._lines.items():
            line.show_problem(problems.get(name, ""))

    # Focus

    @property
    def current(self) -> str:
        """The name of the entry in focus; empty where none is."""
        return next((name for name, line in self._lines.items() if line.value.has_focus), "")

    @property
    def is_typing(self) -> bool:
        """Whether letters go into a text now."""
        return isinstance(self.screen.focused, Input)

    def go_to(self, name: str) -> None:
        """Put the focus on an entry; what one types there takes the place of what it says."""
        self._lines[name].value.focus()

    def step(self, number: int) -> None:
        """So many entries on, round and round."""
        shown = [name for name, line in self._lines.items() if line.display]
        at = shown.index(self.current) if self.current in shown else -1
        self.go_to(shown[(at + number) % len(shown)])

    # Answers

    def choose(self, step: int) -> None:
        """Another choice of the entry in focus."""
        name = self.current
        value = self._lines[name].value if name else None
        if isinstance(value, ChoiceLine):
            choices = value.entry.choices
            self._take(name, choices[(choices.index(value.answer) + step) % len(choices)])

    def _take(self, name: str, choice: str) -> None:
        line = self._lines[name]
        line.answer = choice
        if isinstance(line.value, ChoiceLine):
            line.value.take(choice)
        self.post_message(self.Changed(name))

    @on(Picked)
    def _pick(self, message: Picked) -> None:
        message.stop()
        message.line.focus()
        self._take(message.line.entry.name, message.choice)

    @on(Input.Changed)
    def _typed(self, message: Input.Changed) -> None:
        message.stop()
        line = self._line_of(message.input)
        if message.value != (line.answer or ""):
            line.answer = message.value
            self.post_message(self.Changed(line.entry.name))

    @on(Input.Submitted)
    def _submit(self, message: Input.Submitted) -> None:
        message.stop()
        self.post_message(self.Submitted(self._line_of(message.input).entry.name))

    def on_descendant_focus(self, _event: events.DescendantFocus) -> None:
        """Another entry has the focus."""
        self.post_message(self.Entered(self.current))

    def _line_of(self, value: Widget) -> FormLine:
        return next(line for line in self._lines.values() if line.value is value)
