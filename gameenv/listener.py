"""What keys go down and come up, whoever presses them: only those asked for are ever looked at.

The one place that chooses the backend (X11 raw events, Windows hook). Knows nothing of actions or recordings.
"""

import sys
from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class HeardKey:
    """A key went down or came up.

    Attributes:
        t_ns: When, on the monotonic clock: by the system's own time stamp where it has one.
        key: Its name, one of ``gameenv.keyboard.KEY_NAMES``.
        down: True for a press (never an auto-repeat), False for a release.
        injected: A program pressed it, not a person.
    """

    t_ns: int
    key: str
    down: bool
    injected: bool


class KeyListener(Protocol):
    """Listens while it is open."""

    def poll(self) -> list[HeardKey]:
        """What was heard since the last call, in order; never waits.

        Raises:
            ListenerDiedError: If it cannot hear any more.
        """
        ...

    def wait_object(self) -> object | None:
        """What ``multiprocessing.connection.wait`` can wait on until something is heard; None if nothing can."""
        ...

    def close(self) -> None:
        """Stop listening. May be called twice."""
        ...


def open_listener(keys: Collection[str]) -> KeyListener:
    """Listen for these keys, whatever window has the focus (the caller decides what that means).

    Args:
        keys: Names from ``gameenv.keyboard.KEY_NAMES``; no other key leaves the backend.

    Raises:
        DisplayError: If the system does not let us listen; says what to do.
        MissingExtraError: If the extra ``live`` is not installed.
    """
    if sys.platform == "win32":
        from gameenv.win32.listening import Win32Listener  # noqa: PLC0415 (Windows only)

        return Win32Listener(keys)
    if sys.platform == "darwin":
        from gameenv.macos import MacListener  # noqa: PLC0415 (macOS only)

        return MacListener(keys)
    from gameenv.window import check_display  # noqa: PLC0415 (X11 only)
    from gameenv.x11.listening import X11Listener  # noqa: PLC0415 (X11 only)

    check_display()
    return X11Listener(keys)
