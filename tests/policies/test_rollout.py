"""``run_episode``: who is credited with what, on an environment whose referee is told when to say yes."""

from collections import deque
from collections.abc import Iterable
from types import SimpleNamespace
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from gameenv.actions import ACTIONS, NONE, ActionChunk
from gameenv.errors import InvalidInputError, InvalidReply
from policies.base import Observation
from policies.ledger import EpisodeResult
from policies.load import load_policy
from policies.rollout import run_episode

NOTHING = ActionChunk.of(["none"] * 7)
WALK = ActionChunk.of(["w"] * 7)


class RefereedEnv(gym.Env[Any, Any]):
    """The goal holds at the ticks it is told; otherwise as the arena: seven ``none`` while it holds end the episode."""

    def __init__(
        self, holds: Iterable[int], limit: int = 100, dies: int | None = None, goal: str | None = "Go"
    ) -> None:
        self.observation_space = gym.spaces.Box(0, 255, (32, 32, 3), np.uint8)
        self.action_space = gym.spaces.Discrete(12)
        self.holds, self.limit, self.dies, self.goal = set(holds), limit, dies, goal
        self.played: list[str] = []
        self.tick = 0

    def _info(self) -> dict[str, Any]:
        return {"goal": self.goal, "tick": self.tick, "goal_reached": self.tick in self.holds, "split": "test"}

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        self.tick, self.played = 0, []
        self.goal = (options or {}).get("goal", self.goal)
        self.level = SimpleNamespace(id="x", seed=4 if seed is None else seed, task="fake")
        self.recent: deque[int] = deque(maxlen=7)
        return self._frame(), self._info()

    def step(self, action: int) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        self.tick += 1
        self.played.append(ACTIONS[action])
        self.recent.append(action)
        won = self.tick in self.holds and len(self.recent) == 7 and not any(self.recent)
        over = won or self.tick == self.dies
        return self._frame(), float(won), over, not over and self.tick >= self.limit, self._info()

    def _frame(self) -> np.ndarray:
        return np.full((32, 32, 3), self.tick, np.uint8)


class Scripted:
    """Says what it is told, the last thing for ever; None is a reply that cannot be read."""

    def __init__(self, *chunks: ActionChunk | None) -> None:
        self.chunks = list(chunks)
        self.seen: list[int] = []
        self.calls: list[tuple[str, object]] = []

    def reset(self, goal: str, *, seed: int | None = None) -> None:
        self.calls.append((goal, seed))
        self.seen = []

    def predict(self, observation: Observation) -> ActionChunk:
        self.seen.append(int(observation.frame[0, 0, 0]))
        chunk = self.chunks[min(len(self.seen) - 1, len(self.chunks) - 1)]
        if chunk is None:
            raise InvalidReply("mumbling")
        return chunk


def chunk(text: str) -> ActionChunk:
    return ActionChunk.of(text.split())


def test_losing_in_the_middle_of_a_declaration_is_lost_even_if_the_goal_held() -> None:
    result = run_episode(RefereedEnv(range(7, 99), dies=10), Scripted(WALK, NOTHING))
    assert (result.success, result.declared, result.reached, result.reason) == (False, True, True, "lost")


def test_success_is_a_declaration_played_whole_while_the_goal_holds() -> None:
    result = run_episode(RefereedEnv(range(7, 99)), Scripted(WALK, NOTHING))
    assert result.success
    assert (result.declared, result.reached, result.reason) == (True, True, "success")
    assert result.steps == 14
    assert result.reached_step == 7
    assert result.actions == ("w",) * 7 + ("none",) * 7
    assert (result.terminated, result.truncated) == (True, False)


def test_success_needs_no_environment_that_ends_by_itself() -> None:
    env = RefereedEnv([14])
    env.recent = deque(maxlen=7)
    result = run_episode(env, Scripted(WALK, NOTHING), max_steps=14)
    assert result.success


def test_a_wrong_declaration_ends_the_episode_as_a_failure() -> None:
    result = run_episode(RefereedEnv([]), Scripted(WALK, NOTHING, WALK))
    assert (result.success, result.declared, result.reached) == (False, True, False)
    assert result.steps == 14
    assert result.reason == "wrong-declaration"
    assert (result.terminated, result.truncated) == (False, False)


def test_a_goal_that_held_and_was_left_again_is_reached_but_no_success() -> None:
    result = run_episode(RefereedEnv([3, 10]), Scripted(WALK, NOTHING))
    assert (result.success, result.reached, result.reached_step) == (False, True, 3)
    assert result.reason == "wrong-declaration"


@pytest.mark.parametrize("execute", [1, 3, 7])
def test_a_declaration_is_played_whole_whatever_execute_is(execute: int) -> None:
    env = RefereedEnv([])
    result = run_episode(env, Scripted(NOTHING), execute=execute)
    assert env.played == ["none"] * 7
    assert result.declared


