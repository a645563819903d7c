"""The tree of backfills: its layers, what folders come to without a look at instances, and what narrows it."""

from __future__ import annotations

import shutil
from array import array
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import event, update

from dpconsole.core.domain.backfill_form import BackfillForm, DateRange, Mode
from dpconsole.core.domain.backfills import DateState
from dpconsole.core.domain.clock import VirtualClock
from dpconsole.core.domain.keys import Layer, TreeId
from dpconsole.core.domain.statuses import Status
from dpconsole.core.engine.backfilling import create, submit
from dpconsole.core.query.backfill_tree import SUBMITTED, BackfillTree, Inside
from dpconsole.core.query.fields import ListKind
from dpconsole.core.query.language import QueryError
from dpconsole.core.query.lists import ListRequest, Lists
from dpconsole.core.store.backfill_tree import BackfillNode, DateNode, InstanceNode
from dpconsole.core.store.models import BackfillDate, Instance
from dpconsole.core.store.opening import open_store
from dpconsole.core.store.session import Store
from tests.nights import EVENING, Night, on, task

FIRST, LAST = date(2026, 11, 1), date(2026, 11, 3)
DAYS = ["2026-11-01", "2026-11-02", "2026-11-03"]
REQUEST = ListRequest(ListKind.BACKFILLS, SUBMITTED)


class Planted:
    """A store with one backfill of three tasks, one of them of another project, on three data timestamps."""

    def __init__(self, store: Store) -> None:
        self.store = store
        self.clock = VirtualClock(EVENING)
        self.tree = BackfillTree(store, Lists(store, self.clock, "lin", wall=self.clock))
        self.id = 1

    def plant(self, submitter: str = "lin", **form: Any) -> int:
        values = {"ranges": (DateRange(FIRST, LAST),), "mode": Mode.LIST, "name": "refill pay"} | form
        with self.store.write() as transaction:
            made = create(transaction, BackfillForm(tasks=("p.pay",), **values), submitter, self.clock.now())
        submit(self.store, self.clock, made)
        return made

    @property
    def root(self) -> int:
        return TreeId(Layer.BACKFILL, self.id).number

    def dates(self, inside: Inside = Inside(), request: ListRequest = REQUEST) -> list[int]:  # noqa: B008
        return list(self.tree.children(request, inside, [self.root])[self.root])

    def days(self, inside: Inside = Inside(), request: ListRequest = REQUEST) -> list[str]:  # noqa: B008
        rows = self.tree.rows(self.dates(inside, request))
        return [row.business_date for row in rows if isinstance(row, DateNode)]

    def names(self, inside: Inside = Inside(), request: ListRequest = REQUEST) -> list[str]:  # noqa: B008
        """The instances of the first data timestamp."""
        first = self.dates()[0]
        rows = self.tree.rows(self.tree.children(request, inside, [first])[first])
        return [row.row.name for row in rows if isinstance(row, InstanceNode)]

    def set(self, name: str, day: str, **columns: Any) -> None:
        with self.store.write() as transaction:
            here = update(Instance).where(Instance.name == name, Instance.business_date == day)
            transaction.execute(here.values(**columns, rev=transaction.rev))

    def set_date(self, day: str, **columns: Any) -> None:
        with self.store.write() as transaction:
            here = update(BackfillDate).where(BackfillDate.business_date == day)
            transaction.execute(here.values(**columns, rev=transaction.rev))

    def folder(self) -> BackfillNode:
        (row,) = self.tree.rows([self.root])
        assert isinstance(row, BackfillNode)
        return row

    def date(self, day: str) -> DateNode:
        (row,) = [row for row in self.tree.rows(self.dates()) if isinstance(row, DateNode) and row.business_date == day]
        return row


@pytest.fixture(scope="module")
def planted_file(tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path) -> Path:
    """A database with the backfill, to be copied."""
    path = Path(shutil.copy(sqlite_template, tmp_path_factory.mktemp("planted") / "store.db"))
    store = open_store(path, synchronous="OFF")
    Night(store, task("pay"), task("pay_report", "pay"), task("score", on("pay"), project="risk"))
    Planted(store).plant()
    store.close()
    return path


