"""What rerun and forced rerun reach: the selection, those of it that are meant, and what stands below it.

The scopes are those of sections 5 and 6. The start of a scope that goes downstream is acted on as well; what is found
below it can be narrowed by level, status, owner, project and name.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING

from dpconsole.core.domain.backfills import ITS_TURN, LEFT_OUT
from dpconsole.core.domain.definitions import Origin
from dpconsole.core.domain.statuses import GUARDS, TERMINAL, Status, Verb
from dpconsole.core.operations.fields import Arguments, Field, FieldKind

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from dpconsole.core.store.targets import Part, Target

Condition = Callable[["Target"], bool]

STATUS_WORDS: Mapping[str, Status] = {status.lower(): status for status in Status}


def _below_fields(*scopes: str) -> tuple[Field, ...]:
    """The questions that narrow what stands below."""
    below = ("scope", frozenset(scopes))
    return (
        Field("levels", "Below: so many levels", FieldKind.NUMBER, goes_with=below),
        Field("status", "Below: of status", FieldKind.CHOICE, tuple(STATUS_WORDS), several=True, goes_with=below),
        Field("owner", "Below: of owner", FieldKind.TEXT, several=True, goes_with=below),
        Field("project", "Below: of project", FieldKind.TEXT, several=True, goes_with=below),
        Field("name", "Below: with this in name or id", FieldKind.TEXT, goes_with=below),
        Field("except", "Below: but not these", FieldKind.IDS, several=True, goes_with=below),
    )


def below(connection: Connection, starts: Sequence[Target], arguments: Arguments) -> Sequence[Target]:
    """What is to be acted on below the starts; a forced rerun of all in a backfill reaches no further (section 6)."""
    from dpconsole.core.store.descendants import read_descendants

    scope = arguments["scope"]
    if scope not in _FOUND:
        return ()
    if scope == "all":
        starts = [start for start in starts if start.origin is not Origin.BACKFILL]
    conditions = [_FOUND[scope], *_narrowing(arguments)]
    levels = int(arguments["levels"]) if arguments["levels"] else None
    found = read_descendants(connection, starts, levels)
    return [target for target in found if all(condition(target) for condition in conditions)]


def _narrowing(arguments: Arguments) -> Iterator[Condition]:
    """What the operator asks of rows below, one condition for each question that was answered."""
    answered = {name: set(filter(None, answer.split(","))) for name, answer in arguments.items()}
    if statuses := {STATUS_WORDS[word] for word in answered["status"]}:
        yield lambda target: target.standing in statuses
    if owners := answered["owner"]:
        yield lambda target: target.owner in owners
    if projects := answered["project"]:
        yield lambda target: target.project in projects
    if words := arguments["name"].casefold():
        yield lambda target: words in target.name.casefold() or words in target.key
    if spared := answered["except"]:
        yield lambda target: str(target.id) not in spared


_FOUND: Mapping[str, Condition] = {
    "downstream": lambda _target: True,
    "downstream-failed": lambda target: any(part.status is Status.FAILED for part in target.parts),
    "all": lambda target: target.standing is Status.NOT_RUNNING,
}
"""By scope, what below a start it is about; scopes that are not here stay with the selection."""


def _gate(target: Target) -> str | None:
    """Why nothing but force starts what is of a data timestamp that has not begun (section 7)."""
    if not target.is_gated:
        return None
    return f"{target.standing.label}: {LEFT_OUT if target.left_out else ITS_TURN}"


# --- rerun ------------------------------------------------------------------------------------------------------------

DOWNSTREAM = ("downstream", "downstream-failed")
_START = Field("start", "The start runs", FieldKind.CHOICE, ("normal", "dry-run"), "normal")
"""Dry, it succeeds at once without work, and leaves no data (section 5)."""

RERUN_FIELDS = (
    Field("scope", "Which of the selected", FieldKind.CHOICE, ("this", "failed", "desired", *DOWNSTREAM), "this"),
    replace(_START, goes_with=("scope", frozenset(DOWNSTREAM))),
    *_below_fields(*DOWNSTREAM),
)


def guard_rerun(target: Target, arguments: Arguments) -> str | None:
    """O1, or O3 for the start of a rerun downstream; what stands below is only passed over."""
    if target.level:
        return None
    if target.standing is Status.NOT_RUNNING and (gate := _gate(target)):
        return gate
    verb = Verb.RERUN_DOWNSTREAM if arguments["scope"] in DOWNSTREAM else Verb.RERUN
    return GUARDS[verb].refuse(target.standing, target.paused)


def beside_rerun_scope(target: Target, arguments: Arguments) -> str | None:
    """Why a rerun leaves a row alone that was selected, or found below (AMB-11, AMB-27)."""
    if not target.level:
        return _SCOPES[arguments["scope"]](target)
    if target.standing in TERMINAL or _is_to_be_woken(target):
        return None
    if target.standing is not Status.NOT_RUNNING:
        return f"{target.standing.label}: below the start, it is left alone"
    return _gate(target) or f"{target.standing.label}: it runs in its turn"


def rerun(target: Target, part: Part, arguments: Arguments) -> Status | None:
    """What has ended goes back to Not Running; a start may succeed without work instead."""
    if target.level and part.status is Status.NOT_RUNNING:
        return None if part.autonomous or target.origin is Origin.BACKFILL else Status.NOT_RUNNING
    ended = {Status.FAILED} if target.level and arguments["scope"] == "downstream-failed" else TERMINAL
    if part.status not in ended:
        return None
    return Status.SUCCEEDED if arguments["start"] == "dry-run" and not target.level else Status.NOT_RUNNING


def _is_to_be_woken(target: Target) -> bool:
    """In development what has not run waits for a person, who this is (section 3)."""
    waits = target.standing is Status.NOT_RUNNING and any(not part.autonomous for part in target.parts)
    return waits and target.origin is not Origin.BACKFILL


_SCOPES: Mapping[str, Callable[[Target], str | None]] = {
    "this": lambda _target: None,
    "failed": lambda target: None if target.standing is Status.FAILED else f"{target.standing.label}: not Failed",
    "desired": lambda target: GUARDS[Verb.RERUN].refuse(target.standing, target.paused),
    "downstream": lambda _target: None,
    "downstream-failed": lambda _target: None,
}
"""The scopes of a rerun: what is selected, the failed among it, those in the desired state among it (section 6)."""


# --- forced rerun -----------------------------------------------------------------------------------------------------

FORCE_FIELDS = (
    Field("scope", "How far", FieldKind.CHOICE, ("current", "downstream", "all"), "current"),
    _START,
    *_below_fields("downstream", "all"),
)


def guard_force_rerun(target: Target, _arguments: Arguments) -> str | None:
    """O2, O4: any status, paused or not."""
    return GUARDS[Verb.FORCE_RERUN].refuse(target.standing, target.paused)


def beside_force_scope(target: Target, _arguments: Arguments) -> str | None:
    """Force is for the start: what stands below it in a data timestamp that has not begun goes on waiting."""
    return _gate(target) if target.level else None


def force_rerun(target: Target, part: Part, arguments: Arguments) -> Status | None:
    """A start goes to Throttling, or succeeds where it does no work; what stands below goes to Not Running.

    Of a logical table the nodes that wait for its other nodes still do: force skips what lies outside the table.
    """
    if target.level:
        wanted = part.status is Status.NOT_RUNNING or arguments["scope"] == "downstream"
        return Status.NOT_RUNNING if wanted else None
    if arguments["start"] == "dry-run":
        return Status.SUCCEEDED
    if part.follows:
        return Status.NOT_RUNNING
    return Status.SUCCEEDED if part.instant else Status.THROTTLED
