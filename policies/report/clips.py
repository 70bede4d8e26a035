"""The report's clips: a few episodes of each policy and task, played again as film strip and video.

Knows episodes and how to film them; chooses by a fixed rule, so that nobody can pick the pretty ones.
"""

import base64
import io
import json
import re
from collections import deque
from collections.abc import Iterator, Sequence
from contextlib import closing, suppress
from dataclasses import dataclass, field, replace
from itertools import zip_longest
from pathlib import Path
from typing import Any
from urllib.parse import quote
from zlib import crc32

import gymnasium as gym
from PIL import Image

from gameenv.actions import Action
from gameenv.clock import DEFAULT_FPS
from gameenv.console import Console
from gameenv.errors import GameEnvError, InvalidInputError, MissingExtraError
from gameenv.frames import Fit, Frame
from gameenv.progress import track
from policies.evaluation.results import EpisodeRow
from policies.film import Caption, draw_keys, film_strip, pick_evenly, replay_in, write_video
from policies.report import prose

MEDIA_DIR = "media"
TILES = 8
RULE = (
    "the first success by level number, and the first failure (with more of each: one of every kind of failure first)"
)


@dataclass(frozen=True, slots=True)
class Clip:
    """An episode to show.

    Attributes:
        policy: Display name.
        task: Its task.
        level: The level's id.
        goal: What the policy was asked to do.
        good: It succeeded.
        outcome: One of ``prose.OUTCOMES``.
        story: What happened, in words.
        strip: Film strip as a data URI, or None.
        strip_size: Its width and height in pixels.
        poster: The video's still picture as a data URI, or None.
        tall: Height of the video divided by its width.
        video: Path of the video relative to the page, ready for an attribute, or None.
        trouble: Why there is no picture, or None.
    """

    policy: str
    task: str
    level: str
    goal: str
    good: bool
    outcome: str
    story: str
    strip: str | None = None
    strip_size: tuple[int, int] = (0, 0)
    poster: str | None = None
    tall: float = 0.75
    video: str | None = None
    trouble: str | None = None


@dataclass(frozen=True, slots=True)
class Gallery:
    """One policy's clips, laid out for reading."""

    clips: tuple[Clip, ...]

    @property
    def lacking(self) -> str | None:
        """``"success"`` or ``"failure"`` when there is none on any task."""
        kinds = {clip.good for clip in self.clips}
        return None if len(kinds) == 2 else "success" if False in kinds else "failure"

    @property
    def rows(self) -> list[tuple[Clip | str, Clip | str]]:
        """Task by task, a good clip beside a bad one, or a sentence where there is none."""
        rows: list[tuple[Clip | str, Clip | str]] = []
        for task in dict.fromkeys(clip.task for clip in self.clips):
            good = [clip for clip in self.clips if clip.task == task and clip.good]
            bad = [clip for clip in self.clips if clip.task == task and not clip.good]
            no_good = f"No {'other ' if good else ''}success on {task}."
            no_bad = f"No {'other ' if bad else ''}failure on {task}."
            rows += [(left or no_good, right or no_bad) for left, right in zip_longest(good, bad)]
        return rows


@dataclass(slots=True)
class _Stills:
    """What is kept of an episode while its video is written: the few frames of the strip."""

    wanted: frozenset[int]
    frames: list[Frame] = field(default_factory=list)
    actions: list[Action | None] = field(default_factory=list)
    ticks: list[int] = field(default_factory=list)
    holds: list[bool] = field(default_factory=list)
    poster: Frame | None = None
    played: int = 0
    held_last: bool = False

    def add(self, frame: Frame, action: Action | None, tick: int, holds: bool) -> None:
        """Keep a frame for the strip."""
        self.frames.append(frame)
        self.actions.append(action)
        self.ticks.append(tick)
        self.holds.append(holds)


def choose(episodes: Sequence[EpisodeRow], count: int) -> list[EpisodeRow]:
    """Pick at most ``count`` good and ``count`` bad episodes of each policy and task, by ``RULE``."""
    groups: dict[tuple[str, str], list[EpisodeRow]] = {}
    for episode in episodes:
        groups.setdefault((episode.policy, episode.task), []).append(episode)
    chosen: list[EpisodeRow] = []
    for group in groups.values():
        group.sort(key=_place)
        chosen += [episode for episode in group if prose.outcome(episode) == "success"][:count]
        bad = [episode for episode in group if prose.outcome(episode) != "success"]
        firsts = list({prose.outcome(episode): episode for episode in reversed(bad)}.values())
        firsts.sort(key=bad.index)
        chosen += [*firsts, *(episode for episode in bad if episode not in firsts)][:count]
    return chosen


def make_clips(
    episodes: Sequence[EpisodeRow], out: Path, count: int, stage: "Stage", *, progress: bool = False
) -> list[Clip]:
    """Film the chosen episodes into ``out/media``.

    Args:
        episodes: Lines of ``episodes.jsonl``.
        out: The evaluation folder.
        count: Good and bad ones of each policy and task; 0 films none.
        stage: Where they are played again; closed at the end.
        progress: Show a bar on standard error.

    Returns:
        One clip for each chosen episode; one that could not be filmed says why in ``trouble``.
    """
    chosen = choose(episodes, count)
    made: dict[int, Clip] = {}
    # Neighbours in (task, split, seed) share an engine and often the file of levels it has loaded.
    order = sorted(range(len(chosen)), key=lambda index: _place(chosen[index]))
    with closing(stage):
        for index in track(order, "filming", "episodes", Console(stderr=True, quiet=not progress)):
            made[index] = _make_clip(chosen[index], out, stage)
    return [made[index] for index in range(len(chosen))]


