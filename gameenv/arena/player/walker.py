"""Where the player will be: the engine's walking and turning, tic by tic, as if there were no walls.

The numbers are Doom's own (https://doomwiki.org/wiki/Player#Speed) and were checked against the engine tic by tic.
Knows nothing of goals or of the way.
"""

import math
from dataclasses import dataclass, replace

from gameenv.actions import Action
from gameenv.arena.state import ArenaState

FRICTION = 0.90625
"""Share of its speed that the engine's player keeps each tic."""
GLIDE_TICS = FRICTION / (1 - FRICTION)
"""A player who lets go at speed v comes to rest v x this farther on."""
WALK_THRUST = 25 * 2048 / 65536
"""What a tic of ``w`` adds to the speed, map units a tic."""
MAX_SPEED = WALK_THRUST * GLIDE_TICS
_THRUST: dict[str, tuple[float, float]] = {  # map units a tic, and the direction in degrees from straight ahead
    "w": (WALK_THRUST, 0.0),
    "s": (WALK_THRUST, 180.0),
    "a": (24 * 2048 / 65536, 90.0),
    "d": (24 * 2048 / 65536, -90.0),
}
_TURN: dict[str, int] = {"left": 1, "right": -1}
_TURN_DEG = 640 / 65536 * 360
_SLOW_TURN_DEG = 320 / 65536 * 360
LOOK_DEG = 2.4719
"""Degrees a tic of the keys that look up and down."""
MAX_UP_DEG, MAX_DOWN_DEG = 32.0, 56.0
STANDING_EYES = 41.0
CROUCHED_EYES = 20.5
ABOVE_EYES = 12.0
"""How far a crouching player's head reaches above his eyes."""
_CROUCH_SPEED = STANDING_EYES / 12
_SLOW_TICS = 6
"""A turn key turns slowly until it has been down for this many tics; going from one straight to the other counts on."""
_ASLEEP_TICS = 4
"""Tics after the start of a level in which the player does not react yet."""


@dataclass(frozen=True, slots=True)
class Walker:
    """The player now, or as foreseen.

    Attributes:
        state: Position, angles, speed and crouching; the rest is carried along as it was.
        turn_tics: For how many tics a turn key has been down.
        age_tics: Tics since the level was opened.
    """

    state: ArenaState
    turn_tics: int = 0
    age_tics: int = _ASLEEP_TICS

    def hold(self, action: Action, tics: int) -> "Walker":
        """The player after holding an action's key (or none) for so many tics."""
        walker = self
        for _ in range(tics):
            walker = walker._next(action)
        return walker

    def _next(self, action: Action) -> "Walker":
        state = self.state
        turning = _TURN.get(action, 0)
        turn_tics = self.turn_tics + 1 if turning else 0
        angle, vx, vy = state.angle, state.vx, state.vy
        if self.age_tics >= _ASLEEP_TICS:
            angle = (angle + turning * (_SLOW_TURN_DEG if turn_tics < _SLOW_TICS else _TURN_DEG)) % 360.0
            thrust, aside = _THRUST.get(action, (0.0, 0.0))
            vx += thrust * math.cos(math.radians(angle + aside))
            vy += thrust * math.sin(math.radians(angle + aside))
        tilt = LOOK_DEG * ((action == "down") - (action == "up"))
        moved = replace(
            state,
            x=state.x + vx,
            y=state.y + vy,
            angle=angle,
            pitch=min(max(state.pitch + tilt, -MAX_UP_DEG), MAX_DOWN_DEG),
            vx=vx * FRICTION,
            vy=vy * FRICTION,
            eyes=max(state.eyes - _CROUCH_SPEED, CROUCHED_EYES)
            if action == "c"
            else min(state.eyes + _CROUCH_SPEED, STANDING_EYES),
        )
        return Walker(moved, turn_tics, self.age_tics + 1)
