"""Steps a second of ``gameenv/Arena-v0`` beside bare ViZDoom, on the same levels, in the same run.

The bare side is what a user of ViZDoom would write: ``make_action``, ``get_state``, a copy of the screen, and
``new_episode`` for a reset. Both sides hold the same random actions for the same number of engine tics on the same
levels until the step limit, draw the same size and include the resets. Every round has levels of its own: the bare
side finds them in a file that was made before, ours generates them. Rounds of the two sides alternate, so that a busy
machine slows both; the claim is the median ratio. Sums of all pixels are compared: both sides drew the same frames.

    python benchmarks/arena_speed.py
    python benchmarks/arena_speed.py --no-pin       the kernel places the engine's process and ours as it likes
"""

import os
import statistics
import tempfile
import time
from collections.abc import Callable
from contextlib import chdir
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium as gym
import numpy as np
import vizdoom

import gameenv  # noqa: F401 (registers the arena)
from gameenv.arena import tasks
from gameenv.arena.engine.engine import BUTTONS, SETTLE_TICS
from gameenv.arena.engine.ownership import end_processes, own_engines
from gameenv.arena.steplimit import step_limit
from gameenv.arena.world import decor
from gameenv.arena.world.pictures import picture_lumps
from gameenv.arena.world.wad import map_lumps, write_wad
from gameenv.cli import parse

TARGET = 0.9
"""The environment is to keep this share of the bare engine's speed."""
SIZES = ((512, 288), (256, 144))
TICS = (3, 4)
"""Engine tics of even and odd steps: 35 a second shared among 10 ticks."""
LONGEST = 1000


@dataclass(frozen=True, slots=True)
class Args:
    """Compare the arena's speed with the bare engine's."""

    rounds: int = 11
    """Pairs of rounds for each line of the output."""
    episodes: int = 3
    """Episodes a round, each a reset and random actions until the step limit."""
    task: str = "go-to-lantern"
    """Task family to play."""
    pin: bool = True
    """Keep both sides on one core. They take turns with their engine anyway, and where the kernel puts the two
    processes changes the speed of either side up to twofold from round to round."""


@dataclass(frozen=True, slots=True)
class Round:
    """One side's round: steps a second, resets included, and the sum of all pixels it drew."""

    steps_per_s: float
    pixels: int


def main(args: Args) -> None:
    """Print the ratios at two sizes, with and without Gymnasium's own checking wrapper."""
    if args.pin and hasattr(os, "sched_setaffinity"):
        os.sched_setaffinity(0, {max(os.sched_getaffinity(0))})
    actions = np.random.default_rng(0).integers(1, len(BUTTONS) + 1, LONGEST).tolist()  # no `none`: no early end
    for size in SIZES:
        bare = _Bare(args, size)
        for label, options in (("disable_env_checker=True", {"disable_env_checker": True}), ("the default", {})):
            env = gym.make("gameenv/Arena-v0", task=args.task, frame_size=size, **options)
            ours = _Ours(env, args.episodes)
            _compare(f"{size[0]}x{size[1]}, {label}", args.rounds, lambda n, o=ours: o.play(n, actions), bare, actions)
            env.close()
        bare.close()


def _compare(name: str, rounds: int, ours: Callable[[int], Round], bare: "_Bare", actions: list[int]) -> None:
    for warm_up in (ours, lambda n: bare.play(n, actions)):
        warm_up(rounds)
    pairs: list[tuple[Round, Round]] = []
    for number in range(rounds):
        if number % 2:
            mine = ours(number)
            pairs.append((mine, bare.play(number, actions)))
        else:
            theirs = bare.play(number, actions)
            pairs.append((ours(number), theirs))
    ratios = [mine.steps_per_s / theirs.steps_per_s for mine, theirs in pairs]
    speeds = [statistics.median(side.steps_per_s for side in sides) for sides in zip(*pairs, strict=True)]
    same = all(mine.pixels == theirs.pixels for mine, theirs in pairs)
    median = statistics.median(ratios)
    print(f"{name}: arena {speeds[0]:.0f} steps/s, bare ViZDoom {speeds[1]:.0f} steps/s")
    print(f"  ratio {median:.3f} (median of {rounds}; target {TARGET}: {'met' if median >= TARGET else 'MISSED'})")
    print(f"  rounds {' '.join(f'{ratio:.3f}' for ratio in ratios)}; same frames: {'yes' if same else 'NO'}")


