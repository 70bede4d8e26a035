"""The ViZDoom engine behind the arena: opens levels, holds buttons for a number of tics, reads frames and truth.

The only module that imports vizdoom for lock-step play. Knows nothing of goals, ticks or Gymnasium.
"""

import contextlib
import os
import shutil
import threading
import weakref
from collections.abc import Collection
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np

from gameenv.actions import ACTIONS, Action
from gameenv.arena.engine.ownership import end_processes, make_engine_folder, own_engines, sweep_orphans
from gameenv.arena.engine.slots import SLOT_NAMES, LevelSlots
from gameenv.arena.levels import Level, Watched
from gameenv.arena.state import Actor, ArenaState
from gameenv.arena.world import decor
from gameenv.errors import EngineGoneError, GameEnvError, require
from gameenv.frames import Frame
from gameenv.processes import sigint_held_back

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
# fmt: off
_VARIABLES = (
    "POSITION_X", "POSITION_Y", "POSITION_Z", "ANGLE", "PITCH", "VELOCITY_X", "VELOCITY_Y", "HEALTH", "VIEW_HEIGHT",
)
# fmt: on
_RESOLUTIONS = ((256, 144), (320, 180), (512, 288), (640, 360), (800, 450), (1024, 576), (1280, 720), (1920, 1080))
"""The engine's 16:9 sizes; other frame sizes are drawn at the next one up and brought down by the shared resize."""


def draw_size(width: int, height: int) -> tuple[int, int]:
    """The smallest 16:9 size the engine draws that is not smaller than the frame wanted."""
    for size in _RESOLUTIONS:
        if size[0] >= width and size[1] >= height:
            return size
    return _RESOLUTIONS[-1]


_starting = threading.Lock()
"""An engine starts in its own working directory, which is the whole process's: one starts at a time."""


class Engine:
    """One engine process, which opens any number of levels one after another.

    Attributes:
        frame: What the player sees, ``(height, width, 3)`` uint8 RGB; a new array every time.
        state: The truth at that moment.
        watches: What is reported beside the player; the engine ``can_open`` only levels that need no more.

    Args:
        level: What it starts with; ``open`` it, or another, before ``advance``. What it watches is reported.
        size: Width and height to draw at, one of the engine's own.
        also: What to report beside that, for levels to come; each costs a little at every tick.

    Raises:
        MissingExtraError: If vizdoom is not installed.
        GameEnvError: If the engine does not start.
    """

    def __init__(self, level: Level, size: tuple[int, int], also: frozenset[Watched] = frozenset()) -> None:
        vzd: Any = require("vizdoom", "arena")
        self.watches = level.watches | also
        self._size = size
        self._failures = engine_failures(vzd)
        sweep_orphans()
        folder, self._slots = engine_files(level)
        self._game: Any = configure(vzd, folder, size, self.watches)
        pids: set[int] = set()
        # Also runs when the engine is garbage or Python ends, for those who forget to close.
        self._end = weakref.finalize(self, end_engine, os.getpid(), self._game, pids, self._slots, folder)
        try:
            start_engine(self._game, pids, folder)
        except BaseException:
            self._end()
            raise
        self.frame: Frame
        self.state: ArenaState
        self._none = [False] * len(BUTTONS)
        self._presses = {word: [other == word for other in BUTTONS] for word in ACTIONS}

    def can_open(self, level: Level) -> bool:
        """Whether this engine reports all that the level's referee needs."""
        return level.watches <= self.watches

    def open(self, level: Level) -> None:
        """Start a level, always in the same state.

        Raises:
            EngineGoneError: If the engine has ended.
        """
        name = self._slots.write(level.textmap)
        try:
            self._game.set_seed(level.engine_seed)
            self._game.set_doom_map(name)
            self._game.new_episode()
        except self._failures as error:
            raise engine_gone(error) from error
        # What is left to see and to know if the player does not live to the first frame.
        self.frame = np.zeros((self._size[1], self._size[0], 3), np.uint8)
        start = level.start
        self.state = ArenaState(start.x, start.y, 0.0, start.angle, 0.0, 0.0, 0.0, health=0.0)
        self._act(self._none, SETTLE_TICS)

    def advance(self, action: Action, tics: int) -> None:
        """Hold an action's key (or none) for so many tics.

        Raises:
            EngineGoneError: If the engine has ended.
        """
        self._act(self._presses[action], tics)

    def hold(self, words: Collection[str], tics: int) -> None:
        """Hold several keys at once for so many tics, as a person's hands do; no words hold none.

        Raises:
            EngineGoneError: If the engine has ended.
        """
        self._act([word in words for word in BUTTONS], tics)

    def _act(self, buttons: list[bool], tics: int) -> None:
        try:
            self._game.make_action(buttons, tics)
            self._read()
        except self._failures as error:
            raise engine_gone(error) from error

    def _read(self) -> None:
        state = self._game.get_state()
        if state is None:  # the player is dead: the last picture stays
            self.frame = self.frame.copy()
            self.state = replace(self.state, health=0.0)
            return
        self.frame = state.screen_buffer  # a copy already, made by the engine's binding
        self.state = arena_state(state, self.watches)

    def close(self) -> None:
        """Stop the engine and remove its files. May be called twice."""
        self._end()


