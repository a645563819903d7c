"""Reads one YAML file into plain values that remember where they were written.

A workspace file is read by people and written by hand, so YAML's surprises are left out. Every plain word stays the
text it is: `on`, `no`, `00:30`, `06-18` and `2026-11-19` are never turned into a boolean, a number of seconds or a
date; the schema says later what each of them has to be. Aliases, anchors, tags of other languages, duplicate keys,
further documents, more than `LARGEST` bytes or `DEEPEST` levels are refused: they are how a small file becomes a huge
one, or says two things at once.

All faults of a file are collected; only what makes the rest unreadable (encoding, syntax, depth) stops the reading.
"""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

import yaml

from dpconsole.core.domain.text import clean
from dpconsole.core.workspace.problems import SHOWN, Problem, shown

LARGEST = 16 * 1024 * 1024
DEEPEST = 50

Loc = tuple[int | str, ...]
"""A path into a document: keys and list indexes."""

_Loader: Any = getattr(yaml, "CSafeLoader", yaml.SafeLoader)
_CORE = "tag:yaml.org,2002:"
_TAGS = frozenset(
    {None, "!", *(_CORE + name for name in ("str", "int", "float", "bool", "null", "map", "seq", "timestamp"))}
)
_NULLS = frozenset({"", "~", "null", "Null", "NULL"})
_UNWRITABLE = re.compile("[^\t\n\r\x20-\x7e\x85\xa0-\ud7ff\ue000-\ufffd\U00010000-\U0010ffff]")
UNSTORABLE = re.compile("[\x00\ud800-\udfff]")
_LABELS = ("id", "name", "task")


class Place(NamedTuple):
    """A line and a column, both counted from 1."""

    line: int
    column: int


NOWHERE = Place(0, 0)


class Block(dict[str, Any]):
    """A mapping that knows the place of each of its keys."""

    __slots__ = ("places",)

    def __init__(self) -> None:
        super().__init__()
        self.places: dict[str, Place] = {}


class Items(list[Any]):
    """A list that knows the place of each of its items."""

    __slots__ = ("places",)

    def __init__(self) -> None:
        super().__init__()
        self.places: list[Place] = []


@dataclass(frozen=True, slots=True)
class Finding:
    """Something wrong at `loc` of a document; `place` is given where the location itself does not tell it."""

    loc: Loc
    reason: str
    hint: str = ""
    place: Place | None = None

    def under(self, prefix: Loc) -> Finding:
        """The same finding, seen from further up in the document."""
        return Finding((*prefix, *self.loc), self.reason, self.hint, self.place)


@dataclass(slots=True)
class Document:
    """One file: its values, and what is wrong with it. `root` is None when nothing could be read."""

    file: str
    root: Any = None
    findings: list[Finding] = field(default_factory=list)

    def problem(self, finding: Finding) -> Problem:
        """The finding with its file, its place, and its key as a dotted path."""
        key, place = self.locate(finding.loc)
        line, column = finding.place or place
        return Problem(self.file, line, column, key, clean(finding.reason), clean(finding.hint))

    def locate(self, loc: Loc) -> tuple[str, Place]:
        """The dotted path and the place of `loc`, or of its nearest part that was written down."""
        value, path, place = self.root, "", NOWHERE
        for number, part in enumerate(loc, start=1):
            if isinstance(value, Block) and part in value:
                path += f".{clean(str(part), SHOWN)}"
                place, value = value.places[str(part)], value[str(part)]
            elif isinstance(value, Items) and isinstance(part, int) and part < len(value):
                path += f"[{_label(value[part], part)}]"
                place, value = value.places[part], value[part]
            else:
                is_absent_key = number == len(loc) and (value is None or isinstance(value, Block))
                path += f".{clean(str(part), SHOWN)}" if is_absent_key else ""
                break
        return path.lstrip("."), place


def _label(item: Any, index: int) -> str:
    """What tells an item of a list from its neighbours: its id or name, or else its position from 1."""
    if isinstance(item, Block):
        named = next((item[key] for key in _LABELS if isinstance(item.get(key), str)), None)
        return str(index + 1) if named is None else clean(named, SHOWN)
    return str(index + 1)


def read_document(path: Path) -> Document:
    """Read one file; whatever is wrong with it is in the findings, nothing is raised."""
    document = Document(clean(str(path)))
    text = _text(path, document.findings)
    if text is not None:
        _compose(text, document)
    return document


def _text(path: Path, findings: list[Finding]) -> str | None:
    try:
        with path.open("rb") as stream:
            content = stream.read(LARGEST + 1)
    except (OSError, ValueError) as error:
        findings.append(Finding((), f"cannot be read: {getattr(error, 'strerror', None) or error}"))
        return None
    if len(content) > LARGEST:
        findings.append(Finding((), f"is larger than {LARGEST // 1024 // 1024} MiB", "split it into several files"))
        return None
    return _decoded(content, findings)


