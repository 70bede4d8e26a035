"""The built-in game, recorded for real, labeled and read back."""

from pathlib import Path

import gymnasium as gym
import pytest

import gameenv
from gameenv.actions import action_index
from gameenv.arena.levels import GENERATOR_VERSION
from gameenv.arena.player.expert import Expert
from gameenv.frames import load_frame
from labeling import load_samples, split_samples
from labeling.build import label_session
from labeling.referee import Referee
from recording.session import Session
from recording.wrapper import RecordingWrapper

EPISODES = 4


@pytest.fixture(scope="module")
def session(tmp_path_factory: pytest.TempPathFactory) -> Session:
    assert gameenv.ACTIONS
    arena = gym.make("gameenv/Arena-v0", task="go-to-lantern", split="train", frame_size=(64, 36))
    env = RecordingWrapper(arena, tmp_path_factory.mktemp("raw"), "arena", source="expert")
    expert = Expert(noise=0.1)
    expert.attach(env)
    try:
        for number in range(EPISODES):
            _, info = env.reset(seed=number)
            expert.reset(info["goal"], seed=number)
            over = False
            while not over:
                word, env.source = expert.act()
                _, _, terminated, truncated, _ = env.step(action_index(word))
                over = terminated or truncated
    finally:
        env.close()
    return Session(env.path)


def test_an_episode_becomes_samples_that_end_with_the_declaration(session: Session, tmp_path: Path):
    outcomes = label_session(session, tmp_path, Referee())
    records = [outcome.record for outcome in outcomes]
    samples = load_samples(tmp_path)
    assert len(session.takes) == EPISODES
    for take in session.takes:
        clips = [record for record in records if record.take == take.number]
        assert [record.completed for record in clips] == [*[False] * (len(clips) - 1), True]
        assert len({record.goal_span for record in clips}) == 1
        assert clips[0].goal == session[take.start].goal
        assert clips[0].level == f"train/go-to-lantern/{take.number}/g{GENERATOR_VERSION}"
        assert (clips[0].task, clips[0].split) == ("go-to-lantern", "train")
        mine = [sample for sample in samples if sample.take == take.number]
        assert mine[-1].row == take.stop - 1
        assert mine[-1].chunk.done
        assert not mine[0].chunk.done


def test_each_sample_pairs_a_row_s_frame_with_what_was_pressed_from_it_on(session: Session, tmp_path: Path):
    label_session(session, tmp_path, Referee())
    sources = [row.source for row in session]
    for sample in load_samples(tmp_path):
        assert (load_frame(sample.image) == session.frame(sample.row)).all()
        take = session.takes[sample.take]
        pressed = [_pressed(session, row) for row in range(sample.row, min(sample.row + 7, take.stop))]
        assert list(sample.chunk)[: len(pressed)] == pressed
        assert set(list(sample.chunk)[len(pressed) :]) <= {"none"}
        assert "noise" not in sources[sample.row : min(sample.row + 7, take.stop)]


def test_validation_shares_no_level(session: Session, tmp_path: Path):
    label_session(session, tmp_path, Referee())
    training, validation = split_samples(load_samples(tmp_path), 0.25)
    assert {sample.level for sample in validation}
    assert not {sample.level for sample in training} & {sample.level for sample in validation}


def _pressed(session: Session, row: int) -> str:
    """The word down during a row, read from the events alone: the arena holds one key at most."""
    down = set(session[row].held)
    for event in session[row].events:
        (down.add if event.down else down.discard)(event.word)
    return next(iter(down), "none")
