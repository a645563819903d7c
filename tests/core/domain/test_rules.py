"""RULES.md: every section a docstring of the package refers to is there."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

import dpconsole

PACKAGE = Path(dpconsole.__file__).parent
RULES = (PACKAGE / "core/domain/RULES.md").read_text(encoding="utf-8")

SECTIONS = set(re.findall(r"^#{2,3} (\d+(?:\.\d+)?)\.? ", RULES, re.MULTILINE))
DECISIONS = set(re.findall(r"^\| (AMB-\d+) \|", RULES, re.MULTILINE))

_REFERENCE = re.compile(r"(?:[Ss]ections?|RULES\.md) (\d+(?:\.\d+)?(?:(?:, | and | to )\d+(?:\.\d+)?)*)")


def references() -> list[tuple[str, str]]:
    """Every section or decision named in the source, beside the file that names it."""
    found = []
    for path in sorted(PACKAGE.rglob("*.py")):
        text = path.read_text(encoding="utf-8")
        sections = (number for listed in _REFERENCE.findall(text) for number in re.findall(r"\d+(?:\.\d+)?", listed))
        found += [(str(path.relative_to(PACKAGE)), name) for name in (*sections, *re.findall(r"AMB-\d+", text))]
    return found


def test_all_twenty_one_sections_and_twenty_eight_decisions_are_there() -> None:
    assert {section for section in SECTIONS if "." not in section} == {str(number) for number in range(1, 22)}
    assert {f"AMB-{number}" for number in range(1, 29)} == DECISIONS


def test_every_reference_in_the_source_resolves() -> None:
    dangling = [(path, name) for path, name in references() if name not in SECTIONS | DECISIONS]
    assert not dangling


@pytest.mark.parametrize("name", [f"A{n}" for n in range(1, 13)] + [f"O{n}" for n in range(1, 11)])
def test_every_transition_of_the_status_machine_has_its_row(name: str) -> None:
    assert f"\n| {name} | " in RULES
