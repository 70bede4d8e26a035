"""The numbers of the keys on Windows. Knows nothing of pressing or listening, which both go by this one table.

By scan code, the place on the keyboard: neither Shift, nor NumLock, nor the layout changes which key it is.
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

VIRTUAL_KEYS: dict[str, int] = {
    **{key: ord(key.upper()) for _, row in _ROWS for key in row},
    **{f"f{number}": 0x6F + number for number in range(1, 13)},
    "backspace": 0x08,
    "tab": 0x09,
    "enter": 0x0D,
    "shift": 0xA0,
    "ctrl": 0xA2,
    "space": 0x20,
    "pageup": 0x21,
    "pagedown": 0x22,
    "end": 0x23,
    "home": 0x24,
    "left": 0x25,
    "up": 0x26,
    "right": 0x27,
    "down": 0x28,
    "insert": 0x2D,
    "delete": 0x2E,
}
"""The virtual key of each, for what a program injected without a scan code."""
