"""The command line: the same services as the screens, so that a script and an operator see the same plan.

Nothing is imported before it is used: `dpconsole --help` costs an import of click and of the table of verbs.
"""

from __future__ import annotations

import sys
from io import TextIOWrapper


def main() -> None:
    """The entry point; exits with an `Exit` code."""
    from dpconsole.cli.collector import collect_seldom

    collect_seldom()
    from dpconsole.cli.root import dpconsole

    if isinstance(sys.stdout, TextIOWrapper):
        # as standard error has it: where a name cannot be written, its numbers are
        sys.stdout.reconfigure(errors="backslashreplace")
    dpconsole(prog_name="dpconsole")
