from pathlib import Path

import pytest

from gameenv.actions import ACTIONS
from gameenv.errors import InvalidInputError, UnknownNameError
from labeling.samples import SampleSettings, Tail, Windows, read_take, slide
from labeling.segments import cut
from recording import chords
from recording.session import Session
from tests.labeling.recordings import Ticks, record

WORDS = [ACTIONS[1 + index % 11] for index in range(100)]


def windows(session: Session, number: int, completed: bool = False, tail: Tail = "next") -> Windows:
    segment = cut(session)[number]
    take = next(take for take in session.takes if take.number == segment.take)
    return slide(segment, read_take(session, take, "error-diffusion"), completed, tail)


def chunks(found: Windows) -> dict[int, tuple[str, ...]]:
    return {window.row: window.chunk.actions for window in found.kept}


def test_a_row_s_own_word_is_the_first_of_its_window(tmp_path: Path):
    found = chunks(windows(record(tmp_path, "s", Ticks(WORDS[:60])), 0))
    assert sorted(found) == list(range(40))
    assert found[0] == tuple(WORDS[:7])
    assert found[20] == tuple(WORDS[20:27])


def test_an_unfinished_clip_goes_on_with_what_was_really_done_next(tmp_path: Path):
    found = windows(record(tmp_path, "s", Ticks(WORDS[:60])), 0)
    assert chunks(found)[39] == tuple(WORDS[39:46])
    assert found.dropped == {}


def test_a_completed_clip_goes_on_with_none_though_the_take_does_not_end(tmp_path: Path):
    session = record(tmp_path, "s", Ticks(WORDS[:40]), Ticks(["d"] * 40, goal="Open the door"))
    found = chunks(windows(session, 0, completed=True))
    assert found[33] == tuple(WORDS[33:40])
    assert found[34] == (*WORDS[34:40], "none")
    assert found[39] == (WORDS[39], *["none"] * 6)
    assert chunks(windows(session, 0, completed=False))[39] == (WORDS[39], *["d"] * 6)


def test_where_there_is_no_next_windows_are_dropped_and_counted(tmp_path: Path):
    session = record(tmp_path, "s", Ticks(WORDS[:43], take=0), Ticks(["d"] * 20, take=1))
    found = windows(session, 0)
    assert sorted(chunks(found)) == list(range(37))
    assert found.dropped == {"no_next": 6}


def test_tail_none_is_the_specification_s_plain_rule(tmp_path: Path):
    session = record(tmp_path, "s", Ticks(WORDS[:60]))
    for number, (start, stop) in enumerate([(0, 40), (40, 60)]):
        found = windows(session, number, tail="none")
        assert sorted(chunks(found)) == list(range(start, stop))
        assert chunks(found)[stop - 1] == (WORDS[stop - 1], *["none"] * 6)
        assert found.dropped == {}


def test_no_window_has_a_noise_action_among_its_targets(tmp_path: Path):
    found = windows(record(tmp_path, "s", Ticks(WORDS[:60], noise=[20, 21, 43])), 0)
    assert sorted(chunks(found)) == [*range(14), *range(22, 37)]
    assert found.dropped == {"noise": 8 + 3}


def test_noise_behind_a_completed_clip_does_not_matter(tmp_path: Path):
    session = record(tmp_path, "s", Ticks(WORDS[:40]), Ticks(["d"] * 40, goal="Open the door", noise=[0]))
    assert windows(session, 0, completed=True).dropped == {}


def test_noise_counts_in_a_padded_window_too(tmp_path: Path):
    found = windows(record(tmp_path, "s", Ticks(WORDS[:40], noise=[39])), 0, tail="none")
    assert sorted(chunks(found)) == list(range(33))


def test_one_of_every_so_many_rows_is_kept_with_its_window_whole(tmp_path: Path):
    session = record(tmp_path, "s", Ticks(WORDS[:60], noise=[20]))
    segment, take = cut(session)[1], read_take(session, session.takes[0], "error-diffusion")
    assert sorted(chunks(slide(segment, take, True, "next", 8))) == [40, 48, 56]
    found = slide(cut(session)[0], take, False, "next", 8)
    assert chunks(found) == {row: tuple(WORDS[row : row + 7]) for row in (0, 8, 24, 32)}
    assert found.dropped == {"noise": 7, "thinned": 40 - 7 - 4}


@pytest.mark.parametrize("method", chords.METHODS)
def test_chords_are_reduced_by_the_chosen_method_over_the_whole_take(tmp_path: Path, method: str):
    session = record(tmp_path, "s", Ticks(["w+d"] * 50), Ticks(["w"] * 5, take=1))
    take = read_take(session, session.takes[0], method)
    assert take.words == chords.METHODS[method](session[:50])
    assert set(take.words) == ({"d"} if method == "priority" else {"w", "d"})


def test_settings_refuse_unknown_names():
    with pytest.raises(UnknownNameError, match="Did you mean 'next'"):
        SampleSettings(tail="nxt")  # pyright: ignore[reportArgumentType]
    with pytest.raises(UnknownNameError, match="Valid: error-diffusion, priority"):
        SampleSettings(chords="first")
    with pytest.raises(InvalidInputError, match="at least 1, got 0"):
        SampleSettings(keep_every=0)


PAUSE = [*["w"] * 10, *["none"] * 12, *["d"] * 8]


@pytest.mark.parametrize("tail", ["next", "none"])
def test_a_pause_is_left_out_and_counted(tmp_path: Path, tail: Tail):
    """Twelve ticks of standing still hold six windows of seven; the one that would declare was the first lesson."""
    found = windows(record(tmp_path, "s", Ticks(PAUSE)), 0, tail=tail)
    assert found.dropped["pause"] == 6
    assert not any(window.chunk.done for window in found.kept)


def test_a_pause_before_the_goal_is_left_out_of_a_completed_clip_too(tmp_path: Path):
    found = windows(record(tmp_path, "s", Ticks([*PAUSE, *["none"] * 8])), 0, completed=True)
    assert found.dropped == {"pause": 6}
    assert [window.row for window in found.kept if window.chunk.done] == list(range(30, 38))


def test_the_plain_tail_rule_declares_nothing_that_was_not_reached(tmp_path: Path):
    found = windows(record(tmp_path, "s", Ticks([*["w"] * 10, *["none"] * 3])), 0, tail="none")
    assert found.dropped == {"pause": 3}
    assert chunks(found)[9] == ("w", *["none"] * 6)
