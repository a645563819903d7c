"""`dag`: what an instance or a task hangs together with, as a drawing or as nodes and edges."""

from __future__ import annotations

import re
import shutil
import sys
from collections.abc import Callable, Collection, Mapping
from difflib import get_close_matches
from itertools import chain

import click

from dpconsole.cli.exits import Exit, Failure
from dpconsole.cli.lazy import Command
from dpconsole.cli.levels import Levels
from dpconsole.cli.tables import cells
from dpconsole.cli.talk import number_of, say, write, write_json
from dpconsole.cli.work import Work, opened
from dpconsole.core.domain.clock import to_datetime
from dpconsole.core.domain.keys import parse_instance_key
from dpconsole.core.domain.text import clean
from dpconsole.core.export.dag_items import dag_item
from dpconsole.core.graph.layout import NodeSize, Style, arrange
from dpconsole.core.graph.painting import draw
from dpconsole.core.graph.task_window import read_task_window
from dpconsole.core.graph.window import MOST_NODES, Window, WindowNode, in_order, read_window
from dpconsole.core.graph.words import node_words
from dpconsole.core.store.definition_rows import known_task_keys

_TASK_NUMBER = re.compile(r"n_(\d{1,18})", re.ASCII)

_NEAREST = 3
"""Ids that are named where the one that was asked for is none."""


@click.command(cls=Command)
@click.argument("id")
@click.option("--up", type=Levels(0), default="1", metavar="N", help="Levels upstream, or all; 1 without it.")
@click.option("--down", type=Levels(0), default="1", metavar="N", help="Levels downstream, or all; 1 without it.")
@click.option("--json", "as_json", is_flag=True, help="One JSON object.")
@click.pass_context
def dag(context: click.Context, id: str, up: int | None, down: int | None, as_json: bool) -> Exit:
    """What stands upstream and downstream of ID: an instance, or a task by its id `project.name`.

    `+N` counts the neighbours of a node that are not drawn.
    """
    with opened(context) as work:
        window = _window_of(work, id, up, down)
        if as_json:
            main = window.nodes[window.anchor]
            edges = window.edges | window.loops
            write_json(dag_item(main.key, _ordered(window), edges, window.truncated, work.zone))
        else:
            _write_text(window, work)
    if window.truncated:
        say(f"{number_of(len(window.nodes), 'node')} shown, and there are more; ask for fewer levels")
    return Exit.DONE


def _window_of(work: Work, text: str, up: int | None, down: int | None) -> Window:
    """The window around what `text` names. Raises `Failure` with the nearest ids when it names nothing."""
    with work.store.read() as connection:
        try:
            window = read_window(connection, parse_instance_key(text), up, down, limit=MOST_NODES)
        except ValueError:
            keys = known_task_keys(connection)
            window = read_task_window(connection, _task_key(text, keys), up, down, limit=MOST_NODES)
            if window is None:
                raise Failure(f"no instance or task {clean(text)}; {_nearest(text, keys)}", Exit.NOTHING) from None
    if window is None:
        raise Failure(f"no instance {clean(text)}; `dpconsole ls instances` lists them", Exit.NOTHING)
    return window


def _task_key(text: str, keys: Mapping[str, int]) -> str:
    """The key of a task that is named by its key or by its number `n_12`."""
    number = _TASK_NUMBER.fullmatch(text)
    return next((key for key, id in keys.items() if number and id == int(number[1])), text)


def _nearest(text: str, keys: Collection[str]) -> str:
    names = {name: key for key in keys for name in (key, key.partition(".")[2])}
    near = dict.fromkeys(names[name] for name in get_close_matches(text, names, n=_NEAREST))
    return f"did you mean {' or '.join(map(clean, near))}?" if near else "`dpconsole ls tasks` lists the tasks"


def _ordered(window: Window) -> dict[int, WindowNode]:
    """The nodes by their ids, the farthest upstream first."""
    return {node.id: node for node in in_order(window)}


# --- as a drawing -----------------------------------------------------------------------------------------------------


def _write_text(window: Window, work: Work) -> None:
    ascii = work.settings.draws_ascii(sys.stdout.encoding or "ascii")
    nodes = _ordered(window)
    label = _labels(window, work, ascii=ascii)
    labels = {id: label(node) for id, node in nodes.items()}
    room = shutil.get_terminal_size()
    sizes = [NodeSize(id, cells(text)) for id, text in labels.items()]
    layout = arrange(sizes, window.edges, style=Style(room=(room.columns, room.lines)))
    for line in draw(layout, labels, ascii=ascii, width_of=cells):
        write(line)
    if sys.stdout.isatty() and layout.width > room.columns:
        say(f"wider than the terminal: {layout.width} columns; `| less -S` scrolls it")
    for line in chain(_flags(nodes), _loops(window)):
        write(line)


def _labels(window: Window, work: Work, *, ascii: bool) -> Callable[[WindowNode], str]:
    """How a node is written: `+12 ● name 02:00 +3`; times with their day where they are not all of one."""
    days = {to_datetime(node.due_at, work.zone).date() for node in window.nodes.values() if node.due_at is not None}
    format = "%H:%M" if len(days) < 2 else "%m-%d %H:%M"

    def when(due_at: int) -> str:
        return to_datetime(due_at, work.zone).strftime(format)

    def label(node: WindowNode) -> str:
        return " ".join(filter(None, node_words(node, when, is_main=node.id == window.anchor, ascii=ascii)))

    return label


def _flags(nodes: Mapping[int, WindowNode]) -> list[str]:
    """The dependencies that had no instance to wait for (RULES.md 10.2)."""
    return [
        f"{node.title}: no upstream instance of {', '.join(node.vacuous)}" for node in nodes.values() if node.vacuous
    ]


def _loops(window: Window) -> list[str]:
    """The edges that no picture without circles can hold."""
    named = ((window.nodes[up].name, window.nodes[down].name) for up, down in sorted(window.loops))
    return [f"not drawn, for it leads back: {down} waits for {up}" for up, down in named]
