"""What an operator has settled beforehand: which database, how to look at it, where files live.

Every setting has four places, the nearest wins: a flag, the environment, `dpconsole.toml` in the working directory, the
user's `config.toml`; then its default. A context names a database with its accent colour and `readonly`; naming one
is worth as much as the place that names it. Nothing is guessed: a key nobody knows, or a value that cannot be meant,
is refused with its file, its line and the nearest word: a mistyped `readonly` must not open production for writing.
"""

from __future__ import annotations

import codecs
import re
import shlex
import tomllib
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import dataclass, field
from difflib import get_close_matches
from functools import cached_property, partial
from pathlib import Path
from typing import Any

APP = "dpconsole"
PROJECT_FILE = "dpconsole.toml"
USER_FILE = "config.toml"
DATABASE_FILE = "dpconsole.db"


class SettingsError(Exception):
    """The settings cannot be used; the message holds one line for each problem."""

    def __init__(self, problems: Iterable[Problem]) -> None:
        self.problems = tuple(problems)
        super().__init__("\n".join(map(str, self.problems)))


@dataclass(frozen=True, slots=True)
class Problem:
    """One thing that is wrong: where (a file with its line, a variable, a flag), which key, and why."""

    place: str
    key: str
    words: str

    def __str__(self) -> str:
        return ": ".join(part for part in (self.place, self.key, self.words) if part)


# --- where files live -------------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Places:
    """The directories of this user, by their XDG meaning; none is made before something is written to it."""

    config: Path
    data: Path
    state: Path
    cache: Path

    @classmethod
    def of_user(cls) -> Places:
        """Where the XDG variables, or their defaults, put them."""
        from platformdirs import PlatformDirs

        dirs = PlatformDirs(APP, appauthor=False)
        return cls(dirs.user_config_path, dirs.user_data_path, dirs.user_state_path, dirs.user_cache_path)

    @property
    def user_file(self) -> Path:
        """The user's settings."""
        return self.config / USER_FILE

    @property
    def keymap(self) -> Path:
        """The user's keys."""
        return self.config / "keymap.toml"

    @property
    def views(self) -> Path:
        """The user's saved queries."""
        return self.config / "views.toml"

    @property
    def themes(self) -> Path:
        """The user's themes."""
        return self.config / "themes"

    @property
    def database(self) -> Path:
        """The database when nothing names another."""
        return self.data / DATABASE_FILE


# --- what can be settled ----------------------------------------------------------------------------------------------


@dataclass(frozen=True, slots=True)
class Key:
    """One setting: how its value is read (ValueError says what it should be), its default, its variable."""

    name: str
    read: Callable[[Any], Any]
    default: Any
    variable: str
    about: str


def _text(value: Any) -> str:
    if not isinstance(value, str) or not value:
        raise ValueError("write a text in quotes")
    return value


_FLAGS = dict.fromkeys(("1", "true", "yes", "on"), True) | dict.fromkeys(("0", "false", "no", "off"), False)


def _flag(value: Any) -> bool:
    if isinstance(value, bool):
        return value
    if not isinstance(value, str) or value.lower() not in _FLAGS:
        raise ValueError("write true or false")
    return _FLAGS[value.lower()]


AUTO = "auto"
"""The value of a setting that is found out."""


def _auto_or_flag(value: Any) -> bool | str:
    if value == AUTO:
        return AUTO
    try:
        return _flag(value)
    except ValueError:
        raise ValueError("write auto, true or false") from None


def _command(value: Any) -> tuple[str, ...]:
    """A program and its arguments; a variable holds them as one text, quoted as in a shell."""
    words = shlex.split(value) if isinstance(value, str) else value
    if not isinstance(words, list) or not all(isinstance(word, str) for word in words) or not (words and words[0]):
        raise ValueError('write a list of texts, the program first: ["notify-send", "{name}: {status}"]')
    return tuple(words)


