"""Where the style sheets are, and the colours they share.

A checkout keeps `styles/` beside the package, a wheel carries it inside. Textual gives each sheet its own variables,
so the app hands the tokens to all of them: `App.get_theme_variable_defaults` returns `tokens()`.
"""

from __future__ import annotations

import re
from functools import cache
from pathlib import Path

_PACKAGE = Path(__file__).resolve().parents[1]
_PLACES = (_PACKAGE / "styles", _PACKAGE.parent / "styles")
_DECLARATION = re.compile(r"^\$([\w-]+):\s*([^;]+);", re.MULTILINE)
_ANSI = "ansi-"


@cache
def sheets() -> Path:
    """The directory of the style sheets."""
    return next(place for place in _PLACES if (place / "tokens.tcss").is_file())


def every_sheet() -> list[Path]:
    """All sheets but the tokens, in the order an app loads them: inks first, then by name."""
    found = sorted(path for path in sheets().glob("*.tcss") if path.stem != "tokens")
    return sorted(found, key=lambda path: path.stem != "inks")


@cache
def tokens(ansi: bool = False) -> dict[str, str]:
    """The named colours of `tokens.tcss`; with `ansi`, those that leave the palette to the terminal."""
    declared = dict(_DECLARATION.findall((sheets() / "tokens.tcss").read_text(encoding="utf-8")))
    plain = {name: value for name, value in declared.items() if not name.startswith(_ANSI)}
    if not ansi:
        return plain
    return plain | {name.removeprefix(_ANSI): value for name, value in declared.items() if name.startswith(_ANSI)}
