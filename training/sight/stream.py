"""Frames of the built-in game without end, each with what it shows: training material that no disk has to hold.

The expert plays training levels; a frame now and then is kept. Shard ``n`` is a pure function of its number and the
settings, so that a training goes on where it was. Knows nothing of models.
"""

from collections.abc import Iterator, Sequence
from concurrent.futures import Future, ProcessPoolExecutor
from dataclasses import dataclass
from functools import cache
from random import Random

import numpy as np

from gameenv.actions import CHUNK_LENGTH, action_index
from gameenv.arena import tasks
from gameenv.arena.env import ArenaEnv
from gameenv.arena.levels import WATCHED
from gameenv.arena.player.expert import Expert
from gameenv.arena.scene import THINGS, Scene
from gameenv.arena.state import ArenaState
from gameenv.frames import DEFAULT_SIZE, Frame, FrameSpec, fit_frame

CELL = 8
"""Pixels between two points at which a surface is known."""
UNKNOWN = 255
"""A surface that is not the game's: the letterbox's bars."""
LEVELS_A_SHARD = 18
FIRST_SEED = 50_000_000
"""Of the training levels that are played here; recordings begin at 0."""
HELD_OUT_SEED = 90_000_000
_NOISE = 0.1


@dataclass(frozen=True, slots=True)
class Mix:
    """What a stream is made of.

    Attributes:
        spec: What frames are brought to.
        acts: Task families whose actions are told; of the others only the frames are shown.
        every: One frame of so many is kept.
    """

    spec: FrameSpec
    acts: tuple[str, ...]
    every: int = 4


@dataclass(frozen=True, slots=True)
class Shard:
    """Frames and what they show.

    Attributes:
        frames: ``(n, height, width, 3)`` uint8.
        surfaces: Indices into ``gameenv.arena.scene.SURFACES``, or ``UNKNOWN``: ``(n, height / 8, width / 8)`` uint8.
        distances: Of the surfaces, map units, float16, same shape.
        things: A row a thing in sight, float32 ``(m, 5)``: frame, index into ``THINGS``, u, v, distance.
        goals: What the player was after, n strings; empty where that is not told.
        chunks: The expert's next seven action indices, ``(n, 7)`` int8; -1 where that is not told.
    """

    frames: np.ndarray
    surfaces: np.ndarray
    distances: np.ndarray
    things: np.ndarray
    goals: tuple[str, ...]
    chunks: np.ndarray


def goals_of(families: Sequence[str], levels: int = 300) -> list[str]:
    """The goals of some families' first training levels, each once."""
    return sorted({tasks.level(family, "train", seed).goal for family in families for seed in range(levels)})


def make_shard(number: int, mix: Mix, *, held_out: bool = False) -> Shard:
    """Play a shard's levels and keep what is to be learned."""
    seed = (HELD_OUT_SEED if held_out else FIRST_SEED) + number * LEVELS_A_SHARD
    families = list(tasks.TASKS)
    return joined([_play(families[(seed + i) % len(families)], seed + i, mix) for i in range(LEVELS_A_SHARD)])


def joined(shards: Sequence[Shard]) -> Shard:
    """Several as one, in order."""
    begins = np.cumsum([0, *(len(shard.frames) for shard in shards[:-1])])
    shift = np.eye(5, dtype=np.float32)[0]  # a thing's first number is its frame
    return Shard(
        np.concatenate([shard.frames for shard in shards]),
        np.concatenate([shard.surfaces for shard in shards]),
        np.concatenate([shard.distances for shard in shards]),
        np.concatenate([shard.things + shift * begin for shard, begin in zip(shards, begins, strict=True)]),
        tuple(goal for shard in shards for goal in shard.goals),
        np.concatenate([shard.chunks for shard in shards]),
    )


def stream(pool: ProcessPoolExecutor, mix: Mix, first: int, ahead: int) -> Iterator[Shard]:
    """The shards from number ``first`` on, in order; ``ahead`` of them are being made at any time."""
    coming: list[Future[Shard]] = []
    number = first
    while True:
        while len(coming) < ahead:
            coming.append(pool.submit(make_shard, number, mix))
            number += 1
        yield coming.pop(0).result()


@cache
def _env() -> ArenaEnv:
    return ArenaEnv(frame_size=DEFAULT_SIZE, watch=WATCHED)


def _play(family: str, seed: int, mix: Mix) -> Shard:
    """One level, played to its end by the expert."""
    env, player = _env(), Expert(_NOISE)
    frame, info = env.reset(seed=seed, options={"task": family})
    player.attach(env)
    player.reset(info["goal"], seed=seed)
    offset = Random(seed).randrange(mix.every)
    kept: list[int] = []
    frames: list[Frame] = []
    states: list[ArenaState] = []
    words: list[int] = []
    meant: list[bool] = []
    over = won = False
    while not over:
        if (len(words) + offset) % mix.every == 0:
            kept.append(len(words))
            frames.append(fit_frame(frame, mix.spec))
            states.append(env.state)
        word, source = player.act()
        words.append(action_index(word))
        meant.append(source != "noise")
        frame, reward, terminated, truncated, _ = env.step(words[-1])
        over, won = terminated or truncated, reward > 0
    scene = Scene(env.level)
    surfaces, distances = _surfaces(scene, states, mix.spec)
    things = [
        (i, THINGS.index(each.name), each.u, each.v, each.distance)
        for i, seen in enumerate(scene.things(states))
        for each in seen
    ]
    acts = family in mix.acts
    return Shard(
        np.stack(frames),
        surfaces,
        distances,
        np.array(things, np.float32).reshape(-1, 5),
        tuple(info["goal"] if acts else "" for _ in kept),
        np.stack([_chunk(words, meant, place, padded=won) if acts else np.full(CHUNK_LENGTH, -1) for place in kept])
        .astype(np.int8),
    )  # fmt: skip


def _chunk(words: list[int], meant: list[bool], place: int, *, padded: bool) -> np.ndarray:
    """The seven words from a tick on, as a labeler would have them: -1 if some are missing, or were not meant."""
    chunk = words[place : place + CHUNK_LENGTH]
    missing = CHUNK_LENGTH - len(chunk)
    if (missing and not padded) or not all(meant[place : place + CHUNK_LENGTH]):
        return np.full(CHUNK_LENGTH, -1)
    return np.array([*chunk, *[0] * missing])


def _surfaces(scene: Scene, states: list[ArenaState], spec: FrameSpec) -> tuple[np.ndarray, np.ndarray]:
    """Surfaces and distances at the middles of squares of 8 pixels; in the bars above and below nothing is known."""
    columns, rows = spec.width // CELL, spec.height // CELL
    inner = spec.width * DEFAULT_SIZE[1] / DEFAULT_SIZE[0]  # the picture's own height between the bars
    at = ((np.arange(rows) + 0.5) * CELL - (spec.height - inner) / 2) / inner
    kinds, distances = scene.surfaces(states, columns, at)
    outside = (at < 0) | (at > 1)
    kinds[:, outside] = UNKNOWN
    return kinds.astype(np.uint8), distances.astype(np.float16)
