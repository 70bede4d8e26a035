"""The watchdog process of a live environment: the one place where keys are pressed, heard, and let go of.

It keeps the clock, grabs the frames, and lets go of every key when its owner is gone, silent, or stopped, and when the
game loses the focus. It runs apart from its owner (``python -m gameenv.live.watchdog``), in a session of its own, so a
policy that hangs or a SIGKILL cannot stop it. Knows nothing of Gymnasium, goals or files.
"""

import contextlib
import os
import signal
import sys
from multiprocessing.connection import Client, wait
from typing import Any, NoReturn

from gameenv.actions import KEYS, Action, parse_action
from gameenv.clock import NS_PER_S, TickClock, now_ns
from gameenv.desktop.keyboard import Keyboard
from gameenv.desktop.opening import open_listener, open_sender, open_window_system
from gameenv.desktop.screen import PictureWatch, Screen, placement_problem
from gameenv.errors import DisplayError, ListenerDiedError, WindowGoneError
from gameenv.files import lock_window
from gameenv.frames import fit_screen
from gameenv.live.guard import Guard
from gameenv.live.messages import (
    Begin,
    Channel,
    EndReason,
    Grab,
    Hold,
    Ready,
    TapResetKey,
    WatchdogFailed,
    WatchEnded,
    WatchSettings,
)
from gameenv.live.ring import SLOTS, FrameRing

_READY_NS = 5_000_000
"""So long before a tick is due the process stops listening and gets ready to grab."""
_HOLDING_POLL_S = 0.005
"""How often the focus and the owner are looked at while a key is down."""
_IDLE_POLL_S = 0.02
_TAP_NS = 100_000_000
"""How long the reset key is down: games look at the keyboard once a frame."""
_RESET = "reset"
"""The reset key's word, which is none of the eleven."""
_DEAD_MAN_NS = NS_PER_S // 2
"""Keys come up at the latest this long after a tick that no step followed."""


class _Over(Exception):  # noqa: N818 (an end, not an error)
    """Nothing more is to be done; ``reason`` None where nobody is left to be told."""

    def __init__(self, reason: EndReason | None, text: str = "") -> None:
        super().__init__(text)
        self.reason: EndReason | None = reason


