"""``gameenv-doctor``: reads the arguments, runs the checks one after the other, prints a line each.

Knows nothing of what is checked.
"""

import json
from collections.abc import Iterator
from dataclasses import asdict, dataclass

from rich.text import Text

import gameenv  # noqa: F401 (registers the environments)
from gameenv.cli import run_command
from gameenv.console import Console
from gameenv.desktop.window import choose_window
from gameenv.doctor.desktop import check_desktop, list_windows
from gameenv.doctor.finding import Finding
from gameenv.doctor.installation import check_arena, check_disk, check_extras, check_python
from gameenv.doctor.training import check_training

PROG = "gameenv-doctor"
_MARKS = {"green": "ok", "yellow": "note", "red": "BAD"}


@dataclass(frozen=True, slots=True)
class Args:
    """Check what this machine has for live games and for training, and what to do about the rest.

    For example:
        gameenv-doctor --window "The Dark Mod"

    Presses no key and changes nothing. Exit code 1 if something does not work.
    """

    window: str | None = None
    """The game's window by its title, part of it, or a regular expression; without it the whole desktop is seen."""
    process: str | None = None
    """... by its program's file name."""
    window_id: str | None = None
    """... by its number."""
    windows: bool = False
    """Only list the windows that can be named: number, title, program."""
    json: bool = False
    """Print the findings as JSON."""


def check_all(window: str | int | None, process: str | None = None) -> Iterator[Finding]:
    """Every check, as it is done."""
    yield check_python()
    yield from check_extras()
    yield from check_desktop(window, process)
    yield check_arena()
    yield check_disk()
    yield from check_training()


def run(args: Args) -> int:
    """Run the checks and print what they find; 1 if anything is red."""
    found = []
    console = Console(soft_wrap=True)
    window = choose_window(args.window, args.process, args.window_id)
    if args.windows:
        for line in list_windows():
            console.print(Text(line))
        return 0
    for finding in check_all(window, args.process):
        found.append(finding)
        if not args.json:
            console.print(Text(f"{_MARKS[finding.level]:>4}  ", style=finding.level).append(_line(finding), "default"))
    if args.json:
        print(json.dumps([asdict(finding) for finding in found], indent=2))
    return int(any(finding.level == "red" for finding in found))


def _line(finding: Finding) -> str:
    remedy = f"\n      -> {finding.remedy}" if finding.remedy else ""
    return f"{finding.name}: {finding.text}{remedy}"


def main() -> None:
    """Run the command."""
    run_command(run, Args, PROG)


if __name__ == "__main__":
    main()
