"""One-Click Stop, One-Click Rerun Failed and every other verb, asked of a backfill or of a data timestamp of one."""

from __future__ import annotations

import pytest
from sqlalchemy import update

from dpconsole.core.domain.backfills import DateState
from dpconsole.core.domain.clock import VirtualClock
from dpconsole.core.domain.definitions import Role
from dpconsole.core.domain.keys import Layer, TreeId
from dpconsole.core.domain.statuses import Status
from dpconsole.core.operations.records import Outcome, State
from dpconsole.core.operations.registry import RERUN_FAILED, STOP_ALL
from dpconsole.core.operations.selection import Selection
from dpconsole.core.operations.service import Operations
from dpconsole.core.store.chain import first_broken
from dpconsole.core.store.models import BackfillDate, Operation
from tests.core.operations.folders import Folders
from tests.core.operations.night import NOW, Night, operations_of

N, W, T, R = Status.NOT_RUNNING, Status.WAITING_TIME, Status.THROTTLED, Status.WAITING_RESOURCE
RUN, S, F = Status.RUNNING, Status.SUCCEEDED, Status.FAILED
BEGUN, WAITING, EXCLUDED = DateState.BEGUN, DateState.WAITING, DateState.EXCLUDED

ONE_CLICK = """
    status               stop                 rerun-failed
    NOT_RUNNING          NOT_RUNNING          NOT_RUNNING
    WAITING_TIME         FAILED               WAITING_TIME
    THROTTLED            FAILED               THROTTLED
    WAITING_RESOURCE     FAILED               WAITING_RESOURCE
    RUNNING              FAILED               RUNNING
    SUCCEEDED            SUCCEEDED            SUCCEEDED
    FAILED               FAILED               NOT_RUNNING
"""
"""Section 8.3: what becomes of a script below a folder."""

_ROWS = [line.split() for line in ONE_CLICK.strip().splitlines()[1:]]


@pytest.mark.parametrize(("verb", "column"), [(STOP_ALL, 1), (RERUN_FAILED, 2)])
def test_one_click_takes_these_scripts_and_touches_nothing_else(
    night: Night, operations: Operations, verb: str, column: int
) -> None:
    folders = Folders(night, BEGUN)
    ids = {row[0]: folders.instance(row[0], Status(row[0])) for row in _ROWS}
    moves = {row[0] for row in _ROWS if row[0] != row[column]}
    before = {id: night.row(id) for id in ids.values()}

    plan = operations.plan(verb, folders.selection)
    record = operations.apply(plan)

    assert {item.name for item in plan.items} == moves, "what is left alone is no item"
    assert record.state is State.DONE
    assert {name: night.row(id).status for name, id in ids.items()} == {row[0]: row[column] for row in _ROWS}
    assert all(night.row(ids[row[0]]) == before[ids[row[0]]] for row in _ROWS if row[0] not in moves)


@pytest.mark.parametrize(
    ("nodes", "after"),
    [
        ([(N, "a"), (N, "b")], [F, F]),  # not started: stopped before it could
        ([(S, "a"), (N, "b"), (RUN, "c")], [S, F, F]),
        ([(S, "a"), (N, "a")], [S, N]),  # its field has succeeded by another node
        ([(S, "a"), (N, "a b")], [S, F]),  # an associated field is still to come
        ([(S, "a"), (RUN, "a")], [S, F]),  # what runs is stopped whatever it carries
        ([(F, "a"), (N, "b")], [F, F]),
        ([(F, "a"), (N, "a")], [F, F]),  # Not Running is what the field comes to
        ([(F, "a"), (F, "b")], [F, F]),
    ],
)
def test_one_click_stop_ends_the_fields_of_a_table_that_are_still_to_come(
    night: Night, operations: Operations, nodes: list[tuple[Status, str]], after: list[Status]
) -> None:
    folders = Folders(night, BEGUN)
    table, ids = folders.table("dim", nodes)
    operations.apply(operations.plan(STOP_ALL, folders.selection))
    assert [night.row(id).status for id in ids] == after
    touched = [id for id, (status, _), now in zip(ids, nodes, after, strict=True) if status is not now]
    assert [id for id in ids if len(night.journal(id)) > 1] == touched
    assert night.row(table).status == (F if F in after else N)


def test_one_click_rerun_takes_the_failed_nodes_of_a_table_and_no_others(night: Night, operations: Operations) -> None:
    folders = Folders(night, BEGUN)
    _, ids = folders.table("dim", [(F, "a"), (S, "b"), (RUN, "c"), (F, "b")])
    operations.apply(operations.plan(RERUN_FAILED, folders.selection))
    assert [night.row(id).status for id in ids] == [N, S, RUN, N]


def test_what_failed_and_is_paused_is_named_and_not_run_again(night: Night, operations: Operations) -> None:
    folders = Folders(night, BEGUN)
    folders.instance("held", F, paused=True)
    (item,) = operations.plan(RERUN_FAILED, folders.selection).items
    assert (item.outcome, item.reason) == (Outcome.REFUSED, "Paused: resume it first")


