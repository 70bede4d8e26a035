"""The marker ``slow`` leaves tests out of ``tests/check.py --fast``, and out of no other run."""

import re
import subprocess
import sys
from pathlib import Path

from tests.check import commands

ROOT = Path(__file__).resolve().parent.parent
SLOW = "tests/test_api_reference.py::test_every_public_module_has_a_page"


def collected(*words: str) -> list[str]:
    """What pytest would run of a slow test and of some quick ones, with these words."""
    files = ("tests/test_api_reference.py", "tests/test_docs.py")
    line = [sys.executable, "-m", "pytest", "--collect-only", "-q", "-p", "no:cacheprovider", *files, *words]
    listed = subprocess.run(line, cwd=ROOT, capture_output=True, text=True, timeout=120, check=False)
    assert listed.returncode == 0, listed.stdout + listed.stderr
    return re.findall(r"^tests/\S+", listed.stdout, re.MULTILINE)


def pytest_words(*words: str) -> list[str]:
    return next(arguments for module, *arguments in commands(words) if module == "pytest")


def test_the_whole_run_holds_every_test_and_the_fast_one_those_that_are_not_slow() -> None:
    marker = [word for word in pytest_words("--fast") if word not in pytest_words()]
    assert marker[0] == "-m"
    whole, fast, everything = collected(), collected(*marker), collected("-m", "")
    assert whole == everything
    assert SLOW in whole
    assert SLOW not in fast
    assert fast
    assert set(fast) < set(whole)


def test_only_the_fast_check_is_told_of_slow_tests() -> None:
    assert not any("slow" in word for word in pytest_words("-k", "arena"))
    assert pytest_words("-k", "arena")[-2:] == ["-k", "arena"]
    assert "--fast" not in (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    settings = (ROOT / "pyproject.toml").read_text(encoding="utf-8")
    assert re.findall(r"addopts = .*", settings) == [
        "addopts = \"-ra --strict-markers --import-mode=importlib -m 'not served'\""
    ]


def test_the_fast_check_is_otherwise_the_whole() -> None:
    assert [words[:2] for words in commands(["--fast"])] == [words[:2] for words in commands([])]
