"""The documents name tests and files that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
TESTS = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
SAFETY = (ROOT / "docs" / "safety.md").read_text(encoding="utf-8")


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(test_\w+)`", SAFETY))))
def test_every_situation_has_the_test_that_is_named(name: str) -> None:
    assert f"def {name}(" in TESTS


@pytest.mark.parametrize("document", sorted(path.name for path in (ROOT / "docs").glob("*.md")))
def test_files_and_links_that_are_named_exist(document: str) -> None:
    text = (ROOT / "docs" / document).read_text(encoding="utf-8")
    for path in re.findall(
        r"`((?:benchmarks|tests|gameenv|recording|policies|labeling|training|examples)/[\w/.]+)`", text
    ):
        assert (ROOT / path).exists(), path
    for target in re.findall(r"\]\((?!http)([^)#]+)", text):
        assert (ROOT / "docs" / target).exists(), target
