"""``gameenv.json``: round trip, damage, and what is refused or warned about in an environment."""

import json
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import gymnasium as gym
import pytest

from gameenv.actions import ACTIONS
from gameenv.errors import InvalidInputError
from gameenv.frames import FrameSpec
from policies.card import CARD_FILE, ModelCard, check_env

CARD = ModelCard(
    kind="bc",
    fps=10.0,
    recorded=FrameSpec(256, 144, "stretch"),
    seen=FrameSpec(128, 72, "stretch"),
    prompt_version=2,
    base_model="someone/model",
    trained_tasks=("go-to-torch",),
    extra={"width": 64},
)


def env(fps: float = 10.0, frame: FrameSpec = CARD.recorded, actions: int = len(ACTIONS)) -> Any:
    made = SimpleNamespace(action_space=gym.spaces.Discrete(actions), fps=fps, frame_spec=frame)
    made.unwrapped = made
    return made


def test_a_card_comes_back_as_it_was_saved(tmp_path: Path) -> None:
    path = CARD.save(tmp_path / "new" / "model")
    assert path.name == CARD_FILE
    assert ModelCard.load(path.parent) == CARD
    assert [each.name for each in path.parent.iterdir()] == [CARD_FILE]


def test_a_missing_card_says_how_to_get_a_model(tmp_path: Path) -> None:
    with pytest.raises(InvalidInputError, match="gameenv-train"):
        ModelCard.load(tmp_path)


def test_a_truncated_card_says_so(tmp_path: Path) -> None:
    path = CARD.save(tmp_path)
    path.write_text(path.read_text()[:-20])
    with pytest.raises(InvalidInputError, match="truncated or not JSON"):
        ModelCard.load(tmp_path)


@pytest.mark.parametrize(
    ("name", "value", "said"),
    [
        ("vocabulary", ["none", "w"], "speaks the vocabulary"),
        ("vocabulary", list(reversed(ACTIONS)), "speaks the vocabulary"),
        ("chunk_length", 8, "answers 8 actions"),
        ("fps", 0, "fps must be"),
        ("fps", "ten", "fps must be"),
        ("card_version", 99, "version 99"),
        ("recorded", {"wide": 128}, "wrong type"),
        ("seen", {"width": 128, "height": 72, "fit": "strech"}, "Did you mean 'stretch'"),
        ("recorded", 3, "wrong type"),
    ],
)
def test_a_card_with_a_wrong_field_is_refused(tmp_path: Path, name: str, value: Any, said: str) -> None:
    path = CARD.save(tmp_path)
    content = {**json.loads(path.read_text()), name: value}
    path.write_text(json.dumps(content))
    with pytest.raises(InvalidInputError, match=said):
        ModelCard.load(tmp_path)


def test_a_card_that_lacks_a_field_names_it(tmp_path: Path) -> None:
    path = CARD.save(tmp_path)
    content = json.loads(path.read_text())
    del content["chord_method"]
    path.write_text(json.dumps(content))
    with pytest.raises(InvalidInputError, match="lacks chord_method"):
        ModelCard.load(tmp_path)
    path.write_text("[1]")
    with pytest.raises(InvalidInputError, match="JSON object"):
        ModelCard.load(tmp_path)


def version_1(folder: Path, kind: str, **extra: Any) -> ModelCard:
    """What is read of a card as it was written when it had one ``frame``."""
    content = json.loads(CARD.save(folder).read_text())
    del content["recorded"], content["seen"]
    frame = {"width": 128, "height": 96, "fit": "stretch"}
    content |= {"card_version": 1, "kind": kind, "frame": frame, "extra": extra}
    (folder / CARD_FILE).write_text(json.dumps(content))
    return ModelCard.load(folder)


def test_the_one_frame_of_an_earlier_card_is_what_a_vlm_sees_and_what_was_recorded_for_bc(tmp_path: Path) -> None:
    vlm = version_1(tmp_path, "vlm")
    assert (vlm.recorded, vlm.seen) == (FrameSpec(512, 288, "stretch"), FrameSpec(128, 96, "stretch"))
    bc = version_1(tmp_path, "bc", input_size=[128, 72])
    assert (bc.recorded, bc.seen) == (FrameSpec(128, 96, "stretch"), FrameSpec(128, 72, "stretch"))


@pytest.mark.parametrize("frame", [3, {"wide": 128}, {"width": 4, "height": 4, "fit": "letterbox"}, None])
def test_an_earlier_card_with_a_wrong_frame_is_refused(tmp_path: Path, frame: object) -> None:
    version_1(tmp_path, "vlm")
    content = {**json.loads((tmp_path / CARD_FILE).read_text()), "frame": frame}
    if frame is None:
        del content["frame"]
    (tmp_path / CARD_FILE).write_text(json.dumps(content))
    with pytest.raises(InvalidInputError, match=CARD_FILE):
        ModelCard.load(tmp_path)


def test_a_fitting_environment_is_silent() -> None:
    assert check_env(CARD, env()) == []


def test_another_frame_size_is_warned_about_by_name() -> None:
    (warning,) = check_env(CARD, env(frame=FrameSpec(512, 288, "stretch")))
    assert "frame size" in warning
    assert "256x144" in warning
    assert "512x288" in warning


def test_an_environment_that_tells_nothing_is_warned_about() -> None:
    silent = SimpleNamespace(action_space=gym.spaces.Discrete(12))
    silent.unwrapped = silent
    assert len(check_env(CARD, silent)) == 2  # type: ignore[arg-type]


def test_what_makes_the_model_wrong_is_refused_by_name() -> None:
    with pytest.raises(InvalidInputError, match="fps: the model learned at 10, the environment runs at 30"):
        check_env(CARD, env(fps=30.0))
    for fps in (9.9, 10.1, 15.0):
        with pytest.raises(InvalidInputError, match=f"fps: the model learned at 10, the environment runs at {fps:g}"):
            check_env(CARD, env(fps=fps))
    with pytest.raises(InvalidInputError, match=r"actions: .*fit: the model learned on stretch"):
        check_env(CARD, env(frame=FrameSpec(128, 72), actions=4))
