"""What a screen asks the app for, most of all another screen. Screens do not know each other; the app does."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from textual.message import Message
from textual.screen import Screen

from dpconsole.core.services import PathRole, Plan, Record, TreeId


class GoTo(Message):
    """A main screen; a list opens with `query` when one is given."""

    def __init__(self, place: str, query: str | None = None, listing: str = "") -> None:
        self.place, self.query, self.listing = place, query, listing
        super().__init__()


class OpenPage(Message):
    """A page on top of what is shown; which one, the table `PAGES` of the app says for each of these."""


class OpenInstance(OpenPage):
    """The details of an instance."""

    def __init__(self, instance_id: int) -> None:
        self.instance_id = instance_id
        super().__init__()


class CreateBackfill(OpenPage):
    """The form of a backfill, some of its answers given."""

    def __init__(self, answers: Mapping[str, str]) -> None:
        self.answers = answers
        super().__init__()


class Created(Message):
    """A backfill was created, and stands in the ledger."""

    def __init__(self, record: Record) -> None:
        self.record = record
        super().__init__()


class GoneOnWith(Message):
    """A backfill is being submitted, and nobody watches it any more."""


class CreatedMeanwhile(Message):
    """A backfill was created that nobody watched to the end."""

    def __init__(self, record: Record) -> None:
        self.record = record
        super().__init__()


class OpenFolder(Message):
    """The tree of submitted backfills, one of its rows under the cursor."""

    def __init__(self, target: TreeId) -> None:
        self.target = target
        super().__init__()


class OpenStanding(OpenPage):
    """How a backfill, or a data timestamp of one, stands."""

    def __init__(self, folder: TreeId) -> None:
        self.folder = folder
        super().__init__()


class OpenSubmission(OpenPage):
    """A backfill that is to be submitted: its form, and why it failed."""

    def __init__(self, backfill_id: int) -> None:
        self.backfill_id = backfill_id
        super().__init__()


class OpenFlows(OpenPage):
    """The saved flows; with an id, one of them under the cursor."""

    def __init__(self, flow_id: int | None = None) -> None:
        self.flow_id = flow_id
        super().__init__()


class OpenFlow(OpenPage):
    """A saved flow: its form, and when it makes its next backfill."""

    def __init__(self, flow_id: int) -> None:
        self.flow_id = flow_id
        super().__init__()


class OpenDag(OpenPage):
    """What an instance hangs together with, as a picture."""

    def __init__(self, instance_id: int) -> None:
        self.instance_id = instance_id
        super().__init__()


class OpenTaskDag(OpenPage):
    """What a task hangs together with, by its key `project.name`."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__()


class OpenLog(OpenPage):
    """The run log of an instance."""

    def __init__(self, instance_id: int, attempt: int | None = None) -> None:
        self.instance_id, self.attempt = instance_id, attempt
        super().__init__()


class OpenExplanation(OpenPage):
    """Why an instance stands still."""

    def __init__(self, instance_id: int) -> None:
        self.instance_id = instance_id
        super().__init__()


class OpenGantt(OpenPage):
    """The critical path to an instance, or from it to an end that is then asked for."""

    def __init__(self, instance_id: int, role: PathRole = PathRole.END) -> None:
        self.instance_id, self.role = instance_id, role
        super().__init__()


class Arm(Message):
    """A plan the operator said yes to on a screen, to be carried out when its time to be called off is over."""

    def __init__(self, plan: Plan, reason: str, asker: Screen[Any]) -> None:
        self.plan, self.reason, self.asker = plan, reason, asker
        super().__init__()


class Acted(Message):
    """An operation that was asked for on a screen was carried out, or called off."""

    def __init__(self, record: Record, asker: Screen[Any]) -> None:
        self.record, self.asker = record, asker
        super().__init__()


class OpenTask(OpenPage):
    """The details of a task, by its key `project.name`."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__()


class OpenRecord(OpenPage):
    """One record of the ledger, by the key its operator made it under."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__()
