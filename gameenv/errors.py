"""Every error a user of this project is meant to see, as one small tree.

Knows nothing of the parts that raise them. Each message says what was expected, what came, and what to do.

    GameEnvError
    |-- UnknownNameError     a task, policy, action ... that does not exist (also a ValueError)
    |-- InvalidInputError    a value or a file that cannot be used (also a ValueError)
    |   `-- InvalidReply     a model's reply that is not a chunk
    |-- MissingExtraError    an optional package is not installed (also an ImportError)
    |-- ServerError          a model's server that is not there, refuses, or gives nothing usable
    |-- EngineGoneError      the built-in game's engine has ended in the middle of a level
    |-- DisplayError         the desktop cannot be seen, listened to or pressed keys for
    |   `-- ListenerDiedError    what listened to the keys has stopped
    |-- WindowError          something about a game's window
    |   |-- NoWindowError        none matches
    |   |-- AmbiguousWindowError several match
    |   |-- WindowGoneError      it has been closed
    |   `-- WindowBusyError      another agent is playing it
    |-- SessionError         a recording that cannot be opened or written
    `-- DiskFullError        not enough room to go on
"""

import difflib
import importlib
from collections.abc import Iterable
from types import ModuleType


class GameEnvError(Exception):
    """Base of every error this project raises on purpose."""


class InvalidInputError(GameEnvError, ValueError):
    """A value or a file that cannot be used as given."""


class InvalidReply(InvalidInputError):  # noqa: N818 (the public contract's name)
    """A reply that cannot be read as a chunk of actions. Runners count it and play one filler ``none``."""


class UnknownNameError(GameEnvError, ValueError):
    """A name that is not among the valid choices; the message lists them and the nearest one.

    Args:
        kind: What was being named, such as ``"task"``.
        given: What came.
        choices: The valid names.
    """

    def __init__(self, kind: str, given: object, choices: Iterable[str]) -> None:
        names = list(choices)
        near = difflib.get_close_matches(str(given), names, n=1, cutoff=0.5)
        hint = f" Did you mean {near[0]!r}?" if near else ""
        super().__init__(f"unknown {kind} {given!r}.{hint} Valid: {', '.join(names)}.")
        self.suggestion = near[0] if near else None


class MissingExtraError(GameEnvError, ImportError):
    """An optional package is missing; the message is the command that installs it."""

    def __init__(self, package: str, extra: str) -> None:
        super().__init__(
            f'{package} is needed here and is not installed. Run: pip install -c constraints.txt -e ".[{extra}]"'
        )


class ServerError(GameEnvError):
    """A model's server is not there, refuses, or gives nothing that can be used; says nothing about the model."""


class EngineGoneError(GameEnvError):
    """The built-in game's engine has ended in the middle of a level; ``reset()`` starts a new one."""


class DisplayError(GameEnvError):
    """The desktop cannot be seen, listened to, or pressed keys for; the message says what to do."""


class ListenerDiedError(DisplayError):
    """What listened to the keys has stopped."""


class WindowError(GameEnvError):
    """Something about a game's window.

    Args:
        text: What, and what to do.
        reason: Why playing it ended, as ``info["truncated_because"]`` has it; None if it had not begun.
    """

    def __init__(self, text: str = "", reason: str | None = None) -> None:
        super().__init__(text)
        self.reason = reason


class NoWindowError(WindowError):
    """No window matches; the message lists those there are."""


class AmbiguousWindowError(WindowError):
    """Several windows match; the message lists them."""


class WindowGoneError(WindowError):
    """The window has been closed."""


class WindowBusyError(WindowError):
    """Another agent is playing this window."""


class SessionError(GameEnvError):
    """A recording that cannot be opened, read or written."""


class DiskFullError(GameEnvError):
    """Not enough free disk to go on; what was written so far is complete and readable."""


def require(module: str, extra: str) -> ModuleType:
    """Import an optional module.

    Args:
        module: Dotted module name.
        extra: The extra in ``pyproject.toml`` that brings it.

    Raises:
        MissingExtraError: If the module's package is not installed.
    """
    try:
        return importlib.import_module(module)
    except ModuleNotFoundError as error:
        if error.name is None or error.name.partition(".")[0] != module.partition(".")[0]:
            raise
        raise MissingExtraError(module.partition(".")[0], extra) from error
