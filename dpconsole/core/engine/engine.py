"""The engine: a function of store, clock and executor that moves rows along the automatic transitions.

A `tick` is a row of passes, each one transaction of a few set-based statements over a slice of rows:

    collect   the executor's ends          Running -> Succeeded, Failed; Succeeded releases its downstreams
    mature    what time brings             automatic reruns, timeouts, lost attempts
    admit     ready and due rows, queues   -> Waiting for Scheduled Time, Throttling, Waiting for Schedule Resources
    dispatch  what was admitted            -> Running, with its attempt row; after the commit, to the executor
    advance   data timestamps that are done    the next ones of their queues begin (section 7)

Between passes it makes instances of the backfills whose time has come, some data timestamps at a time, so that a long
submission holds nothing up.

The attempt row is the outbox: it is committed before the executor hears of it, and adopted by the next engine should
this one die in between. Nothing is kept that the store does not hold, but the ends an executor has reported and no
transaction has taken in yet; so start-up and recovery are the same. The rules are those of sections 2.2 to 2.4 and 11.
"""

from __future__ import annotations

from collections import defaultdict, deque
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import islice

from dpconsole.core.domain.clock import Clock
from dpconsole.core.domain.definitions import TaskType
from dpconsole.core.domain.runconfig import Retries, next_retry
from dpconsole.core.domain.statuses import Cause, Status
from dpconsole.core.domain.text import clean
from dpconsole.core.engine.admission import Capacity, Limits, compete
from dpconsole.core.engine.backfilling import Submission, advance_queues
from dpconsole.core.engine.lease import Lease
from dpconsole.core.engine.pauses import resume_due
from dpconsole.core.engine.works import Works
from dpconsole.core.executors.protocol import Executor, Exit, Handle, Order, Outcome
from dpconsole.core.store import backfill_sql
from dpconsole.core.store import engine_sql as sql
from dpconsole.core.store.definition_rows import read_groups, read_rules
from dpconsole.core.store.engine_sql import Candidate, Moved
from dpconsole.core.store.journal import Steps, derive_tables, record, release
from dpconsole.core.store.session import Store, Transaction

SLICE = 512
"""Rows a pass takes in of each kind: small enough to let others write in between, large enough to pay for a commit."""
ATTEMPT_LEASE_MS = 60_000


@dataclass(frozen=True, slots=True)
class Tick:
    """What a tick did: rows moved, passes made, and when time alone will move something next (UTC ms)."""

    moved: int
    passes: int
    next_at: int | None


@dataclass
class Pass:
    """One transaction of the engine: what it has moved, and what to tell the executor once it is committed.

    `due` says whether scheduled times may have come that nobody has looked at, `more` that a slice was not enough.
    """

    transaction: Transaction
    now: int
    steps: Steps = field(default_factory=Steps)
    tables: set[int] = field(default_factory=set)
    orders: list[Order] = field(default_factory=list)
    stops: list[Handle] = field(default_factory=list)
    moved: int = 0
    due: bool = True
    more: bool = False

    def note(
        self, rows: Sequence[Candidate | Moved], before: Status, after: Status, cause: Cause, *, starts: bool = False
    ) -> None:
        """Rows took a step, into a new attempt if it `starts` one; the logical tables they belong to follow."""
        by_attempt: dict[int, list[int]] = defaultdict(list)
        for row in rows:
            by_attempt[row.attempt].append(row.id)
        for attempt, ids in by_attempt.items():
            self.steps.add_all(ids, before, after, cause, attempt + starts)
        self.tables.update([row.parent_id for row in rows if row.parent_id is not None])

    def settle(self) -> None:
        """Write the steps taken so far; what comes after is a new round of steps."""
        self.moved += sum(len(ids) for ids in self.steps.taken.values())
        record(self.transaction, self.steps, self.now)


