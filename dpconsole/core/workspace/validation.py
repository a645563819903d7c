"""Holds raw values against a model, says everything that is wrong in plain words, and keeps what is right.

pydantic stops at the shape: a value that is wrong hides what its neighbours would have been told next. So what was
refused is taken out and the rest is read again; one mistake in a task does not hide another in the same task.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from typing import Any, TypeVar, get_args

from pydantic import BaseModel, ValidationError

from dpconsole.core.workspace.documents import Finding, Loc
from dpconsole.core.workspace.problems import did_you_mean, shown
from dpconsole.core.workspace.schema import Model

M = TypeVar("M", bound=Model)

_ROUNDS = 6
"""How often the rest is read again: shape, then what holds between values, then what is left of either."""

_PLAIN = {
    "missing": "is missing",
    "string_type": "has to be text",
    "string_too_short": "is too short",
    "int_parsing": "has to be a whole number",
    "int_from_float": "has to be a whole number",
    "int_parsing_size": "is too large a number",
    "int_type": "has to be a whole number",
    "float_parsing": "has to be a number",
    "float_type": "has to be a number",
    "bool_parsing": "has to be true or false",
    "bool_type": "has to be true or false",
    "list_type": "has to be a list",
    "tuple_type": "has to be a list",
    "dict_type": "has to be a mapping of names",
    "model_type": "has to be a mapping of keys",
    "time_type": "has to be a time of day",
    "date_type": "has to be a date",
    "greater_than_equal": "is out of range: at least {ge:g}",
    "less_than_equal": "is out of range: at most {le:g}",
    "finite_number": "has to be a finite number",
    "enum": "has to be one of {expected}",
    "literal_error": "has to be {expected}",
}
"""pydantic's kinds of error, as they are said here."""


def validate(model: type[M], raw: Any) -> tuple[M | None, frozenset[str], list[Finding]]:
    """Read `raw`: the model of what is right, or None; the keys that lost something; and everything that is wrong."""
    damaged: set[str] = set()
    said: list[Finding] = []
    for _ in range(_ROUNDS):
        value, findings = _attempt(model, raw)
        said += [finding for finding in findings if not damaged.intersection(map(str, finding.loc[:1]))]
        if not findings:
            return value, frozenset(damaged), said
        damaged.update(str(finding.loc[0]) for finding in findings if finding.loc)
        raw = _without(raw, findings)
        if raw is None:
            break
    return None, frozenset(damaged), said


def _attempt(model: type[M], raw: Any) -> tuple[M | None, Sequence[Finding]]:
    try:
        value = model.model_validate(raw)
    except ValidationError as error:
        return None, [_finding(model, each) for each in error.errors(include_url=False)]
    return value, list(value.findings())


def _finding(model: type[Model], error: Any) -> Finding:
    loc, kind, context = error["loc"], error["type"], error.get("ctx", {})
    if kind == "extra_forbidden":
        return Finding(loc, f"unknown key {shown(str(loc[-1]))}", did_you_mean(str(loc[-1]), _keys(model, loc[:-1])))
    if kind == "refused":
        return Finding(loc, context["reason"], context["hint"])
    return Finding(loc, _PLAIN[kind].format_map(context) if kind in _PLAIN else error["msg"])


def _keys(model: type[BaseModel], loc: Loc) -> list[str]:
    """The keys that the model at `loc` below `model` takes."""
    for part in loc:
        named = {field.alias or name: field for name, field in model.model_fields.items()}
        if part in named:
            model = next(_models(named[str(part)].annotation), model)
    return [field.alias or name for name, field in model.model_fields.items()]


def _models(annotation: Any) -> Iterator[type[BaseModel]]:
    if isinstance(annotation, type) and issubclass(annotation, BaseModel):
        yield annotation
    for part in get_args(annotation):
        yield from _models(part)


def _without(raw: Any, findings: Iterable[Finding]) -> Any:
    """A copy of `raw` without the keys the findings are about; None when one is about all of it."""
    kept = _copy(raw)
    guilty = [_innermost(kept, finding.loc) for finding in findings]
    for each in guilty:
        if each is None:
            return None
        holder, key = each
        holder.pop(key, None)
    return kept


def _copy(raw: Any) -> Any:
    if isinstance(raw, dict):
        return {key: _copy(value) for key, value in raw.items()}
    return [_copy(value) for value in raw] if isinstance(raw, list) else raw


def _innermost(raw: Any, loc: Loc) -> tuple[dict[str, Any], str] | None:
    """The innermost key on the way to `loc`, and the mapping that holds it: a list never loses a single item."""
    found = None
    for part in loc:
        if isinstance(raw, dict) and part in raw:
            found = raw, str(part)
        elif not (isinstance(raw, list) and isinstance(part, int) and part < len(raw)):
            break
        raw = raw[part]
    return found
