"""Export: what is written, where to, and that a workbook which was given up leaves nothing behind."""

from __future__ import annotations

from pathlib import Path

import pytest
from openpyxl import load_workbook

from dpconsole.app import ConsoleApp
from dpconsole.core.services import ExportCancelled, Services
from dpconsole.screens.export import ExportScreen
from tests.screens.hands import press, text, type_text
from tests.screens.test_instances import listed


def rows(directory: Path) -> int:
    (path,) = directory.glob("Dataphin_recurring_instance_*.xlsx")
    return sum(1 for _ in load_workbook(path, read_only=True).worksheets[0].iter_rows()) - 1


async def _export_into(pilot: object, place: Path, *chosen: str) -> None:
    await press(pilot, "X", *chosen, "enter", "backspace")  # type: ignore[arg-type]
    await type_text(pilot, str(place))  # type: ignore[arg-type]
    await press(pilot, "enter")  # type: ignore[arg-type]


async def test_all_recurring_instances_are_written_whatever_the_filter(app: ConsoleApp, tmp_path: Path) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "!")
        await _export_into(pilot, tmp_path / "out")
        assert rows(tmp_path / "out") > 124


async def test_what_the_filter_matches_is_written_alone(app: ConsoleApp, tmp_path: Path) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "!")
        await _export_into(pilot, tmp_path / "out", "down")
        assert rows(tmp_path / "out") == 4


async def test_the_marked_are_written_alone(app: ConsoleApp, tmp_path: Path) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "!", " ", " ")
        await _export_into(pilot, tmp_path / "out", "down", "down")
        assert rows(tmp_path / "out") == 2
        assert listed(app).table.marks.count == 2


async def test_a_place_that_cannot_be_written_to_is_told_and_another_may_be_given(
    app: ConsoleApp, tmp_path: Path
) -> None:
    (tmp_path / "file").write_text("in the way")
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2")
        await _export_into(pilot, tmp_path / "file")
        assert isinstance(app.screen, ExportScreen)
        assert "file" in " ".join(str(note.message) for note in app._notifications)


async def test_an_export_is_given_up_with_one_key(
    app: ConsoleApp, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def waits_to_be_cancelled(*given: object) -> Path:
        progress, is_cancelled = given[-2:]
        progress(500, 1_000)  # type: ignore[operator]
        while not is_cancelled():  # type: ignore[operator]
            pass
        raise ExportCancelled("The export was cancelled; nothing was left behind.")

    monkeypatch.setattr(Services, "export", waits_to_be_cancelled)
    async with app.run_test(size=(120, 40)) as pilot:
        await press(pilot, "2", "X", "enter")
        await pilot.press("enter")
        await pilot.pause()
        while "500 of 1,000 rows written" not in text(pilot):
            await pilot.pause()
        await press(pilot, "escape")
        assert not isinstance(app.screen, ExportScreen)
