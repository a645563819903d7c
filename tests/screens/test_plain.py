"""The whole console on a terminal without glyphs: nothing but ASCII is sent, except what is data."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from pathlib import Path

import pytest

from dpconsole.app import ConsoleApp
from dpconsole.cli.commands.console import terminal_encoding
from dpconsole.core.settings import load_settings
from tests.screens.hands import press, settle, text, type_text
from tests.screens.night import Night

WAYS: dict[str, tuple[str, ...]] = {
    "dialogs": ("?", "escape", "2", "space", ".", "escape", "r", "escape", "ctrl+p"),
    "screens": ("3", "5", "enter", "d", "greater_than_sign", "space", "A", "escape", "4", "d", "6"),
}


def signs(shown: str) -> set[str]:
    """Characters that are neither ASCII nor letters of a name."""
    return {char for char in shown if not char.isascii() and not unicodedata.category(char).startswith("L")}


@pytest.mark.parametrize("way", WAYS)
async def test_every_screen_is_drawn_without_glyphs(night: Night, way: str) -> None:
    app = ConsoleApp(night.services, live=False, encoding="iso8859-1")
    async with app.run_test(size=(120, 40)) as pilot:
        await settle(pilot)
        for key in WAYS[way]:
            await press(pilot, key)
            assert signs(text(pilot)) == set(), key


async def test_names_are_written_where_the_terminal_can(night: Night, tmp_path: Path) -> None:
    settings = load_settings({"ascii": True}, {}, tmp_path)
    app = ConsoleApp(replace(night.services, settings=settings), live=False)
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "/")
        await type_text(pilot, "project:growth status:waiting_time biz:yesterday")
        await press(pilot, "enter")
        assert "用户增长" in text(pilot)
        assert signs(text(pilot)) == set()


@pytest.mark.parametrize(
    ("encoding", "asked", "drawn"), [("utf-8", None, "✗"), ("latin-1", None, "x"), ("latin-1", False, "✗")]
)
async def test_the_terminal_decides_unless_it_is_settled(
    night: Night, tmp_path: Path, encoding: str, asked: bool | None, drawn: str
) -> None:
    flags = {} if asked is None else {"ascii": asked}
    services = replace(night.services, settings=load_settings(flags, {}, tmp_path))
    async with ConsoleApp(services, live=False, encoding=encoding).run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "!")
        assert f"{drawn} Failed" in text(pilot)


@pytest.mark.parametrize(
    ("environ", "stream", "encoding"),
    [
        ({}, "utf-8", "utf-8"),
        ({}, None, "utf-8"),
        ({"LANG": "C"}, "utf-8", "utf-8"),
        ({"LANG": "en_US.ISO-8859-1"}, "utf-8", "ISO-8859-1"),
        ({"LANG": "en_US.UTF-8", "LC_ALL": "zh_CN.GB18030@pinyin"}, "utf-8", "GB18030"),
        ({"LC_CTYPE": "", "LANG": "de_DE@euro"}, "latin-1", "latin-1"),
    ],
)
def test_what_a_terminal_is_said_to_understand(environ: dict[str, str], stream: str | None, encoding: str) -> None:
    assert terminal_encoding(environ, stream) == encoding
