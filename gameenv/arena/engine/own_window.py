"""The arena in a window of its own, in real time: a game like any other, whose truth can still be read.

Keys reach it as they reach any game: by the keyboard. Knows nothing of ticks, frames or Gymnasium.
"""

import contextlib
import os
import threading
import time
import weakref
from dataclasses import replace
from typing import Any

from gameenv.arena.engine.engine import (
    arena_state,
    configure,
    end_engine,
    engine_failures,
    engine_files,
    engine_gone,
    start_engine,
)
from gameenv.arena.engine.ownership import sweep_orphans
from gameenv.arena.levels import WATCHED, Level
from gameenv.arena.state import ArenaState
from gameenv.clock import pause
from gameenv.desktop.opening import open_window_system
from gameenv.errors import EngineGoneError, GameEnvError, InvalidInputError, require

_BINDS = {
    "w": "+forward",
    "s": "+back",
    "a": "+moveleft",
    "d": "+moveright",
    "uparrow": "+lookup",
    "downarrow": "+lookdown",
    "leftarrow": "+left",
    "rightarrow": "+right",
    "c": "+crouch",
    "space": "+jump",
    "enter": "+use",
}
"""The engine's name of each key, and what it does."""
SIZES = ((512, 288), (640, 360), (800, 450), (1024, 576), (1280, 720), (1920, 1080))
_SETTLE_TICS = 8
_PATIENCE_S = 10.0


class ArenaWindow:
    """A window with a level in it, played with ``gameenv.ACTIONS``' own keys.

    Args:
        level: The level it opens with.
        size: Width and height of the picture, one of ``SIZES``.

    Attributes:
        handle: The window's number, for ``gameenv/Live-v0``.

    Raises:
        MissingExtraError: If vizdoom is not installed.
        DisplayError: If there is no desktop to open it on.
        GameEnvError: If the engine does not start.
    """

    def __init__(self, level: Level, size: tuple[int, int] = (1280, 720)) -> None:
        if tuple(size) not in SIZES:
            raise InvalidInputError(
                f"the arena's window is one of {', '.join(f'{w}x{h}' for w, h in SIZES)}, got {size[0]}x{size[1]}"
            )
        vzd: Any = require("vizdoom", "arena")
        self._failures = engine_failures(vzd)
        sweep_orphans()
        with contextlib.ExitStack() as undo:
            self._windows = open_window_system()
            undo.callback(self._windows.close)
            folder, self._slots = engine_files(level)
            game = self._game = configure(vzd, folder, (size[0], size[1]), WATCHED)
            self._pids: set[int] = set()
            self._end = weakref.finalize(self, end_engine, os.getpid(), game, self._pids, self._slots, folder)
            undo.callback(self._end)
            binds = ["unbindall", *(f"bind {key} {do}" for key, do in _BINDS.items())]
            (folder / "binds.cfg").write_text("\n".join(binds))
            game.set_window_visible(True)
            game.set_mode(vzd.Mode.ASYNC_SPECTATOR)
            game.add_game_args("+exec binds.cfg +vid_fullscreen 0 +m_use_mouse 0 +use_joystick 0")
            start_engine(game, self._pids, folder)
            self.handle = self._find()
            undo.pop_all()
        self._lock = threading.Lock()
        self._wants_lock = threading.Event()
        self._state: ArenaState | None = None
        self._error: Exception | None = None
        self._closing = False
        self._tics = 0
        self._pump = threading.Thread(target=self._follow, name="arena window", daemon=True)
        self._pump.start()

    @property
    def state(self) -> ArenaState:
        """The truth, at most two tics (1/35 s each) old.

        Raises:
            EngineGoneError: If the window has been closed or the engine has ended.
        """
        if self._error is not None or self._state is None:
            raise engine_gone(self._error or RuntimeError("it never began"))
        return self._state

    @property
    def is_open(self) -> bool:
        """Whether the engine runs."""
        return self._error is None and not self._closing

    def open(self, level: Level) -> None:
        """Start a level; returns when the player has come to rest.

        Raises:
            EngineGoneError: If the window has been closed or the engine has ended.
        """
        name = self._slots.write(level.textmap)
        self._wants_lock.set()
        with self._lock:
            self._wants_lock.clear()
            if self._error is not None:
                raise engine_gone(self._error)
            try:
                self._game.set_seed(level.engine_seed)
                self._game.set_doom_map(name)
                self._game.new_episode()
            except self._failures as error:
                self._error = error
                raise engine_gone(error) from error
            self._state = None
            begun = self._tics
        end = time.monotonic() + _PATIENCE_S
        while self._state is None or self._tics < begun + _SETTLE_TICS:
            if self._error is not None or time.monotonic() > end:
                raise engine_gone(self._error or TimeoutError("the level does not begin"))
            pause(0.01)

    def close(self) -> None:
        """Close the window. May be called twice."""
        if self._closing:
            return
        self._closing = True
        self._pump.join(_PATIENCE_S)
        self._windows.close()
        self._end()

    def _find(self) -> int:
        """The number of the engine's window, once it is there."""
        end = time.monotonic() + _PATIENCE_S
        while time.monotonic() < end:
            for each in self._windows.windows():
                if each.pid in self._pids:
                    return each.handle
            pause(0.05)
        raise GameEnvError("the arena's window did not appear on this desktop")

    def _follow(self) -> None:
        """Keep the state fresh, tic by tic, for as long as the engine runs."""
        while not self._closing and self._error is None:
            if self._wants_lock.is_set():
                pause(0.002)
                continue
            with self._lock:
                try:
                    self._game.advance_action(1)
                    self._read()
                except (*self._failures, EngineGoneError) as error:
                    self._error = error

    def _read(self) -> None:
        state = self._game.get_state()
        if not self._game.is_running():
            raise EngineGoneError("the arena's window was closed")
        self._tics += 1
        if state is not None:
            self._state = arena_state(state, WATCHED)
        elif self._state is not None:  # the player is dead
            self._state = replace(self._state, health=0.0)
