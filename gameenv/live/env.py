"""``gameenv/Live-v0``: a window of any game as an environment, in real time. The game does not wait for ``step``.

Ticks come at absolute deadlines, whatever the policy does; keys are pressed and let go of by the watchdog process.
Knows nothing of who plays or records, and has no referee: reward is 0 and it never terminates by itself.
"""

import logging
import os
from collections.abc import Callable, Mapping, Sequence
from dataclasses import replace
from typing import Any

import gymnasium as gym
import numpy as np

from gameenv.actions import NONE, action_at
from gameenv.clock import DEFAULT_FPS, NS_PER_S, period_ns
from gameenv.desktop.family import own_processes
from gameenv.desktop.keyboard import KEY_NAMES, bind_keys
from gameenv.desktop.opening import open_window_system
from gameenv.desktop.screen import REMEDIES
from gameenv.desktop.window import find_window
from gameenv.errors import (
    AmbiguousWindowError,
    InvalidInputError,
    NoWindowError,
    UnknownNameError,
    WindowError,
    WindowGoneError,
)
from gameenv.frames import DEFAULT_SIZE, Fit, Frame, FrameSpec
from gameenv.live.companion import Companion
from gameenv.live.guard import Control
from gameenv.live.messages import EndReason, Grab, WatchEnded, WatchSettings
from gameenv.live.ring import FrameRing
from gameenv.spaces import METADATA, action_space, check_render_mode, frame_space, metadata_at
from gameenv.whole import check_seed

CONTROLS: tuple[Control, ...] = ("agent", "human")
_MAX_FPS = 60
_REMINDER_S = 10.0


