"""What a screen asks the app for: another screen. Screens do not know each other; the app does."""

from __future__ import annotations

from textual.message import Message


class GoTo(Message):
    """A main screen; a list opens with `query` when one is given."""

    def __init__(self, place: str, query: str | None = None, listing: str = "") -> None:
        self.place, self.query, self.listing = place, query, listing
        super().__init__()


class OpenInstance(Message):
    """The details of an instance."""

    def __init__(self, instance_id: int) -> None:
        self.instance_id = instance_id
        super().__init__()


class OpenLog(Message):
    """The run log of an instance."""

    def __init__(self, instance_id: int, attempt: int | None = None) -> None:
        self.instance_id, self.attempt = instance_id, attempt
        super().__init__()


class OpenTask(Message):
    """The details of a task, by its key `project.name`."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__()


class OpenRecord(Message):
    """One record of the ledger, by the key its operator made it under."""

    def __init__(self, key: str) -> None:
        self.key = key
        super().__init__()
