"""The one query language: the filter bar, `ls -q`, marks by query, saved views and the ledger all read this.

    status:failed,running owner:me prio>=high biz:2026-11-01..-1d took>1h "pay ord" and not (project:dev or +board)

`parse` turns a text into an expression and knows nothing about columns; `compiling` gives it a meaning. Every text
either parses or raises `QueryError`, which points at the character that is wrong: never another exception, and never
silence. It is fast enough to run on every keystroke, because the grammar is built once and the tree is built while
the text is read.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from functools import cache
from typing import TYPE_CHECKING, Any

from dpconsole.core.domain.text import ELLIPSIS, clean

if TYPE_CHECKING:
    from lark import Lark, Token, UnexpectedInput

MAX_LENGTH = 2_000
"""Characters in a query."""

MAX_DEPTH = 20
"""Parentheses and negations inside one another."""

MAX_TERMS = 100
"""Terms in a query; more would be a list of ids, which is what marks are for."""

MAX_WALKS = 10
"""Graph operators in a query."""

MAX_VALUES = 300
"""Values in one term."""

MAX_LEVELS = 1_000
"""The largest number of levels a graph operator may name; without a number it walks them all."""


class QueryError(Exception):
    """What is wrong with a query: a sentence, the characters it is about, and the nearest word that would be right.

    `position` and `length` count characters of the text; `hint` is empty when nothing known comes near.
    """

    def __init__(self, message: str, position: int, length: int = 1, hint: str = "") -> None:
        super().__init__(message)
        self.message = clean(message)
        self.position = position
        self.length = max(1, length)
        self.hint = hint

    def __str__(self) -> str:
        return f"{self.message} - did you mean {self.hint}?" if self.hint else self.message

    def caret(self, text: str, width: int = 120) -> str:
        """Two lines for a terminal: the text, at most `width` characters around the error, and a caret under it."""
        start = max(0, min(self.position - width // 2, len(text) - width))
        before, marked, after = (
            clean(part, MAX_LENGTH * 4)
            for part in (
                text[start : self.position],
                text[self.position : min(self.position + self.length, start + width)],
                text[self.position + self.length : start + width],
            )
        )
        lead = ELLIPSIS if start else ""
        trail = ELLIPSIS if start + width < len(text) else ""
        return (
            f"{lead}{before}{marked}{after}{trail}\n{' ' * _cells(lead + before)}{'^' * max(1, _cells(marked))} {self}"
        )


def _cells(text: str) -> int:
    """How many terminal cells a clean text takes."""
    return sum(0 if unicodedata.combining(char) else 1 + (unicodedata.east_asian_width(char) in "WF") for char in text)


# --- what a query is --------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Value:
    """One written value; `quoted` means literally what it says: no `me`, no `*`, no range."""

    text: str
    position: int
    length: int
    quoted: bool = False

    def wrong(self, message: str, hint: str = "") -> QueryError:
        """An error that points at this value."""
        return QueryError(message, self.position, self.length, hint)


@dataclass(frozen=True, slots=True)
class Everything:
    """The empty query."""


@dataclass(frozen=True, slots=True)
class Words:
    """Bare words: any of these in the name, or as the id."""

    values: tuple[Value, ...]


@dataclass(frozen=True, slots=True)
class Comparison:
    """A field against values: any of them with `:` and `=`, none with `!=`; one alone with `<` and its like."""

    field: Value
    operator: str
    operator_position: int
    values: tuple[Value, ...]

    @property
    def name(self) -> str:
        """The field's name as it is known: in lower case."""
        return self.field.text.lower()


@dataclass(frozen=True, slots=True)
class Walk:
    """A name and its neighbours in the graph: so many levels `up` and `down`, None for all of them, 0 for none."""

    name: Value
    up: int | None
    down: int | None


@dataclass(frozen=True, slots=True)
class Not:
    """What the operand does not match."""

    operand: Expression


@dataclass(frozen=True, slots=True)
class And:
    """What every operand matches."""

    operands: tuple[Expression, ...]


@dataclass(frozen=True, slots=True)
class Or:
    """What at least one operand matches."""

    operands: tuple[Expression, ...]


Expression = Everything | Words | Comparison | Walk | Not | And | Or


def comparisons(expression: Expression) -> Iterator[Comparison]:
    """Every comparison of an expression, wherever it stands."""
    match expression:
        case Comparison():
            yield expression
        case Not(operand):
            yield from comparisons(operand)
        case And(operands) | Or(operands):
            for operand in operands:
                yield from comparisons(operand)


# --- reading one ------------------------------------------------------------------------------------------------------

