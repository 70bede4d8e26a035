"""Level geometry: a grid of cells, each in a region (one floor, one ceiling), and its UDMF text.

Distances are map units (a player is 32 wide and 56 high; a step of at most 24 is climbed by walking).
Angles are degrees, counter-clockwise from east, as the engine's. Knows nothing of tasks.

UDMF 1.1 with the ZDoom namespace: https://zdoom.org/wiki/UDMF
"""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

Point = tuple[float, float]
"""x and y: map units on a plan, pixels on a picture of one."""

CELL = 32
"""Side of a cell in map units."""
VOID = -1
"""The region number of solid rock."""
PLAYER_START = 1
WHITE = 0xFFFFFF
SWITCHED_SPEED = 32
"""Eighths of a unit a tic at which a ceiling rises that a switch opens."""
DOOR_OPEN_SPECIAL = 11  # Door_Open(tag, speed): opens and stays; special 12 would close by itself


@dataclass(frozen=True, slots=True)
class Region:
    """What is the same for all cells of one sector.

    Attributes:
        floor: Height of the floor.
        ceiling: Height of the ceiling; a closed door has it on the floor.
        floor_flat: Flat (floor texture) name.
        ceiling_flat: Flat name above.
        wall: Texture of the walls seen from inside, and of drops from its ceiling seen from outside.
        riser: Texture of the step up to this region, seen from below.
        light: 0 (black) to 255.
        door_speed: Above 0 makes it a door that opens when used, in eighths of a unit a tic.
        tag: Number by which a switch names it, 0 for none.
        tint: Colour of its light, ``0xRRGGBB``.
    """

    floor: int
    ceiling: int
    floor_flat: str
    ceiling_flat: str
    wall: str
    riser: str = "STEP4"
    light: int = 192
    door_speed: int = 0
    tag: int = 0
    tint: int = WHITE


@dataclass(frozen=True, slots=True)
class Thing:
    """Something that stands on the map: the engine's editor number, a place, how wide it is, and its own numbers."""

    kind: int
    x: int
    y: int
    angle: int = 0
    radius: int = 16
    args: tuple[int, ...] = ()


@dataclass(frozen=True, slots=True)
class Panel:
    """A stretch of wall that looks different: a picture, or a switch.

    Attributes:
        cells: The cells it is seen from, side by side, as (column, row).
        side: Which way the wall lies from them: (dx, dy), one of them 0.
        texture: What is on the wall, from the floor up.
        opens: Tag of the regions whose ceilings rise when it is used, 0 for none.
    """

    cells: tuple[tuple[int, int], ...]
    side: tuple[int, int]
    texture: str
    opens: int = 0

    @property
    def middle(self) -> Point:
        """The middle of the stretch, in map units."""
        along = [sum(axis) / len(self.cells) + 0.5 for axis in zip(*self.cells, strict=True)]
        return (along[0] + self.side[0] / 2) * CELL, (along[1] + self.side[1] / 2) * CELL


