"""Opening a database: created private, brought up to date whole or not at all, refused when it is not ours."""

from __future__ import annotations

import os
import random
import shutil
import sqlite3
import stat
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest
from sqlalchemy import insert, select, text

from dpconsole.core.store import opening
from dpconsole.core.store.errors import StoreBusy, StoreDamaged, StoreError, StoreOutdated, StoreReadOnly
from dpconsole.core.store.models import Counter, Setting
from dpconsole.core.store.opening import COUNTERS, HEAD, check_integrity, file_system, open_store
from dpconsole.core.store.session import Store
from tests.conftest import Postgres
from tests.faults.sizes import size


def write_setting(store: Store, name: str, value: str) -> None:
    with store.write() as transaction:
        transaction.execute(insert(Setting), {"name": name, "value": value})


def settings(store: Store) -> dict[str, str]:
    with store.read() as connection:
        return dict(connection.execute(select(Setting.name, Setting.value)).all())


def set_revision(path: Path, revision: str) -> None:
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("UPDATE alembic_version SET version_num = ?", (revision,))


# --- new --------------------------------------------------------------------------------------------------------------


def test_a_new_database_and_its_directory_are_private(tmp_path: Path) -> None:
    path = tmp_path / "share" / "dpconsole" / "store.db"
    store = open_store(path)
    write_setting(store, "timezone", "UTC")
    modes = {file.name: stat.S_IMODE(file.stat().st_mode) for file in path.parent.iterdir()}
    assert modes == {"store.db": 0o600, "store.db-wal": 0o600, "store.db-shm": 0o600}
    assert stat.S_IMODE(path.parent.stat().st_mode) == 0o700


def test_a_fresh_database_has_every_counter(store: Store) -> None:
    with store.read() as connection:
        counters = dict(connection.execute(select(Counter.name, Counter.value)).all())
    assert counters == dict.fromkeys(COUNTERS, 0)


def test_opening_what_is_up_to_date_leaves_alembic_alone(sqlite_template: Path) -> None:
    code = (
        "import sys; from dpconsole.core.store.opening import open_store; open_store(sys.argv[1]); print(*sys.modules)"
    )
    loaded = subprocess.run([sys.executable, "-c", code, sqlite_template], capture_output=True, text=True, check=True)
    assert "alembic" not in loaded.stdout.split()


TOGETHER = size(3, 8)
"""Processes that start at once."""


@pytest.mark.parametrize("exists", [False, True], ids=["missing", "empty"])
def test_processes_that_start_together_all_succeed(tmp_path: Path, exists: bool) -> None:
    path = tmp_path / "new" / "store.db"
    if exists:
        path.parent.mkdir()
        path.touch()
    code = "import sys; from dpconsole.core.store.opening import open_store; print(open_store(sys.argv[1]).rev())"
    together = [
        subprocess.Popen([sys.executable, "-c", code, path], stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True)
        for _ in range(TOGETHER)
    ]
    answers = [process.communicate(timeout=60) for process in together]
    assert answers == [("0\n", "")] * TOGETHER


def test_consoles_that_start_together_on_an_empty_server_all_succeed(postgres: Postgres) -> None:
    url = postgres.create("template0")
    with ThreadPoolExecutor(4) as pool:
        stores = list(pool.map(open_store, [url] * 4))
    assert [store.rev() for store in stores] == [0] * 4
    for store in stores:
        store.close()


# --- refused ----------------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("content", [b"x", b"PK\x03\x04" * 2_000, b"SQLite format 3\x00" + b"\xff" * 5_000])
def test_a_file_that_is_no_database_is_refused_and_left_alone(tmp_path: Path, content: bytes) -> None:
    path = tmp_path / "notes.db"
    path.write_bytes(content)
    with pytest.raises(StoreDamaged, match=r"notes\.db: .* move"):
        open_store(path)
    assert path.read_bytes() == content


def test_a_database_of_another_program_is_refused(tmp_path: Path) -> None:
    path = tmp_path / "other.db"
    with closing(sqlite3.connect(path)) as connection, connection:
        connection.execute("CREATE TABLE customers (id INTEGER)")
    with pytest.raises(StoreError, match=r"holds other tables .customers"):
        open_store(path)


@pytest.mark.parametrize(
    ("target", "words"),
    [
        ("{tmp}", "a directory"),
        ("sqlite://", "cannot be shared"),
        (":memory:", "cannot be shared"),
        ("mysql://root@host/db", "mysql: not supported"),
        ("no such://", "not a database URL"),
    ],
)
def test_a_target_that_cannot_be_a_store_is_refused_in_words(tmp_path: Path, target: str, words: str) -> None:
    with pytest.raises(StoreError, match=words):
        open_store(target.format(tmp=tmp_path))


