"""Submitted backfills: backfill, data timestamp and instance as one tree, live (RULES.md 4.2 and 8).

The filter is one of backfills; what stands in the folders has a filter and an order of its own. Folders are read when
they are opened, a mark on one covers what is in it, and a verb is asked of the marks or of the row under the cursor.
"""

from __future__ import annotations

from array import array
from collections import Counter
from collections.abc import Callable, Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, ClassVar

from textual import on, work
from textual.message import Message
from textual.widget import Widget
from typing_extensions import override

from dpconsole.core.domain.backfills import DateState
from dpconsole.core.domain.statuses import GUARDS, NormalisedStatus, Status, Verb
from dpconsole.core.services import (
    OPERATIONS,
    SUBMITTED,
    BackfillNode,
    DateNode,
    Delta,
    Inside,
    InstanceNode,
    InstanceRow,
    Layer,
    ListKind,
    ListRequest,
    QueryError,
    Selection,
    Snapshot,
    Step,
    TreeId,
    TreeRow,
    layer_of,
    verb_on,
)
from dpconsole.screens.asking import OpenStanding
from dpconsole.screens.backfill_columns import TreeLine, columns
from dpconsole.screens.backfill_tabs import BackfillTabs
from dpconsole.screens.export import BackfillsExport, Wanted
from dpconsole.screens.instance_rows import INSTANCE_TERMS, InstanceRows, quoted
from dpconsole.screens.keymap import Key, Scope
from dpconsole.screens.listing import ListScreen, Shown
from dpconsole.screens.prompts import ChoicePrompt, TextPrompt
from dpconsole.screens.reading import in_thread
from dpconsole.screens.verbs import go_through
from dpconsole.widgets.columns import Column
from dpconsole.widgets.outline import Children
from dpconsole.widgets.row_table import Sort
from dpconsole.widgets.tree_marks import Cover
from dpconsole.widgets.tree_table import TreeTable

SORTS: Mapping[str, str] = {
    "submitted": "Backfills by time of submission",
    "name": "Backfills by name",
    "submitter": "Backfills by submitter",
    "project": "Backfills by project",
    "due": "Instances by scheduled runtime",
    "ended": "Instances by end time",
    "took": "Instances by duration",
}
"""The orders of the first layer, and the three of the third."""

INSIDE_SORTS = frozenset({"due", "ended", "took"})

_FOLDER_TERMS: Mapping[str, Callable[[BackfillNode], str]] = {
    "name": lambda row: f"name={quoted(row.name)}",
    "status": lambda row: f"status:{row.standing.status.lower()}",
    "submitter": lambda row: f"submitter:{quoted(row.submitter)}",
    "flow": lambda row: f"flow={quoted(row.flow)}" if row.flow else "",
}
"""By column: the term that matches the backfills whose cell reads the same."""


def like_term(column: str) -> Callable[[TreeLine], str]:
    """The term that matches the rows of the same layer whose cell in a column reads the same."""

    def term(line: TreeLine) -> str:
        row = line.row
        if isinstance(row, BackfillNode):
            return _FOLDER_TERMS[column](row) if column in _FOLDER_TERMS else ""
        if isinstance(row, InstanceNode):
            return INSTANCE_TERMS[column](row.row) if column in INSTANCE_TERMS else ""
        return column if column in SAME_DATES else ""

    return term


SAME_DATES: Mapping[str, Callable[[DateNode], object]] = {
    "status": lambda row: row.standing.status,
    "submitter": lambda row: row.state,
    "flow": lambda row: row.queue,
}
"""By column: what data timestamps of one backfill must share to read the same."""


AskedInside = tuple[tuple[str, ...], Inside]
"""What folders were read with: what narrows them, and their own query and order."""


@dataclass(frozen=True, slots=True)
class Laid(Snapshot):
    """The first layer, with what stands in the folders that are open."""

    children: Children
    asked_inside: AskedInside


@dataclass(frozen=True, slots=True)
class Traced:
    """Where changed rows stand: their folders, and which of them the list would hold if it were asked for again."""

    folders: Mapping[int, int]
    changed: Collection[int]
    roots: Collection[int]
    inside: Collection[int]


