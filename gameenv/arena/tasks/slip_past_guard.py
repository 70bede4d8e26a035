"""Slip past the guard: cross its hall to the room lit green on the other side while it looks elsewhere.

The guard sees whatever is before it and kills at once; its side and back are blind. The room of the start is safe for
ever, and so is the place in it where the expert waits and watches the guard pass.
"""

import math
from collections.abc import Iterable
from itertools import pairwise
from random import Random

import numpy as np

from gameenv.arena.conditions import Within
from gameenv.arena.levels import LevelDraft
from gameenv.arena.player.legs.leg import Stop
from gameenv.arena.player.legs.lurk import Lurk
from gameenv.arena.player.legs.walk import Walk
from gameenv.arena.world import decor
from gameenv.arena.world.geometry import CELL, PLAYER_START, Point, Thing
from gameenv.arena.world.halls import Hall, roll_hall
from gameenv.arena.world.rooms import NoPlaceError
from gameenv.arena.world.sentry import STRIDE, STRIDE_TICS, Beat, Pose
from gameenv.arena.world.sight import Sight

NAME = "slip-past-guard"
PLACE = 8
PHRASES = ("Slip past the guard", "Sneak past the guard", "Slip by the guard", "Get past the guard unseen")
GATE, HIDE, REST = 40.0, 16.0, 28.0
"""How near the expert comes to the place before the other mouth, to its hiding place, and to the middle of the goal."""
MEAN_WAIT_S = 3.0
_LOOK_TICS = 8
"""How finely the guard's beat is looked at; strides and pauses are whole numbers of them."""
_LATE_TICS = 40
"""Who sets off this late, or any time sooner, is still not seen."""
_WINDOW_TICS = 24
"""The shortest time in which to set off that a level must leave."""
_CROSS_SPEED = 6.0
"""Map units a tic on a way with bends in it, the first tics of which go into picking up speed."""
_SPREAD, _WIDER_DEG = 20.0, 6.0
_START_DISTANCE = 72.0
_LIGHT_CHANCE, _LIGHT_GAP = 0.7, 80.0
_RUSH_TICS = 40
_RUSH_IS_CAUGHT = 0.7
"""Share of levels in which the guard is where it catches a player who does not wait."""


def build(rng: Random) -> LevelDraft:
    """A hall with the guard in it."""
    hall = roll_hall(rng)
    beat = _roll_beat(rng, hall)
    sight = Sight(hall.plan)
    poses = [*beat.poses(_LOOK_TICS)]
    hide, rest = (_first_unseen(sight, poses[::2], depths) for depths in hall.depths)
    if not sight.clear(np.array([hide]), np.array([rest])).all():
        raise NoPlaceError("a hiding place from which the goal can be seen")
    crossing = _steps((hide, *hall.way, rest))
    windows = _windows(beat, sight, poses, crossing)
    start = _start(rng, hall, sight, poses[::2], hide)
    hall.plan.things.append(Thing(decor.TORCHES["green"].kind, round(hall.lamp[0]), round(hall.lamp[1])))
    _maybe_light(rng, hall, start, hide)
    arrives = _RUSH_TICS + round(math.dist((start.x, start.y), hide) / _CROSS_SPEED)
    hall.plan.things.append(_guard(rng, beat, _caught(sight.seen(poses, crossing), [0]), arrives))
    hiding = Stop(hide, HIDE)
    crossing_legs = (Walk(Stop(place, within), dashing=True) for place, within in ((hall.way[1], GATE), (rest, REST)))
    route = Walk(hiding), Lurk(hiding, rest, beat, windows, MEAN_WAIT_S), *crossing_legs
    return LevelDraft(hall.plan, start, rng.choice(PHRASES), Within(*hall.there), route, watches=frozenset({"actors"}))


def _roll_beat(rng: Random, hall: Hall) -> Beat:
    """Along the middle of the hall, past both mouths."""
    ends = list(hall.ends)
    rng.shuffle(ends)
    (x0, y0), (x1, y1) = ends
    length = math.dist(*ends)
    strides = rng.randint(10, 13)
    spare = length - 3 * CELL - strides * STRIDE
    if spare < 0:
        raise NoPlaceError("beat")
    along = (1.5 * CELL + rng.uniform(0.3, 0.7) * spare) / length
    heading = round(math.degrees(math.atan2(y1 - y0, x1 - x0))) % 360
    x, y = round(x0 + (x1 - x0) * along), round(y0 + (y1 - y0) * along)
    return Beat(x, y, heading, strides, _LOOK_TICS * rng.randint(2, 6) + 4, rng.choice((-1, 1)))


def _first_unseen(sight: Sight, poses: list[Pose], depths: tuple[Point, ...]) -> Point:
    """The place nearest to a mouth where the guard sees nobody, wherever it is."""
    seen = sight.seen(poses, depths, spread=_SPREAD + 4, wider_deg=_WIDER_DEG).any(axis=0)
    if seen.all():
        raise NoPlaceError("a place out of sight")
    return depths[int(np.argmin(seen))]


