"""The virtual keys of Windows, for what a program injects without a scan code. Knows nothing of listening."""

VIRTUAL_KEYS: dict[str, int] = {
    **{key: ord(key.upper()) for key in "abcdefghijklmnopqrstuvwxyz0123456789"},
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