class BackfillScreen(BackfillTabs, InstanceRows):
    """The tree of submitted backfills."""

    stack = "backfill"
    kind = ListKind.BACKFILLS
    table_name = "backfill"
    default_sort = Sort("submitted", descending=True)
    placeholder = "every backfill - for instance: status:failed submitter:me project:trade"
    like_terms: ClassVar[Mapping[str, Callable[[Any], str]]] = {
        column: like_term(column) for column in {*_FOLDER_TERMS, *INSTANCE_TERMS, *SAME_DATES}
    }
    table: TreeTable

    class Read(Message):
        """What stands in folders that are to be opened."""

        def __init__(self, asked: tuple[ListRequest, Inside], children: Children) -> None:
            self.asked, self.children = asked, children
            super().__init__()

    class Found(Message):
        """Rows that are to be marked or unmarked, and where those stand that may not be listed."""

        def __init__(self, rows: Sequence[int], parents: Mapping[int, int], marked: bool) -> None:
            self.rows, self.parents, self.marked = rows, parents, marked
            super().__init__()

    class Changes(Message):
        """Where changed rows stand."""

        def __init__(self, shown: Shown, traced: Traced) -> None:
            self.shown, self.traced = shown, traced
            super().__init__()

    class Placed(Message):
        """Where a row stands that is to be shown."""

        def __init__(self, target: TreeId, parents: Mapping[int, int]) -> None:
            self.target, self.parents = target, parents
            super().__init__()

    def __init__(self, session: Any, query: str | None = None) -> None:
        self.statuses: tuple[str, ...] = ()
        self.inside = Inside()
        self._typed_inside = ""
        self._narrowing: tuple[str, ...] = ()
        self._told = (-1, "")
        self._asked_inside: AskedInside | None = None
        self._also_open: frozenset[int] = frozenset()
        super().__init__(session, query)

    # What is listed

    @property
    @override
    def listing(self) -> str:
        return SUBMITTED

    @override
    def make_table(self) -> TreeTable:
        return TreeTable(
            self.shown_columns(), self.fetch, lambda row: layer_of(row) is not Layer.INSTANCE, empty_text=""
        )

    @override
    def every_column(self) -> tuple[Column, ...]:
        return columns(self.session)

    @override
    def body(self) -> Iterable[Widget]:
        yield self.tabs
        yield from super().body()

    @override
    def fetch(self, ids: Sequence[int]) -> Sequence[TreeLine]:
        return [TreeLine(row, self.table.is_open(row.id)) for row in self.services.tree.rows(ids)]

    @property
    def shown_request(self) -> ListRequest:
        """What the list was asked with that is on the screen; what is being typed may make no sense yet."""
        return self._shown.request if self._shown else self.request()

    @override
    def read(self, request: ListRequest, limit: int | None) -> Laid:
        """What is known of open folders is not read again where only the order or the filter of backfills changed."""
        tree, outline = self.services.tree, self.table.outline
        asked = (tree.narrowing(request, self.inside), self.inside)
        found = tree.snapshot(request, limit)
        is_known = asked == self._asked_inside and not self._drifted
        known = {row: outline.children_of(row) or () for row in outline.open} if is_known else {}
        unread = {*outline.open, *self._also_open} - known.keys()
        return Laid(
            found.ids, found.total_unfiltered, found.rev, known | tree.children(request, self.inside, unread), asked
        )

    @override
    def put(self, message: ListScreen.Listed) -> None:
        laid = message.snapshot
        assert isinstance(laid, Laid)
        self._also_open, self._asked_inside = frozenset(), laid.asked_inside
        self._let_go_of_folders(laid.asked_inside[0])
        self.table.lay(laid.ids, laid.children, keep_cursor=message.keep_cursor, scope=message.request)

    @override
    def show_count(self, words: str) -> None:
        order = f"by {self.inside.sort}" if self.inside.sort != Inside().sort else ""
        inside = ", ".join(part for part in (self.inside.text, order) if part)
        self.tabs.show_aside(f"inside: {inside}   {words}" if inside else words)

    @override
    def action_refresh_list(self) -> None:
        self._asked_inside = None
        super().action_refresh_list()

    @override
    def environment_changed(self) -> None:
        self._asked_inside = None
        super().environment_changed()

    @override
    def empty_words(self) -> str:
        if self.view.query:
            return super().empty_words()
        environment, key = self.session.environment.upper(), self.session.keymap["row.backfill"].display
        return f"No backfill yet in {environment}.\n\n{key} creates one: here, or on a task or an instance"

    @on(TreeTable.UnfoldRequested)
    def _unfold(self, message: TreeTable.UnfoldRequested) -> None:
        self._read_folders(self.shown_request, self.inside, message.row_id, message.deep)

    @in_thread("unfold", exclusive=False)
    def _read_folders(self, request: ListRequest, inside: Inside, folder: int, deep: bool) -> None:
        tree = self.services.tree
        children = tree.everything_below(request, inside, folder) if deep else tree.children(request, inside, [folder])
        self.post_message(self.Read((request, inside), children))

    @on(Read)
    def _show_folders(self, message: Read) -> None:
        if message.asked == (self.shown_request, self.inside):
            self._only_marked = False
            self.table.unfold(message.children)
            self.refresh_keys()
            if not any(message.children.values()):
                self.notify("Nothing in it is listed", severity="warning", timeout=3)

    # One row, wherever it stands

    def reveal(self, target: TreeId) -> None:
        """Put the cursor on a row, with the folders open that it stands in."""
        self._place(target)

    @in_thread("place")
    def _place(self, target: TreeId) -> None:
        tree, instances = self.services.tree, [target.id] * (target.layer is Layer.INSTANCE)
        dates = [target.id] * (target.layer is Layer.DATE)
        self.post_message(self.Placed(target, tree.parents(instances) | tree.folders_of(dates)))

    @on(Placed)
    def _go_to_placed(self, message: Placed) -> None:
        """A filter that hides the backfill, or the instance in it, is let go."""
        number = message.target.number
        self._also_open = frozenset(message.parents.values())
        self.statuses, self._typed_inside, self.inside = (), "", replace(self.inside, text="")
        is_listed = not {*self._also_open, number}.isdisjoint(self.table.outline.roots)
        self.view = replace(self.view, query=self.view.query if is_listed else "", cursor_id=number)
        self.filter_bar.text = self.view.query
        self.ask()

    # Live

    @override
    def take(self, delta: Delta) -> None:
        if self._shown is None:
            return
        if delta.everything:
            self._note_everything()
        elif any(delta.ids.get(table) for table in ("instance", "backfill", "backfill_date")):
            self._trace(self._shown, self.inside, delta)

    @in_thread("trace", exclusive=False)
    def _trace(self, shown: Shown, inside: Inside, delta: Delta) -> None:
        """Find the folders of what changed: they are painted again with it, and nothing else is."""
        tree = self.services.tree
        instances, dates, backfills = (delta.ids.get(name, ()) for name in ("instance", "backfill_date", "backfill"))
        folders = tree.parents(instances) | tree.folders_of(dates)
        own = {TreeId(Layer.BACKFILL, id).number for id in backfills}
        changed = own | folders.keys() | set(folders.values())
        roots = tree.refilter(shown.request, changed)
        self.post_message(
            self.Changes(shown, Traced(folders, changed, roots, tree.still_inside(shown.request, inside, changed)))
        )

    @on(Changes)
    def _show_changes(self, message: Changes) -> None:
        if message.shown is self._shown:
            self.table.update_rows(message.traced.changed)
            self.post_message(self.Drifted(message.shown, self._moved(message.shown, message.traced)))

    def _moved(self, shown: Shown, traced: Traced) -> set[int]:
        """The changed rows that would come, go, or stand elsewhere if the list were asked for again."""
        outline, moved = self.table.outline, set[int]()
        for row in traced.changed:
            layer, _ = TreeId.of(row)
            if layer is Layer.BACKFILL:
                moved |= {row} if (row in traced.roots) is not (row in shown.members) else set()
                continue
            if not outline.is_open(traced.folders[row]):
                continue
            listed, wanted = outline.parent_of(row) is not None, layer is Layer.DATE or row in traced.inside
            if listed is not wanted or (layer is Layer.INSTANCE and self.inside.sort != "due"):
                moved.add(row)
        return moved

    # What stands in the folders

    @work
    async def action_search_inside(self) -> None:
        """Ask which instances stand in the folders: part of a name, or a query."""
        title, hint = "Instances in the folders", "part of a name, or for instance: owner:me took>1h"
        asked = TextPrompt(self.session, title, self._typed_inside, placeholder=hint)
        text = await self.app.push_screen_wait(asked)
        if text is not None:
            self._look_inside(self.statuses, text)

    @work
    async def action_statuses(self) -> None:
        """Ask of which statuses instances stand in the folders; none is all of them."""
        choices = [(status.lower(), status.label) for status in Status]
        asked = ChoicePrompt(self.session, "Instances in the folders", choices, chosen=self.statuses, several=True)
        chosen = await self.app.push_screen_wait(asked)
        if chosen is not None:
            self._look_inside(tuple(chosen), self._typed_inside)

    def _look_inside(self, statuses: tuple[str, ...], typed: str) -> None:
        """List other instances."""
        terms = (f"status:{','.join(statuses)}" if statuses else "", typed.strip())
        inside = replace(self.inside, text=both(*terms))
        try:
            self.services.tree.children(self.shown_request, inside, ())
        except QueryError as error:
            self.notify(str(error), severity="error", markup=False)
            return
        self.statuses, self._typed_inside, self.inside = statuses, typed.strip(), inside
        self.ask()

    def _let_go_of_folders(self, narrowing: tuple[str, ...]) -> None:
        """What a mark of a folder covers would be another thing now."""
        before, self._narrowing = self._narrowing, narrowing
        if narrowing != before and any(layer_of(row) is not Layer.INSTANCE for row in self.table.marks.choices):
            self.table.marks.clear()
            self.notify("Marks of folders are let go: they covered what was listed before", timeout=5)

    @work
    async def action_sort(self) -> None:
        """Choose the order of the backfills, or that of the instances; the one they are in already turns round."""
        asked = ChoicePrompt(self.session, "Sort", tuple(SORTS.items()), chosen=(self.view.sort.column_id,))
        chosen = await self.app.push_screen_wait(asked)
        if chosen is not None:
            self.sort_by(chosen)

    @override
    def sort_by(self, column_id: str) -> None:
        if column_id not in INSIDE_SORTS:
            super().sort_by(column_id)
            return
        turned = self.inside.sort == column_id and not self.inside.descending
        self.inside = replace(self.inside, sort=column_id, descending=turned)
        self.ask()

    @override
    def peel_one(self) -> bool:
        if super().peel_one():
            return True
        if self.inside.text:
            self._look_inside((), "")
            return True
        return False

    # Marks

    @property
    @override
    def marked_words(self) -> str:
        """`1 backfill, 2 instances marked, 3 spared`; counted again when the marks have changed."""
        marks = self.table.marks
        if self._told[0] != marks.changes:
            self._told = (marks.changes, _marked_words(marks.choices))
        return self._told[1]

    @override
    def _mark_matching(self, request: ListRequest, marked: bool) -> None:  # type: ignore[override]
        """The query is one of instances, among those of the listed backfills."""
        find = partial(self.services.tree.matching, self.shown_request, self.inside, request.text)
        self._find(lambda: _instances_in(find()), marked)

    @override
    def mark_like(self, term: str) -> None:
        row, tree, request, inside = self._node, self.services.tree, self.shown_request, self.inside
        if isinstance(row, BackfillNode):
            like = self.request(f"{self.view.query} {term}".strip())
            self._find(lambda: (tree.snapshot(like).ids, {}), True)
        elif isinstance(row, InstanceNode):
            within = f"backfill:{row.row.backfill_id} {term}"
            self._find(lambda: _instances_in(tree.matching(request, inside, within)), True)
        elif isinstance(row, DateNode):
            beside = self.table.outline.children_of(TreeId(Layer.BACKFILL, row.backfill_id).number) or ()
            self._find(lambda: (_like_date(row, tree.rows(beside), SAME_DATES[term]), {}), True)

    @in_thread("marks")
    def _find(self, find: Callable[[], tuple[Sequence[int], Mapping[int, int]]], marked: bool) -> None:
        try:
            self.post_message(self.Found(*find(), marked))
        except QueryError as error:
            self.post_message(self.Refused(self.view.query, error))

    @on(Found)
    def _mark_found(self, message: Found) -> None:
        self.table.outline.learn(message.parents)
        self.table.mark(message.rows, message.marked)
        verb = "marked" if message.marked else "unmarked"
        self.notify(f"{len(message.rows):,} rows {verb}", timeout=3, markup=False)

    @override
    def show_only_marked(self) -> None:
        marks, listed = self.table.marks, self.table.ids
        self.table.splice(array("q", [row for row in listed if marks.cover(row) is not Cover.NONE]))

    # Verbs

    @property
    def _node(self) -> TreeRow | None:
        line = self.table.cursor_row
        return line.row if isinstance(line, TreeLine) else None

    @property
    @override
    def row(self) -> InstanceRow | None:
        return self._node.row if isinstance(self._node, InstanceNode) else None

    @override
    def selection(self) -> Selection | None:
        choices = self.table.choices
        return _selected(choices, self.session.environment) if choices else None

    @override
    def to_watch(self) -> Sequence[TreeId]:
        return [TreeId.of(row) for row, marked in self.table.choices.items() if marked]

    async def _resolved(self) -> Selection | None:
        """What a verb is asked of; None where there is nothing."""
        choices = dict(self.table.choices)
        return await self._meant(choices) if choices else None

    async def _everything(self) -> Selection:
        """All that is listed."""
        return await self._meant(dict.fromkeys(self.table.outline.roots, True))

    async def _meant(self, choices: Mapping[int, bool]) -> Selection:
        """What choices stand for; where folders hold less than in the store, the instances that are listed in them."""
        selection = _selected(choices, self.session.environment)
        if not selection.folders or not self._narrowing:
            return selection
        find = partial(self.services.tree.chosen, self.shown_request, self.inside, choices)
        return Selection.of(await self.run_worker(find, thread=True, group="chosen").wait())

    @work
    @override
    async def action_verb(self, name: str) -> None:
        selection = await self._resolved()
        if selection is not None:
            await go_through(self, (Step(verb_on(name, selection), selection),))

    @work
    @override
    async def action_actions(self) -> None:
        await self.choose_action(await self._resolved())

    @work
    async def action_export(self) -> None:
        """Write a workbook of the instances of all listed backfills, or of what is marked or under the cursor."""
        chosen = await self._resolved()
        if chosen is None:
            return
        offered = {"chosen": "What is marked" if self.table.marks else "This row", "listed": "All listed backfills"}
        answer = await self.app.push_screen_wait(ChoicePrompt(self.session, "Export", tuple(offered.items())))
        if answer is None:
            return
        wanted = Wanted(offered[answer], chosen if answer == "chosen" else await self._everything())
        path = await self.app.push_screen_wait(BackfillsExport(self.session, wanted))
        if path is not None:
            self.notify(f"Written: {path}", markup=False)

    @override
    def open_row(self, row_id: int) -> None:
        layer, id = TreeId.of(row_id)
        if layer is Layer.INSTANCE:
            super().open_row(id)
        else:
            self.app.post_message(OpenStanding(TreeId(layer, id)))

    # Keys

    @property
    @override
    def working_keys(self) -> list[Key]:
        keys, begun = self.session.keymap, bool(self._begun)
        opens = [replace(keys["move.right"], title="unfold", rank=9)] * (self.table.can_unfold and not begun)
        closes = [replace(keys["move.left"], title="fold", rank=9)] * (self.table.is_unfolded and not begun)
        chosen = self.table.marks.choices or {self.table.cursor_id or Layer.INSTANCE: True}
        instances = any(marked and layer_of(row) is Layer.INSTANCE for row, marked in chosen.items())
        entries = super().working_keys if instances else map(_on_folders, super().working_keys)
        return [*opens, *closes, *entries]

    @override
    def _works(self, entry: Key) -> bool:
        if entry.scope is Scope.FOLDER and not self.table.marks and not _has_to_begin(self._node):
            return False
        needs_instance = entry.scope is Scope.INSTANCE and self.row is None
        return not needs_instance and super()._works(entry)

    @override
    def _is_refused(self, entry: Key) -> bool:
        node = self._node
        if self.table.marks or not isinstance(node, BackfillNode | DateNode):
            return super()._is_refused(entry)
        return not _could(entry.id.removeprefix("verb."), node)