def _one_of(*words: str) -> Callable[[Any], str]:
    def read(value: Any) -> str:
        if isinstance(value, str) and value.lower() in words:
            return value.lower()
        raise ValueError(f"write one of {', '.join(words)}{_meant(str(value), words)}")

    return read


KEYS: tuple[Key, ...] = (
    Key("database", _text, None, "DPCONSOLE_DB", "the database: a path, or a postgresql:// URL"),
    Key("readonly", _flag, False, "DPCONSOLE_READONLY", "whether nothing may be changed"),
    Key("context", _text, "", "DPCONSOLE_CONTEXT", "the context to use when none is named"),
    Key("accent", _text, "", "DPCONSOLE_ACCENT", "the colour that marks this database"),
    Key("synchronous", _one_of("full", "normal"), "full", "DPCONSOLE_SYNCHRONOUS", "how safely SQLite commits"),
    Key("slow_link", _flag, False, "DPCONSOLE_SLOW_LINK", "draw once a second instead of four times"),
    Key("times", _one_of("project", "utc", "local", "age"), "project", "DPCONSOLE_TIMES", "how times are shown"),
    Key("ascii", _auto_or_flag, AUTO, "DPCONSOLE_ASCII", "whether the console draws without glyphs"),
    Key("watch.command", _command, (), "DPCONSOLE_WATCH_COMMAND", "what may be run when something watched ends"),
)
"""Everything that can be settled, in the order in which `config show` prints it; a dot stands for a table."""

CONTEXT_KEYS = ("database", "accent", "readonly", "synchronous", "slow_link")
"""What a context may settle."""

_BY_NAME = {key.name: key for key in KEYS}
_TABLES = frozenset(key.name.partition(".")[0] for key in KEYS if "." in key.name)


@dataclass(frozen=True, slots=True)
class Settled:
    """A value and the place that settled it."""

    value: Any
    place: str


@dataclass(frozen=True)
class Settings:
    """The settings of one run."""

    places: Places
    settled: Mapping[str, Settled]
    contexts: tuple[str, ...] = ()
    files: tuple[Path, ...] = field(default=())

    @cached_property
    def database(self) -> str:
        """The path or URL of the database."""
        return str(self.settled["database"].value)

    @property
    def readonly(self) -> bool:
        """Whether this session may change nothing."""
        return bool(self.settled["readonly"].value)

    @property
    def context(self) -> str:
        """The context in use; empty for none."""
        return str(self.settled["context"].value)

    @property
    def accent(self) -> str:
        """The colour that marks this database; empty for the environment's own."""
        return str(self.settled["accent"].value)

    @property
    def synchronous(self) -> str:
        """FULL or NORMAL."""
        return str(self.settled["synchronous"].value).upper()

    @property
    def slow_link(self) -> bool:
        """Whether the line is slow."""
        return bool(self.settled["slow_link"].value)

    @property
    def times(self) -> str:
        """How times are shown at first: project, utc, local or age."""
        return str(self.settled["times"].value)

    def draws_ascii(self, encoding: str) -> bool:
        """Whether to draw without glyphs: as it is settled, else where a terminal of this encoding has none."""
        value = self.settled["ascii"].value
        return not _can_draw(encoding) if value == AUTO else bool(value)

    @property
    def watch_command(self) -> tuple[str, ...]:
        """The program, and its arguments, that may be run when something watched ends; empty for none."""
        return tuple(self.settled["watch.command"].value)


def _can_draw(encoding: str) -> bool:
    """Of an encoding that is not known everything is expected."""
    try:
        return codecs.lookup(encoding).name == "utf-8"
    except LookupError:
        return True


# --- reading ----------------------------------------------------------------------------------------------------------


