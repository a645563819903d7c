"""Copying to the operator's clipboard, over whatever lies between: it always says what it did.

OSC 52 travels through SSH but gives no answer, and tmux swallows it unless asked in its own words; so inside tmux the
text goes to `tmux load-buffer -w`, which hands it on to the terminal.
"""

from __future__ import annotations

import os
import subprocess
from typing import Any

from textual.app import App

TMUX_SECONDS = 2
"""How long tmux may take."""


def copy(app: App[Any], text: str) -> str:
    """Copy `text`, and say in one sentence where it went."""
    size = f"{len(text):,} characters"
    if os.environ.get("TMUX"):
        return f"{size} copied to the tmux buffer" if _to_tmux(text) else "tmux would not take it: nothing was copied"
    app.copy_to_clipboard(text)
    return f"{size} sent to the terminal's clipboard (OSC 52); some terminals ignore that"


def _to_tmux(text: str) -> bool:
    try:
        done = subprocess.run(
            ["tmux", "load-buffer", "-w", "-"], input=text.encode(), timeout=TMUX_SECONDS, check=False
        )
    except (OSError, subprocess.TimeoutExpired):
        return False
    return done.returncode == 0
