"""``gameenv/ArenaWindow-v0``: the built-in game played through its window, in real time, with the referee's truth.

The arena's levels, goals and rules with ``gameenv/Live-v0``'s screen, keys and clock. Knows nothing of who plays.
"""

from collections.abc import Callable
from typing import Any

import gymnasium as gym

from gameenv.actions import NONE, Action, action_at
from gameenv.arena import tasks
from gameenv.arena.engine.own_window import ArenaWindow
from gameenv.arena.episodes import Episode, Episodes, opened
from gameenv.arena.levels import SPLITS, Level
from gameenv.arena.state import ArenaState
from gameenv.clock import DEFAULT_FPS
from gameenv.errors import EngineGoneError
from gameenv.frames import DEFAULT_SIZE, Fit, Frame
from gameenv.live.env import LiveEnv
from gameenv.live.guard import Control
from gameenv.spaces import METADATA
from gameenv.whole import check_seed


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

    metadata = METADATA

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
        self._window_size = window_size
        self._live_kwargs = {
            "fps": fps, "control": control, "frame_size": frame_size, "fit": fit, "render_mode": render_mode, **live
        }  # fmt: skip
        self._live = LiveEnv("arena", **self._live_kwargs)  # finds its window when there is one
        self.control = control
        self.fps = self._live.fps
        self.frame_spec = self._live.frame_spec
        self.render_mode = render_mode
        self.metadata = self._live.metadata
        self.observation_space = self._live.observation_space
        self.action_space = self._live.action_space
        self.episode: Episode | None = None
        self.held: Action = NONE
        self.tick = 0
        self._episodes = Episodes(task, split, self.fps, max_steps)
        self._window: ArenaWindow | None = None

    @property
    def level(self) -> Level:
        """The level being played; refused before the first ``reset``."""
        return opened(self.episode).level

    @property
    def state(self) -> ArenaState:
        """The truth now, at most two engine tics (1/35 s each) old; refused while no window is open."""
        return opened(self._window).state

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

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Frame, dict[str, Any]]:
        """Open a level in the window, in a new one if there is none (any more), and wait for the focus.

        Args:
            seed, options: As ``gameenv/Arena-v0``.

        Raises:
            GameEnvError: As ``gameenv/Arena-v0`` and ``gameenv/Live-v0``.
        """
        number = None if seed is None else check_seed(seed)
        super().reset(seed=number)
        self.episode = self._episodes.begin(number, self.np_random, options)
        self._open(self.level)
        frame, info = self._live.reset(options={"goal": self.episode.goal})
        self.held = NONE
        self.tick = int(info["tick"])
        self._look = self.episode.judge.look(self.state, self.tick)
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
        judge = opened(self.episode).judge
        frame, _, _, truncated, info = self._live.step(action)
        self.tick = int(info["tick"])
        state = self._state_or_none()
        if truncated or state is None:
            info.setdefault("truncated_because", "window-closed")
            return frame, 0.0, False, True, {**info, **self._look}
        self._look = judge.look(state, self.tick)
        self.held = _word_of(info) if info["control"] == "human" else action_at(action)
        reward, terminated, truncated = judge.after(self.held, self.tick, state)
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
