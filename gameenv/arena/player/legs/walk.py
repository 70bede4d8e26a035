"""Walk to a place and come to rest there."""

from dataclasses import dataclass

from gameenv.arena.player.legs.leg import Moves, Stop
from gameenv.arena.player.way import HALF_VIEW_DEG, Way
from gameenv.arena.state import ArenaState


@dataclass(frozen=True, slots=True)
class Walk:
    """To a place; ``dashing`` where one must not be seen: turning the short way, without searching or straying."""

    begins: Stop
    dashing: bool = False
    ends = None
    seconds = 0.0

    def next(self, way: Way, state: ArenaState) -> Moves:
        """A step on the way."""
        place, within = self.begins.place, self.begins.within
        word = way.walk(state, place, within)
        if word is None:
            return Moves(done=True)
        if self.dashing and way.nav.clear_line((state.x, state.y), place, within):
            word = way.face(state, place, HALF_VIEW_DEG) or word
        return Moves((word,), steady=self.dashing)
