"""A small night, and the verbs of an operator called `lin`."""

from __future__ import annotations

import pytest

from dpconsole.core.domain.clock import VirtualClock
from dpconsole.core.operations.service import Operations
from dpconsole.core.store.session import Store
from tests.core.operations.night import NOW, Night, operations_of


@pytest.fixture
def night(sqlite_store: Store) -> Night:
    return Night(sqlite_store)


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(NOW)


@pytest.fixture
def operations(night: Night, clock: VirtualClock) -> Operations:
    return operations_of(night, clock, "lin")
