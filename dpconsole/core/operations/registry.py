"""The verbs, as data: what each is called, what it asks, whom it takes, and what it writes.

Footer, help, palette, preview, command line, ledger and the parametrised tests read this table, and nothing else knows
a verb's key, title or rule. A new verb is one entry here, one function in `core.store.verbs` and one row in the guard
table of `core.domain.statuses`. Reading the table loads no database: the command line's help is made from it.
"""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from types import ModuleType
from typing import TYPE_CHECKING, Any, TypeAlias

from dpconsole.core.domain.backfills import FlowVerb, PendingVerb
from dpconsole.core.domain.definitions import Priority, Unit
from dpconsole.core.domain.fields import derive
from dpconsole.core.domain.keys import TreeId
from dpconsole.core.domain.statuses import GUARDS, Status, Verb
from dpconsole.core.operations import folders, scopes
from dpconsole.core.operations.fields import Arguments, Field, FieldKind, Moment
from dpconsole.core.operations.selection import Kind, Selection

if TYPE_CHECKING:
    from sqlalchemy import Connection

    from dpconsole.core.store.backfill_verbs import Folder
    from dpconsole.core.store.session import Transaction
    from dpconsole.core.store.targets import Part, Target
    from dpconsole.core.store.verbs import Change

Finder: TypeAlias = "Callable[[Connection, Collection[TreeId], Collection[TreeId]], Sequence[int]]"
"""Finds the targets of a verb in folders of backfills, less some of what is in them."""


@dataclass(frozen=True, slots=True)
class Batch:
    """How a verb takes several rows at once (section 6).

    `passes_over`: what cannot be acted on is skipped, as long as something can. `strict_in_backfill`: statuses that
    no row of a backfill may have, or nothing is done. `downstream_first`: the order in which chunks are applied, for a
    verb that would otherwise set going what it is about to reach.
    """

    passes_over: bool = False
    strict_in_backfill: frozenset[Status] = frozenset()
    downstream_first: bool = False


STOP_ALL = "one-click-stop"
RERUN_FAILED = "one-click-rerun-failed"
EXCLUDE = "exclude-dates"
CONCURRENCY = "concurrency"
ON_FOLDERS = frozenset({Kind.BACKFILL, Kind.BACKFILL_DATE})
EVERYWHERE = ON_FOLDERS | {Kind.INSTANCE}


def _stored() -> ModuleType:
    from dpconsole.core.store import verbs

    return verbs


def _in_folders() -> ModuleType:
    from dpconsole.core.store import backfill_verbs

    return backfill_verbs


def _flows() -> ModuleType:
    from dpconsole.core.operations import flows

    return flows


