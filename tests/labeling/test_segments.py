from pathlib import Path

import pytest

from gameenv.errors import InvalidInputError
from labeling.segments import cut, cut_around, segment_of
from tests.labeling.recordings import PERIOD_NS, Ticks, record


def spans(session, seconds: float = 4.0) -> list[tuple[int, int]]:
    return [(segment.start, segment.stop) for segment in cut(session, seconds)]


def test_four_seconds_at_ten_ticks_a_second_are_forty_rows(tmp_path: Path):
    segments = cut(record(tmp_path, "s", Ticks(["w"] * 120)))
    assert [(segment.number, segment.start, segment.stop) for segment in segments] == [
        (0, 0, 40),
        (1, 40, 80),
        (2, 80, 120),
    ]
    assert segments[1].start_t_ns == 40 * PERIOD_NS
    assert segments[1].end_t_ns == 80 * PERIOD_NS
    assert segments[0].known_goal == "Go to the lantern"


@pytest.mark.parametrize(("rows", "expected"), [(86, [40, 46]), (87, [40, 40, 7]), (6, [6]), (46, [46]), (1, [1])])
def test_a_last_clip_shorter_than_seven_ticks_joins_the_one_before(tmp_path: Path, rows: int, expected: list[int]):
    assert [len(segment) for segment in cut(record(tmp_path, "s", Ticks(["w"] * rows)))] == expected


def test_clips_never_cross_takes(tmp_path: Path):
    session = record(tmp_path, "s", Ticks(["w"] * 43, take=0), Ticks(["w"] * 3, take=1), Ticks(["w"] * 50, take=2))
    assert spans(session) == [(0, 43), (43, 46), (46, 86), (86, 96)]
    assert [segment.take for segment in cut(session)] == [0, 1, 2, 2]


def test_a_change_of_the_known_goal_ends_a_clip(tmp_path: Path):
    session = record(
        tmp_path, "s", Ticks(["w"] * 20), Ticks(["w"] * 50, goal="Open the door"), Ticks(["w"] * 5, goal=None)
    )
    assert spans(session) == [(0, 20), (20, 60), (60, 70), (70, 75)]
    assert [segment.known_goal for segment in cut(session)] == ["Go to the lantern", *["Open the door"] * 2, None]


def test_a_short_clip_never_joins_one_of_another_goal(tmp_path: Path):
    session = record(tmp_path, "s", Ticks(["w"] * 40), Ticks(["w"] * 3, goal="Open the door"))
    assert spans(session) == [(0, 40), (40, 43)]


def test_time_decides_not_the_count_of_rows(tmp_path: Path):
    """Ten rows, then ticks lost for three seconds (within a take), then more."""
    session = record(tmp_path, "s", Ticks(["w"] * 10), Ticks(["w"] * 30, t_ns=4_000_000_000))
    assert spans(session) == [(0, 10), (10, 40)]


def test_seconds_that_no_clip_falls_into_make_none(tmp_path: Path):
    session = record(tmp_path, "s", Ticks(["w"] * 10), Ticks(["w"] * 30, t_ns=100_000_000_000))
    assert [segment.number for segment in cut(session)] == [0, 1]


def test_other_lengths(tmp_path: Path):
    session = record(tmp_path, "s", Ticks(["w"] * 60))
    assert spans(session, 2.5) == [(0, 25), (25, 50), (50, 60)]
    with pytest.raises(InvalidInputError, match="above 0"):
        cut(session, 0)


def test_an_empty_session_has_no_clips(tmp_path: Path):
    assert cut(record(tmp_path, "s")) == []


def around(session, *taken: tuple[int, int, int]) -> list[tuple[int, int, int]]:
    by_number = {number: (start, stop) for number, start, stop in taken}
    return [(segment.number, segment.start, segment.stop) for segment in cut_around(session, 4.0, by_number)]


def test_clips_are_cut_around_those_that_are_there_and_keep_their_numbers(tmp_path: Path):
    session = record(tmp_path, "s", Ticks(["w"] * 120))
    assert around(session, (1, 40, 80)) == [(0, 0, 40), (2, 80, 120)]
    assert around(session, (1, 40, 60), (3, 60, 80)) == [(0, 0, 40), (2, 80, 120)]
    assert around(session, (0, 30, 90)) == [(3, 0, 30), (2, 90, 120)]
    assert around(session, (1, 50, 60)) == [(0, 0, 40), (3, 40, 50), (4, 60, 80), (2, 80, 120)]
    assert around(session, (0, 0, 120)) == []


@pytest.mark.parametrize(("start", "stop"), [(30, 50), (110, 130), (5, 5), (-1, 4)])
def test_a_clip_is_rows_of_one_take(tmp_path: Path, start: int, stop: int):
    session = record(tmp_path, "s", Ticks(["w"] * 43, take=0), Ticks(["w"] * 80, take=1))
    with pytest.raises(InvalidInputError, match="a clip is some rows of one take"):
        segment_of(session, 0, start, stop)