def both(*terms: str) -> str:
    """One query that matches what all of these match."""
    asked = [term for term in terms if term]
    return asked[0] if len(asked) == 1 else " ".join(f"({term})" for term in asked)


NOUNS: Mapping[Layer, str] = {
    Layer.BACKFILL: "backfill",
    Layer.DATE: "data timestamp",
    Layer.INSTANCE: "instance",
}
"""What the rows of each layer are called."""


def _marked_words(choices: Mapping[int, bool]) -> str:
    numbers = Counter(layer_of(row) for row, marked in choices.items() if marked)
    told = [f"{number:,} {noun}{'s' * (number != 1)}" for layer, noun in NOUNS.items() if (number := numbers[layer])]
    spared = len(choices) - numbers.total()
    return f"{', '.join(told)} marked{f', {spared:,} spared' if spared else ''}" if told else ""


def _on_folders(entry: Key) -> Key:
    """A key in the words of the verb that it stands for on folders."""
    operation = OPERATIONS.get(entry.id.removeprefix("verb."))
    if operation is None or not operation.on_folders:
        return entry
    return replace(entry, title=operation.on_folders.removeprefix("one-click-").replace("-", " "))


_ACTS_ON: Mapping[str, frozenset[Status]] = {"rerun": frozenset({Status.FAILED})}
"""What a verb acts on below a folder, where that is less than its guard lets through."""


