"""The independent checker: holds a database against the invariants, and knows nothing of the code that wrote it.

It reads the journal, the rows, the attempts, the edges and the limits in one transaction - two snapshots would make
it find fault with itself - and replays the journal in the order of its commits. The status machine stands here a
second time, written from RULES.md section 2 by hand: a checker that asked the engine's own tables would agree with
every mistake in them. Only SQL is shared with the program, and of that only the names of tables and columns.

    check(store)       what must hold after every commit, whatever happened
    stuck(store, now)  what should have moved by `now` in quiet weather, and has no reason that a person could name

Limits and edges are read as they stand now: a scenario that lowers a limit checks before it does so.
"""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from itertools import groupby, pairwise, zip_longest
from operator import attrgetter
from typing import Any, NamedTuple, Protocol

from sqlalchemy import Connection, text

N, W, T, R = "NOT_RUNNING", "WAITING_TIME", "THROTTLED", "WAITING_RESOURCE"
RUN, S, F = "RUNNING", "SUCCEEDED", "FAILED"

MACHINE = """
    A1   generated     -                  NOT_RUNNING
    A2   generated     -                  SUCCEEDED
    A3   released      NOT_RUNNING        WAITING_TIME
    A4   throttled     WAITING_TIME       THROTTLED
    A5   no_resource   WAITING_TIME       WAITING_RESOURCE
    A6   due           WAITING_TIME       RUNNING
    A7   no_resource   THROTTLED          WAITING_RESOURCE
    A7   admitted      THROTTLED          RUNNING
    A8   admitted      WAITING_RESOURCE   RUNNING
    A9   finished      RUNNING            SUCCEEDED
    A10  finished      RUNNING            FAILED
    A10  timed_out     RUNNING            FAILED
    A10  lost          RUNNING            FAILED
    A11  retried       FAILED             NOT_RUNNING
    A12  withdrawn     WAITING_TIME       NOT_RUNNING
    A12  withdrawn     THROTTLED          NOT_RUNNING
    A12  withdrawn     WAITING_RESOURCE   NOT_RUNNING
    O1   rerun         SUCCEEDED          NOT_RUNNING
    O1   rerun         FAILED             NOT_RUNNING
    O2   forced        NOT_RUNNING        THROTTLED
    O2   forced        WAITING_TIME       THROTTLED
    O2   forced        WAITING_RESOURCE   THROTTLED
    O2   forced        RUNNING            THROTTLED
    O2   forced        SUCCEEDED          THROTTLED
    O2   forced        FAILED             THROTTLED
    O4   forced        WAITING_TIME       NOT_RUNNING
    O4   forced        THROTTLED          NOT_RUNNING
    O4   forced        WAITING_RESOURCE   NOT_RUNNING
    O4   forced        RUNNING            NOT_RUNNING
    O4   forced        SUCCEEDED          NOT_RUNNING
    O4   forced        FAILED             NOT_RUNNING
    O5   set_success   NOT_RUNNING        SUCCEEDED
    O5   set_success   FAILED             SUCCEEDED
    O6   stopped       WAITING_TIME       FAILED
    O6   stopped       THROTTLED          FAILED
    O6   stopped       WAITING_RESOURCE   FAILED
    O6   stopped       RUNNING            FAILED
"""
"""RULES.md 2.3 and 2.4, one line for each arrow: its number there, the cause in the journal, from, to."""

ARROWS = frozenset(tuple(line.split()[1:]) for line in MACHINE.strip().splitlines())
NODE_ARROWS = frozenset({("stopped", N, F)})
"""What only a materialization node may do besides: one that had not started is stopped before it could (AMB-3)."""

BY_HAND = frozenset({"rerun", "forced", "set_success", "stopped"})
"""The causes that need a person (section 2.4)."""

DISPATCHED = frozenset({R, RUN})
"""A throttling slot is held from dispatch, resource wait or run, to the end (section 11.1)."""

STATE_OF_ATTEMPT = {
    ("finished", S): {"ok"},
    ("finished", F): {"failed", "stopped"},  # stopped by somebody else than an operator
    ("timed_out", F): {"timeout"},
    ("lost", F): {"lost"},
    ("stopped", F): {"stopped"},
    ("forced", T): {"stopped"},
    ("forced", N): {"stopped"},
}
"""How an attempt must have ended, by the entry that took its instance out of Running."""

TABLE_STATUS = (RUN, R, T, W, F)
"""The derived status of a logical table is the first of these present among its nodes (section 9.2)."""


class Store(Protocol):
    """As much of a store as the checker needs."""

    def read(self) -> Any:
        """A context manager that gives a connection inside one read transaction."""


@dataclass(frozen=True, order=True)
class Violation:
    """One broken rule: the invariant's name, the instance (0 when none), and what was found."""

    rule: str
    instance: int
    words: str

    def __str__(self) -> str:
        return f"{self.rule} instance {self.instance}: {self.words}"


# --- what the database says -------------------------------------------------------------------------------------------


class Entry(NamedTuple):
    """One line of the journal."""

    id: int
    instance: int
    at: int
    before: str | None
    after: str
    cause: str
    actor: str
    attempt: int
    rev: int


