"""The command line: the same services as the screens, so that a script and an operator see the same plan.

Nothing is imported before it is used: `dpconsole --help` costs an import of click and of the table of verbs.
"""

from __future__ import annotations


def main() -> None:
    """The entry point; exits with an `Exit` code."""
    from dpconsole.cli.root import dpconsole

    dpconsole(prog_name="dpconsole")