class _Watch:
    """Sums up the time spent inside it, and the pixels and steps outside."""

    def __init__(self) -> None:
        self.seconds = 0.0
        self.pixels = self.steps = 0

    def __enter__(self) -> None:
        self._began = time.perf_counter()

    def __exit__(self, *_: object) -> None:
        self.seconds += time.perf_counter() - self._began

    def note(self, frame: np.ndarray) -> None:
        self.pixels += int(frame.sum())
        self.steps += 1

    @property
    def round(self) -> Round:
        return Round(self.steps / self.seconds, self.pixels)


@dataclass(frozen=True, slots=True)
class _Ours:
    """The environment, through Gymnasium."""

    env: gym.Env[Any, Any]
    episodes: int

    def play(self, number: int, actions: list[int]) -> Round:
        watch = _Watch()
        for seed in range(number * self.episodes, (number + 1) * self.episodes):
            with watch:
                frame, _ = self.env.reset(seed=seed)
            watch.note(frame)
            for action in actions:
                with watch:
                    frame, _, terminated, truncated, _ = self.env.step(action)
                watch.note(frame)
                if terminated or truncated:
                    break
        return watch.round


class _Bare:
    """ViZDoom as a user would write it, on a file with the same levels."""

    def __init__(self, args: Args, size: tuple[int, int]) -> None:
        self._episodes = args.episodes
        levels = [tasks.level(args.task, "train", seed) for seed in range(args.episodes * (args.rounds + 1))]
        self._limits = [step_limit(level) for level in levels]
        self._folder = tempfile.TemporaryDirectory(prefix="arena-speed-")
        folder = Path(self._folder.name)
        maps = [lump for i, level in enumerate(levels) for lump in map_lumps(_name(i), level.textmap.encode())]
        write_wad(folder / "levels.wad", [("DECORATE", decor.ACTORS.encode()), *picture_lumps(), *maps])
        game = self._game = vizdoom.DoomGame()
        game.set_doom_game_path(os.path.join(vizdoom.__path__[0], "freedoom2.wad"))
        game.set_doom_scenario_path(str(folder / "levels.wad"))
        game.set_doom_map(_name(0))
        game.set_screen_resolution(getattr(vizdoom.ScreenResolution, f"RES_{size[0]}X{size[1]}"))
        game.set_screen_format(vizdoom.ScreenFormat.RGB24)
        game.set_available_buttons([getattr(vizdoom.Button, name) for name in BUTTONS.values()])
        game.set_available_game_variables([vizdoom.GameVariable.POSITION_X, vizdoom.GameVariable.POSITION_Y])
        game.set_window_visible(False)
        game.set_mode(vizdoom.Mode.PLAYER)
        game.set_episode_timeout(0)
        for hide in ("hud", "weapon", "crosshair", "messages", "corpses", "screen_flashes"):
            getattr(game, f"set_render_{hide}")(False)
        with chdir(folder):
            game.init()

    def play(self, number: int, actions: list[int]) -> Round:
        game = self._game
        none = [False] * len(BUTTONS)
        buttons = [none, *([i == j for i in range(len(BUTTONS))] for j in range(len(BUTTONS)))]
        watch = _Watch()
        for seed in range(number * self._episodes, (number + 1) * self._episodes):
            with watch:
                game.set_seed(seed)
                game.set_doom_map(_name(seed))
                game.new_episode()
                game.make_action(none, SETTLE_TICS)
                frame = np.array(game.get_state().screen_buffer)
            watch.note(frame)
            for tick, action in enumerate(actions[: self._limits[seed]]):
                with watch:
                    game.make_action(buttons[action], TICS[tick % 2])
                    frame = np.array(game.get_state().screen_buffer)
                watch.note(frame)
        return watch.round

    def close(self) -> None:
        """Stop the engine; killed first, since one asked to quit often crashes with a page of text."""
        end_processes(own_engines())
        self._game.close()
        self._folder.cleanup()


def _name(number: int) -> str:
    return f"MAP{number + 1:02d}"


if __name__ == "__main__":
    main(parse(Args))