def _could(verb: str, folder: BackfillNode | DateNode) -> bool:
    """Whether a verb could act on anything below a folder, as far as its counts tell."""
    standing = folder.standing
    if verb == Verb.RESUME:
        return standing.held
    if verb not in GUARDS:
        return True
    statuses = _ACTS_ON.get(verb, GUARDS[Verb(verb)].statuses)
    return not statuses.isdisjoint(standing.counts)


def _has_to_begin(row: TreeRow | None) -> bool:
    """Whether a folder may hold a data timestamp whose turn has not come; an instance has none."""
    if isinstance(row, DateNode):
        return row.state is DateState.WAITING
    return isinstance(row, BackfillNode) and row.standing.status is not NormalisedStatus.SUCCEEDED


def _selected(choices: Mapping[int, bool], environment: str) -> Selection:
    """Folders without their exceptions, and single instances."""
    rows = {marked: [TreeId.of(row) for row, one in choices.items() if one is marked] for marked in (True, False)}
    spared = Selection.of_rows(rows[False])
    return replace(
        Selection.of_rows(rows[True]),
        without=frozenset(spared.ids),
        without_folders=frozenset(spared.folders),
        environment=environment,
    )


def _instances_in(parents: Mapping[int, int]) -> tuple[Sequence[int], Mapping[int, int]]:
    return [row for row in parents if layer_of(row) is Layer.INSTANCE], parents


def _like_date(row: DateNode, beside: Sequence[TreeRow], shared: Callable[[DateNode], object]) -> Sequence[int]:
    return [one.id for one in beside if isinstance(one, DateNode) and shared(one) == shared(row)]
