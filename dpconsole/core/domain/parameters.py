"""Parameters: names with values, and expressions of time, put into a command or a piece of code.

`${name}` is a parameter or a built-in; `${yyyyMMdd - 1}` counts from the business date, `$[yyyyMMddHHmmss - 1/24]`
from the scheduled time. What is none of these stays as it is: a shell has variables of its own. Substitution is one
pass over the text, so no value can smuggle in another name.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import date, datetime, time, timedelta

MAX_NAME, MAX_VALUE = 32, 256
GLOBAL_PREFIX = "dp_glb_"

_NAME = re.compile(r"[A-Za-z0-9_]+")
_REFERENCE = re.compile(r"\$\{(?P<data>[^{}\[\]]*)\}|\$\[(?P<run>[^{}\[\]]*)\]")
_TOKEN = r"(?:yyyy|MM|mm|dd|HH|ss)"
_EXPRESSION = re.compile(
    rf"\s*(?P<format>{_TOKEN}(?:[-/: ]?{_TOKEN})*)"
    r"\s*(?:(?P<sign>[-+])\s*(?P<count>[0-9]{1,9})(?:\s*/\s*(?P<parts>[0-9]{1,9}))?)?\s*"
)
_STRFTIME = {"yyyy": "%Y", "MM": "%m", "dd": "%d", "HH": "%H", "mm": "%M", "ss": "%S"}

BUILT_INS: dict[str, Callable[[date, datetime], str]] = {
    "bizdate": lambda business_date, due: f"{business_date:%Y%m%d}",
    "cyctime": lambda business_date, due: f"{due:%Y%m%d%H%M%S}",
}
"""The names every task has: its business date and its scheduled time (section 18)."""


def check_parameter(name: str, value: str) -> str | None:
    """The sentence that refuses a parameter, or None when it may be had (section 18)."""
    verdicts = (
        (not _NAME.fullmatch(name), f"{name!r}: a parameter's name is made of letters, digits and underscores."),
        (len(name) > MAX_NAME, f"{name!r}: a parameter's name has at most {MAX_NAME} characters."),
        (name.startswith(GLOBAL_PREFIX), f"{name!r}: names beginning with {GLOBAL_PREFIX} are kept for global ones."),
        (len(value) > MAX_VALUE, f"{name!r}: a parameter's value has at most {MAX_VALUE} characters."),
    )
    return next((sentence for refused, sentence in verdicts if refused), None)


def resolve_parameters(business_date: date, due_local: datetime, params: Mapping[str, str]) -> dict[str, str]:
    """Every parameter of an instance with its value worked out, the built-ins among them (section 18).

    `due_local` is the scheduled time in the workspace's zone. A built-in keeps its meaning whatever `params` say.
    """
    built_in = {name: value(business_date, due_local) for name, value in BUILT_INS.items()}
    return {name: _replace(value, business_date, due_local, built_in) for name, value in params.items()} | built_in


def substitute(template: str, business_date: date, due_local: datetime, params: Mapping[str, str]) -> str:
    """The template with its references replaced; what names nothing stays as it is (section 18)."""
    return _replace(template, business_date, due_local, resolve_parameters(business_date, due_local, params))


def names_in(template: str) -> set[str]:
    """What the `${..}` of a template name: parameters, built-ins, and expressions of time."""
    return {found["data"].strip() for found in _REFERENCE.finditer(template) if found["data"] is not None}


def _replace(template: str, business_date: date, due_local: datetime, values: Mapping[str, str]) -> str:
    midnight = datetime.combine(business_date, time())

    def value_of(reference: re.Match[str]) -> str:
        data, run = reference["data"], reference["run"]
        if run is not None:
            return _evaluate(run, due_local) or reference[0]
        if data.strip() in values:
            return values[data.strip()]
        return _evaluate(data, midnight) or reference[0]

    return _REFERENCE.sub(value_of, template)


def _evaluate(expression: str, moment: datetime) -> str | None:
    """A time expression counted from `moment`, or None when it is none or leaves the calendar."""
    parsed = _EXPRESSION.fullmatch(expression)
    if parsed is None:
        return None
    try:
        offset = timedelta(days=int(parsed["count"] or 0)) / int(parsed["parts"] or 1)
        shown = moment - offset if parsed["sign"] == "-" else moment + offset
    except (ZeroDivisionError, OverflowError):
        return None
    return shown.strftime(_strftime_format(parsed["format"]))


def _strftime_format(form: str) -> str:
    """`mm` is the minute; beside a day or a year and without hours, where MM is not written, it is the month."""
    if not {"HH", "MM"} & set(re.findall(_TOKEN, form)) and re.search("yyyy|dd", form):
        form = form.replace("mm", "MM")
    return re.sub(_TOKEN, lambda token: _STRFTIME[token[0]], form)
