"""What every window system, key sender and key listener must do, as judges that anyone can run on their own backend.

    from gameenv.desktop.conformance import check_window_system, check_key_sender, check_key_listener
    check_window_system(MyWindows, handle=game, gone=closed)
    check_key_sender(MySender, MyListener, focused=game, unfocused=other)
    check_key_listener(MyListener, MySender().send, focused=game)

They press a few keys: have a window in front that does not mind. The project's own backends all pass in
``tests/gameenv/desktop``. Knows the three protocols and no backend.
"""

from collections.abc import Callable, Collection
from contextlib import closing
from dataclasses import dataclass
from multiprocessing.connection import wait
from statistics import median
from typing import Any

from gameenv.clock import now_ns, pause
from gameenv.desktop.keyboard import KEY_NAMES, KeySender
from gameenv.desktop.listener import HeardKey, KeyListener
from gameenv.desktop.window import Rect, WindowInfo, WindowState, WindowSystem, find_window
from gameenv.errors import WindowGoneError
from gameenv.judging import UnfitError, judge

OpenWindows = Callable[[], WindowSystem]
OpenSender = Callable[[], KeySender]
OpenListener = Callable[[Collection[str]], KeyListener]
Press = Callable[[str, bool], object]

_PATIENCE_S = 5.0
_QUIET_S = 0.1
"""How long to go on listening for what should not come."""
_QUICK_NS = 20_000_000
"""What is asked every few milliseconds while a key is down must be answered sooner than this."""
_CLOCK_SLACK_NS = 20_000_000
"""A system's own time stamps are coarse."""


@dataclass(frozen=True, slots=True)
class WindowSubject:
    """A window system under judgement.

    Attributes:
        open: Makes one.
        handle: A window that is there, with a title.
        gone: The number of one that has been closed.
    """

    open: OpenWindows
    handle: int
    gone: int


@dataclass(frozen=True, slots=True)
class SenderSubject:
    """A key sender under judgement.

    Attributes:
        open: Makes one.
        listen: Makes who tells what arrives.
        focused: The window that has the focus.
        unfocused: One that does not.
    """

    open: OpenSender
    listen: OpenListener
    focused: int
    unfocused: int


@dataclass(frozen=True, slots=True)
class ListenerSubject:
    """A key listener under judgement.

    Attributes:
        open: Makes one.
        press: Presses keys for it.
        focused: The window that has the focus.
    """

    open: OpenListener
    press: Press
    focused: int


def check_window_system(open_windows: OpenWindows, handle: int, gone: int) -> None:
    """Judge a window system.

    Args:
        open_windows: Makes one; it is closed again.
        handle: A window that is there, with a title.
        gone: The number of a window that has been closed.

    Raises:
        InvalidInputError: If it does not conform; names every check that failed and why.
    """
    judge("this window system", WINDOW_CHECKS, WindowSubject(open_windows, handle, gone))


def check_key_sender(open_sender: OpenSender, open_listener: OpenListener, focused: int, unfocused: int) -> None:
    """Judge a key sender. Presses and releases every key of ``KEY_NAMES``.

    Args:
        open_sender: Makes one; it is closed again.
        open_listener: Makes a listener that conforms and hears what is sent.
        focused: The window that has the focus, and keeps it.
        unfocused: Any other window.

    Raises:
        InvalidInputError: If it does not conform; names every check that failed and why.
    """
    judge("this key sender", SENDER_CHECKS, SenderSubject(open_sender, open_listener, focused, unfocused))


def check_key_listener(open_listener: OpenListener, press: Press, focused: int) -> None:
    """Judge a key listener.

    Args:
        open_listener: Makes one that listens for the keys named; it is closed again.
        press: Presses (True) or releases a key, in whatever way the listener should hear it.
        focused: The window that has the focus, and keeps it.

    Raises:
        InvalidInputError: If it does not conform; names every check that failed and why.
    """
    judge("this key listener", LISTENER_CHECKS, ListenerSubject(open_listener, press, focused))