def _decoded(content: bytes, findings: list[Finding]) -> str | None:
    try:
        text = content.decode("utf-8-sig")
    except UnicodeDecodeError as error:
        line = content.count(b"\n", 0, error.start) + 1
        column = error.start - content.rfind(b"\n", 0, error.start)
        findings.append(Finding((), "is not UTF-8 text", place=Place(line, column)))
        return None
    if found := _UNWRITABLE.search(text):
        start = found.start()
        place = Place(text.count("\n", 0, start) + 1, start - text.rfind("\n", 0, start))
        code = f"U+{ord(found.group()):04X}"
        findings.append(
            Finding((), f"holds the control character {code}", "write it as an escape in double quotes", place)
        )
        return None
    return text


def _compose(text: str, document: Document) -> None:
    composer = _Composer(yaml.parse(text, Loader=_Loader), document.findings)
    try:
        document.root = composer.root()
    except yaml.MarkedYAMLError as error:
        mark = error.problem_mark or error.context_mark
        said = ", ".join(filter(None, (error.context, error.problem)))
        document.findings.append(Finding((), f"is not YAML: {clean(said)}", place=_place(mark)))
    except _TooDeep as error:
        document.findings.append(Finding((), f"is nested more than {DEEPEST} levels deep", place=_place(error.mark)))
    except (yaml.YAMLError, ValueError, OverflowError) as error:
        document.findings.append(Finding((), f"is not YAML: {clean(str(error))}"))


class _TooDeep(Exception):
    def __init__(self, mark: Any) -> None:
        self.mark = mark


def _place(mark: Any) -> Place:
    return NOWHERE if mark is None else Place(mark.line + 1, mark.column + 1)


_UNREAD = object()
"""Stands for a value that was refused; its key or item is left out."""


_WRITE_OUT = "write the value out"


class _Composer:
    """Turns parser events into `Block`, `Items` and text, and notes what is refused on the way."""

    def __init__(self, events: Iterator[Any], findings: list[Finding]) -> None:
        self._events = events
        self._findings = findings

    def root(self) -> Any:
        next(self._events)  # the start of the stream
        opening = next(self._events)
        if isinstance(opening, yaml.StreamEndEvent):
            return None
        value = self._value(next(self._events), (), 1)
        next(self._events)  # the end of the document
        following = next(self._events)
        if not isinstance(following, yaml.StreamEndEvent):
            self._refuse((), following, "holds more than one document", "put the second one in a file of its own")
        return None if value is _UNREAD else value

    def _refuse(self, loc: Loc, event: Any, reason: str, hint: str = "") -> None:
        self._findings.append(Finding(loc, reason, hint, _place(event.start_mark)))

    def _value(self, event: Any, loc: Loc, depth: int) -> Any:
        if isinstance(event, yaml.AliasEvent):
            self._refuse(loc, event, f"alias {shown(f'*{event.anchor}')}: aliases are not allowed", _WRITE_OUT)
            return _UNREAD
        if event.anchor is not None:
            self._refuse(loc, event, f"anchor {shown(f'&{event.anchor}')}: aliases are not allowed", _WRITE_OUT)
        if event.tag not in _TAGS:
            self._refuse(loc, event, f"tag {shown(event.tag)} is not allowed", "leave the tag out")
        if isinstance(event, yaml.ScalarEvent):
            return self._scalar(event, loc)
        if depth > DEEPEST:
            raise _TooDeep(event.start_mark)
        return self._block(loc, depth) if isinstance(event, yaml.MappingStartEvent) else self._items(loc, depth)

    def _scalar(self, event: Any, loc: Loc) -> str | None:
        text: str = event.value
        if UNSTORABLE.search(text):
            self._refuse(loc, event, "holds a character that cannot be stored (U+0000 or a lone surrogate)")
            return UNSTORABLE.sub("\N{REPLACEMENT CHARACTER}", text)
        return None if event.style in (None, "") and text in _NULLS else text

    def _block(self, loc: Loc, depth: int) -> Block:
        block = Block()
        while not isinstance(event := next(self._events), yaml.MappingEndEvent):
            key = self._key(event, loc, depth)
            value = self._value(next(self._events), (*loc, key), depth + 1)
            if key in block.places:
                first = block.places[key].line
                self._refuse((*loc, key), event, f"duplicate key {shown(key)}", f"first on line {first}")
                continue
            block.places[key] = _place(event.start_mark)
            if value is not _UNREAD:
                block[key] = value
        return block

    def _key(self, event: Any, loc: Loc, depth: int) -> str:
        if isinstance(event, yaml.ScalarEvent):
            if event.anchor is not None or event.tag not in _TAGS or UNSTORABLE.search(event.value):
                self._value(event, loc, depth)
            return str(event.value)
        self._value(event, loc, depth + 1)
        self._refuse(loc, event, "a key has to be plain text")
        return ""

    def _items(self, loc: Loc, depth: int) -> Items:
        items = Items()
        while not isinstance(event := next(self._events), yaml.SequenceEndEvent):
            value = self._value(event, (*loc, len(items)), depth + 1)
            if value is not _UNREAD:
                items.append(value)
                items.places.append(_place(event.start_mark))
        return items
