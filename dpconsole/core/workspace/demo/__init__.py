"""A workspace of our own to look around in: a night that is busy, goes wrong in places, and is the same every time.

The files beside this module are ordinary workspace files; `starter.yaml` is the shortest one worth copying.
"""

from __future__ import annotations

from contextlib import ExitStack
from dataclasses import replace
from importlib.resources import as_file, files

from dpconsole.core.domain.definitions import Project, Role, Workspace
from dpconsole.core.workspace.reading import read_workspace

FILES = ("shared.yaml", "trade.yaml", "user_growth.yaml", "finance.yaml")
STARTER = "starter.yaml"


def demo_workspace(operator: str | None = None) -> Workspace:
    """The demo's definitions; `operator`, an OS user, becomes an admin of the projects that name members."""
    workspace = _read(*FILES)
    if operator is None:
        return workspace
    return replace(workspace, projects=tuple(_open_to(operator, project) for project in workspace.projects))


def starter_workspace() -> Workspace:
    """The workspace of `starter.yaml`."""
    return _read(STARTER)


def _read(*names: str) -> Workspace:
    with ExitStack() as stack:
        return read_workspace([stack.enter_context(as_file(files(__name__) / name)) for name in names])


def _open_to(operator: str, project: Project) -> Project:
    if not project.members:
        return project
    return replace(project, members=tuple({**dict(project.members), operator: Role.ADMIN}.items()))
