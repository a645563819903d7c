"""`export instances`, and `ls records --verify`."""

from __future__ import annotations

from pathlib import Path

from openpyxl import load_workbook
from sqlalchemy import create_engine, text

from tests.cli.conftest import Run


def names(path: str) -> list[str]:
    rows = load_workbook(path.strip(), read_only=True).worksheets[0].iter_rows(values_only=True)
    return [str(row[0]) for row in rows]


def test_all_recurring_instances_of_both_kinds_are_written_and_the_path_is_told(night: Run, home: Path) -> None:
    result = night("export", "instances", "--out", home / "out")
    assert result.exit_code == 0
    assert Path(result.stdout.strip()).name.startswith("Dataphin_recurring_instance_")
    assert {"ods_orders", "dim_user", "ads_gmv"} <= set(names(result.stdout))


def test_a_query_narrows_the_download(night: Run, home: Path) -> None:
    result = night("export", "instances", "--out", home / "out", "-q", "status:failed project:trade")
    written = names(result.stdout)
    assert "ods_orders" in written
    assert "ods_users" not in written


def test_what_matches_nothing_writes_nothing(night: Run, home: Path) -> None:
    result = night("export", "instances", "--out", home / "out", "-q", "nobody")
    assert (result.exit_code, result.stdout) == (4, "")
    assert not (home / "out").exists()


def test_a_wrong_query_gets_its_caret(night: Run, home: Path) -> None:
    result = night("export", "instances", "--out", home / "out", "-q", "statsu:failed")
    assert result.exit_code == 2
    assert "^" in result.stderr


def test_a_directory_that_cannot_be_written_to_is_named(night: Run, home: Path) -> None:
    (home / "file").write_text("in the way")
    result = night("export", "instances", "--out", home / "file")
    assert result.exit_code == 1
    assert "file" in result.stderr


def test_a_sound_ledger_is_verified(night: Run) -> None:
    assert night("rerun", "-q", "name=ods_orders", "--yes").exit_code == 0
    result = night("ls", "records", "--verify")
    assert result.exit_code == 0
    assert "hash chain verified, 1 record" in result.stderr


def test_a_ledger_that_was_rewritten_is_told_on(night: Run, home: Path) -> None:
    assert night("rerun", "-q", "name=ods_orders", "--yes").exit_code == 0
    engine = create_engine(f"sqlite:///{next(home.rglob('*.db'))}")
    with engine.begin() as connection:
        triggers = connection.execute(text("select name from sqlite_master where type = 'trigger'")).scalars().all()
        for trigger in triggers:
            connection.execute(text(f"drop trigger {trigger}"))
        connection.execute(text("update operation set actor = 'somebody else'"))
    engine.dispose()
    result = night("ls", "records", "--verify")
    assert result.exit_code == 1
    assert "broken at record 1" in result.stderr


def test_only_records_have_a_chain(night: Run) -> None:
    assert night("ls", "instances", "--verify").exit_code == 2
