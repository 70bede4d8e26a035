"""One suite for every policy of the project, and proof that the suite finds what is wrong."""

from collections.abc import Callable, Iterator, Sequence
from typing import Any

import gymnasium as gym
import numpy as np
import pytest

from gameenv.actions import ACTIONS, Action, ActionChunk
from gameenv.errors import InvalidInputError, InvalidReply
from gameenv.frames import Frame, check_frame
from policies.base import Policy, check_committed, check_goal
from policies.conformance import CHECKS, Subject, check_policy, example_frames, find_problem
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

    goal: str | None = None

    def reset(self, goal: str, *, seed: int | None = None) -> None:
        self.goal = check_goal(goal)

    def predict(self, frame: Frame, committed: Sequence[Action] = ()) -> ActionChunk:
        if self.goal is None:
            raise InvalidInputError("call reset(goal) first")
        return self.predict_batch([frame], [self.goal], [committed])[0]

    def predict_batch(
        self, frames: Sequence[Frame], goals: Sequence[str], committed: Sequence[Sequence[Action]]
    ) -> list[ActionChunk]:
        chunks = []
        for frame, promised in zip(frames, map(check_committed, committed), strict=True):
            word: Action = "left" if check_frame(frame).mean() < 50 else "w"
            chunks.append(ActionChunk.of([*promised, *[word] * (7 - len(promised))]))
        return chunks


def test_a_good_policy_passes() -> None:
    check_policy(Good())


class NeedsNoReset(Good):
    goal = "set by nobody"


class Words(Good):
    def predict(self, frame: Frame, committed: Sequence[Action] = ()) -> Any:
        return list(super().predict(frame, committed))


class OneSize(Good):
    def predict(self, frame: Frame, committed: Sequence[Action] = ()) -> ActionChunk:
        chunk = super().predict(frame, committed)
        if frame.shape != (288, 512, 3):
            raise InvalidInputError("wrong size")
        return chunk


class ForgetsPromises(Good):
    def predict(self, frame: Frame, committed: Sequence[Action] = ()) -> ActionChunk:
        super().predict(frame, committed)
        return WALK


class TakesSeven(Good):
    def predict(self, frame: Frame, committed: Sequence[Action] = ()) -> ActionChunk:
        return ActionChunk(tuple(committed)) if len(committed) == 7 else super().predict(frame, committed)


class TakesAnyWord(Good):
    def predict(self, frame: Frame, committed: Sequence[Action] = ()) -> ActionChunk:
        return super().predict(frame, [word for word in committed if word in ACTIONS])


class TakesAnyFrame(Good):
    def predict(self, frame: Frame, committed: Sequence[Action] = ()) -> ActionChunk:
        good = isinstance(frame, np.ndarray) and frame.dtype == np.uint8
        return super().predict(frame if good else example_frames()[0], committed)


class MumblesAtBadFrames(Good):
    def predict(self, frame: Frame, committed: Sequence[Action] = ()) -> ActionChunk:
        try:
            return super().predict(frame, committed)
        except InvalidInputError as error:
            raise InvalidReply("what?") from error


class TakesAnyGoal(Good):
    def reset(self, goal: str, *, seed: int | None = None) -> None:
        self.goal = goal or "whatever"


class Moody(Good):
    calls = 0

    def predict(self, frame: Frame, committed: Sequence[Action] = ()) -> ActionChunk:
        chunk = super().predict(frame, committed)
        self.calls += 1
        return ActionChunk((*chunk.actions[:6], "c" if self.calls % 2 else "space"))


class Scribbler(Good):
    def predict(self, frame: Frame, committed: Sequence[Action] = ()) -> ActionChunk:
        chunk = super().predict(frame, committed)
        frame[:] = 0
        return chunk


class BatchDiffers(Good):
    def predict(self, frame: Frame, committed: Sequence[Action] = ()) -> ActionChunk:
        chunk = super().predict(frame, committed)
        return ActionChunk((*chunk.actions[:6], "c"))


class StreamDiffers(Good):
    def predict_stream(self, frame: Frame, committed: Sequence[Action] = ()) -> Iterator[Action]:
        yield from self.predict(frame, committed).actions[:6]


@pytest.mark.parametrize(
    ("wrong", "check"),
    [
        (NeedsNoReset, "needs reset before predict"),
        (Words, "returns chunks"),
        (OneSize, "accepts frames of any size"),
        (ForgetsPromises, "begins with what is committed"),
        (TakesSeven, "refuses more than six committed"),
        (TakesAnyWord, "refuses committed words it does not know"),
        (TakesAnyFrame, "refuses what is not a frame"),
        (MumblesAtBadFrames, "refuses what is not a frame"),
        (TakesAnyGoal, "refuses an empty goal"),
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
