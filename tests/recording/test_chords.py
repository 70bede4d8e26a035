from collections import Counter
from itertools import pairwise
from random import Random

import pytest

from gameenv.actions import KEYS, NONE
from recording.chords import DEFAULT, METHODS, PRIORITY, key_shares, reduce_error_diffusion, reduce_priority


def test_both_methods_are_there_by_name():
    assert set(METHODS) == {"error-diffusion", "priority"}
    assert DEFAULT == "error-diffusion"
    assert METHODS[DEFAULT] is reduce_error_diffusion
    assert sorted(PRIORITY) == sorted(KEYS)


def test_shares_are_the_time_each_key_was_down(make_row):
    row = make_row(0, ("w", "a"), ((0.25, "a", False), (0.5, "d", True), (0.75, "d", False), (0.9, "d", True)))
    assert key_shares(row) == pytest.approx({"w": 1.0, "a": 0.25, "d": 0.35})


def test_a_key_that_comes_up_at_the_grab_was_not_held(make_row):
    assert key_shares(make_row(0, ("w",), ((0.0, "w", False), (0.0, "a", True)))) == {"a": 1.0}
    assert key_shares(make_row(0, ("w",), ((0.0, "w", False),))) == {}


def test_a_press_of_no_length_is_still_a_press(make_row):
    row = make_row(0, (), ((0.5, "space", True), (0.5, "space", False)))
    assert key_shares(row) == {"space": 0.0}
    assert reduce_error_diffusion([row]) == ("space",)


def test_events_outside_their_tick_are_brought_into_it(make_row):
    assert key_shares(make_row(0, ("w",), ((-3.0, "w", False), (1.5, "a", True)))) == {"a": 0.0}


def test_no_rows_give_no_words():
    assert all(method([]) == () for method in METHODS.values())


@pytest.mark.parametrize("method", METHODS.values())
def test_one_key_at_a_time_stays_as_it_is(make_row, method):
    """The arena's way: a changed action is a release and a press, both at the grab."""
    rng = Random(0)
    words = [rng.choice((NONE, NONE, "w", "left", "enter")) for _ in range(500)]
    rows, held = [], NONE
    for index, word in enumerate(words):
        changes = [(0.0, key, down) for key, down in ((held, False), (word, True)) if key != NONE and held != word]
        rows.append(make_row(index, () if held == NONE else (held,), tuple(changes)))
        held = word
    assert list(method(rows)) == words


def test_two_keys_held_all_along_share_the_ticks(make_row):
    words = reduce_error_diffusion([make_row(i, ("w", "left")) for i in range(10)])
    assert Counter(words) == {"w": 5, "left": 5}
    assert all(a != b for a, b in pairwise(words)), "spread evenly, not in blocks"


def test_shares_follow_how_long_each_was_held(make_row):
    rows = [make_row(i, ("w",), ((0.0, "left", True), (1 / 3, "left", False))) for i in range(40)]
    # The presses are taps, each in a tick of its own: they would win every tick. Held over the border they share.
    held = [make_row(i, ("w", "left"), ((0.5, "left", False),) if i % 2 else ()) for i in range(40)]
    assert set(reduce_error_diffusion(rows)) == {"left"}
    # Without a press between, "left" was down for the first ticks only; what counts is the time within the row.
    counts = Counter(reduce_error_diffusion(held))
    assert counts["w"] + counts["left"] == 40
    assert counts["left"] == pytest.approx(40 * (0.5 * 1 / 2 + 0.5 * (0.5 / 1.5)), abs=1)


def test_a_tap_while_walking_takes_its_tick(make_row):
    rows = [make_row(i, ("w",)) for i in range(6)]
    rows[3] = make_row(3, ("w",), ((0.4, "space", True), (0.41, "space", False)))
    assert reduce_error_diffusion(rows) == ("w", "w", "w", "space", "w", "w")


def test_two_taps_in_one_tick_both_show(make_row):
    taps = ((0.1, "space", True), (0.2, "space", False), (0.3, "enter", True), (0.4, "enter", False))
    rows = [make_row(0, ("w",), taps), *(make_row(i, ("w",)) for i in range(1, 4))]
    assert reduce_error_diffusion(rows) == ("space", "enter", "w", "w")


def test_a_tap_at_the_end_of_a_stretch_takes_a_spare_tick_before_it(make_row):
    taps = ((0.1, "space", True), (0.2, "space", False), (0.3, "enter", True), (0.4, "enter", False))
    rows = [make_row(0, ("w",)), make_row(1, ("w",)), make_row(2, ("w",), ((0.5, "w", False), *taps))]
    assert Counter(reduce_error_diffusion(rows)) == {"w": 1, "space": 1, "enter": 1}


