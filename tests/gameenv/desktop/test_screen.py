"""What is wrong with a picture or with where a window lies."""

import numpy as np

from gameenv.clock import NS_PER_S
from gameenv.desktop.screen import PictureWatch, placement_problem
from gameenv.desktop.window import Rect, WindowState

DESKTOP = Rect(0, 0, 1920, 1080)


def state(*client: int, minimised: bool = False) -> WindowState:
    return WindowState(Rect(*client), focused=True, minimised=minimised, desktop=DESKTOP)


def test_where_a_window_lies() -> None:
    assert placement_problem(state(0, 0, 1920, 1080)) is None
    assert placement_problem(state(-1, 0, 200, 100)) == "partly-off-screen"
    assert placement_problem(state(1900, 1000, 200, 100)) == "partly-off-screen"
    assert placement_problem(state(-200, 0, 200, 100)) == "off-screen"
    assert placement_problem(state(0, 0, 200, 100, minimised=True)) == "minimised"


def test_black_and_frozen_pictures_are_named_only_after_a_while() -> None:
    watch = PictureWatch()
    black, grey = np.zeros((16, 16, 3), np.uint8), np.full((16, 16, 3), 90, np.uint8)
    assert watch.look(grey, 0) == (True, None)
    assert watch.look(black, NS_PER_S // 10) == (True, None)
    assert watch.look(black, NS_PER_S // 2) == (False, None), "a short fade is nothing"
    assert watch.look(black, 2 * NS_PER_S) == (False, "black")
    assert watch.look(grey, 3 * NS_PER_S) == (True, None)
    assert watch.look(grey, 7 * NS_PER_S) == (False, None)
    assert watch.look(grey, 8 * NS_PER_S) == (False, "frozen")
    assert watch.look(grey - 1, 9 * NS_PER_S) == (True, None)