def engine_failures(vzd: Any) -> tuple[type[Exception], ...]:
    """What the engine's binding raises when the engine is gone or broken."""
    return (
        vzd.ViZDoomErrorException,
        vzd.ViZDoomIsNotRunningException,
        vzd.ViZDoomUnexpectedExitException,
        vzd.MessageQueueException,
        vzd.SharedMemoryException,
    )


def engine_gone(error: Exception) -> EngineGoneError:
    """The error to raise for one of ``engine_failures``."""
    return EngineGoneError(
        f"the arena's engine has ended in the middle of a level ({error}). Call reset() to start a new one"
    )


def arena_state(state: Any, watches: frozenset[Watched]) -> ArenaState:
    """The truth in what the engine's binding calls a state."""
    x, y, z, angle, pitch, vx, vy, health, eyes = state.game_variables.tolist()
    ceilings = tuple(sector.ceiling_height for sector in state.sectors) if "sectors" in watches else ()
    actors: tuple[Actor, ...] = ()
    if "actors" in watches:
        ours = (each for each in state.objects if each.name in decor.WATCHED_ACTORS)
        actors = tuple(Actor(each.name, each.position_x, each.position_y, each.angle) for each in ours)
    return ArenaState(x, y, z, angle, pitch, vx, vy, health, eyes, ceilings, actors)


def configure(vzd: Any, folder: Path, size: tuple[int, int], watches: frozenset[Watched]) -> Any:
    """An engine that is set up and not yet started: the player's eyes, no decoration, all that the referee needs."""
    game = vzd.DoomGame()
    game.set_doom_game_path(os.path.join(os.path.dirname(vzd.__file__), "freedoom2.wad"))
    game.set_doom_scenario_path(str(folder / "levels.wad"))
    game.set_doom_config_path(str(folder / "engine.ini"))
    game.set_doom_map(SLOT_NAMES[0])
    game.set_screen_resolution(getattr(vzd.ScreenResolution, f"RES_{size[0]}X{size[1]}"))
    game.set_screen_format(vzd.ScreenFormat.RGB24)
    game.set_available_buttons([getattr(vzd.Button, name) for name in BUTTONS.values()])
    game.set_available_game_variables([getattr(vzd.GameVariable, name) for name in _VARIABLES])
    game.set_sectors_info_enabled("sectors" in watches)
    game.set_objects_info_enabled("actors" in watches)
    game.set_window_visible(False)
    game.set_sound_enabled(False)
    game.set_mode(vzd.Mode.PLAYER)
    game.set_episode_timeout(0)
    for hide in ("hud", "weapon", "crosshair", "messages", "corpses", "screen_flashes"):
        getattr(game, f"set_render_{hide}")(False)
    return game


def engine_files(level: Level) -> tuple[Path, LevelSlots]:
    """Make an engine's working folder with its file of levels; nothing is left of it if that fails.

    Raises:
        InvalidInputError: If the level's text is too long.
        GameEnvError: If there is no place for it.
    """
    folder = make_engine_folder()
    try:
        return folder, LevelSlots(folder / "levels.wad", level.textmap)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise


def start_engine(game: Any, pids: set[int], folder: Path) -> None:
    """Start the engine process and add its number to ``pids``."""
    with (
        _starting,
        sigint_held_back(),
    ):  # in a terminal a Ctrl-C reaches the engine too; only its owner should act on it
        before = own_engines()
        try:
            with contextlib.chdir(folder):  # the engine makes folders where it is started
                game.init()
        except Exception as error:  # the engine has its own exception types, and raises plain ones too
            raise GameEnvError(f"the arena's engine did not start: {error}") from error
        finally:
            pids |= own_engines() - before


def end_engine(owner: int, game: Any, pids: set[int], slots: LevelSlots, folder: Path) -> None:
    """Stop an engine and remove its files; from the process that started it only."""
    if os.getpid() != owner:
        return  # a fork of the owner, which is still playing
    # Asked to quit, the engine (1.3.2) crashes in its exit handlers about one time in three, harmlessly but with
    # a debugger run and a log file each time. It has nothing to save, so where we can it is simply ended.
    with sigint_held_back():
        end_processes(pids & own_engines())
        game.close()
        slots.close()
        shutil.rmtree(folder, ignore_errors=True)
