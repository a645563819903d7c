"""Section 9: statuses of fields and logical tables, and the closure of chosen fields."""

from __future__ import annotations

from itertools import combinations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpconsole.core.domain.fields import chips, close, derive, normalise
from dpconsole.core.domain.statuses import NormalisedStatus, Status

S, R, W, N, F = NormalisedStatus
RUNNING, SUCCEEDED, NOT_RUNNING, FAILED = Status.RUNNING, Status.SUCCEEDED, Status.NOT_RUNNING, Status.FAILED
BY_TIME, BY_THROTTLING, BY_RESOURCE = Status.WAITING_TIME, Status.THROTTLED, Status.WAITING_RESOURCE
LETTERS = {
    "S": [SUCCEEDED],
    "R": [RUNNING],
    "W": [BY_TIME, BY_THROTTLING, BY_RESOURCE],
    "N": [NOT_RUNNING],
    "F": [FAILED],
}

statuses = st.sampled_from(Status)


# -- 9.2: the table of 31 ---------------------------------------------------------------------------------------------

DECISIONS = {
    "S": S, "R": R, "W": W, "N": N, "F": F,
    "SR": S, "SW": S, "SN": S, "SF": S, "RW": R, "RN": R, "RF": R, "WN": W, "WF": W, "NF": N,
    "SRW": S, "SRN": S, "SRF": S, "SWN": S, "SWF": S, "SNF": S, "RWN": R, "RWF": R, "RNF": R, "WNF": W,
    "SRWN": S, "SRWF": S, "SRNF": S, "SWNF": S, "RWNF": R, "SRWNF": S,
}  # fmt: skip


def test_the_table_holds_every_set_of_node_statuses() -> None:
    assert set(DECISIONS) == {"".join(letters) for size in range(1, 6) for letters in combinations("SRWNF", size)}


@pytest.mark.parametrize(("present", "field"), DECISIONS.items())
def test_a_field_is_as_good_as_its_best_node(present: str, field: NormalisedStatus) -> None:
    assert normalise(status for letter in present for status in LETTERS[letter]) is field
    assert normalise(LETTERS[letter][-1] for letter in reversed(present * 2)) is field


def by_the_five_rules(nodes: list[Status]) -> NormalisedStatus | None:
    """The manual's rules in its own order; None in the two gaps it leaves."""
    present = {status.normalised for status in nodes}
    if S in present:
        return S
    if present == {F}:
        return F
    if R in present:
        return R
    if W in present and present & {N, F}:
        return W
    if present == {N}:
        return N
    return None


@given(st.lists(statuses, min_size=1))
def test_the_order_agrees_with_the_manual_wherever_the_manual_speaks(nodes: list[Status]) -> None:
    expected = by_the_five_rules(nodes)
    if expected is None:
        assert {status.normalised for status in nodes} in ({W}, {N, F})
    else:
        assert normalise(nodes) is expected


def test_a_field_without_nodes_has_no_status() -> None:
    assert normalise([]) is None


# -- 9.2: the derived status of a table -------------------------------------------------------------------------------


@pytest.mark.parametrize(
    ("nodes", "table"),
    [
        ([RUNNING, FAILED, BY_RESOURCE, SUCCEEDED], RUNNING),
        ([BY_TIME, BY_THROTTLING, BY_RESOURCE, FAILED], BY_RESOURCE),
        ([BY_TIME, BY_THROTTLING, SUCCEEDED], BY_THROTTLING),
        ([BY_TIME, NOT_RUNNING, FAILED], BY_TIME),
        ([FAILED, NOT_RUNNING, SUCCEEDED], FAILED),
        ([FAILED], FAILED),
        ([SUCCEEDED, SUCCEEDED], SUCCEEDED),
        ([NOT_RUNNING, NOT_RUNNING], NOT_RUNNING),
        ([SUCCEEDED, NOT_RUNNING], NOT_RUNNING),
        ([], NOT_RUNNING),
    ],
)
def test_a_table_is_as_quiet_as_its_busiest_node(nodes: list[Status], table: Status) -> None:
    assert derive(nodes) is table


