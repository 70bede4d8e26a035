"""What every command shares: arguments from one dataclass, one-line errors, exit codes.

Exit codes: 0 done, 1 an expected error (one line on standard error), 2 wrong arguments, 130 Ctrl-C.
Knows nothing of what the commands do.
"""

import sys
from collections.abc import Callable
from typing import NoReturn, TypeVar

import tyro
from rich.console import Console

from gameenv.errors import GameEnvError

Args = TypeVar("Args")


def run_command(main: Callable[[Args], int | None], args: type[Args], prog: str) -> NoReturn:
    """Parse the command line into ``args`` (a dataclass), run ``main`` with it, and exit.

    The dataclass's docstring is the help text and its fields' docstrings describe the options.
    """
    console = Console(stderr=True, soft_wrap=True, highlight=False, markup=False)
    parsed = tyro.cli(args, prog=prog)
    try:
        code = main(parsed) or 0
    except KeyboardInterrupt:
        console.print(f"{prog}: stopped; what was finished is kept. Run the same command again to go on.")
        code = 130
    except GameEnvError as error:
        console.print(f"{prog}: {error}")
        code = 1
    sys.exit(code)
