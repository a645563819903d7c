"""Text from outside, made safe to show: names, owners, error messages, log lines.

A terminal obeys what it is sent. A task called `ESC ] 52 ; c ; ... BEL` writes the operator's clipboard, a bidi
override makes one name look like another, a lone surrogate stops the write. `clean` promises that what it returns
holds no control character (C0, DEL, C1), no invisible or direction-changing format character, no surrogate, and no
more than `limit` characters. It costs well under a microsecond for a line that is clean already.
"""

from __future__ import annotations

import unicodedata

NAME_LIMIT = 1_000
"""Characters kept of a one-line text: names are cut far shorter by the cells they are shown in."""

LINE_LIMIT = 4_000
"""Characters kept of a log line."""

ELLIPSIS = "…"
REPLACEMENT = "\N{REPLACEMENT CHARACTER}"
TAB = "    "

_PICTURES = 0x2400
_DELETE = 0x7F
_DELETE_PICTURE = "\N{SYMBOL FOR DELETE}"
_DANGEROUS = frozenset({"Cc", "Cf", "Cs", "Zl", "Zp"})
"""Unicode categories that are never shown: control, format (bidi, zero-width, tags), surrogate, separators."""


class _Replacements(dict[int, str]):
    """A `str.translate` table that learns a code point the first time it meets it."""

    def __missing__(self, code: int) -> str:
        char = chr(code)
        self[code] = REPLACEMENT if unicodedata.category(char) in _DANGEROUS else char
        return self[code]


_C0: dict[int, str] = {code: chr(_PICTURES + code) for code in range(0x20)} | {_DELETE: _DELETE_PICTURE}
_ONE_LINE = _Replacements(_C0 | {ord("\t"): TAB})
_LINES = _Replacements(_ONE_LINE | {ord("\n"): "\n"})


def clean(text: str, limit: int = NAME_LIMIT, *, keep_lines: bool = False) -> str:
    """Return `text` with everything a terminal or a reader could be deceived by made visible.

    C0 and DEL become their control pictures, a tab four spaces; C1, bidi, zero-width, tag and separator characters
    and surrogates become U+FFFD. A newline becomes its picture too, unless `keep_lines`. At most `limit` characters
    (not cells) come back, the last one an ellipsis when something was cut. Reliability of hostile text: the boundary
    and the widgets both call this; calling it twice changes nothing.
    """
    kept = text[: limit + 1]
    if not kept.isprintable():
        kept = kept.translate(_LINES if keep_lines else _ONE_LINE)
    return kept if len(kept) <= limit else kept[: limit - 1] + ELLIPSIS
