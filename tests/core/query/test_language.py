"""The query language as text: what it reads, and what it says about what it cannot read."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from dpconsole.core.query.language import (
    MAX_DEPTH,
    MAX_LENGTH,
    MAX_TERMS,
    MAX_VALUES,
    MAX_WALKS,
    And,
    Comparison,
    Everything,
    Expression,
    Not,
    Or,
    QueryError,
    Walk,
    Words,
    nearest,
    parse,
)


def shape(expression: Expression) -> object:
    """An expression without its places in the text."""
    match expression:
        case Everything():
            return "everything"
        case Words(values):
            return [value.text for value in values]
        case Comparison(field, operator, _, values):
            return (field.text, operator, *(value.text for value in values))
        case Walk(name, up, down):
            return {name.text: (up, down)}
        case Not(operand):
            return ("not", shape(operand))
        case And(operands):
            return ("and", *map(shape, operands))
        case Or(operands):
            return ("or", *map(shape, operands))


READS = {
    "": "everything",
    "  ": "everything",
    "pay": ["pay"],
    "pay,ord": ["pay", "ord"],
    '"pay ord"': ["pay ord"],
    r'"a \"b\" \\"': [r'a "b" \ '.strip()],
    '"or"': ["or"],
    "order": ["order"],
    "a-b": ["a-b"],
    "dws_trade_pay_ord_1h#03": ["dws_trade_pay_ord_1h#03"],
    "[/]": ["[/]"],
    "支付": ["支付"],
    "c++": ["c++"],
    "status:failed": ("status", ":", "failed"),
    "status:failed,running": ("status", ":", "failed", "running"),
    "status: failed, running": ("status", ":", "failed", "running"),
    'status:"Not Running",failed': ("status", ":", "Not Running", "failed"),
    "prio>=high": ("prio", ">=", "high"),
    "prio >= high": ("prio", ">=", "high"),
    "owner!=lin": ("owner", "!=", "lin"),
    "biz:2026-11-01..-1d": ("biz", ":", "2026-11-01..-1d"),
    "due>2026-11-20T02:00": ("due", ">", "2026-11-20T02:00"),
    "a b": ("and", ["a"], ["b"]),
    "a and b": ("and", ["a"], ["b"]),
    "a or b c": ("or", ["a"], ("and", ["b"], ["c"])),
    "(a or b) c": ("and", ("or", ["a"], ["b"]), ["c"]),
    "a OR b": ("or", ["a"], ["b"]),
    "-a": ("not", ["a"]),
    "not a b": ("and", ("not", ["a"]), ["b"]),
    "-status:failed": ("not", ("status", ":", "failed")),
    "a -b": ("and", ["a"], ("not", ["b"])),
    "not (a or not b)": ("not", ("or", ["a"], ("not", ["b"]))),
    "status:failed and not (project:dev or owner:lin)": (
        "and",
        ("status", ":", "failed"),
        ("not", ("or", ("project", ":", "dev"), ("owner", ":", "lin"))),
    ),
    "+board": {"board": (None, 0)},
    "board+": {"board": (0, None)},
    "+board+": {"board": (None, None)},
    "2+dws_pay+1": {"dws_pay": (2, 1)},
    "345+": {"345": (0, None)},
    "2+345": {"345": (2, 0)},
    '+"pay ord"+3': {"pay ord": (None, 3)},
    "-+board": ("not", {"board": (None, 0)}),
}


@pytest.mark.parametrize(("text", "meaning"), READS.items(), ids=repr)
def test_a_text_has_one_meaning(text: str, meaning: object) -> None:
    assert shape(parse(text)) == meaning


WRONG = {
    "and a": (0, 3, "A term is missing before and"),
    "a and": (5, 1, "A term is missing here"),
    "a or or b": (5, 2, "A term is missing before or"),
    "not": (3, 1, "A term is missing here"),
    "(a": (2, 1, "A ) is missing here"),
    "a)": (1, 1, "No parenthesis is open here"),
    "a ()": (3, 1, "Nothing stands between these parentheses"),
    "status:": (7, 1, "A value is missing here"),
    "status:,a": (7, 1, "A value is missing before the comma"),
    "status:a,,b": (9, 1, "A value is missing before the comma"),
    "status:(a)": (7, 1, "A value is missing here; write several with commas: status:failed,running"),
    '"pay ord': (0, 1, "The quote is not closed"),
    'name:pay"x': (8, 1, "The quote is not closed"),
    ":failed": (0, 1, "A field name must stand before :"),
    "a >= b >= c": (7, 2, "A field name must stand before >="),
    "a.b:c": (3, 1, "A field name must stand before :"),
    "+": (0, 1, "A name is missing beside the +"),
    "a +": (2, 1, "The name beside the + must be one word, or quoted"),
    "a - b": (2, 1, "A term must follow the - without a space"),
    ",a": (0, 1, "A comma stands between values, and none is before it"),
    "(a),b": (3, 1, "A comma stands between values; write or between terms"),
    "1001+a": (0, 4, "At most 1,000 levels; without a number all are walked"),
    "a\x1b[2J": (1, 1, "A control character cannot be searched for"),
    "a" * (MAX_LENGTH + 1): (MAX_LENGTH, 1, "A query has at most 2,000 characters, this one 2,001"),
    "(" * (MAX_DEPTH + 1) + "a": (MAX_DEPTH, 1, "At most 20 levels of parentheses and not"),
    "-" * (MAX_DEPTH + 1) + "a": (MAX_DEPTH, 1, "At most 20 levels of parentheses and not"),
    "a " * (MAX_TERMS + 1): (2 * MAX_TERMS, 1, "At most 100 terms"),
    '""' * (MAX_TERMS + 1): (2 * MAX_TERMS, 1, "At most 100 terms"),
    "+a " * (MAX_WALKS + 1): (3 * MAX_WALKS, 1, "At most 10 graph operators"),
    "a" + ",a" * MAX_VALUES: (2 * MAX_VALUES - 1, 1, "At most 300 values in a term"),
}


@pytest.mark.parametrize(("text", "place"), WRONG.items(), ids=lambda value: repr(value)[:40])
def test_wrong_input_is_told_where_and_why(text: str, place: tuple[int, int, str]) -> None:
    with pytest.raises(QueryError) as caught:
        parse(text)
    assert (caught.value.position, caught.value.length, caught.value.message) == place


def test_a_caret_stands_under_what_is_wrong() -> None:
    error = QueryError("faild is no status", 10, 5, "failed")
    assert error.caret("支付 status:faild").splitlines() == [
        "支付 status:faild",
        "            ^^^^^ faild is no status - did you mean failed?",
    ]


def test_a_caret_line_holds_no_control_character_and_stays_short() -> None:
    with pytest.raises(QueryError) as caught:
        parse("x" * 700 + "\x1b" + "y" * 700)
    lines = caught.value.caret("x" * 700 + "\x1b" + "y" * 700).splitlines()
    assert len(lines) == 2
    assert all(line.isprintable() for line in lines)
    assert len(lines[0]) <= 122
    assert lines[0][lines[1].index("^")] == "␛"


@pytest.mark.parametrize(
    ("word", "known"), {"faild": "failed", "stat": "status", "STATUS": "status", "zzz": "", "": ""}.items()
)
def test_the_nearest_known_word_is_offered(word: str, known: str) -> None:
    assert nearest(word, ("failed", "running", "status")) == known


PIECES = st.sampled_from(
    ["status", ":", ">=", "<", "!=", ",", "..", "-", "+", "2+", "(", ")", '"', "\\", " ", "\t", "and", "or", "not"]
) | st.sampled_from(["failed", "-1d", "支付", "*", "%", "\0", "\x9b", "\ud800", "9" * 30, "02:00", "2026-11-19", "me"])


@given(st.one_of(st.text(max_size=60), st.lists(PIECES, max_size=25).map("".join)))
def test_no_text_does_anything_but_parse_or_explain(text: str) -> None:
    try:
        parse(text)
    except QueryError as error:
        assert 0 <= error.position <= len(text)
        assert error.message
        assert len(error.caret(text).splitlines()) == 2
