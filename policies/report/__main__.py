"""``python -m policies.report``: writes the report of an evaluation again."""

import sys
from dataclasses import dataclass
from pathlib import Path

import tyro

from gameenv.cli import run_command
from policies.report.page import write_report


@dataclass(frozen=True, slots=True)
class Args:
    """Write the report of an evaluation again.

    For example:
        python -m policies.report runs/first --examples 2
    """

    out: tyro.conf.Positional[Path]
    """The folder given to gameenv-evaluate --out."""
    examples: int = 1
    """Good and bad episodes to show for each policy and task; 0 for none."""


def main(args: Args) -> None:
    """Write the report and say where it is."""
    sys.stdout.write(f"{write_report(args.out, args.examples, progress=True)}\n")


if __name__ == "__main__":
    run_command(main, Args, "python -m policies.report")
