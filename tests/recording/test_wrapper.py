import subprocess
import sys

import numpy as np
import pytest
from gymnasium.utils.env_checker import check_env

from gameenv.actions import action_index
from gameenv.errors import InvalidInputError, SessionError, UnknownNameError
from recording import RecordingWrapper, Session
from recording.chords import reduce_error_diffusion
from recording.session_writer import SessionWriter


def play(env, words, source="human"):
    for word in words:
        env.source = source
        env.step(action_index(word))


def test_a_row_pairs_a_grab_with_the_keys_until_the_next(make_env, tmp_path):
    with RecordingWrapper(make_env(), tmp_path, "one", "small") as env:
        env.reset(seed=3)
        play(env, ("w", "w", "none", "left"))
    session = Session(tmp_path / "one")
    assert reduce_error_diffusion(session) == ("w", "w", "none", "left")
    assert [row.held for row in session] == [(), ("w",), ("w",), ()]
    assert [[(event.word, event.down) for event in row.events] for row in session] == [
        [("w", True)],
        [],
        [("w", False)],
        [("left", True)],
    ]
    assert [(row.t_ns, row.end_t_ns) for row in session] == [(i * 10**8, (i + 1) * 10**8) for i in range(4)]
    assert [session.frame(i).mean() for i in range(4)] == pytest.approx([0, 1, 2, 3], abs=1)
    assert session[2].goal == "Go to the lantern"
    assert session[2].info == {"tick": 2, "goal_reached": False, "level": "train/small/0", "health": 99.5}


def test_the_source_is_that_of_the_action_about_to_be_played(make_env, tmp_path):
    with RecordingWrapper(make_env(), tmp_path, "one", "small", source="expert") as env:
        env.reset()
        env.step(1)
        env.source = "noise"
        env.step(1)
        env.source = "expert"
        env.step(1)
        with pytest.raises(InvalidInputError, match="a source is one of"):
            env.source = "ghost"  # pyright: ignore[reportAttributeAccessIssue]
    assert [row.source for row in Session(env.path)] == ["expert", "noise", "expert"]


def test_what_a_person_plays_after_taking_over_is_a_correction(make_env, tmp_path):
    """Who has the keys is what the grab says that the row begins with, as it is for the keys held."""

    def take_over(info):
        info["control"] = "human" if 2 <= info["tick"] < 4 else "agent"

    with RecordingWrapper(make_env(change=take_over), tmp_path, "one", "small", source="policy") as env:
        env.reset()
        play(env, ["w"] * 6, source="policy")
    assert [row.source for row in Session(env.path)] == ["policy"] * 2 + ["correction"] * 2 + ["policy"] * 2
    with RecordingWrapper(make_env(change=lambda info: info.update(control="human")), tmp_path, "two", "small") as env:
        env.reset()
        play(env, ["w"] * 2)
    assert [row.source for row in Session(env.path)] == ["human"] * 2, "nobody was taken over from"


def test_the_last_step_of_an_episode_closes_its_row(make_env, tmp_path):
    with RecordingWrapper(make_env(length=3), tmp_path, "one", "small") as env:
        for _ in range(2):
            env.reset()
            play(env, ("w", "w", "w"))
    session = Session(env.path)
    assert [(take.start, take.stop) for take in session.takes] == [(0, 3), (3, 6)]
    assert [row.info.get("ended") for row in session] == [None, None, "terminated"] * 2
    assert session[2].info["reward"] == 1.0
    assert session.info.totals is not None
    assert (session.info.totals.episodes, session.info.totals.successes) == (2, 2)


def test_the_observation_passes_through_untouched(make_env, tmp_path):
    inner = make_env()
    given = []
    step = inner.step
    inner.step = lambda action: given.append(step(action)) or given[-1]
    with RecordingWrapper(inner, tmp_path, "one", "small") as env:
        env.reset()
        assert env.step(1)[0] is given[0][0]
        assert env.step(1)[4] is given[1][4]


def test_an_environment_may_draw_into_the_same_array(make_env, tmp_path):
    inner, canvas = make_env(), np.zeros((32, 48, 3), np.uint8)
    frame = inner._frame
    inner._frame = lambda: np.copyto(canvas, frame()) or canvas
    with RecordingWrapper(inner, tmp_path, "one", "small") as env:
        env.reset()
        play(env, ["w"] * 4)
    assert [Session(env.path).frame(i).mean() for i in range(4)] == pytest.approx([0, 1, 2, 3], abs=1)


def _takes_with(make_env, tmp_path, change, steps=10):
    with RecordingWrapper(make_env(change=change), tmp_path, "one", "small") as env:
        env.reset()
        play(env, ["w"] * steps)
    session = Session(env.path)
    return [[row.info["tick"] for row in session[take.start : take.stop]] for take in session.takes], session


def test_a_gap_of_more_than_two_ticks_begins_a_new_take(make_env, tmp_path):
    def skip(info):
        info["tick"] += 3 if info["tick"] > 4 else 0

    takes, _ = _takes_with(make_env, tmp_path, skip)
    assert takes == [[0, 1, 2, 3], [8, 9, 10, 11, 12]]


def test_one_missed_tick_is_counted_and_is_no_gap(make_env, tmp_path):
    def skip(info):
        info["tick"] += 1 if info["tick"] > 4 else 0

    takes, session = _takes_with(make_env, tmp_path, skip)
    assert takes == [[0, 1, 2, 3, 4, 6, 7, 8, 9, 10]]
    assert session.info.totals is not None
    assert session.info.totals.dropped == 1


