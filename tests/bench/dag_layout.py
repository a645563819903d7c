"""How long it takes to lay out and to draw a graph, beside netext on the same graphs.

    python -m tests.bench.dag_layout

The graphs are windows as a platform has them - one to three upstreams a node, most of them in the layer before - and
hubs with their neighbours. `wrong` counts the edges that the drawn picture has too many or too few, read from its
characters; netext's cannot be read so, for a crossing and a joint look the same there. netext runs in a process of its
own and is given up after a while; without it its column is empty.
"""

from __future__ import annotations

import gc
import subprocess
import sys
from collections.abc import Hashable
from importlib.util import find_spec
from io import StringIO
from statistics import median
from time import perf_counter
from typing import Any

from dpconsole.core.graph.layout import Layout
from dpconsole.core.graph.painting import draw
from tests.bench.tables import Column, Table
from tests.core.graph.reading import Picture
from tests.core.graph.shapes import LINES, Shape, fan, layered_shape

GRAPHS = {
    "10 nodes": layered_shape(10, 4),
    "50 nodes": layered_shape(50, 6),
    "300 nodes": layered_shape(300, 8),
    "1,000 nodes": layered_shape(1_000, 12),
    "hub of 37": fan(18, 18),
    "hub of 500": fan(250, 250),
}
QUICK = ("10 nodes", "50 nodes", "300 nodes", "hub of 37")
WHOLE = tuple(GRAPHS)
TIMES = 9
PATIENCE = 30.0
"""Seconds after which netext is given up."""


def run(names: tuple[str, ...] = WHOLE, patience: float = PATIENCE) -> None:
    """Print one line for each graph."""
    table = Table(
        Column("graph", 13, words=True),
        Column("edges", 7, "{:,}"),
        Column("columns", 9, "{:,}"),
        Column("lines", 7, "{:,}"),
        Column("layout ms", 11, "{:.1f}"),
        Column("draw ms", 9, "{:.1f}"),
        Column("wrong", 7),
        Column("netext ms", 13),
    )
    is_there = find_spec("netext") is not None
    for name in names:
        table.line(name, *measure(GRAPHS[name]), beside(name, patience) if is_there else None)
    if not is_there:
        print("\nnetext is not installed: `make dev` brings it.")


def measure(shape: Shape) -> tuple[int, int, int, float, float, int]:
    """Edges, columns, lines, milliseconds of the layout and of the drawing, and edges that are wrong in the picture."""
    layout, lines, laid_out, drawn = None, [], [], []
    for _ in range(TIMES):
        gc.collect()
        began = perf_counter()
        layout = shape.laid_out(LINES)
        between = perf_counter()
        lines = draw(layout, shape.labels)
        drawn.append((perf_counter() - between) * 1000)
        laid_out.append((between - began) * 1000)
    assert isinstance(layout, Layout)
    wrong = len(Picture(lines).edges() ^ shape.edges)
    return len(shape.edges), layout.width, layout.height, median(laid_out), median(drawn), wrong


def beside(name: str, patience: float) -> str:
    """Milliseconds netext takes for the same graph, in a process that can be ended."""
    command = [sys.executable, "-m", "tests.bench.dag_layout", name]
    try:
        done = subprocess.run(command, capture_output=True, text=True, timeout=patience, check=False)
    except subprocess.TimeoutExpired:
        return f"over {patience * 1000:,.0f}"
    return f"{float(done.stdout):,.1f}" if done.returncode == 0 else "failed"


def netext_ms(shape: Shape) -> float:
    """Milliseconds to lay out and draw a graph with netext: left to right, wires with corners, arrows."""
    from netext import ArrowTip, ConsoleGraph, EdgeProperties, EdgeRoutingMode, EdgeSegmentDrawingMode
    from netext.layout_engines import LayoutDirection, SugiyamaLayout
    from rich.console import Console

    wire = EdgeProperties(
        routing_mode=EdgeRoutingMode.ORTHOGONAL,
        segment_drawing_mode=EdgeSegmentDrawingMode.BOX,
        end_arrow_tip=ArrowTip.ARROW,
    )
    began = perf_counter()
    console = Console(file=StringIO(), width=10_000)
    nodes: dict[Hashable, dict[str, Any]] = {label: {} for label in shape.labels.values()}
    edges = [(f"n{up}", f"n{down}", {"$properties": wire}) for up, down in sorted(shape.edges)]
    engine = SugiyamaLayout(direction=LayoutDirection.LEFT_RIGHT)
    console.print(ConsoleGraph(nodes, edges, console=console, layout_engine=engine))
    return (perf_counter() - began) * 1000


if __name__ == "__main__":
    if len(sys.argv) > 1:
        print(netext_ms(GRAPHS[sys.argv[1]]))
    else:
        run()