class LiveEnv(gym.Env[Frame, int]):
    """A game's window, found at the first ``reset`` and, should it have been closed, again at a later one.

    Observation: ``(height, width, 3)`` uint8 RGB of the window's client area, of one shape whatever the window does.
    Action: ``Discrete(12)``, see ``gameenv.ACTIONS``; with ``control="human"`` it is not looked at. Reward is 0.

    ``step`` holds the action until the next tick and then grabs. Keys go to the window only while it has the focus:
    ``step`` waits without it, and truncates after ``focus_timeout_s``. ``info`` has what every environment here gives
    (``docs/formats.md``), and: ``control`` (who has the keys: a person's game key takes over from the agent),
    ``hotkeys`` (pressed since the last grab), ``problem`` (a key of ``gameenv.desktop.screen.REMEDIES`` or None),
    ``interrupted`` (the focus or the control was lost and what was planned is void), ``lateness_ns``, ``skipped``
    (ticks without a grab since the last) and, in the step that truncates, ``truncated_because``.

    Args:
        window: The window's title, a part of it, or a regular expression found in it; or the window's number.
        process: The same for its program's file name.
        fps: Ticks a second, above 0 to 60.
        control: ``"agent"``: actions are pressed. ``"human"``: a person plays, and every tick is reported.
        keys: Words whose key is another in this game, such as ``{"enter": "e"}``.
        frame_size: Width and height of the observation.
        fit: How another aspect ratio is fitted into it, ``"letterbox"`` or ``"stretch"``.
        focus_timeout_s: How long to wait for the window to get the focus (back).
        reset_hook: Called by ``reset`` with this environment after all keys are up, to bring the game to a start.
        notify: Told in a sentence what a person should know; by default the log ``gameenv.live.env``.
        panic_key: Stops the agent at once.
        hand_back_key: Gives the control back to the agent. The game gets neither key, where the system allows.
        reset_key: Pressed by ``reset`` in the game once it has the focus, before the hook: a quick-load key, say.
        reset_wait_s: How long the game is given after it.
        hotkeys: Keys to report in ``info["hotkeys"]``.
        render_mode: ``"rgb_array"`` or None.

    Raises:
        UnknownNameError: If a word, key, fit or control does not exist.
        InvalidInputError: If a size, rate or binding cannot be used.
    """

    metadata = METADATA

    def __init__(  # noqa: PLR0917 (Gymnasium passes them by name)
        self,
        window: str | int | None = None,
        process: str | None = None,
        fps: float = DEFAULT_FPS,
        control: Control = "agent",
        keys: Mapping[str, str] | None = None,
        frame_size: tuple[int, int] = DEFAULT_SIZE,
        fit: Fit = "letterbox",
        focus_timeout_s: float = 30.0,
        reset_hook: Callable[["LiveEnv"], object] | None = None,
        notify: Callable[[str], object] | None = None,
        panic_key: str = "f12",
        hand_back_key: str = "f11",
        hotkeys: Sequence[str] = ("p",),
        reset_key: str | None = None,
        reset_wait_s: float = 2.0,
        render_mode: str | None = None,
    ) -> None:
        if not window and not process:
            raise InvalidInputError('name the window by its title or its process: window="The Dark Mod"')
        if not 0 < fps <= _MAX_FPS:
            raise InvalidInputError(
                f"a live window runs at more than 0 and at most {_MAX_FPS} ticks a second, got {fps}"
            )
        if control not in CONTROLS:
            raise UnknownNameError("control", control, CONTROLS)
        if focus_timeout_s < 0:
            raise InvalidInputError(f"focus_timeout_s must be at least 0, got {focus_timeout_s}")
        if reset_key is not None and control != "agent":
            raise InvalidInputError("reset_key is pressed for an agent; a person presses their own")
        if reset_wait_s < 0:
            raise InvalidInputError(f"reset_wait_s must be at least 0, got {reset_wait_s}")
        special = (panic_key, hand_back_key, *hotkeys) if control == "agent" else tuple(hotkeys)
        special += () if reset_key is None else (reset_key,)
        for key in special:
            if key not in KEY_NAMES:
                raise UnknownNameError("key", key, KEY_NAMES)
        if len(set(special)) != len(special):
            raise InvalidInputError(f"each hotkey needs a key of its own, got {', '.join(special)}")
        self.window = window
        self.process = process
        self.fps = float(fps)
        self.control: Control = control
        self.bound = bind_keys(keys, special)
        self.frame_spec = FrameSpec.of(frame_size, fit)
        self.focus_timeout_s = focus_timeout_s
        self.render_mode = check_render_mode(render_mode)
        self.metadata = metadata_at(self.fps)
        self._reset_hook = reset_hook
        self._reset_key = reset_key
        self._reset_wait_s = reset_wait_s
        self.notify: Callable[[str], object] = notify or logging.getLogger(__name__).warning
        self._special = panic_key, hand_back_key, tuple(hotkeys)
        self.observation_space = frame_space(self.frame_spec)
        self.action_space = action_space()
        self._companion: Companion | None = None
        self._ring: FrameRing | None = None
        self._number = 0
        self._info: dict[str, Any] = {}
        self._problem: str | None = None
        self._goal: str | None = None
        self._over = True

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Frame, dict[str, Any]]:
        """Let go of all keys, call the reset hook, wait for the focus if an agent plays, and grab tick 0.

        Args:
            seed: Of ``np_random`` and nothing else: a live game has no seed.
            options: ``{"goal": text}`` is reported as ``info["goal"]``.

        Raises:
            NoWindowError, AmbiguousWindowError: If not exactly one window matches; lists those there are.
            WindowBusyError: If another agent plays it.
            WindowError: If it does not get the focus in time, or is closed meanwhile.
            DisplayError: If this desktop cannot be seen, listened to, or pressed keys for; says what to do.
            MissingExtraError: If the extra ``live`` is not installed.
        """
        super().reset(seed=None if seed is None else check_seed(seed))
        self._over = True
        goal = (options or {}).get("goal")
        self._goal = None if goal is None else str(goal)
        answer = self._begin()
        if self._reset_key is not None:
            answer = self._press_reset_key(answer)
        if self._reset_hook is not None:
            self._reset_hook(self)
            answer = self._begin()
        if isinstance(answer, Grab) and not answer.focused and self.control == "agent":
            answer = self._await_focus(answer)
            if isinstance(answer, Grab):
                answer = self._begin()
        if isinstance(answer, WatchEnded):
            self._forget_companion()
            raise WindowError(answer.text, answer.reason)
        self._over = False
        return self._receive(answer)

    def step(self, action: int) -> tuple[Frame, float, bool, bool, dict[str, Any]]:
        """Hold an action until the next tick, then grab; with ``control="human"``, wait for the next tick only.

        Raises:
            InvalidInputError: If the action is not 0 to 11, or the episode is over.
        """
        if self._over or self._companion is None:
            raise InvalidInputError("the episode is over or was never begun; call reset() first")
        word = action_at(action)
        if self.control == "human":
            answer = self._companion.next_grab()
        else:
            answer = self._companion.hold(word)
            if isinstance(answer, Grab) and not answer.focused:
                answer = self._await_focus(answer)
        if isinstance(answer, WatchEnded):
            return self._end(answer)
        frame, info = self._receive(answer)
        return frame, 0.0, False, False, info

    def release(self) -> None:
        """Let go of all keys and say goodbye to the episode; ``reset`` begins the next."""
        self._over = True
        if self._companion is not None and isinstance(self._companion.begin(), WatchEnded):
            self._forget_companion()

    @property
    def info(self) -> dict[str, Any]:
        """The ``info`` of the last grab."""
        return dict(self._info)

    @property
    def watchdog_pid(self) -> int | None:
        """Process number of the watchdog, None before the first ``reset`` and after ``close``."""
        return None if self._companion is None else self._companion.pid

    def render(self) -> Frame | None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """The last frame with ``render_mode="rgb_array"``, else None."""
        return None if self.render_mode is None else self._last_frame()

    def close(self) -> None:
        """Let go of all keys and of the window. May be called twice."""
        self._over = True
        self._forget_companion()

    def is_there(self) -> bool:
        """Whether the window is there now; several that match count as well, as ``reset`` says which.

        Raises:
            DisplayError: If this desktop's windows cannot be seen; says what to do.
        """
        windows = open_window_system()
        try:
            if isinstance(self.window, int):
                windows.state(self.window)
            else:
                find_window(windows, self.window, self.process, own_processes())
        except (NoWindowError, WindowGoneError):
            return False
        except AmbiguousWindowError:
            return True
        finally:
            windows.close()
        return True

    def _press_reset_key(self, answer: Grab | WatchEnded) -> Grab | WatchEnded:
        """Have the reset key pressed in the game, and give it time; returns tick 0 anew."""
        assert self._companion is not None
        if isinstance(answer, Grab):
            answer = self._await_focus(answer)
        if isinstance(answer, WatchEnded):
            return answer
        self._companion.tap_reset_key()
        end_ns = answer.t_ns + round(self._reset_wait_s * NS_PER_S)
        while answer.t_ns < end_ns:
            self._companion.skip(answer)
            answer = self._companion.hold(NONE)
            if isinstance(answer, WatchEnded):
                return answer
        return self._begin()

    def _begin(self) -> Grab | WatchEnded:
        """Tick 0 of the watchdog process there is or, where that or its window has gone, of a new one."""
        if self._companion is not None:
            answer = self._companion.begin()
            if isinstance(answer, Grab):
                return answer
            self._forget_companion()
        self._companion = self._start()
        return self._companion.begin()

    def _start(self) -> Companion:
        handle = self.window if isinstance(self.window, int) else self._find()
        ring = self._ring = FrameRing(self.frame_spec.shape)
        panic_key, hand_back_key, hotkeys = self._special
        settings = WatchSettings(
            handle=handle,
            fps=self.fps,
            control=self.control,
            bound=self.bound,
            frame=self.frame_spec,
            panic_key=panic_key,
            hand_back_key=hand_back_key,
            hotkeys=hotkeys,
            reset_key=self._reset_key,
            ring=ring.name,
            owner_pid=os.getpid(),
        )
        companion = Companion(settings, ring)
        if companion.left_behind:
            self.notify(f"let go of {' '.join(companion.left_behind)}, which a run that was killed had left down")
        return companion

    def _find(self) -> int:
        assert not isinstance(self.window, int)
        windows = open_window_system()
        try:
            return find_window(windows, self.window, self.process, own_processes()).handle
        finally:
            windows.close()

    def _forget_companion(self) -> None:
        if self._companion is not None:
            self._companion.close()
            self._companion = None

    def _await_focus(self, grab: Grab) -> Grab | WatchEnded:
        """Wait, with all keys up, until the window has the focus; ended if it does not get it in time."""
        assert self._companion is not None
        if grab.focused:
            return grab
        self.notify(
            f"the game does not have the focus: no key is pressed. Click into its window (waiting {self._timeout})"
        )
        skipped, events = grab.skipped, grab.events
        last_reminder_s = 0.0
        began = grab.t_ns
        while not grab.focused:
            self._companion.skip(grab)
            waited_s = (grab.t_ns - began) / NS_PER_S
            if waited_s >= self.focus_timeout_s:
                return WatchEnded("focus-lost", f"the game did not get the focus within {self._timeout}")
            if waited_s - last_reminder_s >= _REMINDER_S:
                last_reminder_s = waited_s
                self.notify(f"still waiting for the focus: {self.focus_timeout_s - waited_s:.0f} s left")
            answer = self._companion.hold(NONE)
            if isinstance(answer, WatchEnded):
                return answer
            grab = answer
            skipped += grab.skipped + 1
            events += grab.events
        self.notify("the game has the focus again")
        return replace(grab, skipped=skipped, late=True, events=events, interrupted=True)

    @property
    def _timeout(self) -> str:
        return f"{self.focus_timeout_s:g} s"

    def _receive(self, grab: Grab) -> tuple[Frame, dict[str, Any]]:
        assert self._companion is not None
        frame = self._companion.frame(grab)
        if grab.problem != self._problem and grab.problem is not None:
            self.notify(REMEDIES[grab.problem])
        self._problem = grab.problem
        self._number = grab.number
        self._info = {
            "goal": self._goal,
            "tick": grab.tick,
            "t_ns": grab.t_ns,
            "held": grab.held,
            "late": grab.late,
            "focused": grab.focused,
            "new_frame": grab.new_frame,
            "key_events": grab.events,
            "control": grab.control,
            "hotkeys": grab.hotkeys,
            "problem": grab.problem,
            "interrupted": grab.interrupted,
            "lateness_ns": grab.lateness_ns,
            "skipped": grab.skipped,
        }
        return frame, dict(self._info)

    def _end(self, ended: WatchEnded) -> tuple[Frame, float, bool, bool, dict[str, Any]]:
        """The last step of an episode: the last frame once more, and why it is over."""
        self._over = True
        self._forget_companion()
        self.notify(ended.text)
        reason: EndReason = ended.reason
        info = {
            **self._info,
            "tick": self._info["tick"] + 1,
            "t_ns": self._info["t_ns"] + round(period_ns(self.fps)),
            "held": (),
            "focused": False,
            "new_frame": False,
            "key_events": (),
            "hotkeys": (),
            "interrupted": True,
            "truncated_because": reason,
        }
        self._info = info
        return self._last_frame(), 0.0, False, True, dict(info)

    def _last_frame(self) -> Frame:
        if self._ring is None:
            return np.zeros(self.frame_spec.shape, np.uint8)
        return self._ring.peek(self._number)
