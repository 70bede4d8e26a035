"""What an arena environment shows a player who may see more than the frame: the scripted expert."""

from typing import Protocol, TypeGuard

from gameenv.actions import Action
from gameenv.arena.levels import Level
from gameenv.arena.state import ArenaState


class ShowsState(Protocol):
    """The arena in lock-step or in a window."""

    tick: int
    fps: float
    held: Action

    @property
    def level(self) -> Level:
        """The level being played."""
        ...

    @property
    def state(self) -> ArenaState:
        """The referee's truth now."""
        ...


def shows_state(env: object) -> TypeGuard[ShowsState]:
    """Whether an environment shows it: asked of its class, as an instance may not have begun yet."""
    return all(hasattr(type(env), name) for name in ("level", "state"))