class Watchdog:
    """The process's loop and everything it owns.

    Args:
        settings: What to work on.
        owner: The connection to the environment.
        resources: Closes what is opened here, keys first.

    Raises:
        GameEnvError: If the window, the screen or the keys cannot be used.
    """

    def __init__(self, settings: WatchSettings, owner: Channel, resources: contextlib.ExitStack) -> None:
        self._settings = settings
        self._owner = owner
        self._clock = TickClock(settings.fps)
        self._ring = FrameRing(settings.frame.shape, settings.ring)
        self._windows = open_window_system()
        resources.callback(self._windows.close)
        self._window = self._windows.state(settings.handle)
        self._screen = Screen()
        resources.callback(self._screen.close)
        self._picture = PictureWatch()
        agent = settings.control == "agent"
        words: dict[str, Action] = {key: parse_action(word) for word, key in settings.bound.items()}
        self._guard = Guard(settings.control, words, settings.panic_key, settings.hand_back_key, settings.hotkeys)
        special = (settings.panic_key, settings.hand_back_key) if agent else ()
        self._listener = open_listener({*words, *settings.hotkeys, *special})
        resources.callback(self._listener.close)
        self._listener.attend(settings.handle, special)
        resources.enter_context(lock_window(settings.handle, watch=not agent))
        self._keyboard: Keyboard | None = None
        self.left_behind: tuple[str, ...] = ()
        """Words whose keys an earlier run had left down; they are up now."""
        if agent:
            reset = {} if settings.reset_key is None else {_RESET: settings.reset_key}
            self._keyboard = Keyboard(open_sender(), {**settings.bound, **reset}, settings.handle)
            resources.callback(self._keyboard.close)
            self.left_behind = self._keyboard.let_go_of_left_behind()
        self._events: list[tuple[int, Action, bool]] = []
        self._hotkeys: list[str] = []
        self._down: set[Action] = set()
        self._tapping_until_ns = 0
        self._command = 0
        self._asked = False
        self._number = 0
        self._grabbed_tick = 0

    def run(self) -> NoReturn:
        """Serve the owner until something ends it.

        Raises:
            _Over: Always, in the end.
        """
        while True:
            self._serve_until(self._clock.next_deadline_ns - _READY_NS)
            if self._asked or self._settings.control == "human":
                self._window = self._windows.state(self._settings.handle)
                self._set_focus(self._window.focused)
            tick = self._clock.wait()
            if self._asked or (self._settings.control == "human" and self._command):
                self._grab(tick.index, self._clock.deadline_ns(tick.index), late=tick.late)

    def _serve_until(self, end_ns: int) -> None:
        """Attend to the owner, the keys and the focus, at least once, until this time."""
        while True:
            left_s = (end_ns - now_ns()) / NS_PER_S
            poll_s = _HOLDING_POLL_S if self._keyboard is not None and self._keyboard.held else _IDLE_POLL_S
            sources: list[Any] = [self._owner]
            if (heard := self._listener.wait_object()) is not None:
                sources.append(heard)
            wait(sources, max(0.0, min(left_s, poll_s)))
            self._attend()
            if left_s <= 0:
                return

    def _attend(self) -> None:
        if os.name == "posix" and os.getppid() != self._settings.owner_pid:
            raise _Over(None)
        self._set_focus(self._windows.has_focus(self._settings.handle))
        self._hear()
        self._press()  # before the owner's next wish: what is not allowed any more comes up first
        while self._owner.poll():
            self._obey(self._owner.recv())

    def _obey(self, command: Begin | Hold | TapResetKey) -> None:
        self._command = command.command
        if isinstance(command, TapResetKey):
            self._tapping_until_ns = now_ns() + _TAP_NS
            self._press()
            return
        if isinstance(command, Begin):
            self._guard.begin()
            self._press()
            self._events.clear()
            self._hotkeys.clear()
            self._down = set(self._guard.persons)
            self._clock.restart()
            self._grabbed_tick = 0
            self._picture = PictureWatch()
            self._window = self._windows.state(self._settings.handle)
            self._grab(0, self._clock.start_ns, late=False)
            return
        grace_ns = min(round(self._clock.period_ns), _DEAD_MAN_NS)
        self._guard.hold(command.word, self._clock.next_deadline_ns + grace_ns)
        self._press()
        self._asked = True

    def _set_focus(self, focused: bool) -> None:
        released = self._guard.set_focus(focused)
        now = now_ns()
        self._events.extend((now, word, False) for word in released)
        if not focused:
            self._press()

    def _hear(self) -> None:
        for heard in self._listener.poll():
            verdict, word = self._guard.hear(heard.key, heard.down, heard.injected)
            if word is not None:
                if verdict == "took-over":
                    self._press()  # the agent's key comes up before the person's press is told
                self._events.append((heard.t_ns, word, heard.down))
            elif verdict == "hotkey":
                self._hotkeys.append(heard.key)
            elif verdict == "panic":
                self._press()
                raise _Over("panic-key", f"the panic key {heard.key} was pressed")

    def _press(self) -> None:
        """Have exactly the keys down that the guard allows now."""
        if self._keyboard is not None:
            taps = now_ns() < self._tapping_until_ns and self._guard.focused and not self._guard.panicked
            changes = self._keyboard.hold((*self._guard.allowed(now_ns()), *((_RESET,) if taps else ())))
            now = now_ns()
            self._events.extend((now, parse_action(word), down) for word, down in changes if word != _RESET)

    def _grab(self, tick: int, deadline_ns: int, *, late: bool) -> None:
        if self._number - self._ring.read >= SLOTS:
            return  # the owner is far behind; the tick counts as skipped
        t_ns = now_ns()
        pixels = self._screen.grab(self._window)
        problem = placement_problem(self._window)
        new = False
        if pixels is not None:
            frame = fit_screen(pixels, self._settings.frame)
            new, unwell = self._picture.look(frame, t_ns)
            problem = problem or unwell
            self._ring.put(self._number, frame)
        else:
            self._ring.blank(self._number)
        self._hear()  # what came before the grab has been heard by now: the system answers in order
        events = self._events_until(t_ns)
        skipped = max(0, tick - self._grabbed_tick - 1)
        self._owner.send(
            Grab(
                command=self._command,
                number=self._number,
                tick=tick,
                t_ns=t_ns,
                lateness_ns=t_ns - deadline_ns,
                skipped=skipped,
                late=late or skipped > 0,
                focused=self._window.focused and self._guard.focused,
                new_frame=new,
                held=tuple(word for word in KEYS if word in self._down),
                events=events,
                hotkeys=tuple(self._hotkeys),
                control=self._guard.control,
                interrupted=self._guard.interrupted,
                problem=problem,
            )
        )
        self._hotkeys.clear()
        self._guard.interrupted = False
        self._asked = False
        self._number += 1
        self._grabbed_tick = tick

    def _events_until(self, t_ns: int) -> tuple[tuple[int, Action, bool], ...]:
        """Take the events before a grab, in order of time, and keep the later ones for the next."""
        self._events.sort(key=lambda event: event[0])
        due = tuple(event for event in self._events if event[0] < t_ns)
        del self._events[: len(due)]
        for _, word, down in due:
            (self._down.add if down else self._down.discard)(word)
        return due


def serve(owner: Channel) -> None:
    """Do what the owner at the other end asks, then let go of everything and say why."""
    settings: WatchSettings = owner.recv()
    over: _Over | None = None
    with contextlib.ExitStack() as resources:
        try:
            watchdog = Watchdog(settings, owner, resources)
        except Exception as error:  # told to the owner, who raises it for the user
            with contextlib.suppress(OSError):
                owner.send(WatchdogFailed(error))
            return
        try:
            owner.send(Ready(watchdog.left_behind))
            watchdog.run()
        except _Over as end:
            over = end
        except WindowGoneError as error:
            over = _Over("window-closed", str(error))
        except ListenerDiedError as error:
            over = _Over("listener-died", str(error))
        except DisplayError as error:
            over = _Over("screen-lost", str(error))
        except (EOFError, ConnectionError):
            return
    if over.reason is not None:
        with contextlib.suppress(OSError):
            owner.send(WatchEnded(over.reason, str(over)))


def main() -> None:
    """Run the process: the address to connect to is its one argument, the key to it the first line on its input."""
    if sys.platform == "win32":
        from gameenv.desktop.win32.timer import make_timer_fine  # noqa: PLC0415 (Windows only)

        make_timer_fine()
    else:
        signal.signal(signal.SIGHUP, signal.SIG_IGN)
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # a Ctrl-C is for the owner, whose end is ours
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))  # lets go of the keys on the way out
    with Client(sys.argv[1], authkey=bytes.fromhex(sys.stdin.readline().strip())) as owner:
        serve(owner)


if __name__ == "__main__":
    main()