def _steps(way: tuple[Point, ...]) -> list[Point]:
    """Where one is at every look at the guard, on a way of straight stretches."""
    steps, into, stride = [], 0.0, _CROSS_SPEED * _LOOK_TICS
    for (x0, y0), (x1, y1) in pairwise(way):
        length = math.dist((x0, y0), (x1, y1))
        while into <= length:
            steps.append((x0 + (x1 - x0) * into / length, y0 + (y1 - y0) * into / length))
            into += stride
        into -= length
    return steps


def _windows(beat: Beat, sight: Sight, poses: list[Pose], crossing: list[Point]) -> tuple[tuple[int, int], ...]:
    """The phases of the guard's beat in which one can set off and cross unseen, with time and room to spare."""
    seen = sight.seen(poses, crossing, spread=_SPREAD, wider_deg=_WIDER_DEG)
    caught = _caught(seen, range(0, _LATE_TICS + 1, _LOOK_TICS))
    good = [beat.phase(pose) is not None and not bad for pose, bad in zip(poses, caught, strict=True)]
    edges = [n for n, (before, now) in enumerate(zip([False, *good], [*good, False], strict=True)) if before != now]
    windows = [(first * _LOOK_TICS, end * _LOOK_TICS) for first, end in zip(edges[::2], edges[1::2], strict=True)]
    long = tuple((first, end) for first, end in windows if end - first >= _WINDOW_TICS)
    if not long:
        raise NoPlaceError("a time to cross")
    return long


def _caught(seen: np.ndarray, late_tics: Iterable[int]) -> np.ndarray:
    """Whether one who sets off at each pose of the beat, or so much later, is seen; ``seen`` is by pose and step."""
    caught = np.zeros(len(seen), bool)
    for late in late_tics:
        for step in range(seen.shape[1]):
            caught |= np.roll(seen[:, step], -(1 + step + late // _LOOK_TICS))
    return caught


def _start(rng: Random, hall: Hall, sight: Sight, poses: list[Pose], hide: Point) -> Thing:
    """Somewhere in the first room, never seen there nor on the way to the hiding place; facing anywhere."""
    left, bottom, right, upper = (round(side) for side in hall.here)
    places: list[tuple[int, int]] = []
    for near in rng.choices(hall.depths[0], k=24):
        x, y = (round(at) + rng.randint(-112, 112) for at in near)
        inside = left + 40 <= x <= right - 40 and bottom + 40 <= y <= upper - 40
        if inside and math.dist((x, y), hide) >= _START_DISTANCE:
            places.append((x, y))
    if not places:
        raise NoPlaceError("start")
    shares = np.linspace(0.0, 1.0, 5)[:, None]
    ways = np.concatenate([np.array(place) * (1 - shares) + np.array(hide) * shares for place in places])
    seen = sight.seen(poses, ways.tolist(), spread=_SPREAD, wider_deg=_WIDER_DEG).any(axis=0).reshape(-1, 5)
    unseen = [place for place, bad in zip(places, seen, strict=True) if not bad.any()]
    if not unseen:
        raise NoPlaceError("start")
    x, y = unseen[0]
    return Thing(PLAYER_START, x, y, rng.randrange(360))


def _maybe_light(rng: Random, hall: Hall, start: Thing, hide: Point) -> None:
    """A light in a corner of the first room, out of the way: something else that one might be asked to go to."""
    if rng.random() >= _LIGHT_CHANCE:
        return
    left, bottom, right, upper = (round(side) for side in hall.here)
    corners = [(x, y) for x in (left + 32, right - 32) for y in (bottom + 32, upper - 32)]
    away = [c for c in corners if all(math.dist(c, place) > _LIGHT_GAP for place in ((start.x, start.y), hide))]
    if away:
        light = rng.choice((decor.LANTERN, decor.TORCHES["red"], decor.TORCHES["blue"], *decor.OTHER_LIGHTS))
        hall.plan.things.append(Thing(light.kind, *rng.choice(away)))


def _guard(rng: Random, beat: Beat, caught: np.ndarray, arrives: int) -> Thing:
    """The guard somewhere on its beat; mostly where it catches one who crosses as soon as he can."""
    places = [(stride, back) for stride in range(beat.strides) for back in (False, True)]
    rng.shuffle(places)
    if rng.random() < _RUSH_IS_CAUGHT:
        for stride, back in places:
            phase = stride * STRIDE_TICS + beat.period // 2 * back + arrives
            around = [(phase + off) // _LOOK_TICS % len(caught) for off in (-16, 0, 16)]
            if caught[around].all():
                return beat.thing(stride, back=back)
    stride, back = places[0]
    return beat.thing(stride, back=back)