@pytest.mark.parametrize("how", [{"create": False}, {"readonly": True}])
def test_nothing_is_created_unasked(tmp_path: Path, how: dict[str, bool]) -> None:
    with pytest.raises(StoreError, match="no database here"):
        open_store(tmp_path / "store.db", **how)
    assert not list(tmp_path.iterdir())


def test_a_server_that_does_not_answer_is_a_matter_of_trying_again(tmp_path: Path) -> None:
    with pytest.raises(StoreBusy, match="no connection to the server"):
        open_store(f"postgresql://me@/db?host={tmp_path}")


def test_a_database_the_server_does_not_have_is_named(postgres: Postgres) -> None:
    with pytest.raises(StoreError, match=r'/nowhere.*database "nowhere" does not exist'):
        open_store(postgres.uri.set(database="nowhere").render_as_string(hide_password=False))


def test_a_newer_schema_is_only_looked_at(sqlite_template: Path, tmp_path: Path) -> None:
    path = Path(shutil.copy(sqlite_template, tmp_path))
    set_revision(path, "9000")
    with pytest.raises(StoreOutdated, match=r"9000.*newer.*--readonly"):
        open_store(path)
    store = open_store(path, readonly=True)
    assert store.rev() == 0
    with pytest.raises(StoreReadOnly):
        write_setting(store, "timezone", "UTC")


MOUNTS = r"""21 1 254:0 / / rw,relatime - ext4 /dev/vda rw
30 21 0:41 / /home/team rw - nfs4 server:/team rw
31 30 254:9 / /home/team/local\040disk rw - xfs /dev/vdb rw
32 21 0:50 / /mnt/remote rw - fuse.sshfs box:/ rw"""


@pytest.mark.parametrize(
    ("path", "kind"),
    [
        ("/var/store.db", "ext4"),
        ("/home/team/store.db", "nfs4"),
        ("/home/teamwork/store.db", "ext4"),
        ("/home/team/local disk/store.db", "xfs"),
        ("/mnt/remote/deep/store.db", "fuse.sshfs"),
    ],
)
def test_the_file_system_of_a_path_is_that_of_the_nearest_mount(path: str, kind: str) -> None:
    assert file_system(Path(path), MOUNTS) == kind


@pytest.mark.parametrize("kind", ["nfs", "nfs4", "cifs", "smb3", "fuse", "fuse.sshfs"])
def test_a_network_file_system_is_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, kind: str) -> None:
    mounts = tmp_path / "mountinfo"
    mounts.write_text(f"21 1 0:41 / / rw - {kind} server:/ rw\n")
    monkeypatch.setattr(opening, "_MOUNTS", mounts)
    with pytest.raises(StoreError, match=f"on {kind}, .* local disk, or a postgresql"):
        open_store(tmp_path / "store.db")


# --- faults -----------------------------------------------------------------------------------------------------------


def test_a_flipped_byte_is_found_or_harmless_and_never_repaired(sqlite_template: Path, tmp_path: Path) -> None:
    whole = sqlite_template.read_bytes()
    path = tmp_path / "store.db"
    dice = random.Random(4)
    found = 0
    for _ in range(60):
        damaged = bytearray(whole)
        damaged[dice.choice([dice.randrange(100), dice.randrange(len(whole))])] ^= 1 << dice.randrange(8)
        path.write_bytes(damaged)
        try:
            store = open_store(path, readonly=True)
        except StoreError:
            found += 1
            continue
        try:
            check_integrity(store)
        except StoreError:
            found += 1
        store.close()
        assert path.read_bytes() == damaged
    assert found > 10


def test_a_torn_file_is_damaged(sqlite_template: Path, tmp_path: Path) -> None:
    path = tmp_path / "store.db"
    path.write_bytes(sqlite_template.read_bytes()[:-8_192])
    with pytest.raises(StoreDamaged):
        check_integrity(open_store(path))