@dataclass(frozen=True, slots=True)
class Operation:
    """One verb.

    `kind` is what its targets are, and the items of its record. `scopes` is what it is asked of: in a folder it acts
    on what `finds` finds. `guard` answers why a target may not be acted on, `passes_over` why the chosen scope
    leaves it alone; None is yes. `moves` says of a row of a target which status it then has, None where it is left as
    it is; `apply` changes those rows and returns the ids it really changed. `spreads` adds what is to be acted on below
    the chosen targets, and `looks` what a guard has to know besides. `shows` is what an item says of a target before
    and after, with `becomes` where that is not the status. `warns` says of those that act where the verb does less than
    its name promises. `is_mild` looks at what would act: a mild batch goes on one key up to 50 rows. A `dangerous` verb
    is armed before it acts, one that `interrupts` kills running work. `role` is the least that may act (section 20).
    `on_folders` names the verb that the key stands for on a folder, where that is another one, and `command` the words
    of the command line, where they are not the name.
    """

    name: str
    key: str
    title: str
    help: str
    fields: tuple[Field, ...]
    guard: Callable[[Any, Arguments], str | None]
    moves: Callable[[Any, Any, Arguments], Status | None]
    apply: Callable[[Transaction, Sequence[Any], Change], set[int]]
    is_mild: Callable[[Iterable[Any]], bool]
    passes_over: Callable[[Any, Arguments], str | None] = lambda _target, _arguments: None
    spreads: Callable[[Connection, Sequence[Any], Arguments], Sequence[Any]] = lambda _c, _targets, _arguments: ()
    looks: Callable[[Connection, Sequence[Any]], Sequence[Any]] = lambda _connection, targets: targets
    shows: Callable[[Any], str] = lambda target: target.status
    becomes: Callable[[Any, Arguments], str] | None = None
    warns: Callable[[Connection, Sequence[Any]], str] = lambda _connection, _targets: ""
    finds: Finder = lambda *asked: _in_folders().instances_below(*asked)
    batch: Batch = Batch()
    kind: Kind = Kind.INSTANCE
    scopes: frozenset[Kind] = frozenset({Kind.INSTANCE})
    dangerous: bool = False
    interrupts: bool = False
    role: str = "operator"
    on_folders: str = ""
    command: str = ""

    def questions(self, arguments: Arguments) -> tuple[Field, ...]:
        """The fields that are asked, the answers so far being these."""
        return tuple(field for field in self.fields if field.is_asked(arguments))

    def answers(self, arguments: Arguments) -> dict[str, str]:
        """The arguments that say something, as the ledger keeps them."""
        return {field.name: arguments[field.name] for field in self.questions(arguments) if arguments[field.name]}

    def complete(self, arguments: Arguments, moment: Moment | None = None) -> dict[str, str]:
        """The arguments with every default filled in, in the form the ledger keeps.

        ValueError names a word this verb does not know, or what an answer should be. Without a moment, times are left
        as they were written.
        """
        fields = {field.name: field for field in self.fields}
        for name in arguments:
            if name not in fields:
                raise ValueError(f"{self.name} has no {name}; it takes {', '.join(fields) or 'nothing'}.")
        complete = {name: field.read(arguments.get(name, ""), moment) for name, field in fields.items()}
        for name, field in fields.items():
            if field.goes_with is not None and complete[name] != field.default and not field.is_asked(complete):
                other, answers = field.goes_with
                raise ValueError(f"{self.name} --{name} goes with --{other} {' or '.join(sorted(answers))}.")
        return complete

    def refuse(self, target: Any, arguments: Arguments) -> str | None:
        """Why a target may not be acted on, unanswered questions included; None when it may."""
        missing = (field for field in self.fields if field.required and not arguments[field.name])
        return next((f"{field.title}: choose first (--{field.name})" for field in missing), None) or self.guard(
            target, arguments
        )

    def taken(self, target: Any, arguments: Arguments) -> list[tuple[Part, Status]]:
        """The rows of a target that are changed, each with the status it then has; a folder has none."""
        moves = ((part, self.moves(target, part, arguments)) for part in target.parts)
        return [(part, after) for part, after in moves if after is not None]

    def may_change(self, target: Any, arguments: Arguments) -> bool:
        """Whether there is something in a target for the verb to change; a folder is changed as it is."""
        return self.kind is not Kind.INSTANCE or bool(self.taken(target, arguments))

    def after(self, target: Any, arguments: Arguments) -> str:
        """What an item says of a target that was acted on."""
        if self.becomes is not None:
            return self.becomes(target, arguments)
        after = [self.moves(target, part, arguments) or part.status for part in target.parts]
        return derive((*after, *target.spared)) if target.unit is Unit.LOGICAL_TABLE else after[0]


def _guard(verb: Verb) -> Callable[[Target, Arguments], str | None]:
    def guard(target: Target, _arguments: Arguments) -> str | None:
        return GUARDS[verb].refuse(target.standing, target.paused)

    return guard


def _stays(_target: Target, part: Part, _arguments: Arguments) -> Status:
    return part.status


def _always(_targets: Iterable[Target]) -> bool:
    return True


def _never(_targets: Iterable[Target]) -> bool:
    return False


def _all_failed(targets: Iterable[Target]) -> bool:
    return all(target.standing is Status.FAILED for target in targets)


# --- stop, pause, resume ----------------------------------------------------------------------------------------------

_STOPPABLE = GUARDS[Verb.STOP].statuses
_PAUSABLE = GUARDS[Verb.PAUSE].statuses


def _stopped(target: Target, part: Part, _arguments: Arguments) -> Status | None:
    """Of a table that is stopped, what has not started goes with the rest (AMB-3)."""
    stops = part.status in _STOPPABLE
    return Status.FAILED if stops or (target.unit is Unit.LOGICAL_TABLE and part.status is Status.NOT_RUNNING) else None


def _paused(_target: Target, part: Part, _arguments: Arguments) -> Status | None:
    return part.status if part.status in _PAUSABLE and not part.paused else None


def _resumed(_target: Target, part: Part, _arguments: Arguments) -> Status | None:
    return part.status if part.paused else None


