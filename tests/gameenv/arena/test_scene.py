"""What the plan says a frame shows is what the engine draws: checked against its own buffers."""

import os
from pathlib import Path

import numpy as np
import pytest

from gameenv.arena import tasks
from gameenv.arena.engine.engine import BUTTONS, SETTLE_TICS, arena_state, configure, end_engine, start_engine
from gameenv.arena.engine.ownership import make_engine_folder
from gameenv.arena.engine.slots import LevelSlots
from gameenv.arena.levels import WATCHED
from gameenv.arena.scene import SURFACES, THINGS, Scene

vzd = pytest.importorskip("vizdoom")
SIZE = (512, 288)
ROWS, COLUMNS = 18, 32
FIRST_DEPTH, DEPTH_STEP = 13.0, 7.1
"""What the engine's depth buffer of 256 levels begins with, and the map units of a level."""
LAMPS = {"ArenaLantern": "lantern", "RedTorch": "red torch", "GreenTorch": "green torch", "BlueTorch": "blue torch"}
TURN = [name == "TURN_RIGHT" for name in BUTTONS.values()]
DOWN = [name == "LOOK_DOWN" for name in BUTTONS.values()]


def looks(family, seed, buttons=TURN, count=6, tics=9):
    """Several states of a level with the engine's depth buffer and its labels of things."""
    level = tasks.level(family, "train", seed)
    folder = Path(make_engine_folder())
    slots = LevelSlots(folder / "levels.wad", level.textmap)
    game = configure(vzd, folder, SIZE, WATCHED)
    game.set_depth_buffer_enabled(True)
    game.set_labels_buffer_enabled(True)
    pids: set[int] = set()
    try:
        start_engine(game, pids, folder)
        game.set_seed(level.engine_seed)
        game.set_doom_map(slots.write(level.textmap))
        game.new_episode()
        game.make_action([False] * len(BUTTONS), SETTLE_TICS)
        for _ in range(count):
            game.make_action(buttons, tics)
            state = game.get_state()
            yield level, arena_state(state, WATCHED), state.depth_buffer.copy(), list(state.labels)
    finally:
        end_engine(os.getpid(), game, pids, slots, folder)


@pytest.mark.parametrize(("family", "seed"), [("go-to-torch", 3), ("climb-stairs", 5), ("crawl-vent", 8)])
@pytest.mark.parametrize("buttons", [TURN, DOWN], ids=["turning", "looking down"])
def test_distances_are_the_engine_s(family, seed, buttons):
    at = (np.arange(ROWS) + 0.5) / ROWS
    for level, state, depth, labels in looks(family, seed, buttons):
        _, distances = Scene(level).surfaces([state], COLUMNS, at)
        places = np.ix_((at * SIZE[1]).astype(int), ((np.arange(COLUMNS) + 0.5) / COLUMNS * SIZE[0]).astype(int))
        free = np.ones((SIZE[1], SIZE[0]), bool)
        for label in labels:  # the plan's surfaces are those behind the things
            free[label.y : label.y + label.height, label.x : label.x + label.width] = False
        drawn, clear = depth[places].astype(float), free[places]
        expected = FIRST_DEPTH + (drawn + 0.5) * DEPTH_STEP
        agree = abs(distances[0] - expected)[clear] < DEPTH_STEP + 0.05 * expected[clear]
        assert agree.mean() > 0.9, f"{agree.mean():.0%} agree; edges lie between the points"


def test_things_are_where_the_engine_draws_them():
    found = missed = 0
    for seed in range(9):
        for level, state, _, labels in looks("go-to-torch", seed, count=8, tics=12):
            sightings = Scene(level).things([state])[0]
            for label in labels:
                name = LAMPS.get(label.object_name)
                whole = label.x > 0 and label.x + label.width < SIZE[0] and label.y + label.height < SIZE[1]
                if name is None or not whole or label.width < 4:
                    continue
                inside = [
                    each
                    for each in sightings
                    if each.name == name
                    and label.x - 4 <= each.u * SIZE[0] <= label.x + label.width + 4
                    and label.y - 8 <= each.v * SIZE[1] <= label.y + label.height + 8
                ]
                found += bool(inside)
                missed += not inside
    assert found > 30
    assert missed <= found * 0.1


def test_what_is_behind_a_wall_is_not_seen():
    level, state, *_ = next(iter(looks("crawl-vent", 2, count=1)))
    scene = Scene(level)
    seen = {each.name for each in scene.things([state])[0]}
    everywhere = {mark.name for mark in scene._marks}
    assert seen <= everywhere <= set(THINGS)
    kinds, distances = scene.surfaces([state, state], 20, np.array([0.1, 0.5, 0.9]))
    assert kinds.shape == distances.shape == (2, 3, 20)
    assert (kinds[0] == kinds[1]).all()
    assert kinds.max() < len(SURFACES)