class Row(NamedTuple):
    """As much of an instance as the invariants speak of."""

    id: int
    task: int
    node: int | None
    parent: int | None
    backfill: int | None
    unit: str
    type: str
    origin: str
    environment: str
    project: str
    tags: str
    resource_group: str
    business_date: str
    ordinal: int
    due_at: int
    status: str
    paused: bool
    dry_run: bool
    autonomous: bool
    pending: int
    attempt: int
    auto_reruns: int
    reruns: int
    rerun_interval_ms: int
    rerun_after_timeout: bool
    retry_at: int | None
    rev: int
    data_timestamp: int | None

    @property
    def is_folder(self) -> bool:
        """A logical table: listed, never executed (section 9.1)."""
        return self.unit == "logical_table"


class Attempt(NamedTuple):
    """One execution of an instance."""

    instance: int
    number: int
    token: int
    state: str
    ended_at: int | None
    lease_until: int | None
    deadline_at: int
    stop_requested: bool


class DataTimestamp(NamedTuple):
    """One data timestamp of a backfill, and its place in the queues; `dealt_anew` when an operator changed those."""

    id: int
    backfill: int
    queue: int
    position: int
    state: str
    is_submitted: bool
    dealt_anew: bool


class Rule(NamedTuple):
    """An enabled throttling rule; None matches everything."""

    name: str
    limit: int
    project: str | None
    origin: str | None
    type: str | None
    tag: str | None
    environment: str | None

    def matches(self, row: Row) -> bool:
        """Whether a row counts against the rule (section 11.1)."""
        wanted = (self.project, self.origin, self.type, self.environment)
        given = (row.project, row.origin, row.type, row.environment)
        fits = all(want is None or want == value for want, value in zip(wanted, given, strict=True))
        return fits and not row.is_folder and (self.tag is None or self.tag in json.loads(row.tags))


class Act(NamedTuple):
    """What an operator did to one instance, and got."""

    instance: int
    verb: str
    actor: str
    at: int
    finished_at: int | None
    rev: int
    before: str
    after: str
    arguments: str

    def answer(self, name: str) -> str:
        """What the operator answered to one of the verb's questions; empty when nothing."""
        return str(json.loads(self.arguments or "{}").get(name, ""))


Requirements = Mapping[int, Sequence[frozenset[int]]]
"""By downstream: each requirement as the set of its alternatives, any of which satisfies it."""


@dataclass(frozen=True)
class History:
    """One snapshot of everything the invariants are about."""

    rev: int
    rows: Mapping[int, Row]
    journal: Sequence[Entry]
    attempts: Mapping[int, Sequence[Attempt]]
    requirements: Requirements
    slots: Mapping[str, int]
    rules: Sequence[Rule]
    acts: Sequence[Act]
    dates: Mapping[int, DataTimestamp]
    tally: Mapping[tuple[int, str, bool], int]

    @property
    def commits(self) -> Iterator[tuple[int, list[Entry]]]:
        """The journal by transaction."""
        return ((rev, list(entries)) for rev, entries in groupby(self.journal, key=attrgetter("rev")))

    def by_instance(self) -> Iterator[tuple[Row, list[Entry]]]:
        """Each row with its part of the journal, which may be empty."""
        entries: dict[int, list[Entry]] = defaultdict(list)
        for entry in self.journal:
            entries[entry.instance].append(entry)
        return ((row, entries.get(row.id, [])) for row in self.rows.values())

    def acts_on(self) -> Mapping[int, Sequence[Act]]:
        """What was done to each executable row: to itself, or to the table it is a node of, in the order of commits."""
        by_listed: dict[int, list[Act]] = defaultdict(list)
        for act in self.acts:
            by_listed[act.instance].append(act)
        found: dict[int, Sequence[Act]] = {}
        for row in self.rows.values():
            acts = by_listed.get(row.id, []) + by_listed.get(row.parent or 0, [])
            found[row.id] = sorted(acts, key=attrgetter("rev"))
        return found


_JOURNAL = 'SELECT id, instance_id, at, "before", "after", cause, actor, attempt, rev FROM transition ORDER BY id'
_ROWS = """
    SELECT id, task_id, node_id, parent_id, backfill_id, unit, type, origin, environment, project, tags, resource_group,
           business_date, ordinal, due_at, status, paused, dry_run, autonomous, pending, attempt, auto_reruns, reruns,
           rerun_interval_ms, rerun_after_timeout, retry_at, rev, backfill_date_id
    FROM instance"""
_ATTEMPTS = """
    SELECT instance_id, number, token, state, ended_at, lease_until, deadline_at, stop_requested
    FROM attempt ORDER BY instance_id, number"""
_EDGES = "SELECT downstream_id, requirement, upstream_id FROM instance_dependency ORDER BY downstream_id, requirement"
_RULES = 'SELECT name, "limit", project, origin, type, tag, environment FROM throttling_rule WHERE enabled'
_ACTS = """
    SELECT item.target_id, verb, actor, at, finished_at, operation.rev, item."before", item."after",
           CAST(arguments AS TEXT)
    FROM operation_item item JOIN operation ON operation.id = item.operation_id
    WHERE outcome = 'ok' AND operation.kind = 'instance' ORDER BY operation.rev"""

_DATES = """
    SELECT date.id, backfill_id, queue, position, date.state, backfill.state = 'submitted', EXISTS (
        SELECT 1 FROM operation_item JOIN operation ON operation.id = operation_item.operation_id
        WHERE verb = 'concurrency' AND outcome = 'ok' AND target_id = backfill.id)
    FROM backfill_date date JOIN backfill ON backfill.id = date.backfill_id ORDER BY backfill_id, queue, position"""
