"""A key stands in the registry of keys, or with its verb, and nowhere else in screens and widgets."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import dpconsole

PACKAGE = Path(dpconsole.__file__).parent
REGISTRY = PACKAGE / "screens" / "keymap.py"
SOURCES = sorted({*(PACKAGE / "screens").glob("*.py"), *(PACKAGE / "widgets").glob("*.py"), PACKAGE / "app.py"})


def keys_bound(tree: ast.AST) -> Iterator[str]:
    """Everything in a module by which Textual would take a key: bindings, key methods, comparisons with a key."""
    for node in ast.walk(tree):
        match node:
            case ast.Call(func=ast.Name(id="Binding")):
                yield "Binding(...)"
            case ast.Assign(targets=[ast.Name(id="BINDINGS")]) | ast.AnnAssign(target=ast.Name(id="BINDINGS")):
                yield "BINDINGS"
            case ast.FunctionDef(name=name) | ast.AsyncFunctionDef(name=name) if name.startswith("key_"):
                yield name
            case ast.Compare(
                left=ast.Attribute(attr="key" | "character"), comparators=[ast.Constant(value=str() as key)]
            ):
                if key != " ":
                    yield f"== {key!r}"


@pytest.mark.parametrize("path", [path for path in SOURCES if path != REGISTRY], ids=lambda path: path.stem)
def test_no_key_is_bound_outside_the_registry(path: Path) -> None:
    assert list(keys_bound(ast.parse(path.read_text(encoding="utf-8")))) == []


def test_the_search_finds_what_it_is_to_find() -> None:
    guilty = 'BINDINGS = [Binding("x", "y")]\ndef key_x(self): return event.key == "x"'
    assert len(list(keys_bound(ast.parse(guilty)))) == 4
