"""What the verbs on folders of backfills take, and why they leave the rest alone (sections 8.3 and 8.4).

One-Click Stop and One-Click Rerun act on instances below a folder; the others on the folders themselves.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from dpconsole.core.domain.backfills import (
    FLOWS,
    PENDING,
    BackfillState,
    DateState,
    FlowState,
    FlowVerb,
    PendingVerb,
    refuse_flow,
    refuse_pending,
)
from dpconsole.core.domain.definitions import Unit
from dpconsole.core.domain.statuses import GUARDS, Status, Verb
from dpconsole.core.operations.fields import Arguments

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from dpconsole.core.store.backfill_verbs import Folder
    from dpconsole.core.store.targets import Part, Target


# --- instances below a folder -----------------------------------------------------------------------------------------

_STOPPABLE = GUARDS[Verb.STOP].statuses


def no_guard(_target: Target, _arguments: Arguments) -> str | None:
    """Nothing is refused: what the verb is not about is left alone."""
    return None


def one_click_stopped(target: Target, part: Part, _arguments: Arguments) -> Status | None:
    """What waits or runs, and of logical tables the nodes not started of fields that are still to come (AMB-3)."""
    early = target.unit is Unit.LOGICAL_TABLE and part.status is Status.NOT_RUNNING and part.to_come
    return Status.FAILED if early or part.status in _STOPPABLE else None


def with_fields_to_come(connection: Connection, targets: Sequence[Target]) -> Sequence[Target]:
    """See `core.store.targets`."""
    from dpconsole.core.store import targets as stored

    return stored.with_fields_to_come(connection, targets)


def one_click_rerun(_target: Target, part: Part, _arguments: Arguments) -> Status | None:
    """What has failed goes back to Not Running."""
    return Status.NOT_RUNNING if part.status is Status.FAILED and not part.paused else None


def paused_failures(target: Target, _arguments: Arguments) -> str | None:
    """What failed and is paused is not run again before it is resumed (AMB-15)."""
    failed = [part for part in target.parts if part.status is Status.FAILED]
    return "Paused: resume it first" if failed and all(part.paused for part in failed) else None


# --- in flight --------------------------------------------------------------------------------------------------------

_BEYOND_EXCLUDING = {
    DateState.BEGUN: "what has begun runs to its end, or is stopped",
    DateState.DONE: "it has run",
    DateState.EXCLUDED: "it is left out already",
}


def not_begun(folder: Folder, _arguments: Arguments) -> str | None:
    """Only what has not begun can be left out."""
    why = _BEYOND_EXCLUDING.get(DateState(folder.state))
    return f"{folder.words}: {why}" if why else None


def excluded(_folder: Folder, _arguments: Arguments) -> str:
    """What a data timestamp is that was left out."""
    return DateState.EXCLUDED.label


def regroupable(folder: Folder, arguments: Arguments) -> str | None:
    """Queues can be dealt anew while there is something left to deal."""
    if folder.state is not BackfillState.SUBMITTED:
        return f"{folder.words}: it has no queues yet"
    if not folder.to_begin:
        return "every data timestamp has begun: there is nothing left to deal"
    return f"it has {folder.groups} already" if arguments["to"] == groups(folder) else None


def groups(folder: Folder) -> str:
    """How many data timestamps run beside each other."""
    return str(folder.groups)


# --- to be submitted --------------------------------------------------------------------------------------------------


def state(folder: Folder) -> str:
    """Where a folder stands."""
    return folder.words


def guard_pending(verb: PendingVerb) -> Callable[[Folder, Arguments], str | None]:
    """Why a verb cannot act on a backfill in its state."""
    return lambda folder, _arguments: refuse_pending(verb, BackfillState(folder.state))


def next_state(verb: PendingVerb) -> Callable[[Folder, Arguments], str]:
    """Where a backfill stands that a verb acted on."""
    return lambda folder, _arguments: BackfillState(PENDING[verb][BackfillState(folder.state)]).label


# --- saved flows ------------------------------------------------------------------------------------------------------


def guard_flow(verb: FlowVerb) -> Callable[[Folder, Arguments], str | None]:
    """Why a verb cannot act on a saved flow in its state."""
    return lambda flow, _arguments: refuse_flow(verb, FlowState(flow.state))


def next_flow_state(verb: FlowVerb) -> Callable[[Folder, Arguments], str]:
    """Where a saved flow stands that a verb acted on."""
    return lambda flow, _arguments: FlowState(FLOWS[verb][FlowState(flow.state)]).label