def test_taps_alone_in_one_tick_use_the_idle_ticks_beside_it(make_row):
    taps = tuple((share, key, down) for key in ("space", "enter", "c") for share, down in ((0.1, True), (0.2, False)))
    rows = [make_row(i) for i in range(5)]
    rows[1] = make_row(1, (), tuple(sorted(taps, key=lambda tap: tap[0])))
    words = reduce_error_diffusion(rows)
    assert {"space", "enter", "c"} <= set(words)
    assert words[4] == NONE


def test_takes_do_not_mix(make_row):
    first = [make_row(i, ("w", "a")) for i in range(3)]
    second = [make_row(i, ("w", "a"), take=1) for i in range(3, 6)]
    assert reduce_error_diffusion(first + second) == reduce_error_diffusion(first) + reduce_error_diffusion(second)
    assert reduce_error_diffusion(first) == reduce_error_diffusion(second)


def test_priority_gives_the_tick_to_the_first_on_its_list(make_row):
    rows = [make_row(0, ("w", "left")), make_row(1, ("w",), ((0.9, "enter", True),)), make_row(2)]
    assert reduce_priority(rows) == ("left", "enter", NONE)


def _random_take(rng, make_row, length):
    """A person's keys: holds and taps of any length, up to four at once."""
    events = [[] for _ in range(length)]
    for _ in range(rng.randint(1, length // 3 + 1)):
        key = rng.choice(KEYS)
        down = rng.random() * length
        up = down + rng.choice((0.01, 0.3, 1.0, 4.0, 12.0)) * rng.random()
        for at, pressed in ((down, True), (up, False)):
            if at < length:
                events[int(at)].append((at % 1, key, pressed))
    rows, held = [], {}
    for index in range(length):
        kept, before = [], tuple(held)
        for share, key, pressed in sorted(events[index], key=lambda event: event[0]):
            if pressed != (key in held):  # overlapping holds of one key are one hold
                held.pop(key) if key in held else held.update({key: True})
                kept.append((share, key, pressed))
        rows.append(make_row(index, before, tuple(kept)))
    return rows


@pytest.mark.parametrize("seed", range(150))
def test_what_always_holds(make_row, seed):
    rng = Random(seed)
    rows = _random_take(rng, make_row, rng.randint(1, 60))
    shares = [key_shares(row) for row in rows]
    words = reduce_error_diffusion(rows)
    assert len(words) == len(rows)
    assert words == reduce_error_diffusion(rows), "deterministic"
    for start, stop in _stretches(shares):
        active = {key for tick in shares[start:stop] for key in tick}
        pressed = {event.word for row in rows[start:stop] for event in row.events if event.down}
        if len(pressed) <= stop - start:
            assert pressed <= set(words[start:stop]), "no tap is lost"
        assert NONE not in words[start:stop], "something was held, so something is said"
        assert set(words[start:stop]) <= active, "nothing is said that was not held"
    lent = sum(word != NONE for word, share in zip(words, shares, strict=True) if not share)
    short = sum(
        max(0, len({key.word for row in rows[a:b] for key in row.events if key.down}) - (b - a))
        for a, b in _stretches(shares)
    )
    assert lent <= short, "idle ticks are lent only to taps for which their stretch is too short"
    for row, word in zip(rows, words, strict=True):
        taps = [event.word for event in row.events if event.down]
        if len(taps) == 1 and row.events[-1].word == taps[0] and not row.events[-1].down:
            assert word == taps[0] or taps[0] in words, "a tap alone in its tick takes it"


def _stretches(shares):
    start = None
    for index, share in enumerate([*shares, {}]):
        if share and start is None:
            start = index
        elif not share and start is not None:
            yield start, index
            start = None


@pytest.mark.parametrize("seed", range(60))
def test_keys_held_together_get_their_part(make_row, seed):
    """Constant shares, no presses: nobody is more than one tick short of what is owed, a key more than two."""
    rng = Random(seed)
    keys = tuple(sorted(rng.sample(KEYS, rng.randint(2, 3)), key=KEYS.index))
    parts = dict.fromkeys(keys, 1.0)
    parts[keys[-1]] = rng.choice((0.2, 0.5, 0.8))
    up = ((parts[keys[-1]], keys[-1], False),)
    length = rng.randint(5, 80)
    words = Counter(reduce_error_diffusion([make_row(i, keys, up) for i in range(length)]))
    for key in keys:
        assert abs(words[key] - length * parts[key] / sum(parts.values())) <= len(keys) - 1
