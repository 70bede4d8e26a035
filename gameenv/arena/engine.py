"""The ViZDoom engine behind the arena: opens levels, holds buttons for a number of tics, reads frames and truth.

The only module that imports vizdoom for lock-step play. Knows nothing of goals, ticks or Gymnasium.
"""

import contextlib
import os
import signal
import tempfile
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np

from gameenv.actions import ACTIONS, Action
from gameenv.arena import decor
from gameenv.arena.levels import Level
from gameenv.arena.state import ArenaState
from gameenv.arena.wad import map_lumps, write_wad
from gameenv.errors import GameEnvError, require
from gameenv.frames import Frame

TICS_PER_S = 35
SETTLE_TICS = 3
"""Tics the engine runs before the first frame: things drop to the floor, sprites pick their frame."""

BUTTONS: dict[Action, str] = {
    "w": "MOVE_FORWARD",
    "s": "MOVE_BACKWARD",
    "a": "MOVE_LEFT",
    "d": "MOVE_RIGHT",
    "up": "LOOK_UP",
    "down": "LOOK_DOWN",
    "left": "TURN_LEFT",
    "right": "TURN_RIGHT",
    "c": "CROUCH",
    "space": "JUMP",
    "enter": "USE",
}
_VARIABLES = ("POSITION_X", "POSITION_Y", "POSITION_Z", "ANGLE", "PITCH", "VELOCITY_X", "VELOCITY_Y", "HEALTH")
_RESOLUTIONS = ((256, 144), (320, 180), (512, 288), (640, 360), (800, 450), (1024, 576), (1280, 720), (1920, 1080))
"""The engine's 16:9 sizes; other frame sizes are drawn at the next one up and brought down by the shared resize."""


def draw_size(width: int, height: int) -> tuple[int, int]:
    """The smallest 16:9 size the engine draws that is not smaller than the frame wanted."""
    for size in _RESOLUTIONS:
        if size[0] >= width and size[1] >= height:
            return size
    return _RESOLUTIONS[-1]


class Engine:
    """One engine process with a file of levels.

    Args:
        levels: The levels that can be opened; up to a few dozen.
        size: Width and height to draw at, one of the engine's own.

    Raises:
        MissingExtraError: If vizdoom is not installed.
        GameEnvError: If the engine does not start.
    """

    def __init__(self, levels: Sequence[Level], size: tuple[int, int]) -> None:
        self._vzd: Any = require("vizdoom", "arena")
        self._levels = list(levels)
        self._folder = tempfile.TemporaryDirectory(prefix="gameenv-arena-", ignore_cleanup_errors=True)
        self._game: Any = self._start(Path(self._folder.name), size)
        self._level: Level | None = None
        self._none = [False] * len(BUTTONS)
        self._presses = {word: [other == word for other in BUTTONS] for word in ACTIONS}

    def _start(self, folder: Path, size: tuple[int, int]) -> Any:
        vzd = self._vzd
        wad = folder / "levels.wad"
        maps = [lump for i, level in enumerate(self._levels) for lump in map_lumps(_map_name(i), level.textmap)]
        write_wad(wad, [("DECORATE", decor.ACTORS.encode()), *maps])
        game = vzd.DoomGame()
        game.set_doom_game_path(os.path.join(os.path.dirname(vzd.__file__), "freedoom2.wad"))
        game.set_doom_scenario_path(str(wad))
        game.set_doom_config_path(str(folder / "engine.ini"))
        game.set_doom_map(_map_name(0))
        game.set_screen_resolution(getattr(vzd.ScreenResolution, f"RES_{size[0]}X{size[1]}"))
        game.set_screen_format(vzd.ScreenFormat.RGB24)
        game.set_available_buttons([getattr(vzd.Button, name) for name in BUTTONS.values()])
        game.set_available_game_variables([getattr(vzd.GameVariable, name) for name in _VARIABLES])
        game.set_sectors_info_enabled(True)
        game.set_window_visible(False)
        game.set_sound_enabled(False)
        game.set_mode(vzd.Mode.PLAYER)
        game.set_episode_timeout(0)
        for hide in ("hud", "weapon", "crosshair", "messages", "corpses", "screen_flashes"):
            getattr(game, f"set_render_{hide}")(False)
        before = _engine_processes()
        # The engine makes folders in its working directory; a file that is not found there would confuse it less.
        with contextlib.chdir(folder):
            try:
                game.init()
            except Exception as error:  # the engine has its own exception types, and raises plain ones too
                raise GameEnvError(f"the arena's engine did not start: {error}") from error
        self._pids = _engine_processes() - before
        return game

    def open(self, index: int) -> None:
        """Start level ``index`` of those given, always in the same state."""
        self._level = self._levels[index]
        self._game.set_seed(self._level.seed)
        self._game.set_doom_map(_map_name(index))
        self._game.new_episode()
        self._act(self._none, SETTLE_TICS)

    def advance(self, action: Action, tics: int) -> None:
        """Hold an action's key (or none) for so many tics."""
        self._act(self._presses[action], tics)

    def _act(self, buttons: list[bool], tics: int) -> None:
        try:
            self._game.make_action(buttons, tics)
        except self._vzd.SignalException as error:  # the engine's own Ctrl-C handler
            raise KeyboardInterrupt from error
        except self._vzd.ViZDoomUnexpectedExitException as error:
            raise GameEnvError(f"the arena's engine has gone: {error}. Make the environment again.") from error
        self._read()

    def _read(self) -> None:
        state = self._game.get_state()
        if state is not None:  # none once the player is dead: the last picture stays
            self._raw = state
        x, y, z, angle, pitch, vx, vy, health = (float(v) for v in self._raw.game_variables)
        ceilings: tuple[float, ...] = ()
        if self._level is not None and self._level.watches_sectors:
            ceilings = tuple(sector.ceiling_height for sector in self._raw.sectors)
        dead = state is None or self._game.is_player_dead()
        self.state = ArenaState(x, y, z, angle, pitch, vx, vy, 0.0 if dead else health, ceilings)

    @property
    def frame(self) -> Frame:
        """What the player sees, ``(height, width, 3)`` uint8 RGB, freshly owned."""
        return np.array(self._raw.screen_buffer)

    def close(self) -> None:
        """Stop the engine and remove its files. May be called twice."""
        if self._game is None:
            return
        # Asked to quit, the engine (1.3.2) crashes in its exit handlers about one time in three, harmlessly but with
        # a debugger run and a log file each time. It has nothing to save, so where we can it is simply ended.
        for pid in self._pids & _engine_processes():
            os.kill(pid, signal.SIGKILL)
        self._game.close()
        self._game = None
        self._folder.cleanup()


def _map_name(index: int) -> str:
    return f"MAP{index + 1:02d}"


def _engine_processes() -> set[int]:
    """Engine processes that are children of this one (Linux; elsewhere none are known)."""
    found = set()
    for stat in Path("/proc").glob("[0-9]*/stat"):
        with contextlib.suppress(OSError):
            name, _, rest = stat.read_text().rpartition(")")
            if name.endswith("(vizdoom") and int(rest.split()[1]) == os.getpid():
                found.add(int(stat.parent.name))
    return found
