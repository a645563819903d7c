"""The night to ask questions about, in a store of either kind."""

from __future__ import annotations

import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from dpconsole.core.store.opening import open_store
from dpconsole.core.store.session import Store
from tests.core.query.night import fill


@pytest.fixture(scope="module", params=["sqlite", "postgresql"])
def night(
    request: pytest.FixtureRequest, tmp_path_factory: pytest.TempPathFactory, sqlite_template: Path
) -> Iterator[Store]:
    """The night in a store of either kind, to be read only; one for all tests of a module."""
    if request.param == "sqlite":
        target = str(shutil.copy(sqlite_template, tmp_path_factory.mktemp("night") / "store.db"))
    else:
        server = request.getfixturevalue("postgres")
        target = server.create(server.template)
    store = open_store(target, synchronous="OFF")
    with store.write() as transaction:
        fill(transaction)
    yield store
    store.close()
    if request.param == "postgresql":
        server.drop(target)
