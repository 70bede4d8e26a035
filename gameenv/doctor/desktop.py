"""Looks at what live games need: a desktop, windows, pictures of them, pressing and hearing keys.

Presses nothing, and listens only to see whether it may. Knows nothing of models.
"""

import contextlib
import os
import sys
from collections.abc import Iterator

from gameenv.actions import KEYS
from gameenv.clock import NS_PER_S, now_ns
from gameenv.desktop.family import own_processes
from gameenv.desktop.keyboard import KEY_NAMES
from gameenv.desktop.opening import check_display, open_listener, open_sender, open_window_system, typed_by
from gameenv.desktop.screen import REMEDIES, PictureWatch, Screen, placement_problem
from gameenv.desktop.window import (
    WindowInfo,
    WindowState,
    WindowSystem,
    describe_window,
    describe_windows,
    find_window,
)
from gameenv.doctor.finding import Finding
from gameenv.errors import GameEnvError, require

_LISTED = 8


def list_windows() -> Iterator[str]:
    """Every window that can be named, a line each.

    Raises:
        DisplayError: If this desktop's windows cannot be seen.
    """
    own = own_processes()
    with contextlib.closing(open_window_system()) as system:
        for each in system.windows():
            yield describe_window(each) + ("  <- started this command, left out by name" if each.pid in own else "")


def check_desktop(window: str | int | None = None, process: str | None = None) -> Iterator[Finding]:
    """Check everything that playing a window needs.

    Args:
        window: The game's title or number, as for ``Live-v0``; without it the whole desktop is looked at.
        process: Its program's file name.
    """
    display = check_display_server()
    yield display
    if display.level == "red":
        return
    try:
        system = open_window_system()
    except GameEnvError as error:
        yield Finding("windows", "red", str(error))
        return
    with contextlib.closing(system):
        finding, info = check_windows(system, window, process)
        yield finding
        if (window is None and process is None) or info is not None:
            yield check_capture(system, info)
        yield check_layout()
        yield check_pressing()
        yield from check_left_down()
        yield check_listening()
        if sys.platform == "win32":
            yield check_rights(info)
            yield check_colours()


def check_display_server() -> Finding:
    """Whether there is a desktop whose windows can be seen and pressed keys for."""
    if sys.platform == "win32":
        return Finding("display", "green", "Windows desktop")
    if sys.platform == "darwin":
        return Finding("display", "red", "live windows are not supported on macOS", "use Windows, or Linux with X11")
    try:
        check_display()
        require("Xlib", "live")
    except GameEnvError as error:
        return Finding("display", "red", str(error))
    return Finding("display", "green", f"X11, display {os.environ['DISPLAY']}")


def check_windows(
    system: WindowSystem, window: str | int | None, process: str | None = None
) -> tuple[Finding, WindowInfo | None]:
    """Whether windows are seen, and the one that was asked for, if it is there."""
    try:
        there = system.windows()
        if isinstance(window, int):
            info = next((each for each in there if each.handle == window), None)
            if info is None:
                text = f"there is no window {window:#x}. {describe_windows('There are', there)}"
                return Finding("windows", "red", text), None
            return Finding("windows", "green", describe_window(info)), info
        if window is not None or process is not None:
            info = find_window(system, window, process, own_processes())
            return Finding("windows", "green", describe_window(info)), info
    except GameEnvError as error:
        return Finding("windows", "red", str(error)), None
    if not there:
        return Finding("windows", "yellow", "no window has a title", "start the game, then run this again"), None
    titles = ", ".join(repr(each.title or each.process) for each in there[:_LISTED])
    more = f" and {len(there) - _LISTED} more" if len(there) > _LISTED else ""
    return Finding("windows", "green", f"{len(there)}: {titles}{more}"), None


def check_capture(system: WindowSystem, info: WindowInfo | None) -> Finding:
    """Whether a picture can be taken, of the game or of the whole desktop, that is not all black."""
    name = "capture"
    try:
        state = _place(system, info)
        if state is None:
            return Finding(name, "yellow", "not tried: there is no window", "start the game, then run this again")
        problem = placement_problem(state)
        if problem in ("minimised", "off-screen"):
            return Finding(name, "red", "no picture can be taken", REMEDIES[problem])
        with contextlib.closing(Screen()) as screen:
            screen.grab(state)  # the first one sets things up
            start_ns = now_ns()
            pixels = screen.grab(state)
            took_ms = (now_ns() - start_ns) / 1e6
    except GameEnvError as error:
        return Finding(name, "red", str(error))
    assert pixels is not None  # the window is on the screen
    frame, watch = pixels[..., :3], PictureWatch()
    watch.look(frame, 0)
    if watch.look(frame, NS_PER_S)[1] == "black":
        what = "the window" if info else "the whole screen"
        remedy = (
            REMEDIES["black"] if info else "unlock the screen and run this in the desktop session that shows the game"
        )
        return Finding(name, "red", f"a picture of {what} is all black", remedy)
    height, width, _ = frame.shape
    text = f"{width}x{height} of {'the window' if info else 'the desktop'} in {took_ms:.1f} ms"
    if problem is not None:
        return Finding(name, "yellow", text, REMEDIES[problem])
    return Finding(name, "green", text)


