"""Which keycode of an X server is which key, and what a key types on the layout of the moment.

By place: X servers number the keys of a PC's keyboard by where they are, whatever the layout. The few that do not (old
VNC servers number them by what they type) are noticed by their space bar, and asked for the letter. Knows nothing of
pressing or listening.
"""

import contextlib
from collections.abc import Collection
from typing import Any

from Xlib import XK

from gameenv.desktop.places import EXTENDED, SCAN_CODES
from gameenv.desktop.x11.connection import Translated, open_display

_FIRST = 8  # the keycode of place 0
_KEYSYMS = {
    "up": "Up",
    "down": "Down",
    "left": "Left",
    "right": "Right",
    "enter": "Return",
    "tab": "Tab",
    "backspace": "BackSpace",
    "shift": "Shift_L",
    "ctrl": "Control_L",
    "insert": "Insert",
    "delete": "Delete",
    "home": "Home",
    "end": "End",
    "pageup": "Prior",
    "pagedown": "Next",
}
_SAME_EVERYWHERE = ("space", "enter", "tab")
_GROUP_SHIFT = 13  # where the state of the keyboard has the number of its layout
_LETTERS_OF = {0: "latin-1", 1: "iso8859-2", 2: "iso8859-3", 3: "iso8859-4", 5: "iso8859-6", 6: "koi8-r"} | {
    7: "iso8859-7",
    0xC: "iso8859-8",
    0xD: "tis-620",
}
"""Alphabets of the old keysyms, by their upper byte; the lower byte is the letter's (X11 protocol, appendix A)."""
_OTHERWISE = {0x7F2: "\u03c3", 0x7F3: "\u03c2"}
"""The two Greek sigmas, which the alphabet has the other way round."""
_UNICODE = 0x01000000


def keycode(connection: Any, key: str) -> int:
    """The keycode of a key of ``KEY_NAMES``, 0 if this server has none.

    Arrows and the keys above them are asked for by name: every layout has them, and old servers elsewhere.
    """
    place = SCAN_CODES[key]
    if place < EXTENDED and is_numbered_by_place(connection):
        return _FIRST + place
    return _by_keysym(connection, key)


def is_numbered_by_place(connection: Any) -> bool:
    """Whether the keys that are the same on every layout are where a PC's keyboard has them."""
    return all(_by_keysym(connection, key) == _FIRST + SCAN_CODES[key] for key in _SAME_EVERYWHERE)


def typed_on_display(keys: Collection[str]) -> dict[str, str]:
    """What each key types on the layout of the moment, a letter or the key's own name; empty if nothing.

    Raises:
        DisplayError: If the display cannot be opened.
    """
    connection = open_display()
    with contextlib.closing(connection), Translated():
        group = connection.screen().root.query_pointer().mask >> _GROUP_SHIFT & 3
        return {key: _typed(connection, keycode(connection, key), group) for key in keys}


def _typed(connection: Any, code: int, group: int) -> str:
    keysym = connection.keycode_to_keysym(code, 2 * group) if group < 2 else 0
    return _spell(keysym or connection.keycode_to_keysym(code, 0)) if code else ""


def _spell(keysym: int) -> str:
    if keysym in _OTHERWISE:
        return _OTHERWISE[keysym]
    if keysym & _UNICODE:
        return chr(keysym & ~_UNICODE)
    encoding = _LETTERS_OF.get(keysym >> 8)
    if encoding is not None and keysym & 0xFF >= 0x20:
        return bytes([keysym & 0xFF]).decode(encoding, errors="replace")
    return next((name for name, its_name in _KEYSYMS.items() if XK.string_to_keysym(its_name) == keysym), "")


def _by_keysym(connection: Any, key: str) -> int:
    keysym = XK.string_to_keysym(_KEYSYMS.get(key, key.upper() if key[0] == "f" and len(key) > 1 else key))
    plain = [code for code, index in connection.keysym_to_keycodes(keysym) if index == 0]
    shifted = [code for code, index in connection.keysym_to_keycodes(keysym) if index == 1]
    return min(plain or shifted, default=0)
