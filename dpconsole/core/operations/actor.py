"""Who is acting, as the operating system says; the environment may be forged and only adds to the audit text."""

from __future__ import annotations

import os
import pwd
from collections.abc import Mapping
from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Actor:
    """An OS user, and in words where they act from."""

    user: str
    source: str = ""


def current_actor(front_end: str, environ: Mapping[str, str]) -> Actor:
    """The owner of this process. `front_end` is `console` or `cli`; SSH and sudo are noted, never believed."""
    notes = (
        front_end,
        _after("ssh from ", environ.get("SSH_CONNECTION", "").partition(" ")[0]),
        _after("sudo by ", environ.get("SUDO_USER", "")),
    )
    return Actor(_user_name(os.getuid()), ", ".join(note for note in notes if note))


def _after(words: str, value: str) -> str:
    return f"{words}{value}" if value else ""


def _user_name(uid: int) -> str:
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return str(uid)
