import random
from pathlib import Path

import pytest

from gameenv.actions import ActionChunk
from gameenv.errors import InvalidInputError
from labeling import Sample, split_samples

CHUNK = ActionChunk.of(["w"] * 7)


def sample(row: int, session: str = "s", take: int = 0, level: str | None = None) -> Sample:
    return Sample(
        image=Path(f"/{session}/{row}.jpg"),
        goal="Go to the lantern",
        chunk=CHUNK,
        session_id=session,
        segment=row // 40,
        row=row,
        take=take,
        level=level,
        split=None,
        task=None,
        completed=False,
        goal_span="",
    )


def levels(count: int, each: int = 30) -> list[Sample]:
    return [
        sample(number * each + row, take=number, level=f"train/go-to-lantern/{number}/g1")
        for number in range(count)
        for row in range(each)
    ]


def test_levels_are_never_on_both_sides():
    samples = levels(100)
    training, validation = split_samples(samples)
    assert len(training) + len(validation) == len(samples)
    assert len(validation) == 300
    assert not {sample.level for sample in training} & {sample.level for sample in validation}


def test_a_level_played_in_two_sessions_stays_together():
    samples = levels(20) + [sample(row, "again", 0, f"train/go-to-lantern/{row // 30}/g1") for row in range(600)]
    training, validation = split_samples(samples)
    assert len(validation) == 120
    assert not {sample.level for sample in training} & {sample.level for sample in validation}


def test_without_levels_sessions_are_never_on_both_sides():
    samples = [sample(row, f"s{number}", row // 50) for number in range(10) for row in range(100)]
    training, validation = split_samples(samples)
    assert len(validation) == 100
    assert not {sample.session_id for sample in training} & {sample.session_id for sample in validation}


def test_the_group_nearest_to_the_share_is_taken():
    samples = [sample(row, "long") for row in range(900)] + [sample(row, "short") for row in range(100)]
    assert {sample.session_id for sample in split_samples(samples)[1]} == {"short"}
    halves = [sample(row, name) for name in ("a", "b") for row in range(100)]
    assert [len(side) for side in split_samples(halves)] == [100, 100]


def test_levels_and_sessions_without_any_split_side_by_side():
    samples = levels(20) + [sample(row, f"live{number}") for number in range(20) for row in range(30)]
    training, validation = split_samples(samples, 0.2)
    assert len(validation) == 240
    keys = [{(sample.level, sample.session_id) for sample in side} for side in (training, validation)]
    assert not keys[0] & keys[1]


def test_one_session_is_split_by_takes():
    samples = [sample(row, take=row // 60) for row in range(1200)]
    training, validation = split_samples(samples)
    assert len(validation) == 120
    assert not {sample.take for sample in training} & {sample.take for sample in validation}


@pytest.mark.parametrize("rows", [36_000, 2000, 300, 90, 40])
@pytest.mark.parametrize("seed", range(5))
def test_one_take_is_split_by_blocks_that_share_no_tick(rows: int, seed: int):
    training, validation = split_samples([sample(row) for row in range(rows)], 0.1, seed)
    assert training
    assert validation
    held_out = {row for sample in validation for row in range(sample.row, sample.row + 7)}
    assert not held_out & {row for sample in training for row in range(sample.row, sample.row + 7)}
    nearest = min(abs(one.row - other.row) for one in training[:500] for other in validation[:500])
    assert nearest > 7
    if rows >= 2000:
        assert abs(len(validation) / rows - 0.1) < 0.02
        assert len(training) / rows > 0.55


def test_rows_without_samples_do_not_confuse_blocks():
    samples = [sample(row) for row in range(1000) if row % 3]
    training, validation = split_samples(samples)
    assert min(abs(one.row - other.row) for one in training for other in validation) > 7


def test_the_split_depends_on_the_seed_only():
    samples = levels(50)
    shuffled = random.Random(1).sample(samples, len(samples))
    first, again = split_samples(samples), split_samples(shuffled)
    assert [set(side) for side in first] == [set(side) for side in again]
    assert first == split_samples(samples)
    assert split_samples(samples, seed=1) != first


def test_order_is_kept():
    samples = levels(20)
    for side in split_samples(samples):
        assert side == [sample for sample in samples if sample in set(side)]


def test_new_levels_move_few_old_ones():
    before = {sample.level for sample in split_samples(levels(200))[1]}
    after = {sample.level for sample in split_samples(levels(220))[1]}
    assert len(before & after) >= 0.8 * len(before)


def test_no_validation_can_be_asked_for():
    samples = levels(3)
    assert split_samples(samples, 0) == (samples, [])


@pytest.mark.parametrize("fraction", [-0.1, 1.0, 2.0, float("nan")])
def test_a_share_out_of_range_is_refused(fraction: float):
    with pytest.raises(InvalidInputError, match="0 to below 1"):
        split_samples(levels(3), fraction)


@pytest.mark.parametrize("rows", [0, 1, 8])
def test_too_few_to_split_is_refused(rows: int):
    with pytest.raises(InvalidInputError, match="too few"):
        split_samples([sample(row) for row in range(rows)])
