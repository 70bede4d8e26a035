"""Walk to a place and come to rest there."""

from dataclasses import dataclass

from gameenv.arena.player.legs.leg import Moves, Stop
from gameenv.arena.player.way import Way
from gameenv.arena.state import ArenaState


@dataclass(frozen=True, slots=True)
class Walk:
    """To within ``within`` map units of a point."""

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
        word = way.walk(state, (self.x, self.y), self.within)
        return Moves(done=True) if word is None else Moves((word,))
