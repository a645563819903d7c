from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from textwrap import dedent

import pytest

from dpconsole.core.domain.definitions import Workspace
from dpconsole.core.workspace.problems import Problem, WorkspaceRefused
from dpconsole.core.workspace.reading import read_workspace

Read = Callable[..., Workspace]
Refuse = Callable[..., tuple[Problem, ...]]


@pytest.fixture
def read(tmp_path: Path) -> Read:
    """Reads YAML texts as the files of one workspace."""

    def read_texts(*texts: str, known: tuple[str, ...] = ()) -> Workspace:
        paths = [tmp_path / f"{number}.yaml" for number, _ in enumerate(texts)]
        for path, text in zip(paths, texts, strict=True):
            path.write_text(dedent(text), encoding="utf-8")
        return read_workspace(paths, known)

    return read_texts


@pytest.fixture
def refuse(read: Read) -> Refuse:
    """Reads YAML texts that have to be refused, and gives the problems."""

    def refused(*texts: str, known: tuple[str, ...] = ()) -> tuple[Problem, ...]:
        with pytest.raises(WorkspaceRefused) as caught:
            read(*texts, known=known)
        return caught.value.problems

    return refused
