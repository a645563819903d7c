"""The feed: what changed since a reader looked, whoever changed it."""

from __future__ import annotations

from collections.abc import Iterator

import pytest
from sqlalchemy import event

from dpconsole.core.store.changes import Delta, Feed
from dpconsole.core.store.opening import open_store
from dpconsole.core.store.session import Store
from tests.core.store.night import ADS, LTV, ODS, set_instance, write_night


@pytest.fixture
def mine(store: Store) -> Store:
    write_night(store)
    return store


@pytest.fixture
def feed(mine: Store) -> Iterator[Feed]:
    made = Feed(mine)
    yield made
    made.close()


@pytest.fixture
def theirs(database: str, mine: Store) -> Iterator[Store]:
    """Another process's store on the same database: it shares no ring."""
    other = open_store(database)
    yield other
    other.close()


def test_nothing_changed_after_the_last_revision(feed: Feed) -> None:
    rev = feed.rev()
    assert not feed.changed(rev)
    assert feed.delta(rev) == Delta(rev, {})
    assert not feed.delta(rev)


def test_what_this_process_wrote_comes_from_its_ring(feed: Feed, mine: Store) -> None:
    before = feed.rev()
    set_instance(mine, ODS, status="RUNNING")
    after = set_instance(mine, LTV, status="RUNNING")
    assert feed.changed(before)
    assert feed.delta(before) == Delta(after, {"instance": frozenset({ODS, LTV})})


def test_what_another_process_wrote_is_found_in_the_tables(feed: Feed, mine: Store, theirs: Store) -> None:
    before = feed.rev()
    set_instance(theirs, ODS, status="RUNNING")
    assert feed.changed(before)
    assert feed.delta(before).ids["instance"] == {ODS}
    set_instance(mine, ADS, paused=True)
    assert feed.delta(before).ids["instance"] == {ODS, ADS}


def test_a_reader_that_fell_out_of_the_ring_asks_the_tables(mine: Store) -> None:
    before = mine.rev()
    mine.ring.capacity = 1
    for id in (ODS, LTV, ADS):
        set_instance(mine, id, status="RUNNING")
    assert Feed(mine).delta(before).ids["instance"] == {ODS, LTV, ADS}


def test_too_much_to_list_means_everything(mine: Store, theirs: Store) -> None:
    assert Feed(theirs, limit=2).delta(0) == Delta(mine.rev(), {}, everything=True)
    assert not Feed(theirs, limit=5).delta(0).everything


def test_a_transaction_that_failed_changed_nothing(feed: Feed, mine: Store) -> None:
    before = feed.rev()
    with pytest.raises(ZeroDivisionError), mine.write() as transaction:
        transaction.touch("instance", [ODS])
        raise ZeroDivisionError
    assert not feed.changed(before)
    set_instance(mine, ADS, status="RUNNING")
    assert feed.delta(before).ids == {"instance": frozenset({ADS})}


def test_asking_again_reads_no_table_until_somebody_writes(sqlite_store: Store) -> None:
    write_night(sqlite_store)
    feed = Feed(sqlite_store)
    reads: list[str] = []
    event.listen(sqlite_store.reader, "before_cursor_execute", lambda *call: reads.append(call[2]))
    rev = feed.rev()
    reads.clear()
    assert not any(feed.changed(rev) for _ in range(100))
    assert reads == []
    set_instance(sqlite_store, ODS, status="RUNNING")
    assert feed.changed(rev)
    assert any("counter" in read for read in reads)
    feed.close()
