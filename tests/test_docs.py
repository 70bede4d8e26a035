"""The documents, and the code where it cites them, name tests, files and headings that exist."""

import re
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("gameenv", "recording", "policies", "labeling", "training")
TESTS = "\n".join(path.read_text(encoding="utf-8") for path in (ROOT / "tests").rglob("test_*.py"))
SAFETY = (ROOT / "docs" / "safety.md").read_text(encoding="utf-8")
DOCUMENTS = sorted(
    path.relative_to(ROOT).as_posix()
    for path in (*(ROOT / "docs").glob("*.md"), *ROOT.glob("[A-Z]*.md"), *(ROOT / "dataset").glob("*.md"))
    if path.name != "CHANGELOG.md"  # which names files of earlier versions
)


def headings(document: Path) -> set[str]:
    """The anchors that GitHub gives a document's headings."""
    found = re.findall(r"^#+ (.+)$", document.read_text(encoding="utf-8"), re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", re.sub(r"[`*]", "", each).lower()).replace(" ", "-") for each in found}


@pytest.mark.parametrize("name", sorted(set(re.findall(r"`(test_\w+)`", SAFETY))))
def test_every_situation_has_the_test_that_is_named(name: str) -> None:
    assert f"def {name}(" in TESTS


@pytest.mark.parametrize("document", DOCUMENTS)
def test_files_and_links_that_are_named_exist(document: str) -> None:
    text = (ROOT / document).read_text(encoding="utf-8")
    folders = "benchmarks|tests|gameenv|recording|policies|labeling|training|examples"
    for path in re.findall(rf"`((?:{folders})/[\w/.]+)[` ]", text):
        assert (ROOT / path).exists(), path
    for target in re.findall(r"\]\((?!http)([^)]+)", text):
        path, _, heading = target.partition("#")
        linked = (ROOT / document).parent / path if path else ROOT / document
        assert linked.exists(), target
        assert not heading or heading in headings(linked), target


def test_code_cites_documents_of_this_repository() -> None:
    for file in (path for package in PACKAGES for path in (ROOT / package).rglob("*.py")):
        text = file.read_text(encoding="utf-8")
        assert not re.search(r"\bDESIGN\b|pipeline-spec", text), file
        for document in re.findall(r"docs/[\w./-]+\.md", text):
            assert (ROOT / document).exists(), f"{file} cites {document}"