_TALLY = "SELECT backfill_date_id, status, paused, number FROM backfill_tally WHERE number <> 0"


def read(store: Store) -> History:
    """Everything, in one read transaction."""
    with store.read() as connection:
        return History(
            rev=connection.execute(text("SELECT value FROM counter WHERE name = 'rev'")).scalar_one(),
            rows={row.id: row for row in _all(connection, _ROWS, Row)},
            journal=_all(connection, _JOURNAL, Entry),
            attempts=_grouped(_all(connection, _ATTEMPTS, Attempt)),
            requirements=_requirements(_tuples(connection, _EDGES)),
            slots=dict(_tuples(connection, "SELECT name, slots FROM resource_group")),
            rules=_all(connection, _RULES, Rule),
            acts=_all(connection, _ACTS, Act),
            dates={date.id: date for date in _all(connection, _DATES, DataTimestamp)},
            tally={(date, status, bool(paused)): n for date, status, paused, n in _tuples(connection, _TALLY)},
        )


def _tuples(connection: Connection, sql: str) -> Sequence[Any]:
    return connection.execute(text(sql)).all()


def _all(connection: Connection, sql: str, kind: Callable[..., Any]) -> list[Any]:
    return [kind(*row) for row in _tuples(connection, sql)]


def _grouped(attempts: Sequence[Attempt]) -> dict[int, list[Attempt]]:
    return {instance: list(some) for instance, some in groupby(attempts, key=attrgetter("instance"))}


def _requirements(edges: Sequence[tuple[int, int, int]]) -> Requirements:
    found: dict[int, list[frozenset[int]]] = defaultdict(list)
    for (downstream, _), some in groupby(edges, key=lambda edge: edge[:2]):
        found[downstream].append(frozenset(upstream for _, _, upstream in some))
    return found


# --- I1, I2: the journal by itself, and beside the rows ---------------------------------------------------------------


def legal_transitions(history: History) -> Iterator[Violation]:
    """I1: every entry follows an arrow of section 2 that its cause allows."""
    for entry in history.journal:
        row = history.rows.get(entry.instance)
        if row is None:
            yield Violation("I1", entry.instance, f"journal entry {entry.id} of an instance that does not exist")
        elif not _is_legal(entry, row):
            words = f"entry {entry.id}: {entry.before} -> {entry.after} because {entry.cause}"
            yield Violation("I1", entry.instance, f"{words} is no arrow of section 2 for a {row.unit}")


def _is_legal(entry: Entry, row: Row) -> bool:
    arrow = (entry.cause, entry.before or "-", entry.after)
    if row.is_folder and entry.cause != "generated":
        return entry.cause == "derived" and entry.before != entry.after and entry.before is not None
    return arrow in ARROWS or (row.unit == "node" and arrow in NODE_ARROWS)


def unbroken_chains(history: History) -> Iterator[Violation]:
    """I2: an instance's entries form a chain from its generation to the status its row shows."""
    for row, entries in history.by_instance():
        if not entries:
            yield Violation("I2", row.id, f"{row.status}, but the journal never heard of it")
            continue
        if entries[0].before is not None:
            yield Violation("I2", row.id, f"its journal begins with {entries[0].before}, not with its generation")
        for one, next_ in pairwise(entries):
            if next_.before != one.after:
                yield Violation("I2", row.id, f"entry {next_.id} starts from {next_.before}, was at {one.after}")
        if row.status != entries[-1].after:
            yield Violation("I2", row.id, f"the row says {row.status}, its last entry {entries[-1].after}")
        if row.rev < entries[-1].rev:
            yield Violation("I2", row.id, f"changed at rev {entries[-1].rev}, its row still shows {row.rev}")


def ordered_commits(history: History) -> Iterator[Violation]:
    """I2: the journal is in the order of its commits, and no entry is of a revision nobody took."""
    for one, next_ in pairwise(history.journal):
        if next_.rev < one.rev:
            yield Violation("I2", next_.instance, f"entry {next_.id} of rev {next_.rev} stands after rev {one.rev}")
    for entry in history.journal[-1:]:
        if entry.rev > history.rev:
            yield Violation("I2", entry.instance, f"entry {entry.id} of rev {entry.rev}, the counter is {history.rev}")


# --- I3, I4: attempts -------------------------------------------------------------------------------------------------


def contiguous_attempts(history: History) -> Iterator[Violation]:
    """I3: attempts are numbered 1..n, the row knows n, and at most the last one is live."""
    for row in history.rows.values():
        attempts = history.attempts.get(row.id, ())
        if [attempt.number for attempt in attempts] != list(range(1, len(attempts) + 1)):
            yield Violation("I3", row.id, f"attempts {[attempt.number for attempt in attempts]}")
        if row.attempt != len(attempts):
            yield Violation("I3", row.id, f"the row is at attempt {row.attempt} of {len(attempts)}")
        live = [attempt.number for attempt in attempts if attempt.ended_at is None]
        if live not in ([], [len(attempts)]):
            yield Violation("I3", row.id, f"live attempts {live} of {len(attempts)}")
    for instance in history.attempts.keys() - history.rows.keys():
        yield Violation("I3", instance, "attempts of an instance that does not exist")


