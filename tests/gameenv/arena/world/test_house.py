from random import Random

import pytest

from gameenv.arena.world.house import House, build_house
from gameenv.arena.world.rooms import NoPlaceError


def some_house(seed: int) -> House:
    dice = Random(seed)
    while True:
        try:
            return build_house(dice, "vent")
        except NoPlaceError:
            continue


@pytest.mark.parametrize("seed", range(8))
def test_the_vent_is_the_only_way_until_there_is_another(seed: int) -> None:
    house = some_house(seed)
    assert not house.has_another_way()
    dug = [
        (column, row)
        for row, cells in enumerate(house.plan.cells)
        for column, region in enumerate(cells)
        if region == house.passage.sector
    ]
    for column, row in dug:  # open floor where the vent was
        house.plan.fill(column, row, 1, 1, house.near.base)
    assert house.has_another_way()
