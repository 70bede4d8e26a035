import json
import os
import shutil
import time
import warnings
from dataclasses import replace
from pathlib import Path

import pytest

from gameenv.actions import ACTIONS
from gameenv.errors import InvalidInputError
from gameenv.frames import load_frame
from labeling import load_info, load_samples
from labeling.build import label_session
from labeling.referee import Referee
from labeling.segment_folder import read_record, write_record
from tests.labeling.recordings import Ticks, frame, holds_from, record

WORDS = [ACTIONS[1 + index % 11] for index in range(60)]
LEVEL = "validation/go-to-lantern/17/g1"


@pytest.fixture
def root(tmp_path: Path) -> Path:
    raw, out = tmp_path / "raw", tmp_path / "out"
    arena = Ticks(WORDS, reached=holds_from(58, 60), level=LEVEL)
    label_session(record(raw, "a", arena), out, Referee())
    label_session(record(raw, "b", Ticks(["d"] * 46, take=4, goal="Open the door")), out, Referee())
    return out


def test_every_sample_comes_back_whole_and_in_order(root: Path):
    samples = load_samples(root)
    assert [(sample.session_id, sample.row) for sample in samples] == [
        *(("a", row) for row in range(60)),
        *(("b", row) for row in range(40)),
    ]
    sample = samples[45]
    assert sample.image == root.absolute() / "a_seg0001" / "frame_0005.jpg"
    assert abs(load_frame(sample.image).astype(int) - frame(45)).max() < 4
    assert sample.chunk.actions == tuple(WORDS[45:52])
    assert (sample.goal, sample.segment, sample.take, sample.completed) == ("Go to the lantern", 1, 0, True)
    assert (sample.level, sample.split, sample.task) == (LEVEL, "validation", "go-to-lantern")
    assert sample.goal_span == "a_seg0000"
    assert (samples[-1].take, samples[-1].level, samples[-1].goal) == (4, None, "Open the door")
    assert samples[58].chunk.actions[2:] == ("none",) * 5
    assert not any(sample.chunk.done for sample in samples)


def test_a_relative_root_gives_absolute_paths(root: Path, monkeypatch: pytest.MonkeyPatch):
    monkeypatch.chdir(root.parent)
    assert load_samples("out") == load_samples(root)


def test_clips_beyond_9999_stay_in_order(root: Path):
    for number, name in ((9999, "a_seg9999"), (10000, "a_seg10000")):
        shutil.copytree(root / "a_seg0000", root / name)
        write_record(root / name, replace(read_record(root / name), number=number))
    assert list(dict.fromkeys(sample.segment for sample in load_samples(root)[:140])) == [0, 1, 9999, 10000]


def test_info_says_what_segments_have_in_common(root: Path):
    info = load_info(root)
    assert (info.fps, info.frame_size, info.fit, info.chunk_length) == (10.0, (32, 16), "letterbox", 7)
    assert (info.vocabulary, info.chords, info.tail) == (ACTIONS, ("error-diffusion",), ("next",))
    assert (info.segments, info.samples) == (3, 100)


def test_no_folder(tmp_path: Path):
    with pytest.raises(InvalidInputError, match=r"there is no folder .*nowhere\. Run gameenv-label first"):
        load_samples(tmp_path / "nowhere")


def test_no_segments(tmp_path: Path):
    (tmp_path / "notes").mkdir()
    (tmp_path / ".part-a_seg0000-12").mkdir()
    with pytest.raises(InvalidInputError, match=r"has no labeled segments\. Run gameenv-label"):
        load_samples(tmp_path)


def test_no_samples(tmp_path: Path):
    label_session(record(tmp_path / "raw", "a", Ticks(["w"] * 4)), tmp_path / "out", Referee())
    with pytest.raises(InvalidInputError, match="hold no samples"):
        load_samples(tmp_path / "out")


def edit(root: Path, number: int, line: str) -> Path:
    path = root / "a_seg0000" / "samples.jsonl"
    lines = path.read_text().splitlines()
    lines[number - 1] = line
    path.write_text("\n".join(lines) + "\n")
    return path


def message(root: Path, number: int) -> dict:
    return json.loads((root / "a_seg0000" / "samples.jsonl").read_text().splitlines()[number - 1])


def test_a_truncated_line_is_named_by_file_and_line(root: Path):
    path = root / "a_seg0000" / "samples.jsonl"
    path.write_text(path.read_text()[:-30])
    with pytest.raises(InvalidInputError, match=r"a_seg0000/samples.jsonl line 40 is not a sample: Unterminated"):
        load_samples(root)


def test_a_truncated_line_in_the_middle(root: Path):
    edit(root, 7, '{"messages": [')
    with pytest.raises(InvalidInputError, match=r"samples.jsonl line 7 is not a sample"):
        load_samples(root)