def _place(system: WindowSystem, info: WindowInfo | None) -> WindowState | None:
    """Where to look: the game, or else the desktop, whose size the system tells with any window."""
    if info is not None:
        return system.state(info.handle)
    there = system.windows()
    if not there:
        return None
    desktop = system.state(there[0].handle).desktop
    return WindowState(client=desktop, focused=False, minimised=False, desktop=desktop)


def check_layout() -> Finding:
    """Which physical key each word is: what it types on the layout of the moment."""
    name = "keys"
    keys = [word for word in KEYS if len(word) == 1]
    try:
        typed = typed_by(KEY_NAMES)
    except GameEnvError as error:
        return Finding(name, "red", str(error))
    if all(typed[key] == key for key in keys):
        return Finding(name, "green", f"each word is the key that types it: {' '.join(keys)}")
    told = ", ".join(f"{key} is the key that types {typed[key] or 'nothing'!r}" for key in keys)
    at = {character: key for key, character in typed.items()}
    letters = " ".join(f"{key}={at[key]}" for key in keys if at.get(key, key) != key)
    remedy = f"; in one that goes by letter: --keys {letters}" if letters else ""
    text = f"a word is a place on the keyboard, named as on a US one: {told}"
    return Finding(name, "yellow", text, f"nothing in most games, which go by place too{remedy}")


def check_pressing() -> Finding:
    """Whether keys could be pressed; none is."""
    try:
        open_sender().close()
    except GameEnvError as error:
        return Finding("pressing keys", "red", str(error))
    return Finding("pressing keys", "green", "allowed; none was pressed")


def check_left_down() -> Iterator[Finding]:
    """Game keys that are down though nobody holds them, if there are any: killed programs leave them."""
    with contextlib.suppress(GameEnvError), contextlib.closing(open_sender()) as sender:
        if down := sender.left_down(KEYS):
            yield Finding(
                "keys that are down",
                "yellow",
                f"{' '.join(down)}: no person holds them, so unless an agent plays now, a killed run left them",
                "press each and let go of it, or start gameenv-play, which lets go of them",
            )


def check_listening() -> Finding:
    """Whether keys could be heard, and from which keyboards."""
    name = "hearing keys"
    try:
        open_listener(KEYS).close()
        if sys.platform == "win32":
            return Finding(name, "green", "allowed; what programs press is told from what a person presses")
        from gameenv.desktop.x11.devices import person_keyboards  # noqa: PLC0415 (X11 only)

        keyboards = person_keyboards()
    except GameEnvError as error:
        return Finding(name, "red", str(error))
    if not keyboards:
        return Finding(
            name,
            "yellow",
            "allowed, but this display has no keyboard of a person's: keys from afar may count as a program's",
            "play at the machine itself to record demonstrations",
        )
    return Finding(name, "green", f"allowed; a person's keyboards: {', '.join(keyboards)}")


def check_rights(info: WindowInfo | None) -> Finding:
    """Whether the game runs as administrator and this program does not (Windows)."""
    from gameenv.desktop.win32.programs import Processes  # noqa: PLC0415 (Windows only)

    processes = Processes()
    if info is not None and processes.outranks(info.pid):
        return Finding(
            "rights",
            "red",
            f"{info.process or 'the game'} runs as administrator and this program does not: Windows keeps keys from it",
            "run this as administrator too, or the game without",
        )
    own = "as administrator" if processes.is_elevated() else "as an ordinary user"
    return Finding("rights", "green", f"this program runs {own}{'' if info is None else ', which is enough'}")


def check_colours() -> Finding:
    """Whether pictures have the colours that the person sees (Windows)."""
    from gameenv.desktop.win32.hdr import is_hdr_on  # noqa: PLC0415 (Windows only)

    if is_hdr_on():
        return Finding(
            "colours",
            "yellow",
            "a monitor is in HDR, where pictures of the screen have other colours than the person sees",
            "turn HDR off in Settings, System, Display while recording and playing, or leave it on for both",
        )
    return Finding("colours", "green", "no monitor is in HDR")
