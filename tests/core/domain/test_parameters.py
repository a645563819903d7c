"""Section 18: parameters and expressions of time."""

from __future__ import annotations

from datetime import date, datetime
from zoneinfo import ZoneInfo

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpconsole.core.domain.parameters import check_parameter, resolve_parameters, substitute

BUSINESS_DATE = date(2024, 2, 29)
DUE = datetime(2024, 3, 1, 0, 30, 5, tzinfo=ZoneInfo("Asia/Shanghai"))


def substituted(template: str, **params: str) -> str:
    return substitute(template, BUSINESS_DATE, DUE, params)


@pytest.mark.parametrize(
    ("template", "expected"),
    [
        # built in
        ("${bizdate}", "20240229"),
        ("${ bizdate }", "20240229"),
        ("${cyctime}", "20240301003005"),
        ("dt=${bizdate}/at=${cyctime}", "dt=20240229/at=20240301003005"),
        # counted from the business date, in days
        ("${yyyyMMdd}", "20240229"),
        ("${yyyyMMdd - 1}", "20240228"),
        ("${yyyyMMdd-1}", "20240228"),
        ("${yyyyMMdd + 1}", "20240301"),
        ("${yyyyMMdd+365}", "20250228"),
        ("${yyyy/MM/dd - 29}", "2024/01/31"),
        ("${yyyy-MM-dd}", "2024-02-29"),
        ("${yyyy-MM-dd-1}", "2024-02-28"),
        ("${yyyymmdd}", "20240229"),
        ("${yyyy-mm-dd - 1}", "2024-02-28"),
        ("${yyyyMM}", "202402"),
        ("${yyyymm - 29}", "202401"),
        ("${yyyyMMddHHmmss - 1/24}", "20240228230000"),
        # counted from the scheduled time
        ("$[yyyyMMddHHmmss]", "20240301003005"),
        ("$[yyyyMMddHHmmss - 1/24]", "20240229233005"),
        ("$[yyyyMMddHHmmss - 5/24]", "20240229193005"),
        ("$[yyyyMMddHHmmss + 1/1440]", "20240301003105"),
        ("$[yyyyMMddHHmmss-30/1440]", "20240301000005"),
        ("$[yyyy/MM/dd HH:mm:ss]", "2024/03/01 00:30:05"),
        ("$[yyyy-MM-dd HH:mm:ss - 1]", "2024-02-29 00:30:05"),
        ("$[HH:mm]", "00:30"),
        ("$[mm]", "30"),
        ("$[yyyymmdd]", "20240301"),
    ],
)
def test_expressions_of_time(template: str, expected: str) -> None:
    assert substituted(template) == expected


@pytest.mark.parametrize(
    "template",
    [
        "",
        "nothing here",
        "$bizdate",
        "$(bizdate)",
        "{bizdate}",
        "${}",
        "$[]",
        "${",
        "$[yyyyMMdd",
        "${HOME}",
        "${unknown_name}",
        "$[bizdate]",
        "${bizdate - 1}",
        "${yyyyMMdd - x}",
        "${yyyyMMdd - 1/0}",
        "${yyyyMMdd - 999999999}",
        "${yyyyMMdd * 2}",
        "${yyyyMMdd - 1 - 1}",
        "${__import__('os')}",
        "${arr[0]}",
        "${yyyyMMdd:-1}",
    ],
)
def test_what_names_nothing_stays_as_it_is(template: str) -> None:
    assert substituted(template) == template


@pytest.mark.parametrize(
    ("params", "template", "expected"),
    [
        ({"region": "cn"}, "${region}", "cn"),
        ({"region": ""}, "[${region}]", "[]"),
        ({"day": "${yyyyMMdd - 1}"}, "dt=${day}", "dt=20240228"),
        ({"day": "${bizdate}"}, "dt=${day}", "dt=20240229"),
        ({"hour": "$[HH]"}, "h=${hour}", "h=00"),
        ({"a": "${b}", "b": "x"}, "${a}", "${b}"),  # one pass: values are not templates of each other
        ({"a": "${a}"}, "${a}", "${a}"),
        ({"bizdate": "20000101"}, "${bizdate}", "20240229"),  # a built-in keeps its meaning
        ({"yyyy": "mine"}, "${yyyy}", "mine"),
        ({"region": "cn"}, "$[region]", "$[region]"),
    ],
)
def test_parameters_are_put_in_once(params: dict[str, str], template: str, expected: str) -> None:
    assert substituted(template, **params) == expected


def test_all_parameters_of_an_instance_are_shown_worked_out() -> None:
    assert resolve_parameters(BUSINESS_DATE, DUE, {"day": "${yyyyMMdd - 1}", "region": "cn"}) == {
        "day": "20240228",
        "region": "cn",
        "bizdate": "20240229",
        "cyctime": "20240301003005",
    }


@given(st.text(), st.text(max_size=256))
def test_a_value_arrives_as_it_is_unless_it_refers_to_time(before: str, value: str) -> None:
    if "$" not in value and "$" not in before:
        assert substituted(before + "${p}", p=value) == before + value


@given(st.text(alphabet="${}[]yMdHms-+/ 019bizate", max_size=40))
def test_any_text_can_be_substituted(template: str) -> None:
    assert isinstance(substituted(template), str)


@pytest.mark.parametrize(
    ("name", "value", "words"),
    [
        ("region", "cn", None),
        ("_r2", "", None),
        ("n" * 32, "v" * 256, None),
        ("n" * 33, "v", "at most 32 characters"),
        ("region", "v" * 257, "at most 256 characters"),
        ("", "v", "letters, digits and underscores"),
        ("bad-name", "v", "letters, digits and underscores"),
        ("bad name", "v", "letters, digits and underscores"),
        ("区域", "v", "letters, digits and underscores"),
        ("region\n", "v", "letters, digits and underscores"),
        ("dp_glb_x", "v", "kept for global ones"),
    ],
)
def test_names_and_values_have_their_rules(name: str, value: str, words: str | None) -> None:
    sentence = check_parameter(name, value)
    assert sentence is None if words is None else words in str(sentence)
