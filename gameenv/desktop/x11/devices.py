"""The keyboards of an X server: whose they are, and which keycodes each has down. Knows nothing of keys' names."""

import contextlib
from typing import Any

from Xlib.ext import xinput
from Xlib.protocol import rq

from gameenv.desktop.x11.connection import Translated, open_display
from gameenv.errors import DisplayError

_KEY_STATE_BYTES = 36  # class, length, number of keys, a byte of nothing, 32 bytes of bits


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


def keycodes_down_by_programs(display: Any) -> frozenset[int]:
    """Keycodes that are down on a keyboard with which programs press and on none of a person's.

    Raises:
        DisplayError: If the display has no XInput.
    """
    extension = display.query_extension("XInputExtension")
    if extension is None:
        raise DisplayError("this X server has no XInput extension, so it does not tell which keys are down")
    down: dict[bool, set[int]] = {True: set(), False: set()}
    for device in display.xinput_query_device(xinput.AllDevices).devices:
        if device.use == xinput.SlaveKeyboard:
            down[injects(device)] |= _keycodes_down(display, extension.major_opcode, device.deviceid)
    return frozenset(down[True] - down[False])


class _QueryDeviceState(rq.ReplyRequest):
    """The request of XInput 1 that tells which keys of a device are down; python-xlib has none of XInput 1."""

    _request = rq.Struct(rq.Card8("opcode"), rq.Opcode(30), rq.RequestLength(), rq.Card8("device"), rq.Pad(3))
    _reply = rq.Struct(
        rq.ReplyCode(), rq.Pad(1), rq.Card16("sequence_number"), rq.ReplyLength(), rq.Card8("classes"), rq.Pad(23),
        rq.Binary("states", pad=0),
    )  # fmt: skip


def _keycodes_down(display: Any, opcode: int, device: int) -> set[int]:
    """Read the device's state: classes one after another, of which that of the keys has a bit for each keycode."""
    states = bytes(_QueryDeviceState(display=display.display, opcode=opcode, device=device).states)
    while len(states) >= _KEY_STATE_BYTES:
        kind, length = states[0], states[1]
        if kind == xinput.KeyClass:
            bits = states[4:_KEY_STATE_BYTES]
            return {8 * byte + bit for byte in range(len(bits)) for bit in range(8) if bits[byte] >> bit & 1}
        states = states[max(length, 1) :]
    return set()