def fenced_starts(history: History) -> Iterator[Violation]:
    """I3: each start made exactly one attempt, with its revision as the fencing token; nothing else made one."""
    for row, entries in history.by_instance():
        attempts, made = history.attempts.get(row.id, ()), 0
        for entry, follower in zip_longest(entries, entries[1:]):
            if entry.after == RUN and not row.is_folder and not _at_once(entry, follower):
                made += 1
                token = attempts[made - 1].token if made <= len(attempts) else None
                if token != entry.rev:
                    yield Violation("I3", row.id, f"start {made} at rev {entry.rev} has an attempt of token {token}")
            if entry.attempt != made:
                yield Violation("I3", row.id, f"entry {entry.id} names attempt {entry.attempt}, {made} were made")
        if made != len(attempts):
            yield Violation("I3", row.id, f"{made} starts, {len(attempts)} attempts")


def _at_once(entry: Entry, follower: Entry | None) -> bool:
    """A dry run or a virtual task: it succeeds in the transaction that starts it, without an attempt (A9)."""
    return follower is not None and follower.rev == entry.rev and follower.after == S


def only_dry_runs_skip_the_executor(history: History) -> Iterator[Violation]:
    """I4: what succeeds in the transaction that starts it is a dry run or virtual; no other ever ran nothing (A9).

    A rerun may let its start act as a dry run, this once (section 5).
    """
    acts = history.acts_on()
    for row, entries in history.by_instance():
        asked = {entry.rev for entry in entries if entry.cause == "forced"}
        allowed = any(act.answer("start") == "dry-run" for act in acts[row.id])
        for entry, follower in pairwise(entries):
            unreal = row.dry_run or row.type == "virtual" or (allowed and entry.rev in asked)
            if entry.after == RUN and _at_once(entry, follower) and not unreal:
                yield Violation("I4", row.id, f"entry {entry.id}: Running and Succeeded at once, but no dry run")


def leased_runs(history: History) -> Iterator[Violation]:
    """I4: what is Running has an open attempt with a lease; what is not has none. What is to be stopped is over."""
    for row in history.rows.values():
        open_ = [attempt for attempt in history.attempts.get(row.id, ()) if attempt.ended_at is None]
        if row.status == RUN and not row.is_folder and not any(attempt.lease_until for attempt in open_):
            yield Violation("I4", row.id, "Running without an open attempt that has a lease")
        if row.status != RUN and open_:
            yield Violation("I4", row.id, f"{row.status} with an open attempt")
        for attempt in history.attempts.get(row.id, ()):
            if attempt.stop_requested and attempt.state != "stopped":
                yield Violation("I4", row.id, f"attempt {attempt.number} is to be stopped, and is {attempt.state}")


def outcomes_agree(history: History) -> Iterator[Violation]:
    """I4: an attempt ended the way the journal says its run ended."""
    for row, entries in history.by_instance():
        attempts = history.attempts.get(row.id, ())
        for entry, follower in pairwise(entries):
            if entry.after != RUN or _at_once(entry, follower) or not 0 < follower.attempt <= len(attempts):
                continue
            attempt = attempts[follower.attempt - 1]
            wanted = STATE_OF_ATTEMPT.get((follower.cause, follower.after), set())
            if attempt.state not in wanted:
                words = f"attempt {attempt.number} is {attempt.state}, the journal says {follower.cause}"
                yield Violation("I4", row.id, words)
            if follower.cause == "timed_out" and follower.at < attempt.deadline_at:
                yield Violation("I4", row.id, f"attempt {attempt.number} timed out before its deadline")


# --- I5: nothing starts too early -------------------------------------------------------------------------------------


def started_in_turn(history: History) -> Iterator[Violation]:
    """I5: past the time check only with every requirement satisfied and the due time reached, except when forced."""
    succeeded: set[int] = set()
    forced: set[int] = set()
    known_since = _edges_since(history)
    for entry in history.journal:
        _note_force(forced, entry)
        row = history.rows.get(entry.instance)
        excused = entry.instance in forced or entry.rev <= known_since.get(entry.instance, 0)
        if row and not row.is_folder and not excused:
            yield from _too_early(history, row, entry, succeeded)
        (succeeded.add if entry.after == S else succeeded.discard)(entry.instance)


def _edges_since(history: History) -> dict[int, int]:
    """Up to which revision a row may have had upstreams that are no longer there, one that would do among them."""
    return {id: act.rev for id, acts in history.acts_on().items() for act in acts if act.verb == "remove-upstream"}


def _note_force(forced: set[int], entry: Entry) -> None:
    """A force skips the checks of the one start it asks for; a retry of it obeys them again (A11, O2, O4)."""
    if entry.cause == "forced" and entry.after == T:
        forced.add(entry.instance)
    elif entry.cause in ("rerun", "forced", "retried", "set_success"):
        forced.discard(entry.instance)


def _too_early(history: History, row: Row, entry: Entry, succeeded: set[int]) -> Iterator[Violation]:
    passes_upstream = entry.after in (W, T, R, RUN)
    passes_time = entry.after in (T, R, RUN)
    if passes_upstream:
        for requirement in history.requirements.get(row.id, ()):
            if requirement.isdisjoint(succeeded):
                waits_for = ", ".join(str(upstream) for upstream in sorted(requirement))
                yield Violation("I5", row.id, f"entry {entry.id}: {entry.after} before {waits_for} succeeded")
    if passes_time and entry.at < row.due_at:
        yield Violation("I5", row.id, f"entry {entry.id}: {entry.after} at {entry.at}, due at {row.due_at}")