@pytest.fixture
def planted(planted_file: Path, tmp_path: Path) -> Iterator[Planted]:
    store = open_store(shutil.copy(planted_file, tmp_path / "store.db"), synchronous="OFF")
    yield Planted(store)
    store.close()


@contextmanager
def statements(store: Store) -> Iterator[list[str]]:
    """What is asked of the database meanwhile."""
    asked: list[str] = []

    def note(_connection: Any, _cursor: Any, statement: str, *_rest: Any) -> None:
        asked.append(statement)

    event.listen(store.reader, "before_cursor_execute", note)
    yield asked
    event.remove(store.reader, "before_cursor_execute", note)


# --- layers -----------------------------------------------------------------------------------------------------------


def test_a_backfill_holds_data_timestamps_and_they_hold_instances(planted: Planted) -> None:
    assert list(planted.tree.snapshot(REQUEST).ids) == [planted.root]
    assert planted.days() == DAYS
    assert sorted(planted.names()) == ["pay", "pay_report", "score"]
    assert (planted.folder().depth, planted.date(DAYS[0]).depth) == (0, 1)


def test_the_newest_backfill_stands_first(planted: Planted) -> None:
    planted.clock.advance_to(planted.clock.now() + 1)
    newer = TreeId(Layer.BACKFILL, planted.plant()).number
    assert list(planted.tree.snapshot(REQUEST).ids) == [newer, planted.root]


def test_data_timestamps_stand_in_the_order_they_are_worked_through(planted: Planted) -> None:
    planted.id = planted.plant(ascending=False)
    assert planted.days() == DAYS[::-1]


def test_everything_below_a_backfill_is_asked_for_at_once(planted: Planted) -> None:
    below = planted.tree.everything_below(REQUEST, Inside(), planted.root)
    assert {len(rows) for folder, rows in below.items() if folder != planted.root} == {3}
    assert len(below) == 4


def test_the_folders_of_an_instance_are_found_from_it(planted: Planted) -> None:
    first = planted.dates()[0]
    instance = planted.tree.children(REQUEST, Inside(), [first])[first][0]
    assert planted.tree.parents([TreeId.of(instance).id]) == {instance: first, first: planted.root}
    assert planted.tree.parents([999_999]) == {}


# --- what folders come to ---------------------------------------------------------------------------------------------


def test_a_folder_says_what_its_instances_come_to(planted: Planted) -> None:
    planted.set("pay", DAYS[0], status=Status.FAILED, started_at=1_000, ended_at=61_000)
    planted.set("pay", DAYS[1], status=Status.RUNNING, paused=True, started_at=90_000)
    first, second, whole = planted.date(DAYS[0]).standing, planted.date(DAYS[1]).standing, planted.folder().standing
    assert (first.status, first.started_at, first.ended_at) == ("FAILED", 1_000, 61_000)
    assert (second.status, second.paused, second.ended_at) == ("RUNNING", "Partially Paused", None)
    assert (whole.status, whole.paused, whole.nodes) == ("FAILED", "Partially Paused", 9)
    assert whole.counts == {Status.NOT_RUNNING: 7, Status.RUNNING: 1, Status.FAILED: 1}
    assert (whole.started_at, whole.ended_at) == (1_000, None)


def test_what_was_left_out_is_shown_and_counts_for_nothing_above(planted: Planted) -> None:
    planted.set("pay", DAYS[2], status=Status.FAILED, started_at=1, ended_at=2)
    planted.set_date(DAYS[2], state=DateState.EXCLUDED)
    assert planted.days() == DAYS
    folder = planted.folder()
    assert (folder.standing.status, folder.standing.nodes, folder.standing.started_at) == ("NOT_RUNNING", 6, None)
    assert (folder.dates, folder.last_date) == (2, DAYS[1])
    assert planted.date(DAYS[2]).standing.status == "FAILED"
    below = planted.tree.children(REQUEST, Inside(), [planted.dates()[2]]).popitem()[1]
    assert all(isinstance(row, InstanceNode) and row.excluded for row in planted.tree.rows(below))
    assert planted.tree.snapshot(replace(REQUEST, text="status:failed")).ids == array("q")


