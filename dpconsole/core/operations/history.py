"""What an operator asks of the ledger: to take something back, to try again what fell short, whether it is sound."""

from __future__ import annotations

from dataclasses import dataclass

from dpconsole.core.operations.ledger import find_record
from dpconsole.core.operations.undo import Step, WayBack, retry_of, way_back
from dpconsole.core.store.chain import first_broken
from dpconsole.core.store.ledger import read_chain
from dpconsole.core.store.session import Store
from dpconsole.core.store.ways_back import last_record_of


@dataclass(frozen=True, slots=True)
class Chain:
    """What became of checking the ledger: how many records are chained, and the first that does not follow."""

    length: int
    broken_at: int | None

    @property
    def words(self) -> str:
        """The verdict in a sentence."""
        if self.broken_at is not None:
            return f"the hash chain is broken at record {self.broken_at}: it, or one before it, was changed afterwards"
        return f"hash chain verified, {self.length:,} record{'s' * (self.length != 1)}"


@dataclass(frozen=True, slots=True)
class History:
    """The ledger of one database, as one operator looks back on it. Every method is one read."""

    store: Store
    user: str

    def way_back(self, key: str | None = None) -> WayBack | None:
        """What undoes a record, by default the operator's last that changed something; None where there is none."""
        with self.store.read() as connection:
            wanted = key or last_record_of(connection, self.user)
            record = find_record(connection, wanted) if wanted else None
            return None if record is None else way_back(connection, record)

    def retry(self, key: str) -> Step | None:
        """What of a record is worth trying again; None where nothing fell short."""
        with self.store.read() as connection:
            record = find_record(connection, key)
        return None if record is None else retry_of(record)

    def verify(self) -> Chain:
        """Read the whole chain again, hash by hash; it takes as long as the ledger is."""
        with self.store.read() as connection:
            return Chain(len(read_chain(connection)), first_broken(connection))