def _demand(fits: object, problem: str) -> None:
    if not fits:
        raise UnfitError(problem)


# Window systems


def _lists_the_window(subject: WindowSubject) -> None:
    with closing(subject.open()) as system:
        there = system.windows()
    _demand(isinstance(there, tuple), f"windows() returns a tuple, got {type(there).__name__}")
    _demand(all(isinstance(each, WindowInfo) for each in there), f"windows() returns WindowInfo, got {there!r:.80}")
    handles = [each.handle for each in there]
    _demand(len(set(handles)) == len(handles), f"each window is listed once, got {handles}")
    _demand(subject.handle in handles, f"the window {subject.handle} is not listed, only {handles}")
    _demand(subject.gone not in handles, f"the closed window {subject.gone} is listed")


def _is_found_by_its_title(subject: WindowSubject) -> None:
    with closing(subject.open()) as system:
        titles = [each.title for each in system.windows()]
        title = next(each.title for each in system.windows() if each.handle == subject.handle)
        _demand(title, f"the window {subject.handle} has no title; give one that has")
        if titles.count(title) == 1:
            found = find_window(system, title)
            _demand(found.handle == subject.handle, f"the title {title!r} finds {found}")


def _tells_where_it_is(subject: WindowSubject) -> None:
    with closing(subject.open()) as system:
        state = system.state(subject.handle)
    _demand(isinstance(state, WindowState), f"state() returns a WindowState, got {state!r:.80}")
    for name, rect in (("client", state.client), ("desktop", state.desktop)):
        numbers = (rect.left, rect.top, rect.width, rect.height)
        _demand(isinstance(rect, Rect) and all(type(each) is int for each in numbers), f"{name} is {rect!r}, not ints")
        _demand(rect.width > 0 and rect.height > 0, f"{name} is empty: {rect}")
    _demand(type(state.minimised) is bool and type(state.focused) is bool, f"focused and minimised are bools: {state}")


def _agrees_about_the_focus(subject: WindowSubject) -> None:
    with closing(subject.open()) as system:
        state, has_focus = system.state(subject.handle), system.has_focus(subject.handle)
        _demand(type(has_focus) is bool, f"has_focus() returns a bool, got {has_focus!r}")
        _demand(state.focused == has_focus, f"state().focused is {state.focused}, has_focus() is {has_focus}")
        focused = [each.handle for each in system.windows() if system.has_focus(each.handle)]
        _demand(len(focused) <= 1, f"one window has the focus at a time, got {focused}")


def _answers_quickly(subject: WindowSubject) -> None:
    with closing(subject.open()) as system:
        took = []
        for _ in range(21):
            start = now_ns()
            system.has_focus(subject.handle)
            took.append(now_ns() - start)
    _demand(median(took) < _QUICK_NS, f"has_focus() took {median(took) / 1e6:.1f} ms, it is asked every 5 ms")


def _leaves_the_focus_alone(subject: WindowSubject) -> None:
    with closing(subject.open()) as system:
        before = system.has_focus(subject.handle)
        system.windows()
        system.state(subject.handle)
        _demand(system.has_focus(subject.handle) == before, "looking has moved the focus")
    with closing(subject.open()) as system:
        _demand(system.has_focus(subject.handle) == before, "closing has moved the focus")


def _knows_a_window_that_is_gone(subject: WindowSubject) -> None:
    with closing(subject.open()) as system:
        _demand(system.has_focus(subject.gone) is False, "has_focus() of a closed window is not False")
        try:
            state = system.state(subject.gone)
        except WindowGoneError:
            pass
        else:
            raise UnfitError(f"state() of a closed window must raise WindowGoneError, it gave {state}")
        _demand(system.state(subject.handle), "after a closed window the others cannot be asked any more")


def _closes_twice(subject: WindowSubject | SenderSubject) -> None:
    opened = subject.open()
    opened.close()
    opened.close()


