"""``gameenv-arena``: look at the built-in game's levels. Plays one in a window, draws sheets of them, lists families.

Composes what the other modules of this package do.
"""

import contextlib
import itertools
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated, TypeAlias

import gymnasium as gym
import tyro
from rich.live import Live
from rich.table import Table
from rich.text import Text

from gameenv import ARENA_WINDOW_ID
from gameenv.arena import tasks
from gameenv.arena.atlas.families import Family, look_at_family
from gameenv.arena.atlas.glimpse import glimpse, levels_in_turn
from gameenv.arena.atlas.sheet import draw_sheet, png_at
from gameenv.arena.env import ArenaEnv
from gameenv.arena.levels import check_split
from gameenv.arena.play import NEXT_LEVEL_KEY, play_levels
from gameenv.cli import run_command
from gameenv.clock import DEFAULT_FPS
from gameenv.console import Console
from gameenv.errors import InvalidInputError
from gameenv.progress import track

PROG = "gameenv-arena"
MAX_COUNT = 100
"""Levels on one sheet."""


@dataclass(frozen=True, slots=True)
class Play:
    """Play levels yourself, in a window.

    For example:
        gameenv-arena play --task open-door --split train --seed 3

    The keys are w s a d, the arrows, c, space and enter; N gives a level up. Closing the window or Ctrl-C ends.
    """

    task: str = tasks.ALL
    """Which family; all plays the families in turn."""
    split: str = "train"
    """Which levels: train, validation or test."""
    seed: int = 0
    """First level number."""
    count: int | None = None
    """Stop after so many levels."""
    max_steps: int | None = 6_000
    """Ticks until a level is out of time, by default ten minutes' worth; None gives what a policy has."""
    fps: float = DEFAULT_FPS
    """Ticks a second at which keys and goal are looked at."""
    window_size: tuple[int, int] = (1280, 720)
    """Width and height of the picture."""


@dataclass(frozen=True, slots=True)
class Sheet:
    """Draw a contact sheet.

    For example:
        gameenv-arena sheet --task all --out runs/arena.png

    Each cell has a level's goal and id, its map with the expert's way, and what the player sees at the start.
    """

    task: str = tasks.ALL
    """Which family; all draws the families in turn."""
    split: str = "train"
    """Which levels: train, validation or test."""
    seed: int = 0
    """First level number."""
    count: int = 12
    """How many levels, 1 to 100."""
    columns: int | None = None
    """Cells side by side; by default the sheet is about as wide as a screen for its height."""
    expert: bool = False
    """Let the expert play each level; adds the way it walked and what it saw at the end."""
    frame_size: tuple[int, int] = (512, 288)
    """Width and height of the player's view."""
    out: Path = Path("runs/arena.png")
    """The PNG file to write."""


@dataclass(frozen=True, slots=True)
class List:
    """List the task families, read off their first levels.

    For example:
        gameenv-arena list
    """

    split: str = "train"
    """Which levels: train, validation or test."""
    levels: int = 50
    """How many levels of each to look at."""


Command: TypeAlias = (
    Annotated[Play, tyro.conf.subcommand("play")]
    | Annotated[Sheet, tyro.conf.subcommand("sheet")]
    | Annotated[List, tyro.conf.subcommand("list")]
)


def run(command: Play | Sheet | List) -> int:
    """Do what a command says and return the exit code.

    Raises:
        GameEnvError: If an argument cannot be used, or the engine or the window does not open.
    """
    console = Console()
    if isinstance(command, Play):
        return _play(command, console)
    return _sheet(command, console) if isinstance(command, Sheet) else _list(command, console)


def main() -> None:
    """Run the command."""
    run_command(run, Command, PROG, stopped="stopped")  # type: ignore[arg-type]


def _play(command: Play, console: Console) -> int:
    if command.count is not None:
        _check_count("count", command.count)
    levels = itertools.islice(levels_in_turn(command.task, command.seed), command.count)
    env = gym.make(
        ARENA_WINDOW_ID, task=command.task, split=command.split, fps=command.fps, control="human",
        max_steps=command.max_steps, window_size=command.window_size, hotkeys=(NEXT_LEVEL_KEY,),
        disable_env_checker=True,
    )  # fmt: skip

    def say(text: str) -> None:
        console.print(text)

    env.unwrapped.notify = say  # type: ignore[attr-defined]
    with contextlib.closing(env), Live(console=console, refresh_per_second=8, transient=True) as live:
        attempts = play_levels(
            env, levels, say, lambda line: live.update(Text(line, no_wrap=True, overflow="ellipsis"))
        )
    won = sum(attempt.outcome == "declared" for attempt in attempts)
    say(f"{_levels(len(attempts))}, {won} won")
    return 1 if attempts[-1].outcome == "failed" else 0


def _sheet(command: Sheet, console: Console) -> int:
    _check_count("count", command.count, MAX_COUNT)
    if command.columns is not None:
        _check_count("columns", command.columns)
    levels = list(itertools.islice(levels_in_turn(command.task, command.seed), command.count))
    split = check_split(command.split)
    families = "all families" if command.task == tasks.ALL else command.task
    title = f"{_levels(command.count)} of {families}, split {split}, from number {command.seed}"
    with png_at(command.out) as file, contextlib.closing(ArenaEnv(split=split, frame_size=command.frame_size)) as env:
        turns = track(levels, "drawing", "levels", console)
        shown = [glimpse(env, task, seed, expert=command.expert) for task, seed in turns]
        draw_sheet(shown, title, command.columns).save(file)
    if command.expert:
        won = sum(each.played is not None and each.played.outcome == "reached and declared" for each in shown)
        console.print(f"the expert reached {won} of {len(shown)} goals")
    console.print(f"{command.out}: {_levels(len(shown))}")
    return 0


def _list(command: List, console: Console) -> int:
    _check_count("levels", command.levels)
    split = check_split(command.split)
    table = Table("task", "goals seen", "things", "time limit, s", "what counts as success", show_lines=True)
    for name in track(list(tasks.TASKS), "playing", "families", console):
        table.add_row(*(Text(cell) for cell in _row(look_at_family(name, split, command.levels))))
    console.print(table)
    console.print(f"as seen in the {split} levels 0 to {command.levels - 1} of each")
    return 0


def _row(family: Family) -> tuple[str, ...]:
    fewest, most = family.things
    shortest, longest = family.limits_s
    return (
        family.name,
        "; ".join(family.goals),
        f"{fewest}-{most}",
        f"{shortest:.0f}-{longest:.0f}",
        "\nor: ".join(family.success),
    )


def _levels(count: int) -> str:
    return f"{count} level{'' if count == 1 else 's'}"


def _check_count(name: str, value: int, most: int | None = None) -> None:
    if value < 1 or (most is not None and value > most):
        span = "at least 1" if most is None else f"from 1 to {most}"
        raise InvalidInputError(f"--{name} must be {span}, got {value}")


if __name__ == "__main__":
    main()