@pytest.mark.parametrize(("execute", "looks"), [(1, [0, 1, 2, 3]), (3, [0, 3, 6, 9]), (7, [0, 7, 14, 21])])
def test_execute_says_how_many_are_played_before_looking_again(execute: int, looks: list[int]) -> None:
    policy = Scripted(WALK)
    run_episode(RefereedEnv([]), policy, execute=execute)
    assert policy.seen[:4] == looks


def test_nones_that_happen_to_end_the_episode_are_no_declaration() -> None:
    # Six none at the end of one chunk and one at the start of the next: the arena ends it, nobody declared.
    result = run_episode(
        RefereedEnv([8]), Scripted(chunk("w none none none none none none"), chunk("none w w w w w w"))
    )
    assert result.terminated
    assert (result.success, result.declared, result.reached, result.reason) == (False, False, True, "undeclared")


def test_fillers_are_never_a_declaration() -> None:
    result = run_episode(RefereedEnv(range(99)), Scripted(None))
    assert result.terminated
    assert (result.success, result.declared, result.reached) == (False, False, True)
    assert result.invalid == 7
    assert result.actions == ("none",) * 7
    assert len(result.chunk_seconds) == 7


def test_fillers_before_a_declaration_do_not_spoil_it() -> None:
    result = run_episode(RefereedEnv(range(99)), Scripted(None, None, NOTHING))
    assert result.success  # the arena ends it at the seventh none, five of which the policy declared
    assert result.invalid == 2
    assert result.steps == 7


def test_a_declaration_cut_off_by_the_step_limit_is_no_success() -> None:
    result = run_episode(RefereedEnv(range(99), limit=10), Scripted(WALK, NOTHING))
    assert (result.success, result.declared, result.truncated, result.steps) == (False, True, True, 10)
    assert result.reason == "time-limit"


def test_a_declaration_that_ends_on_the_last_tick_counts() -> None:
    assert run_episode(RefereedEnv(range(99), limit=14), Scripted(WALK, NOTHING)).success
    assert run_episode(RefereedEnv(range(99)), Scripted(WALK, NOTHING), max_steps=14).success


def test_dying_ends_the_episode_even_in_a_declaration() -> None:
    result = run_episode(RefereedEnv([], dies=9), Scripted(WALK, NOTHING))
    assert (result.success, result.terminated, result.steps, result.reason) == (False, True, 9, "lost")


def test_max_steps_truncates() -> None:
    result = run_episode(RefereedEnv([]), Scripted(WALK), max_steps=9)
    assert (result.steps, result.truncated, result.reason) == (9, True, "time-limit")


def test_the_goal_comes_from_the_environment_unless_it_is_given() -> None:
    policy = Scripted(NOTHING)
    assert run_episode(RefereedEnv([]), policy).goal == "Go"
    assert run_episode(RefereedEnv([]), policy, goal="Stay").goal == "Stay"
    assert [goal for goal, _ in policy.calls] == ["Go", "Stay"]
    with pytest.raises(InvalidInputError, match="a goal is"):
        run_episode(RefereedEnv([], goal=None), policy)


def test_the_policy_gets_the_level_number_as_its_seed() -> None:
    policy = Scripted(NOTHING)
    assert run_episode(RefereedEnv([]), policy, seed=9).seed == 9
    assert run_episode(RefereedEnv([]), policy).seed == 4  # the level the environment chose
    assert [seed for _, seed in policy.calls] == [9, 4]


def test_attach_comes_before_the_policys_reset_and_after_the_environments() -> None:
    order: list[str] = []

    class Attached(Scripted):
        def attach(self, env: gym.Env[Any, Any]) -> None:
            order.append(f"attach at level {env.unwrapped.level.seed}")  # type: ignore[attr-defined]

        def reset(self, goal: str, *, seed: int | None = None) -> None:
            order.append("reset")
            super().reset(goal, seed=seed)

    run_episode(RefereedEnv([]), Attached(NOTHING), seed=3)
    assert order == ["attach at level 3", "reset"]


def test_several_observers_see_the_same() -> None:
    seen: list[list[object]] = [[], []]
    observers = [lambda *what, told=told: told.append(what[2]) for told in seen]
    run_episode(RefereedEnv([]), Scripted(NOTHING), observers=observers)
    assert seen[0] == seen[1] == [*[NONE] * 7, None]


def test_the_observer_sees_every_tick_and_the_last_frame() -> None:
    seen: list[tuple[int, int, str | None, ActionChunk | None]] = []
    policy = Scripted(None, WALK, NOTHING)
    run_episode(
        RefereedEnv([]),
        policy,
        observers=[
            lambda frame, info, action, chunk: seen.append((int(frame[0, 0, 0]), info["tick"], action, chunk)),
        ],
    )
    assert [tick for _, tick, _, _ in seen] == list(range(16))
    assert all(frame == tick for frame, tick, _, _ in seen)
    assert seen[0][2:] == (NONE, None)
    assert seen[1][2:] == ("w", WALK)
    assert seen[8][2:] == (NONE, NOTHING)
    assert seen[-1][2:] == (None, None)


