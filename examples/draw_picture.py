"""Draw the README's picture: one episode a task, as a policy played it, with the keys it pressed.

    python examples/draw_picture.py --report runs/first_agent/report --out docs/pictures/first_agent.png

Takes the first success of each task from an evaluation and plays it again; the arena is deterministic.
"""

import json
from dataclasses import dataclass
from pathlib import Path

from PIL import Image, ImageDraw, ImageFont

from gameenv.cli import parse
from policies.film import film_strip, replay


@dataclass(frozen=True)
class Args:
    """Draw one strip a task."""

    report: Path = Path("runs/first_agent/report")
    """An evaluation's folder."""
    out: Path = Path("docs/pictures/first_agent.png")
    """The PNG to write."""
    policy: str = "bc"
    """Whose episodes."""


def main(args: Args) -> None:
    """Write the picture."""
    lines = (args.report / "episodes.jsonl").read_text(encoding="utf-8").splitlines()
    first: dict[str, dict] = {}
    for episode in map(json.loads, lines):
        if episode["policy"] == args.policy and episode["success"] and episode["steps"] > 25:
            first.setdefault(episode["task"], episode)
    strips = []
    for episode in first.values():
        played = list(replay(episode["task"], episode["split"], episode["seed"], episode["actions"]))
        frames, infos, actions = zip(*played, strict=True)
        holds = [info["goal_reached"] for info in infos]
        strip = film_strip(frames, actions, holds=holds, count=5, columns=5, tile_width=232)
        titled = Image.new("RGB", (strip.width, strip.height + 26), "white")
        font = ImageFont.load_default(16)
        ImageDraw.Draw(titled).text((2, 4), f"{episode['goal']}  ({episode['level']})", "black", font=font)
        titled.paste(strip, (0, 26))
        strips.append(titled)
    picture = Image.new("RGB", (strips[0].width, sum(strip.height + 8 for strip in strips)), "white")
    top = 0
    for strip in strips:
        picture.paste(strip, (0, top))
        top += strip.height + 8
    args.out.parent.mkdir(parents=True, exist_ok=True)
    picture.quantize(192, dither=Image.Dither.NONE).save(args.out, optimize=True)
    print(f"wrote {args.out} ({args.out.stat().st_size / 1024:.0f} kB)")


if __name__ == "__main__":
    main(parse(Args))