# --- I6: limits -------------------------------------------------------------------------------------------------------


def within_limits(history: History) -> Iterator[Violation]:
    """I6: after every commit, no group runs more than its slots and no rule has dispatched more than its limit."""
    pools = Pools(history)
    for rev, entries in history.commits:
        grown = pools.replay(entries)
        for pool in sorted(grown):
            if pools.held[pool] > pools.limits[pool]:
                words = f"rev {rev}: {pools.held[pool]} in {' '.join(pool)}, which takes {pools.limits[pool]}"
                yield Violation("I6", entries[-1].instance, words)


class Pools:
    """Who holds what, as the journal goes by. A pool is a resource group or a throttling rule."""

    def __init__(self, history: History) -> None:
        self.limits = {("group", name): slots for name, slots in history.slots.items()}
        self.limits |= {("rule", rule.name): rule.limit for rule in history.rules}
        self.held: Counter[tuple[str, str]] = Counter()
        self._history = history
        self._rules_of: dict[tuple[object, ...], tuple[tuple[str, str], ...]] = {}

    def replay(self, entries: Sequence[Entry]) -> set[tuple[str, str]]:
        """Let one commit pass; returns the pools it took more of."""
        change: Counter[tuple[str, str]] = Counter()
        for entry in entries:
            change.update(self.of(entry.instance, entry.after))
            change.subtract(self.of(entry.instance, entry.before))
        self.held.update(change)
        return {pool for pool, number in change.items() if number > 0}

    def of(self, instance: int, status: str | None) -> tuple[tuple[str, str], ...]:
        """The pools an instance occupies in a status (sections 11.1, 11.2)."""
        row = self._history.rows.get(instance)
        if status not in DISPATCHED or row is None or row.is_folder:
            return ()
        group = ("group", row.resource_group)
        return (*self.rules(row), group) if status == RUN and group in self.limits else self.rules(row)

    def rules(self, row: Row) -> tuple[tuple[str, str], ...]:
        """The throttling rules that a row counts against."""
        kind = (row.project, row.origin, row.type, row.environment, row.tags)
        if kind not in self._rules_of:
            self._rules_of[kind] = tuple(("rule", rule.name) for rule in self._history.rules if rule.matches(row))
        return self._rules_of[kind]


# --- I7: paused -------------------------------------------------------------------------------------------------------

ENDS_PAUSE = frozenset({"resume", "set-success", "stop", "force-rerun", "force-rerun-downstream"})
"""The verbs after which an instance is no longer held (O2, O5, O6, O8; AMB-15, AMB-16)."""


def held_when_paused(history: History) -> Iterator[Violation]:
    """I7: a paused instance never starts - by its row, by what it was born with, and by the ledger."""
    acts = history.acts_on()
    own = {(act.instance, act.rev) for act in history.acts}
    for row, entries in history.by_instance():
        if row.is_folder:
            continue
        if row.paused and row.status not in (N, W, T):
            yield Violation("I7", row.id, f"paused, yet {row.status}")
        starts = [entry for entry in entries if entry.after == RUN]
        if row.paused and starts and not any(act.verb == "pause" for act in acts[row.id]):
            yield Violation("I7", row.id, f"paused from the first, yet entry {starts[0].id} started it")
        certain = [act for act in acts[row.id] if act.verb != "pause" or (row.id, act.rev) in own]
        yield from _started_while_held(row, starts, certain)


def _started_while_held(row: Row, starts: Sequence[Entry], acts: Sequence[Act]) -> Iterator[Violation]:
    """Between a pause and what ends it; of an act that spans several commits, only what is certainly inside counts.

    Of a table that is paused, some nodes may have been past pausing.
    """
    for number, act in enumerate(acts):
        if act.verb != "pause":
            continue
        end = next((later for later in acts[number + 1 :] if later.verb in ENDS_PAUSE), None)
        until = _milliseconds(act.answer("until"))
        for entry in starts:
            held = end is None or (entry.rev < end.rev and entry.at < end.at)
            if entry.rev > act.rev and held and (until is None or entry.at < until):
                yield Violation("I7", row.id, f"entry {entry.id} started it after {act.actor} paused it")


def paused_tables(history: History) -> Iterator[Violation]:
    """A logical table is shown as paused exactly as long as one of its nodes is."""
    held = Counter(row.parent for row in history.rows.values() if row.paused and row.parent)
    nodes = {row.parent for row in history.rows.values()}
    for row in history.rows.values():
        if row.is_folder and row.id in nodes and row.paused != (held[row.id] > 0):
            yield Violation("I7", row.id, f"paused is {row.paused}, {held[row.id]} of its nodes are")


def _milliseconds(moment: str) -> int | None:
    return int(datetime.fromisoformat(moment).timestamp() * 1000) if moment else None


# --- I8: keys, edges, counters ----------------------------------------------------------------------------------------


