"""The guard: which key may be down at this moment, and who has the control.

A state machine of focus, dead-man timer, panic key and the person's own keys. Pure: it neither reads the clock nor
presses anything, so every rule of safety can be tested by itself.
"""

from collections.abc import Mapping
from typing import Literal

from gameenv.actions import KEYS, NONE, Action

Control = Literal["agent", "human"]
Verdict = Literal["ignored", "key", "hotkey", "took-over", "handed-back", "panic"]


class Guard:
    """What a key of the keyboard means, and what may be held.

    Args:
        control: Who plays: an agent, whose keys are pressed, or a person, for whom nothing is ever pressed.
        words: The word of each bound key.
        panic_key: Stops the agent.
        hand_back_key: Gives the control back to the agent after a person took it.
        hotkeys: Keys that are only reported.
    """

    def __init__(
        self,
        control: Control,
        words: Mapping[str, Action],
        panic_key: str,
        hand_back_key: str,
        hotkeys: tuple[str, ...],
    ) -> None:
        self._plays: Control = control
        self._words = words
        self._panic_key = panic_key
        self._hand_back_key = hand_back_key
        self._hotkeys = hotkeys
        self._wanted: Action = NONE
        self._until_ns = 0
        self._persons: set[Action] = set()
        self.control: Control = control
        """Who has the control now."""
        self.focused = False
        """Whether the game has the focus; set by ``set_focus``."""
        self.interrupted = False
        """Whether the agent lost the control or the focus since ``begin`` or the last time this was set to False."""
        self.panicked = False
        """Whether the panic key was pressed; for good."""

    @property
    def persons(self) -> frozenset[Action]:
        """The words whose keys the person holds down."""
        return frozenset(self._persons)

    def begin(self) -> None:
        """A new episode: nothing is held, the agent has the control if there is one."""
        self._wanted = NONE
        self.control = self._plays
        self.interrupted = False

    def hold(self, word: Action, until_ns: int) -> None:
        """The agent wants this word held, until it says otherwise or the time is over.

        Dropped without the focus, or while a person has the control, so that nothing old is pressed afterwards.
        """
        allowed = self.focused and self.control == "agent" and not self.panicked
        self._wanted = word if allowed else NONE
        self._until_ns = until_ns

    def allowed(self, now_ns: int) -> tuple[Action, ...]:
        """The words that may be down now: at most the one wanted."""
        if now_ns >= self._until_ns:
            self._wanted = NONE
        return () if self._wanted == NONE else (self._wanted,)

    def set_focus(self, focused: bool) -> tuple[Action, ...]:
        """Note whether the game has the focus; returns the person's keys that count as released by losing it."""
        released: tuple[Action, ...] = ()
        if self.focused and not focused:
            self._wanted = NONE
            self.interrupted = self.interrupted or self._plays == "agent"
            released = tuple(word for word in KEYS if word in self._persons)
            self._persons.clear()
        self.focused = focused
        return released

    def hear(self, key: str, down: bool, injected: bool) -> tuple[Verdict, Action | None]:
        """Say what a key means that went down or came up; the word if it is a game key that counts."""
        word = self._words.get(key)
        if not self.focused:  # nobody's business; a key that was down has been let go of in set_focus
            return "ignored", None
        if self._plays == "agent" and key in (self._panic_key, self._hand_back_key):
            return (self._hear_command(key) if down else "ignored"), None
        if word is None:
            return ("hotkey" if down and key in self._hotkeys else "ignored"), None
        return self._hear_word(word, down, injected)

    def _hear_command(self, key: str) -> Verdict:
        if key == self._panic_key:
            self.panicked = True
            self._wanted = NONE
            return "panic"
        if self.control == "agent":
            return "ignored"
        self.control = "agent"
        return "handed-back"

    def _hear_word(self, word: Action, down: bool, injected: bool) -> tuple[Verdict, Action | None]:
        if self._plays == "agent" and injected:
            return "ignored", None  # our own keys, or another program's
        if down == (word in self._persons):
            return "ignored", None  # an auto-repeat, or the release of a press that did not count
        if not down:
            self._persons.discard(word)
            return "key", word
        self._persons.add(word)
        if self._plays == "agent" and self.control == "agent":
            self._wanted = NONE
            self.control = "human"
            self.interrupted = True
            return "took-over", word
        return "key", word