GRAMMAR = r"""
?start: disjunction
?disjunction: conjunction (_OR conjunction)*
?conjunction: unary (_AND? unary)*
?unary: (_NOT | _MINUS) unary -> negation
      | _OPEN disjunction _CLOSE
      | FIELD OPERATOR value (_COMMA value)* -> comparison
      | GRAPH -> walk
      | word (_COMMA value)* -> words
value: VALUE | QUOTED
word: WORD -> value
    | QUOTED -> value

_AND.9: /and(?=[\s()"]|$)/i
_OR.9: /or(?=[\s()"]|$)/i
_NOT.9: /not(?=[\s()"]|$)/i
_OPEN: "("
_CLOSE: ")"
_COMMA: ","
_MINUS.8: /-(?=\S)/
FIELD.7: /[^\W\d]\w*(?=\s*(?:!=|[<>]=?|[:=]))/
OPERATOR: /!=|[<>]=?|[:=]/
GRAPH.6: /\d{0,9}\+/ GRAPH_NAME (/\+\d{0,9}/)? GRAPH_END | /(?!-)/ GRAPH_NAME /\+\d{0,9}/ GRAPH_END
GRAPH_NAME: /"(?:[^"\\]|\\.)+"|[^\s(),"+:<>=]+/s
GRAPH_END: /(?=[\s()]|$)/
QUOTED.5: /"(?:[^"\\]|\\.)*"/s
WORD.4: /(?!(?:and|or|not)(?:[\s()"]|$))[^\s(),":<>=!+-][^\s(),":<>=]*/i
VALUE: /[^\s(),"]+/

%ignore /\s+/
"""

_GRAPH = re.compile(r"(?:(?P<up>\d*)\+)?(?P<name>\".*\"|[^+]+)(?:\+(?P<down>\d*))?", re.DOTALL)
_ESCAPED = re.compile(r"\\(.)", re.DOTALL)
_UNTYPABLE = re.compile(r"[\x00-\x08\x0e-\x1b\x7f\ud800-\udfff]")


def parse(text: str) -> Expression:
    """The expression a text means; QueryError when it means none."""
    if len(text) > MAX_LENGTH:
        raise QueryError(f"A query has at most {MAX_LENGTH:,} characters, this one {len(text):,}", MAX_LENGTH)
    if untypable := _UNTYPABLE.search(text):
        raise QueryError("A control character cannot be searched for", untypable.start())
    if not text.strip():
        return Everything()
    from lark import UnexpectedInput

    try:
        expression: Expression = _parser().parse(text)  # type: ignore[assignment]
    except UnexpectedInput as error:
        raise _explain(error, text) from None
    return expression


@cache
def _parser() -> Lark:
    """The parser, built when the first query is read: the grammar costs more than a thousand queries."""
    from lark import Lark, Transformer

    class Build(Transformer):  # type: ignore[type-arg]
        """Makes nodes while the text is read; the names are the grammar's."""

        def disjunction(self, operands: list[Expression]) -> Expression:
            return Or(tuple(operands))

        def conjunction(self, operands: list[Expression]) -> Expression:
            return And(tuple(operands))

        def negation(self, operands: list[Expression]) -> Expression:
            return Not(operands[0])

        def comparison(self, children: list[Any]) -> Expression:
            field, operator, *values = children
            return Comparison(_value(field), str(operator), operator.start_pos, tuple(values))

        def walk(self, children: list[Token]) -> Expression:
            return _walk(children[0])

        def words(self, values: list[Value]) -> Expression:
            return Words(tuple(values))

        def value(self, children: list[Token]) -> Value:
            return _value(children[0])

    return Lark(GRAMMAR, parser="lalr", transformer=Build(), postlex=_Limits(), propagate_positions=False)


class _Limits:
    """Lets tokens pass until there are too many terms, or values in one, or they are nested too deep.

    The databases have such limits themselves, and meet them with errors nobody could act on.
    """

    always_accept: Iterable[str] = ()

    def process(self, stream: Iterator[Token]) -> Iterator[Token]:
        """Yield the tokens of `stream`; QueryError at the first that goes too far."""
        extent = _Extent()
        for token in stream:
            extent.add(token.type)
            for name, (most, words) in _MOST.items():
                if getattr(extent, name) > most:
                    raise QueryError(f"At most {most} {words}", token.start_pos or 0)
            yield token


_MOST = {
    "depth": (MAX_DEPTH, "levels of parentheses and not"),
    "terms": (MAX_TERMS, "terms"),
    "walks": (MAX_WALKS, "graph operators"),
    "values": (MAX_VALUES, "values in a term"),
}
"""How far a query may go, by the measures of its extent."""