class Stage:
    """The environment that clips are played in, one at a time: made when another task or split is asked for.

    Args:
        env_id: Gymnasium id of the arena or of an environment that takes its arguments.
        frame_size: Width and height of the frames that the policies saw.
        fit: How the picture was fitted into them.
        fps: Ticks a second.
    """

    def __init__(
        self, env_id: str, frame_size: tuple[int, int], fit: Fit = "letterbox", fps: float = DEFAULT_FPS
    ) -> None:
        self._env_id = env_id
        self._how = {"frame_size": frame_size, "fit": fit, "fps": fps}
        self._env: gym.Env[Any, Any] | None = None
        self._set = ("", "")

    def get(self, task: str, split: str) -> gym.Env[Any, Any]:
        """Return the environment of this task and split."""
        if self._env is None or self._set != (task, split):
            self.close()
            self._env = gym.make(self._env_id, task=task, split=split, disable_env_checker=True, **self._how)
            self._set = (task, split)
        return self._env

    def close(self) -> None:
        """Close the environment; the next ``get`` makes a fresh one. May be called twice."""
        env, self._env = self._env, None
        if env is not None:
            with suppress(Exception):  # what is wrong with it is told in the clip
                env.close()


def _place(episode: EpisodeRow) -> tuple[str, str, int]:
    return episode.task, episode.split, episode.seed


def _make_clip(episode: EpisodeRow, out: Path, stage: Stage) -> Clip:
    ended = prose.outcome(episode)
    clip = Clip(
        policy=episode.policy, task=episode.task, level=episode.level or f"level {episode.seed}",
        goal=episode.goal or "",
        good=ended == "success", outcome=ended, story=prose.story(episode),
    )  # fmt: skip
    if not episode.actions:
        return replace(clip, trouble="no action was played")
    try:
        env = stage.get(episode.task, episode.split)
        stills = _Stills(frozenset(pick_evenly(len(episode.actions) + 1, TILES)))
        frames = _film(env, episode, stills)
        name, trouble = _file_name(episode), None
        try:
            write_video(out / MEDIA_DIR / name, frames, float(getattr(env.unwrapped, "fps", DEFAULT_FPS)))
        except MissingExtraError as error:
            trouble = str(error)
            deque(frames, maxlen=0)  # the strip needs no codec
        return replace(
            clip, **_pictures(stills), video=None if trouble else f"{MEDIA_DIR}/{quote(name)}",
            trouble=trouble or _deviation(episode, stills),
        )  # fmt: skip
    except Exception as error:  # an engine or a codec may raise anything, and no clip is worth the report
        if not isinstance(error, GameEnvError):
            stage.close()  # whatever state it is in, the next clip gets a fresh one
        return replace(
            clip, trouble=str(error) if isinstance(error, GameEnvError) else f"{type(error).__name__}: {error}"
        )


def _film(env: gym.Env[Any, Any], episode: EpisodeRow, stills: _Stills) -> Iterator[Frame]:
    """Yield the video's frames, keeping the strip's on the way."""
    actions = episode.actions
    for index, (frame, info, action) in enumerate(replay_in(env, episode.seed, actions)):
        if index == 0 and info.get("level", episode.level) != episode.level:
            raise InvalidInputError(
                f"its number is level {info['level']} now: another generator version made the results"
            )
        holds = bool(info.get("goal_reached"))
        drawn = draw_keys(frame, action, Caption(str(episode.goal), int(info.get("tick", index)), holds))
        if index in stills.wanted:
            stills.add(frame, action, int(info.get("tick", index)), holds)
        if index == len(actions) // 2:
            stills.poster = drawn
        stills.played, stills.held_last = index, holds
        yield drawn


def _deviation(episode: EpisodeRow, stills: _Stills) -> str | None:
    """Why the replay is not the episode, which a deterministic arena should never let happen."""
    total = len(episode.actions)
    if stills.played != total:
        return f"played again, it ended after {stills.played} of {total} ticks"
    if episode.success and not stills.held_last:
        return "played again, the goal does not hold at its end"
    return None


def _pictures(stills: _Stills) -> dict[str, Any]:
    strip = film_strip(stills.frames, stills.actions, ticks=stills.ticks, holds=stills.holds, count=TILES)
    pictures: dict[str, Any] = {"strip": _data_uri(strip), "strip_size": strip.size}
    if stills.poster is not None:
        height, width = stills.poster.shape[:2]
        pictures |= {"poster": _data_uri(Image.fromarray(stills.poster)), "tall": height / width}
    return pictures


def _data_uri(image: Image.Image) -> str:
    buffer = io.BytesIO()
    image.save(buffer, "WEBP", quality=72, method=2)
    return "data:image/webp;base64," + base64.b64encode(buffer.getvalue()).decode("ascii")


def _file_name(episode: EpisodeRow) -> str:
    """A name that every system can store; the checksum keeps names apart that differ only in odd characters."""
    parts = [episode.policy, str(episode.execute), episode.task, episode.split, str(episode.seed)]
    slug = re.sub(r"[^A-Za-z0-9.-]+", "_", "-".join(parts)).strip(".-")[:80]
    return f"{slug}-{crc32(json.dumps(parts).encode()):08x}.mp4"