# --- set to success ---------------------------------------------------------------------------------------------------

SUCCESS_SCOPES: Mapping[str, frozenset[Status]] = {
    "failed": frozenset({Status.FAILED}),
    "not-run": frozenset({Status.NOT_RUNNING}),
    "both": GUARDS[Verb.SET_SUCCESS].statuses,
}
"""What is set to success: what failed, what has not run, or both (section 5)."""


def _set_success(_target: Target, part: Part, arguments: Arguments) -> Status | None:
    return Status.SUCCEEDED if part.status in SUCCESS_SCOPES[arguments["scope"]] else None


def _beside_success_scope(target: Target, arguments: Arguments) -> str | None:
    """A logical table is looked at node by node: it may hold some of what is meant, whatever its own status."""
    wanted = SUCCESS_SCOPES[arguments["scope"]]
    if target.standing not in GUARDS[Verb.SET_SUCCESS].statuses or any(p.status in wanted for p in target.parts):
        return None
    return f"{target.standing.label}: not {' or '.join(sorted(status.label for status in wanted))}"


# --- priority, upstreams ----------------------------------------------------------------------------------------------


NAMED = 3
"""Baselines that a warning names; the others are counted."""


def _priority(target: Target) -> str:
    return Priority.of(target.priority)


def _as_asked(_target: Target | Folder, arguments: Arguments) -> str:
    return arguments["to"]


def _without_effect(connection: Connection, targets: Sequence[Target]) -> str:
    """Priorities that are kept, but do not count while a baseline gives another one (section 11.3)."""
    from dpconsole.core.store.critical_rows import read_covered

    covered = read_covered(connection, {target.task_id for target in targets})
    number = sum(target.task_id in covered for target in targets)
    if not number:
        return ""
    names = sorted({name for some in covered.values() for name in some})
    others = f" and {len(names) - NAMED} more" if len(names) > NAMED else ""
    whom = "it" if len(targets) == 1 else f"{number:,} of {len(targets):,}"
    return f"no effect on {whom} while covered by {', '.join(names[:NAMED])}{others}: it is kept until then"


def _with_upstreams(connection: Connection, targets: Sequence[Target]) -> Sequence[Target]:
    from dpconsole.core.store.targets import with_upstreams

    return with_upstreams(connection, targets)


def _with_order(connection: Connection, targets: Sequence[Target]) -> Sequence[Target]:
    from dpconsole.core.store.targets import with_order

    return with_order(connection, targets)


def _one_upstream_stays(target: Target, arguments: Arguments) -> str | None:
    """Refuse what is no upstream, and to take the last one away; the root counts as one (AMB-20)."""
    if not target.upstreams:
        return "it has no upstream that could be removed"
    known = {*target.upstreams, *target.upstreams.values()}
    if strangers := [id for id in arguments["upstream"].split(",") if int(id) not in known]:
        return f"{', '.join(strangers)}: not an upstream of it"
    removed = set(_stored().chosen_upstreams(target, arguments["upstream"]))
    if target.is_rooted or target.upstreams.keys() - removed:
        return None
    return "at least one upstream must stay"


# --- backfills to be submitted ----------------------------------------------------------------------------------------


def _on_pending(verb: PendingVerb, key: str, title: str, help: str) -> Operation:
    """A step of the machine of section 8.4."""
    return Operation(
        name=verb,
        key=key,
        title=title,
        help=help,
        command=verb.replace("-", " "),
        fields=(),
        guard=folders.guard_pending(verb),
        moves=_stays,
        shows=folders.state,
        becomes=folders.next_state(verb),
        finds=lambda *asked: _in_folders().backfills_of(*asked),
        apply=lambda *change: _in_folders().step(verb, *change),
        is_mild=_always,
        batch=Batch(passes_over=True),
        kind=Kind.BACKFILL,
        scopes=frozenset({Kind.PENDING}),
    )


# --- saved flows ------------------------------------------------------------------------------------------------------


def _on_flow(verb: FlowVerb, key: str, title: str, help: str, apply: Callable[..., set[int]]) -> Operation:
    """To switch a saved flow off, or on again (section 7)."""
    return Operation(
        name=verb,
        key=key,
        title=title,
        help=help,
        command=verb.replace("flow-", "backfill "),
        fields=(),
        guard=folders.guard_flow(verb),
        moves=_stays,
        shows=folders.state,
        becomes=folders.next_flow_state(verb),
        finds=lambda *asked: _in_folders().flows_of(*asked),
        apply=apply,
        is_mild=_always,
        batch=Batch(passes_over=True),
        kind=Kind.BACKFILL_FLOW,
        scopes=frozenset({Kind.BACKFILL_FLOW}),
    )