def test_a_policy_is_shown_what_was_really_played_at_most_64_words() -> None:
    shown: list[Observation] = []

    class Looks(Scripted):
        def predict(self, observation: Observation) -> ActionChunk:
            shown.append(observation)
            return super().predict(observation)

    result = run_episode(RefereedEnv([], limit=90), Looks(None, chunk("w a s d w a s")), execute=3)
    assert [each.played for each in shown[:3]] == [(), ("none",), ("none", "w", "a", "s")]
    assert shown[-1].played == result.actions[: 1 + 3 * (len(shown) - 2)][-64:]
    assert len(shown[-1].played) == 64
    assert {each.earlier for each in shown} == {()}
    assert {(each.goal, each.committed) for each in shown} == {("Go", ())}


def test_a_policy_gets_the_earlier_frames_it_asks_for_one_tick_apart() -> None:
    shown: list[list[int]] = []

    class Remembers(Scripted):
        history = 2

        def predict(self, observation: Observation) -> ActionChunk:
            shown.append([int(frame[0, 0, 0]) for frame in (*observation.earlier, observation.frame)])
            return super().predict(observation)

    run_episode(RefereedEnv([], limit=7), Remembers(None, WALK), execute=3)
    assert shown == [[0], [0, 1], [2, 3, 4]]
    Remembers.history = -1
    with pytest.raises(InvalidInputError, match="history"):
        run_episode(RefereedEnv([]), Remembers(WALK))


class LiveEnv(RefereedEnv):
    """As a live game: interrupted at some ticks, and a person has the control at some."""

    def __init__(self, holds: Iterable[int], interrupted: Iterable[int], person: Iterable[int] = ()) -> None:
        self.interrupted, self.person = set(interrupted), set(person)
        super().__init__(holds, limit=30)

    def _info(self) -> dict[str, Any]:
        control = "human" if self.tick in self.person else "agent"
        return {**super()._info(), "interrupted": self.tick in self.interrupted, "control": control}


@pytest.mark.parametrize("tick", range(8, 15))
def test_an_interrupted_declaration_is_none(tick: int) -> None:
    policy = Scripted(WALK, NOTHING, WALK)
    result = run_episode(LiveEnv(range(99), [tick]), policy, max_steps=21)
    assert (result.success, result.declared) == (False, False)
    if tick < 14:
        assert policy.seen[2] == tick  # asked again at once, the rest dropped


def test_a_person_who_has_the_control_is_not_disturbed() -> None:
    policy = Scripted(WALK)
    env = LiveEnv([], interrupted=[2], person=range(2, 9))
    run_episode(env, policy, max_steps=16)
    assert policy.seen == [0, 9]
    assert env.played[2:9] == ["none"] * 7


@pytest.mark.parametrize("execute", [0, 8, -1, True, 2.0])
def test_execute_out_of_range_is_refused(execute: Any) -> None:
    with pytest.raises(InvalidInputError, match="1 to 7"):
        run_episode(RefereedEnv([]), Scripted(NOTHING), execute=execute)


def test_garbage_from_a_policy_is_an_error_that_says_what_to_return() -> None:
    class Garbage(Scripted):
        def predict(self, observation: Observation) -> Any:
            return ["w"] * 7

    with pytest.raises(InvalidInputError, match=r"Garbage\.predict must return an ActionChunk"):
        run_episode(RefereedEnv([]), Garbage())


def test_what_a_policy_raises_comes_through() -> None:
    class Broken(Scripted):
        def predict(self, observation: Observation) -> ActionChunk:
            raise ZeroDivisionError("mine")

    with pytest.raises(ZeroDivisionError, match="mine"):
        run_episode(RefereedEnv([]), Broken())


def test_a_result_cannot_be_changed() -> None:
    result = run_episode(RefereedEnv([]), Scripted(NOTHING))
    with pytest.raises(AttributeError):
        result.success = True  # type: ignore[misc]
    assert isinstance(result, EpisodeResult)


@pytest.fixture(scope="module")
def arena() -> Iterable[gym.Env[Any, Any]]:
    env = gym.make("gameenv/Arena-v0", task="go-to-lantern", split="validation", frame_size=(256, 144))
    yield env
    env.close()


def test_the_expert_wins_in_the_arena(arena: gym.Env[Any, Any]) -> None:
    result = run_episode(arena, load_policy("expert"), seed=3, execute=1)
    assert result.success
    assert (result.task, result.split, result.seed) == ("go-to-lantern", "validation", 3)
    assert result.level is not None
    assert result.level.startswith("validation/go-to-lantern/3/")
    assert result.actions[-7:] == ("none",) * 7
    assert result.reached_step is not None
    assert result.reached_step <= result.steps


def test_an_episode_in_the_arena_repeats_itself(arena: gym.Env[Any, Any]) -> None:
    first, second = (run_episode(arena, load_policy("random"), seed=5, max_steps=30) for _ in range(2))
    assert first.actions == second.actions
    assert first.reached == second.reached


def test_silence_in_the_arena_is_a_wrong_declaration(arena: gym.Env[Any, Any]) -> None:
    result = run_episode(arena, load_policy("none"))
    assert (result.success, result.declared, result.steps, result.reason) == (False, True, 7, "wrong-declaration")
