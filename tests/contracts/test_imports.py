"""What must not be loaded, proved in a fresh process: a cold start is what an operator waits for."""

from __future__ import annotations

import subprocess
import sys
from pkgutil import walk_packages

import pytest

from dpconsole import core

HEAVY = ("textual", "rich", "sqlalchemy", "pydantic", "apscheduler", "networkx", "openpyxl", "alembic", "lark", "yaml")
SCREENS = ("textual", "rich", "click")


def loaded_by(code: str, *words: str) -> set[str]:
    """The top-level packages a fresh process has loaded after running `code`."""
    told = "import sys, atexit; atexit.register(lambda: print('\\n', *sorted(sys.modules), file=sys.stderr));"
    result = subprocess.run([sys.executable, "-c", told + code, *words], capture_output=True, text=True, check=True)
    return {name.partition(".")[0] for name in result.stderr.splitlines()[-1].split()}


@pytest.mark.parametrize("words", [["--help"], ["--version"]])
def test_help_loads_no_screen_and_no_database(words: list[str]) -> None:
    assert not loaded_by("from dpconsole.cli import main; main()", *words) & set(HEAVY)


def test_the_core_loads_no_screen() -> None:
    modules = [name for _, name, _ in walk_packages(core.__path__, "dpconsole.core.") if ".migrations." not in name]
    assert len(modules) > 50
    assert not loaded_by(f"import {', '.join(modules)}") & set(SCREENS)


def test_no_command_but_the_console_loads_a_screen() -> None:
    assert not loaded_by("from dpconsole.cli import main; main()", "config", "show") & {"textual", "rich"}