def unique_keys(history: History) -> Iterator[Violation]:
    """I8: one instance for each task, node, business date, ordinal and backfill."""
    seen: dict[tuple[object, ...], int] = {}
    for row in history.rows.values():
        key = (row.task, row.node or 0, row.business_date, row.ordinal, row.backfill or 0)
        first = seen.setdefault(key, row.id)
        if first != row.id:
            yield Violation("I8", row.id, f"the same occurrence as instance {first}: {key}")


def sound_edges(history: History) -> Iterator[Violation]:
    """I8: edges join two different executable instances, and none is there twice as a requirement of its own."""
    for downstream, requirements in history.requirements.items():
        for instance in {downstream}.union(*requirements):
            row = history.rows.get(instance)
            if row is None:
                yield Violation("I8", downstream, f"an edge to instance {instance}, which does not exist")
            elif row.is_folder:
                yield Violation("I8", downstream, f"an edge to instance {instance}, which is never executed")
        if any(downstream in requirement for requirement in requirements):
            yield Violation("I8", downstream, "waits for itself")


def counted_requirements(history: History) -> Iterator[Violation]:
    """`pending` is the number of requirements without a Succeeded upstream; a folder has none (design 2)."""
    succeeded = {row.id for row in history.rows.values() if row.status == S}
    for row in history.rows.values():
        unsatisfied = sum(r.isdisjoint(succeeded) for r in history.requirements.get(row.id, ()))
        if row.pending != unsatisfied:
            yield Violation("pending", row.id, f"the row says {row.pending}, {unsatisfied} requirements are open")


# --- derived statuses, retries, who did it ----------------------------------------------------------------------------


def derived_tables(history: History) -> Iterator[Violation]:
    """After every commit, a logical table has the status its nodes give it (section 9.2)."""
    tables = {row.id for row in history.rows.values() if row.is_folder}
    statuses: dict[int, str] = {}
    nodes: dict[int, Counter[str]] = defaultdict(Counter)
    for rev, entries in history.commits:
        touched = set()
        for entry in entries:
            row = history.rows.get(entry.instance)
            if row and row.parent in tables:
                nodes[row.parent].update((entry.after,))
                nodes[row.parent].subtract((entry.before,) if entry.before else ())
                touched.add(row.parent)
            elif entry.instance in tables:
                statuses[entry.instance] = entry.after
                touched.add(entry.instance)
        for table in sorted(touched):
            wanted = table_status(+nodes[table])
            if statuses.get(table) != wanted:
                words = f"rev {rev}: the table is {statuses.get(table)}, its nodes make it {wanted}"
                yield Violation("derived", table, words)


def table_status(present: Mapping[str, int]) -> str:
    """The first match of section 9.2; Not Running for a table without nodes."""
    moving = next((status for status in TABLE_STATUS if status in present), None)
    return moving or (S if set(present) == {S} else N)


def retried_by_the_rule(history: History) -> Iterator[Violation]:
    """A11: a retry only after a failure that counts, within the configured number, after the interval."""
    for row, entries in history.by_instance():
        done = 0
        for entry, follower in zip_longest(entries, entries[1:]):
            done = 0 if entry.cause in ("rerun", "forced") else done
            if follower is None or follower.cause != "retried":
                continue
            done += 1
            if not _may_retry(row, entry, done):
                yield Violation("A11", row.id, f"entry {follower.id}: retry {done} of {row.reruns} after {entry.cause}")
            if follower.at < _failed_at(history, row, entry) + row.rerun_interval_ms:
                yield Violation("A11", row.id, f"entry {follower.id}: retried before its interval was over")
        yield from _counted_retries(history, row, entries, done)


def _failed_at(history: History, row: Row, failure: Entry) -> int:
    """When the attempt ended, which is earlier than when the engine heard of it."""
    attempts = history.attempts.get(row.id, ())
    ended = attempts[failure.attempt - 1].ended_at if 0 < failure.attempt <= len(attempts) else None
    return failure.at if ended is None else min(ended, failure.at)


def _may_retry(row: Row, failure: Entry, number: int) -> bool:
    counts = {"finished": True, "lost": True, "timed_out": row.rerun_after_timeout}
    return failure.after == F and number <= row.reruns and counts.get(failure.cause, False)


def _counted_retries(history: History, row: Row, entries: Sequence[Entry], done: int) -> Iterator[Violation]:
    if row.is_folder or not entries:
        return
    if row.auto_reruns != done:
        yield Violation("A11", row.id, f"the row counts {row.auto_reruns} retries, the journal {done}")
    last = entries[-1]
    again = _may_retry(row, last, done + 1)
    wanted = _failed_at(history, row, last) + row.rerun_interval_ms if again else None
    if row.retry_at != wanted:
        yield Violation("A11", row.id, f"{row.status} because {last.cause}: retry at {row.retry_at}, not {wanted}")


def accounted_acts(history: History) -> Iterator[Violation]:
    """I9: a person's entry names the person and has an item in the ledger; the engine's names nobody."""
    acts = {(act.instance, act.actor) for act in history.acts}
    for entry in history.journal:
        if entry.cause not in BY_HAND:
            if entry.actor and entry.cause not in ("generated", "derived"):
                yield Violation("I9", entry.instance, f"entry {entry.id}: {entry.cause} by {entry.actor}")
            continue
        row = history.rows.get(entry.instance)
        places = {entry.instance, row.parent if row else None}
        if not entry.actor:
            yield Violation("I9", entry.instance, f"entry {entry.id}: {entry.cause}, by nobody")
        elif not any((place, entry.actor) in acts for place in places):
            yield Violation(
                "I9", entry.instance, f"entry {entry.id}: {entry.cause} by {entry.actor}, not in the ledger"
            )


