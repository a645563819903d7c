"""How often Python looks for cycles: seldom, because while it looks nothing else runs.

A pass over all that Textual and SQLAlchemy load takes a tenth of a second, in which no key is answered; left alone, it
comes once for every some ten thousand rows that are read. What is loaded stays loaded, and rows make no cycles.
"""

from __future__ import annotations

import gc

YOUNG = 20_000
"""New objects, less those that are gone, between two passes over the young ones; Python's own number is 700."""


def collect_seldom() -> None:
    """Let many more objects come before they are looked through; to be called first."""
    gc.set_threshold(YOUNG)


def keep_what_is_loaded() -> None:
    """Look through nothing again of what there is by now; to be called when all is loaded."""
    gc.freeze()
