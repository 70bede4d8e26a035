"""What gameenv-doctor looks at on Windows only: more rights than ours, and HDR."""

import os

import pytest

from gameenv.desktop.win32.hdr import is_hdr_on
from gameenv.desktop.win32.layout import typed_by
from gameenv.desktop.window import WindowInfo
from gameenv.doctor.desktop import check_colours, check_rights
from tests.gameenv.desktop.win32.fake import FakeWindowsSystem

GAME = WindowInfo(1, "The Dark Mod", "TheDarkMod.exe", 100)


def test_a_game_that_runs_as_administrator_is_red_unless_we_do_too(system: FakeWindowsSystem) -> None:
    assert check_rights(GAME).level == "green"
    system.elevated = {100}
    found = check_rights(GAME)
    assert found.level == "red"
    assert "TheDarkMod.exe" in found.text
    assert found.remedy == "run this as administrator too, or the game without"
    system.elevated = {100, os.getpid()}
    assert check_rights(GAME).level == "green"
    assert check_rights(None).text == "this program runs as administrator"


@pytest.mark.parametrize(("monitors", "on"), [((False,), False), ((False, True), True), ((True, False), True)])
def test_hdr_on_any_monitor_is_noted(system: FakeWindowsSystem, monitors: tuple[bool, ...], on: bool) -> None:
    system.hdr = monitors
    assert is_hdr_on() is on
    assert check_colours().level == ("yellow" if on else "green")


def test_a_windows_that_does_not_know_hdr_is_not_asked(system: FakeWindowsSystem) -> None:
    system.lacking = frozenset({"QueryDisplayConfig"})
    assert is_hdr_on() is None
    assert check_colours().level == "green"


def test_what_keys_type_on_another_layout_is_told(system: FakeWindowsSystem) -> None:
    assert typed_by(["w", "a", "1", "left", "space", "enter"]) == {
        "w": "w", "a": "a", "1": "1", "left": "left", "space": "space", "enter": "enter",
    }  # fmt: skip
    system.types |= {0x11: ord("Z"), 0x1E: ord("Q"), 0x1F: 0x80000000 | ord("^"), 0x20: 0}
    assert typed_by(["w", "a", "s", "d"]) == {"w": "z", "a": "q", "s": "^", "d": ""}