@pytest.mark.parametrize("verb", [STOP_ALL, RERUN_FAILED])
def test_where_there_is_nothing_to_do_nothing_is_planned(night: Night, operations: Operations, verb: str) -> None:
    folders = Folders(night, BEGUN)
    folders.instance("done", S)
    assert operations.plan(verb, folders.selection).items == ()


def test_a_folder_stands_for_what_is_below_it_without_what_was_left_out(night: Night, operations: Operations) -> None:
    folders = Folders(night, BEGUN, WAITING, EXCLUDED)
    other = Folders(night, BEGUN)
    first, second, spared = folders.instance("a", N), folders.instance("b", N, 2), folders.instance("c", N, 3)
    other.instance("d", N)

    def acts(selection: Selection) -> set[int]:
        return {item.id for item in operations.plan("pause", selection).acts}

    assert acts(folders.selection) == {first, second}
    assert acts(folders.date(2)) == {second}
    assert acts(folders.date(3)) == set()
    assert acts(folders.selection.less([first])) == {second}
    assert acts(folders.selection.less_rows(folders.date(2).folders)) == {first}
    mixed = Selection.of_rows([*folders.date(2).folders, TreeId(Layer.INSTANCE, first), TreeId(Layer.INSTANCE, spared)])
    assert acts(mixed) == {first, second, spared}


def test_the_command_says_the_same_without_a_list_of_ids(night: Night, operations: Operations) -> None:
    folders = Folders(night, BEGUN, WAITING)
    running, _ = folders.instance("a", RUN), folders.instance("b", RUN, 2)
    key, date = f"f_{folders.id}", f"dr_{folders.dates[1]}"
    assert operations.plan(STOP_ALL, folders.selection).command == f"dpconsole backfill stop {key}"
    assert operations.plan(STOP_ALL, folders.date(2)).command == f"dpconsole backfill stop {date}"
    assert operations.plan("priority", folders.selection, {"to": "low"}).command == f"dpconsole priority --to=low {key}"
    less = operations.plan(STOP_ALL, folders.selection).without([running])
    assert less.command == f"dpconsole backfill stop {key} --without={running}"
    assert {item.name for item in operations.plan(STOP_ALL, less.selection).acts} == {"b"}
    assert operations.plan("exclude-dates", folders.selection).command == f"dpconsole backfill exclude {key}"


def test_permission_is_asked_of_every_instance_s_own_project(night: Night, operations: Operations) -> None:
    folders = Folders(night, BEGUN)
    folders.instance("ours", RUN)
    folders.instance("theirs", RUN, project="risk")
    night.members("risk", mei=Role.OPERATOR)
    plan = operations.plan(STOP_ALL, folders.selection)
    assert {item.name: item.reason for item in plan.items} == {"ours": "", "theirs": "no permission"}


def test_every_verb_says_on_a_folder_why_it_could_not_act(night: Night, operations: Operations) -> None:
    folders = Folders(night, BEGUN)
    folders.instance("done", S)
    told = operations.verdicts(folders.selection)
    assert told["rerun"] == told["stop"] == "nothing there to act on", "the keys stand for the verbs of one click"
    assert told["pause"] == "Succeeded: nothing to pause"
    assert told["force-rerun"] == ""
    assert told["exclude-dates"] == "nothing there to act on"


# --- turns ------------------------------------------------------------------------------------------------------------


def test_a_rerun_starts_nothing_before_its_data_timestamp_begins(night: Night, operations: Operations) -> None:
    folders = Folders(night, BEGUN, WAITING)
    start, later = folders.instance("start", S), folders.instance("later", N, 2)
    night.edge(start, later)
    (refused,) = operations.plan("rerun", Selection.of([later])).items
    assert (refused.outcome, refused.reason) == (
        Outcome.REFUSED,
        "Not Running: its data timestamp waits for its turn",
    )
    for verb in ("rerun", "force-rerun"):
        plan = operations.plan(verb, Selection.of([start]), {"scope": "downstream"})
        assert {item.name: item.outcome for item in plan.items} == {"start": Outcome.PLANNED, "later": Outcome.SKIPPED}
        assert "waits for its turn" in plan.reasons(Outcome.SKIPPED)[0][0]


def test_a_rerun_of_what_was_left_out_says_so(night: Night, operations: Operations) -> None:
    spared = Folders(night, EXCLUDED).instance("spared", N)
    (refused,) = operations.plan("rerun", Selection.of([spared])).items
    assert refused.reason == "Not Running: its data timestamp was left out of the backfill"


def test_force_starts_it_all_the_same(night: Night, operations: Operations) -> None:
    later = Folders(night, WAITING).instance("later", N)
    operations.apply(operations.plan("force-rerun", Selection.of([later])))
    assert (night.row(later).status, night.row(later).autonomous) == (T, True)


def test_what_failed_before_its_turn_goes_back_to_waiting_for_it(night: Night, operations: Operations) -> None:
    folders = Folders(night, WAITING)
    _, (node,) = folders.table("dim", [(N, "a")])
    operations.apply(operations.plan(STOP_ALL, folders.selection))
    assert night.row(node).status == F
    operations.apply(operations.plan(RERUN_FAILED, folders.selection))
    assert (night.row(node).status, night.row(node).autonomous) == (N, False)


