"""``gameenv/Arena-v0``: the built-in game in lock-step. The game waits for ``step``, and is deterministic.

Time is counted, not measured: ``t_ns`` is tick x period and ``late`` is always False.
"""

from collections.abc import Collection
from typing import Any

import gymnasium as gym
import numpy as np

from gameenv.actions import NONE, Action, action_at
from gameenv.arena import tasks
from gameenv.arena.engine.engine import Engine, draw_size
from gameenv.arena.episodes import Episode, Episodes, opened
from gameenv.arena.levels import SPLITS, Level, Watched
from gameenv.arena.state import ArenaState
from gameenv.arena.tics import TICS_PER_S, tics_in
from gameenv.clock import DEFAULT_FPS, period_ns
from gameenv.errors import EngineGoneError, InvalidInputError
from gameenv.frames import DEFAULT_SIZE, Fit, Frame, FrameSpec, fit_frame
from gameenv.spaces import METADATA, action_space, check_render_mode, frame_space, metadata_at
from gameenv.whole import check_seed


class ArenaEnv(gym.Env[Frame, int]):
    """A level of the built-in game.

    Observation: ``(height, width, 3)`` uint8 RGB. Action: ``Discrete(12)``, see ``gameenv.ACTIONS``.
    Reward 1.0 and ``terminated`` on the tick where the goal holds and the last seven actions were ``none``;
    0 otherwise. Losing terminates with 0; the step limit truncates.

    Args:
        task: A family of ``gameenv.arena.tasks.TASKS``, or ``"all"``: the seed draws one.
        split: ``"train"``, ``"validation"`` or ``"test"``; they never share a level.
        frame_size: Width and height of the observation.
        fit: How the engine's 16:9 picture is fitted into another aspect ratio.
        fps: Ticks a second, 1 to 35; the engine's 35 tics a second are shared among them as evenly as they go.
        max_steps: Step limit; by default about three times what the scripted expert needs.
        render_mode: ``"rgb_array"`` or None.
        watch: What ``state`` is to tell beside what the levels' referees need; each costs a little at every tick.

    Raises:
        UnknownNameError: If the task or the split does not exist.
        InvalidInputError: If a size or rate cannot be used.
        MissingExtraError: If vizdoom is not installed.
    """

    metadata = METADATA

    def __init__(  # noqa: PLR0917 (Gymnasium passes them by name)
        self,
        task: str = tasks.ALL,
        split: str = SPLITS[0],
        frame_size: tuple[int, int] = DEFAULT_SIZE,
        fit: Fit = "letterbox",
        fps: float = DEFAULT_FPS,
        max_steps: int | None = None,
        render_mode: str | None = None,
        watch: Collection[Watched] = (),
    ) -> None:
        self.frame_spec = FrameSpec.of(frame_size, fit)
        self.fps = float(fps)
        if not 1 <= self.fps <= TICS_PER_S:
            raise InvalidInputError(f"the arena runs at 1 to {TICS_PER_S} ticks a second, got fps={fps}")
        self.render_mode = check_render_mode(render_mode)
        self.metadata = metadata_at(self.fps)
        self.observation_space = frame_space(self.frame_spec)
        self.action_space = action_space()
        self.episode: Episode | None = None
        self.held: Action = NONE
        self.tick = 0
        self._episodes = Episodes(task, split, self.fps, max_steps)
        self._period_ns = period_ns(self.fps)
        self._watch = frozenset(watch)
        self._engine: Engine | None = None
        self._frame: Frame | None = None
        self._over = True

    @property
    def level(self) -> Level:
        """The level being played; refused before the first ``reset``."""
        return opened(self.episode).level

    @property
    def state(self) -> ArenaState:
        """The referee's truth after the last tick; refused before the first ``reset`` and after ``close``."""
        return opened(self._engine).state

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Frame, dict[str, Any]]:
        """Open a level.

        Args:
            seed: The level's number within (split, task), any whole number from 0. It seeds ``np_random``, too, from
                which ``reset`` draws the level where no seed is given: a new one each time, the same ones in the
                same order after the same seed, and others in every environment that was never given one.
            options: ``{"goal": text}`` puts the goal in other words; the referee judges the level's own.
                ``{"task": name}`` takes the level from another family, this time. ``{"ends_when_declared": False}``
                has seven ``none`` not end the episode: for who says otherwise when it is done.

        Raises:
            InvalidInputError: If ``seed`` is not a whole number from 0.
            UnknownNameError: If there is no such family.
            GameEnvError: If the engine does not start.
        """
        number = None if seed is None else check_seed(seed)
        super().reset(seed=number)
        self._over = True  # until the level is open
        episode = self._episodes.begin(number, self.np_random, options)
        self._open(episode.level)
        self.episode = episode
        self.tick = 0
        self.held = NONE
        self._over = False
        frame = self._frame = self._grab()
        return frame, self._info(new_frame=True, events=())

    def _open(self, level: Level) -> None:
        """Open a level in the engine, in a new one if there is none, it has ended, or it sees too little."""
        seen = self._watch
        if self._engine is not None and not self._engine.can_open(level):
            seen = self._engine.watches  # levels like those before may come again: a start costs hundreds of steps
            self.close()
        if self._engine is not None:
            try:
                self._engine.open(level)
            except EngineGoneError:
                self.close()
        if self._engine is None:
            self._engine = Engine(level, draw_size(*self.frame_spec.size), seen)
            self._engine.open(level)

    def step(self, action: int) -> tuple[Frame, float, bool, bool, dict[str, Any]]:
        """Hold an action until the next tick, then grab.

        Raises:
            InvalidInputError: If the action is not 0 to 11, or the episode is over.
            EngineGoneError: If the engine process has ended; ``reset`` starts a new one.
        """
        if self._over or self._engine is None:
            raise InvalidInputError("the episode is over or was never begun; call reset() first")
        word = action_at(action)
        events = self._change_keys(word)
        try:
            self._engine.advance(word, tics_in(self.tick, self.fps))
        except EngineGoneError:
            self.close()
            raise
        self.tick += 1
        frame = self._grab()
        new_frame = not _same_picture(frame, self._frame)
        self._frame = frame
        info = self._info(new_frame=new_frame, events=events)
        reward, terminated, truncated = opened(self.episode).judge.after(word, self.tick, self.state)
        self._over = terminated or truncated
        return frame, reward, terminated, truncated, info

    def _change_keys(self, word: Action) -> tuple[tuple[int, str, bool], ...]:
        """The key events of going over from the held action to ``word``, at the last grab's time."""
        if word == self.held:
            return ()
        t_ns = self._t_ns()
        events = [(t_ns, key, down) for key, down in ((self.held, False), (word, True)) if key != NONE]
        self.held = word
        return tuple(events)

    def _t_ns(self) -> int:
        return round(self.tick * self._period_ns)

    def _grab(self) -> Frame:
        assert self._engine is not None
        return fit_frame(self._engine.frame, self.frame_spec)

    def _info(self, *, new_frame: bool, events: tuple[tuple[int, str, bool], ...]) -> dict[str, Any]:
        episode = opened(self.episode)
        return {
            "goal": episode.goal,
            "tick": self.tick,
            "t_ns": self._t_ns(),
            "held": () if self.held == NONE else (self.held,),
            "late": False,
            "focused": True,
            "new_frame": new_frame,
            "key_events": events,
            **episode.judge.look(self.state, self.tick),
        }

    def render(self) -> Frame | None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The last frame with ``render_mode="rgb_array"``, else None."""
        return None if self._frame is None or self.render_mode is None else self._frame.copy()

    def close(self) -> None:
        """Stop the engine. May be called twice."""
        if self._engine is not None:
            self._engine.close()
            self._engine = None
        self._over = True


def _same_picture(one: Frame, other: Frame | None) -> bool:
    """Whether two frames of one size are equal; those that are not mostly differ in their middle row already."""
    if other is None:
        return False
    middle = len(one) // 2
    return one[middle].tobytes() == other[middle].tobytes() and np.array_equal(one, other)
