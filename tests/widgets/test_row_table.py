"""The table: cursor and marks belong to ids, only what is visible is read, only what changed is drawn."""

from __future__ import annotations

import unicodedata
from array import array
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import pytest
from rich.cells import cell_len
from textual import events
from textual.geometry import Region

from dpconsole.core.domain.statuses import Status
from dpconsole.widgets.columns import Column
from dpconsole.widgets.row_cache import PAGE
from dpconsole.widgets.row_table import RowTable, Sort
from dpconsole.widgets.status import status_cell

KEYS = {
    "j": "cursor_down",
    "k": "cursor_up",
    "l": "column_right",
    "h": "column_left",
    "pagedown": "page_down",
    "pageup": "page_up",
    "ctrl+d": "half_page_down",
    "ctrl+u": "half_page_up",
    "home": "home",
    "end": "end",
    "enter": "open",
    "space": "mark_and_step",
    "v": "range",
    "asterisk": "mark_all",
    "tilde": "invert_marks",
    "comma": "mark_like",
    "equals_sign": "only_marked",
    "left_curly_bracket": "previous_mark",
    "right_curly_bracket": "next_mark",
    "w": "toggle_width",
    "s": "sort",
}

SIZES = pytest.mark.parametrize("size", [(120, 40), (80, 24)])


@dataclass(frozen=True)
class Row:
    id: int
    name: str
    status: Status = Status.FAILED
    depth: int = 0
    unfolded: bool | None = None


class Store:
    """Rows by id, and which ids were read."""

    def __init__(self, rows: dict[int, Row] | None = None) -> None:
        self.rows = rows or {}
        self.reads: list[list[int]] = []

    def fetch(self, ids: Sequence[int]) -> Sequence[Row]:
        self.reads.append(list(ids))
        return [self.rows.get(row_id, Row(row_id, f"row_{row_id}")) for row_id in ids if row_id >= 0]


COLUMNS = (
    Column("name", "Name", 30, lambda row: row.name, min_width=12, flex=1, sortable=True),
    Column("status", "Status", 12, lambda row: status_cell(row.status)),
    Column("note", "Note", 40, lambda row: "note", priority=1),
)


@pytest.fixture
def store() -> Store:
    return Store()


@pytest.fixture
def table(store: Store) -> RowTable:
    return RowTable(COLUMNS, store.fetch, empty_text="Nothing matches this filter - Esc clears it")


@pytest.fixture
def app(widget_app: Callable, table: RowTable):
    class App(widget_app):
        on_row_table_opened = widget_app.hear
        on_row_table_moved = widget_app.hear
        on_row_table_marks_changed = widget_app.hear
        on_row_table_like_requested = widget_app.hear
        on_row_table_marked_only_requested = widget_app.hear
        on_row_table_sort_requested = widget_app.hear
        on_row_table_moved_rows_noted = widget_app.hear

    return App(table, keys=KEYS)


def ids(count: int) -> array:
    return array("q", range(1, count + 1))


def repaints(table: RowTable, monkeypatch: pytest.MonkeyPatch) -> list[Region]:
    """Every region the table asks to have drawn from now on; the whole of it as an empty region."""
    asked: list[Region] = []
    refresh = table.refresh

    def watched(*regions: Region, **options: bool) -> RowTable:
        asked.extend(regions or [Region()])
        return refresh(*regions, **options)

    monkeypatch.setattr(table, "refresh", watched)
    return asked


@SIZES
async def test_every_line_is_exactly_as_wide_as_the_window(app, table, size) -> None:
    async with app.run_test(size=size) as pilot:
        table.show(ids(100))
        await pilot.press("j", "space", "l", "v", "j")
        assert {cell_len(line) for line in app.lines()} == {size[0]}


@SIZES
async def test_columns_drop_by_priority_when_there_is_no_room(app, table, size) -> None:
    async with app.run_test(size=size) as pilot:
        table.show(ids(3))
        await pilot.pause()
        shown = ["name", "status", "note"]
        assert [column.id for column in table.shown_columns] == shown
        await pilot.resize_terminal(50, 20)
        await pilot.pause()
        assert [column.id for column in table.shown_columns] == shown[:2]


