"""``gameenv/ArenaWindow-v0``: the built-in game played through its window, in real time, with the referee's truth.

The arena's levels, goals and rules with ``gameenv/Live-v0``'s screen, keys and clock. Knows nothing of who plays.
"""

from collections.abc import Callable
from typing import Any

import gymnasium as gym

from gameenv.actions import ACTIONS, NONE, Action
from gameenv.arena import tasks
from gameenv.arena.engine.engine import tics_until
from gameenv.arena.engine.own_window import ArenaWindow
from gameenv.arena.judge import Judge
from gameenv.arena.levels import SPLITS, Level, check_split
from gameenv.arena.state import ArenaState
from gameenv.clock import DEFAULT_FPS
from gameenv.errors import EngineGoneError, InvalidInputError
from gameenv.frames import DEFAULT_SIZE, Fit, Frame
from gameenv.live.env import LiveEnv
from gameenv.live.guard import Control


class ArenaWindowEnv(gym.Env[Frame, int]):
    """A level of the built-in game in a window.

    Observation, action and ``info`` as ``gameenv/Live-v0``; goal, reward, end and what the referee adds to ``info`` as
    ``gameenv/Arena-v0``. With ``control="human"`` a tick counts as ``none`` if no game key was down in it.

    Args:
        task, split, max_steps: As ``gameenv/Arena-v0``.
        window_size: Of the picture, one of ``gameenv.arena.engine.own_window.SIZES``.
        fps, control, frame_size, fit, render_mode, live: As ``gameenv/Live-v0``; further ones by name.

    Raises:
        UnknownNameError, InvalidInputError: If an argument cannot be used.
        MissingExtraError: If an optional package is missing.
    """

    metadata = {"render_modes": ["rgb_array"], "render_fps": DEFAULT_FPS}  # noqa: RUF012 (Gymnasium's own shape)

    def __init__(  # noqa: PLR0917 (Gymnasium passes them by name)
        self,
        task: str = tasks.ALL,
        split: str = SPLITS[0],
        fps: float = DEFAULT_FPS,
        control: Control = "agent",
        frame_size: tuple[int, int] = DEFAULT_SIZE,
        fit: Fit = "letterbox",
        max_steps: int | None = None,
        window_size: tuple[int, int] = (1280, 720),
        render_mode: str | None = None,
        **live: Any,
    ) -> None:
        self.task = tasks.check_task(task)
        self.split = check_split(split)
        if max_steps is not None and max_steps < 1:
            raise InvalidInputError(f"max_steps must be at least 1, got {max_steps}")
        self._max_steps = max_steps
        self._window_size = window_size
        self._live_kwargs = {
            "fps": fps, "control": control, "frame_size": frame_size, "fit": fit, "render_mode": render_mode, **live
        }  # fmt: skip
        self._live = LiveEnv("arena", **self._live_kwargs)  # finds its window when there is one
        self.control = control
        self.fps = self._live.fps
        self.frame_spec = self._live.frame_spec
        self.render_mode = render_mode
        self.observation_space = self._live.observation_space
        self.action_space = self._live.action_space
        self._window: ArenaWindow | None = None
        self._level: Level | None = None
        self._held: Action = NONE
        self._next_seed = 0
        self.tick = 0

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
        """The truth now; at most two engine tics (1/35 s each) old."""
        if self._window is None:
            raise InvalidInputError("no level is open yet; call reset() first")
        return self._window.state

    @property
    def held(self) -> Action:
        """The action held last, ``none`` at the start."""
        return self._held

    @property
    def watchdog_pid(self) -> int | None:
        """Process number of the window's watchdog."""
        return self._live.watchdog_pid

    @property
    def notify(self) -> Callable[[str], object]:
        """Who is told what a person should know."""
        return self._live.notify

    @notify.setter
    def notify(self, notify: Callable[[str], object]) -> None:
        self._live.notify = self._live_kwargs["notify"] = notify

    def tics_until(self, tick: int) -> int:
        """Engine tics from the first frame until a tick."""
        return tics_until(tick, self.fps)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Frame, dict[str, Any]]:
        """Open a level in the window, in a new one if there is none (any more), and wait for the focus.

        Args:
            seed: The level's number within (split, task); without it, the next one.
            options: ``{"goal": text}`` puts the goal in other words.

        Raises:
            InvalidInputError: If ``seed`` is not a whole number from 0.
            GameEnvError: If the window does not open; and what ``gameenv/Live-v0`` raises.
        """
        number = tasks.check_seed(self._next_seed if seed is None else seed)
        super().reset(seed=number)
        self._level = tasks.level(self.task, self.split, number)
        self._next_seed = number + 1
        goal = str((options or {}).get("goal") or self._level.goal)
        self._open(self._level)
        frame, info = self._live.reset(options={"goal": goal})
        self._judge = Judge(self._level, self.fps, self._max_steps)
        self.max_steps = self._judge.max_steps
        self._held = NONE
        self.tick = int(info["tick"])
        self._look = self._judge.look(self.state, self.tick)
        return frame, {**info, **self._look}

    def _open(self, level: Level) -> None:
        if self._window is not None:
            self._live.release()  # before the level changes under keys that are still down
            try:
                self._window.open(level)
                return
            except EngineGoneError:
                self.close()
        self._window = ArenaWindow(level, self._window_size)
        self._live = LiveEnv(self._window.handle, **self._live_kwargs)
        self._window.open(level)

    def step(self, action: int) -> tuple[Frame, float, bool, bool, dict[str, Any]]:
        """Hold an action until the next tick, then grab; with ``control="human"``, wait for the next tick only.

        Raises:
            InvalidInputError: If the action is not 0 to 11, or the episode is over.
        """
        if self._window is None:
            raise InvalidInputError("the episode is over or was never begun; call reset() first")
        frame, _, _, truncated, info = self._live.step(action)
        self.tick = int(info["tick"])
        state = self._state_or_none()
        if truncated or state is None:
            info.setdefault("truncated_because", "window-closed")
            return frame, 0.0, False, True, {**info, **self._look}
        self._look = self._judge.look(state, self.tick)
        self._held = _word_of(info) if info["control"] == "human" else ACTIONS[int(action)]
        reward, terminated, truncated = self._judge.after(self._held, self.tick, state)
        return frame, reward, terminated, truncated, {**info, **self._look}

    def _state_or_none(self) -> ArenaState | None:
        try:
            return self.state
        except EngineGoneError:
            return None

    def render(self) -> Frame | None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The last frame with ``render_mode="rgb_array"``, else None."""
        return self._live.render()

    def close(self) -> None:
        """Let go of all keys and close the window. May be called twice."""
        self._live.close()
        if self._window is not None:
            self._window.close()
            self._window = None


def _word_of(info: dict[str, Any]) -> Action:
    """A key that the person had down in this tick, ``none`` if there was none."""
    words: list[Action] = [*info["held"], *(word for _, word, _ in info["key_events"])]
    return words[0] if words else NONE
