"""A window of a dependency graph as scripts see it; keys, times and statuses are those of `json_items`."""

from __future__ import annotations

from collections.abc import Collection, Mapping
from datetime import tzinfo
from typing import Any

from dpconsole.core.export.json_items import NEIGHBOUR, Item, Keys

NODE: Keys = {
    **NEIGHBOUR,
    "business_date": lambda row, _zone: row.business_date or None,
    "status": lambda row, _zone: None if row.status is None else str(row.status),
}
"""The keys of a node; a task has no business date, no due time and no status."""


def dag_item(
    main: str, nodes: Mapping[int, Any], edges: Collection[tuple[int, int]], truncated: bool, zone: tzinfo
) -> Item:
    """The nodes, the edges as `[up id, down id]`, and what is beside a node but not among them, by how many rows."""
    return {
        "id": main,
        "nodes": [{key: take(node, zone) for key, take in NODE.items()} for node in nodes.values()],
        "edges": sorted([nodes[up].key, nodes[down].key] for up, down in edges),
        "hidden": [
            {"id": node.key, "up": node.hidden_up, "down": node.hidden_down}
            for node in nodes.values()
            if node.hidden_up or node.hidden_down
        ],
        "truncated": truncated,
    }
