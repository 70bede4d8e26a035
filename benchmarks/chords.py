"""What is lost when several keys at once become one word a tick: error diffusion beside fixed priority, replayed.

A player with two hands plays arena levels, its keys changing at any of the engine's 35 tics a second. Each episode
becomes the rows that a recorder would have written, the rows become words by either method of ``recording.chords``,
and the words are replayed in the same level from the same start, without looking, for as long as the original took.

Beside them: the recorded keys at their own times, which must end where the original did; all keys, each for whole
ticks (those it was down for at least half of), so that what ten ticks a second cost is seen apart; a priority list that
puts walking before turning; and no key at all, for scale. "Off after 0.7 s" is what a training sample says: the
original is followed to a moment at which two keys were down, and from there seven words are played.

    python benchmarks/chords.py                         200 episodes of eight families, validation levels
    python benchmarks/chords.py --tasks go-to-lantern --episodes 40
"""

import statistics
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from random import Random
from typing import Any, Literal

import numpy as np
import scipy.stats
from tic_play import Stage, Trace, apart, record, recorded_keys, spread
from two_hands import Keys

from gameenv.actions import CHUNK_LENGTH, NONE
from gameenv.arena import tasks
from gameenv.arena.aim import wrap_degrees
from gameenv.arena.levels import Level
from gameenv.arena.tics import tics_until
from gameenv.cli import parse
from gameenv.clock import DEFAULT_FPS
from policies.evaluation.statistics import mcnemar, wilson
from recording.chords import key_shares, reduce_error_diffusion, reduce_priority
from recording.rows import SessionRow

OURS, THEIRS, FEET_FIRST = "error diffusion", "fixed priority", "priority, walking first"
TIMES, WHOLE, NOTHING = "all keys, at their times", "all keys, whole ticks", "no key"
WALKING_FIRST = ("enter", "space", "c", "w", "s", "a", "d", "left", "right", "up", "down")
MOMENTS = 4
"""From how many moments of an episode seven words are played."""
# fmt: off
HEADER = (
    "levels", "replay", "units off", "share of the way", "units off after 0.7 s", "degrees off", "walked", "turned",
    "reached",
)
# fmt: on
_RESAMPLES = 10_000

# fmt: off
FAMILIES = (
    "go-to-lantern", "go-to-torch", "open-door", "climb-stairs", "check-posters", "crawl-vent", "jump-ledge",
    "press-switch",
)
# fmt: on


@dataclass(frozen=True, slots=True)
class Args:
    """Replay recorded two-handed play after each reduction to one word a tick."""

    tasks: tuple[str, ...] = FAMILIES
    """Task families, which share the episodes evenly."""
    episodes: int = 200
    """Episodes in all."""
    split: Literal["train", "validation"] = "validation"
    """Levels to play; test levels are not for this."""
    seed: int = 0
    """Throws the player's fingers and the moments at which keys move."""


@dataclass(frozen=True, slots=True)
class Replay:
    """How a replay ended.

    Attributes:
        off: Distance to where the original ended, map units over the floor.
        off_share: The same, as a share of the way the original walked.
        off_after_chunk: Mean distance to the original after seven ticks, from moments of two keys; None without such.
        turned_off: Difference in heading at the end, degrees, 0 to 180.
        walked: Map units walked.
        turned: Degrees turned, to either side.
        reached: The goal held at some tick.
    """

    off: float
    off_share: float
    off_after_chunk: float | None
    turned_off: float
    walked: float
    turned: float
    reached: bool


@dataclass(frozen=True, slots=True)
class Episode:
    """An episode with two hands, and its replays by name.

    Attributes:
        way: Map units walked.
        two_keys: Share of the ticks with a key in which there were two or more.
        reached: The player reached the goal.
    """

    task: str
    seconds: float
    way: float
    two_keys: float
    reached: bool
    replays: dict[str, Replay]


def main(args: Args) -> None:
    """Play, replay, and print the table."""
    episodes: list[Episode] = []
    for number, task in enumerate(args.tasks):
        count = args.episodes // len(args.tasks) + (number < args.episodes % len(args.tasks))
        with Stage() as stage:
            episodes += [play(stage, tasks.level(task, args.split, level), args.seed) for level in range(count)]
    report(episodes)


def play(stage: Stage, level: Level, seed: int) -> Episode:
    """Play a level with two hands, and replay it every way."""
    original, keys = stage.play(level, seed)
    rows = record(keys, Random(f"moments/{level.id}/{seed}"))
    moments = two_key_moments(rows)
    replays: dict[str, Replay] = {}
    for name, schedule in schedules(rows).items():
        trace = stage.replay(level, schedule)
        gaps: list[float] = []
        for moment in moments:
            start, stop = (tics_until(tick, DEFAULT_FPS) for tick in (moment, moment + CHUNK_LENGTH))
            gaps.append(apart(stage.end(level, [*keys[:start], *schedule[start:stop]]), original.states[stop]))
        replays[name] = compare(trace, original, gaps)
    busy = [len(shares) for row in rows if (shares := key_shares(row))]
    two_keys = sum(count > 1 for count in busy) / len(busy)
    return Episode(level.task, len(rows) / DEFAULT_FPS, original.way, two_keys, original.reached, replays)


