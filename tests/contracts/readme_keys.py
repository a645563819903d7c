"""The README's page of keys, written from the registry: `python -m tests.contracts.readme_keys` writes it anew."""

from __future__ import annotations

from pathlib import Path

from dpconsole.core.operations.registry import OPERATIONS
from dpconsole.screens.keymap import KEYS, Key, Scope, show_key, verb_keys

README = Path(__file__).parents[2] / "README.md"
BEGIN, END = "<!-- keys -->\n", "<!-- /keys -->\n"

PARTS: tuple[tuple[str, frozenset[Scope]], ...] = (
    ("everywhere", frozenset({Scope.ALWAYS, Scope.APP, Scope.MOVE})),
    ("in lists", frozenset({Scope.LIST, Scope.MARK, Scope.TABS, Scope.INSTANCES, Scope.TASKS, Scope.RECORDS})),
    ("on an instance", frozenset({Scope.INSTANCE, Scope.VERB, Scope.SELECTION, Scope.WATCH, Scope.START, Scope.GRAPH})),
    ("on a backfill", frozenset({Scope.FOLDER, Scope.BACKFILL, Scope.PENDING, Scope.SUBMISSIONS})),
    ("on a saved flow", frozenset({Scope.FLOW, Scope.FLOWS})),
    ("in the form of a backfill", frozenset({Scope.FORM})),
    ("in a DAG", frozenset({Scope.DAG, Scope.INSTANCE_DAG})),
    ("on a critical path", frozenset({Scope.GANTT})),
    ("on baselines", frozenset({Scope.BASELINES})),
    ("in a run log", frozenset({Scope.LOG})),
)


def page() -> str:
    """The keys, part by part, in the order of the registry."""
    entries = [*KEYS, *verb_keys(OPERATIONS.values())]
    parts = ((where, [key for key in entries if key.scope in scopes]) for where, scopes in PARTS)
    return "| where | keys |\n|---|---|\n" + "".join(f"| {where} | {_line(keys)} |\n" for where, keys in parts)


def _line(keys: list[Key]) -> str:
    """Every key once, with what it does; keys of one title stand together."""
    shown: dict[str, dict[str, None]] = {}
    for key in keys:
        shown.setdefault(key.title, {}).update(dict.fromkeys(f"`{show_key(pressed)}`" for pressed in key.keys))
    return ", ".join(f"{' '.join(pressed)} {title}" for title, pressed in shown.items())


def with_page(text: str) -> str:
    """The README with its page of keys as the registry has it."""
    before, rest = text.split(BEGIN)
    return before + BEGIN + page() + END + rest.split(END)[1]


if __name__ == "__main__":
    README.write_text(with_page(README.read_text(encoding="utf-8")), encoding="utf-8")
