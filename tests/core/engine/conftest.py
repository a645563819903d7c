"""Whatever a scenario did, the independent checker looks at what it left behind."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.checker import check


@pytest.fixture(autouse=True)
def sound(request: pytest.FixtureRequest) -> Iterator[None]:
    stores = [request.getfixturevalue(name) for name in ("store", "sqlite_store") if name in request.fixturenames]
    yield
    for store in stores:
        assert check(store) == []
