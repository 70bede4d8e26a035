"""What rooms are made of: texture and thing names of the free Freedoom assets that ship with the engine.

Thing numbers are the editor numbers of Doom II, which Freedoom keeps: https://doomwiki.org/wiki/Thing_types
"""

from dataclasses import dataclass

from gameenv.arena.world import sentry

# fmt: off
WALLS = (
    "STARTAN3", "BRICK4", "BRICK6", "BRICK7", "BRICK10", "BROWNGRN", "BSTONE1", "BSTONE2",
    "CEMENT7", "GRAY1", "GRAY5", "GRAYBIG", "METAL2", "MODWALL1", "PANEL6", "PANEL7", "ROCK1", "ROCK4", "STONE2",
    "STONE3", "STONE4", "STONE6", "STUCCO", "STUCCO1", "TANROCK2", "TANROCK4", "TEKGREN2", "WOOD5", "WOOD7", "ZIMMER1",
    "ZIMMER3", "ICKWALL1", "BIGBRIK1", "BIGBRIK2", "BRONZE1", "SILVER1", "SHAWN2", "STARG2", "STARGR1", "STARBR2",
)
FLOORS = (
    "FLOOR0_1", "FLOOR0_3", "FLOOR0_6", "FLOOR1_6", "FLOOR4_1", "FLOOR4_6", "FLOOR4_8", "FLOOR5_1", "FLOOR5_2",
    "FLOOR5_3", "FLOOR5_4", "FLOOR6_2", "FLOOR7_1", "FLAT1", "FLAT1_1", "FLAT3", "FLAT4", "FLAT5", "FLAT5_4",
    "FLAT8", "FLAT9", "FLAT10", "FLAT14", "FLAT19", "MFLR8_1", "MFLR8_2", "RROCK09", "RROCK13", "GRASS1", "SLIME13",
)
CEILINGS = (
    "CEIL1_1", "CEIL3_1", "CEIL3_3", "CEIL3_5", "CEIL5_1", "CEIL5_2", "FLAT1", "FLAT5_4", "FLAT10", "FLAT18", "FLAT19",
    "FLAT20", "FLOOR4_8", "FLOOR7_1", "MFLR8_1", "RROCK10", "TLITE6_1", "COMP01",
)
RISERS = ("STEP1", "STEP2", "STEP3", "STEP4", "STEP5", "STEP6")
DOORS = ("BIGDOOR1", "BIGDOOR2", "BIGDOOR3", "BIGDOOR4", "BIGDOOR5", "BIGDOOR6", "BIGDOOR7", "SPCDOOR1", "SPCDOOR2", "SPCDOOR3", "SPCDOOR4")  # noqa: E501
CRATES = (("CRATE1", "CRATOP2"), ("CRATE2", "CRATOP1"), ("CRATELIT", "CRATOP2"), ("CRATWIDE", "CRATOP1"))
# fmt: on

ACTORS = (
    """
actor ArenaLantern : Column 30001 { Scale 1.7 }
"""
    + sentry.ACTOR
)
"""DECORATE lump: our own things. The engine's floor lamp is made big enough to be told apart across a room."""


WATCHED_ACTORS = frozenset({sentry.NAME})
"""Class names of the things that the referee may follow."""


@dataclass(frozen=True, slots=True)
class Prop:
    """Something to stand in a room: its name in goals, and its editor number."""

    name: str
    kind: int


LANTERN = Prop("lantern", 30001)
TORCHES = {"red": Prop("red torch", 46), "green": Prop("green torch", 45), "blue": Prop("blue torch", 44)}
OTHER_LIGHTS = (Prop("tech lamp", 85), Prop("candelabra", 35), Prop("burning barrel", 70))
CLUTTER = (Prop("tall green pillar", 30), Prop("short red pillar", 33), Prop("tree", 43), Prop("stump", 47))