WINDOW_CHECKS: dict[str, Callable[[WindowSubject], None]] = {
    "lists the window once": _lists_the_window,
    "is found by its title": _is_found_by_its_title,
    "tells where the window is": _tells_where_it_is,
    "tells the focus one way only": _agrees_about_the_focus,
    "tells the focus quickly": _answers_quickly,
    "leaves the focus alone": _leaves_the_focus_alone,
    "knows a window that is gone": _knows_a_window_that_is_gone,
    "closes twice": _closes_twice,
}


# Key senders


def _sends_every_key(subject: SenderSubject) -> None:
    with closing(subject.listen(KEY_NAMES)) as listener, closing(subject.open()) as sender:
        for key in KEY_NAMES:
            for down in (True, False):
                sender.send(key, down)
            _expect(listener, [(key, True), (key, False)])


def _holds_several(subject: SenderSubject) -> None:
    order = [("w", True), ("space", True), ("left", True), ("w", False), ("left", False), ("space", False)]
    with closing(subject.listen(("w", "space", "left"))) as listener, closing(subject.open()) as sender:
        for key, down in order:
            sender.send(key, down)
        _expect(listener, order)


def _holds_until_released(subject: SenderSubject) -> None:
    with closing(subject.listen(("w",))) as listener, closing(subject.open()) as sender:
        sender.send("w", True)
        _expect(listener, [("w", True)])
        sender.send("w", True)
        _expect(listener, [])
        sender.send("w", False)
        _expect(listener, [("w", False)])


def _lets_go_of_what_is_up(subject: SenderSubject) -> None:
    with closing(subject.listen(("w",))) as listener, closing(subject.open()) as sender:
        sender.send("w", False)
        _expect(listener, [])
        sender.send("w", True)
        sender.send("w", False)
        _expect(listener, [("w", True), ("w", False)])


def _lets_go_for_another(subject: SenderSubject) -> None:
    with closing(subject.listen(("w",))) as listener:
        with closing(subject.open()) as first:
            first.send("w", True)
            _expect(listener, [("w", True)])
        with closing(subject.open()) as second:
            second.send("w", False)
        _expect(listener, [("w", False)])


def _presses_where_the_focus_is(subject: SenderSubject) -> None:
    with closing(subject.listen(("w",))) as listener, closing(subject.open()) as sender:
        elsewhere = sender.press_in("w", subject.unfocused)
        _demand(elsewhere is False, f"press_in() of a window without the focus returned {elsewhere!r}, not False")
        _expect(listener, [])
        here = sender.press_in("w", subject.focused)
        sender.send("w", False)
        _demand(here is True, f"press_in() of the window with the focus returned {here!r}, not True")
        _expect(listener, [("w", True), ("w", False)])


def _tells_what_is_left_down(subject: SenderSubject) -> None:
    keys = ("w", "left")
    with closing(subject.open()) as first:
        _demand(first.left_down(keys) == (), f"nothing is down, and left_down() returned {first.left_down(keys)}")
        first.send("left", True)
    with closing(subject.open()) as second:
        left = second.left_down(keys)
        second.send("left", False)
        _demand(left == ("left",), f"a key of a sender that is closed is left down, and left_down() returned {left}")
        _demand(second.left_down(keys) == (), "left_down() still has a key that was released")


SENDER_CHECKS: dict[str, Callable[[SenderSubject], None]] = {
    "sends every key": _sends_every_key,
    "holds several keys": _holds_several,
    "holds a key until it is released": _holds_until_released,
    "may let go of a key that is up": _lets_go_of_what_is_up,
    "lets go of a key that another sender pressed": _lets_go_for_another,
    "presses only where the focus is": _presses_where_the_focus_is,
    "tells what is left down": _tells_what_is_left_down,
    "closes twice": _closes_twice,
}


# Key listeners


def _hears_in_order(subject: ListenerSubject) -> None:
    order = [("shift", True), ("w", True), ("shift", False), ("w", False), ("up", True), ("up", False)]
    with closing(subject.open(("w", "up", "shift"))) as listener:
        for key, down in order:
            subject.press(key, down)
        _expect(listener, order)