# --- the third layer --------------------------------------------------------------------------------------------------


def test_a_batch_stop_in_a_backfill_is_strict_however_it_was_marked(night: Night, operations: Operations) -> None:
    """AMB-1 and AMB-2: Succeeded and Not Running stand in the way of all, Failed of nobody."""
    folders = Folders(night, BEGUN)
    running, failed, done = (folders.instance(name, status) for name, status in zip("abc", (RUN, F, S), strict=True))
    plan = operations.plan("stop", folders.selection)
    assert (plan.acts, plan.offenders) == ((), (done,))
    left = operations.plan("stop", plan.selection.less(plan.offenders))
    assert {item.id: item.outcome for item in left.items} == {running: Outcome.PLANNED, failed: Outcome.SKIPPED}
    assert plan.command_without_offenders == f"dpconsole stop f_{folders.id} --without={done}"


# --- the folders themselves -------------------------------------------------------------------------------------------


def test_excluding_leaves_out_what_has_not_begun_and_lets_the_rest_run(night: Night, operations: Operations) -> None:
    folders = Folders(night, DateState.DONE, BEGUN, WAITING, WAITING)
    record = operations.apply(operations.plan("exclude-dates", folders.selection))
    assert folders.states() == ["done", "begun", "excluded", "excluded"]
    assert (record.kind, record.state, record.acts) == ("backfill_date", State.DONE, 2)
    assert [(item.key, item.before, item.after) for item in record.items] == [
        (f"dr_{id}", "Waiting for its turn", "Excluded") for id in folders.dates[2:]
    ]


def test_a_data_timestamp_that_begins_in_the_meantime_is_reported_and_runs(
    night: Night, operations: Operations
) -> None:
    folders = Folders(night, WAITING, WAITING)
    plan = operations.plan("exclude-dates", folders.selection)
    with night.store.write() as transaction:
        transaction.execute(update(BackfillDate).where(BackfillDate.id == folders.dates[0]).values(state="begun"))
    record = operations.apply(plan)
    assert folders.states() == ["begun", "excluded"]
    assert [item.reason for item in record.items] == ["changed since the preview: now Begun", ""]
    assert record.state is State.PARTLY_DONE


def test_named_data_timestamps_are_refused_for_what_they_are(night: Night, operations: Operations) -> None:
    folders = Folders(night, DateState.DONE, BEGUN, EXCLUDED)
    rows = [TreeId(Layer.DATE, id) for id in folders.dates]
    assert [item.reason for item in operations.plan("exclude-dates", Selection.of_rows(rows)).items] == [
        "Done: it has run",
        "Begun: what has begun runs to its end, or is stopped",
        "Excluded: it is left out already",
    ]


def test_the_number_of_groups_is_changed_and_changed_back(night: Night, operations: Operations) -> None:
    folders = Folders(night, BEGUN, WAITING, WAITING, groups=1)
    plan = operations.plan("concurrency", folders.date(2), {"to": "2"})
    assert [(item.key, item.before, item.after) for item in plan.items] == [(f"f_{folders.id}", "1", "2")]
    record = operations.apply(plan)
    assert (folders.one("groups"), record.kind, record.state) == (2, "backfill", State.DONE)


@pytest.mark.parametrize(
    ("dates", "to", "words"),
    [
        ((BEGUN, WAITING), "1", "it has 1 already"),
        ((BEGUN,), "2", "every data timestamp has begun: there is nothing left to deal"),
    ],
)
def test_groups_are_changed_while_there_is_something_to_deal(
    night: Night, operations: Operations, dates: tuple[DateState, ...], to: str, words: str
) -> None:
    (item,) = operations.plan("concurrency", Folders(night, *dates).selection, {"to": to}).items
    assert (item.outcome, item.reason) == (Outcome.REFUSED, words)


@pytest.mark.parametrize("verb", ["exclude-dates", "concurrency", "backfill-pause"])
def test_folders_ask_for_an_operator_of_the_backfill_s_project(night: Night, verb: str) -> None:
    folders = Folders(night, WAITING, project="risk")
    night.members("risk", mei=Role.OPERATOR, lin=Role.VIEWER)
    (item,) = operations_of(night, VirtualClock(NOW), "lin").plan(verb, folders.selection, _TO.get(verb, {})).items
    assert (item.outcome, item.reason) == (Outcome.SKIPPED, "no permission")


_TO = {"concurrency": {"to": "2"}}


def test_the_ledger_is_sound_whatever_its_items_are(night: Night, operations: Operations) -> None:
    folders = Folders(night, BEGUN, WAITING, WAITING)
    folders.instance("a", RUN)
    for verb in ("concurrency", "exclude-dates", STOP_ALL):
        operations.apply(operations.plan(verb, folders.selection, _TO.get(verb, {})))
    with night.store.read() as connection:
        assert first_broken(connection) is None
    with night.store.write() as transaction:
        transaction.execute(update(Operation).where(Operation.kind == "backfill_date").values(kind="backfill"))
    with night.store.read() as connection:
        assert first_broken(connection) == 2
