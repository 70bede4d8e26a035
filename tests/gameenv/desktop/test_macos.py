"""The one part of the macOS code that can be looked at elsewhere: its table of keys."""

from gameenv.desktop.keyboard import KEY_NAMES
from gameenv.desktop.macos import KEY_CODES


def test_every_key_name_has_a_key_code_of_its_own() -> None:
    assert set(KEY_CODES) == set(KEY_NAMES)
    assert len(set(KEY_CODES.values())) == len(KEY_NAMES)
    assert all(0 <= code < 128 for code in KEY_CODES.values())