# --- the table --------------------------------------------------------------------------------------------------------

_OPERATIONS = (
    Operation(
        name=Verb.RERUN,
        key="r",
        title="Rerun",
        help="Run again what succeeded or failed; upstreams and the scheduled time are checked again.",
        fields=scopes.RERUN_FIELDS,
        guard=scopes.guard_rerun,
        on_folders=RERUN_FAILED,
        passes_over=scopes.beside_rerun_scope,
        moves=scopes.rerun,
        spreads=scopes.below,
        apply=lambda *change: _stored().rerun(*change),
        is_mild=_all_failed,
    ),
    Operation(
        name=Verb.FORCE_RERUN,
        key="R",
        title="Force rerun",
        help="Run now, whatever the upstreams and the scheduled time say; what is running is ended first.",
        fields=scopes.FORCE_FIELDS,
        guard=scopes.guard_force_rerun,
        passes_over=scopes.beside_force_scope,
        scopes=EVERYWHERE,
        moves=scopes.force_rerun,
        spreads=scopes.below,
        looks=_with_order,
        apply=lambda *change: _stored().force_rerun(*change),
        is_mild=_never,
        dangerous=True,
        interrupts=True,
    ),
    Operation(
        name=Verb.STOP,
        key="x",
        title="Stop",
        help="End what waits or runs: it becomes Failed, is not retried, and what waits for it goes on waiting.",
        fields=(),
        guard=_guard(Verb.STOP),
        on_folders=STOP_ALL,
        moves=_stopped,
        apply=lambda *change: _stored().stop(*change),
        is_mild=_never,
        batch=Batch(passes_over=True, strict_in_backfill=frozenset({Status.SUCCEEDED, Status.NOT_RUNNING})),
        dangerous=True,
        interrupts=True,
    ),
    Operation(
        name=Verb.PAUSE,
        key="p",
        title="Pause",
        help="Hold back what has not been dispatched, this occurrence only.",
        fields=(Field("until", "Until, if not until it is resumed", FieldKind.TIME),),
        guard=_guard(Verb.PAUSE),
        scopes=EVERYWHERE,
        moves=_paused,
        apply=lambda *change: _stored().pause(*change),
        is_mild=_always,
        batch=Batch(passes_over=True),
    ),
    Operation(
        name=Verb.RESUME,
        key="u",
        title="Resume",
        help="Let go of what is paused; what is ready and due starts at once.",
        fields=(),
        guard=_guard(Verb.RESUME),
        scopes=EVERYWHERE,
        moves=_resumed,
        apply=lambda *change: _stored().resume(*change),
        is_mild=_always,
        batch=Batch(passes_over=True),
    ),
    Operation(
        name=Verb.SET_SUCCESS,
        key="S",
        title="Set to success & resume",
        help="Call Succeeded what failed or has not run; what only it blocked goes on, with the data as it is.",
        fields=(Field("scope", "Which of the selected", FieldKind.CHOICE, tuple(SUCCESS_SCOPES), "both"),),
        guard=_guard(Verb.SET_SUCCESS),
        scopes=EVERYWHERE,
        passes_over=_beside_success_scope,
        moves=_set_success,
        apply=lambda *change: _stored().set_success(*change),
        is_mild=_never,
        batch=Batch(downstream_first=True),
        dangerous=True,
    ),
    Operation(
        name=Verb.PRIORITY,
        key="P",
        title="Modify priority",
        help="Order the queue from the next dispatch on; kept, but without effect, while a baseline covers the row.",
        fields=(Field("to", "Priority", FieldKind.CHOICE, tuple(map(str, Priority)), required=True),),
        guard=_guard(Verb.PRIORITY),
        scopes=EVERYWHERE,
        moves=_stays,
        shows=_priority,
        becomes=_as_asked,
        warns=_without_effect,
        apply=lambda *change: _stored().set_priority(*change),
        is_mild=_always,
    ),
    Operation(
        name=Verb.REMOVE_UPSTREAM,
        key="D",
        title="Remove upstream dependency",
        help="Let this occurrence no longer wait for some of its upstreams; at least one stays.",
        fields=(Field("upstream", "Upstreams to remove", FieldKind.IDS, several=True, required=True),),
        guard=_one_upstream_stays,
        moves=_stays,
        looks=_with_upstreams,
        apply=lambda *change: _stored().remove_upstream(*change),
        is_mild=_never,
    ),
    Operation(
        name=Verb.ACKNOWLEDGE,
        key="a",
        title="Acknowledge",
        help="Leave a note in the ledger, as the reason; nothing else changes.",
        fields=(),
        guard=_guard(Verb.ACKNOWLEDGE),
        moves=_stays,
        apply=lambda *change: _stored().acknowledge(*change),
        is_mild=_always,
        role="viewer",
    ),
    Operation(
        name=STOP_ALL,
        key="x",
        title="One-Click Stop",
        help="End all that waits or runs below a folder, and the fields still to come; nothing else is touched.",
        fields=(),
        guard=folders.no_guard,
        moves=folders.one_click_stopped,
        looks=folders.with_fields_to_come,
        finds=lambda *asked: _in_folders().stoppable_below(*asked),
        apply=lambda *change: _stored().stop(*change),
        is_mild=_never,
        scopes=ON_FOLDERS,
        dangerous=True,
        interrupts=True,
        command="backfill stop",
    ),
    Operation(
        name=RERUN_FAILED,
        key="r",
        title="One-Click Rerun Failed Instances",
        help="Run again all that failed below a folder; nothing else is touched.",
        fields=(),
        guard=folders.paused_failures,
        moves=folders.one_click_rerun,
        finds=lambda *asked: _in_folders().failed_below(*asked),
        apply=lambda *change: _stored().rerun(*change),
        is_mild=_always,
        scopes=ON_FOLDERS,
        command="backfill rerun-failed",
    ),
    Operation(
        name=EXCLUDE,
        key="E",
        title="Exclude data timestamps",
        help="Leave out data timestamps that have not begun, of a backfill all; what has begun runs to its end.",
        fields=(),
        guard=folders.not_begun,
        moves=_stays,
        shows=folders.state,
        becomes=folders.excluded,
        finds=lambda *asked: _in_folders().dates_to_exclude(*asked),
        apply=lambda *change: _in_folders().exclude_dates(*change),
        is_mild=_never,
        batch=Batch(passes_over=True),
        kind=Kind.BACKFILL_DATE,
        scopes=ON_FOLDERS,
        command="backfill exclude",
    ),
    Operation(
        name=CONCURRENCY,
        key="%",
        title="Concurrent running groups",
        help="Deal the data timestamps that have not begun anew into so many queues, each one at a time.",
        fields=(Field("to", "Groups", FieldKind.NUMBER, required=True),),
        guard=folders.regroupable,
        moves=_stays,
        shows=folders.groups,
        becomes=_as_asked,
        finds=lambda *asked: _in_folders().backfills_of(*asked),
        apply=lambda *change: _in_folders().set_groups(*change),
        is_mild=_never,
        kind=Kind.BACKFILL,
        scopes=ON_FOLDERS,
        command="backfill concurrency",
    ),
    _on_pending(
        PendingVerb.PAUSE,
        key="p",
        title="Pause submission",
        help="Do not submit it, whatever the time, until it is resumed.",
    ),
    _on_pending(
        PendingVerb.RESUME,
        key="u",
        title="Resume submission",
        help="Submit it at its time, or at once when that has passed.",
    ),
    _on_pending(
        PendingVerb.RETRY,
        key="r",
        title="Retry submission",
        help="Take a submission up again that failed.",
    ),
    _on_flow(
        FlowVerb.PAUSE,
        key="p",
        title="Pause flow",
        help="Make no more backfills of it; what it has made already stays.",
        apply=lambda *change: _flows().pause_flows(*change),
    ),
    _on_flow(
        FlowVerb.RESUME,
        key="u",
        title="Resume flow",
        help="Make its backfills again from the next run day on; missed ones are not made up for.",
        apply=lambda *change: _flows().resume_flows(*change),
    ),
)

OPERATIONS: dict[str, Operation] = {operation.name: operation for operation in _OPERATIONS}
"""Every verb of this release, by its name."""


def verb_on(name: str, selection: Selection) -> str:
    """The verb that an instance's verb stands for on a selection: on folders alone some keys mean another one."""
    meant = OPERATIONS[name].on_folders
    return meant if meant and selection.folders and not selection.ids else name