def load_settings(
    flags: Mapping[str, Any], environ: Mapping[str, str], directory: Path, places: Places | None = None
) -> Settings:
    """Settle every key. `flags` holds what was given on the command line, `directory` is the working directory.

    Raises `SettingsError` with every problem of every file at once.
    """
    places = places or Places.of_user()
    problems: list[Problem] = []
    files = [_File.read(path, problems) for path in (directory / PROJECT_FILE, places.user_file)]
    contexts = _contexts(files)
    layers = [_Layer.of_flags(flags), _Layer.of_environment(environ, problems), *(file.layer for file in files)]
    settled = _settle([*_with_contexts(layers, contexts, problems), _defaults(places)])
    if problems:
        raise SettingsError(problems)
    return Settings(places, settled, tuple(contexts), tuple(file.path for file in files if file.lines))


@dataclass(frozen=True, slots=True)
class _Layer:
    """What one place settles."""

    settled: Mapping[str, Settled]

    @classmethod
    def of_flags(cls, flags: Mapping[str, Any]) -> _Layer:
        return cls({name: Settled(value, f"--{_FLAG_NAMES.get(name, name)}") for name, value in flags.items()})

    @classmethod
    def of_environment(cls, environ: Mapping[str, str], problems: list[Problem]) -> _Layer:
        given = {key.name: environ[key.variable] for key in KEYS if environ.get(key.variable)}
        return cls(dict(_read(given, lambda name: _BY_NAME[name].variable, _BY_NAME, problems, show_key=False)))


_FLAG_NAMES = {"database": "db", "slow_link": "slow-link"}


@dataclass(frozen=True, slots=True)
class _File:
    """One settings file: its lines (none when there is no file), what it settles, and its contexts."""

    path: Path
    lines: tuple[str, ...]
    layer: _Layer
    contexts: Mapping[str, _Layer]

    @classmethod
    def read(cls, path: Path, problems: list[Problem]) -> _File:
        try:
            text = path.read_text(encoding="utf-8")
            document = tomllib.loads(text)
        except FileNotFoundError:
            return cls(path, (), _Layer({}), {})
        except tomllib.TOMLDecodeError as error:
            problems.append(_syntax_problem(path, str(error)))
            return cls(path, (), _Layer({}), {})
        except (OSError, UnicodeDecodeError) as error:
            problems.append(Problem(str(path), "", f"cannot be read ({error})"))
            return cls(path, (), _Layer({}), {})
        return cls._of(path, tuple(text.splitlines()), document, problems)

    @classmethod
    def _of(cls, path: Path, lines: tuple[str, ...], document: dict[str, Any], problems: list[Problem]) -> _File:
        def place(*keys: str) -> str:
            return f"{path}:{find_line(lines, keys)}"

        named = document.pop("contexts", {})
        if not isinstance(named, dict) or not all(isinstance(some, dict) for some in named.values()):
            problems.append(Problem(place("contexts"), "contexts", "write a table for each, [contexts.NAME]"))
            named = {}
        top = dict(_read(_flat(document), lambda name: place(*name.split(".")), _BY_NAME, problems))
        allowed = {name: _BY_NAME[name] for name in CONTEXT_KEYS}
        contexts = {
            name: _Layer(_rooted(dict(_read(some, partial(place, "contexts", name), allowed, problems)), path))
            for name, some in named.items()
        }
        return cls(path, lines, _Layer(_rooted(top, path)), contexts)


def _flat(document: Mapping[str, Any]) -> dict[str, Any]:
    """The keys of the tables that hold settings, each with the name of its table before it."""
    flat: dict[str, Any] = {}
    for name, value in document.items():
        if name in _TABLES and isinstance(value, dict):
            flat |= {f"{name}.{inner}": some for inner, some in value.items()}
        else:
            flat[name] = value
    return flat


def _read(
    given: Mapping[str, Any],
    place: Callable[[str], str],
    known: Mapping[str, Key],
    problems: list[Problem],
    *,
    show_key: bool = True,
) -> Iterator[tuple[str, Settled]]:
    """The settings of one table; what is wrong with it is added to `problems`."""
    for name, value in given.items():
        shown = name if show_key else ""
        if name not in known:
            problems.append(Problem(place(name), shown, f"unknown key{_meant(name, known)}"))
            continue
        try:
            yield name, Settled(known[name].read(value), place(name))
        except ValueError as error:
            problems.append(Problem(place(name), shown, str(error)))


