"""Our own pictures on the walls, posters and buttons: drawn here, joined with the engine's wall textures.

A picture on a wall is a texture of its own, one for each wall and picture: the wall's pattern with the picture in it,
64 units wide, from the floor up. Knows nothing of where they hang.

Texture definitions: https://zdoom.org/wiki/TEXTURES; switches: https://zdoom.org/wiki/ANIMDEFS
"""

import io
from collections.abc import Callable
from dataclasses import dataclass
from functools import cache

from PIL import Image, ImageDraw

from gameenv.arena.world import decor
from gameenv.arena.world.wad import Lump

PANEL_WIDTH = 64
_PANEL_HEIGHT = 256
_WALL_HEIGHT = 128  # of every wall in decor.WALLS; none of them shares its name with one of the engine's patches
Draw = ImageDraw.ImageDraw


@dataclass(frozen=True, slots=True)
class Picture:
    """Something on a wall.

    Attributes:
        name: What goals call it.
        code: Two letters in its textures' names.
        side: Width and height in map units.
        z: Height of its middle above the floor.
    """

    name: str
    code: str
    side: int
    z: int


def _paper(colour: str, frame: str) -> tuple[Image.Image, Draw]:
    image = Image.new("RGB", (48, 48), frame)
    draw = ImageDraw.Draw(image)
    draw.rectangle((3, 3, 44, 44), fill=colour)
    return image, draw


def _moon() -> Image.Image:
    image, draw = _paper("#101c50", "#c8c8c8")
    draw.ellipse((10, 8, 38, 38), fill="#ffe860")
    draw.ellipse((19, 5, 45, 33), fill="#101c50")
    return image


def _ship() -> Image.Image:
    image, draw = _paper("#9adcff", "#604020")
    draw.rectangle((3, 34, 44, 44), fill="#1850b0")
    draw.polygon([(22, 8), (22, 28), (8, 28)], fill="#ffffff")
    draw.polygon([(25, 10), (25, 28), (38, 28)], fill="#ffffff")
    draw.polygon([(8, 30), (40, 30), (34, 38), (13, 38)], fill="#7a3010")
    return image


def _tree() -> Image.Image:
    image, draw = _paper("#fff6d8", "#202020")
    draw.rectangle((21, 30, 27, 43), fill="#704010")
    draw.polygon([(24, 5), (39, 22), (9, 22)], fill="#108020")
    draw.polygon([(24, 14), (42, 34), (6, 34)], fill="#108020")
    return image


def _heart() -> Image.Image:
    image, draw = _paper("#ffffff", "#801020")
    draw.ellipse((8, 10, 25, 27), fill="#e01030")
    draw.ellipse((23, 10, 40, 27), fill="#e01030")
    draw.polygon([(9, 22), (39, 22), (24, 41)], fill="#e01030")
    return image


def _sun() -> Image.Image:
    image, draw = _paper("#e85010", "#f0e0a0")
    draw.ellipse((14, 14, 34, 34), fill="#fff030")
    for line in ((24, 5, 24, 11), (24, 37, 24, 43), (5, 24, 11, 24), (37, 24, 43, 24)):
        draw.line(line, fill="#fff030", width=4)
    return image


def _button(colour: str) -> Image.Image:
    image = Image.new("RGB", (32, 32), "#303030")
    draw = ImageDraw.Draw(image)
    draw.rectangle((2, 2, 29, 29), fill="#b8b8b8")
    draw.ellipse((6, 6, 25, 25), fill=colour, outline="#202020", width=2)
    return image


EYE_HEIGHT, HIGH_UP = 44, 136
_POSTERS: dict[str, Callable[[], Image.Image]] = {
    "moon": _moon,
    "ship": _ship,
    "tree": _tree,
    "heart": _heart,
    "sun": _sun,
}
POSTERS = {name: Picture(name, name[:2].upper(), 48, EYE_HEIGHT) for name in _POSTERS}
HIGH_POSTERS = {name: Picture(name, f"H{name[0].upper()}", 48, HIGH_UP) for name in _POSTERS if name != "ship"}
"""The same a storey higher; the ship stays below."""
BUTTON = Picture("switch", "BO", 32, 48)
_PRESSED = Picture("pressed switch", "BP", 32, 48)


def panel_texture(wall: str, picture: Picture) -> str:
    """Name of the texture that shows a picture on a wall of ``decor.WALLS``."""
    return f"W{decor.WALLS.index(wall):02}{picture.code}"


@cache
def picture_lumps() -> tuple[Lump, ...]:
    """The pictures and their definitions, for the engine's file of levels."""
    drawn = {picture: _POSTERS[name]() for name, picture in (*POSTERS.items(), *HIGH_POSTERS.items())}
    drawn |= {BUTTON: _button("#e01010"), _PRESSED: _button("#10c020")}
    images = [(f"P{picture.code}", _png(image)) for picture, image in drawn.items()]
    textures = "".join(_panel(wall, picture) for wall in decor.WALLS for picture in drawn)
    switches = "".join(
        f"switch {panel_texture(wall, BUTTON)} on pic {panel_texture(wall, _PRESSED)} tics 0\n" for wall in decor.WALLS
    )
    return (
        ("TX_START", b""),
        *images,
        ("TX_END", b""),
        ("TEXTURES", textures.encode("ascii")),
        ("ANIMDEFS", switches.encode("ascii")),
    )


def _panel(wall: str, picture: Picture) -> str:
    left, top = (PANEL_WIDTH - picture.side) // 2, _PANEL_HEIGHT - picture.z - picture.side // 2
    patches = [f'Patch "{wall}", 0, {y}' for y in range(0, _PANEL_HEIGHT, _WALL_HEIGHT)]
    patches.append(f'Patch "P{picture.code}", {left}, {top}')
    name = panel_texture(wall, picture)
    return f'WallTexture "{name}", {PANEL_WIDTH}, {_PANEL_HEIGHT} {{ {" ".join(patches)} }}\n'


def _png(image: Image.Image) -> bytes:
    buffer = io.BytesIO()
    image.save(buffer, "PNG")
    return buffer.getvalue()