MOVES = frozenset({"rerun", "force-rerun", "set-success", "stop"})
"""The verbs that change a status whenever they act."""


def acts_left_traces(history: History) -> Iterator[Violation]:
    """I9: what the ledger says was moved stands in the journal, of the instance or of a node of its table.

    A batch that reruns a row may thereby send back what waits below it before it comes to that itself (A12).
    """
    done = set()
    for entry in history.journal:
        row = history.rows.get(entry.instance)
        actor = "" if entry.cause == "withdrawn" else entry.actor or None
        done |= {(entry.instance, actor), (row.parent if row else None, actor)}
    for act in history.acts:
        traced = (act.instance, act.actor) in done or (act.after == N and (act.instance, "") in done)
        if act.verb in MOVES and act.before != act.after and not traced:
            yield Violation("I9", act.instance, f"the ledger says {act.verb} by {act.actor}, the journal does not")


# --- backfills --------------------------------------------------------------------------------------------------------


def one_after_the_other(history: History) -> Iterator[Violation]:
    """Section 7: in a queue, nothing of a data timestamp starts before all that goes before it has succeeded once.

    But what an operator has run by hand, with its retries. One that is done has succeeded as a whole.
    """
    open_ = Counter(row.data_timestamp for row in history.rows.values() if row.data_timestamp and not row.is_folder)
    succeeded, started = set[int](), set[int]()
    by_hand = {id: acts[0].rev for id, acts in _reruns_of(history).items() if acts}
    passed = {date for date in history.dates if not open_[date]}
    for entry in history.journal:
        row = history.rows.get(entry.instance)
        date = history.dates.get(row.data_timestamp or 0) if row else None
        if row is None or date is None or row.is_folder:
            continue
        by_itself = entry.rev < by_hand.get(entry.instance, entry.rev + 1)
        if entry.after == RUN and by_itself and date.id not in started:
            started.add(date.id)
            if not date.dealt_anew:
                yield from _out_of_turn(history, date, entry, passed)
        open_[date.id] -= (entry.after == S) - (entry.instance in succeeded)
        (succeeded.add if entry.after == S else succeeded.discard)(entry.instance)
        passed |= set() if open_[date.id] else {date.id}
    for date in history.dates.values():
        if date.state == "done" and date.id not in passed:
            yield Violation("queue", 0, f"data timestamp {date.id} is done, and never succeeded")


def _reruns_of(history: History) -> dict[int, list[Act]]:
    """The reruns of each executable row, and of the table it is a node of."""
    return {id: [act for act in acts if "rerun" in act.verb] for id, acts in history.acts_on().items()}


def _out_of_turn(history: History, date: DataTimestamp, entry: Entry, passed: set[int]) -> Iterator[Violation]:
    for other in history.dates.values():
        before = (other.backfill, other.queue) == (date.backfill, date.queue) and other.position < date.position
        if before and other.state != "excluded" and other.id not in passed:
            words = f"entry {entry.id} starts data timestamp {date.id}, {other.id} before it had not succeeded"
            yield Violation("queue", entry.instance, words)


def gated(history: History) -> Iterator[Violation]:
    """Section 7: what waits for its turn, or was left out, is the engine's to start only where a person made it so."""
    woken = {id for id, acts in _reruns_of(history).items() if acts}
    for row in history.rows.values():
        if row.data_timestamp is None or row.is_folder:
            continue
        has_begun = history.dates[row.data_timestamp].state in ("begun", "done")
        if has_begun and not row.autonomous:
            yield Violation("queue", row.id, "its data timestamp has begun, and nobody may start it")
        if not has_begun and row.autonomous and row.id not in woken:
            yield Violation("queue", row.id, "its data timestamp has not begun, and it may be started")


def kept_apart(history: History) -> Iterator[Violation]:
    """Section 7: a backfill depends on itself alone, and no night on a backfill."""
    for downstream, requirements in history.requirements.items():
        for upstream in frozenset().union(*requirements):
            ends = [history.rows[id] for id in (downstream, upstream) if id in history.rows]
            if len({row.backfill for row in ends}) > 1:
                yield Violation("queue", downstream, f"waits for {upstream}, which is of another backfill")


def tallied(history: History) -> Iterator[Violation]:
    """Section 8.2: the tally of every data timestamp is what counting its listed instances gives."""
    counted = Counter(
        (row.data_timestamp, row.status, bool(row.paused))
        for row in history.rows.values()
        if row.data_timestamp and row.unit != "node"
    )
    for key in sorted(counted.keys() | history.tally.keys()):
        if counted[key] != history.tally.get(key, 0):
            yield Violation("tally", 0, f"{key}: the tally says {history.tally.get(key, 0)}, there are {counted[key]}")


def queues_at_rest(history: History) -> Iterator[Violation]:
    """I12: a data timestamp waits behind one that has begun and not succeeded; or its backfill is not submitted."""
    unfinished = {date for (date, status, _), number in history.tally.items() if status != S and number}
    held: dict[tuple[int, int], int] = {}
    for date in history.dates.values():
        if date.state == "begun" and date.id in unfinished:
            queue = date.backfill, date.queue
            held[queue] = min(date.position, held.get(queue, date.position))
    for date in history.dates.values():
        held_at = held.get((date.backfill, date.queue), date.position)
        if date.is_submitted and date.state == "waiting" and held_at >= date.position:
            yield Violation("I12", 0, f"data timestamp {date.id} waits behind nothing")


