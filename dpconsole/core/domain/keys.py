"""Ids as operators see and type them: `t_{task}_{yyyymmdd}_{id}`, in the shape of section 1.

Only the last number identifies; the task and the date are there for the reader.
"""

from __future__ import annotations

import re
from datetime import date

_INSTANCE = re.compile(r"(?:t_\d+_\d{8}_)?(\d{1,18})", re.ASCII)


def instance_key(task_id: int, business_date: str | date, instance_id: int) -> str:
    """The id an instance is shown under; `business_date` is a date or its ISO text."""
    return f"t_{task_id}_{str(business_date).replace('-', '')}_{instance_id}"


def parse_instance_key(text: str) -> int:
    """The instance a shown id, or its bare number, names; ValueError for anything else."""
    match = _INSTANCE.fullmatch(text.strip())
    if match is None:
        raise ValueError(f"{text!r} is not the id of an instance: write t_12_20261119_345, or 345.")
    return int(match[1])
