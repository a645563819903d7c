"""What the README promises is what there is."""

from __future__ import annotations

from tests.contracts.readme_keys import README, with_page


def test_the_page_of_keys_is_the_registry_s() -> None:
    text = README.read_text(encoding="utf-8")
    assert text == with_page(text), "python -m tests.contracts.readme_keys writes it anew"
