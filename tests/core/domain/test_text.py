"""What `clean` promises: nothing a terminal obeys, nothing a reader is deceived by, a bounded length."""

from __future__ import annotations

import unicodedata

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpconsole.core.domain.text import clean

HOSTILE = [
    ("clipboard write", "\x1b]52;c;AAAA\x07", "␛]52;c;AAAA␇"),
    ("C1 CSI", "\x9b31mred", "\ufffd31mred"),
    ("title, never ended", "\x1b]0;owned", "␛]0;owned"),
    ("delete", "a\x7fb", "a␡b"),
    ("nul", "a\0b", "a␀b"),
    ("bidi override", "gnp\u202etxt.exe", "gnp\ufffdtxt.exe"),
    ("bidi isolate", "\u2066a\u2069", "\ufffda\ufffd"),
    ("zero width", "ad\u200bmin\ufeff", "ad\ufffdmin\ufffd"),
    ("tag characters", "a\U000e0041b", "a\ufffdb"),
    ("lone surrogate", "a\ud800b", "a\ufffdb"),
    ("line separator", "a\u2028b", "a\ufffdb"),
    ("tab", "a\tb", "a    b"),
    ("newline", "a\nb", "a␊b"),
]


@pytest.mark.parametrize(("raw", "shown"), [case[1:] for case in HOSTILE], ids=[case[0] for case in HOSTILE])
def test_what_a_terminal_obeys_becomes_visible(raw: str, shown: str) -> None:
    assert clean(raw) == shown


@pytest.mark.parametrize("text", ["", "dws_trade_pay_ord_1d", "[/]", "交易支付", "naïve é", "a\u3000b", "🚀"])
def test_ordinary_text_passes_unchanged(text: str) -> None:
    assert clean(text) == text


def test_lines_are_kept_where_lines_are_wanted() -> None:
    assert clean("one\ntwo\r\n\x1b[2J", keep_lines=True) == "one\ntwo␍\n␛[2J"


def test_a_long_text_is_cut_with_an_ellipsis() -> None:
    assert clean("x" * 11, limit=10) == "x" * 9 + "…"
    assert clean("x" * 10, limit=10) == "x" * 10


def test_tabs_cannot_stretch_a_text_past_its_limit() -> None:
    assert len(clean("\t" * 100, limit=20)) == 20


@given(st.text(st.characters(codec=None)), st.booleans())
def test_no_dangerous_character_ever_comes_back(raw: str, keep_lines: bool) -> None:
    allowed = {"\n"} if keep_lines else set()
    left = {char for char in clean(raw, keep_lines=keep_lines) if unicodedata.category(char) in {"Cc", "Cf", "Cs"}}
    assert left <= allowed


@given(st.text(), st.integers(1, 50))
def test_cleaning_is_bounded_and_idempotent(raw: str, limit: int) -> None:
    once = clean(raw, limit)
    assert len(once) <= limit
    assert clean(once, limit) == once
