"""Ids as operators see and type them, in the shapes of section 1: `t_{task}_{yyyymmdd}_{id}`, `f_{id}`, `dr_{id}`.

A saved flow is a `flow_{id}`.

Only the last number identifies; the task and the date are there for the reader.
"""

from __future__ import annotations

import re
from datetime import date
from enum import IntEnum
from typing import NamedTuple


class Layer(IntEnum):
    """The three layers of a backfill (section 8.1), and the saved flow that makes backfills."""

    FLOW = 0
    BACKFILL = 1
    DATE = 2
    INSTANCE = 3


class TreeId(NamedTuple):
    """A row of the three-layer tree: one number names it among the rows of all layers."""

    layer: Layer
    id: int

    @property
    def number(self) -> int:
        """The number that stands for it in a list of rows."""
        return self.id * 4 + self.layer

    @classmethod
    def of(cls, number: int) -> TreeId:
        """The row a number stands for."""
        return cls(layer_of(number), number // 4)

    @property
    def key(self) -> str:
        """The id it is shown under; of an instance the number that identifies it."""
        return f"{_PREFIXES[self.layer]}{self.id}"


def layer_of(number: int) -> Layer:
    """The layer of the row that a number stands for."""
    return Layer(number % 4)


_PREFIXES = {Layer.FLOW: "flow_", Layer.BACKFILL: "f_", Layer.DATE: "dr_", Layer.INSTANCE: ""}
_INSTANCE = re.compile(r"(?:t_\d+_\d{8}_)?(\d{1,18})", re.ASCII)
_BACKFILL = re.compile(r"(?:f_)?(\d{1,18})", re.ASCII)
_DATE = re.compile(r"dr_(\d{1,18})", re.ASCII)
_FLOW = re.compile(r"flow_(\d{1,18})", re.ASCII)


def instance_key(task_id: int, business_date: str | date, instance_id: int) -> str:
    """The id an instance is shown under; `business_date` is a date or its ISO text."""
    return f"t_{task_id}_{str(business_date).replace('-', '')}_{instance_id}"


def backfill_key(backfill_id: int) -> str:
    """The id a backfill is shown under."""
    return TreeId(Layer.BACKFILL, backfill_id).key


def flow_key(backfill_flow_id: int) -> str:
    """The id a saved flow of a periodic backfill is shown under."""
    return TreeId(Layer.FLOW, backfill_flow_id).key


def date_key(backfill_date_id: int) -> str:
    """The id a data timestamp of a backfill is shown under."""
    return TreeId(Layer.DATE, backfill_date_id).key


def node_key(task_id: int) -> str:
    """The id a node, a scheduled definition, is shown under."""
    return f"n_{task_id}"


def parse_instance_key(text: str) -> int:
    """The instance a shown id, or its bare number, names; ValueError for anything else."""
    match = _INSTANCE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not the id of an instance: write t_12_20261119_345, or 345.")
    return int(match[1])


def parse_folder_key(text: str) -> TreeId:
    """The backfill, or with `dr_` the data timestamp, that a shown id names; ValueError for anything else."""
    if match := _BACKFILL.fullmatch(text.strip()):
        return TreeId(Layer.BACKFILL, int(match[1]))
    if match := _DATE.fullmatch(text.strip()):
        return TreeId(Layer.DATE, int(match[1]))
    raise ValueError(f"{text!r} is not the id of a backfill: write f_12, or dr_345 for a data timestamp of one.")


def parse_flow_key(text: str) -> TreeId:
    """The saved flow that `flow_3` names; ValueError for anything else."""
    match = _FLOW.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not the id of a saved flow: write flow_3.")
    return TreeId(Layer.FLOW, int(match[1]))


def parse_tree_key(text: str) -> TreeId:
    """What `flow_3`, `f_12` or `dr_345` names, or else the instance; ValueError for anything else."""
    if text.strip().startswith(_PREFIXES[Layer.FLOW]):
        return parse_flow_key(text)
    if text.strip().startswith((_PREFIXES[Layer.BACKFILL], _PREFIXES[Layer.DATE])):
        return parse_folder_key(text)
    return TreeId(Layer.INSTANCE, parse_instance_key(text))
