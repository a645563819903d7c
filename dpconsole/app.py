"""The console: it holds the session, moves between screens, and asks the change feed for the one on top.

    ConsoleApp(services).run()

One timer serves the whole console, four times a second, once over a slow line. It asks in a thread what was committed
and who drives the engine, and only the screen on top is told; a screen that comes back asks from its own revision.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any, ClassVar

from textual import events, on, work
from textual.command import CommandPalette
from textual.filter import LineFilter
from textual.message import Message
from textual.notifications import SeverityLevel
from textual.screen import Screen
from typing_extensions import override

from dpconsole.core.domain.backfills import BackfillState
from dpconsole.core.domain.statuses import Status
from dpconsole.core.services import (
    OPERATIONS,
    Armed,
    Delta,
    EngineState,
    Layer,
    Services,
    State,
    StoreError,
    TreeId,
    WayBack,
)
from dpconsole.screens import asking
from dpconsole.screens.backfill import BackfillScreen
from dpconsole.screens.backfill_form import BackfillFormScreen
from dpconsole.screens.base import ConsoleScreen, Keyed
from dpconsole.screens.baselines import BaselinesScreen
from dpconsole.screens.command_line import CommandLine, Order, read_order
from dpconsole.screens.details import InstanceScreen, TaskScreen
from dpconsole.screens.explain import ExplainScreen
from dpconsole.screens.flows import FlowScreen, FlowsScreen
from dpconsole.screens.folder import FolderScreen
from dpconsole.screens.gantt import GanttScreen
from dpconsole.screens.help import HelpScreen
from dpconsole.screens.home import HomeScreen
from dpconsole.screens.instance_dag import InstanceDagScreen
from dpconsole.screens.instances import InstancesScreen
from dpconsole.screens.keymap import KEYS, Keymap, Problem, read_keymap, verb_keys
from dpconsole.screens.listing import ListScreen
from dpconsole.screens.log import LogScreen
from dpconsole.screens.palette import RegistryCommands
from dpconsole.screens.pending import PendingScreen
from dpconsole.screens.queue import QueueScreen
from dpconsole.screens.reading import StoreRefused
from dpconsole.screens.records import RecordScreen, RecordsScreen
from dpconsole.screens.session import Session
from dpconsole.screens.submission import SubmissionScreen
from dpconsole.screens.submitting import creation_words
from dpconsole.screens.task_dag import TaskDagScreen
from dpconsole.screens.tasks import TasksScreen
from dpconsole.screens.times import MINUTE_MS, TimeDisplay
from dpconsole.screens.verbs import SEVERITIES, Verbs, go_through, outcome_words
from dpconsole.screens.watch import WatchedScreen, status_words
from dpconsole.screens.watching import Look, Watched, run_command
from dpconsole.widgets.plain import Plain
from dpconsole.widgets.sheets import every_sheet, tokens
from dpconsole.widgets.thrifty import ThriftyApp

FRAMES = 4
SLOW_FRAMES = 1
"""Times a second the feed is asked; once over a slow line."""

NO_COLOUR_THEME = "ansi-dark"

MAIN: dict[str, Callable[[Session], ConsoleScreen]] = {
    "home": HomeScreen,
    "instances": InstancesScreen,
    "backfill": BackfillScreen,
    "pending": PendingScreen,
    "tasks": TasksScreen,
    "baselines": BaselinesScreen,
    "queue": QueueScreen,
    "records": RecordsScreen,
}
"""The screens behind the number keys."""

PAGES: Mapping[type[asking.OpenPage], Callable[[Session, Any], Screen[Any]]] = {
    asking.OpenInstance: lambda session, asked: InstanceScreen(session, asked.instance_id),
    asking.OpenLog: lambda session, asked: LogScreen(session, asked.instance_id, asked.attempt),
    asking.OpenExplanation: lambda session, asked: ExplainScreen(session, asked.instance_id),
    asking.OpenGantt: lambda session, asked: GanttScreen(session, asked.instance_id, asked.role),
    asking.OpenDag: lambda session, asked: InstanceDagScreen(session, asked.instance_id),
    asking.OpenTask: lambda session, asked: TaskScreen(session, asked.key),
    asking.OpenTaskDag: lambda session, asked: TaskDagScreen(session, asked.key),
    asking.OpenRecord: lambda session, asked: RecordScreen(session, asked.key),
    asking.CreateBackfill: lambda session, asked: BackfillFormScreen(session, asked.answers),
    asking.OpenStanding: lambda session, asked: FolderScreen(session, asked.folder),
    asking.OpenSubmission: lambda session, asked: SubmissionScreen(session, asked.backfill_id),
    asking.OpenFlows: lambda session, asked: FlowsScreen(session, asked.flow_id),
    asking.OpenFlow: lambda session, asked: FlowScreen(session, asked.flow_id),
}
"""The screen behind each page that can be asked for."""

ENVIRONMENTS: dict[str, str] = {"prod": "dev", "dev": "prod"}
"""What `@` switches to."""


def colours_are_unwanted() -> bool:
    """Whether `NO_COLOR` says so; empty it says nothing, and is taken away, since Textual only asks if it is there."""
    if os.environ.get("NO_COLOR") == "":
        del os.environ["NO_COLOR"]
    return "NO_COLOR" in os.environ


@dataclass(frozen=True, slots=True)
class Beat:
    """What one round of the timer found out."""

    delta: Delta | None
    engine: EngineState | None
    looked: Look | None = None


class ConsoleApp(ThriftyApp[int], inherit_bindings=False):
    """The console on one database."""

    TITLE = "dpconsole"
    CSS_PATH: ClassVar[Any] = every_sheet()
    ENABLE_COMMAND_PALETTE = False
    DEFAULT_MODE = "home"

    class Found(Message):
        """The way back from a record, if there is one."""

        def __init__(self, way: WayBack | None) -> None:
            self.way = way
            super().__init__()

    class Pulled(Message):
        """A round of the timer is done."""

        def __init__(self, screen: ConsoleScreen, beat: Beat) -> None:
            self.screen, self.beat = screen, beat
            super().__init__()

    def __init__(
        self, services: Services, *, live: bool = True, keymap_file: Path | None = None, encoding: str = "utf-8"
    ) -> None:
        self._plain = Plain(encoding) if services.settings.draws_ascii(encoding) else None
        no_colour = colours_are_unwanted()
        super().__init__(ansi_color=True if no_colour else None)
        self.animation_level = "none"
        if no_colour:
            self.theme = NO_COLOUR_THEME
        allowed = () if services.settings.readonly else OPERATIONS.values()
        keymap = Keymap((*KEYS, *verb_keys(allowed)))
        self._problems: list[Problem] = []
        if keymap_file is not None:
            keymap, self._problems = read_keymap(keymap_file, keymap)
        self.services = services
        self.session = Session(services, keymap, services.environment, TimeDisplay[services.settings.times.upper()])
        self._live = live
        self._pulling = False
        self._minute = services.clock.now() // MINUTE_MS
        self._visited: list[str] = []
        self._askers: dict[str, Screen[Any]] = {}
        self._said_armed = False
        self._main: dict[str, ConsoleScreen] = {}
        for name in MAIN:
            self.add_mode(name, partial(self.main, name))

    def main(self, name: str) -> ConsoleScreen:
        """The main screen of a name; each is made once and keeps its filter, cursor and marks."""
        if name not in self._main:
            self._main[name] = MAIN[name](self.session)
        return self._main[name]

    @override
    def get_line_filters(self) -> Sequence[LineFilter]:
        """What every line goes through on its way to the terminal."""
        filters = super().get_line_filters()
        return filters if self._plain is None else (*filters, self._plain)

    @override
    def get_theme_variable_defaults(self) -> dict[str, str]:
        return tokens(self.native_ansi_color)

    async def on_mount(self) -> None:
        """Begin to follow the database, and to drive it where that is this process's part."""
        for problem in self._problems:
            self.notify(str(problem), severity="warning", timeout=15, markup=False)
        if self._live:
            frames = SLOW_FRAMES if self.services.settings.slow_link else FRAMES
            self.set_interval(1 / frames, self.beat)
            self.run_worker(self.services.engine.start(), group="engine")

    @override
    async def ready(self) -> None:
        if isinstance(self.screen, Keyed):
            await self.screen.ready()

    async def on_unmount(self) -> None:
        """Give the engine's lease back."""
        if self._live:
            await self.services.engine.stop()

    # Live

    def beat(self) -> None:
        """One round: ask what is new for the screen on top."""
        screen = self.screen
        page = screen if isinstance(screen, ConsoleScreen) else self._page_below()
        if page is not None and not self._pulling:
            self._pulling = True
            self._pull(page)
        self._carry_out_due()

    def _page_below(self) -> ConsoleScreen | None:
        """The page under a dialog goes on living."""
        pages = [screen for screen in self.screen_stack if isinstance(screen, ConsoleScreen)]
        return pages[-1] if pages else None

    @work(thread=True, group="feed", exit_on_error=False)
    def _pull(self, screen: ConsoleScreen) -> None:
        try:
            feed = self.services.feed
            delta = feed.delta(screen.rev) if feed.changed(screen.rev) else None
            beat = Beat(delta, self.services.engine.state(), self._look_at_the_watched())
        except StoreError:
            beat = Beat(None, self.session.engine)  # somebody else is writing; the next round asks again
        self.post_message(self.Pulled(screen, beat))

    def _look_at_the_watched(self) -> Look | None:
        """How they stand; asked only when something was committed since."""
        watch, rev = self.session.watch, self.services.feed.rev()
        if not watch or rev <= watch.rev:
            return None
        return Look(rev, targets := watch.targets, self.services.sightings(targets))

    def _tell_watched(self, looked: Look | None) -> None:
        """Tell the ends of what was watched, and of commands that were run for it."""
        watch = self.session.watch
        for watched in watch.take(looked) if looked else ():
            self._tell_end(watched)
        for words in watch.failures():
            self.notify(words, severity="warning", markup=False)

    def _tell_end(self, watched: Watched) -> None:
        """Ring and say so, once; run its command."""
        sighting = watched.sighting
        severity: SeverityLevel = "information" if sighting.status == Status.SUCCEEDED else "error"
        self.bell()
        self.notify(f"{sighting.name}: {status_words(sighting)}", severity=severity, timeout=30, markup=False)
        if watched.command:
            self._run_command(watched)

    @work(thread=True, group="command", exit_on_error=False)
    def _run_command(self, watched: Watched) -> None:
        try:
            self.session.watch.started(run_command(watched))
        except (OSError, ValueError) as error:
            self.post_message(StoreRefused(f"{watched.command[0]} was not run: {error}"))

    @work
    async def action_watched(self) -> None:
        """What is watched; one of them can be gone to."""
        target = await self.push_screen_wait(WatchedScreen(self.session))
        if target is not None:
            is_instance = target.layer is Layer.INSTANCE
            self.post_message(asking.OpenInstance(target.id) if is_instance else asking.OpenFolder(target))

    @on(Pulled)
    def _tell(self, message: Pulled) -> None:
        self._pulling = False
        self.session.engine = message.beat.engine
        screen, delta = message.screen, message.beat.delta
        if delta is not None and delta.rev > screen.rev:
            screen.post_message(ConsoleScreen.Changed(delta))
        self._tell_watched(message.beat.looked)
        screen.refresh_header(now=delta is not None and bool(delta.ids))
        screen.on_pulse()
        minute = self.services.clock.now() // MINUTE_MS
        if minute != self._minute:
            self._minute = minute
            screen.on_minute()

    def on_key(self, _event: events.Key) -> None:
        """The clock never lags behind what the operator does."""
        if isinstance(self.screen, ConsoleScreen):
            self.screen.refresh_header(now=True)

    # Between screens

    async def action_go(self, place: str) -> None:
        """To a main screen; when it is below, to it from what was opened on it."""
        if place == self.current_mode:
            while len(self.screen_stack) > 1:
                await self.pop_screen()
            return
        self._visited.append(self.current_mode)
        await self.switch_mode(place)

    async def action_back(self) -> None:
        """To the screen before; the first one stays."""
        if len(self.screen_stack) > 1:
            await self.pop_screen()
        elif self._visited:
            await self.switch_mode(self._visited.pop())
        else:
            self.notify(
                f"Nothing before this; {self.session.keymap['app.quit'].display} quits", timeout=3, markup=False
            )

    async def action_last_view(self) -> None:
        """To the main screen that was left last, and with the same key back again."""
        if self._visited:
            before, self._visited[-1] = self._visited[-1], self.current_mode
            await self.switch_mode(before)

    @on(asking.GoTo)
    async def _go_to(self, message: asking.GoTo) -> None:
        if message.place != self.current_mode or len(self.screen_stack) > 1:
            await self.action_go(message.place)
        screen = self.main(message.place)
        if message.query is not None and isinstance(screen, ListScreen):
            screen.open_with(message.query, message.listing)

    @on(asking.GoneOnWith)
    async def _leave_to_be_submitted(self) -> None:
        """Where a backfill stands while it is being submitted."""
        await self.pop_screen()
        await self._go_to(asking.GoTo("pending"))

    @on(asking.CreatedMeanwhile)
    def _tell_created(self, message: asking.CreatedMeanwhile | asking.Created) -> None:
        record = message.record
        self.notify(creation_words(record), severity=SEVERITIES.get(record.state, "error"), markup=False)

    @on(asking.Created)
    async def _land_on(self, message: asking.Created) -> None:
        """Where a backfill can be seen that was created, or why it was not."""
        self._tell_created(message)
        if message.record.state is not State.DONE:
            return
        await self.pop_screen()
        item = message.record.items[0]
        if item.after == BackfillState.SUBMITTING.upper():
            await self._open_folder(asking.OpenFolder(TreeId(Layer.BACKFILL, item.id)))
            return
        await self._go_to(asking.GoTo("pending"))
        pending = self.main("pending")
        if item.after == BackfillState.WAITING.upper() and isinstance(pending, PendingScreen):
            pending.reveal(item.id)
        elif item.after == "SAVED":
            self._open_page(asking.OpenFlows(item.id))

    @on(asking.OpenFolder)
    async def _open_folder(self, message: asking.OpenFolder) -> None:
        await self._go_to(asking.GoTo("backfill"))
        tree = self.main("backfill")
        assert isinstance(tree, BackfillScreen)
        tree.reveal(message.target)

    @on(asking.OpenPage)
    def _open_page(self, message: asking.OpenPage) -> None:
        self.push_screen(PAGES[type(message)](self.session, message))

    # Armed batches, and ways back

    @on(asking.Arm)
    def _arm(self, message: asking.Arm) -> None:
        """Let a batch wait until it can be called off no more."""
        arming = self.session.arming
        armed = arming.arm(message.plan, message.reason, self.services.wall.monotonic())
        self._askers[armed.plan.key] = message.asker
        self._said_armed = False
        self._show_armed()
        if not arming.seconds:
            self._carry_out_due()

    def _carry_out_due(self) -> None:
        """Act on what is armed no more."""
        arming = self.session.arming
        if not arming.waiting:
            return
        for armed in arming.take_due(self.services.wall.monotonic()):
            self._carry_out(armed, called_off=False)
        self._show_armed()

    @work(thread=True, group="armed", exit_on_error=False, description="an armed batch")
    def _carry_out(self, armed: Armed, *, called_off: bool) -> None:
        """Apply a batch, or enter in the ledger that it was called off."""
        try:
            record = self.services.operations.apply(armed.plan, armed.reason, is_cancelled=lambda: called_off)
        except StoreError as error:
            self.post_message(StoreRefused(str(error)))
        else:
            self.post_message(asking.Acted(record, self._askers.pop(record.key)))

    def _show_armed(self) -> None:
        for screen in self.screen_stack:
            if isinstance(screen, ConsoleScreen):
                screen.refresh_keys()

    @on(asking.Acted)
    def _tell_outcome(self, message: asking.Acted) -> None:
        """Say what became of an operation, wherever the operator is by now."""
        record = message.record
        severity = SEVERITIES.get(record.state, "error")
        self.notify(outcome_words(record), severity=severity, markup=False)
        if isinstance(message.asker, Verbs):
            message.asker.acted(record)

    @on(StoreRefused)
    def _tell_refusal(self, message: StoreRefused) -> None:
        self.notify(message.words, severity="error", markup=False)

    def action_undo(self) -> None:
        """Call off what is armed; else plan the way back from the record that is looked at, or from the last."""
        if armed := self.session.arming.call_off():
            self._carry_out(armed, called_off=True)
            self._show_armed()
        elif self.services.settings.readonly:
            self.notify("This session is read-only: nothing is undone", severity="warning")
        else:
            screen = self.screen
            self._find_way_back(screen.record_key if isinstance(screen, ConsoleScreen) else None)

    @work(thread=True, group="undo", exclusive=True)
    def _find_way_back(self, key: str | None) -> None:
        self.post_message(self.Found(self.services.history.way_back(key)))

    @on(Found)
    def _show_way_back(self, message: Found) -> None:
        way = message.way
        words = "You have changed nothing yet: there is nothing to undo" if way is None else way.words
        if words:
            self.notify(words, severity="warning", markup=False)
        if way is not None and way.steps:
            self._go_back(way)

    @work
    async def _go_back(self, way: WayBack) -> None:
        if isinstance(self.screen, Keyed):
            await go_through(self.screen, way.steps)

    # The console's own keys

    def action_help(self) -> None:
        """The keys that work here."""
        if isinstance(self.screen, Keyed):
            self.push_screen(HelpScreen(self.session, self.screen.stack))

    def action_palette(self) -> None:
        """Every command by its name."""
        if not isinstance(self.screen, CommandPalette):
            self.push_screen(CommandPalette([RegistryCommands]))

    @work
    async def action_command_line(self) -> None:
        """Read a command: a screen, a verb, an environment, or a query."""
        text = await self.push_screen_wait(CommandLine(self.session))
        if text:
            await self._obey(read_order(text, tuple(MAIN), tuple(OPERATIONS)))

    async def _obey(self, order: Order) -> None:
        match order:
            case Order("go", place):
                await self.action_go(place)
            case Order("verb", name):
                await self.screen.run_action(f"verb('{name}')")
            case Order("action", name):
                await self.run_action(name)
            case Order("query", query):
                await self._go_to(asking.GoTo("instances", query))

    async def action_switch_environment(self) -> None:
        """The other environment; lists never mix the two, so marks and what was opened are let go (RULES.md 20)."""
        self.session.environment = ENVIRONMENTS[self.session.environment]
        while len(self.screen_stack) > 1:
            await self.pop_screen()
        for screen in self._main.values():
            screen.environment_changed()
            screen.refresh_header(now=True)
        self.notify(f"Now in {self.session.environment.upper()}", timeout=3, markup=False)

    @override
    async def action_quit(self) -> None:
        """Leave; what is still armed would be dropped, so that is said once before."""
        armed = self.session.arming.waiting
        if not armed or self._said_armed:
            await super().action_quit()
            return
        self._said_armed = True
        title, key = armed[-1].plan.operation.title, self.session.keymap["app.quit"].display
        self.notify(f"{title} is still armed; {key} once more leaves without it", severity="warning", markup=False)

    def action_repaint(self) -> None:
        """Draw the whole screen again, as after a line was garbled."""
        self.forget_the_terminal()
        self.refresh(repaint=True, layout=True)
        self.screen.refresh(repaint=True, layout=True)
