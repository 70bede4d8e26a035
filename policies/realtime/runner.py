"""``run_realtime``: an episode in which the game does not wait for the policy.

While the policy thinks, the words that it promised before are played; its answer begins with them and goes on from
there, so that no moment is without a plan as long as thinking takes less than a chunk. Real-time chunking (Black et al.
2025, https://arxiv.org/abs/2506.07339), for a policy that writes words. Knows nothing of models or windows.
"""

import math
import time
from collections import deque
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Literal, get_args

import gymnasium as gym

from gameenv.actions import CHUNK_LENGTH, NONE, action_index
from gameenv.arena.episodes import ENDS_WHEN_DECLARED
from gameenv.errors import InvalidInputError, UnknownNameError
from policies.base import AttachesToEnv, Policy, check_goal
from policies.ledger import EpisodeLedger, EpisodeResult, Observer, Setting
from policies.realtime.minds import Answer, Mind, PacedMind, PolicyFailedError, Question
from policies.realtime.plan import Gap, Plan, Promise

Manner = Literal["ahead", "naive", "stop"]
"""How answers that come late are used: ``ahead`` promises words and goes on from them; ``naive`` plays each answer
from its first word whenever it comes; ``stop`` stands still while it thinks, as the specification's agent does."""
MANNERS: tuple[Manner, ...] = get_args(Manner)
_RECENT = 20
_HIGH = 0.9


@dataclass(frozen=True, slots=True)
class RealtimeOptions:
    """How to play while thinking.

    Attributes:
        manner: See ``Manner``.
        every: Ticks between two questions, at least; with ``stop``, words played of each answer.
        gap: What is played where nothing is planned.
        delay: Ticks that an answer is taken to need; None learns it from the recent ones.
        patience_s: A policy that says nothing for so long has failed.

    Raises:
        InvalidInputError: If a number is out of range.
        UnknownNameError: If there is no such manner or gap.
    """

    manner: Manner = "ahead"
    every: int = 3
    gap: Gap = "none"
    delay: int | None = None
    patience_s: float = 60.0

    def __post_init__(self) -> None:
        _check_names(self.manner, self.gap)
        if not 1 <= self.every <= CHUNK_LENGTH:
            raise InvalidInputError(f"every is 1 to {CHUNK_LENGTH} ticks, got {self.every}")
        if self.delay is not None and self.delay < 0:
            raise InvalidInputError(f"delay is 0 ticks or more, got {self.delay}")
        if not self.patience_s > 0:
            raise InvalidInputError(f"patience_s is above 0, got {self.patience_s}")


@dataclass(frozen=True, slots=True)
class Pace:
    """A delay that is only counted, in an environment that waits, and how it is met.

    Attributes:
        latency_ms: What every answer takes.
        manner: See ``Manner``.
        gap: What is played where nothing is planned.

    Raises:
        InvalidInputError: If the latency is below 0.
        UnknownNameError: If there is no such manner or gap.
    """

    latency_ms: float
    manner: Manner = "ahead"
    gap: Gap = "none"

    def __post_init__(self) -> None:
        if not 0 <= self.latency_ms < math.inf:
            raise InvalidInputError(f"a latency is 0 ms or more, got {self.latency_ms}")
        _check_names(self.manner, self.gap)

    def ticks(self, fps: float) -> int:
        """The delay in whole ticks, as an answer that comes within a tick is used at the next."""
        return math.ceil(self.latency_ms * fps / 1000 - 1e-9)

    def floor(self, fps: float, every: int = CHUNK_LENGTH) -> float:
        """The least share of ticks, 0 to 1, that have no plan once the first answer is there; ``every`` as in
        ``RealtimeOptions``, heeded by ``stop`` alone.

        An answer brings new words for seven less those promised, d ticks after it was asked for. Words that are held in
        a gap are promised, too: 7 - d new ones every d ticks. Those that wait are not: after q words in hand come 7 - q
        new ones and then q again, seven in two answers.
        """
        delay = self.ticks(fps)
        if self.manner == "naive" or not delay:
            return max(0.0, 1 - CHUNK_LENGTH / delay) if delay else 0.0
        if self.manner == "stop" or delay >= CHUNK_LENGTH:
            return delay / (delay + (every if self.manner == "stop" else CHUNK_LENGTH))
        return max(0.0, 1 - CHUNK_LENGTH / (2 * delay) if self.gap == "none" else 2 - CHUNK_LENGTH / delay)


