"""What keys go down and come up, whoever presses them: only those asked for are ever looked at.

Knows nothing of backends, actions or recordings.
"""

from collections.abc import Collection
from dataclasses import dataclass
from typing import Protocol


@dataclass(frozen=True, slots=True)
class HeardKey:
    """A key went down or came up.

    Attributes:
        t_ns: When, on the monotonic clock: by the system's own time stamp where it has one.
        key: Its name, one of ``gameenv.desktop.keyboard.KEY_NAMES``.
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

    def attend(self, handle: int, withhold: Collection[str]) -> None:
        """Have this window in view: whoever waits is woken when its focus changes, and some keys do not reach it.

        Both where the system can; elsewhere nothing happens.

        Args:
            handle: The window.
            withhold: Keys among those listened for that are heard as ever, and whose presses the window is not to get.
        """
        ...

    def close(self) -> None:
        """Stop listening. May be called twice."""
        ...
