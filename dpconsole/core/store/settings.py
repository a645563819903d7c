"""Single facts about a database: its zone and environment, how far generation has come, the seed of its simulation."""

from __future__ import annotations

from sqlalchemy import Connection, bindparam, insert, select, update

from dpconsole.core.store.models import Setting
from dpconsole.core.store.session import Transaction

TIMEZONE = "timezone"
ENVIRONMENT = "environment"
WATERMARK = "watermark"
"""The last business date whose instances nobody needs to generate any more."""
SEED = "seed"
"""What the simulated executor draws from; kept, so that every process draws the same."""

_READ = select(Setting.value).where(Setting.name == bindparam("setting"))
_WRITE = update(Setting).where(Setting.name == bindparam("setting")).values(value=bindparam("new"))


def read_setting(connection: Connection, name: str) -> str | None:
    """The value of a setting; None where nobody has set it."""
    return connection.execute(_READ, {"setting": name}).scalar_one_or_none()


def write_setting(transaction: Transaction, name: str, value: str) -> None:
    """Set a setting."""
    if transaction.execute(_WRITE, {"setting": name, "new": value}).rowcount == 0:
        transaction.execute(insert(Setting), {"name": name, "value": value})
