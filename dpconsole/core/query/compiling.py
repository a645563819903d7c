"""From an expression to a condition: the meaning of every field, as SQL on bound values and allow-listed columns.

A condition is true or false of a row and never unknown, so that `not x` is exactly what `x` leaves out. Conditions on
the status are written so that the partial indexes of the schema serve them.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

from sqlalchemy import ColumnElement, and_, exists, false, func, not_, or_, select, true
from sqlalchemy.orm import InstrumentedAttribute

from dpconsole.core.domain.backfills import DateState
from dpconsole.core.domain.statuses import NormalisedStatus, Status
from dpconsole.core.query.fields import FIELDS, FLAGS, NAMED, ORDERED, Field, Kind, ListKind
from dpconsole.core.query.language import (
    And,
    Comparison,
    Everything,
    Expression,
    Not,
    Or,
    QueryError,
    Value,
    Walk,
    Words,
    nearest,
)
from dpconsole.core.query.matching import Column, contains, has_element, is_pattern, like, pattern
from dpconsole.core.query.ordering import took
from dpconsole.core.query.values import (
    QueryContext,
    Reader,
    Span,
    read_day,
    read_duration,
    read_id,
    read_moment,
    read_number,
    read_priority,
)
from dpconsole.core.query.walks import instances_around, tasks_around
from dpconsole.core.store.hints import set_aside
from dpconsole.core.store.models import (
    PAUSED,
    Backfill,
    BackfillDate,
    BackfillTally,
    BaselineTask,
    Instance,
    Task,
    status_is,
)

Condition = ColumnElement[bool]

OCCURRENCE = frozenset({"biz", "backfill", "origin"})
"""Fields that say which occurrence is meant; beside a graph operator they also say where its walk starts."""


def compile(expression: Expression, kind: ListKind, context: QueryContext) -> Condition:
    """The condition an expression puts on the rows of a list; QueryError when a field or a value makes no sense."""
    return _condition(expression, _Scope(kind, context))


@dataclass(frozen=True, slots=True)
class _Scope:
    """What a term is read in: the list, the context, and the occurrences its neighbours name."""

    kind: ListKind
    context: QueryContext
    beside: tuple[Condition, ...] = ()

    def among(self, operands: Iterable[Expression]) -> _Scope:
        """The scope of terms that stand together."""
        own = (o for o in operands if isinstance(o, Comparison) and o.name in OCCURRENCE)
        return replace(self, beside=(*self.beside, *(_comparison(comparison, self) for comparison in own)))


def _condition(expression: Expression, scope: _Scope) -> Condition:
    match expression:
        case Everything():
            return true()
        case Words(values):
            return or_(*_named(values, scope))
        case Comparison():
            return _comparison(expression, scope)
        case Walk():
            return _walk(expression, scope)
        case Not(operand):
            return not_(_condition(operand, scope))
        case And(operands):
            inner = scope.among(operands)
            return and_(*(_condition(operand, inner) for operand in operands))
        case Or(operands):
            return or_(*(_condition(operand, scope) for operand in operands))


def _named(values: Sequence[Value], scope: _Scope) -> Iterable[Condition]:
    """Bare words: part of a name, or an id."""
    for name in NAMED[scope.kind]:
        field = FIELDS[scope.kind][name]
        if field.kind is Kind.ID:
            ids = [number for value in values if (number := read_id(value.text, field.prefix)) is not None]
            yield field.column.in_(ids) if ids else false()
        elif field.kind is Kind.TASK_ID:
            yield _task_by(values)
        elif field.kind is Kind.BACKFILL_TASK:
            yield _covers(values)
        else:
            yield or_(*(_known(field.column, contains(field.column, value)) for value in values))


def _walk(walk: Walk, scope: _Scope) -> Condition:
    if scope.kind is ListKind.INSTANCES:
        return instances_around(walk, scope.context, scope.beside)
    if scope.kind is ListKind.TASKS:
        return tasks_around(walk)
    raise walk.name.wrong(f"There is no graph of {scope.kind}; + works on instances and tasks")


# --- comparisons ------------------------------------------------------------------------------------------------------


def _comparison(comparison: Comparison, scope: _Scope) -> Condition:
    field = _field(comparison.field, scope.kind)
    operator = comparison.operator
    if operator[0] in "<>":
        _require_order(field, comparison)
    matched = _MATCHES[field.kind](_Test(field, operator, comparison.values, scope.context))
    return not_(matched) if operator == "!=" else matched


def _field(written: Value, kind: ListKind) -> Field:
    fields = FIELDS[kind]
    field = fields.get(written.text.lower())
    if field is None:
        hint = nearest(written.text, fields)
        rest = "" if hint else f"; there are {', '.join(fields)}"
        raise written.wrong(f"{kind.capitalize()} have no field {written.text}{rest}", hint)
    return field


def _require_order(field: Field, comparison: Comparison) -> None:
    operator, position = comparison.operator, comparison.operator_position
    if field.kind not in ORDERED:
        message = f"{field.name} has no order, so {operator} says nothing; write {field.name}:"
        raise QueryError(message, position, len(operator))
    if len(comparison.values) > 1:
        raise comparison.values[1].wrong(f"Only one value can stand after {operator}")


@dataclass(frozen=True, slots=True)
class _Test:
    """A field, what it is tested against, and how."""

    field: Field
    operator: str
    values: tuple[Value, ...]
    context: QueryContext

    @property
    def column(self) -> Column:
        """The column behind the field."""
        return self.field.column


def _known(column: Column, condition: Condition) -> Condition:
    """The condition, false where the column holds nothing."""
    nullable = isinstance(column, InstrumentedAttribute) and column.property.columns[0].nullable
    return and_(column.is_not(None), condition) if nullable else condition


def _name(test: _Test) -> Condition:
    if test.operator == "=":
        return test.column.in_([value.text for value in test.values])
    return or_(*(contains(test.column, value) for value in test.values))


def _whole(column: Column, texts: Iterable[str], patterns: Iterable[Value]) -> Condition:
    return _known(column, or_(column.in_(list(texts)), *(like(column, pattern(value)) for value in patterns)))


def _exact(test: _Test) -> Condition:
    patterns = [value for value in test.values if is_pattern(value)]
    return _whole(test.column, (value.text for value in test.values if not is_pattern(value)), patterns)


def _user(test: _Test) -> Condition:
    me = test.context.user
    values = (replace(v, text=me, quoted=True) if _is_me(v) else v for v in test.values)
    return _exact(replace(test, values=tuple(values)))


def _is_me(value: Value) -> bool:
    return value.text.lower() == "me" and not value.quoted


def _id(test: _Test) -> Condition:
    return test.column.in_([_require_id(value, test.field.prefix) for value in test.values])


def _require_id(value: Value, prefix: str) -> int:
    number = read_id(value.text, prefix)
    if number is None:
        example = f"345 or {prefix}_12_20261119_345" if prefix else "345"
        raise value.wrong(f"{value.text} is not an id; write {example}")
    return number


def _task_by(values: Iterable[Value], *names: Column) -> Condition:
    """Tasks by workspace id, by number, and by the other names given."""
    values = tuple(values)
    texts = [value.text for value in values if not is_pattern(value)]
    patterns = [value for value in values if is_pattern(value)]
    numbers = [number for text in texts if (number := read_id(text, prefix="n")) is not None]
    return or_(Task.id.in_(numbers), *(_whole(column, texts, patterns) for column in (Task.key, *names)))


def _task(test: _Test) -> Condition:
    return test.column.in_(select(Task.id).where(_task_by(test.values, Task.name)))


def _word(test: _Test) -> Condition:
    stored = [one for value in test.values for one in test.field.vocabulary.read(value, test.field.name)]
    if test.column is Instance.status:
        return status_is(*dict.fromkeys(stored))
    return test.column.in_(stored)


def _truths(test: _Test) -> list[bool]:
    """The truths wanted of a flag; both say nothing, and are allowed."""
    return sorted({truth for value in test.values for truth in FLAGS.read(value, f"value of {test.field.name}")})


def _flag(test: _Test) -> Condition:
    return or_(*(test.column.is_(true() if truth else false()) for truth in _truths(test)))


_PAUSED_NODES = select(Instance.parent_id).where(PAUSED, set_aside(Instance.parent_id).is_not(None))


def _paused(test: _Test) -> Condition:
    paused = or_(PAUSED, Instance.id.in_(_PAUSED_NODES))
    return or_(*(paused if truth else not_(paused) for truth in _truths(test)))


def _tag(test: _Test) -> Condition:
    return or_(*(has_element(test.column, value) for value in test.values))


def _folder(test: _Test) -> Condition:
    folders = [value.text.rstrip("/") or "/" for value in test.values]
    if test.operator == "=":
        return test.column.in_(folders)
    below = (Value(f"{folder.rstrip('/')}/*", 0, 1) for folder in folders)
    return _whole(test.column, folders, below)


def _baseline(test: _Test) -> Condition:
    named = _exact(replace(test, field=replace(test.field, column=BaselineTask.baseline)))
    return test.column.in_(select(BaselineTask.task_id).where(named))


def _backfill(test: _Test) -> Condition:
    numbers = [number for value in test.values if (number := read_id(value.text, prefix="f")) is not None]
    named = or_(Backfill.id.in_(numbers), *(contains(Backfill.name, value) for value in test.values))
    return _known(test.column, test.column.in_(select(Backfill.id).where(named)))


def _backfill_status(test: _Test) -> Condition:
    wanted = [one for value in test.values for one in test.field.vocabulary.read(value, test.field.name)]
    return or_(*(_COMES_TO[status]() for status in wanted))


def _has(*statuses: Status) -> Condition:
    """Some listed instance of the backfill has one of these statuses; what was left out of it counts for nothing."""
    tallied = (
        select(BackfillTally.backfill_id)
        .join(BackfillDate, BackfillDate.id == BackfillTally.backfill_date_id)
        .where(BackfillTally.backfill_id == Backfill.id, BackfillDate.state != DateState.EXCLUDED)
    )
    return exists(tallied.where(BackfillTally.number > 0, BackfillTally.status.in_(statuses)).correlate(Backfill))


def _other_than(status: Status) -> tuple[Status, ...]:
    return tuple(other for other in Status if other is not status)


_COMES_TO: Mapping[NormalisedStatus, Callable[[], Condition]] = {
    NormalisedStatus.NOT_RUNNING: lambda: not_(_has(*_other_than(Status.NOT_RUNNING))),
    NormalisedStatus.FAILED: lambda: _has(Status.FAILED),
    NormalisedStatus.SUCCEEDED: lambda: and_(_has(Status.SUCCEEDED), not_(_has(*_other_than(Status.SUCCEEDED)))),
    NormalisedStatus.RUNNING: lambda: and_(
        not_(_has(Status.FAILED)),
        _has(*_other_than(Status.NOT_RUNNING)),
        _has(*_other_than(Status.SUCCEEDED)),
    ),
}
"""Section 8.2 as conditions: Running is whatever has begun, has not failed and is not done."""


def _backfill_day(test: _Test) -> Condition:
    days = replace(test, field=replace(test.field, kind=Kind.DAY, column=BackfillDate.business_date))
    return test.column.in_(select(BackfillDate.backfill_id).where(_ordered(days)))


_FIRST_DATE = (
    select(func.min(BackfillDate.id))
    .where(BackfillDate.backfill_id == Backfill.id)
    .correlate(Backfill)
    .scalar_subquery()
)


def _covers(values: Sequence[Value]) -> Condition:
    """A backfill has an instance of such a task: on its first data timestamp, for all have the same (section 7)."""
    named = (contains(Task.name, value) for value in values)
    tasks = select(Task.id).where(or_(_task_by(values), *named))
    of_first = (Instance.backfill_id == Backfill.id, Instance.backfill_date_id == _FIRST_DATE)
    return exists(select(Instance.id).where(*of_first, Instance.task_id.in_(tasks)).correlate(Backfill))


# --- what has an order ------------------------------------------------------------------------------------------------

_READERS: Mapping[Kind, Reader] = {
    Kind.PRIORITY: read_priority,
    Kind.DAY: read_day,
    Kind.MOMENT: read_moment,
    Kind.DURATION: read_duration,
    Kind.NUMBER: read_number,
}

_BEYOND: Mapping[str, Callable[[Column, Span], Condition]] = {
    ">": lambda column, span: column >= span.end,
    ">=": lambda column, span: column >= span.start,
    "<": lambda column, span: column < span.start,
    "<=": lambda column, span: column < span.end,
}

_MIRRORED = {">": "<", ">=": "<=", "<": ">", "<=": ">="}
"""A higher priority is a smaller number (section 11.3)."""


def _ordered(test: _Test) -> Condition:
    kind, column = test.field.kind, _measured(test)
    if test.operator in _BEYOND:
        operator = _MIRRORED[test.operator] if kind is Kind.PRIORITY else test.operator
        return _known(test.column, _BEYOND[operator](column, _read(test.values[0], test)))
    return _known(test.column, or_(*(_within(column, _span(value, test)) for value in test.values)))


def _measured(test: _Test) -> Column:
    if test.field.kind is Kind.DURATION:
        return took(test.context)
    return test.column


def _within(column: Column, span: Span) -> Condition:
    if span.single:
        same: Condition = column == span.start
        return same
    bounds = [] if span.start is None else [column >= span.start]
    return and_(*bounds, *([] if span.end is None else [column < span.end]))


def _span(value: Value, test: _Test) -> Span:
    """What a value covers: its own span, or from the start of one to the end of another."""
    if value.quoted or ".." not in value.text:
        return _read(value, test)
    low, _, high = value.text.partition("..")
    if not low and not high:
        raise value.wrong("A range needs a value on one side of the .. at least")
    first = _read(Value(low, value.position, len(low)), test) if low else None
    last = _read(Value(high, value.position + len(low) + 2, len(high)), test) if high else None
    if test.field.kind is Kind.PRIORITY:
        first, last = _low_to_high(first, last)
    if first and last and first.start >= last.end:
        raise value.wrong("The range ends before it begins")
    return Span(first.start if first else None, last.end if last else None)


def _low_to_high(first: Span | None, last: Span | None) -> tuple[Span | None, Span | None]:
    """A range of priorities by its numbers: `low..high` and `high..low` are the same, `high..` is high and above."""
    if first and last:
        return min(first, last, key=lambda span: span.start), max(first, last, key=lambda span: span.start)
    return last, first


def _read(value: Value, test: _Test) -> Span:
    try:
        return _READERS[test.field.kind](value.text, test.context)
    except OverflowError:
        raise value.wrong(f"{value.text} is out of reach") from None
    except ValueError as error:
        raise value.wrong(str(error), nearest(value.text, test.field.words)) from None


_MATCHES: Mapping[Kind, Callable[[_Test], Condition]] = {
    **dict.fromkeys(ORDERED, _ordered),
    Kind.NAME: _name,
    Kind.EXACT: _exact,
    Kind.USER: _user,
    Kind.ID: _id,
    Kind.TASK_ID: lambda test: _task_by(test.values),
    Kind.TASK: _task,
    Kind.WORD: _word,
    Kind.FLAG: _flag,
    Kind.PAUSED: _paused,
    Kind.TAG: _tag,
    Kind.FOLDER: _folder,
    Kind.BASELINE: _baseline,
    Kind.BACKFILL: _backfill,
    Kind.BACKFILL_STATUS: _backfill_status,
    Kind.BACKFILL_DAY: _backfill_day,
    Kind.BACKFILL_TASK: lambda test: _covers(test.values),
}
"""How each kind of field becomes a condition."""
