"""What every command shares: arguments from one dataclass, one-line errors, exit codes.

Exit codes: 0 done, 1 an expected error (one line on standard error), 2 wrong arguments, 130 Ctrl-C, 143 terminated.
Knows nothing of what the commands do.
"""

import dataclasses
import io
import os
import signal
import sys
import threading
from collections.abc import Callable, Sequence
from pathlib import Path
from typing import Any, NoReturn, TypeVar, get_args, get_origin, get_type_hints

import tyro

from gameenv.console import Console
from gameenv.errors import GameEnvError
from gameenv.home import expand_home
from gameenv.users import belongs_to

Args = TypeVar("Args")


KEPT = "stopped; what was finished is kept. Run the same command again to go on."


def run_command(main: Callable[[Args], int | None], args: type[Args], prog: str, *, stopped: str = KEPT) -> NoReturn:
    """Parse the command line into ``args`` (a dataclass), run ``main`` with it, and exit.

    The dataclass's docstring is the help text and its fields' docstrings describe the options. An option that takes
    several values may be given several times, too. ``stopped`` is said after Ctrl-C.
    """
    _mend_streams()
    console = Console(stderr=True, soft_wrap=True)
    if threading.current_thread() is threading.main_thread():
        signal.signal(signal.SIGTERM, _terminate)
    try:
        code = main(parse(args, prog=prog)) or 0
        sys.stdout.flush()
    except KeyboardInterrupt as error:
        console.print(f"{prog}: {stopped}")
        code = 143 if isinstance(error, Terminated) else 130
    except BrokenPipeError:  # whoever read our output has gone; Python would complain of it once more at exit
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        code = 1
    except (GameEnvError, OSError) as error:
        console.print(f"{prog}: {error}{_whose(error)}")
        code = 1
    sys.exit(code)


def _join_repeated(args: type[Any], words: Sequence[str]) -> list[str]:
    """Put the values of an option that is given again behind those it was given first; tyro would drop these."""
    joined: dict[str, list[str]] = {"": []}
    lists = _list_options(args)
    at = ""
    for number, word in enumerate(words):
        name, equals, value = word.partition("=")
        if word == "--":
            at = f"-- {number}"
            joined[at] = [word]
        elif not word.startswith("--"):
            joined[at].append(word)
        elif (name := name.replace("_", "-")) in lists:
            at = name
            joined.setdefault(at, [at]).extend([value] if equals else [])
        else:
            at = f"{word} {number}"  # every other one stays where it is
            joined[at] = [word]
    return [word for part in joined.values() for word in part]


def _list_options(args: type[Any]) -> frozenset[str]:
    """The options of a dataclass that take any number of values."""
    if not dataclasses.is_dataclass(args):
        return frozenset()
    kinds = get_type_hints(args)
    return frozenset(
        f"--{field.name.replace('_', '-')}"
        for field in dataclasses.fields(args)
        if get_origin(kinds[field.name]) is tuple and Ellipsis in get_args(kinds[field.name])
    )


def parse(args: type[Args], *, prog: str | None = None, default: Args | None = None) -> Args:
    """Read the command line; wrong arguments end the program.

    Args:
        args: A dataclass, or several to choose from, with its docstrings as the help text.
        prog: The command's name.
        default: What its defaults are, in place of its own.
    """
    words = _join_repeated(args, sys.argv[1:])
    parsed = tyro.cli(args, prog=prog, args=words) if default is None else tyro.cli(args, args=words, default=default)
    return expand_home(parsed)


def _whose(error: BaseException) -> str:
    """Whose the file is that an error is about, if it is another user's."""
    cause: BaseException | None = error
    while cause is not None and not isinstance(cause, PermissionError):
        cause = cause.__cause__
    if cause is None or not isinstance(cause.filename, str):
        return ""
    path = Path(cause.filename)
    return belongs_to(path if path.exists() else path.parent)


def _mend_streams() -> None:
    """Have all three streams there, and no text that cannot be printed.

    A stream that the caller has closed (``<&-``) is None in Python. File names and arguments may hold any bytes, which
    Python keeps as surrogates that no encoding has.
    """
    for name, mode in (("stdin", "r"), ("stdout", "w"), ("stderr", "w")):
        stream = getattr(sys, name)
        if stream is None:
            setattr(sys, name, open(os.devnull, mode, encoding="utf-8"))  # noqa: SIM115 (open until the end)
        elif mode == "w" and isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


class Terminated(KeyboardInterrupt):
    """SIGTERM came; what is open is closed as after a Ctrl-C."""


def _terminate(*_: Any) -> NoReturn:
    raise Terminated
