"""Where each key is: its place on the keyboard, which no layout, Shift or lock changes. The home of this one table.

Games bind by place, and so does this project on every system. A place has one number (the scan code of the first PC
keyboards, set 1), and each system a number made from it. Knows nothing of pressing or listening.
"""

EXTENDED = 0xE000
"""Added to the scan codes of the keys that the first PC keyboard had on its number pad only."""

_ROWS = ((0x02, "1234567890"), (0x10, "qwertyuiop"), (0x1E, "asdfghjkl"), (0x2C, "zxcvbnm"))

SCAN_CODES: dict[str, int] = {
    **{key: first + place for first, row in _ROWS for place, key in enumerate(row)},
    **{f"f{number}": 0x3A + number for number in range(1, 11)},
    "f11": 0x57,
    "f12": 0x58,
    "backspace": 0x0E,
    "tab": 0x0F,
    "enter": 0x1C,
    "ctrl": 0x1D,
    "shift": 0x2A,
    "space": 0x39,
    "home": EXTENDED + 0x47,
    "up": EXTENDED + 0x48,
    "pageup": EXTENDED + 0x49,
    "left": EXTENDED + 0x4B,
    "right": EXTENDED + 0x4D,
    "end": EXTENDED + 0x4F,
    "down": EXTENDED + 0x50,
    "pagedown": EXTENDED + 0x51,
    "insert": EXTENDED + 0x52,
    "delete": EXTENDED + 0x53,
}
"""The scan code (set 1, as of a US keyboard) of each key of ``gameenv.desktop.keyboard.KEY_NAMES``."""
