"""The ledger of an episode: what was played, what was claimed, whether it held, and why it is over.

The one home of the rules of declaring, for whoever runs an episode. Knows nothing of policies, environments or time.
"""

from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

from gameenv.actions import CHUNK_LENGTH, NONE, Action, ActionChunk
from gameenv.frames import Frame
from policies.base import MAX_PLAYED, Observation

Reason = Literal["success", "wrong-declaration", "declared", "undeclared", "lost", "time-limit", "interrupted", "error"]
Observer: TypeAlias = Callable[[Frame, dict[str, Any], Action | None, ActionChunk | None], None]
"""Called with each frame, its ``info``, the action about to be played on it and the chunk that the action is from
(None for a filler); last with the final frame and None, None."""
_DECLARATION = (NONE,) * CHUNK_LENGTH


@dataclass(frozen=True, slots=True)
class EpisodeResult:
    """How one episode went.

    Attributes:
        success: The policy issued a chunk that is done, it was played, and the goal held then.
        reached: The goal held at some tick, declared or not.
        declared: The policy issued a chunk that is done.
        steps: Ticks played, declaration and fillers included.
        reached_step: Ticks played when the goal first held, None if it never did.
        actions: The word of every tick.
        chunk_seconds: How long each ``predict`` took, unreadable replies included.
        invalid: Replies that could not be read; each played one filler ``none``.
        goal: The sentence the policy was given.
        level: The level's id, None where the environment has no levels.
        task: The level's task, None likewise.
        split: The level's split, None likewise.
        seed: The level's number (or the seed asked for), None likewise.
        terminated: The environment ended the episode.
        truncated: The step limit did, the environment's or ``max_steps``.
        reason: Why the episode is over. ``undeclared``: the environment ended it with the goal reached, but the
            policy had declared nothing. ``lost``: it ended it otherwise. ``declared``: the policy did, and there is no
            referee to say whether it was right. ``interrupted``: a live game could not go on. ``error``: something
            raised.
        error: What raised, None if nothing did.
        seconds: Wall-clock length.
        truncated_because: Why a live game could not go on (``window-closed``, ``panic-key`` ...), else None.
        unplanned: Ticks after the first answer on which nothing was planned, as the policy was still thinking;
            ``policies.realtime`` only.
    """

    success: bool
    reached: bool
    declared: bool
    steps: int
    reached_step: int | None
    actions: tuple[Action, ...]
    chunk_seconds: tuple[float, ...]
    invalid: int
    goal: str
    level: str | None
    task: str | None
    split: str | None
    seed: int | None
    terminated: bool
    truncated: bool
    reason: Reason
    error: str | None
    seconds: float
    truncated_because: str | None = None
    unplanned: int = 0


@dataclass(frozen=True, slots=True)
class Setting:
    """What an episode is about: the goal, and the level it is played on where there is one."""

    goal: str
    task: str | None = None
    seed: int | None = None


class EpisodeLedger:
    """What happened in an episode so far.

    Args:
        setting: What it is about.
        frame: What the game shows at tick 0.
        info: Its ``info``.
        max_steps: Most ticks to play; None for as many as the environment lets.
        history: How many earlier frames to keep for the policy.
        observers: Called before every tick, and once at the end.

    Attributes:
        frame: What the game shows now.
        info: Its ``info``.
        declared: The policy says that the goal is reached, and has not been interrupted in saying so.
    """

    def __init__(
        self,
        setting: Setting,
        frame: Frame,
        info: dict[str, Any],
        *,
        max_steps: int | None = None,
        history: int = 0,
        observers: Sequence[Observer] = (),
    ) -> None:
        self.frame = frame
        self.info = info
        self.declared = False
        self._setting = setting
        self._max_steps = max_steps
        self._earlier: deque[Frame] = deque(maxlen=history)
        self._observers = tuple(observers)
        self._actions: list[Action] = []
        self._chunk_seconds: list[float] = []
        self._invalid = 0
        self._reached_step: int | None = None
        self._terminated = self._truncated = False
        self._note_goal()

    @property
    def over(self) -> bool:
        """Whether the episode has ended, declared or not."""
        return self._terminated or self._truncated or self.declared

    @property
    def interrupted(self) -> bool:
        """Whether what was planned before the last tick is void: the focus or the control was lost."""
        return bool(self.info.get("interrupted", False))

    @property
    def person_has_control(self) -> bool:
        """Whether a person plays, and the policy is not to be asked."""
        return self.info.get("control") == "human"

    def observation(self, committed: Sequence[Action] = ()) -> Observation:
        """What the policy is shown now."""
        played = tuple(self._actions[-MAX_PLAYED:])
        return Observation(self.frame, self._setting.goal, tuple(committed), played, tuple(self._earlier))

    def asked(self, seconds: float, *, invalid: bool) -> None:
        """Note that the policy was asked, how long it took, and whether its reply could not be read."""
        self._chunk_seconds.append(seconds)
        self._invalid += invalid

    def watch(self, action: Action | None, chunk: ActionChunk | None) -> None:
        """Tell the observers what is about to be played on the present frame."""
        for observer in self._observers:
            observer(self.frame, self.info, action, chunk)

    def tick(self, action: Action, frame: Frame, info: dict[str, Any], *, terminated: bool, truncated: bool) -> None:
        """Note that an action was played, and what the game shows now."""
        self._earlier.append(self.frame)
        self.frame, self.info = frame, info
        self._actions.append(action)
        self._terminated = terminated
        self._truncated = truncated or (len(self._actions) == self._max_steps and not terminated)
        self._note_goal()

    def settle(self, chunk: ActionChunk) -> None:
        """Note that a chunk has been played as far as it will be: if it is done and was not cut off, it declares."""
        self.declared = chunk.done and not self.interrupted

    def result(self, seconds: float) -> EpisodeResult:
        """How the episode went; for when it is over."""
        whole = tuple(self._actions[-CHUNK_LENGTH:]) == _DECLARATION
        success = self.declared and self._goal_holds and whole
        return EpisodeResult(
            success=success,
            reached=self._reached_step is not None,
            declared=self.declared,
            steps=len(self._actions),
            reached_step=self._reached_step,
            actions=tuple(self._actions),
            chunk_seconds=tuple(self._chunk_seconds),
            invalid=self._invalid,
            goal=self._setting.goal,
            level=self.info.get("level"),
            task=self._setting.task,
            split=self.info.get("split"),
            seed=self._setting.seed,
            terminated=self._terminated,
            truncated=self._truncated,
            reason="success" if success else self._failure(whole),
            error=None,
            seconds=seconds,
            truncated_because=self.info.get("truncated_because"),
        )

    @property
    def _goal_holds(self) -> bool:
        return bool(self.info.get("goal_reached", False))

    def _note_goal(self) -> None:
        if self._reached_step is None and self._goal_holds:
            self._reached_step = len(self._actions)

    def _failure(self, whole: bool) -> Reason:
        if "truncated_because" in self.info:
            return "interrupted"
        if self._terminated:
            return "undeclared" if self._goal_holds and not self.declared else "lost"
        if self.declared and whole:
            return "wrong-declaration" if "goal_reached" in self.info else "declared"
        return "time-limit"