@dataclass(frozen=True, slots=True)
class Timing:
    """How thinking and playing went together.

    Attributes:
        ticks: Played by the policy.
        waited: Of these, before the first answer.
        unplanned: Of these, after it with nothing planned: fillers.
        asked: Questions.
        discarded: Answers that could not be used: too late, or something else had been played than was promised.
        delays: Ticks from each question to the first word of its answer that could be played.
    """

    ticks: int
    waited: int
    unplanned: int
    asked: int
    discarded: int
    delays: tuple[int, ...]


def run_realtime(
    env: gym.Env[Any, Any],
    mind: Mind,
    goal: str | None = None,
    seed: int | None = None,
    options: RealtimeOptions | None = None,
    *,
    max_steps: int | None = None,
    observers: Sequence[Observer] = (),
) -> tuple[EpisodeResult, Timing]:
    """Play one episode from a reset to its end, by the rules of declaring that ``run_episode`` has.

    Args:
        env: The environment; it is reset, and stays open.
        mind: Who thinks; stays open, too.
        goal: The sentence to play for; the environment's own where None.
        seed: Number of the level, and seed of the policy.
        options: How.
        max_steps: Most ticks to play.
        observers: As for ``run_episode``; the chunk of a filler is None.

    Raises:
        InvalidInputError: If a number is out of range or there is no goal.
        PolicyFailedError: If the policy raised, or said nothing for ``patience_s``.
        Exception: Whatever the environment raises.
    """
    if max_steps is not None and max_steps < 1:
        raise InvalidInputError(f"max_steps must be at least 1, got {max_steps}")
    options = options or RealtimeOptions()
    started = time.perf_counter()
    # Seven ``none`` in a row may be waiting, not a declaration: only the ledger can tell.
    what: dict[str, Any] = {ENDS_WHEN_DECLARED: False} if goal is None else {ENDS_WHEN_DECLARED: False, "goal": goal}
    frame, info = env.reset(seed=seed, options=what)
    level = getattr(env.unwrapped, "level", None)
    seed = getattr(level, "seed", None) if seed is None else seed
    setting = Setting(check_goal(goal or info.get("goal")), getattr(level, "task", None), seed)
    ledger = EpisodeLedger(setting, frame, info, max_steps=max_steps, history=mind.history, observers=observers)
    mind.begin(setting.goal, seed)
    player = _Player(mind, ledger, options)
    while not ledger.over:
        player.tick(env)
    ledger.watch(None, None)
    timing = player.timing()
    result = replace(ledger.result(time.perf_counter() - started), unplanned=timing.unplanned)
    return result, timing


def run_paced(  # noqa: PLR0917 (what an evaluation has at hand)
    env: gym.Env[Any, Any],
    policy: Policy,
    pace: Pace,
    fps: float,
    every: int,
    seed: int | None = None,
    *,
    observers: Sequence[Observer] = (),
) -> tuple[EpisodeResult, Timing]:
    """Play one episode with a policy that takes exactly so long: what delay costs, the same every time.

    Args:
        env: One that waits.
        policy: Who plays.
        pace: The delay.
        fps: The environment's ticks a second.
        every: See ``RealtimeOptions``.
        seed: Number of the level, and seed of the policy.
        observers: As for ``run_episode``.

    Raises:
        Exception: As ``run_realtime``.
    """
    if isinstance(policy, AttachesToEnv):
        policy.attach(env)
    delay = pace.ticks(fps)
    options = RealtimeOptions(pace.manner, every, pace.gap, delay)
    return run_realtime(env, PacedMind(policy, delay), None, seed, options, observers=observers)


def _check_names(manner: str, gap: str) -> None:
    for name, value, known in (("manner", manner, MANNERS), ("gap", gap, get_args(Gap))):
        if value not in known:
            raise UnknownNameError(name, value, known)


@dataclass(frozen=True, slots=True)
class _Open:
    """A question that is not answered yet: its number, what it was told, the tick and the time it was asked at."""

    number: int
    promise: Promise
    tick: int
    asked_s: float


