"""Listening on X11 by XInput2 raw events: keys by keycode, with the device they come from and the server's own time.

Raw events come whoever has the focus or a grab; the caller decides which count. Knows nothing of actions.
"""

import contextlib
import struct
from collections.abc import Collection
from typing import Any

from Xlib import X
from Xlib.error import BadAccess, BadWindow, CatchError, ConnectionClosedError, XError
from Xlib.ext import xinput
from Xlib.ext.ge import GenericEventCode

from gameenv.clock import now_ns
from gameenv.desktop.listener import HeardKey
from gameenv.desktop.x11.connection import Translated, open_display
from gameenv.desktop.x11.devices import injects
from gameenv.desktop.x11.keycodes import keycode
from gameenv.errors import DisplayError, ListenerDiedError

_RAW_EVENT = struct.Struct("=HIIHHI")  # device, time in ms, keycode, source device, length of what follows, flags
_NS_PER_MS = 1_000_000
_TIME_WRAPS_MS = 1 << 32
_SAME_CLOCK_MS = 2_000


class X11Listener:
    """A ``KeyListener``.

    Args:
        keys: Names from ``gameenv.desktop.keyboard.KEY_NAMES``.

    Raises:
        DisplayError: If the display cannot be opened or does not have XInput 2.
    """

    def __init__(self, keys: Collection[str]) -> None:
        self._display: Any = open_display()
        self._is_open = True
        self._keys = tuple(keys)
        self._down: set[tuple[int, int]] = set()
        self._withheld: frozenset[str] = frozenset()
        try:
            with Translated():
                self._select()
                self._read_layout()
                self._read_devices()
        except BaseException:
            self.close()
            raise

    def _select(self) -> None:
        self._extension = self._display.query_extension("XInputExtension")
        if self._extension is None:
            raise DisplayError("this X server has no XInput extension, so keys cannot be listened to")
        version = xinput.XIQueryVersion(
            display=self._display.display, opcode=self._extension.major_opcode, major_version=2, minor_version=2
        )  # from 2.1 on raw events come even while a game grabs the keyboard
        if (version.major_version, version.minor_version) < (2, 1):
            raise DisplayError("this X server's XInput extension is older than 2.1, so keys cannot be listened to")
        keys = xinput.RawKeyPressMask | xinput.RawKeyReleaseMask
        root = self._display.screen().root
        root.xinput_select_events([(xinput.AllDevices, keys | xinput.HierarchyChangedMask)])
        self._display.sync()

    def poll(self) -> list[HeardKey]:
        """What was heard since the last call, in order; never waits.

        Raises:
            ListenerDiedError: If the X server is gone.
        """
        heard = []
        try:
            while self._display.pending_events():
                event = self._display.next_event()
                if event.type == X.MappingNotify:
                    self._display.refresh_keyboard_mapping(event)
                    self._read_layout()
                elif event.type == GenericEventCode and event.extension == self._extension.major_opcode:
                    if event.evtype == xinput.HierarchyChanged:
                        self._read_devices()
                    elif (key := self._read(event)) is not None:
                        heard.append(key)
        except (ConnectionClosedError, XError, OSError) as error:
            raise ListenerDiedError(f"what listens to the keys has lost the X server: {error}") from error
        if any(key.down and key.key in self._withheld for key in heard):
            self._end_grab()
        return heard

    def _end_grab(self) -> None:
        """End the grab that a withheld key began: while it is down, the game would not hear other keys come up.

        The window then gets the withheld key's release, without the press before it.
        """
        with contextlib.suppress(ConnectionClosedError, XError, OSError):  # a server that is gone is told by poll
            self._display.ungrab_keyboard(X.CurrentTime)
            self._display.sync()

    def wait_object(self) -> object:
        """The connection's file descriptor."""
        return self._display.fileno()

    def attend(self, handle: int, withhold: Collection[str]) -> None:
        """Be woken when the window's focus changes, and keep some keys from it by a grab of each, as hotkeys are.

        A key that another program has grabbed already, and one that the game itself grabs, stays theirs.

        Raises:
            DisplayError: If the X server is gone.
        """
        window = self._display.create_resource_object("window", handle)
        self._withheld = frozenset(withhold)
        with Translated():
            window.change_attributes(event_mask=X.FocusChangeMask, onerror=CatchError(BadWindow))
            for key in withhold:
                window.grab_key(
                    keycode(self._display, key), X.AnyModifier, False, X.GrabModeAsync, X.GrabModeAsync,
                    onerror=CatchError(BadAccess, BadWindow),
                )  # fmt: skip
            self._display.sync()

    def close(self) -> None:
        """Stop listening. May be called twice."""
        if self._is_open:
            self._is_open = False
            with contextlib.suppress(ConnectionClosedError, XError, OSError):  # it may have gone before us
                self._display.close()

    def _read_layout(self) -> None:
        self._names = {code: key for key in self._keys if (code := keycode(self._display, key))}

    def _read_devices(self) -> None:
        devices = self._display.xinput_query_device(xinput.AllDevices).devices
        self._injecting = {device.deviceid for device in devices if injects(device)}

    def _read(self, event: Any) -> HeardKey | None:
        if event.evtype not in (xinput.RawKeyPress, xinput.RawKeyRelease):
            return None
        device, time_ms, code, source, _, flags = _RAW_EVENT.unpack_from(event.data)
        if device != source or code not in self._names or flags & xinput.KeyRepeat:
            return None  # the same once more from the master device; nobody's business; an auto-repeat
        down = event.evtype == xinput.RawKeyPress
        if down == ((source, code) in self._down):
            return None
        (self._down.add if down else self._down.discard)((source, code))
        return HeardKey(_monotonic_ns(time_ms), self._names[code], down, source in self._injecting)


def _monotonic_ns(time_ms: int) -> int:
    """The server's time stamp on our clock, which is the same one on the same machine; else the time now."""
    now = now_ns()
    now_ms = now // _NS_PER_MS
    ago_ms = (now_ms - time_ms) % _TIME_WRAPS_MS
    return (now_ms - ago_ms) * _NS_PER_MS if ago_ms < _SAME_CLOCK_MS else now
