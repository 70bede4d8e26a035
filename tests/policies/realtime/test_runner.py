"""Playing while thinking, on the real arena, with delays that are exact and with ones that are real."""

import sys
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest

from gameenv.actions import ActionChunk
from gameenv.arena.env import ArenaEnv
from gameenv.arena.player.expert import Expert
from gameenv.errors import GameEnvError, InvalidInputError, InvalidReply, UnknownNameError
from policies.base import Observation, Policy
from policies.realtime import RealtimeOptions, run_realtime
from policies.realtime.minds import PacedMind, ProcessMind, ThreadMind
from policies.realtime.plan import Gap
from policies.realtime.runner import Pace, run_paced
from policies.rollout import run_episode

PLAYERS = '''
import time
from gameenv.actions import ActionChunk

class Walks:
    """Keeps what is promised, then walks."""
    def reset(self, goal, *, seed=None): self.goal = goal
    def predict(self, observation):
        return ActionChunk.of([*observation.committed, *["w"] * 7][:7])

class Slow(Walks):
    def predict(self, observation):
        time.sleep(0.05)
        return super().predict(observation)

class Streams(Walks):
    def predict_stream(self, observation):
        for word in self.predict(observation):
            time.sleep(0.01)
            yield word

class Hangs(Walks):
    def predict(self, observation): time.sleep(600)

class Dies(Walks):
    def predict(self, observation): import os; os._exit(3)

class Raises(Walks):
    def predict(self, observation): raise ZeroDivisionError("by zero")

class ForgetsItsPromise(Walks):
    def predict(self, observation): return ActionChunk.of(["s", "d"] * 3 + ["s"])

class SaysAWord(Walks):
    def predict(self, observation): return "w"
'''


class Walks:
    """Keeps what is promised, then walks; sometimes its reply cannot be read."""

    def __init__(self, invalid: int = 0) -> None:
        self.seen: list[Observation] = []
        self._invalid = invalid

    def reset(self, goal: str, *, seed: int | None = None) -> None:
        self.seen.clear()

    def predict(self, observation: Observation) -> ActionChunk:
        self.seen.append(observation)
        if self._invalid and len(self.seen) % self._invalid == 0:
            raise InvalidReply("no words")
        return ActionChunk.of([*observation.committed, *["w"] * 7][:7])


@pytest.fixture
def env() -> Iterator[ArenaEnv]:
    env = ArenaEnv(task="go-to-lantern", frame_size=(64, 36), max_steps=90)
    yield env
    env.close()


@pytest.fixture
def players(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "thinkers.py").write_text(PLAYERS)
    monkeypatch.syspath_prepend(str(tmp_path))
    monkeypatch.setenv("PYTHONPATH", f"{tmp_path}:{':'.join(sys.path)}")


def timing_of(env: ArenaEnv, policy: Policy, delay: int, **options: Any):
    mind = PacedMind(policy, delay)
    return run_realtime(env, mind, seed=1, options=RealtimeOptions(delay=delay, **options))[1]


@pytest.mark.parametrize("gap", ["none", "hold"])
@pytest.mark.parametrize("delay", range(10))
def test_ticks_without_a_plan_are_as_few_as_can_be(env: ArenaEnv, delay: int, gap: Gap):
    # 90 ticks are a few cycles, the last of them cut off: hence how near it has to be.
    timing = timing_of(env, Walks(), delay, gap=gap)
    floor = Pace(100 * delay, gap=gap).floor(10)
    assert timing.ticks == 90
    assert timing.waited == delay
    assert timing.unplanned / (timing.ticks - timing.waited) == pytest.approx(floor, abs=0.07)
    assert timing.discarded == 0
    assert set(timing.delays) == {delay}


@pytest.mark.parametrize(("delay", "share"), [(1, 0.25), (3, 0.5), (6, 2 / 3)])
def test_stopping_to_think_stands_still_for_as_long(env: ArenaEnv, delay: int, share: float):
    timing = timing_of(env, Walks(), delay, manner="stop", every=3)
    assert (timing.unplanned + timing.waited) / timing.ticks == pytest.approx(share, abs=0.05)


def test_what_is_promised_is_what_is_played(env: ArenaEnv):
    policy = Walks()
    mind = PacedMind(policy, 2)
    result, _ = run_realtime(env, mind, seed=1, options=RealtimeOptions(delay=2))
    asked_at = [len(each.played) for each in policy.seen]
    for tick, each in zip(asked_at[1:-1], policy.seen[1:-1], strict=True):
        if tick < 60:
            assert each.committed == result.actions[tick : tick + 2]
            assert len(each.committed) == 2


def test_an_answer_that_comes_later_than_was_thought_is_used_for_what_is_left(env: ArenaEnv):
    timing = run_realtime(env, PacedMind(Walks(), 3), seed=1, options=RealtimeOptions(delay=1))[1]
    assert timing.discarded == 0
    assert timing.unplanned == 0


def test_the_delay_is_learned(env: ArenaEnv):
    policy = Walks()
    run_realtime(env, PacedMind(policy, 3), seed=1, options=RealtimeOptions())
    assert len(policy.seen[-1].committed) == 3


@pytest.mark.parametrize("delay", [0, 3, 6, 8])
def test_the_expert_wins_while_it_thinks(env: ArenaEnv, delay: int):
    env = ArenaEnv(task="press-switch", split="validation", frame_size=(64, 36))
    results = [run_paced(env, Expert(), Pace(delay * 100), env.fps, 3, seed) for seed in range(4)]
    env.close()
    assert sum(result.success for result, _ in results) == 4
    assert (sum(timing.unplanned for _, timing in results) > 0) == (delay > 3)


