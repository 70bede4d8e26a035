"""Draw the README's moving picture: a policy plays a few levels, with the keys it presses.

    python examples/draw_movie.py --policy bc:models/bc --levels press-switch/3 check-posters/5

The levels are of the validation split. A picture that is too large is not written.
"""

from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import gymnasium as gym
from PIL import Image

import gameenv  # noqa: F401 (registers the environments)
from gameenv.cli import parse
from gameenv.errors import InvalidInputError
from gameenv.frames import Frame
from gameenv.home import PathText
from policies import load_policy, run_episode
from policies.base import Policy
from policies.film import Caption, draw_keys, replay

SPLIT = "validation"
FRAME_SIZE = (416, 234)
PAUSE_MS = 1200
"""How long the last frame of a level stays."""
PANEL_COLORS = 16


@dataclass(frozen=True)
class Args:
    """Draw a policy at play as an animated GIF."""

    policy: PathText = "expert"
    """Who plays, as gameenv-play takes it."""
    levels: tuple[str, ...] = ("slip-past-guard/3", "open-door/4", "check-posters/6")
    """Task and number of each level."""
    out: Path = Path("docs/pictures/play.gif")
    """The GIF to write."""
    width: int = 320
    """Of the picture, pixels."""
    every: int = 2
    """Show every so many ticks."""
    colors: int = 48
    """Of the game in each frame."""
    execute: int = 3
    """How many of a chunk's seven actions are played before looking again."""
    most_kb: int = 2000
    """The largest file that may come out."""


def main(args: Args) -> None:
    """Write the picture.

    Raises:
        InvalidInputError: If a level is not named as task/number, or the file would be too large.
    """
    policy = load_policy(args.policy)
    pictures: list[Image.Image] = []
    durations: list[int] = []
    for level in args.levels:
        shown = [scaled(frame, args.width) for frame in played(policy, level, args)]
        pictures += [few_colors(each, args.colors) for each in shown]
        durations += [*[100 * args.every] * (len(shown) - 1), PAUSE_MS]
    args.out.parent.mkdir(parents=True, exist_ok=True)
    scratch = args.out.with_suffix(".partial.gif")
    pictures[0].save(scratch, save_all=True, append_images=pictures[1:], duration=durations, loop=0, optimize=True)
    size_kb = scratch.stat().st_size // 1000
    if size_kb > args.most_kb:
        scratch.unlink()
        raise InvalidInputError(f"the picture would have {size_kb} kB; lower --width or --colors, or raise --every")
    scratch.replace(args.out)
    print(f"wrote {args.out} ({size_kb} kB, {len(pictures)} frames)")


def scaled(frame: Frame, width: int) -> Image.Image:
    """The frame as a picture of this width."""
    height = round(frame.shape[0] * width / frame.shape[1])
    return Image.fromarray(frame).resize((width, height), Image.Resampling.LANCZOS)


def few_colors(picture: Image.Image, count: int) -> Image.Image:
    """The picture in few colours; the panel's are chosen apart, or its lit key would be lost among the game's."""
    edge = round(picture.width * FRAME_SIZE[1] / FRAME_SIZE[0])
    game = picture.crop((0, 0, picture.width, edge)).quantize(count, dither=Image.Dither.NONE)
    panel = picture.crop((0, edge, *picture.size)).quantize(PANEL_COLORS, Image.Quantize.MAXCOVERAGE)
    palette = Image.new("P", (1, 1))
    palette.putpalette([*(game.getpalette() or [])[: 3 * count], *(panel.getpalette() or [])[: 3 * PANEL_COLORS]])
    return picture.quantize(palette=palette, dither=Image.Dither.NONE)


def played(policy: Policy, level: str, args: Args) -> Iterator[Frame]:
    """The frames of one level, with keys and goal below, the last one included."""
    task, slash, number = level.partition("/")
    if not (slash and number.isdecimal()):
        raise InvalidInputError(f"a level is named as task/number, such as press-switch/3; got {level!r}")
    kwargs = {"task": task, "split": SPLIT, "frame_size": FRAME_SIZE, "disable_env_checker": True}
    with closing(gym.make("gameenv/Arena-v0", **kwargs)) as env:
        result = run_episode(env, policy, seed=int(number), execute=args.execute)
    print(f"{level}: {result.goal}: {result.reason} after {result.steps} ticks")
    last = len(result.actions)
    for tick, (frame, info, action) in enumerate(replay(task, SPLIT, int(number), result.actions, FRAME_SIZE)):
        if tick % args.every == 0 or tick == last:
            yield draw_keys(frame, action, Caption(result.goal, tick, info["goal_reached"]))


if __name__ == "__main__":
    main(parse(Args))