async def test_status_is_glyph_word_and_colour(app, table) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        table.show(ids(3))
        await pilot.pause()
        failed = next(segment for segment in table.render_line(2) if "✗ Failed" in segment.text)
        assert failed.style.color != table.rich_style.color


async def test_the_cursor_shows_without_any_colour(app, table) -> None:
    app.theme = "ansi-dark"
    async with app.run_test(size=(120, 40)) as pilot:
        table.show(ids(3))
        await pilot.pause()
        cursor, other = table.render_line(1), table.render_line(2)
        assert cursor.text.startswith("›")
        assert all(segment.style.reverse for segment in cursor)
        assert not any(segment.style.reverse for segment in other)


async def test_only_pages_around_the_window_are_read(app, table, store) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        table.show(ids(1_000_000))
        await pilot.pause()
        await pilot.press("end")
        read = [row_id for call in store.reads for row_id in call]
        assert set(read) == {*range(1, PAGE + 1), *range(1_000_000 - 1_000_000 % PAGE + 1, 1_000_001)}
        assert len(read) == len(set(read))


async def test_a_second_look_reads_nothing(app, table, store) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        table.show(ids(100))
        await pilot.press("end", "home")
        assert len(store.reads) == 1


async def test_a_step_repaints_two_lines(app, table, monkeypatch) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        table.show(ids(1000))
        await pilot.press("j")
        asked = repaints(table, monkeypatch)
        await pilot.press("j")
        assert [(region.y, region.height) for region in asked] == [(2, 1), (3, 1)]


@SIZES
async def test_at_the_edge_the_list_scrolls_half_a_page(app, table, size) -> None:
    async with app.run_test(size=size) as pilot:
        table.show(ids(1000))
        await pilot.press(*["j"] * table.rows_shown)
        assert table.cursor == table.rows_shown
        assert table.scroll_offset.y == table.rows_shown - table.rows_shown // 2


@pytest.mark.parametrize(
    ("keys", "cursor"),
    [
        (["j", "j", "k"], 1),
        (["k"], 0),
        (["pagedown"], 39),
        (["pagedown", "pageup"], 0),
        (["ctrl+d"], 19),
        (["ctrl+d", "ctrl+u"], 0),
        (["end"], 999),
        (["end", "j"], 999),
        (["end", "pagedown"], 999),
        (["end", "home"], 0),
    ],
)
async def test_movement(app, table, keys, cursor) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        table.show(ids(1000))
        await pilot.press(*keys)
        assert table.cursor == cursor
        assert table.cursor_id in table.visible_ids
        assert f"› row_{cursor + 1} " in "".join(app.lines()).replace("●", " ")


async def test_moves_and_opening_are_told(app, table) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        table.show(ids(10))
        await pilot.press("j", "enter")
        told = [(type(message), message.row_id) for message in app.heard]
        assert told == [(RowTable.Moved, 1), (RowTable.Moved, 2), (RowTable.Opened, 2)]


async def test_the_cursor_stays_on_its_row_and_its_line_when_the_list_changes(app, table) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        table.show(ids(1000))
        table.go_to(500)
        await pilot.pause()
        line = table.cursor - table.scroll_offset.y
        table.show(array("q", range(1000, 0, -1)))
        await pilot.pause()
        assert table.cursor_id == 501
        assert table.cursor - table.scroll_offset.y == line


async def test_a_row_that_left_hands_its_place_on(app, table) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        table.show(ids(10))
        await pilot.press("j", "j")
        table.show(array("q", [1, 2, 4, 5]))
        assert (table.cursor, table.cursor_id) == (2, 4)
        table.show(array("q", [1]))
        assert table.cursor_id == 1


async def test_a_new_list_can_start_at_the_top(app, table) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        table.show(ids(500))
        await pilot.press("end")
        table.show(ids(400), keep_cursor=False)
        assert (table.cursor, table.scroll_offset.y) == (0, 0)


async def test_the_cursor_stays_visible_when_the_window_shrinks(app, table) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        table.show(ids(500))
        await pilot.press("pagedown", "k", *["j"] * 10)
        await pilot.resize_terminal(80, 12)
        await pilot.pause()
        assert table.cursor_id in table.visible_ids


async def test_space_marks_and_steps(app, table) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        table.show(ids(10))
        await pilot.press("space", "space", "k", "space")
        assert table.marks.ids == {1}
        assert app.lines()[1].startswith(" ●row_1 ")


