"""A window that shows which key is down, and tells every key event it gets. Run as a program; needs python-xlib only.

    python probe.py TITLE [WIDTHxHEIGHT+LEFT+TOP]

Each key has a colour; the one pressed last fills the window while it is down, grey otherwise. Every event is a JSON
line on standard output. Commands, a line each, on standard input: move X Y, resize W H, unmap, map, iconify, raise,
focus, unfocus, colour R G B, title TEXT, comm HEX (the name of its process), close. Each is answered by
{"done": COMMAND}.
"""

import ctypes
import json
import os
import re
import select
import sys
import time

from Xlib import XK, X, Xatom, display

BASE = (90, 90, 90)
PR_SET_NAME = 15
COLOURS = {
    "w": (250, 0, 0),
    "s": (0, 250, 0),
    "a": (0, 0, 250),
    "d": (250, 250, 0),
    "Up": (250, 0, 250),
    "Down": (0, 250, 250),
    "Left": (250, 120, 0),
    "Right": (120, 250, 0),
    "c": (0, 120, 250),
    "space": (120, 0, 250),
    "Return": (250, 250, 250),
    "e": (160, 160, 40),
}


def say(**content: object) -> None:
    print(json.dumps(content), flush=True)


class Window:
    def __init__(self, title: str, geometry: str) -> None:
        self.display = display.Display()
        screen = self.display.screen()
        self.root = screen.root
        place = re.fullmatch(r"(\d+)x(\d+)\+(-?\d+)\+(-?\d+)", geometry)
        assert place is not None, geometry
        width, height, left, top = map(int, place.groups())
        self.window = self.root.create_window(
            left, top, width, height, 0, screen.root_depth, background_pixel=self.pixel(BASE)
        )
        self.window.change_attributes(
            event_mask=X.KeyPressMask | X.KeyReleaseMask | X.FocusChangeMask | X.StructureNotifyMask
        )
        self.window.set_wm_class("probe", "Probe")
        self.window.set_wm_normal_hints(flags=1 | 4 | 8, x=left, y=top)  # keep to this place
        number = self.display.intern_atom("_NET_WM_PID")
        self.window.change_property(number, Xatom.CARDINAL, 32, [os.getpid()])
        self.base = BASE
        self.down: list[int] = []
        self.set_title(title)
        self.window.map()
        self.display.sync()

    @staticmethod
    def pixel(colour: tuple[int, int, int]) -> int:
        return colour[0] << 16 | colour[1] << 8 | colour[2]

    def set_title(self, title: str) -> None:
        self.window.set_wm_name(title)
        name, utf8 = self.display.intern_atom("_NET_WM_NAME"), self.display.intern_atom("UTF8_STRING")
        self.window.change_property(name, utf8, 8, title.encode())

    def fill(self) -> None:
        colour = self.base
        for code in self.down:
            colour = COLOURS.get(self.name(code), colour)
        self.window.change_attributes(background_pixel=self.pixel(colour))
        self.window.clear_area(0, 0, 0, 0)
        self.display.flush()

    def name(self, code: int) -> str:
        keysym = self.display.keycode_to_keysym(code, 0)
        return next((n for n in COLOURS if XK.string_to_keysym(n) == keysym), str(keysym))

    def show(self, event) -> None:
        t_ns = time.monotonic_ns()
        if event.type in (X.KeyPress, X.KeyRelease):
            down = event.type == X.KeyPress
            if down and event.detail not in self.down:
                self.down.append(event.detail)
            elif not down and event.detail in self.down:
                self.down.remove(event.detail)
            self.fill()
            say(
                key=self.name(event.detail),
                code=event.detail,
                down=down,
                t_ns=t_ns,
                synthetic=event.type > 127 or bool(event.send_event),
            )
        elif event.type in (X.FocusIn, X.FocusOut):
            say(focus=event.type == X.FocusIn, t_ns=t_ns)
        elif event.type == X.MapNotify:
            say(mapped=True)

    def obey(self, line: str) -> None:
        word, *rest = line.split(maxsplit=1)
        rest = rest[0] if rest else ""
        match word:
            case "move":
                left, top = map(int, rest.split())
                self.window.configure(x=left, y=top)
            case "resize":
                width, height = map(int, rest.split())
                self.window.configure(width=width, height=height)
            case "unmap":
                self.window.unmap()
            case "map":
                self.window.map()
            case "iconify":
                atom = self.display.intern_atom("WM_CHANGE_STATE")
                from Xlib.protocol import event  # noqa: PLC0415

                message = event.ClientMessage(window=self.window, client_type=atom, data=(32, [3, 0, 0, 0, 0]))
                self.root.send_event(message, event_mask=X.SubstructureRedirectMask | X.SubstructureNotifyMask)
            case "raise":
                self.window.configure(stack_mode=X.Above)
            case "focus":
                self.display.set_input_focus(self.window, X.RevertToPointerRoot, X.CurrentTime)
            case "unfocus":
                self.display.set_input_focus(X.NONE, X.RevertToPointerRoot, X.CurrentTime)
            case "colour":
                red, green, blue = map(int, rest.split())
                self.base = (red, green, blue)
                self.fill()
            case "title":
                self.set_title(rest)
            case "comm":
                ctypes.CDLL(None).prctl(PR_SET_NAME, bytes.fromhex(rest))
            case "close":
                self.window.destroy()
        self.display.sync()
        say(done=line)


def main() -> None:
    window = Window(sys.argv[1], sys.argv[2] if len(sys.argv) > 2 else "640x360+100+80")
    say(window=window.window.id)
    while True:
        while window.display.pending_events():
            window.show(window.display.next_event())
        ready, _, _ = select.select([window.display, sys.stdin], [], [], 1.0)
        if sys.stdin in ready:
            line = sys.stdin.readline()
            if not line:
                return
            window.obey(line.strip())


if __name__ == "__main__":
    main()