@dataclass
class _Extent:
    """How deep and how long a query has become: terms in all, values of the last one, and what is open around it."""

    opened: list[int] = field(default_factory=list)
    negations: int = 0
    terms: int = 0
    walks: int = 0
    values: int = 0
    previous: str = ""

    @property
    def depth(self) -> int:
        """Levels of parentheses and negations around the next term."""
        return sum(self.opened) + self.negations

    def add(self, kind: str) -> None:
        """Take the next token."""
        self._nest(kind)
        if kind in ("FIELD", "GRAPH", "WORD") or (kind == "QUOTED" and self.previous not in ("OPERATOR", "_COMMA")):
            self.terms += 1
            self.values = 1
        self.walks += kind == "GRAPH"
        self.values += kind == "_COMMA"
        self.previous = kind

    def _nest(self, kind: str) -> None:
        if kind in ("_NOT", "_MINUS"):
            self.negations += 1
            return
        if kind == "_OPEN":
            self.opened.append(self.negations + 1)
        elif kind == "_CLOSE" and self.opened:
            self.opened.pop()
        self.negations = 0


def _value(token: Token) -> Value:
    start, text = token.start_pos or 0, str(token)
    quoted = text.startswith('"')
    return Value(_unquoted(text) if quoted else text, start, len(text), quoted)


def _unquoted(text: str) -> str:
    return _ESCAPED.sub(r"\1", text[1:-1])


def _walk(token: Token) -> Walk:
    parts = _GRAPH.fullmatch(str(token))
    assert parts is not None  # the grammar's own pattern matched it
    name, quoted, start = parts["name"], parts["name"].startswith('"'), token.start_pos or 0
    value = Value(_unquoted(name) if quoted else name, start + parts.start("name"), len(name), quoted)
    return Walk(value, *(_levels(parts, side, start) for side in ("up", "down")))


def _levels(parts: re.Match[str], side: str, start: int) -> int | None:
    number = parts[side]
    if number is None:
        return 0
    if number and int(number) > MAX_LEVELS:
        message = f"At most {MAX_LEVELS:,} levels; without a number all are walked"
        raise QueryError(message, start + parts.start(side), len(number))
    return int(number) if number else None


# --- saying what is wrong ---------------------------------------------------------------------------------------------

_MISSING_VALUE: dict[str, str] = {
    "": "A value is missing here",
    ",": "A value is missing before the comma",
    "(": "A value is missing here; write several with commas: status:failed,running",
    '"': "The quote is not closed",
}
"""What is said where a value should stand, by the character that stands there instead; "" is the end of the text."""

_MISSING_TERM: dict[str, str] = {
    "": "A term is missing here",
    ")": "Nothing stands between these parentheses",
    ",": "A comma stands between values, and none is before it",
    '"': "The quote is not closed",
    "+": "A name is missing beside the +",
    "-": "A term must follow the - without a space",
}
"""The same where a term should stand."""

_AFTER_TERM: dict[str, str] = {
    "": "A ) is missing here",
    ")": "No parenthesis is open here",
    ",": "A comma stands between values; write or between terms",
    '"': "The quote is not closed",
    "+": "The name beside the + must be one word, or quoted",
    "-": "A term must follow the - without a space",
}
"""The same where a term has ended."""

_ENDS_TERM = frozenset({"_AND", "_CLOSE", "$END"})
"""What may only follow a whole term."""

_KEYWORD = re.compile(r"(and|or|not)\b", re.IGNORECASE)
_COMPARED = re.compile(r"[:<>=!]+")


def _explain(error: UnexpectedInput, text: str) -> QueryError:
    """A sentence for a parser's error, from the place and from what could have stood there."""
    token = getattr(error, "token", None)
    at_end = token is not None and token.type == "$END"
    position = len(text) if at_end else (error.pos_in_stream or 0)
    found = text[position : position + 1]
    expected = set[str](getattr(error, "accepts", None) or getattr(error, "expected", None) or ())
    ended = bool(_ENDS_TERM & expected)
    if "VALUE" in expected and not ended:
        return QueryError(_MISSING_VALUE.get(found, f"A value cannot begin with {found}"), position)
    return _explain_term(text, position, found, ended)


def _explain_term(text: str, position: int, found: str, ended: bool) -> QueryError:
    if keyword := _KEYWORD.match(text, position):
        return QueryError(f"A term is missing before {keyword[0]}", position, len(keyword[0]))
    if compared := _COMPARED.match(text, position):
        return QueryError(f"A field name must stand before {compared[0]}", position, len(compared[0]))
    sentences = _AFTER_TERM if ended else _MISSING_TERM
    return QueryError(sentences.get(found, f"{found} cannot stand here; quote it to search for it"), position)


def nearest(word: str, known: Iterable[str]) -> str:
    """The known word closest to `word`, or an empty string when none comes near."""
    from difflib import get_close_matches

    by_fold = {candidate.casefold(): candidate for candidate in known}
    begins = [fold for fold in by_fold if len(word) > 1 and fold.startswith(word.casefold())]
    close = begins[:1] or get_close_matches(word.casefold()[:64], by_fold, n=1, cutoff=0.6)
    return by_fold[close[0]] if close else ""