@dataclass(slots=True)
class FloorPlan:
    """A map under construction: ``cells[row][column]`` is a region number or ``VOID``."""

    columns: int
    rows: int
    regions: list[Region] = field(default_factory=list)
    things: list[Thing] = field(default_factory=list)
    panels: list[Panel] = field(default_factory=list)
    cells: list[list[int]] = field(init=False)

    def __post_init__(self) -> None:
        self.cells = [[VOID] * self.columns for _ in range(self.rows)]

    def add_region(self, region: Region) -> int:
        """Add a region; its number is also the engine's sector number."""
        self.regions.append(region)
        return len(self.regions) - 1

    def fill(self, column: int, row: int, width: int, height: int, region: int) -> None:
        """Give a rectangle of cells to a region (or to ``VOID``)."""
        for r in range(row, row + height):
            self.cells[r][column : column + width] = [region] * width

    def at(self, column: int, row: int) -> int:
        """The region of a cell; outside the grid is ``VOID``."""
        if 0 <= column < self.columns and 0 <= row < self.rows:
            return self.cells[row][column]
        return VOID

    def region_at(self, x: float, y: float) -> Region | None:
        """The region under a point in map units, None in the void."""
        number = self.at(int(x // CELL), int(y // CELL))
        return None if number == VOID else self.regions[number]


@dataclass(frozen=True, slots=True)
class _Edge:
    """A straight border in cell corners; ``front`` lies to the right of the way from start to end, ``panel`` on it."""

    start: tuple[int, int]
    end: tuple[int, int]
    front: int
    back: int
    panel: Panel | None


def _edges(plan: FloorPlan) -> Iterator[_Edge]:
    """Borders between cells of different regions, joined into runs as long as both sides stay the same."""
    panels = {place: panel for panel in plan.panels for place in _places(panel)}
    void_row, void_column = [VOID] * plan.columns, [VOID] * plan.rows
    rows = [void_row, *plan.cells, void_row]
    for row in range(plan.rows + 1):
        above, below = rows[row + 1], rows[row]  # above has the larger y
        if above != below:
            yield from _runs(list(zip(above, below, strict=True)), row, panels, horizontal=True)
    columns = [void_column, *(list(column) for column in zip(*plan.cells, strict=True)), void_column]
    for column in range(plan.columns + 1):
        left, right = columns[column], columns[column + 1]
        if left != right:
            yield from _runs(list(zip(left, right, strict=True)), column, panels, horizontal=False)


_Place = tuple[bool, int, int]  # a cell's border: horizontal or not, which line, how far along it


def _places(panel: Panel) -> Iterator[_Place]:
    dx, dy = panel.side
    for column, row in panel.cells:
        yield (True, row + (dy > 0), column) if dy else (False, column + (dx > 0), row)


def _runs(
    sides: Sequence[tuple[int, int]], line: int, panels: dict[_Place, Panel], *, horizontal: bool
) -> Iterator[_Edge]:
    start, panel = 0, panels.get((horizontal, line, 0))
    for end in range(1, len(sides) + 1):
        here, panel = panel, panels.get((horizontal, line, end))
        if end < len(sides) and sides[end] == sides[start] and panel is here:
            continue
        left, right = sides[start]
        if left != right:
            first, last = ((start, line), (end, line)) if horizontal else ((line, start), (line, end))
            # Going east or north, the right-hand side is south or east: the second of the pair.
            if right != VOID:
                yield _Edge(first, last, right, left, here)
            else:
                yield _Edge(last, first, left, right, here)
        start = end


def _block(kind: str, **values: object) -> str:
    inner = "".join(f"{key}={_literal(value)};" for key, value in values.items())
    return f"{kind}{{{inner}}}\n"


def _literal(value: object) -> str:
    if isinstance(value, bool):
        return "true" if value else "false"
    return f'"{value}"' if isinstance(value, str) else str(value)


def textmap(plan: FloorPlan) -> str:
    """The plan as a UDMF ``TEXTMAP`` lump. The same plan always gives the same text."""
    vertices: dict[tuple[int, int], int] = {}
    lines: list[str] = []
    sides: list[str] = []

    def vertex(corner: tuple[int, int]) -> int:
        return vertices.setdefault(corner, len(vertices))

    def side(region: int, other: int, *, own_wall: bool, panel: Panel | None = None) -> int:
        here = plan.regions[region]
        textures = {"texturemiddle": panel.texture if panel else here.wall}
        if not own_wall:
            there = plan.regions[other]
            textures = {"texturetop": there.wall, "texturebottom": there.riser}
        sides.append(_block("sidedef", sector=region, **textures))
        return len(sides) - 1

    for edge in _edges(plan):
        first, last, front, back = edge.start, edge.end, edge.front, edge.back
        if back != VOID and plan.regions[front].door_speed:  # a door is used from its front: the room's side
            first, last, front, back = last, first, back, front
        values: dict[str, object] = {"v1": vertex(first), "v2": vertex(last)}
        if back == VOID:
            # Textures begin at the floor, so that pictures hang at their height whatever the ceiling's.
            values |= {"sidefront": side(front, back, own_wall=True, panel=edge.panel), "blocking": True}
            values |= {"dontpegbottom": True}
            if edge.panel and edge.panel.opens:
                values |= {"special": DOOR_OPEN_SPECIAL, "arg0": edge.panel.opens, "arg1": SWITCHED_SPEED}
                values |= {"playeruse": True}
        else:
            values |= {"sidefront": side(front, back, own_wall=False), "sideback": side(back, front, own_wall=False)}
            values |= {"twosided": True}
            if speed := plan.regions[back].door_speed:
                values |= {"special": DOOR_OPEN_SPECIAL, "arg1": speed, "playeruse": True, "repeatspecial": True}
        lines.append(_block("linedef", **values))

    parts = ['namespace="ZDoom";\n']
    parts += [_block("vertex", x=float(c * CELL), y=float(r * CELL)) for c, r in vertices]
    parts += lines
    parts += sides
    parts += [
        _block(
            "sector",
            heightfloor=region.floor,
            heightceiling=region.ceiling,
            texturefloor=region.floor_flat,
            textureceiling=region.ceiling_flat,
            lightlevel=region.light,
            **({"id": region.tag} if region.tag else {}),
            **({"lightcolor": region.tint} if region.tint != WHITE else {}),
        )
        for region in plan.regions
    ]
    always = {f"skill{n}": True for n in range(1, 6)} | {"single": True}
    for t in plan.things:
        args = {f"arg{n}": value for n, value in enumerate(t.args)}
        parts.append(_block("thing", x=float(t.x), y=float(t.y), angle=t.angle, type=t.kind, **args, **always))
    return "".join(parts)