def schedules(rows: Sequence[SessionRow]) -> dict[str, list[Keys]]:
    """The keys of each tic in each of the replays."""
    whole = [frozenset(key for key, share in key_shares(row).items() if share >= 0.5) for row in rows]
    reductions = {OURS: reduce_error_diffusion, THEIRS: reduce_priority, FEET_FIRST: reduce_walking_first}
    words = {name: [frozenset({word}) - {NONE} for word in reduce(rows)] for name, reduce in reductions.items()}
    ticks = {WHOLE: whole, **words, NOTHING: [Keys()] * len(rows)}
    return {TIMES: recorded_keys(rows), **{name: spread(each) for name, each in ticks.items()}}


def reduce_walking_first(rows: Sequence[SessionRow]) -> tuple[str, ...]:
    """As ``reduce_priority``, in another order."""
    return tuple(min(key_shares(row), key=WALKING_FIRST.index, default=NONE) for row in rows)


def two_key_moments(rows: Sequence[SessionRow]) -> list[int]:
    """At most ``MOMENTS`` ticks, spread over those that have two keys down and six ticks after them."""
    fit = [row.index for row in rows[: len(rows) - CHUNK_LENGTH + 1] if len(key_shares(row)) > 1]
    count = min(MOMENTS, len(fit))
    return [fit[len(fit) * (2 * number + 1) // (2 * count)] for number in range(count)]


def compare(replay: Trace, original: Trace, gaps: Sequence[float]) -> Replay:
    """What the table needs of a replay."""
    off = apart(replay.end, original.end)
    return Replay(
        off,
        off / original.way,
        statistics.fmean(gaps) if gaps else None,
        abs(wrap_degrees(replay.end.angle - original.end.angle)),
        replay.way,
        replay.turned,
        replay.reached,
    )


def report(episodes: Sequence[Episode]) -> None:
    """Print the table, and the two methods against each other, episode by episode."""
    print(
        f"{len(episodes)} episodes of {_middle(each.seconds for each in episodes):.1f} s and "
        f"{_middle(each.way for each in episodes):.0f} units (medians); two keys or more in "
        f"{_middle(each.two_keys for each in episodes):.0%} of the ticks with any; "
        f"{sum(each.reached for each in episodes)} reached their goals; "
        f"{sum(each.replays[TIMES].off == 0 for each in episodes)} replayed to the same place by {TIMES}\n"
    )
    print(_cells(HEADER), _cells(["---", "---", *["---:"] * (len(HEADER) - 2)]), sep="\n")
    for task in ("all", *dict.fromkeys(each.task for each in episodes)):
        chosen = [each for each in episodes if task in ("all", each.task)]
        for name in chosen[0].replays if task == "all" else (OURS, THEIRS):
            print(_cells([task, name, *_figures(chosen, name)]))
    print()
    for rival in (THEIRS, FEET_FIRST):
        print(f"{rival} minus {OURS}, episode by episode:")
        print("  share of the way: ", _paired(episodes, rival, lambda replay: replay.off_share * 100, "%"))
        print("  after 0.7 s:      ", _paired(episodes, rival, lambda replay: replay.off_after_chunk, " units"))
        tally = mcnemar(*([each.replays[name].reached for each in episodes] for name in (OURS, rival)))
        print(
            f"  reached:           only {OURS} {tally.a_only}, only {rival} {tally.b_only}; McNemar p = {tally.p:.2g}"
        )


def _figures(episodes: Sequence[Episode], name: str) -> list[str]:
    replays, originals = [each.replays[name] for each in episodes], [each.replays[TIMES] for each in episodes]
    reached = wilson(sum(replay.reached for replay in replays), len(replays))
    chunks = [replay.off_after_chunk for replay in replays if replay.off_after_chunk is not None]
    return [
        _median([replay.off for replay in replays]),
        _median([replay.off_share * 100 for replay in replays], "%"),
        _median(chunks) if chunks else "-",
        f"{_middle(replay.turned_off for replay in replays):.0f}",
        f"{sum(replay.walked for replay in replays) / sum(original.walked for original in originals):.0%}",
        f"{sum(replay.turned for replay in replays) / sum(original.turned for original in originals):.0%}",
        f"{reached.k / reached.n:.0%} [{reached.low * 100:.0f}, {reached.high * 100:.0f}]",
    ]


def _cells(texts: Sequence[str]) -> str:
    return f"| {' | '.join(texts)} |"


_middle = statistics.median


def _median(values: Sequence[float], unit: str = "") -> str:
    low, high = _interval(values)
    return f"{_middle(values):.0f}{unit} [{low:.0f}, {high:.0f}]"


def _interval(values: Sequence[float]) -> tuple[float, float]:
    """The 95% bootstrap interval of the median: percentiles over resampled episodes."""
    draws = np.random.default_rng(0).choice(np.asarray(values), (_RESAMPLES, len(values)))
    low, high = np.percentile(np.median(draws, axis=1), (2.5, 97.5))
    return float(low), float(high)


def _paired(episodes: Sequence[Episode], rival: str, value: Callable[[Replay], float | None], unit: str) -> str:
    both = [(value(each.replays[rival]), value(each.replays[OURS])) for each in episodes]
    gains = [theirs - ours for theirs, ours in both if theirs is not None and ours is not None]
    if not any(gains):
        return "no difference"
    low, high = _interval(gains)
    test: Any = scipy.stats.wilcoxon(gains)
    return (
        f"median {_middle(gains):+.1f}{unit} [{low:+.1f}, {high:+.1f}]; {OURS} nearer in {sum(x > 0 for x in gains)}, "
        f"farther in {sum(x < 0 for x in gains)} of {len(gains)}; Wilcoxon p = {test.pvalue:.2g}"
    )


if __name__ == "__main__":
    main(parse(Args))
