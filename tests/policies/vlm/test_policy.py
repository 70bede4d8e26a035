"""The VLM policy as runners see it: conforms, streams, samples, and drafts well."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import torch

from gameenv.actions import ACTIONS, Action, action_index
from gameenv.errors import GameEnvError
from policies import load_policy, run_episode
from policies.base import Observation, batching
from policies.conformance import check_policy, example_frames
from policies.options import ModelOptions
from policies.vlm.policy import Drafter, VLMPolicy


def load(folder: Path, **options: object) -> VLMPolicy:
    policy = load_policy(str(folder), ModelOptions(**options))  # pyright: ignore[reportArgumentType]
    assert isinstance(policy, VLMPolicy)
    return policy


@pytest.mark.slow
@pytest.mark.parametrize("options", [{}, {"temperature": 0.7}, {"four_bit": True}, {"dtype": "bfloat16"}])
def test_conforms(tiny_folder: Path, options: dict[str, object]) -> None:
    if options.get("four_bit"):
        pytest.importorskip("bitsandbytes")
    check_policy(load(tiny_folder, **options))


def look(frame: np.ndarray, committed: tuple[Action, ...] = (), played: tuple[Action, ...] = ()) -> Observation:
    return Observation(frame, "Go to the lantern", committed, played)


def test_a_stream_is_the_chunk_word_by_word(tiny_folder: Path) -> None:
    policy = load(tiny_folder)
    for frame in example_frames():
        chunk = policy.predict(look(frame, ("w", "a")))
        policy.reset("Go to the lantern")
        stream = policy.predict_stream(look(frame, ("w", "a")))
        assert next(stream) == "w"
        assert ("w", *stream) == chunk.actions
    assert policy.passes.total() == 6


def test_a_stream_that_is_dropped_harms_nothing(tiny_folder: Path) -> None:
    policy = load(tiny_folder)
    wanted = policy.predict(look(example_frames()[1]))
    policy.reset("Go to the lantern")
    next(policy.predict_stream(look(example_frames()[2])))
    assert policy.predict(look(example_frames()[1])) == wanted


def test_what_was_seen_and_played_before_changes_no_answer(tiny_folder: Path) -> None:
    policy = load(tiny_folder)
    played: list[Action] = []
    rng = np.random.default_rng(0)
    for _ in range(10):
        frame = rng.integers(0, 256, (96, 128, 3), np.uint8)
        used = policy.predict(look(frame, played=tuple(played)))
        assert [used] == policy.predict_batch([look(frame)])
        played.extend(used.actions[:3])


@pytest.mark.slow
def test_temperature_draws_and_has_no_batches(tiny_folder: Path) -> None:
    policy = load(tiny_folder, temperature=2.0)
    assert batching(policy) is None, "a batch has no seeds"
    assert batching(load(tiny_folder)) is not None
    policy.reset("Go to the lantern", seed=1)
    frame = example_frames()[2]
    drawn = {policy.predict(look(frame)) for _ in range(20)}
    assert len(drawn) > 1
    policy.reset("Go to the lantern", seed=1)
    assert policy.predict(look(frame)) in drawn


@pytest.mark.parametrize("temperature", [1e-320, 1e-9])
def test_a_temperature_near_zero_is_greedy(tiny_folder: Path, temperature: float) -> None:
    cold, greedy = load(tiny_folder, temperature=temperature), load(tiny_folder)
    for frame in example_frames():
        for policy in (cold, greedy):
            policy.reset("Go to the lantern", seed=0)
        assert cold.predict(look(frame)) == greedy.predict(look(frame))


def no_gpu_memory() -> None:
    raise torch.OutOfMemoryError("CUDA out of memory")


def no_memory() -> None:
    torch.empty(10**15)


@pytest.mark.parametrize("run_out", [no_gpu_memory, no_memory])
def test_memory_that_runs_out_says_what_to_lower(
    tiny_folder: Path, monkeypatch: pytest.MonkeyPatch, run_out: Callable[[], None]
) -> None:
    policy = load(tiny_folder)
    policy.reset("Go to the lantern")

    def full(*args: object, **kwargs: object) -> None:
        run_out()

    monkeypatch.setattr(policy.model.model, "forward", full)
    with pytest.raises(GameEnvError, match=r"memory is full.*--four-bit"):
        policy.predict(look(example_frames()[0]))


@pytest.mark.slow
def test_it_plays_the_built_in_game(tiny_folder: Path, tmp_path: Path) -> None:
    gym = pytest.importorskip("gymnasium")
    env = gym.make("gameenv/Arena-v0", task="go-to-lantern", split="validation", frame_size=(128, 96))
    try:
        policy = load(tiny_folder)
        result = run_episode(env, policy, seed=0, execute=3, max_steps=30)
    finally:
        env.close()
    assert result.steps >= 1
    assert result.invalid == 0
    assert set(result.actions) <= set(ACTIONS)
    assert 1 <= min(policy.passes) <= max(policy.passes) <= 7


@pytest.mark.parametrize("execute", [1, 2, 3, 7])
def test_a_draft_is_what_is_left_of_the_last_chunk(execute: int) -> None:
    rng = np.random.default_rng(0)
    script = np.repeat(rng.integers(0, 12, 60), 3).tolist()
    drafter = Drafter()
    played: tuple[Action, ...] = ()
    last: list[int] = []
    for start in range(0, len(script) - 7, execute):
        draft = drafter.draft(played)
        chunk = script[start : start + 7]
        if last:
            assert draft == [*last[execute:], *[last[-1]] * execute]
        drafter.learn(chunk, played)
        last = chunk
        spoken: list[Action] = [ACTIONS[word] for word in chunk[:execute]]
        played = (*played, *spoken)[-64:]


def test_where_one_word_goes_on_for_long_a_draft_keeps_to_how_much_was_played_before() -> None:
    walk, turn = action_index("w"), action_index("left")
    drafter = Drafter()
    drafter.learn([walk] * 7, ("w",) * 58)
    drafter.draft(("w",) * 61)  # three were played
    drafter.learn([walk, walk, walk, walk, turn, turn, turn], ("w",) * 61)
    assert drafter.draft(("w",) * 64) == [walk, *[turn] * 6]  # three or four: no more than 64 words are shown


def test_what_somebody_else_played_is_followed_up() -> None:
    drafter = Drafter()
    drafter.learn([action_index("w")] * 7, ())
    assert drafter.draft(("w", "w", "s")) == [action_index("s")] * 7
    assert Drafter().draft(()) == [action_index("w")] * 7
