"""Facts on a page: two to a line where both have room, and never touching."""

from __future__ import annotations

from dpconsole.screens.pages import facts
from dpconsole.widgets.ink import Cell, pieces


def told(width: int, **pairs: Cell) -> list[str]:
    named = ((label.replace("_", " "), value) for label, value in pairs.items())
    return ["".join(text for text, _ in pieces(line.cell)).rstrip() for line in facts(named, width)]


def test_two_stand_side_by_side_and_what_is_unknown_is_left_out() -> None:
    assert told(76, Owner="lin", End="-", Template_version="3", Took="4m") == [
        "Owner            lin                  Template version 3",
        "Took             4m",
    ]


def test_one_without_room_has_a_line_of_its_own() -> None:
    dates = "7, 2026-11-10 to 2026-11-16"
    assert told(76, Project="trade", Data_timestamps=dates, Nodes="392", Took="4m") == [
        "Project          trade",
        f"Data timestamps  {dates}",
        "Nodes            392                  Took             4m",
    ]


def test_a_narrow_page_has_one_to_a_line() -> None:
    assert told(60, Owner="lin", Took="4m") == ["Owner            lin", "Took             4m"]
