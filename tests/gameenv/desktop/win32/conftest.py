"""The fake Windows in place of the real one."""

import ctypes
import importlib
import sys
from types import ModuleType

import pytest

from gameenv.desktop.win32 import api, dpi, hdr, layout, listening, programs, sending, windows
from tests.gameenv.desktop.win32.fake import FakeWindowsSystem


@pytest.fixture
def system(monkeypatch: pytest.MonkeyPatch) -> FakeWindowsSystem:
    """A desktop with a game (process 100) in front of an editor (process 200)."""
    fake = FakeWindowsSystem(programs={100: r"C:\Games\TDM\TheDarkMod.exe", 200: r"C:\Windows\notepad.exe"})
    for module in (api, dpi, hdr, layout, listening, programs, sending, windows):
        monkeypatch.setattr(module, "load", fake.load)
    monkeypatch.setattr(programs, "last_error", lambda: fake.error)
    return fake


@pytest.fixture
def pydirectinput(system: FakeWindowsSystem, monkeypatch: pytest.MonkeyPatch) -> ModuleType:
    """The real pydirectinput-rgx, loaded against the fake Windows."""
    monkeypatch.delitem(sys.modules, "pydirectinput", raising=False)
    monkeypatch.setattr(ctypes, "WinDLL", lambda name, **_: system.load(name), raising=False)
    with monkeypatch.context() as while_loading:
        while_loading.setattr(sys, "platform", "win32")
        module = importlib.import_module("pydirectinput")
    monkeypatch.setitem(sys.modules, "pydirectinput", module)
    return module