async def test_marks_outlive_the_list(app, table) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        table.show(ids(10))
        await pilot.press("space", "space")
        table.show(array("q", [2, 20, 30]))
        await pilot.pause()
        assert table.marks.count == 2
        assert list(table.marks.among(table.ids)) == [2]


async def test_a_range_is_marked_when_it_is_settled(app, table) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        table.show(ids(10))
        await pilot.press("j", "v", "j", "j")
        assert list(table.range_ids) == [2, 3, 4]
        assert not table.marks
        await pilot.press("v")
        assert table.marks.ids == {2, 3, 4}
        assert list(table.range_ids) == []


async def test_a_verb_takes_the_range_that_is_being_drawn(app, table) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        table.show(ids(10))
        await pilot.press("v", "j")
        assert table.targets().ids == {1, 2}


async def test_a_verb_without_marks_takes_the_cursor_row(app, table) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        table.show(ids(10))
        await pilot.press("j")
        assert table.targets().ids == {2}
        assert not table.marks


async def test_escape_peels_the_range_before_the_marks(app, table) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        table.show(ids(10))
        await pilot.press("space", "v", "j")
        assert [table.peel(), table.marks.count, list(table.range_ids)] == [True, 1, []]
        assert [table.peel(), table.marks.count] == [True, 0]
        assert table.peel() is False


async def test_star_marks_everything_that_matches(app, table, store) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        table.show(ids(1_000_000), scope="status:failed")
        await pilot.press("asterisk", "space")
        assert (table.marks.count, table.marks.scope) == (999_999, "status:failed")
        assert sum(len(call) for call in store.reads) == PAGE


async def test_marks_can_be_inverted_and_walked(app, table) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        table.show(ids(100))
        await pilot.press("j", "space", *["j"] * 5, "space", "home", "right_curly_bracket")
        assert table.cursor_id == 2
        await pilot.press("right_curly_bracket")
        assert table.cursor_id == 8
        await pilot.press("left_curly_bracket", "left_curly_bracket")
        assert table.cursor_id == 2
        await pilot.press("tilde")
        assert table.marks.count == 98


async def test_requests_go_to_the_screen(app, table) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        table.show(ids(10))
        await pilot.press("l", "s", "l", "s", "comma", "equals_sign")
        asked = [m for m in app.heard if not isinstance(m, RowTable.Moved)]
        sort, like, only = asked
        assert sort.column_id == "name"
        assert (like.row_id, like.column_id) == (1, "status")
        assert isinstance(only, RowTable.MarkedOnlyRequested)


async def test_wide_columns_scroll_with_the_column_in_focus(app, table) -> None:
    async with app.run_test(size=(60, 20)) as pilot:
        table.show(ids(10))
        await pilot.press("w", "l", "l", "l")
        assert table.column_id == "note"
        assert "note" in app.lines()[1]
        assert "row_1" not in app.lines()[1]
        await pilot.press("h", "h")
        assert "row_1" in app.lines()[1]
        await pilot.press("l", "l", "w")
        assert "row_1" in app.lines()[1]


async def test_the_header_shows_the_order(app, table) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        table.show(ids(10))
        table.sort = Sort("name", descending=True)
        await pilot.pause()
        assert "Name ▼" in app.lines()[0]


async def test_a_changed_row_repaints_up_to_the_changed_cell(app, table, store, monkeypatch) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        table.show(ids(1000))
        await pilot.pause()
        asked = repaints(table, monkeypatch)
        store.rows[5] = Row(5, "row_5", Status.RUNNING)
        table.update_rows([5, 900])
        assert [(region.y, region.height) for region in asked] == [(5, 1)]
        assert asked[0].right < 120
        await pilot.pause()
        assert "▶ Running" in app.lines()[5]


async def test_a_cell_that_shows_the_time_is_repainted_though_its_row_is_the_same(
    widget_app, store, monkeypatch
) -> None:
    minutes = [11]
    table = RowTable([Column("took", "Took", 10, lambda row: f"{minutes[0]}m")], store.fetch)
    async with widget_app(table).run_test(size=(120, 40)) as pilot:
        table.show(ids(5))
        await pilot.pause()
        asked = repaints(table, monkeypatch)
        minutes[0] = 12
        table.update_rows([3])
        assert [(region.y, region.height) for region in asked] == [(3, 1)]


