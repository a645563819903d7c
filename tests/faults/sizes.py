"""How large the sweeps are: small in the ordinary run, full at DPCONSOLE_SWEEP=10, larger at night."""

from __future__ import annotations

import os

FULL = 10
SWEEP = int(os.environ.get("DPCONSOLE_SWEEP", "1"))


def size(small: int, full: int) -> int:
    """`small` at 1, `full` at 10, in proportion below and above."""
    return small + (full - small) * (SWEEP - 1) // (FULL - 1)