def test_nothing_is_recorded_without_the_focus(make_env, tmp_path):
    def lose(info):
        info["focused"] = info["tick"] not in (4, 5)

    takes, session = _takes_with(make_env, tmp_path, lose)
    assert takes == [[0, 1, 2], [6, 7, 8, 9]]
    assert all(row.focused for row in session)


def test_nothing_is_recorded_while_paused(make_env, tmp_path):
    with RecordingWrapper(make_env(), tmp_path, "one", "small") as env:
        env.reset()
        play(env, ["w"] * 3)
        env.paused = True
        play(env, ["w"] * 3)
        env.paused = False
        play(env, ["w"] * 3)
    session = Session(env.path)
    assert [row.info["tick"] for row in session] == [0, 1, 2, 7, 8]
    assert [len(take) for take in session.takes] == [3, 2]


def test_takes_are_numbered_without_holes(make_env, tmp_path):
    with RecordingWrapper(make_env(), tmp_path, "one", "small") as env:
        for steps in (2, 0, 0, 1):
            env.reset()
            play(env, ["w"] * steps)
    assert [take.number for take in Session(env.path).takes] == [0, 1]


def test_it_passes_gymnasiums_checks_and_closes_once(make_env, tmp_path, recwarn):
    inner = make_env()
    env = RecordingWrapper(inner, tmp_path, "one", "small")
    check_env(env, skip_render_check=True, skip_close_check=True)
    env.close()
    env.close()
    assert inner.closed == 1
    assert Session(env.path).closed


def test_a_resumed_session_goes_on_with_the_next_take(make_env, tmp_path):
    for resume in (False, True):
        with RecordingWrapper(make_env(), tmp_path, "one", "small", resume=resume) as env:
            env.reset()
            play(env, ["w"] * 2)
    assert [row.take for row in Session(env.path)] == [0, 0, 1, 1]
    with pytest.raises(SessionError, match="game 'small', not 'other'"):
        RecordingWrapper(make_env(), tmp_path, "one", "other", resume=True)


def test_two_recorders_on_one_session(make_env, tmp_path):
    with RecordingWrapper(make_env(), tmp_path, "one", "small"), pytest.raises(SessionError, match="another recorder"):
        RecordingWrapper(make_env(), tmp_path, "one", "small", resume=True)


def test_several_environments_share_one_writer(make_env, make_info, tmp_path):
    with SessionWriter(tmp_path, make_info()) as writer:
        wrappers = [RecordingWrapper(make_env(), writer=writer) for _ in range(2)]
        for number, env in enumerate([*wrappers, wrappers[0]]):
            env.notes = {"episode": number}
            env.reset()
            play(env, ["w"] * 2)
        wrappers[0].close()
        assert not Session(writer.path).closed
    session = Session(writer.path)
    assert [row.take for row in session] == [0, 0, 1, 1, 2, 2]
    assert [row.info["episode"] for row in session] == [0, 0, 1, 1, 2, 2]


def test_sessions_without_a_name_get_one_that_sorts_by_time(make_env, tmp_path):
    names = []
    for _ in range(3):
        with RecordingWrapper(make_env(), tmp_path) as env:
            names.append(env.session_id)
    assert len(set(names)) == 3
    assert all(len(name) == 20 and name[8] == name[15] == "-" for name in names)


def test_what_cannot_be_recorded_says_why(make_env, tmp_path):
    env = RecordingWrapper(make_env(change=lambda info: info.pop("key_events")), tmp_path, "one")
    with pytest.raises(InvalidInputError, match="lacks key_events"):
        env.reset()
    env.close()

    def rename(info):
        info["held"] = ("forward",)

    with RecordingWrapper(make_env(change=rename), tmp_path, "two") as env:
        env.reset()
        with pytest.raises(UnknownNameError, match="forward"):
            env.step(1)


def test_importing_recording_loads_nothing_heavy():
    code = (
        "import sys, recording; "
        "print([m for m in ('torch', 'transformers', 'mss', 'pynput', 'vizdoom', 'matplotlib') if m in sys.modules])"
    )
    assert subprocess.run([sys.executable, "-c", code], capture_output=True, check=True).stdout == b"[]\n"


def test_a_goal_is_reached_at_the_row_in_which_the_person_says_so(make_env, tmp_path):
    """And the next goal begins a take of its own, with no row lost."""

    def press(info):
        info["hotkeys"] = ("f8",) if info["tick"] in (3, 8) else ()

    with RecordingWrapper(make_env(change=press), tmp_path, "s", reserve_bytes=0) as recorder:
        recorder.reached_keys = ("f8",)
        recorder.goal = "Open the door"
        recorder.reset()
        for tick in range(1, 11):
            recorder.step(0)
            if tick == 3:
                recorder.end_take()
                recorder.goal = "Climb the stairs"
            recorder.paused = tick in (6, 7)  # what is said while nothing is recorded is about nothing
        assert recorder.marked == 1
    session = Session(tmp_path / "s")
    assert [row.index for row in session if row.reached] == [2]
    assert [(take.number, take.start) for take in session.takes][:2] == [(0, 0), (1, 3)]
    assert {row.goal for row in session[:3]} == {"Open the door"}
    assert {row.goal for row in session[3:]} == {"Climb the stairs"}
    assert session[2].info["mark"] == "reached"
    assert "hotkeys" not in session[2].info
    assert b"f8" not in (tmp_path / "s" / "steps.jsonl").read_bytes()
