"""The window in which a destructive batch can still be called off: confirmed, but not yet acted on.

Time is an argument (seconds of a monotonic clock), so that what is due is decided here and waited for elsewhere. A
console that ends drops what it has armed; the command line, where a person has typed the whole of it, arms nothing.
"""

from __future__ import annotations

from dataclasses import dataclass, field
from math import ceil

from dpconsole.core.operations.planning import Plan

ARMED_SECONDS = 5.0
"""How long a destructive batch can be called off (console: the preview, the ledger, undo)."""


@dataclass(frozen=True, slots=True)
class Armed:
    """A plan an operator said yes to, why, and when it is to be carried out."""

    plan: Plan
    reason: str
    due: float


@dataclass
class Arming:
    """The batches that are armed, in the order in which they were confirmed."""

    seconds: float = ARMED_SECONDS
    waiting: list[Armed] = field(default_factory=list)

    def arm(self, plan: Plan, reason: str, now: float) -> Armed:
        """Let a batch wait its time."""
        armed = Armed(plan, reason, now + self.seconds)
        self.waiting.append(armed)
        return armed

    def call_off(self) -> Armed | None:
        """The batch that was armed last, which is armed no more; None where none is."""
        return self.waiting.pop() if self.waiting else None

    def take_due(self, now: float) -> list[Armed]:
        """The batches whose time has come; they can be called off no more."""
        due = [armed for armed in self.waiting if armed.due <= now]
        self.waiting = [armed for armed in self.waiting if armed.due > now]
        return due

    def words(self, now: float) -> str:
        """What is armed, and how long it still waits; empty where nothing is."""
        if not self.waiting:
            return ""
        last = self.waiting[-1]
        others = f" and {len(self.waiting) - 1} more" if len(self.waiting) > 1 else ""
        return f"{last.plan.operation.title} {len(last.plan.targets):,}{others}: in {max(1, ceil(last.due - now))} s"
