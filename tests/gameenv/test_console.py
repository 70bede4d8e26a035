"""No text from outside is markup: not on the console, in no cell, prompt or title, and in no file of the packages."""

import ast
import io
import sys
from collections.abc import Iterator
from pathlib import Path

import pytest
from rich.live import Live
from rich.table import Table

from gameenv.console import Console
from gameenv.progress import Progress

ROOT = Path(__file__).parents[2]
PACKAGES = ("gameenv", "recording", "policies", "labeling", "training", "examples", "benchmarks")
TYPED = "Press [/e] now :key: [bold]"
PLAIN = {"rich.live.Live", "rich.table.Table", "rich.text.Text", "rich.box.SIMPLE_HEAD"}
"""What any module may take from rich: it reads strings as the console that shows it does, or as they are."""
ELSEWHERE = {
    "gameenv/console.py": {"rich.console", "rich.status.Status"},
    "gameenv/progress.py": {"rich.progress.BarColumn", "rich.progress.TaskID", "rich.progress.TextColumn"}
    | {"rich.progress.Progress"},
}
"""What only one module may take, which sees to it that strings stay as they are."""


def console(*, terminal: bool = True) -> tuple[Console, io.StringIO]:
    said = io.StringIO()
    return Console(file=said, width=200, force_terminal=terminal, color_system=None), said


def test_what_is_printed_stays_as_it_is() -> None:
    shown, said = console()
    shown.print(TYPED, style="yellow")
    shown.print(f"1 of {TYPED}")
    shown.rule(TYPED)
    shown.log(TYPED)
    assert said.getvalue().count(TYPED) == 4


def test_every_part_of_a_table_stays_as_it_is() -> None:
    table = Table(TYPED, title=TYPED, caption=TYPED)
    table.add_column("more", footer=TYPED)
    table.show_footer = True
    table.add_row(TYPED, TYPED)
    shown, said = console()
    shown.print(table)
    assert said.getvalue().count(TYPED) == 6


def test_questions_spinners_lines_and_bars_stay_as_they_are(monkeypatch: pytest.MonkeyPatch) -> None:
    shown, said = console()
    monkeypatch.setattr(sys, "stdin", io.StringIO("yes\n"))
    assert shown.input(f"{TYPED}? ") == "yes"
    with shown.status(f"asking {TYPED}"):
        pass
    with Live(f"live {TYPED}", console=shown) as live:
        live.update(f"again {TYPED}", refresh=True)
    with Progress(shown) as progress:
        work = progress.begin(f"doing {TYPED}", TYPED, 2)
        work.update(1, text=TYPED)
        progress.say(f"said {TYPED}")
    for text in (f"{TYPED}? ", f"asking {TYPED}", f"live {TYPED}", f"again {TYPED}", f"doing {TYPED}", f"said {TYPED}"):
        assert text in said.getvalue()
    assert f"2 {TYPED}, {TYPED}" in said.getvalue()


def test_markup_cannot_be_turned_on() -> None:
    shown, said = console()
    options = {"markup": True, "emoji": True}
    Console(file=said, width=200, **options).print(TYPED)
    assert said.getvalue() == f"{TYPED}\n"
    assert shown.render_str(TYPED).plain == TYPED


def from_rich(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and full name of everything a file takes from rich."""
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            yield from ((node.lineno, alias.name) for alias in node.names if alias.name.split(".")[0] == "rich")
        elif isinstance(node, ast.ImportFrom) and (node.module or "").split(".")[0] == "rich":
            yield from ((node.lineno, f"{node.module}.{alias.name}") for alias in node.names)


def reads_markup(tree: ast.AST) -> Iterator[tuple[int, str]]:
    """Line and text of every call that has rich read a string as markup."""
    for node in ast.walk(tree):
        if not isinstance(node, ast.Call):
            continue
        name, given = ast.unparse(node.func), {word.arg: ast.unparse(word.value) for word in node.keywords}
        if (
            "from_markup" in name
            or any(given.get(word, "False") != "False" for word in ("markup", "emoji"))
            or (name.endswith("TextColumn") and "markup" not in given)
        ):
            yield node.lineno, ast.unparse(node)


def faults(source: str, file: str) -> list[str]:
    tree = ast.parse(source, file)
    allowed = PLAIN | ELSEWHERE.get(file, set())
    found = [f"{file}:{line} takes {name}" for line, name in from_rich(tree) if name not in allowed]
    return found + [f"{file}:{line} reads markup: {call}" for line, call in reads_markup(tree)]


def test_no_module_has_another_console() -> None:
    files = [file for package in PACKAGES for file in sorted((ROOT / package).rglob("*.py"))]
    assert len(files) > 200
    wrong = [fault for file in files for fault in faults(file.read_text(encoding="utf-8"), str(file.relative_to(ROOT)))]
    assert not wrong, "text goes through gameenv.console, styled by style= or Text"


@pytest.mark.parametrize(
    "line",
    [
        "from rich.console import Console",
        "from rich import print",
        "import rich",
        "def f():\n    from rich.panel import Panel",
        "from rich.prompt import Confirm",
        "Text.from_markup(goal)",
        "console.print(goal, markup=True)",
        "console.print(goal, emoji=is_told)",
        "TextColumn('{task.description}')",
    ],
)
def test_the_check_sees_every_way_around(line: str) -> None:
    assert len(faults(line, "labeling/tally.py")) == 1