INVARIANTS: tuple[Callable[[History], Iterator[Violation]], ...] = (
    legal_transitions,
    unbroken_chains,
    ordered_commits,
    contiguous_attempts,
    fenced_starts,
    only_dry_runs_skip_the_executor,
    leased_runs,
    outcomes_agree,
    started_in_turn,
    within_limits,
    held_when_paused,
    paused_tables,
    unique_keys,
    sound_edges,
    counted_requirements,
    derived_tables,
    retried_by_the_rule,
    accounted_acts,
    acts_left_traces,
    one_after_the_other,
    gated,
    kept_apart,
    tallied,
)


def check(store: Store) -> list[Violation]:
    """Every broken invariant of the database as it stands, in the order of the rules above."""
    return examine(read(store))


def examine(history: History) -> list[Violation]:
    """The same for a snapshot in hand."""
    return [violation for invariant in INVARIANTS for violation in invariant(history)]


# --- I12: liveness ----------------------------------------------------------------------------------------------------


def stuck(store: Store, now: int) -> list[Violation]:
    """I12: rows neither terminal nor held by anything a person could name, when the engine has nothing left to do.

    `now` is the engine's clock, UTC milliseconds, after a tick that moved nothing.
    """
    history = read(store)
    still = [
        Violation("I12", row.id, f"{row.status} for no reason")
        for row, reason in blocked(history, now).items()
        if reason is None
    ]
    return [*still, *queues_at_rest(history)]


def blocked(history: History, now: int) -> dict[Row, str | None]:
    """Every executable row that may still move, with the reason why it does not."""
    pools = Pools(history)
    pools.replay([_as_entry(row) for row in history.rows.values()])
    reasons = {row: _own_reason(history, pools, row, now) for row in history.rows.values() if _may_move(row)}
    return _inherit(history, reasons)


def _may_move(row: Row) -> bool:
    return not row.is_folder and (row.status not in (S, F) or row.retry_at is not None)


def _as_entry(row: Row) -> Entry:
    return Entry(0, row.id, 0, None, row.status, "", "", row.attempt, row.rev)


def _own_reason(history: History, pools: Pools, row: Row, now: int) -> str | None:
    """A reason that lies in the row itself; None when there is none, or when it waits for others."""
    if row.paused:
        return "paused"
    if not row.autonomous:
        return f"not started by itself ({row.environment})"
    return {N: _nothing, W: _waits_for_time, T: _throttled, R: _no_slot, RUN: _runs, F: _waits_to_retry}[row.status](
        history, pools, row, now
    )


def _nothing(history: History, pools: Pools, row: Row, now: int) -> str | None:
    return None


def _waits_for_time(history: History, pools: Pools, row: Row, now: int) -> str | None:
    return "not due yet" if row.due_at > now else None


def _waits_to_retry(history: History, pools: Pools, row: Row, now: int) -> str | None:
    return "retries later" if (row.retry_at or 0) > now else None


def _throttled(history: History, pools: Pools, row: Row, now: int) -> str | None:
    full = (rule for kind, rule in pools.rules(row) if pools.held[kind, rule] >= pools.limits[kind, rule])
    return next((f"rule {rule} is full" for rule in full), None)


def _no_slot(history: History, pools: Pools, row: Row, now: int) -> str | None:
    group = ("group", row.resource_group)
    return f"group {row.resource_group} is full" if pools.held[group] >= pools.limits.get(group, 0) else None


def _runs(history: History, pools: Pools, row: Row, now: int) -> str | None:
    attempts = history.attempts.get(row.id, ())
    alive = any(a.ended_at is None and a.deadline_at > now and (a.lease_until or 0) > now for a in attempts)
    return "running" if alive else None


def _inherit(history: History, reasons: dict[Row, str | None]) -> dict[Row, str | None]:
    """Give rows the reason of an upstream that holds them back, wave by wave; a circle of waiters gets none."""
    downstreams: dict[int, set[int]] = defaultdict(set)
    for downstream, requirements in history.requirements.items():
        for upstream in frozenset().union(*requirements):
            downstreams[upstream].add(downstream)
    succeeded = {row.id for row in history.rows.values() if row.status == S}
    grounded = {row.id for row, reason in reasons.items() if reason}
    grounded |= {row.id for row in history.rows.values() if row.status == F}
    wave = set(grounded)
    while wave:
        below = {history.rows[id] for up in wave for id in downstreams[up]}
        found = {
            row for row in below if row in reasons and reasons[row] is None and _held(history, row, grounded, succeeded)
        }
        for row in found:
            reasons[row] = "an upstream has not succeeded"
        wave = {row.id for row in found} - grounded
        grounded |= wave
    return reasons


def _held(history: History, row: Row, grounded: set[int], succeeded: set[int]) -> bool:
    """Whether some open requirement of a row that waits for upstreams has only alternatives that are held as well."""
    open_ = (r for r in history.requirements.get(row.id, ()) if r.isdisjoint(succeeded))
    return row.status == N and any(requirement <= grounded for requirement in open_)
