"""Settings: the nearest place wins, and what cannot be meant is refused with its place."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from dpconsole.core.settings import Places, Settings, SettingsError, find_line, load_settings


@pytest.fixture
def places(tmp_path: Path) -> Places:
    for name in ("config", "data", "work"):
        (tmp_path / name).mkdir()
    return Places(tmp_path / "config", tmp_path / "data", tmp_path / "state", tmp_path / "cache")


@pytest.fixture
def settle(places: Places, tmp_path: Path) -> Any:
    def settle(user: str = "", project: str = "", environ: dict[str, str] | None = None, **flags: Any) -> Settings:
        if user:
            places.user_file.write_text(user)
        if project:
            (tmp_path / "work" / "dpconsole.toml").write_text(project)
        return load_settings(flags, environ or {}, tmp_path / "work", places)

    return settle


LADDER = (
    ({"database": "/flag.db"}, "--db"),
    ({"environ": {"DPCONSOLE_DB": "/env.db"}}, "DPCONSOLE_DB"),
    ({"project": 'database = "/project.db"'}, "dpconsole.toml:1"),
    ({"user": '\ndatabase = "/user.db"'}, "config.toml:2"),
)
"""The four places, nearest first, and how each is named."""


@pytest.mark.parametrize("first", range(len(LADDER) + 1))
def test_the_nearest_place_wins(settle: Any, places: Places, first: int) -> None:
    given: dict[str, Any] = {}
    for arguments, _ in LADDER[first:]:
        given |= arguments
    settings = settle(**given)
    if first == len(LADDER):
        assert settings.database == str(places.data / "dpconsole.db")
        assert settings.settled["database"].place == "default"
    else:
        word = ("flag", "env", "project", "user")[first]
        assert settings.database == f"/{word}.db"
        assert settings.settled["database"].place.endswith(LADDER[first][1])


def test_defaults(settle: Any) -> None:
    settings = settle()
    assert (settings.readonly, settings.synchronous, settings.slow_link, settings.times) == (
        False,
        "FULL",
        False,
        "project",
    )
    assert (settings.context, settings.accent, settings.contexts, settings.files) == ("", "", (), ())


@pytest.mark.parametrize(
    ("text", "expected"), [("1", True), ("yes", True), ("TRUE", True), ("0", False), ("off", False), ("", False)]
)
def test_a_variable_is_a_flag_in_any_usual_spelling(settle: Any, text: str, expected: bool) -> None:
    assert settle(environ={"DPCONSOLE_READONLY": text}).readonly is expected


@pytest.mark.parametrize(
    ("settled", "encoding", "ascii"),
    [
        ("auto", "UTF-8", False),
        ("auto", "utf8", False),
        ("auto", "ANSI_X3.4-1968", True),
        ("auto", "unheard-of", False),
        ("1", "UTF-8", True),
        ("0", "ANSI_X3.4-1968", False),
    ],
)
def test_glyphs_are_drawn_where_the_terminal_can_unless_it_is_settled(
    settle: Any, settled: str, encoding: str, ascii: bool
) -> None:
    assert settle(environ={"DPCONSOLE_ASCII": settled}).draws_ascii(encoding) is ascii


def test_a_relative_path_in_a_file_is_meant_from_that_file(settle: Any, places: Places) -> None:
    assert settle(user='database = "night.db"').database == str(places.config / "night.db")


def test_a_url_is_left_alone(settle: Any) -> None:
    assert settle(user='database = "postgresql://ops@db/night"').database == "postgresql://ops@db/night"


CONTEXTS = """
context = "dev"

[contexts.dev]
database = "/dev.db"
accent = "green"

