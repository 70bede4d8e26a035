"""Who plays while ``gameenv-record`` records: chooses a player by name.

The only place that knows which players there are; each is imported when it is chosen.
"""

from typing import Any, Protocol

import gymnasium as gym

from gameenv.actions import Action
from gameenv.errors import UnknownNameError
from recording.rows import Source

EXPERT = "expert"
HUMAN = "human"
PLAYERS = (EXPERT, HUMAN)


class Player(Protocol):
    """Chooses one action a tick and says where it comes from."""

    def attach(self, env: gym.Env[Any, Any]) -> None:
        """Take the environment to play in."""
        ...

    def reset(self, goal: str, *, seed: int | None = None) -> None:
        """Begin an episode; the environment has been reset."""
        ...

    def act(self) -> tuple[Action, Source]:
        """Return the action of the next tick and its source."""
        ...


def check_player(name: str) -> str:
    """Return ``name`` if there is such a player.

    Raises:
        UnknownNameError: If there is no such player.
    """
    if name not in PLAYERS:
        raise UnknownNameError("player", name, PLAYERS)
    return name


def make_player(name: str, noise: float) -> Player:
    """Return the player called ``name`` that chooses actions itself; a person plays through a live window.

    Args:
        name: ``EXPERT``.
        noise: Share of ticks, 0 to 0.5, that the expert spends exploring.

    Raises:
        UnknownNameError: If there is no such player.
        InvalidInputError: If ``noise`` is out of range.
    """
    if name != EXPERT:
        raise UnknownNameError("player", name, (EXPERT,))
    from gameenv.arena.player.expert import Expert  # noqa: PLC0415 (needs numpy and the arena only when it plays)

    return Expert(noise=noise)
