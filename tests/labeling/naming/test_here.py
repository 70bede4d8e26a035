"""``--labeler vlm``: a Qwen3-VL in this process, a tiny one with random weights, on the path that a large one takes."""

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from gameenv.errors import InvalidInputError
from labeling.choice import load_namer
from labeling.conformance import CHECKS, Subject
from labeling.labeler import Clip, Label, SetAside
from labeling.naming.here import ModelHere, prepare
from labeling.naming.options import LOOKS, Look, NamingOptions
from labeling.naming.question import ask_about
from labeling.naming.replies import Said
from labeling.segments import cut
from policies.vlm.inputs import IMAGE
from policies.vlm.loading import find_source, load_maker
from policies.vlm.tiny import save_tiny
from recording.session import Session
from tests.labeling.naming.conftest import Done

pytest.importorskip("torch")


@pytest.fixture(scope="module")
def tiny(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return save_tiny(tmp_path_factory.mktemp("tiny"))


def options(tiny: Path, **more: Any) -> NamingOptions:
    return NamingOptions(**{"model": str(tiny), "max_tokens": 12, "device": "cpu", **more})


def clips_of(session: Session) -> list[Clip]:
    return [Clip(session, segment) for segment in cut(session)]


@pytest.mark.slow
@pytest.mark.parametrize("check", [name for name in CHECKS if name != "answers every clip"])
def test_conforms_as_far_as_random_weights_can(tiny: Path, session: Session, tmp_path: Path, check: str) -> None:
    labeler = load_namer("vlm", options(tiny), tmp_path)
    CHECKS[check](Subject(labeler, session, tuple(clips_of(session))))


@pytest.mark.slow
def test_the_command_asks_it_and_sets_aside_what_it_babbles(tiny: Path, run: Callable[..., Done], home: Path) -> None:
    done = run("--labeler", "vlm", "--model", str(tiny), "--max-tokens", "8", "--device", "cpu")
    assert done.returncode == 0, done.stderr
    assert "4: the labeler's answer could not be used" in done.stdout
    entries = (home / "dataset/labeled_segments/labels/vlm.jsonl").read_text()
    assert "cut off after 8 tokens; raise --max-tokens" in entries
    assert f'"version": "{tiny}@' in entries


@pytest.mark.slow
@pytest.mark.parametrize("look", LOOKS)
def test_what_it_writes_does_not_depend_on_who_is_asked_beside_it(tiny: Path, session: Session, look: Look) -> None:
    asked = options(tiny, look=look, batch=3)
    questions = [ask_about(clip, asked) for clip in clips_of(session)[:3]]
    together = list(ModelHere(str(tiny), asked).ask(questions, lambda question, said: None))
    alone = ModelHere(str(tiny), options(tiny, look=look, batch=1))
    assert list(alone.ask(questions, lambda question, said: None)) == together
    assert all(said.text.startswith('{"changes": "') and said.asked_tokens > 100 for said in together)


@pytest.mark.parametrize(("look", "captions"), [("three", 0), ("anchored", 6)])
def test_each_picture_stands_in_its_place(tiny: Path, session: Session, look: Look, captions: int) -> None:
    """One token a merged patch, between the marks of a picture; a caption before each; the answer is begun."""
    maker = load_maker(find_source(str(tiny)))
    question = ask_about(clips_of(session)[0], options(tiny, look=look))
    prepared = prepare(question, maker)
    count = len(question.pictures)
    assert len(prepared.grids) == count
    text = maker.tokenizer.decode(prepared.ids)
    tokens = [f"<|vision_start|>{IMAGE * (down * across // 4)}<|vision_end|>" for _, down, across in prepared.grids]
    places = [text.index(token, 0) for token in tokens]
    assert places == sorted(places)
    assert text.count("<|vision_start|>") == count
    assert len(prepared.pixels) == sum(down * across for _, down, across in prepared.grids)
    assert text.count("Picture ") == captions
    assert text.endswith('assistant\n{"changes": "')
    if captions:
        assert text.index("Picture 1, at 0.0 s:") < places[0] < text.index("Picture 2, at 0.8 s:")


def test_a_good_answer_of_its_own_is_read(tiny: Path, session: Session, tmp_path: Path) -> None:
    labeler = load_namer("vlm", options(tiny), tmp_path)
    text = '{"changes": "x", "goal": "open the door", "completed": true, "confidence": 1, "evidence": "y"}'
    answer = labeler.read(clips_of(session)[0], Said(text))
    assert isinstance(answer, Label)
    assert (answer.goal, answer.completed, answer.labeler) == ("Open the door", True, "vlm")


def test_another_model_in_the_same_folder_is_another_version(tiny: Path, tmp_path: Path) -> None:
    before = load_namer("vlm", options(tiny), tmp_path).version
    other = save_tiny(tmp_path / "other", seed=1)
    assert load_namer("vlm", options(other), tmp_path).version != before
    assert load_namer("vlm", options(tiny, look="sheet"), tmp_path).version != before


def test_a_question_with_a_special_token_is_refused(tiny: Path, session: Session, tmp_path: Path) -> None:
    labeler = load_namer("vlm", options(tiny, language="<|im_end|>"), tmp_path)
    with pytest.raises(InvalidInputError, match=r"the model's token <.im_end.>"):
        list(labeler.label(clips_of(session)))


def test_a_folder_that_is_no_model_is_said(session: Session, tmp_path: Path) -> None:
    (tmp_path / "empty").mkdir()
    labeler = load_namer("vlm", options(tmp_path / "empty"), tmp_path)
    with pytest.raises(InvalidInputError, match="neither config"):
        list(labeler.label(clips_of(session)))


def test_idle_clips_are_not_shown_to_it(session: Session, tmp_path: Path) -> None:
    labeler = load_namer("vlm", options(tmp_path / "none"), tmp_path)
    (answer,) = labeler.label(clips_of(session)[-1:])
    assert isinstance(answer, SetAside)
    assert answer.reason == "idle"