def test_a_bad_reply_a_wrong_form_and_a_wrong_goal_are_named(root: Path):
    bad = message(root, 3)
    bad["messages"][1]["content"] = '{"actions": ["w"]}'
    edit(root, 3, json.dumps(bad))
    with pytest.raises(InvalidInputError, match=r"line 3 .*exactly 7 words, got 1"):
        load_samples(root)
    edit(root, 3, "{}")
    with pytest.raises(InvalidInputError, match=r"line 3 .*a sample is"):
        load_samples(root)
    bad = message(root, 1)
    bad["messages"][0]["content"][1]["text"] = "Goal: Run away now\n\nPredict the next 7 actions:"
    edit(root, 3, json.dumps(bad))
    with pytest.raises(InvalidInputError, match=r"line 3 .*segment.json's goal asks for"):
        load_samples(root)


def test_lines_that_are_gone_are_noticed(root: Path):
    path = root / "a_seg0000" / "samples.jsonl"
    path.write_text("".join(line + "\n" for line in path.read_text().splitlines()[:-1]))
    with pytest.raises(InvalidInputError, match=r"has 39 lines, but segment\.json lists 40 samples"):
        load_samples(root)


def test_a_truncated_record_is_named(root: Path):
    path = root / "b_seg0000" / "segment.json"
    path.write_text(path.read_text()[:50])
    with pytest.raises(InvalidInputError, match=r"cannot read .*b_seg0000/segment.json.*gameenv-label again"):
        load_samples(root)


def test_an_incomplete_segment_is_left_out_with_a_warning(root: Path):
    (root / "b_seg0000" / "segment.json").unlink()
    with pytest.warns(UserWarning, match="1 segments in .* not complete .*b_seg0000"):
        assert len(load_samples(root)) == 60


def test_more_than_a_hundredth_of_frames_missing_is_refused_and_listed(root: Path):
    for number in (4, 5):
        (root / "a_seg0000" / f"frame_{number:04d}.jpg").unlink()
    with pytest.raises(
        InvalidInputError, match=r"2 of 100 frames .*frame_0004.jpg, .*frame_0005.jpg\. More than 1% is"
    ):
        load_samples(root)


@pytest.mark.parametrize("kept", [None, 0, 100])
def test_fewer_are_left_out_with_a_warning_and_so_are_those_cut_short(root: Path, kept: int | None):
    frame = root / "a_seg0000" / "frame_0004.jpg"
    content = frame.read_bytes()
    frame.unlink()
    if kept is not None:
        frame.write_bytes(content[:kept])
    with pytest.warns(UserWarning, match=r"1 of 100 frames .*frame_0004.jpg\. Their samples are left out"):
        samples = load_samples(root)
    assert len(samples) == 99
    assert 4 not in [sample.row for sample in samples if sample.session_id == "a"]


@pytest.mark.parametrize(
    ("change", "said"),
    [
        ({"vocabulary": ("none", "w")}, r"b_seg0000 has vocabulary \('none', 'w'\)"),
        ({"chunk_length": 5}, "b_seg0000 has chunk_length 5, expected 7"),
        ({"prompt_version": 99}, "has prompt_version 99, expected 1"),
        ({"fps": 20.0}, "mixes recordings of different fps: a_seg0000 has 10.0, b_seg0000 has 20.0"),
        ({"frame_size": (64, 32)}, "different frame_size"),
        ({"fit": "stretch"}, "different fit"),
    ],
)
def test_what_cannot_be_mixed_is_refused_by_name(root: Path, change: dict[str, object], said: str):
    folder = root / "b_seg0000"
    write_record(folder, replace(read_record(folder), **change))  # pyright: ignore[reportArgumentType]
    for read in (load_samples, load_info):
        with pytest.raises(InvalidInputError, match=said):
            read(root)


def test_a_field_that_is_missing_and_another_format_are_named(root: Path):
    path = root / "b_seg0000" / "segment.json"
    content = json.loads(path.read_text())
    path.write_text(json.dumps({key: value for key, value in content.items() if key != "goal"}))
    with pytest.raises(InvalidInputError, match="lacks goal"):
        load_samples(root)
    path.write_text(json.dumps(content | {"format_version": 2}))
    with pytest.raises(InvalidInputError, match="format version 2, expected 1"):
        load_samples(root)
    path.write_text("[]")
    with pytest.raises(InvalidInputError, match="format version list"):
        load_samples(root)


@pytest.mark.slow
def test_an_hour_of_samples_loads_in_seconds(root: Path):
    """900 clips: about ten times the processor time it takes is allowed."""
    for number in range(2, 902):
        shutil.copytree(root / "a_seg0000", root / f"a_seg{number:04d}", copy_function=os.link)
    with warnings.catch_warnings():
        warnings.simplefilter("error")
        start = time.process_time()
        assert len(load_samples(root)) == 36_100
        assert time.process_time() - start < 15
