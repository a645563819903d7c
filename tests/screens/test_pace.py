"""How often what follows the night is read again."""

from __future__ import annotations

from dpconsole.core.domain.clock import VirtualClock
from dpconsole.screens.pace import Pace


def test_what_has_not_changed_is_not_read_again() -> None:
    assert not Pace(VirtualClock(0)).is_due


def test_a_change_is_read_at_once_and_the_next_a_second_later() -> None:
    wall = VirtualClock(0)
    pace = Pace(wall)
    pace.changed()
    assert pace.is_due
    pace.begin()
    pace.end()
    pace.changed()
    assert not pace.is_due
    wall.advance_to(1_000)
    assert pace.is_due


def test_what_takes_long_is_read_less_often() -> None:
    wall = VirtualClock(0)
    pace = Pace(wall)
    pace.begin()
    wall.advance_to(600)
    pace.end()
    pace.changed()
    wall.advance_to(2_999)
    assert not pace.is_due
    wall.advance_to(3_000)
    assert pace.is_due