async def test_changes_outside_the_window_or_that_show_nothing_cost_no_repaint(app, table, store, monkeypatch) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        table.show(ids(1000))
        await pilot.pause()
        reads = len(store.reads)
        asked = repaints(table, monkeypatch)
        table.update_rows(range(500, 900))
        assert len(store.reads) == reads
        table.update_rows([5])
        assert asked == []


async def test_a_change_outside_the_window_is_seen_when_one_gets_there(app, table, store) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        table.show(ids(100))
        await pilot.pause()
        store.rows[100] = Row(100, "renamed")
        table.update_rows([100])
        await pilot.press("end")
        assert "renamed" in app.lines()[-1]


async def test_rows_that_would_move_are_counted_not_moved(app, table) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        table.show(ids(10))
        table.note_moved(37)
        await pilot.pause()
        assert table.pending_moves == 37
        assert isinstance(app.heard[-1], RowTable.MovedRowsNoted)
        table.show(ids(11))
        assert table.pending_moves == 0


async def test_a_row_that_is_gone_says_so(app, table) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        table.show(array("q", [-1, 2]))
        await pilot.pause()
        assert "no longer there" in app.lines()[1]
        assert table.cursor_row is None


@SIZES
async def test_an_empty_list_says_why(app, table, size) -> None:
    async with app.run_test(size=size) as pilot:
        table.show(array("q"))
        await pilot.press("j", "space", "v", "asterisk", "enter", "comma", "pagedown")
        written = [line.strip() for line in app.lines()[1:] if line.strip()]
        assert written == ["Nothing matches this filter - Esc clears it"]
        assert table.cursor_id is None


async def test_an_empty_list_of_one_line_still_says_why(app, table) -> None:
    async with app.run_test(size=(80, 24)) as pilot:
        table.styles.height = 2
        table.show(array("q"))
        await pilot.pause()
        assert "Nothing matches this filter" in app.lines()[1]
        assert not table.targets()


async def test_depth_and_folders_indent_the_first_column(app, table, store) -> None:
    store.rows = {
        1: Row(1, "backfill", unfolded=True),
        2: Row(2, "date", depth=1, unfolded=False),
        3: Row(3, "x", depth=2),
    }
    async with app.run_test(size=(120, 40)) as pilot:
        table.show(ids(3))
        await pilot.pause()
        assert [line[2:20].rstrip() for line in app.lines()[1:4]] == ["▾ backfill", "  ▸ date", "    x"]


async def test_the_mouse_moves_marks_and_opens(app, table) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        table.show(ids(100))
        await pilot.pause()
        await pilot.click(table, offset=(10, 5))
        assert table.cursor_id == 5
        await pilot.click(table, offset=(1, 7))
        assert table.marks.ids == {7}
        await pilot.click(table, offset=(4, 0))
        await pilot.click(table, offset=(10, 9), times=2)
        kinds = {type(message) for message in app.heard}
        assert {RowTable.SortRequested, RowTable.Opened} <= kinds


@pytest.mark.parametrize(
    ("notch", "cursor"), [(events.MouseScrollDown, 53), (events.MouseScrollUp, 47)], ids=["down", "up"]
)
async def test_the_wheel_takes_the_cursor_along(app, table, notch, cursor) -> None:
    async with app.run_test(size=(120, 40)) as pilot:
        table.show(ids(100))
        table.go_to(50)
        table.post_message(notch(table, 5, 5, 0, 1, 0, False, False, False))
        await pilot.pause()
        assert table.cursor == cursor


@SIZES
async def test_hostile_names_are_shown_and_never_obeyed(app, table, store, size, hostile_names) -> None:
    store.rows = {n: Row(n, name) for n, name in enumerate(hostile_names, 1)}
    async with app.run_test(size=size) as pilot:
        table.show(ids(len(hostile_names)))
        await pilot.press("j", "space", "w", "w")
        lines = app.lines()
        assert {cell_len(line) for line in lines} == {size[0]}
        shown = set("".join(lines))
        assert not [char for char in shown if unicodedata.category(char) in {"Cc", "Cf", "Cs"}]
        assert "[/]" in lines[1]
