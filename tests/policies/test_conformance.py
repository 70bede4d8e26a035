"""One suite for every policy of the project, and proof that the suite finds what is wrong."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from gameenv.actions import Action, ActionChunk
from gameenv.errors import InvalidInputError
from gameenv.judging import find_problem
from policies.base import Observation, Policy, batching
from policies.conformance import CHECKS, Subject, check_policy, example_frames
from policies.load import load_policy
from tests.policies.recordings import record_walks

WALK = ActionChunk.of(["w"] * 7)


@pytest.fixture(scope="module")
def arena() -> Iterator[gym.Env[Any, Any]]:
    env = gym.make("gameenv/Arena-v0", task="go-to-lantern", split="train", frame_size=(256, 144))
    yield env
    env.close()


@pytest.fixture(scope="module")
def replay_spec(tmp_path_factory: pytest.TempPathFactory) -> str:
    return f"replay:{record_walks(tmp_path_factory.mktemp('session'), [['w'] * 20])}"


@pytest.mark.parametrize("check", CHECKS)
@pytest.mark.parametrize("name", ["none", "random", "expert", "replay"])
def test_every_policy_conforms(name: str, check: str, arena: gym.Env[Any, Any], replay_spec: str) -> None:
    policy = load_policy(replay_spec if name == "replay" else name)
    assert find_problem(CHECKS[check], Subject(policy, example_frames(), arena)) is None


class Good:
    """Conforms: turns when the frame is dark, walks when it is not; answers many at once."""

    batches = True

    def reset(self, goal: str, *, seed: int | None = None) -> None:
        pass

    def predict(self, observation: Observation) -> ActionChunk:
        return self.predict_batch([observation])[0]

    def predict_batch(self, observations: Sequence[Observation]) -> list[ActionChunk]:
        chunks = []
        for each in observations:
            word: Action = "left" if each.frame.mean() < 50 else "w"
            chunks.append(ActionChunk.of([*each.committed, *[word] * (7 - len(each.committed))]))
        return chunks


def test_a_good_policy_passes() -> None:
    check_policy(Good())


def test_a_policy_gets_no_more_history_than_it_asks_for() -> None:
    check_policy(CountsItsHistory())


def test_a_policy_that_says_it_does_not_batch_is_not_asked_to() -> None:
    class OneByOne(BatchDiffers):
        batches = False

    assert batching(OneByOne()) is None
    check_policy(OneByOne())


class Words(Good):
    def predict(self, observation: Observation) -> Any:
        return list(super().predict(observation))


class OneSize(Good):
    def predict(self, observation: Observation) -> ActionChunk:
        chunk = super().predict(observation)
        if observation.frame.shape != (288, 512, 3):
            raise InvalidInputError("wrong size")
        return chunk


class ForgetsPromises(Good):
    def predict(self, observation: Observation) -> ActionChunk:
        super().predict(observation)
        return WALK


class TiresAfterAWhile(Good):
    def predict(self, observation: Observation) -> ActionChunk:
        if len(observation.played) > 60:
            raise ValueError("so many words")
        return super().predict(observation)


class WantsHalfAFrame(Good):
    history = 0.5


class CountsItsHistory(Good):
    history = 2

    def predict(self, observation: Observation) -> ActionChunk:
        assert len(observation.earlier) <= 2
        return super().predict(observation)


class Moody(Good):
    calls = 0

    def predict(self, observation: Observation) -> ActionChunk:
        chunk = super().predict(observation)
        self.calls += 1
        return ActionChunk((*chunk.actions[:6], "c" if self.calls % 2 else "space"))


class Scribbler(Good):
    def predict(self, observation: Observation) -> ActionChunk:
        chunk = super().predict(observation)
        observation.frame[:] = 0
        return chunk


class BatchDiffers(Good):
    def predict(self, observation: Observation) -> ActionChunk:
        chunk = super().predict(observation)
        return ActionChunk((*chunk.actions[:6], "c"))


class BatchesUnsaid:
    """Has the method, and does not say whether runners may use it."""

    def reset(self, goal: str, *, seed: int | None = None) -> None:
        pass

    def predict(self, observation: Observation) -> ActionChunk:
        return Good().predict(observation)

    def predict_batch(self, observations: Sequence[Observation]) -> list[ActionChunk]:
        return Good().predict_batch(observations)


class StreamDiffers(Good):
    def predict_stream(self, observation: Observation) -> Iterator[Action]:
        yield from self.predict(observation).actions[:6]


@pytest.mark.parametrize(
    ("wrong", "check"),
    [
        (Words, "returns chunks"),
        (OneSize, "accepts frames of any size"),
        (ForgetsPromises, "begins with what is committed"),
        (TiresAfterAWhile, "plays long episodes"),
        (WantsHalfAFrame, "plays long episodes"),
        (BatchesUnsaid, "predicts a batch like single frames"),
        (Moody, "repeats itself under a seed"),
        (Scribbler, "leaves the frame alone"),
        (BatchDiffers, "predicts a batch like single frames"),
        (StreamDiffers, "streams what it predicts"),
    ],
)
def test_what_is_wrong_is_named(wrong: Callable[[], Policy], check: str) -> None:
    with pytest.raises(InvalidInputError, match="does not conform") as caught:
        check_policy(wrong())
    assert f"\n  - {check}: " in str(caught.value)


def test_what_is_no_policy_at_all_is_said_at_once(arena: gym.Env[Any, Any]) -> None:
    thing: Any = object()
    with pytest.raises(InvalidInputError, match="is not a policy"):
        check_policy(thing)
    cls: Any = Good
    with pytest.raises(InvalidInputError, match="not a class"):
        check_policy(cls)
    with pytest.raises(InvalidInputError, match="needs an env"):
        check_policy(load_policy("expert"))


def test_the_expert_passes_with_an_arena(arena: gym.Env[Any, Any]) -> None:
    check_policy(load_policy("expert"), arena)


def test_example_frames_are_always_the_same() -> None:
    assert all(np.array_equal(a, b) for a, b in zip(example_frames(), example_frames(), strict=True))
