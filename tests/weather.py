"""What goes wrong around an engine: reports that travel badly, processes that die, disks that refuse."""

from __future__ import annotations

from collections.abc import Callable, Collection, Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from random import Random
from typing import Any

from dpconsole.core.executors.protocol import Executor, Exit, Handle, Order, Outcome
from dpconsole.core.store.session import Store

MINUTE = 60_000
HOUR = 60 * MINUTE


@dataclass(frozen=True)
class Weather:
    """How often each thing goes wrong; all zero is a quiet night."""

    duplicated: float = 0.0
    late: float = 0.0
    lost: float = 0.0
    forged: float = 0.0
    crash: float = 0.0
    takeover: float = 0.0
    refused: float = 0.0  # a statement that the disk refuses

    @classmethod
    def draw(cls, rng: Random) -> Weather:
        """Calm, one kind of trouble, or all of them."""
        kinds = list(cls.__dataclass_fields__)
        chosen = rng.choice(([], [rng.choice(kinds)], kinds))
        return cls(**{kind: rng.choice((0.02, 0.1, 0.3)) for kind in chosen})


QUIET = Weather()


class Courier:
    """An executor whose reports travel badly. It outlives the engine that reads from it, as a queue would."""

    def __init__(self, inner: Executor, rng: Random, weather: Weather) -> None:
        self.inner = inner
        self._rng = rng
        self._weather = weather
        self._on_the_way: list[tuple[int, int, Exit]] = []
        self._silent: set[Handle] = set()  # ended, and nobody will ever say so
        self._unheard: set[Handle] = set()  # ended, and the word is on its way

    def submit(self, orders: Iterable[Order]) -> None:
        self.inner.submit(orders)

    def adopt(self, orders: Iterable[Order]) -> None:
        self.inner.adopt(order for order in orders if order.handle not in self._silent | self._unheard)

    def stop(self, handles: Iterable[Handle]) -> None:
        self.inner.stop(handles)

    def alive(self) -> Collection[Handle]:
        return set(self.inner.alive()) | self._unheard

    def next_event(self) -> int | None:
        moments = [at for at, _, _ in self._on_the_way]
        inner = self.inner.next_event()
        return min([*moments, inner] if inner is not None else moments, default=None)

    def log(self, order: Order, offset: int, limit: int, until: int) -> bytes:
        return self.inner.log(order, offset, limit, until)

    def poll(self, now: int, limit: int) -> Sequence[Exit]:
        for report in self.inner.poll(now, limit):
            self._send(report, now)
        due = sorted(item for item in self._on_the_way if item[0] <= now)
        self._rng.shuffle(due)
        taken = due[:limit]
        for item in taken:
            self._on_the_way.remove(item)
        self._unheard -= {report.handle for _, _, report in taken}
        return [report for _, _, report in taken]

    def _send(self, report: Exit, now: int) -> None:
        happens = {kind: self._rng.random() < getattr(self._weather, kind) for kind in ("lost", "late", "duplicated")}
        if happens["lost"]:
            self._silent.add(report.handle)
            return
        self._post(report, now + (self._rng.randint(1, 3 * HOUR) if happens["late"] else 0))
        self._unheard.add(report.handle)
        if happens["duplicated"]:
            self._post(report, now + self._rng.choice((0, 1, HOUR, 8 * HOUR)))
        if self._rng.random() < self._weather.forged:
            self._post(self._forge(report), now + self._rng.choice((0, HOUR)))

    def _post(self, report: Exit, at: int) -> None:
        self._on_the_way.append((at, self._rng.getrandbits(32), report))

    def _forge(self, report: Exit) -> Exit:
        """A report of an attempt that is not: another token, another number, another instance."""
        instance, number = report.handle
        lie = self._rng.choice(tuple(outcome for outcome in Outcome if outcome is not Outcome.RUNNING))
        return self._rng.choice(
            (
                report._replace(token=report.token + 1, outcome=lie),
                report._replace(handle=Handle(instance, number + 1), outcome=lie),
                report._replace(handle=Handle(instance + 100_000, number), outcome=lie),
            )
        )


_TOLD = ("do_execute", "do_executemany", "do_execute_no_params", "do_commit")
"""Through one of these goes everything that the driver is told."""


@contextmanager
def refuse_statement(store: Store, number: int, name: str = "SQLITE_IOERR") -> Iterator[list[str]]:
    """Let the writer's `number`-th statement from now fail, commits included; yields the statements it saw.

    0 is the next one, -1 none. A refused commit has not happened.
    """
    seen: list[str] = []
    dialect = store.writer.dialect

    def counted(tell: Callable[..., None]) -> Callable[..., None]:
        def count(*told: Any) -> None:
            seen.append(told[1] if len(told) > 1 else "COMMIT")
            if len(seen) == number + 1:
                raise _refusal(store, name)
            tell(*told)

        return count

    for way in _TOLD:
        setattr(dialect, way, counted(getattr(dialect, way)))
    try:
        yield seen
    finally:
        for way in _TOLD:
            delattr(dialect, way)


def _refusal(store: Store, name: str) -> Exception:
    """The driver's own error, made by hand."""
    error: Exception = store.writer.dialect.loaded_dbapi.OperationalError("refused by a test")
    if store.is_sqlite:
        error.sqlite_errorname = name  # type: ignore[attr-defined]
    return error


class Gone(BaseException):
    """The engine's process ends here, in the middle of whatever it does."""


class DoomedCourier(Courier):
    """A courier whose engine may die after its commit and before the executor hears of it."""

    doomed = False

    def submit(self, orders: Iterable[Order]) -> None:
        if self.doomed:
            raise Gone
        super().submit(orders)
