"""Every command's ``--help`` as it is printed: an example that is copied is one command, and a valid one."""

import importlib
import os
import re
import shlex
import subprocess
import sys
import tomllib
from pathlib import Path
from types import ModuleType

import pytest
import tyro

ROOT = Path(__file__).resolve().parent.parent
SCRIPTS: dict[str, str] = tomllib.loads((ROOT / "pyproject.toml").read_text())["project"]["scripts"]
MODULES = {name: entry.partition(":")[0] for name, entry in SCRIPTS.items()}
PARTS = {
    "python -m training.pretrain": "training.pretrain",
    "python -m gameenv.arena.sets": "gameenv.arena.sets",
    "python -m policies.report": "policies.report.__main__",
}


def shown_help(module: str, *words: str) -> str:
    ran = subprocess.run(
        [sys.executable, "-m", module, *words, "--help"],
        capture_output=True, text=True, check=True, env={**os.environ, "COLUMNS": "80", "PYTHONUTF8": "1"},
    )  # fmt: skip
    return ran.stdout


def starts(line: str) -> bool:
    return line.startswith(tuple(f"{name} " for name in (*MODULES, *PARTS))) or line in MODULES


def named_in(line: str) -> list[str]:
    """The commands that a line shows with options behind them, wherever in it they stand."""
    return re.findall(r"(?:gameenv-[a-z]+|python -m [\w.]+)(?: [a-z]+)? --?\w", line)


def check_example(line: str) -> None:
    """It is accepted by the command that it names."""
    found = next(name for name in (*MODULES, *PARTS) if line == name or line.startswith(f"{name} "))
    module: ModuleType = importlib.import_module((MODULES | PARTS)[found])
    arguments = getattr(module, "Args", None) or module.Command
    tyro.cli(arguments, args=shlex.split(line.removeprefix(found)), console_outputs=False)


@pytest.mark.parametrize(("name", "module"), [*MODULES.items(), *PARTS.items()])
def test_examples_stand_on_lines_of_their_own_and_are_valid(name: str, module: str) -> None:
    overview = shown_help(module)
    found = re.search(r"\{([a-z,]+)\}", overview.splitlines()[0])
    helps = [shown_help(module, word) for word in found[1].split(",")] if found else [overview]
    examples: list[str] = []
    for text in helps:
        about = text.partition("╭")[0].split("\n\n", 1)[1]  # after the usage, before the options
        for line in map(str.strip, about.splitlines()):
            if starts(line):
                check_example(line)
                examples.append(line)
            else:
                assert not named_in(line), "an example within a sentence, or run together with it"
    assert examples, "without an example"
    for line in overview.splitlines():
        shown = line.strip("│ ")
        if found and starts(shown):
            assert shown in examples, "broken by the box around it"