def test_on_a_full_disk_nothing_is_half_written(sqlite_store: Store) -> None:
    with sqlite_store.read() as connection:
        pages = connection.execute(text("PRAGMA page_count")).scalar_one()
    write_setting(sqlite_store, "before", "kept")
    limit(sqlite_store, pages + 10)
    with pytest.raises(StoreReadOnly, match="disk is full"), sqlite_store.write() as transaction:
        for number in range(100):
            transaction.execute(insert(Setting), {"name": f"n{number}", "value": "x" * 4_096})
    assert settings(sqlite_store) == {"before": "kept"}
    limit(sqlite_store, 1_000_000)
    write_setting(sqlite_store, "after", "space came back")
    assert set(settings(sqlite_store)) == {"before", "after"}
    check_integrity(sqlite_store)


def limit(store: Store, pages: int) -> None:
    with store.writer.connect() as connection:
        connection.exec_driver_sql(f"PRAGMA max_page_count={pages}")
        connection.commit()


@pytest.fixture
def guarded() -> Iterator[Path]:
    """A directory we may read and not write, even where the tests run as root."""
    directory = Path(tempfile.mkdtemp(prefix="dpconsole-"))
    directory.chmod(0o555)
    user = os.geteuid()
    if user == 0:
        os.seteuid(65_534)
    yield directory
    os.seteuid(user)
    directory.chmod(0o755)
    shutil.rmtree(directory)


def test_a_directory_that_cannot_be_written_is_named(guarded: Path) -> None:
    with pytest.raises(StoreReadOnly, match=r"cannot be written .Permission denied"):
        open_store(guarded / "store.db")
    with pytest.raises(StoreReadOnly, match=r"cannot be written .Permission denied"):
        open_store(guarded / "deep" / "store.db")


# --- migrated ---------------------------------------------------------------------------------------------------------


@pytest.fixture
def next_version(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A program one revision ahead; returns the file of its last revision, which a test may rewrite."""
    migrations = tmp_path / "migrations"
    shutil.copytree(opening.MIGRATIONS, migrations, ignore=shutil.ignore_patterns("__pycache__"))
    last = migrations / "versions" / "9000_next.py"
    last.write_text(NEXT.format(body="pass"))
    monkeypatch.setattr(opening, "MIGRATIONS", migrations)
    monkeypatch.setattr(opening, "HEAD", "9000")
    return last


NEXT = f"""import os
from alembic import op
import sqlalchemy as sa
revision, down_revision, branch_labels, depends_on = "9000", {HEAD!r}, None, None
def upgrade():
    with op.batch_alter_table("project", recreate="auto") as batch:
        batch.add_column(sa.Column("colour", sa.Text(), nullable=True))
    {{body}}
"""


def columns(database: str) -> set[str]:
    store = Store(database)
    with store.read() as connection:
        found = set(connection.execute(text("SELECT * FROM project")).keys())
    store.close()
    return found


def test_an_old_schema_is_migrated_and_kept_aside(sqlite_store: Store, next_version: Path) -> None:
    write_setting(sqlite_store, "timezone", "Asia/Shanghai")
    path = sqlite_store.path
    assert path is not None
    sqlite_store.close()
    migrated = open_store(path)
    backup = path.with_name(f"store.db.{HEAD}.backup")
    assert "colour" in columns(str(path))
    assert "colour" not in columns(str(backup))
    assert settings(migrated) == settings(Store(backup)) == {"timezone": "Asia/Shanghai"}
    assert stat.S_IMODE(backup.stat().st_mode) == 0o600
    migrated.close()


def test_a_migration_that_fails_leaves_the_old_schema(database: str, next_version: Path) -> None:
    next_version.write_text(NEXT.format(body="raise RuntimeError('half way')"))
    with pytest.raises(RuntimeError, match="half way"):
        open_store(database)
    assert "colour" not in columns(database)
    next_version.write_text(NEXT.format(body="pass"))
    open_store(database).close()
    assert "colour" in columns(database)


def test_a_migration_that_is_killed_leaves_the_old_schema(database: str, next_version: Path) -> None:
    next_version.write_text(NEXT.format(body="os._exit(9)"))
    code = (
        "import sys; from pathlib import Path; from dpconsole.core.store import opening; "
        "opening.HEAD, opening.MIGRATIONS = '9000', Path(sys.argv[2]); opening.open_store(sys.argv[1])"
    )
    killed = subprocess.run([sys.executable, "-c", code, database, str(opening.MIGRATIONS)], check=False)
    assert killed.returncode == 9
    assert "colour" not in columns(database)
    next_version.write_text(NEXT.format(body="pass"))
    open_store(database).close()
    assert "colour" in columns(database)


def test_read_only_never_migrates(database: str, next_version: Path) -> None:
    with pytest.raises(StoreReadOnly, match="without --readonly"):
        open_store(database, readonly=True)
    assert "colour" not in columns(database)
