"""``gameenv/Arena-v0``: the built-in game in lock-step. The game waits for ``step``, and is deterministic.

Time is counted, not measured: ``t_ns`` is tick x period and ``late`` is always False.
"""

from typing import Any

import gymnasium as gym
import numpy as np

from gameenv.actions import ACTIONS, NONE, Action
from gameenv.arena import tasks
from gameenv.arena.engine.engine import TICS_PER_S, Engine, draw_size, tics_until
from gameenv.arena.judge import Judge
from gameenv.arena.levels import SPLITS, Level, Watched, check_split
from gameenv.arena.state import ArenaState
from gameenv.clock import DEFAULT_FPS, period_ns
from gameenv.errors import EngineGoneError, InvalidInputError
from gameenv.frames import DEFAULT_SIZE, Fit, Frame, FrameSpec, fit_frame


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

    Raises:
        UnknownNameError: If the task or the split does not exist.
        InvalidInputError: If a size or rate cannot be used.
        MissingExtraError: If vizdoom is not installed.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": DEFAULT_FPS}  # noqa: RUF012 (Gymnasium's own shape)

    def __init__(  # noqa: PLR0917 (Gymnasium passes them by name)
        self,
        task: str = tasks.ALL,
        split: str = SPLITS[0],
        frame_size: tuple[int, int] = DEFAULT_SIZE,
        fit: Fit = "letterbox",
        fps: float = DEFAULT_FPS,
        max_steps: int | None = None,
        render_mode: str | None = None,
    ) -> None:
        self.task = tasks.check_task(task)
        self.split = check_split(split)
        if len(frame_size) != 2:
            raise InvalidInputError(f"frame_size is (width, height), got {frame_size!r}")
        self.frame_spec = FrameSpec(*frame_size, fit=fit)
        self.fps = float(fps)
        if not 1 <= self.fps <= TICS_PER_S:
            raise InvalidInputError(f"the arena runs at 1 to {TICS_PER_S} ticks a second, got fps={fps}")
        if max_steps is not None and max_steps < 1:
            raise InvalidInputError(f"max_steps must be at least 1, got {max_steps}")
        if render_mode not in (None, "rgb_array"):
            raise InvalidInputError(f"render_mode is 'rgb_array' or None, got {render_mode!r}")
        self.render_mode = render_mode
        self._max_steps = max_steps
        self._period_ns = period_ns(self.fps)
        self.observation_space = gym.spaces.Box(0, 255, self.frame_spec.shape, np.uint8)
        self.action_space = gym.spaces.Discrete(len(ACTIONS))  # pyright: ignore[reportAttributeAccessIssue] (int64)
        self._engine: Engine | None = None
        self._level: Level | None = None
        self._frame: Frame | None = None
        self._held: Action = NONE
        self._next_seed = 0
        self._over = True

    @property
    def level(self) -> Level:
        """The level being played.

        Raises:
            InvalidInputError: Before the first ``reset``.
        """
        if self._level is None:
            raise InvalidInputError("no level is open yet; call reset() first")
        return self._level

    @property
    def state(self) -> ArenaState:
        """The referee's truth after the last tick."""
        if self._engine is None:
            raise InvalidInputError("no level is open yet; call reset() first")
        return self._engine.state

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Frame, dict[str, Any]]:
        """Open a level.

        Args:
            seed: The level's number within (split, task); without it, the next one.
            options: ``{"goal": text}`` puts the goal in other words; the referee judges the level's own.

        Raises:
            InvalidInputError: If ``seed`` is not a whole number from 0.
            GameEnvError: If the engine does not start.
        """
        number = tasks.check_seed(self._next_seed if seed is None else seed)
        super().reset(seed=number)
        self._open(tasks.level(self.task, self.split, number))
        self._next_seed = number + 1
        self.goal = str((options or {}).get("goal") or self.level.goal)
        self._judge = Judge(self.level, self.fps, self._max_steps)
        self.max_steps = self._judge.max_steps
        self.tick = 0
        self._held = NONE
        self._over = False
        frame = self._frame = self._grab()
        return frame, self._info(new_frame=True, events=())

    def _open(self, level: Level) -> None:
        """Open a level in the engine, in a new one if there is none, it has ended, or it sees too little."""
        self._over = True  # until the level is open
        seen: frozenset[Watched] = frozenset()
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
        self._level = level

    def step(self, action: int) -> tuple[Frame, float, bool, bool, dict[str, Any]]:
        """Hold an action until the next tick, then grab.

        Raises:
            InvalidInputError: If the action is not 0 to 11, or the episode is over.
            EngineGoneError: If the engine process has ended; ``reset`` starts a new one.
        """
        if self._over or self._engine is None:
            raise InvalidInputError("the episode is over or was never begun; call reset() first")
        if not (type(action) is int and 0 <= action < len(ACTIONS)) and not self.action_space.contains(action):
            raise InvalidInputError(f"an action is a whole number from 0 to {len(ACTIONS) - 1}, got {action!r}")
        word = ACTIONS[int(action)]
        events = self._change_keys(word)
        try:
            self._engine.advance(word, self.tics_in(self.tick))
        except EngineGoneError:
            self.close()
            raise
        self.tick += 1
        frame = self._grab()
        new_frame = not _same_picture(frame, self._frame)
        self._frame = frame
        info = self._info(new_frame=new_frame, events=events)
        reward, terminated, truncated = self._judge.after(word, self.tick, self.state)
        self._over = terminated or truncated
        return frame, reward, terminated, truncated, info

    @property
    def held(self) -> Action:
        """The action whose key is down, ``none`` at the start."""
        return self._held

    def tics_until(self, tick: int) -> int:
        """Engine tics from the first frame until a tick."""
        return tics_until(tick, self.fps)

    def tics_in(self, tick: int) -> int:
        """Engine tics that the action of a tick is held for: 3 or 4 at 10 ticks a second."""
        return self.tics_until(tick + 1) - self.tics_until(tick)

    def _change_keys(self, word: Action) -> tuple[tuple[int, str, bool], ...]:
        """The key events of going over from the held action to ``word``, at the last grab's time."""
        if word == self._held:
            return ()
        t_ns = self._t_ns()
        events = [(t_ns, key, down) for key, down in ((self._held, False), (word, True)) if key != NONE]
        self._held = word
        return tuple(events)

    def _t_ns(self) -> int:
        return round(self.tick * self._period_ns)

    def _grab(self) -> Frame:
        assert self._engine is not None
        return fit_frame(self._engine.frame, self.frame_spec)

    def _info(self, *, new_frame: bool, events: tuple[tuple[int, str, bool], ...]) -> dict[str, Any]:
        return {
            "goal": self.goal,
            "tick": self.tick,
            "t_ns": self._t_ns(),
            "held": () if self._held == NONE else (self._held,),
            "late": False,
            "focused": True,
            "new_frame": new_frame,
            "key_events": events,
            **self._judge.look(self.state, self.tick),
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