def test_folders_are_read_without_a_look_at_instances(planted: Planted) -> None:
    numbers = [planted.root, *planted.dates()]
    with statements(planted.store) as asked:
        assert len(planted.tree.rows(numbers)) == 4
        planted.tree.snapshot(replace(REQUEST, text="status:failed,running"))
    assert asked
    assert not [statement for statement in asked if " instance " in statement.replace("\n", " ")]


# --- what narrows it --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ("refill", True),
        ("f_1", True),
        ("submitter:me", True),
        ("submitter:mei", False),
        ("status:not_running", True),
        ("status:failed", False),
        ("project:p", True),
        ("project:risk", False),
        ("submitter:me status:running,not_running", True),
    ],
)
def test_the_first_layer_is_a_list_like_every_other(planted: Planted, text: str, found: bool) -> None:
    assert (planted.root in planted.tree.snapshot(replace(REQUEST, text=text)).ids) is found


def test_the_instances_of_other_projects_are_not_listed(planted: Planted) -> None:
    assert set(planted.names(request=replace(REQUEST, text="project:p,x status:not_running"))) == {"pay", "pay_report"}
    assert planted.names(request=replace(REQUEST, text="not project:p")) == ["score"]
    assert planted.days(request=replace(REQUEST, text="-project:p,risk")) == []


def test_inside_folders_stands_what_a_query_of_instances_matches(planted: Planted) -> None:
    planted.set("pay", DAYS[1], status=Status.FAILED)
    assert planted.days(Inside("status:failed,running")) == [DAYS[1]]
    assert planted.names(Inside("report")) == ["pay_report"]
    with pytest.raises(QueryError):
        planted.names(Inside("statsu:failed"))


@pytest.mark.parametrize(
    ("sort", "descending", "names"),
    [
        ("ended", False, ["pay_report", "pay", "score"]),
        ("ended", True, ["pay", "pay_report", "score"]),
        ("took", False, ["pay", "pay_report", "score"]),
    ],
)
def test_instances_are_sorted_by_end_and_by_duration(
    planted: Planted, sort: str, descending: bool, names: list[str]
) -> None:
    planted.set("pay", DAYS[0], status=Status.SUCCEEDED, started_at=8_000, ended_at=9_000)
    planted.set("pay_report", DAYS[0], status=Status.SUCCEEDED, started_at=1_000, ended_at=5_000)
    assert planted.names(Inside(sort=sort, descending=descending)) == names


def test_what_changed_is_looked_at_again_by_its_number(planted: Planted) -> None:
    instance, other, *_ = planted.tree.children(REQUEST, Inside(), [planted.dates()[0]]).popitem()[1]
    with planted.store.write() as transaction:
        failed = update(Instance).where(Instance.id == TreeId.of(instance).id)
        transaction.execute(failed.values(status=Status.FAILED, rev=transaction.rev))
    assert planted.tree.still_inside(REQUEST, Inside("status:failed"), [instance, other]) == {instance}
    assert planted.tree.refilter(replace(REQUEST, text="status:failed"), [planted.root]) == {planted.root}


# --- what a verb is given ---------------------------------------------------------------------------------------------


def test_choices_come_to_instances_the_nearest_one_first(planted: Planted) -> None:
    dates = planted.dates()
    below = planted.tree.children(REQUEST, Inside(), dates)
    first, *kept = below[dates[0]]
    brought_back = below[dates[1]][1]
    choices = {planted.root: True, dates[1]: False, brought_back: True, first: False}
    found = set(planted.tree.chosen(REQUEST, Inside(), choices))
    assert found == {TreeId.of(number).id for number in (*kept, brought_back, *below[dates[2]])}


def test_nothing_is_chosen_that_was_left_out(planted: Planted) -> None:
    planted.set_date(DAYS[0], state=DateState.EXCLUDED)
    assert len(planted.tree.chosen(REQUEST, Inside("name:pay_report"), {planted.root: True})) == 2


def test_instances_are_found_by_a_query_under_the_listed_backfills_alone(planted: Planted) -> None:
    other = planted.plant("mei")
    mine = planted.tree.matching(replace(REQUEST, text="submitter:me"), Inside(), "report")
    assert set(mine.values()) == {planted.root, *planted.dates()}
    assert TreeId(Layer.BACKFILL, other).number in planted.tree.matching(REQUEST, Inside(), "report").values()
