"""The guard: an actor that walks a straight beat there and back, and catches whoever it sees before it.

Holds the actor's program for the engine, and the same beat as arithmetic. Times are engine tics (1/35 s), angles
degrees. Knows nothing of walls, players or goals.
"""

import math
from collections.abc import Iterator
from dataclasses import dataclass

from gameenv.arena.world.geometry import Thing

KIND = 30010
NAME = "ArenaGuard"
"""The actor's editor number, and its name in the engine."""
CONE_DEG = 120.0
"""The guard sees this wide, so one who sees its side or its back is safe; as far as no wall is in the way."""
TOUCH = 64.0
"""Nearer than this it notices anybody, even behind it: the engine's melee range."""
STRIDE = 40.0
STRIDE_TICS = 16
SPEED = STRIDE / STRIDE_TICS
TURN_TICS = 36
_TURN_DEG = 180 // TURN_TICS
_LAMP_AHEAD = 26

ACTOR = f"""
actor {NAME} {KIND}
{{
  Radius 20
  Height 56
  Scale 1.15
  +INVULNERABLE
  +DONTTHRUST
  +NOGRAVITY
  +NOCLIP
  var int user_left;
  States
  {{
  Spawn:
    SSWV A 0 NoDelay A_SetUserVar("user_left", args[1])
    SSWV A 0 A_Warp(AAPTR_DEFAULT, 0, 0, 1, 0, WARPF_NOCHECKPOSITION)
    SSWV A 0 A_SpawnItemEx("{NAME}Lamp", {_LAMP_AHEAD}, 0, 34, 0, 0, 0, 0, SXF_NOCHECKPOSITION | SXF_SETMASTER)
  Walk:
    SSWV A 0 A_JumpIf(user_left <= 0, "Halt")
    SSWV A 0 A_SetUserVar("user_left", user_left - 1)
    SSWV A 0 A_ChangeVelocity({SPEED}, 0, 0, CVF_RELATIVE | CVF_REPLACE)
    SSWV AAAABBBBCCCCDDDD 1 A_LookEx(LOF_NOSOUNDCHECK, 0, 0, 0, {CONE_DEG}, "Catch")
    goto Walk
  Halt:
    SSWV A 0 A_Stop
    SSWV A 0 A_SetUserVar("user_left", args[2])
  Stand:
    SSWV A 0 A_JumpIf(user_left <= 0, "About")
    SSWV A 0 A_SetUserVar("user_left", user_left - 1)
    SSWV A 1 A_LookEx(LOF_NOSOUNDCHECK, 0, 0, 0, {CONE_DEG}, "Catch")
    goto Stand
  About:
    SSWV A 0 A_SetUserVar("user_left", {TURN_TICS})
  Turn:
    SSWV A 0 A_JumpIf(user_left <= 0, "Off")
    SSWV A 0 A_SetUserVar("user_left", user_left - 1)
    SSWV A 0 A_SetAngle(angle + args[3])
    SSWV A 1 A_LookEx(LOF_NOSOUNDCHECK, 0, 0, 0, {CONE_DEG}, "Catch")
    goto Turn
  Off:
    SSWV A 0 A_SetUserVar("user_left", args[0])
    goto Walk
  Catch:
    SSWV E 0 A_Stop
    SSWV E 0 A_DamageTarget(10000)
    SSWV E -1
    Stop
  }}
}}
actor {NAME}Lamp
{{
  +NOINTERACTION
  RenderStyle Add
  Scale 0.6
  States
  {{
  Spawn:
    BAL1 A 1 Bright A_Warp(AAPTR_MASTER, {_LAMP_AHEAD}, 0, 34, 0, WARPF_NOCHECKPOSITION)
    loop
  }}
}}
"""
"""DECORATE lump. The sprite shows which way it looks, and the lamp it holds before it says so from afar. It floats a
unit above the floor, where the engine knows no friction, so that it walks evenly."""


@dataclass(frozen=True, slots=True)
class Pose:
    """Where the guard is and where it looks."""

    x: float
    y: float
    angle: float


@dataclass(frozen=True, slots=True)
class Beat:
    """There and back for ever: walk, stand, turn about, walk back, stand, turn about.

    Attributes:
        x, y: One end.
        heading: From there to the other end: 0, 90, 180 or 270.
        strides: Its length, in strides of 40 map units.
        pause: How long the guard stands at each end.
        turn: 1 to turn about to the left, -1 to the right.
    """

    x: float
    y: float
    heading: int
    strides: int
    pause: int
    turn: int

    @property
    def _walk(self) -> int:
        return self.strides * STRIDE_TICS

    @property
    def period(self) -> int:
        """Tics from leaving the first end until leaving it again."""
        return 2 * (self._walk + self.pause + TURN_TICS)

    def pose(self, phase: float) -> Pose:
        """Where the guard is so many tics after leaving the first end."""
        half, into = divmod(phase % self.period, self.period / 2)
        walked = min(into, self._walk) * SPEED
        along = self.strides * STRIDE - walked if half else walked
        turned = min(max(into - self._walk - self.pause, 0.0), TURN_TICS) * _TURN_DEG * self.turn
        x = self.x + along * math.cos(math.radians(self.heading))
        y = self.y + along * math.sin(math.radians(self.heading))
        return Pose(x, y, (self.heading + 180 * half + turned) % 360)

    def phase(self, pose: Pose) -> float | None:
        """The phase of a guard on its way; None while it stands or turns, which does not show for how long yet."""
        off = (pose.angle - self.heading) % 360.0
        back = abs(off - 180.0) < 1.0
        if not back and min(off, 360.0 - off) >= 1.0:
            return None
        along = math.dist((pose.x, pose.y), (self.x, self.y))
        left = along if back else self.strides * STRIDE - along
        if left < SPEED:
            return None
        return (self.period / 2 if back else 0.0) + self._walk - left / SPEED

    def poses(self, every: int) -> Iterator[Pose]:
        """The guard's poses through one period."""
        return (self.pose(phase) for phase in range(0, self.period, every))

    def thing(self, stride: int, *, back: bool) -> Thing:
        """The guard for the map, so many strides into its way out or back."""
        start = self.pose(stride * STRIDE_TICS + (self.period / 2 if back else 0))
        args = (self.strides, self.strides - stride, self.pause, _TURN_DEG * self.turn)
        return Thing(KIND, round(start.x), round(start.y), round(start.angle), args=args)