def by_first_match(nodes: list[Status]) -> Status:
    waiting = [status for status in (BY_RESOURCE, BY_THROTTLING, BY_TIME) if status in nodes]
    if RUNNING in nodes:
        return RUNNING
    if waiting:
        return waiting[0]
    if FAILED in nodes:
        return FAILED
    return SUCCEEDED if nodes and set(nodes) == {SUCCEEDED} else NOT_RUNNING


@given(st.lists(statuses))
def test_the_derived_status_is_the_first_match_of_the_table(nodes: list[Status]) -> None:
    assert derive(nodes) is by_first_match(nodes)


# -- chips ------------------------------------------------------------------------------------------------------------


def test_chips_count_in_the_order_of_the_statuses_and_leave_out_what_is_not_there() -> None:
    assert chips([FAILED, RUNNING, FAILED, NOT_RUNNING], Status) == ((NOT_RUNNING, 1), (RUNNING, 1), (FAILED, 2))
    assert chips([F, S, W, S], NormalisedStatus) == ((S, 2), (W, 1), (F, 1))
    assert chips([], Status) == ()


# -- 9.3: closure -----------------------------------------------------------------------------------------------------

DIM_USER = {"base": ("user_id", "city"), "value": ("user_id", "ltv"), "tags": ("label",)}


@pytest.mark.parametrize(
    ("chosen", "fields", "nodes", "required"),
    [
        (["label"], {"label"}, {"tags"}, {}),
        (["city"], {"city", "user_id", "ltv"}, {"base", "value"}, {"user_id": "base", "ltv": "value"}),
        (["user_id"], {"city", "user_id", "ltv"}, {"base", "value"}, {"city": "base", "ltv": "value"}),
        (["city", "user_id"], {"city", "user_id", "ltv"}, {"base", "value"}, {"ltv": "value"}),
        (["added_later"], {"added_later"}, set(), {}),
        ([], set(), set(), {}),
    ],
)
def test_fields_that_share_nodes_go_along(
    chosen: list[str], fields: set[str], nodes: set[str], required: dict[str, str]
) -> None:
    closure = close(chosen, DIM_USER)
    assert (closure.fields, closure.nodes, closure.required) == (fields, nodes, required)


def test_closure_runs_through_a_chain_of_shared_nodes_to_its_end() -> None:
    chain = {f"n{i}": (f"f{i}", f"f{i + 1}") for i in range(50)}
    closure = close(["f0"], chain)
    assert closure.fields == {f"f{i}" for i in range(51)}
    assert closure.required["f50"] == "n49"


tables = st.dictionaries(
    st.sampled_from("abcdef"), st.frozensets(st.sampled_from("123456789"), min_size=1), min_size=1, max_size=6
)
choices = st.frozensets(st.sampled_from("123456789"))


def by_repetition(chosen: frozenset[str], nodes: dict[str, frozenset[str]]) -> tuple[set[str], set[str]]:
    """Section 9.3 word by word: repeat until nothing is added."""
    fields = set(chosen)
    while True:
        carrying = {node for node, carried in nodes.items() if carried & fields}
        more = fields.union(*(nodes[node] for node in carrying))
        if more == fields:
            return fields, carrying
        fields = more


@given(choices, tables)
def test_closure_is_the_fixed_point(chosen: frozenset[str], nodes: dict[str, frozenset[str]]) -> None:
    closure = close(chosen, nodes)
    assert (closure.fields, closure.nodes) == by_repetition(chosen, nodes)
    assert close(closure.fields, nodes).fields == closure.fields


@given(choices, tables)
def test_each_required_field_names_a_node_that_carries_it(
    chosen: frozenset[str], nodes: dict[str, frozenset[str]]
) -> None:
    closure = close(chosen, nodes)
    assert set(closure.required) == closure.fields - chosen
    assert all(field in nodes[node] and node in closure.nodes for field, node in closure.required.items())