def test_waiting_at_the_goal_does_not_end_the_episode_before_the_policy_says_so(env: ArenaEnv):
    env = ArenaEnv(task="press-switch", split="validation", frame_size=(64, 36))
    result, _ = run_paced(env, Expert(), Pace(1200, "stop"), env.fps, 7, 0)
    env.close()
    assert result.reached_step is not None
    after = result.actions[result.reached_step + 1 :]
    assert after[:7] == ("none",) * 7, "as it thinks for twelve ticks"
    assert len(after) > 7
    assert (result.success, result.declared, result.reason) == (True, True, "success")


def test_without_delay_it_plays_as_run_episode_does(env: ArenaEnv):
    for seed in (2, 3):
        stopped = run_episode(env, _attached(env), seed=seed, execute=3)
        ahead, _ = run_paced(env, Expert(), Pace(0), env.fps, 3, seed)
        count = len(stopped.actions)
        assert ahead.actions[:count] == stopped.actions
        assert set(ahead.actions[count:]) <= {"none"}, "a declaration is played whole"
        assert ahead.success == stopped.success


def _attached(env: ArenaEnv) -> Expert:
    expert = Expert()
    expert.attach(env)
    return expert


def test_replies_that_cannot_be_read_are_counted_and_asked_again(env: ArenaEnv):
    result, timing = run_realtime(env, PacedMind(Walks(invalid=2), 1), seed=1, options=RealtimeOptions(delay=1))
    assert result.invalid >= 10
    assert timing.unplanned < 15, "what was planned goes on meanwhile"


def test_answers_of_one_episode_do_not_reach_the_next(env: ArenaEnv):
    policy = Walks()
    mind = PacedMind(policy, 5)
    run_realtime(env, mind, seed=1, options=RealtimeOptions(delay=5), max_steps=3)
    result, timing = run_realtime(env, mind, seed=1, options=RealtimeOptions(delay=5), max_steps=5)
    assert result.actions == ("none",) * 5
    assert timing.waited == 5


@pytest.mark.usefixtures("players")
@pytest.mark.parametrize("spec", ["thinkers:Walks", "thinkers:Slow", "thinkers:Streams"])
def test_a_policy_thinks_in_a_process_of_its_own(env: ArenaEnv, spec: str):
    mind = ProcessMind(spec)
    try:
        result, timing = run_realtime(_Ticking(env), mind, seed=1, options=RealtimeOptions(), max_steps=30)
    finally:
        mind.close()
        mind.close()
    assert result.actions.count("w") == 30 - timing.unplanned - timing.waited
    if spec == "thinkers:Slow":  # the others may answer at once
        assert timing.waited >= 1, "the game goes on while the first answer is waited for"
    assert timing.unplanned <= 6


@pytest.mark.usefixtures("players")
@pytest.mark.parametrize(
    ("spec", "says"),
    [
        ("thinkers:Hangs", "said nothing for 0.5 s"),
        ("thinkers:Dies", r"has ended \(exit code 3\)"),
        ("thinkers:Raises", "ZeroDivisionError: by zero"),
        ("thinkers:ForgetsItsPromise", "not with what was committed"),
        ("thinkers:SaysAWord", "must return an ActionChunk"),
    ],
)
def test_a_policy_that_fails_ends_the_episode_and_says_why(env: ArenaEnv, spec: str, says: str):
    mind = ProcessMind(spec)
    options = RealtimeOptions(patience_s=0.5, delay=2)
    try:
        with pytest.raises(GameEnvError, match=says):
            run_realtime(_Ticking(env), mind, seed=1, options=options)
    finally:
        started = time.monotonic()
        mind.close()
    assert time.monotonic() - started < 5, "whatever it is at"


@pytest.mark.usefixtures("players")
def test_a_policy_that_cannot_be_loaded_says_why():
    with pytest.raises(GameEnvError, match="nosuch"):
        ProcessMind("thinkers:nosuch")


def test_a_thread_thinks_for_a_policy_that_exists_already(env: ArenaEnv):
    mind = ThreadMind(Walks())
    result, timing = run_realtime(_Ticking(env), mind, seed=1, options=RealtimeOptions(), max_steps=30)
    mind.close()
    assert result.actions.count("w") == 30 - timing.unplanned - timing.waited


@pytest.mark.parametrize(
    ("options", "says"),
    [({"every": 0}, "every is 1 to 7"), ({"delay": -1}, "delay is 0"), ({"patience_s": 0}, "patience_s")],
)
def test_numbers_out_of_range_are_refused(options: dict[str, Any], says: str):
    with pytest.raises(InvalidInputError, match=says):
        RealtimeOptions(**options)
    with pytest.raises(UnknownNameError):
        RealtimeOptions(manner="ahaed")  # pyright: ignore[reportArgumentType]
    with pytest.raises(InvalidInputError, match="latency"):
        Pace(-1)
    with pytest.raises(UnknownNameError):
        Pace(1, "ahaed")  # pyright: ignore[reportArgumentType]
    with pytest.raises(UnknownNameError):
        Pace(1, gap="hodl")  # pyright: ignore[reportArgumentType]


def test_a_latency_is_counted_in_whole_ticks():
    assert [Pace(ms).ticks(10) for ms in (0, 1, 100, 101, 300)] == [0, 1, 1, 2, 3]
    assert Pace(100).ticks(30) == 3


class _Ticking(gym.Wrapper):
    """The arena at a pace of its own: 50 ms a tick."""

    def step(self, action: int):
        now = time.monotonic()
        self._due = max(getattr(self, "_due", 0.0) + 0.05, now)
        time.sleep(self._due - now)
        return self.env.step(action)