class _Player:
    """One episode's way through its ticks."""

    def __init__(self, mind: Mind, ledger: EpisodeLedger, options: RealtimeOptions) -> None:
        self._mind, self._ledger, self._options = mind, ledger, options
        self._plan = Plan(options.gap)
        self._open: _Open | None = None
        self._asked = self._discarded = 0
        self._heard_s = time.monotonic()
        self._last_asked = -CHUNK_LENGTH
        self._delays: list[int] = []
        self._recent: deque[int] = deque(maxlen=_RECENT)

    def tick(self, env: gym.Env[Any, Any]) -> None:
        """Hear, ask, play a word."""
        ledger, plan = self._ledger, self._plan
        if ledger.person_has_control:
            self._forget()
            word, chunk = NONE, None
        else:
            self._listen()
            if self._is_time_to_ask():
                self._ask()
                self._listen()
            word, chunk = plan.next()
        ledger.watch(word, chunk)
        frame, _, terminated, truncated, info = env.step(action_index(word))
        ledger.tick(word, frame, info, terminated=bool(terminated), truncated=bool(truncated))
        if ledger.interrupted:
            self._forget()
        elif ledger.over and plan.declaring is not None:
            ledger.settle(plan.declaring)
        elif (declared := plan.declared()) is not None:
            ledger.settle(declared)

    def timing(self) -> Timing:
        """How it went."""
        plan = self._plan
        return Timing(plan.ticks, plan.waited, plan.unplanned, self._asked, self._discarded, tuple(self._delays))

    def _forget(self) -> None:
        """Whatever was planned or asked before is void."""
        self._plan.clear()
        self._open = None

    def _is_time_to_ask(self) -> bool:
        if self._open is not None or self._plan.declaring is not None or self._mind.busy:
            return False
        left = len(self._plan)
        if self._options.manner == "stop" or self._delay() >= CHUNK_LENGTH:
            return not left
        return self._plan.ticks - self._last_asked >= self._options.every or left <= self._delay()

    def _delay(self) -> int:
        """Ticks that the next answer is taken to need: a high one of the recent; the first, a warm-up, left out."""
        if self._options.manner != "ahead":
            return 0
        if self._options.delay is not None:
            return self._options.delay
        if not self._recent:
            return 1
        ordered = sorted(self._recent)
        return ordered[min(len(ordered) - 1, int(_HIGH * len(ordered)))]

    def _ask(self) -> None:
        plan = self._plan
        promise = plan.promise(self._delay())
        self._asked += 1
        self._open = _Open(self._asked, promise, plan.ticks, time.monotonic())
        self._last_asked = plan.ticks
        self._mind.ask(Question(self._asked, plan.ticks, self._ledger.observation(promise.words)))

    def _listen(self) -> None:
        for answer in self._mind.hear(self._plan.ticks):
            self._heard_s = time.monotonic()
            if answer.failed is not None:
                raise PolicyFailedError(answer.failed)
            if self._open is None or answer.number != self._open.number:
                continue  # asked before something made it void
            self._use(answer, self._open)
        since_s = self._heard_s if self._open is None else self._open.asked_s
        if self._mind.busy and time.monotonic() - since_s > self._options.patience_s:
            raise PolicyFailedError(f"it has said nothing for {self._options.patience_s:g} s")

    def _use(self, answer: Answer, question: _Open) -> None:
        plan = self._plan
        if answer.final:
            self._open = None
            self._ledger.asked(answer.seconds, invalid=answer.invalid is not None)
        if len(self._delays) < self._asked and (answer.final or len(answer.words) > len(question.promise.words)):
            delay = plan.ticks - question.tick  # until there was a word to play, be it the first of several
            self._delays.append(delay)
            if self._asked > 1:
                self._recent.append(delay)
        if answer.invalid is not None:
            return
        if self._options.manner == "ahead":
            used = plan.take(question.promise, answer.words, answer.chunk)
            self._discarded += answer.final and not used
        elif answer.chunk is not None:
            plan.replace(answer.chunk, CHUNK_LENGTH if self._options.manner == "naive" else self._options.every)
