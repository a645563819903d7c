"""Every benchmark, or the ones that are named.

    python -m tests.bench [engine] [rowtable] [wire] [diagnosis] [window] [layout] [verbs] [backfill] [tree] [--quick]

Figures are those of this machine at this moment; what counts is how they stand to the floor or to the other table of
the same run.
"""

from __future__ import annotations

import argparse
import os
import platform
import sqlite3
from collections.abc import Callable

from tests.bench import (
    backfill,
    backfill_tree,
    console_list,
    dag_layout,
    dag_window,
    diagnosis,
    engine,
    rowtable,
    verbs,
    verbs_console,
    wire,
)


def _engine(quick: bool) -> None:
    engine.run(engine.QUICK if quick else engine.WHOLE)


def _rowtable(quick: bool) -> None:
    if quick:
        rowtable.run((1_000, 100_000), beside=1_000)
    else:
        rowtable.run()
    print("\nThe console's own list\n", flush=True)
    console_list.run((1_000, 100_000) if quick else (1_000, 100_000, 1_000_000))


def _wire(quick: bool) -> None:
    wire.run()
    print()
    wire.run_console(instances=2_000 if quick else wire.INSTANCES)


def _diagnosis(quick: bool) -> None:
    diagnosis.run(10_000 if quick else 100_000)


def _window(quick: bool) -> None:
    dag_window.run(dag_window.SIZES[:1] if quick else dag_window.SIZES)


def _layout(quick: bool) -> None:
    dag_layout.run(dag_layout.QUICK if quick else dag_layout.WHOLE)


def _verbs(quick: bool) -> None:
    verbs.run(verbs.QUICK if quick else verbs.WHOLE)
    print("\nThrough the console, and how long a key waits meanwhile\n", flush=True)
    verbs_console.run(verbs_console.QUICK if quick else verbs_console.WHOLE)


def _backfill(quick: bool) -> None:
    backfill.run(backfill.QUICK if quick else backfill.WHOLE)


def _tree(quick: bool) -> None:
    backfill_tree.run(backfill_tree.QUICK if quick else backfill_tree.WHOLE)


SECTIONS: dict[str, tuple[str, Callable[[bool], None]]] = {
    "engine": ("Durable completions a second", _engine),
    "rowtable": ("A list of many rows", _rowtable),
    "wire": ("Bytes on the line", _wire),
    "diagnosis": ("Why an instance stands still", _diagnosis),
    "window": ("What stands around an instance", _window),
    "layout": ("Drawing a graph", _layout),
    "verbs": ("Verbs on thousands of instances", _verbs),
    "backfill": ("Backfills, made and run", _backfill),
    "tree": ("The tree of backfills beside the list of its instances", _tree),
}


def main() -> None:
    """Run the sections asked for, in their own order."""
    parser = argparse.ArgumentParser(prog="python -m tests.bench", description="Benchmarks, beside their floors.")
    parser.add_argument("sections", nargs="*", metavar="|".join(SECTIONS), help="which; all without any")
    parser.add_argument("--quick", action="store_true", help="small sizes, for a look")
    asked = parser.parse_args()
    if unknown := set(asked.sections) - SECTIONS.keys():
        parser.error(f"no such section: {', '.join(sorted(unknown))}")
    print(f"Python {platform.python_version()}, SQLite {sqlite3.sqlite_version}, {os.cpu_count()} cores")
    for name, (title, section) in SECTIONS.items():
        if not asked.sections or name in asked.sections:
            load = ", ".join(f"{average:.1f}" for average in os.getloadavg())
            print(f"\n{title} (load average {load})\n", flush=True)
            section(asked.quick)


if __name__ == "__main__":
    main()