def _meant(word: str, known: Iterable[str]) -> str:
    nearest = get_close_matches(word, list(known), n=1, cutoff=0.6)
    return f"; did you mean {nearest[0]}?" if nearest else ""


def _rooted(settled: dict[str, Settled], path: Path) -> dict[str, Settled]:
    """A relative path in a file is meant from that file."""
    found = settled.get("database")
    if found is not None and "://" not in found.value:
        rooted = path.absolute().parent / Path(found.value).expanduser()
        settled["database"] = Settled(str(rooted), found.place)
    return settled


def _contexts(files: Iterable[_File]) -> dict[str, _Layer]:
    """Every context, the project file's before the user's."""
    contexts: dict[str, _Layer] = {}
    for file in files:
        for name, layer in file.contexts.items():
            contexts.setdefault(name, layer)
    return contexts


def _with_contexts(
    layers: Iterable[_Layer], contexts: Mapping[str, _Layer], problems: list[Problem]
) -> Iterator[_Layer]:
    """The layers, and after the first that names a context that context's own."""
    chosen = False
    for layer in layers:
        yield layer
        named = layer.settled.get("context")
        if named is None or chosen:
            continue
        chosen = True
        if named.value in contexts:
            yield contexts[named.value]
        elif named.value:
            known = f" (known: {', '.join(contexts)})" if contexts else "; no file names any"
            problems.append(
                Problem(named.place, "", f"no context {named.value!r}{known}{_meant(named.value, contexts)}")
            )


def _defaults(places: Places) -> _Layer:
    values = {key.name: key.default for key in KEYS} | {"database": str(places.database)}
    return _Layer({name: Settled(value, "default") for name, value in values.items()})


def _settle(layers: Iterable[_Layer]) -> dict[str, Settled]:
    settled: dict[str, Settled] = {}
    for layer in layers:
        settled = {**layer.settled, **settled}
    return {key.name: settled[key.name] for key in KEYS}


# --- lines ------------------------------------------------------------------------------------------------------------

_HEADER = re.compile(r"\s*\[\[?\s*(?P<keys>[^\]#]+?)\s*\]\]?")
_PAIR = re.compile(r"\s*(?P<keys>(?:[\w-]+|\"[^\"]*\"|'[^']*')(?:\s*\.\s*(?:[\w-]+|\"[^\"]*\"|'[^']*'))*)\s*=")
_PART = re.compile(r"\"([^\"]*)\"|'([^']*)'|([\w-]+)")


def find_line(lines: Iterable[str], keys: tuple[str, ...]) -> int:
    """The 1-based line of a TOML document on which a key stands, or the table it is in; 1 when neither is found."""
    table: tuple[str, ...] = ()
    best, depth = 1, 0
    for number, line in enumerate(lines, 1):
        if header := _HEADER.match(line):
            table = path = _parts(header["keys"])
        elif pair := _PAIR.match(line):
            path = (*table, *_parts(pair["keys"]))
        else:
            continue
        if len(path) > depth and path == keys[: len(path)]:
            best, depth = number, len(path)
    return best


def _parts(text: str) -> tuple[str, ...]:
    return tuple("".join(match) for match in _PART.findall(text))


_AT_LINE = re.compile(r"^(?P<words>.*?) \(at (?:line (?P<line>\d+), column \d+|end of document)\)$")


def _syntax_problem(path: Path, words: str) -> Problem:
    match = _AT_LINE.match(words)
    if match is None:
        return Problem(str(path), "", words)
    place = f"{path}:{match['line']}" if match["line"] else str(path)
    return Problem(place, "", f"not TOML: {match['words']}")
