"""Wait out of the guard's sight until it has passed and walks away."""

from dataclasses import dataclass

from gameenv.actions import NONE
from gameenv.arena.player.legs.leg import Moves, Stop
from gameenv.arena.player.way import Way
from gameenv.arena.state import ArenaState
from gameenv.arena.world import sentry
from gameenv.arena.world.geometry import Point
from gameenv.arena.world.sentry import Beat, Pose

AIM_DEG = 14.0


@dataclass(frozen=True, slots=True)
class Lurk:
    """Stand somewhere, look at ``face``, and be done when the guard is at a good place of its beat.

    Attributes:
        begins: The hiding place, and how far off it is still as good.
        face: What to look at meanwhile: where to go next.
        beat: The guard's.
        windows: Phases of the beat, from and up to, in which to set off.
        seconds: Mean time until the next of them.
    """

    begins: Stop
    face: Point
    beat: Beat
    windows: tuple[tuple[int, int], ...]
    seconds: float
    ends = None

    def next(self, way: Way, state: ArenaState) -> Moves:
        """Go there, look the right way, wait."""
        word = way.walk(state, self.begins.place, self.begins.within) or way.face(state, self.face, AIM_DEG)
        if word is not None:
            return Moves((word,), steady=True)
        guards = [Pose(actor.x, actor.y, actor.angle) for actor in state.actors if actor.name == sentry.NAME]
        phases = [self.beat.phase(guard) for guard in guards]
        clear = all(phase is not None and self._is_good(phase) for phase in phases)
        return Moves(done=True) if clear else Moves((NONE,), steady=True)

    def _is_good(self, phase: float) -> bool:
        return any(first <= phase < end for first, end in self.windows)
