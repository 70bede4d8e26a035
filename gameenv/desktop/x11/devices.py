"""The keyboards of an X server, as keys are heard from them. Knows nothing of keys."""

import contextlib
from typing import Any

from Xlib.ext import xinput

from gameenv.desktop.x11.connection import Translated, open_display
from gameenv.errors import DisplayError


def injects(device: Any) -> bool:
    """Whether programs press keys with this device: XTEST makes one for each master keyboard."""
    return str(device.name).lower().endswith("xtest keyboard")


def person_keyboards() -> tuple[str, ...]:
    """Names of the devices whose keys count as a person's; those that programs inject with (XTEST) are left out.

    Raises:
        DisplayError: If the display cannot be opened, or has no XInput.
    """
    display = open_display()
    try:
        with Translated():
            if not display.has_extension("XInputExtension"):
                raise DisplayError("this X server has no XInput extension, so keys cannot be listened to")
            devices = display.xinput_query_device(xinput.AllDevices).devices
        return tuple(str(each.name) for each in devices if each.use == xinput.SlaveKeyboard and not injects(each))
    finally:
        with contextlib.suppress(DisplayError), Translated():
            display.close()
