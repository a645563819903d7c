"""Nothing from outside is read as markup: a task may be called `[/]`, and Textual ends the app over it.

Three rules over the source of the widgets and screens: Textual's text widgets come only through `widgets/safe.py`;
markup is never switched on; and the attributes Textual parses as markup by itself get finished content.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

PACKAGE = Path(__file__).resolve().parents[2] / "dpconsole"
DOOR = PACKAGE / "widgets" / "safe.py"
RAW_WIDGETS = frozenset({"Input"})
"""What may be imported from `textual.widgets` elsewhere: it shows only what the operator types."""

PARSED_ATTRIBUTES = frozenset({"border_title", "border_subtitle", "tooltip"})
PARSERS = frozenset({"from_markup", "render_markup"})
MAKERS_OF_CONTENT = frozenset({"content"})

SOURCES = sorted(path for part in ("widgets", "screens") for path in (PACKAGE / part).rglob("*.py"))
SOURCES += [path for path in [PACKAGE / "app.py"] if path.exists()]


def faults(tree: ast.AST, *, door: bool = False) -> Iterator[str]:
    """What breaks the rules, with its line."""
    for node in ast.walk(tree):
        if not door:
            yield from _raw_imports(node)
        yield from _parsers(node)
        yield from _markup_switched_on(node)
        yield from _parsed_attributes(node)


def _raw_imports(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.ImportFrom) and (node.module or "").startswith("textual.widgets"):
        for name in node.names:
            if name.name not in RAW_WIDGETS:
                yield f"{node.lineno}: {name.name} comes through widgets/safe.py"
    if isinstance(node, ast.Import) and any(name.name.startswith("textual.widgets") for name in node.names):
        yield f"{node.lineno}: textual.widgets comes through widgets/safe.py"


def _parsers(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Attribute) and node.attr in PARSERS:
        yield f"{node.lineno}: {node.attr} reads markup"
    if isinstance(node, ast.ImportFrom) and node.module in {"rich.markup", "textual.markup"}:
        yield f"{node.lineno}: {node.module} reads markup"


def _markup_switched_on(node: ast.AST) -> Iterator[str]:
    if not isinstance(node, ast.Call):
        return
    markup = [keyword for keyword in node.keywords if keyword.arg == "markup"]
    off = all(isinstance(keyword.value, ast.Constant) and keyword.value.value is False for keyword in markup)
    notifies = isinstance(node.func, ast.Attribute) and node.func.attr == "notify"
    if not off or (notifies and not markup and not _is_plain_literal(node.args)):
        yield f"{node.lineno}: markup=False"


def _is_plain_literal(arguments: list[ast.expr]) -> bool:
    """Whether a message is our own words, without a bracket in them."""
    message = arguments[0].value if arguments and isinstance(arguments[0], ast.Constant) else None
    return isinstance(message, str) and "[" not in message


def _parsed_attributes(node: ast.AST) -> Iterator[str]:
    if not isinstance(node, ast.Assign):
        return
    for target in node.targets:
        if isinstance(target, ast.Attribute) and target.attr in PARSED_ATTRIBUTES and not _is_content(node.value):
            yield f"{node.lineno}: {target.attr} takes content(...)"


def _is_content(value: ast.expr) -> bool:
    return isinstance(value, ast.Call) and isinstance(value.func, ast.Name) and value.func.id in MAKERS_OF_CONTENT


@pytest.mark.parametrize("path", SOURCES, ids=lambda path: str(path.relative_to(PACKAGE)))
def test_no_text_is_read_as_markup(path: Path) -> None:
    assert list(faults(ast.parse(path.read_text(encoding="utf-8")), door=path == DOOR)) == []


@pytest.mark.parametrize(
    "source",
    [
        "from textual.widgets import Static",
        "from textual.widgets import DataTable, Input",
        "from textual.widgets._rich_log import RichLog",
        "import textual.widgets as w",
        "from rich.markup import escape",
        "Text.from_markup(name)",
        "SafeText(name, markup=True)",
        "SafeText(name, markup=wanted)",
        "self.notify(name)",
        "self.notify(f'{name} is gone')",
        "self.notify('press [r]')",
        "self.border_title = name",
        "widget.tooltip = f'{name}'",
    ],
)
def test_the_rules_catch_what_they_are_for(source: str) -> None:
    assert list(faults(ast.parse(source)))


@pytest.mark.parametrize(
    "source",
    [
        "from textual.widgets import Input",
        "from textual.widget import Widget",
        "self.notify(name, markup=False)",
        "self.notify('Nothing is marked')",
        "self.border_title = content(name)",
    ],
)
def test_the_rules_let_the_rest_pass(source: str) -> None:
    assert not list(faults(ast.parse(source)))
