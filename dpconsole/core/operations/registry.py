"""The verbs, as data: what each is called, what it needs, whom it takes, and what it writes.

Footer, help, palette, preview, command line, ledger and the parametrised tests read this table, and nothing else knows
a verb's key, title or rule. A new verb is one entry here, one function in `core.store.verbs` and one row in the guard
table of `core.domain.statuses`. Reading the table loads no database: the command line's help is made from it.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from types import ModuleType
from typing import TYPE_CHECKING

from dpconsole.core.domain.statuses import GUARDS, Status, Verb

if TYPE_CHECKING:
    from dpconsole.core.store.session import Transaction
    from dpconsole.core.store.targets import Part, Target
    from dpconsole.core.store.verbs import Change

Arguments = Mapping[str, str]
"""What an operator chose, by the name of the field."""


class Kind(StrEnum):
    """What a verb can be asked of."""

    INSTANCE = "instance"


@dataclass(frozen=True, slots=True)
class Choice:
    """A question a verb asks, with the words it takes: an option of the command line, a line of the dialog."""

    name: str
    title: str
    choices: tuple[str, ...]
    default: str


@dataclass(frozen=True, slots=True)
class Operation:
    """One verb.

    `guard` answers why a target may not be acted on, `passes_over` why the chosen scope leaves it alone; None is yes.
    `takes` picks the rows of a target that are changed, `after` is the status it then shows, and `apply` changes those
    rows and returns the ids it really changed. `is_mild` looks at what would act: a mild batch goes on one key up to 50
    rows. A `dangerous` verb is armed before it acts, one that `interrupts` kills running work. `role` is the least that
    may act (section 20).
    """

    name: str
    key: str
    title: str
    help: str
    scopes: frozenset[Kind]
    fields: tuple[Choice, ...]
    guard: Callable[[Target, Arguments], str | None]
    passes_over: Callable[[Target, Arguments], str | None]
    takes: Callable[[Part], bool]
    after: Callable[[Target], str]
    apply: Callable[[Transaction, Iterable[Part], Change], set[int]]
    is_mild: Callable[[Iterable[Target]], bool]
    dangerous: bool = False
    interrupts: bool = False
    role: str = "operator"

    def complete(self, arguments: Arguments) -> dict[str, str]:
        """The arguments with every default filled in; ValueError names a word this verb does not know."""
        fields = {field.name: field for field in self.fields}
        for name, value in arguments.items():
            if name not in fields:
                raise ValueError(f"{self.name} has no {name}; it takes {', '.join(fields) or 'nothing'}.")
            if value not in fields[name].choices:
                raise ValueError(f"{self.name} --{name} is one of {', '.join(fields[name].choices)}, not {value!r}.")
        return {name: arguments.get(name, field.default) for name, field in fields.items()}


def _guard(verb: Verb) -> Callable[[Target, Arguments], str | None]:
    def guard(target: Target, _arguments: Arguments) -> str | None:
        return GUARDS[verb].refuse(target.status, target.paused)

    return guard


def _in_scope(target: Target, arguments: Arguments) -> str | None:
    return RERUN_SCOPES[arguments["scope"]](target)


def _unless_failed(target: Target) -> str | None:
    return None if target.status is Status.FAILED else f"{target.status.label}: not Failed"


def _unless_eligible(target: Target) -> str | None:
    return GUARDS[Verb.RERUN].refuse(target.status, target.paused)


RERUN_SCOPES: dict[str, Callable[[Target], str | None]] = {
    "this": lambda _target: None,
    "failed": _unless_failed,
    "desired": _unless_eligible,
}
"""The scopes of a rerun: what is selected, the failed among it, those in the desired state among it (section 6)."""


def _stored() -> ModuleType:
    from dpconsole.core.store import verbs

    return verbs


_OPERATIONS = (
    Operation(
        name=Verb.RERUN,
        key="r",
        title="Rerun",
        help="Run again what succeeded or failed; upstreams and the scheduled time are checked again.",
        scopes=frozenset({Kind.INSTANCE}),
        fields=(Choice("scope", "Which of the selected", tuple(RERUN_SCOPES), "this"),),
        guard=_guard(Verb.RERUN),
        passes_over=_in_scope,
        takes=lambda part: part.status in GUARDS[Verb.RERUN].statuses,
        after=lambda _target: Status.NOT_RUNNING,
        apply=lambda *change: _stored().rerun(*change),
        is_mild=lambda targets: all(target.status is Status.FAILED for target in targets),
    ),
)

OPERATIONS: dict[str, Operation] = {operation.name: operation for operation in _OPERATIONS}
"""Every verb of this release, by its name."""
