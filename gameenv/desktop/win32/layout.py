"""What a key types on the keyboard layout of the moment. Not run on Windows so far. Knows nothing of pressing."""

from collections.abc import Collection
from ctypes.wintypes import UINT

from gameenv.desktop.places import SCAN_CODES
from gameenv.desktop.win32.api import declare, load
from gameenv.desktop.win32.keys import VIRTUAL_KEYS

_TO_VIRTUAL_KEY = 3  # MAPVK_VSC_TO_VK_EX
_TO_CHARACTER = 2  # MAPVK_VK_TO_CHAR
_CHARACTER = 0xFFFF  # of the answer; its top bit marks an accent that waits for a letter


def typed_by(keys: Collection[str]) -> dict[str, str]:
    """What each key types, a letter or the key's own name; empty if nothing."""
    convert = declare(load("user32"), "MapVirtualKeyW", UINT, UINT, UINT)
    names = {virtual_key: key for key, virtual_key in VIRTUAL_KEYS.items() if len(key) > 1}
    found = {}
    for key in keys:
        virtual_key = convert(SCAN_CODES[key], _TO_VIRTUAL_KEY)
        character = convert(virtual_key, _TO_CHARACTER) & _CHARACTER
        found[key] = names.get(virtual_key) or (chr(character).lower() if character > 0x20 else "")
    return found
