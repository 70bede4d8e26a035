"""Opens this desktop's windows, key injection and listening: the one place that chooses the backend.

X11 (XTest, XInput2 raw events), Windows (user32, scan codes, a hook), macOS (keys only). Knows not how they work.
"""

import os
import sys
from collections.abc import Collection

from gameenv.desktop.keyboard import KeySender
from gameenv.desktop.listener import KeyListener
from gameenv.desktop.window import WindowSystem
from gameenv.errors import DisplayError, require


def open_window_system() -> WindowSystem:
    """Connect to the windows of this desktop.

    Raises:
        DisplayError: If there is none that can be used: no display, or Wayland; says what to do.
        MissingExtraError: If the extra ``live`` is not installed.
    """
    if sys.platform == "win32":
        from gameenv.desktop.win32.windows import Win32Windows  # noqa: PLC0415 (Windows only)

        return Win32Windows()
    if sys.platform == "darwin":
        raise DisplayError("live windows on macOS are not supported: use Windows, or Linux with X11")
    check_display()
    from gameenv.desktop.x11.windows import X11Windows  # noqa: PLC0415 (X11 only)

    return X11Windows()


def check_display() -> None:
    """Check that there is an X11 display to work on.

    Raises:
        DisplayError: If DISPLAY is not set; says so in other words under Wayland.
        MissingExtraError: If the extra ``live`` is not installed.
    """
    if os.environ.get("WAYLAND_DISPLAY") or os.environ.get("XDG_SESSION_TYPE") == "wayland":
        raise DisplayError(
            "this is a Wayland session, which lets no program see or press keys for another: log out and choose an "
            "X11 (Xorg) session"
        )
    require("Xlib", "live")
    if not os.environ.get("DISPLAY"):
        raise DisplayError(
            "there is no display: DISPLAY is not set. Run this in a desktop session, or set DISPLAY=:0 (over SSH), or "
            "start it under xvfb-run"
        )


def open_sender() -> KeySender:
    """Connect to the system's key injection.

    Raises:
        DisplayError: If keys cannot be injected here; says what to do.
        MissingExtraError: If the extra ``live`` is not installed.
    """
    if sys.platform == "win32":
        from gameenv.desktop.win32.sending import Win32Sender  # noqa: PLC0415 (Windows only)

        return Win32Sender()
    if sys.platform == "darwin":
        from gameenv.desktop.macos import MacSender  # noqa: PLC0415 (macOS only)

        return MacSender()
    from gameenv.desktop.x11.sending import X11Sender  # noqa: PLC0415 (X11 only)

    check_display()
    return X11Sender()


def open_listener(keys: Collection[str]) -> KeyListener:
    """Listen for these keys, whatever window has the focus (the caller decides what that means).

    Args:
        keys: Names from ``gameenv.desktop.keyboard.KEY_NAMES``; no other key leaves the backend.

    Raises:
        DisplayError: If the system does not let us listen; says what to do.
        MissingExtraError: If the extra ``live`` is not installed.
    """
    if sys.platform == "win32":
        from gameenv.desktop.win32.listening import Win32Listener  # noqa: PLC0415 (Windows only)

        return Win32Listener(keys)
    if sys.platform == "darwin":
        from gameenv.desktop.macos import MacListener  # noqa: PLC0415 (macOS only)

        return MacListener(keys)
    from gameenv.desktop.x11.listening import X11Listener  # noqa: PLC0415 (X11 only)

    check_display()
    return X11Listener(keys)


def typed_by(keys: Collection[str]) -> dict[str, str]:
    """What keys type on the keyboard layout of the moment: a letter, a key's name, or nothing.

    Args:
        keys: Names from ``gameenv.desktop.keyboard.KEY_NAMES``, which are places on the keyboard.

    Raises:
        DisplayError: If the layout cannot be read.
        MissingExtraError: If the extra ``live`` is not installed.
    """
    if sys.platform == "win32":
        from gameenv.desktop.win32.layout import typed_by as typed_on_windows  # noqa: PLC0415 (Windows only)

        return typed_on_windows(keys)
    check_display()
    from gameenv.desktop.x11.keycodes import typed_on_display  # noqa: PLC0415 (X11 only)

    return typed_on_display(keys)