def _hears_only_what_was_asked_for(subject: ListenerSubject) -> None:
    with closing(subject.open(("w",))) as listener:
        for key in ("a", "enter", "w", "f12"):
            subject.press(key, True)
            subject.press(key, False)
        _expect(listener, [("w", True), ("w", False)])


def _hears_a_repeat_once(subject: ListenerSubject) -> None:
    with closing(subject.open(("w",))) as listener:
        for down in (True, True, True, False, False):
            subject.press("w", down)
        _expect(listener, [("w", True), ("w", False)])


def _dates_what_it_hears(subject: ListenerSubject) -> None:
    with closing(subject.open(("w",))) as listener:
        before = now_ns()
        subject.press("w", True)
        pause(0.1)
        subject.press("w", False)
        after = now_ns()
        heard = _expect(listener, [("w", True), ("w", False)])
    press, release = (each.t_ns for each in heard)
    on_time = before - _CLOCK_SLACK_NS <= press <= release <= after + _CLOCK_SLACK_NS
    _demand(on_time, f"pressed between {before} and {after} ns, heard at {press} and {release}")


def _never_waits(subject: ListenerSubject) -> None:
    with closing(subject.open(("w",))) as listener:
        start = now_ns()
        heard = listener.poll()
        _demand(heard == [], f"nothing was pressed, and {heard} was heard")
        _demand(now_ns() - start < _QUICK_NS, f"poll() waited for {(now_ns() - start) / 1e6:.1f} ms")


def _wakes_who_waits(subject: ListenerSubject) -> None:
    with closing(subject.open(("w",))) as listener:
        bell: Any = listener.wait_object()
        if bell is not None:
            listener.poll()
            subject.press("w", True)
            _demand(wait([bell], _PATIENCE_S), "a key was pressed, and what wait_object() gives does not wake anyone")
            subject.press("w", False)
        else:
            subject.press("w", True)
            subject.press("w", False)
        _expect(listener, [("w", True), ("w", False)])


def _leaves_the_keys_to_others(subject: ListenerSubject) -> None:
    with closing(subject.open(("w",))) as first, closing(subject.open(("w",))) as second:
        for down in (True, False):
            subject.press("w", down)
        for listener in (first, second):
            _expect(listener, [("w", True), ("w", False)])


def _hears_what_it_withholds(subject: ListenerSubject) -> None:
    with closing(subject.open(("w", "f12"))) as listener:
        listener.attend(subject.focused, ["f12"])
        order = [("f12", True), ("f12", False), ("w", True), ("w", False)]
        for key, down in order:
            subject.press(key, down)
        _expect(listener, order)


def _listener_closes_twice(subject: ListenerSubject) -> None:
    listener = subject.open(("w",))
    listener.close()
    listener.close()


LISTENER_CHECKS: dict[str, Callable[[ListenerSubject], None]] = {
    "hears keys in order, whatever Shift does": _hears_in_order,
    "hears only what was asked for": _hears_only_what_was_asked_for,
    "hears a repeat once": _hears_a_repeat_once,
    "dates what it hears": _dates_what_it_hears,
    "never waits": _never_waits,
    "wakes who waits": _wakes_who_waits,
    "leaves the keys to other listeners": _leaves_the_keys_to_others,
    "hears what it withholds": _hears_what_it_withholds,
    "closes twice": _listener_closes_twice,
}


def _expect(listener: KeyListener, expected: list[tuple[str, bool]]) -> list[HeardKey]:
    """Hear exactly this, in this order."""
    heard: list[HeardKey] = []
    end_ns = now_ns() + round(_PATIENCE_S * 1e9)
    while len(heard) < len(expected) and now_ns() < end_ns:
        heard += listener.poll()
        pause(0.002)
    pause(0.0 if expected else _QUIET_S)
    heard += listener.poll()
    said = [(each.key, each.down) for each in heard]
    _demand(said == expected, f"{_spelled(expected)} should be heard, and {_spelled(said)} was")
    return heard


def _spelled(events: list[tuple[str, bool]]) -> str:
    return " ".join(f"{key} {'down' if down else 'up'}" for key, down in events) or "nothing"
