"""One engine a database: who may drive it, and what happens to one that no longer may."""

from __future__ import annotations

import os
from collections.abc import Callable
from dataclasses import replace

import pytest

from dpconsole.core.domain.clock import VirtualClock
from dpconsole.core.domain.statuses import Status
from dpconsole.core.engine.lease import TTL_MS, Fenced, Lease, Process
from dpconsole.core.store.session import Store
from tests.nights import Night, task

START = 1_000_000
ELSEWHERE = Process("mei@other-host", "another boot", 4711, "1")
HERE = Process.current()
DEAD = replace(HERE, pid=2**22 + 1)
"""A process of this host that is no more: no pid is that large."""
REUSED = replace(HERE, pid=os.getpid(), started="1")
"""A process of this host whose pid another one has now."""


@pytest.fixture
def clock() -> VirtualClock:
    return VirtualClock(START)


@pytest.fixture
def lease_of(sqlite_store: Store, clock: VirtualClock) -> Callable[[Process], Lease]:
    return lambda process: Lease(sqlite_store, clock, process)


LeaseOf = Callable[[Process], Lease]


def test_nobody_holds_the_lease_of_a_new_database(lease_of: LeaseOf) -> None:
    lease = lease_of(HERE)
    assert (lease.held, lease.state()) == (False, None)


def test_the_first_to_ask_holds_it(lease_of: LeaseOf) -> None:
    lease = lease_of(ELSEWHERE)
    assert lease.acquire()
    state = lease.state()
    assert state is not None
    assert (lease.held, state.holder, state.epoch, state.mine) == (True, "mei@other-host", 1, True)
    assert state.expires_at == START + TTL_MS


def test_the_lease_has_one_holder(lease_of: LeaseOf) -> None:
    first, second = lease_of(ELSEWHERE), lease_of(HERE)
    assert first.acquire()
    assert not second.acquire()
    assert (first.held, second.held) == (True, False)
    state = second.state()
    assert state is not None
    assert (state.holder, state.mine) == ("mei@other-host", False)


def test_one_that_was_refused_writes_nothing(lease_of: LeaseOf, sqlite_store: Store) -> None:
    lease_of(ELSEWHERE).acquire()
    before = sqlite_store.rev()
    lease_of(HERE).acquire()
    assert sqlite_store.rev() == before


def test_renewing_keeps_the_epoch_and_moves_the_end(lease_of: LeaseOf, clock: VirtualClock) -> None:
    lease = lease_of(ELSEWHERE)
    lease.acquire()
    clock.advance_to(START + 5_000)
    assert lease.renew()
    state = lease.state()
    assert state is not None
    assert (state.epoch, state.expires_at) == (1, START + 5_000 + TTL_MS)


def test_a_lease_that_ran_out_goes_to_whoever_asks_under_a_new_epoch(lease_of: LeaseOf, clock: VirtualClock) -> None:
    first, second = lease_of(ELSEWHERE), lease_of(HERE)
    first.acquire()
    clock.advance_to(START + TTL_MS - 1)
    assert not second.acquire()
    clock.advance_to(START + TTL_MS)
    assert second.acquire()
    assert second.epoch == 2
    assert not first.acquire()
    assert not first.held


def test_one_that_slept_past_its_lease_goes_on_if_nobody_took_over(lease_of: LeaseOf, clock: VirtualClock) -> None:
    lease = lease_of(ELSEWHERE)
    lease.acquire()
    clock.advance_to(START + 10 * TTL_MS)
    assert lease.renew()
    assert lease.epoch == 1


@pytest.mark.parametrize("gone", [DEAD, REUSED], ids=["dead", "pid reused"])
def test_the_lease_of_a_process_of_this_host_that_is_gone_is_free_at_once(lease_of: LeaseOf, gone: Process) -> None:
    lease_of(gone).acquire()
    assert lease_of(HERE).acquire()


def test_the_lease_of_a_process_of_this_host_that_lives_is_not_free(lease_of: LeaseOf) -> None:
    lease_of(HERE).acquire()
    assert not lease_of(replace(HERE, holder="another console")).acquire()


def test_of_another_host_only_the_time_tells(lease_of: LeaseOf) -> None:
    lease_of(replace(DEAD, boot_id="another boot")).acquire()
    assert not lease_of(HERE).acquire()


def test_releasing_hands_over_at_once(lease_of: LeaseOf) -> None:
    first, second = lease_of(ELSEWHERE), lease_of(HERE)
    first.acquire()
    first.release()
    assert not first.held
    assert second.acquire()
    assert second.epoch == 2


def test_releasing_a_lease_that_was_taken_over_leaves_it_alone(lease_of: LeaseOf, clock: VirtualClock) -> None:
    first, second = lease_of(ELSEWHERE), lease_of(HERE)
    first.acquire()
    clock.advance_to(START + TTL_MS)
    second.acquire()
    first.release()
    assert not lease_of(replace(ELSEWHERE, holder="a third")).acquire()


@pytest.mark.parametrize("database", ["postgresql"], indirect=True)
def test_on_a_server_its_clock_decides_and_not_the_consoles(store: Store) -> None:
    in_the_past, in_the_future = VirtualClock(0), VirtualClock(10**15)
    assert Lease(store, in_the_past, ELSEWHERE).acquire()
    assert not Lease(store, in_the_future, HERE).acquire()


# --- an engine without its lease --------------------------------------------------------------------------------------


def taken_over(store: Store) -> tuple[Night, Lease]:
    """A night whose engine hung until another one had taken over, with work to do."""
    wall = VirtualClock(START)
    first = Lease(store, wall, ELSEWHERE, ttl_ms=0)
    second = Lease(store, wall, replace(ELSEWHERE, holder="the next"))
    night = Night(store, task("a"), task("b", "a"))
    night.generate()
    first.acquire()
    night.restart(lease=first)
    night.tick("00:00")
    second.acquire()
    return night, second


def test_an_engine_that_was_fenced_off_changes_nothing(store: Store) -> None:
    night, _ = taken_over(store)
    before = store.rev(), night.whole_journal()
    night.clock.advance_to(night.moment("00:05"))
    with pytest.raises(Fenced, match="the next"):
        night.engine.tick()
    assert (store.rev(), night.whole_journal()) == before


def test_the_engine_that_took_over_ends_what_the_other_began(store: Store) -> None:
    night, lease = taken_over(store)
    night.restart(lease=lease)
    night.run()
    assert night.statuses() == {"a": Status.SUCCEEDED, "b": Status.SUCCEEDED}
    assert len(night.attempts("a")) == 1


def test_an_engine_that_never_had_the_lease_does_not_begin(sqlite_store: Store) -> None:
    night = Night(sqlite_store, task("a"))
    night.generate()
    night.restart(lease=Lease(sqlite_store, VirtualClock(START), HERE))
    with pytest.raises(Fenced):
        night.tick("00:00")
    assert night.status("a") == Status.NOT_RUNNING
