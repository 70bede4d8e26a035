"""Keys by name, the binding of the eleven words to them, and the keyboard that holds exactly what it is told to.

Knows nothing of backends or time; the guard decides when a key may go down, and the sender looks at the focus.
"""

from collections.abc import Collection, Mapping, Sequence
from typing import Protocol

from gameenv.actions import KEYS, parse_action
from gameenv.errors import InvalidInputError, UnknownNameError

_NAMED = (
    *("up", "down", "left", "right", "space", "enter", "tab", "backspace", "shift", "ctrl"),
    *("insert", "delete", "home", "end", "pageup", "pagedown"),
    *(f"f{number}" for number in range(1, 13)),
)
KEY_NAMES: tuple[str, ...] = (*"abcdefghijklmnopqrstuvwxyz", *"0123456789", *_NAMED)
"""Every key that can be bound or listened to, by what is printed on a US keyboard; ``shift`` and ``ctrl`` are the left.

A name is a place on the keyboard, whatever the layout types there: ``w`` is the key that types z on a French one."""


class KeySender(Protocol):
    """Sends key events to whatever window has the focus."""

    def send(self, key: str, down: bool) -> None:
        """Press or release a key of ``KEY_NAMES``; has been handed to the system on return."""
        ...

    def press_in(self, key: str, handle: int) -> bool:
        """Press a key if the window has the focus, and say whether it was pressed.

        Where the system can, nothing comes between the look at the focus and the press.
        """
        ...

    def left_down(self, keys: Collection[str]) -> tuple[str, ...]:
        """Those of the keys that are down though no person holds them, as far as the system tells."""
        ...

    def close(self) -> None:
        """Let go of the connection. May be called twice; releases nothing by itself."""
        ...


def bind_keys(keys: Mapping[str, str] | None = None, reserved: Collection[str] = ()) -> dict[str, str]:
    """Return the key of each of the eleven words.

    Args:
        keys: Words whose key is another than their own, such as ``{"enter": "e"}``.
        reserved: Keys that no word may have: the hotkeys.

    Raises:
        UnknownNameError: If a word or a key does not exist.
        InvalidInputError: If two words have one key, or one has a hotkey.
    """
    bound: dict[str, str] = {word: word for word in KEYS}
    for word, key in (keys or {}).items():
        if parse_action(word) not in bound:
            raise UnknownNameError("word to bind", word, KEYS)
        if key not in KEY_NAMES:
            raise UnknownNameError("key", key, KEY_NAMES)
        bound[word] = key
    for word, key in bound.items():
        if key in reserved:
            raise InvalidInputError(f"{word!r} is bound to {key!r}, which is a hotkey; bind it to another key")
        twin = next(other for other, its_key in bound.items() if its_key == key)
        if twin != word:
            raise InvalidInputError(f"{twin!r} and {word!r} are both bound to {key!r}; each needs a key of its own")
    return bound


def parse_keys(texts: Sequence[str]) -> dict[str, str]:
    """Read ``word=key`` from each text of a command line, for ``bind_keys``.

    Raises:
        InvalidInputError: If one is not of this form.
    """
    found = {}
    for text in texts:
        word, equals, key = text.partition("=")
        if not (word and equals and key):
            raise InvalidInputError(f"a key is bound as word=key, such as enter=e; got {text!r}")
        found[word] = key
    return found


class Keyboard:
    """Holds exactly the words it is told to: sends only what differs.

    Args:
        sender: Where the events go.
        bound: The key of each word, from ``bind_keys``.
        handle: The window that alone may get the keys.
    """

    def __init__(self, sender: KeySender, bound: Mapping[str, str], handle: int) -> None:
        self._sender = sender
        self._handle = handle
        self._bound = dict(bound)
        self._held: tuple[str, ...] = ()

    @property
    def held(self) -> tuple[str, ...]:
        """The words whose keys are down."""
        return self._held

    def hold(self, words: Collection[str]) -> tuple[tuple[str, bool], ...]:
        """Have exactly these down, and return the changes sent, releases first: (word, whether it went down).

        What is to go down while the window does not have the focus stays up; the next call tries again.

        Raises:
            UnknownNameError: If a word has no key.
        """
        for word in words:
            if word not in self._bound:
                raise UnknownNameError("word to hold", word, KEYS)
        changes = [(word, False) for word in self._held if word not in words]
        changes += [(word, True) for word in dict.fromkeys(words) if word not in self._held]
        return tuple((word, down) for word, down in changes if (self._press(word) if down else self._release(word)))

    def _press(self, word: str) -> bool:
        # Noted before it is sent: a press that fails half-way is released later, never forgotten.
        self._held = (*self._held, word)
        pressed = self._sender.press_in(self._bound[word], self._handle)
        if not pressed:
            self._held = self._held[:-1]
        return pressed

    def _release(self, word: str) -> bool:
        self._sender.send(self._bound[word], False)
        self._held = tuple(other for other in self._held if other != word)
        return True

    def release_all(self) -> tuple[tuple[str, bool], ...]:
        """Let go of everything."""
        return self.hold(())

    def let_go_of_left_behind(self) -> tuple[str, ...]:
        """Release the keys of the binding that are down though nobody holds them; returns their words.

        A program that was killed together with its watchdog leaves such keys.
        """
        left = self._sender.left_down(tuple(self._bound.values()))
        for key in left:
            self._sender.send(key, False)
        return tuple(word for word, key in self._bound.items() if key in left)

    def let_go_of_all(self) -> None:
        """Release every key of the binding, whoever pressed it: for keys that another process left down."""
        for key in self._bound.values():
            self._sender.send(key, False)

    def close(self) -> None:
        """Let go of everything and of the sender. May be called twice."""
        try:
            self.release_all()
        finally:
            self._sender.close()
