"""Cross where one must not be seen: to a place seen before, without searching for it or straying."""

from dataclasses import dataclass

from gameenv.arena.player.legs.leg import Moves, Stop
from gameenv.arena.player.way import HALF_VIEW_DEG, Way
from gameenv.arena.state import ArenaState


@dataclass(frozen=True, slots=True)
class Dash:
    """To within ``within`` map units of a point, turning to it the short way."""

    x: float
    y: float
    within: float
    seconds: float = 0.0

    @property
    def begins(self) -> Stop:
        """The place itself."""
        return Stop(self.x, self.y, self.within)

    @property
    def ends(self) -> tuple[float, float]:
        """The place itself."""
        return self.x, self.y

    def next(self, way: Way, state: ArenaState) -> Moves:
        """A step on the way."""
        place = self.x, self.y
        word = way.walk(state, place, self.within)
        if word is None:
            return Moves(done=True)
        if way.nav.clear_line((state.x, state.y), place, self.within):
            word = way.face(state, place, HALF_VIEW_DEG) or word
        return Moves((word,), steady=True)
