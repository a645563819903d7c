"""What a simulated attempt says: a believable log, and the line of it that names the failure.

A log is a function of the attempt's order and fate, so none is kept: it reads the same in every process, and as far as
time has gone.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from zoneinfo import ZoneInfo

from dpconsole.core.domain.clock import format_duration, format_iso, to_datetime
from dpconsole.core.domain.parameters import substitute
from dpconsole.core.executors.protocol import Order

FAILURES: tuple[tuple[str, ...], ...] = (
    (
        "Traceback (most recent call last):",
        '  File "run.py", line 88, in <module>',
        "    engine.execute(statement)",
        "OutOfMemoryError: container killed, 4.0 GiB of 4.0 GiB used",
    ),
    ("ERROR: ODPS-0130131: Table not found - upstream partition is missing",),
    (
        "WARN  retrying connection to metastore (3/3)",
        "ERROR: TTransportException: connection to metastore timed out after 60000 ms",
    ),
    ("ERROR: FAILED: AccessDenied - no permission 'Select' on the source table",),
    (
        "assertion on column amount: 1,204 rows violate amount >= 0",
        "ERROR: DataQualityError: rule amount_not_negative is a strong rule, the run is stopped",
    ),
)
"""The ways an unsteered attempt fails; the last line of each is its signature."""

_TELLING = re.compile(r"\b(?:\w*Error|\w*Exception|ERROR|FATAL|FAILED)\b")
_STEPS = ("compiling", "submitted to the cluster", "reading input", "running", "running", "writing output")
SIGNATURE_LIMIT = 160


@dataclass(frozen=True, slots=True)
class Script:
    """What a log is written from: the order, and what becomes of it (duration in ms, None when it hangs)."""

    order: Order
    duration: int | None
    fails: bool
    chance: float


def failure(order: Order, chance: float) -> str:
    """The signature of a failure: the last line that names an error, or the last one."""
    lines = [line for line in _last_words(order, chance) if line.strip()]
    telling = [line for line in lines if _TELLING.search(line)]
    return (telling or lines)[-1].strip()[:SIGNATURE_LIMIT]


def write_log(script: Script, until: int) -> bytes:
    """The log as it stood at `until` (UTC ms), in UTF-8."""
    return "".join(f"{line}\n" for at, line in _lines(script) if at <= until).encode(errors="replace")


def _lines(script: Script) -> Iterator[tuple[int, str]]:
    """Every line with the instant it is written at."""
    order, begin = script.order, script.order.started_at
    zone = ZoneInfo(order.work.zone)

    def line(at: int, text: str) -> tuple[int, str]:
        return at, f"{format_iso(at, zone)} {text}"

    yield line(begin, f"attempt {order.handle.number} of {order.work.task} for data timestamp {order.business_date}")
    yield line(begin, f"$ {_command(order, zone)}")
    span = script.duration if script.duration is not None else order.deadline_at - begin
    for number, step in enumerate(_STEPS):
        yield line(begin + span * number // len(_STEPS), f"INFO  {step}")
    if script.duration is None:
        yield line(order.deadline_at, "WARN  no progress; the run is ended at its timeout")
        return
    end = begin + script.duration
    for text in _own_words(script):
        yield end, text
    outcome = "exit 1" if script.fails else "exit 0"
    yield line(end, f"{outcome} after {format_duration(script.duration / 1000)}")


def _own_words(script: Script) -> tuple[str, ...]:
    """What a definition says its log holds; of a task that is told to fail, only its failing attempts say it."""
    steer = script.order.work.simulate
    if script.fails:
        return _last_words(script.order, script.chance)
    told_to_fail = bool(steer.fail or steer.fail_rate)
    return () if told_to_fail else tuple(steer.log.splitlines())


def _last_words(order: Order, chance: float) -> tuple[str, ...]:
    own = tuple(order.work.simulate.log.splitlines())
    return own if any(line.strip() for line in own) else FAILURES[int(chance * len(FAILURES))]


def _command(order: Order, zone: ZoneInfo) -> str:
    text = " ".join(order.work.command) or f"{order.work.type} {order.work.node or order.work.task}"
    due = to_datetime(order.due_at, zone).replace(tzinfo=None)
    return substitute(text, date.fromisoformat(order.business_date), due, dict(order.work.parameters))
