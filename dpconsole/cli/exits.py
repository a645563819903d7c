"""How a command ends: the exit codes, and which failure means which."""

from __future__ import annotations

from enum import IntEnum


class Exit(IntEnum):
    """The exit codes of every command."""

    DONE = 0
    FAILED = 1
    USAGE = 2  # usage, configuration, not a terminal
    RETRY = 3  # locked, or the engine is away: the same command may do later
    NOTHING = 4  # nothing matched
    PARTLY = 5
    REFUSED = 6  # by state, permission or a read-only session
    INTERRUPTED = 130


class Failure(Exception):
    """A command cannot go on: the line the operator reads, which names the next step, and the exit code."""

    def __init__(self, words: str, code: Exit = Exit.FAILED) -> None:
        super().__init__(words)
        self.code = code


_CODES = {
    "StoreBusy": Exit.RETRY,
    "StoreReadOnly": Exit.REFUSED,
    "StoreDamaged": Exit.FAILED,
    "StoreOutdated": Exit.FAILED,
    "StoreError": Exit.USAGE,
    "Fenced": Exit.RETRY,
    "SettingsError": Exit.USAGE,
    "WorkspaceRefused": Exit.USAGE,
    "QueryError": Exit.USAGE,
    "UsageError": Exit.USAGE,
    "ExportError": Exit.FAILED,
    "ClickException": Exit.FAILED,
    "OSError": Exit.FAILED,
}
"""The code of each foreseen failure, by the name of its class: naming it here must not import where it lives."""


def code_of(error: BaseException) -> Exit | None:
    """The exit code of a foreseen failure; None for one that nobody foresaw, which is a bug."""
    if isinstance(error, Failure):
        return error.code
    return next((_CODES[kind.__name__] for kind in type(error).__mro__ if kind.__name__ in _CODES), None)
