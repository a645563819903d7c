"""What is offered while a query is typed."""

from __future__ import annotations

import pytest

from dpconsole.core.domain.clock import VirtualClock
from dpconsole.core.query.compiling import compile
from dpconsole.core.query.fields import FIELDS, ListKind
from dpconsole.core.query.language import parse
from dpconsole.core.query.lists import Lists
from dpconsole.core.query.suggesting import suggest, word_at
from dpconsole.core.store.session import Store
from tests.core.query.night import LIN, NOW

OFFERED: dict[str, list[str]] = {
    "st": ["status:", "started:"],
    "-pau": ["-paused:"],
    "owner:me sta": ["status:", "started:"],
    "status:fa": ["status:failed"],
    "status:failed,ru": ["status:failed,running"],
    "status:WAI": ["status:waiting_time", "status:waiting_resource", "status:waiting"],
    "(status:fa": ["status:failed"],
    "prio>=h": ["prio>=highest", "prio>=high"],
    "paused:": ["paused:yes", "paused:no"],
    "owner:": ["owner:me"],
    "biz:yes": ["biz:yesterday"],
    "zzz": [],
    "zzz:a": [],
    'name:"a b': [],
}


@pytest.mark.parametrize(("text", "words"), OFFERED.items(), ids=repr)
def test_a_begun_word_is_completed(text: str, words: list[str]) -> None:
    assert suggest(text, len(text)) == words


def test_the_word_under_the_cursor_counts() -> None:
    assert word_at("owner:me status:fa", 7) == (0, "owner:m")
    assert word_at('name:"pay ord', 13) == (0, 'name:"pay ord')
    assert suggest("sta owner:me", 3) == ["status:", "started:"]


@pytest.mark.parametrize("kind", ListKind)
def test_whatever_is_offered_is_understood(kind: ListKind) -> None:
    for name in FIELDS[kind]:
        for query in suggest(f"{name}:", len(name) + 1, kind):
            compile(parse(query), kind, LIN)


def test_names_of_the_store_are_offered_and_quoted_where_they_must_be(night: Store) -> None:
    lists = Lists(night, VirtualClock(NOW), "lin")
    assert lists.suggest(ListKind.INSTANCES, "owner:", 6) == ["owner:me", "owner:lin", "owner:mei", "owner:wu"]
    assert lists.suggest(ListKind.TASKS, "tag:核", 5) == ["tag:核心"]
    assert suggest("tag:p", 5, known=lambda _: ['pay "ord"', "pay"]) == [r'tag:"pay \"ord\""', "tag:pay"]
