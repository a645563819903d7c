"""What a verb asks in its preview: which question is next, what was answered, and how that is written.

The questions come from the registry; what an answer means is checked there. Here they are only shown and taken.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from dpconsole.core.services import Field, FieldKind, Operation
from dpconsole.widgets.cells import fit, width_of
from dpconsole.widgets.ink import Ink, Piece

POINTER = "› "
LABEL = 28
"""Cells of a question, at most."""

UNANSWERED: Mapping[FieldKind, str] = {
    FieldKind.CHOICE: "any",
    FieldKind.NUMBER: "any number",
    FieldKind.TIME: "not set",
    FieldKind.TEXT: "any",
    FieldKind.IDS: "none",
}
"""What stands where nothing was answered."""

HINTS: Mapping[FieldKind, str] = {
    FieldKind.NUMBER: "a whole number, 1 or more",
    FieldKind.TIME: "06:00  +2h  2026-11-20T06:00",
    FieldKind.TEXT: "several with commas between them",
    FieldKind.IDS: "ids with commas between them",
}
"""What may be typed as an answer."""


class Questions:
    """The questions of one verb and the answers so far, as the operator gave them."""

    def __init__(self, operation: Operation, answers: Mapping[str, str]) -> None:
        self.operation = operation
        self._answers = dict(answers)
        self._current = 0

    @property
    def answers(self) -> dict[str, str]:
        """The answers to the questions that are asked; one that no longer is has no answer."""
        return {field.name: self._answers[field.name] for field in self.asked if field.name in self._answers}

    @property
    def asked(self) -> Sequence[Field]:
        """The questions, the answers so far being these."""
        defaults = {field.name: field.default for field in self.operation.fields}
        return self.operation.questions(defaults | self._answers)

    @property
    def current(self) -> Field | None:
        """The question that keys answer now."""
        asked = self.asked
        return asked[min(self._current, len(asked) - 1)] if asked else None

    @property
    def missing(self) -> Field | None:
        """The first question without an answer that the verb does not act without."""
        return next((field for field in self.asked if field.required and not self.answer_to(field)), None)

    def answer_to(self, field: Field) -> str:
        """What was answered, or else goes without saying."""
        return self._answers.get(field.name, field.default)

    def go_on(self) -> None:
        """To the next question; after the last comes the first."""
        self._current = (self._current + 1) % max(1, len(self.asked))

    def answer(self, field: Field, value: str) -> None:
        """Take an answer. ValueError says what it should be."""
        wanted = {**self._answers, field.name: value}
        self.operation.complete({name: wanted[name] for name in wanted if name in {one.name for one in self.asked}})
        self._answers = wanted

    def take_in(self, arguments: Mapping[str, str]) -> None:
        """Take the answers of a plan, among which are the rows that were dropped from below the chosen ones."""
        self._answers = dict(arguments)

    def lines(self) -> list[list[Piece]]:
        """The current question with its choices, those that were answered, and how many more there are."""
        shown, folded = [], 0
        for field in self.asked:
            if field == self.current or field.required or self.answer_to(field) != field.default:
                shown.append(self._line(field))
            else:
                folded += 1
        if folded:
            shown.append([(f"{' ' * len(POINTER)}{folded} more to ask", Ink.DIM)])
        return shown

    def _line(self, field: Field) -> list[Piece]:
        is_current = field == self.current and len(self.asked) > 1
        lead: list[Piece] = [(POINTER if is_current else " " * len(POINTER), Ink.ACCENT)]
        width = min(LABEL, max(width_of(one.title) for one in self.asked))
        return [*lead, *fit([(field.title, Ink.DIM)], width), ("  ", Ink.PLAIN), *self._answered(field)]

    def _answered(self, field: Field) -> list[Piece]:
        answer = self.answer_to(field)
        if field.kind is not FieldKind.CHOICE or field.several:
            return [(answer, Ink.STRONG) if answer else (UNANSWERED[field.kind], Ink.DIM)]
        return [_choice(field, number, taken=choice == answer) for number, choice in enumerate(field.choices, 1)]


def _choice(field: Field, number: int, *, taken: bool) -> Piece:
    """One choice, with its number where a number is the key to it."""
    words = f"{number} {field.choices[number - 1]}" if field.required else field.choices[number - 1]
    return (f"[{words}]", Ink.STRONG) if taken else (f" {words} ", Ink.DIM)
