"""Every status has a glyph, a word and an ink of its own, in UTF-8 and in ASCII."""

from __future__ import annotations

import pytest

from dpconsole.core.domain.statuses import Status
from dpconsole.widgets.cells import cut_cells
from dpconsole.widgets.ink import Ink
from dpconsole.widgets.status import INKS, WORST_FIRST, chips, instance_marks, status_cell


@pytest.mark.parametrize("status", Status)
def test_status_is_glyph_word_and_ink(status: Status) -> None:
    assert status_cell(status) == [(f"{status.glyph} {status.label}", INKS[status])]
    assert status_cell(status.value) == status_cell(status)


def test_no_two_statuses_look_alike() -> None:
    for ascii in (False, True):
        assert len({status_cell(status, ascii=ascii)[0][0][0] for status in Status}) == len(Status)
    assert len({INKS[status] for status in Status}) == len(Status)
    assert set(WORST_FIRST) == set(INKS)


def test_a_paused_instance_says_so_where_a_narrow_column_keeps_it() -> None:
    assert status_cell(Status.WAITING_TIME, paused=True)[0][0] == "◔ ⏸ Waiting for Scheduled Time"
    assert status_cell(Status.WAITING_TIME, paused=True, ascii=True)[0][0].isascii()


def test_where_the_words_do_not_fit_shorter_ones_still_tell_every_status_from_every_other() -> None:
    assert status_cell(Status.WAITING_RESOURCE, width=20)[0][0] == "◑ Waiting Resources"
    assert status_cell(Status.WAITING_RESOURCE, width=32)[0][0] == "◑ Waiting for Schedule Resources"
    assert len({cut_cells(status_cell(status, width=16)[0][0][2:], 14) for status in Status}) == len(Status)


def test_chips_count_the_worst_first_and_leave_out_the_absent() -> None:
    counts = {Status.SUCCEEDED: 12, Status.RUNNING: 2, Status.FAILED: 1, Status.THROTTLED: 0}
    assert chips(counts) == [("✗1", Ink.FAILED), (" ▶2", Ink.RUNNING), (" ✓12", Ink.SUCCEEDED)]
    assert chips({}) == []


def test_marks_are_combined_in_the_order_of_the_rules() -> None:
    assert instance_marks(triggered=True, dry_run=True, forced=False, paused=True) == [("DPT", Ink.ACCENT)]
    assert instance_marks(paused=False) == []
    with pytest.raises(ValueError, match="no such mark: asleep"):
        instance_marks(asleep=True)
