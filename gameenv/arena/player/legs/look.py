"""Stand before something and look at it: a picture on a wall, a thing down below."""

from dataclasses import dataclass, replace

from gameenv.actions import Action
from gameenv.arena.aim import pitch_to
from gameenv.arena.player.legs.leg import Moves, Stop
from gameenv.arena.player.walker import GLIDE_TICS, MAX_DOWN_DEG, MAX_UP_DEG
from gameenv.arena.player.way import Way
from gameenv.arena.state import ArenaState

_ROUGHLY_DEG = 25.0
"""Facing it roughly is enough for stepping sideways or back."""
_ASIDE = 26.0
"""Smallest distance from squarely before it that is corrected: a tap of a key carries the player 34 units."""


@dataclass(frozen=True, slots=True)
class Look:
    """Walk to a place, face a point, step back or aside if need be, tilt the view.

    Attributes:
        begins: Where to stand, and how near to it is near enough to begin looking.
        at: What to look at: x, y and height, map units.
        side: Which way the wall with the picture lies, as (dx, dy); (0, 0) where it does not matter.
        nearest: How near to the wall is too near.
    """

    begins: Stop
    at: tuple[float, float, float]
    side: tuple[int, int] = (0, 0)
    nearest: float = 0.0
    ends = None
    seconds = 1.0

    def next(self, way: Way, state: ArenaState) -> Moves:
        """Walk there, then what is still wrong, one key at a time, as it will be once the player is at rest."""
        word = way.walk(state, self.begins.place, self.begins.within)
        if word is None:
            rest = replace(state, x=state.x + state.vx * GLIDE_TICS, y=state.y + state.vy * GLIDE_TICS)
            pitch = min(max(pitch_to(rest, self.at), -MAX_UP_DEG), MAX_DOWN_DEG)
            word = (
                way.face(rest, self.at[:2], _ROUGHLY_DEG)
                or self._step(rest)
                or way.face(rest, self.at[:2])
                or way.tilt(rest, pitch)
            )
        return Moves(done=True) if word is None else Moves((word,))

    def _step(self, rest: ArenaState) -> Action | None:
        """The key for one who faces the wall but stands too near to it, or too far to one side."""
        dx, dy = self.side
        to_x, to_y = self.at[0] - rest.x, self.at[1] - rest.y
        if to_x * dx + to_y * dy < self.nearest:
            return "s"
        leftward = to_y * dx - to_x * dy
        return None if abs(leftward) <= _ASIDE else "a" if leftward > 0 else "d"