class Engine:
    """Drives one database. `lease` is None where nobody else could (tests, benchmarks)."""

    def __init__(
        self, store: Store, clock: Clock, executor: Executor, *, lease: Lease | None = None, slice_: int = SLICE
    ) -> None:
        self._store = store
        self._clock = clock
        self._executor = executor
        self._lease = lease
        self._slice = slice_
        self._works = Works()
        self._limits = Limits()
        self._ends: deque[Exit] = deque()
        self._submissions: dict[int, Submission] = {}
        self._adopted_in: int | None = None

    def tick(self, breathe: Callable[[], None] = lambda: None) -> Tick:
        """Move everything that can be moved now; `breathe` is called between passes.

        Raises `Fenced` when another engine has taken over, and `StoreError`; either way what was not committed is
        taken up by the next tick.
        """
        now = self._clock.now()
        matured = self._look_around(now)
        moved = passes = 0
        due = True
        while True:
            self._ends.extend(self._executor.poll(now, self._slice - len(self._ends)))
            mature = matured and not self._has_ended(now)
            done = self._pass(now, mature=mature, due=due)
            matured &= not mature
            due = done.due
            moved, passes = moved + done.moved, passes + 1
            submitted = self._submit_some()
            moved += submitted or 0
            if submitted is None and not (done.more or matured or self._has_ended(now)):
                break
            breathe()
        if self._lease is not None:
            self._lease.note_tick()
        return Tick(moved, passes, self._next_at())

    # --- one pass -----------------------------------------------------------------------------------------------------

    def _pass(self, now: int, *, mature: bool, due: bool) -> Pass:
        ends = list(islice(self._ends, self._slice))
        with self._store.write() as transaction:
            self._check(transaction)
            this = Pass(transaction, now, due=due)
            self._collect(this, ends)
            if mature:
                self._mature(this)
            self._advance_all(this)
            if not this.moved:
                transaction.abandon()
        for _ in ends:
            self._ends.popleft()
        self._executor.stop(this.stops)
        self._executor.submit(this.orders)
        return this

    # --- collect ------------------------------------------------------------------------------------------------------

    def _collect(self, this: Pass, ends: Sequence[Exit]) -> None:
        """Take the executor's reports in; the first valid one of an attempt counts, the others change nothing."""
        first = {(end.handle, end.token): end for end in reversed(ends)}
        alike: dict[tuple[Outcome, int | None, str], list[Exit]] = defaultdict(list)
        for end in reversed(first.values()):
            alike[end.outcome, end.exit_code, end.why].append(end)
        for (outcome, exit_code, why), some in alike.items():
            if outcome is Outcome.OK:
                self._succeed(this, some)
            else:
                self._fail(this, some, outcome, exit_code, clean(why), _CAUSES.get(outcome, Cause.FINISHED))
        this.settle()

    def _succeed(self, this: Pass, ends: list[Exit]) -> None:
        counted = self._close(this, ends, Outcome.OK, 0, "")
        if not counted:
            return
        ended: dict[int, dict[int, int]] = defaultdict(dict)
        for (instance, number), _, _, ended_at, *_ in counted:
            ended[number][instance] = ended_at
        rows = [row for number, moments in ended.items() for row in sql.finish(this.transaction, number, moments)]
        this.note(rows, Status.RUNNING, Status.SUCCEEDED, Cause.FINISHED)
        release(this.transaction, [row.id for row in rows])

    def _fail(
        self, this: Pass, ends: list[Exit], outcome: Outcome, exit_code: int | None, why: str, cause: Cause
    ) -> None:
        """Attempts that ended alike fail their rows; an automatic rerun is due where the run configuration says so."""
        counted = self._close(this, ends, outcome, exit_code, why)
        rules = sql.retry_rules(this.transaction, [end.handle.instance_id for end in counted])
        failed = []
        for end in counted:
            rule = rules[end.handle.instance_id]
            retries = Retries(rule.reruns, rule.rerun_interval_ms, rule.rerun_after_timeout)
            retry_at = next_retry(cause, end.ended_at, rule.auto_reruns, retries)
            failed.append((*end.handle, end.ended_at, retry_at, why))
        this.note(sql.fail(this.transaction, failed), Status.RUNNING, Status.FAILED, cause)

    def _close(self, this: Pass, ends: list[Exit], outcome: Outcome, exit_code: int | None, why: str) -> list[Exit]:
        """End attempts; returns the reports that counted, one an attempt."""
        attempts = [(*end.handle, end.token, end.ended_at) for end in ends]
        closed = sql.close_attempts(this.transaction, attempts, outcome, exit_code, why)
        if len(closed) == len(ends):
            return ends
        return [end for end in ends if (*end.handle, end.token) in closed]

    # --- mature -------------------------------------------------------------------------------------------------------

    def _mature(self, this: Pass) -> None:
        """What operators asked for, and what time brings: timeouts, lost attempts, reruns, the end of pauses.

        After every end that came before it.
        """
        self._halt(this)
        self._expire(this)
        rows = sql.retries_due(this.transaction, this.now, self._slice)
        sql.retry(this.transaction, [row.id for row in rows])
        this.note(rows, Status.FAILED, Status.NOT_RUNNING, Cause.RETRIED)
        this.settle()
        resumed = resume_due(this.transaction, this.now)
        this.moved += resumed
        this.due |= resumed > 0

    def _halt(self, this: Pass) -> None:
        """Tell the executor which attempts operators have ended, again and again until it has let go of them.

        It may hear of a stop before this transaction is committed: the attempt is over already, whatever comes of this.
        """
        ended = [Handle(row.instance_id, row.number) for row in sql.stops(this.transaction)]
        if not ended:
            return
        self._executor.stop(ended)
        alive = self._executor.alive()
        gone = [handle for handle in ended if handle not in alive]
        sql.note_stopped(this.transaction, gone)
        this.moved += len(gone)

    def _expire(self, this: Pass) -> None:
        overdue = sql.overdue_attempts(this.transaction, this.now, self._slice)
        alive = self._executor.alive() if overdue else ()
        vouched: list[int] = []
        for row in overdue:
            handle = Handle(row.instance_id, row.number)
            if row.deadline_at <= this.now:
                end = Exit(handle, row.token, Outcome.TIMEOUT, row.deadline_at)
                self._fail(this, [end], Outcome.TIMEOUT, None, "timed out", Cause.TIMED_OUT)
                this.stops.append(handle)
            elif handle in alive:
                vouched.append(row.instance_id)
            else:
                end = Exit(handle, row.token, Outcome.LOST, this.now)
                self._fail(this, [end], Outcome.LOST, None, "the attempt was lost", Cause.LOST)
        if vouched:
            sql.renew_attempts(this.transaction, vouched, this.now + ATTEMPT_LEASE_MS)
            this.moved += 1
        this.settle()

    # --- backfills ----------------------------------------------------------------------------------------------------

    def _submit_some(self) -> int | None:
        """One transaction of one submission; how many instances it made, None when there was nothing to do.

        A submission that breaks off is taken up by the next tick, from what is committed.
        """
        if not self._submissions:
            return None
        id = next(iter(self._submissions))
        submission = self._submissions.pop(id)
        before = submission.instances
        if submission.go_on(self._check):
            self._submissions[id] = submission
        return submission.instances - before

    def _check(self, transaction: Transaction) -> None:
        if self._lease is not None:
            self._lease.check(transaction)

    def _advance_all(self, this: Pass) -> None:
        """Rounds until nothing succeeds at once any more, and no data timestamp begins with what has succeeded."""
        while True:
            while self._advance(this):
                pass
            derive_tables(this.transaction, this.tables, this.now)
            this.tables.clear()
            changed = advance_queues(this.transaction, this.now)
            this.moved += changed
            if not changed:
                break

    # --- admit and dispatch -------------------------------------------------------------------------------------------

    def _advance(self, this: Pass) -> bool:
        """One round of ready and due rows and queues; whether something succeeded at once and released more."""
        ready = sql.ready(this.transaction, self._slice)
        due = sql.due(this.transaction, this.now, self._slice) if this.due else []
        this.due = len(due) == self._slice
        this.more |= this.due or len(ready) == self._slice
        sql.move(this.transaction, [row.id for row in ready if row.due_at > this.now], Status.WAITING_TIME)
        this.note(ready, Status.NOT_RUNNING, Status.WAITING_TIME, Cause.RELEASED)
        arrived = [row for row in ready if row.due_at <= this.now] + due
        at_once = [row for row in arrived if row.dry_run or row.type == TaskType.VIRTUAL]
        self._succeed_at_once(this, at_once)
        self._admit(this, _without(arrived, at_once))
        this.settle()
        return bool(at_once)

    def _succeed_at_once(self, this: Pass, rows: list[Candidate]) -> None:
        """Dry runs and virtual nodes: no work, no slot, no attempt (A9)."""
        sql.succeed_at_once(this.transaction, [row.id for row in rows])
        this.note(rows, Status.WAITING_TIME, Status.RUNNING, Cause.DUE)
        this.note(rows, Status.RUNNING, Status.SUCCEEDED, Cause.FINISHED)
        release(this.transaction, [row.id for row in rows])

    def _admit(self, this: Pass, arrived: list[Candidate]) -> None:
        """Throttling rules, then resource groups; what stands in their queues competes with what arrived."""
        crowd = sql.crowd(this.transaction)
        if not arrived and not crowd.throttled and not crowd.waiting_for_resources:
            return
        held = sql.held_slots(this.transaction) if self._limits.rules else ()
        capacity = Capacity.of(self._limits, crowd.running, held)
        passed = arrived
        if crowd.throttled or self._limits.rules:
            passed = self._pass_throttling(this, arrived, bool(crowd.throttled), capacity)
        self._dispatch(this, self._take_resources(this, passed, bool(crowd.waiting_for_resources), capacity))

    def _pass_throttling(
        self, this: Pass, arrived: list[Candidate], has_queue: bool, capacity: Capacity
    ) -> list[Candidate]:
        """Rows that every matching rule lets through; arrivals that none has room for go to Throttling (A4, A7)."""
        limit = min(self._slice, capacity.passes_left or self._slice)
        queue = sql.throttled(this.transaction, capacity.full_rules, limit) if has_queue else []
        competing, undecided = compete(arrived, queue, limit)
        this.due |= undecided
        this.more |= undecided or len(queue) == limit
        passed = [row for row in competing if capacity.pass_throttling(row)]
        refused = _without(competing, passed)
        held = [row for row in refused if row.status != Status.THROTTLED]
        waiting = [row for row in _without(arrived, competing) if row.status == Status.NOT_RUNNING]
        sql.move(this.transaction, [row.id for row in waiting], Status.WAITING_TIME)
        sql.move(this.transaction, [row.id for row in held], Status.THROTTLED)
        this.note(held, Status.WAITING_TIME, Status.THROTTLED, Cause.THROTTLED)
        return passed

    def _take_resources(
        self, this: Pass, passed: list[Candidate], has_queue: bool, capacity: Capacity
    ) -> list[Candidate]:
        """Rows their group has a slot for; the others wait for schedule resources (A5, A7)."""
        limit = min(self._slice, capacity.slots_left)
        queue = sql.waiting_for_resources(this.transaction, capacity.full_groups, limit) if has_queue and limit else []
        competing, undecided = compete(passed, queue, limit)
        this.more |= undecided
        granted = [row for row in competing if capacity.take_resources(row)]
        refused = [row for row in _without([*passed, *queue], granted) if row.status != Status.WAITING_RESOURCE]
        sql.move(this.transaction, [row.id for row in refused], Status.WAITING_RESOURCE)
        for before, rows in _by_queue(refused):
            this.note(rows, before, Status.WAITING_RESOURCE, Cause.NO_RESOURCE)
        return granted

    def _dispatch(self, this: Pass, granted: list[Candidate]) -> None:
        """Start the rows that were let through; the executor gets the orders after the commit."""
        if not granted:
            return
        connection, token = this.transaction.connection, this.transaction.rev
        ids = [row.id for row in granted]
        sql.start(this.transaction, ids, this.now)
        sql.open_attempts(this.transaction, ids, this.now, this.now + ATTEMPT_LEASE_MS)
        for before, rows in _by_queue(granted):
            cause = Cause.DUE if before is Status.WAITING_TIME else Cause.ADMITTED
            this.note(rows, before, Status.RUNNING, cause, starts=True)
        this.orders += self._works.orders(connection, granted, token, this.now)

    # --- what lies around ---------------------------------------------------------------------------------------------

    def _look_around(self, now: int) -> bool:
        """Read what operators and loads may have changed, and on the first tick adopt what was left running.

        Returns whether time has brought something.
        """
        reign = self._lease.epoch if self._lease is not None else 0  # who had the lease in between started attempts too
        with self._store.read() as connection:
            slots = {group.name: group.slots for group in read_groups(connection).values()}
            rules = tuple(rule for rule in read_rules(connection).values() if rule.enabled)
            self._limits = Limits(slots, rules)
            self._works.refresh(connection)
            for id in backfill_sql.due_submissions(connection, now):
                self._submissions.setdefault(id, Submission(self._store, self._clock, id))
            if self._adopted_in != reign:
                self._executor.adopt([self._works.reread(connection, row) for row in sql.open_orders(connection)])
                self._adopted_in = reign
            return sql.has_matured(connection, now)

    def _has_ended(self, now: int) -> bool:
        upcoming = self._executor.next_event()
        return upcoming is not None and upcoming <= now

    def _next_at(self) -> int | None:
        with self._store.read() as connection:
            by_time = sql.next_instant(connection), backfill_sql.next_submission(connection)
        moments = [moment for moment in (*by_time, self._executor.next_event()) if moment is not None]
        return min(moments, default=None)


_CAUSES = {Outcome.TIMEOUT: Cause.TIMED_OUT, Outcome.LOST: Cause.LOST}
"""Ends that an executor may find out before the engine does; every other bad one is a failure of the run."""


def _without(rows: list[Candidate], others: Iterable[Candidate]) -> list[Candidate]:
    gone = {row.id for row in others}
    return [row for row in rows if row.id not in gone] if gone else rows


def _by_queue(rows: Iterable[Candidate]) -> list[tuple[Status, list[Candidate]]]:
    """Rows by the status they come from; one that was Not Running passed through Waiting for Scheduled Time."""
    came_from: dict[Status, list[Candidate]] = {}
    for row in rows:
        before = Status.WAITING_TIME if row.status == Status.NOT_RUNNING else Status(row.status)
        came_from.setdefault(before, []).append(row)
    return list(came_from.items())