[contexts.prod]
database = "postgresql://ops@db/night"
accent = "red"
readonly = true
"""


def test_a_context_brings_database_colour_and_caution(settle: Any) -> None:
    chosen = settle(CONTEXTS, context="prod")
    assert (chosen.database, chosen.accent, chosen.readonly) == ("postgresql://ops@db/night", "red", True)
    assert chosen.contexts == ("dev", "prod")


def test_a_context_is_worth_as_much_as_the_place_that_names_it(settle: Any) -> None:
    environ = {"DPCONSOLE_DB": "/env.db"}
    assert settle(CONTEXTS, environ=environ).database == "/env.db"
    assert settle(CONTEXTS, environ=environ, context="prod").database == "postgresql://ops@db/night"
    assert settle(CONTEXTS, environ=environ, context="prod", database="/flag.db").database == "/flag.db"


def test_the_project_file_redefines_a_context(settle: Any) -> None:
    assert settle(CONTEXTS, '[contexts.dev]\ndatabase = "/ours.db"').database == "/ours.db"


@pytest.mark.parametrize(
    ("user", "line", "words"),
    [
        ("readonyl = true", 1, "readonyl: unknown key; did you mean readonly?"),
        ("\n\n[contexts.prod]\ndatbase = 'x'", 4, "datbase: unknown key; did you mean database?"),
        ("contexts.prod.readonly = 'maybe'", 1, "readonly: write true or false"),
        ("synchronous = 'of'", 1, "synchronous: write one of full, normal"),
        ("times = 'projct'", 1, "times: write one of project, utc, local, age; did you mean project?"),
        ("database = 3", 1, "database: write a text in quotes"),
        ("contexts = 3", 1, "contexts: write a table for each, [contexts.NAME]"),
        ("[contexts.prod]\ncontext = 'prod'", 2, "context: unknown key"),
        ("\na = = 1", 2, "not TOML: Invalid value"),
    ],
)
def test_what_cannot_be_meant_is_refused_with_file_and_line(
    settle: Any, places: Places, user: str, line: int, words: str
) -> None:
    with pytest.raises(SettingsError) as caught:
        settle(user)
    assert str(caught.value) == f"{places.user_file}:{line}: {words}"


def test_every_problem_is_told_at_once(settle: Any) -> None:
    with pytest.raises(SettingsError) as caught:
        settle("one = 1\ntwo = 2", "three = 3", {"DPCONSOLE_TIMES": "never"}, context="prodd")
    assert len(caught.value.problems) == 5


def test_an_unknown_context_names_the_nearest(settle: Any) -> None:
    with pytest.raises(SettingsError, match=r"--context: no context 'prd' \(known: dev, prod\); did you mean prod\?"):
        settle(CONTEXTS, context="prd")


def test_a_bad_variable_is_named(settle: Any) -> None:
    with pytest.raises(SettingsError, match=r"^DPCONSOLE_SLOW_LINK: write true or false$"):
        settle(environ={"DPCONSOLE_SLOW_LINK": "perhaps"})


def test_a_file_that_cannot_be_read_is_named(settle: Any, places: Places) -> None:
    places.user_file.mkdir()
    with pytest.raises(SettingsError, match=r"config\.toml: cannot be read"):
        settle()


def test_the_places_follow_xdg(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    for kind in ("CONFIG", "DATA", "STATE", "CACHE"):
        monkeypatch.setenv(f"XDG_{kind}_HOME", str(tmp_path / kind))
    places = Places.of_user()
    assert places.user_file == tmp_path / "CONFIG" / "dpconsole" / "config.toml"
    assert places.keymap == tmp_path / "CONFIG" / "dpconsole" / "keymap.toml"
    assert places.views == tmp_path / "CONFIG" / "dpconsole" / "views.toml"
    assert places.database == tmp_path / "DATA" / "dpconsole" / "dpconsole.db"
    assert (places.state, places.cache) == (tmp_path / "STATE" / "dpconsole", tmp_path / "CACHE" / "dpconsole")


@pytest.mark.parametrize(
    ("keys", "line"),
    [
        (("top",), 1),
        (("a", "b", "key"), 4),
        (("a", "b", "elsewhere"), 3),
        (("a", "b c", "x"), 6),
        (("inline", "deep"), 7),
        (("nowhere",), 1),
    ],
)
def test_a_key_is_found_on_its_line(keys: tuple[str, ...], line: int) -> None:
    document = ["top = 1", "# key = 0", "[a.b]", "key = 2 # key", '[a."b c"]', "x = 3", "[inline]"]
    assert find_line(document, keys) == line


@pytest.mark.parametrize(
    ("given", "expected"),
    [
        ({}, ()),
        ({"user": '[watch]\ncommand = ["notify-send", "{name}: {status}"]'}, ("notify-send", "{name}: {status}")),
        ({"environ": {"DPCONSOLE_WATCH_COMMAND": "notify-send '{name} {status}'"}}, ("notify-send", "{name} {status}")),
    ],
)
def test_what_is_run_when_something_watched_ends(settle: Any, given: dict[str, Any], expected: tuple[str, ...]) -> None:
    assert settle(**given).watch_command == expected


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("[watch]\ncommand = []", "config.toml:2: watch.command: write a list of texts"),
        ("[watch]\ncommand = [1]", "config.toml:2: watch.command: write a list of texts"),
        ("[watch]\n\ncomand = ['true']", "config.toml:3: watch.comand: unknown key; did you mean watch.command?"),
        ("watch = 'true'", "config.toml:1: watch: unknown key"),
    ],
)
def test_a_command_that_cannot_be_meant(settle: Any, text: str, words: str) -> None:
    with pytest.raises(SettingsError) as refused:
        settle(user=text)
    assert words in str(refused.value)
