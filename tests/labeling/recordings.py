"""Recordings for tests: real sessions on disk, each tick's actions, goal and truth chosen by the test."""

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np

from gameenv.actions import NONE, Action, parse_action
from gameenv.frames import FrameSpec, encode_jpeg
from recording.info import SessionInfo
from recording.rows import KeyEvent, SessionRow, Source, frame_name
from recording.session import Session
from recording.session_writer import SessionWriter

SPEC = FrameSpec(32, 16)
PERIOD_NS = 100_000_000
GOAL = "Go to the lantern"


@dataclass(frozen=True, slots=True)
class Ticks:
    """Consecutive ticks of one take; a word is an action, or keys held together such as ``w+d``."""

    words: Sequence[str]
    take: int = 0
    goal: str | None = GOAL
    reached: Sequence[bool] | None = None
    """Where the goal holds, per tick; None: never. An empty sequence: nobody knows."""
    noise: Sequence[int] = ()
    """Offsets of the ticks chosen by exploration."""
    source: Source = "expert"
    level: str | None = None
    t_ns: int | None = None
    info: dict[str, Any] = field(default_factory=dict)


def record(root: Path, session_id: str, *stretches: Ticks, fps: float = 10.0, **info: Any) -> Session:
    """Write a session as the recorder would and open it. Every frame differs, and shows its row in its first pixel."""
    about = SessionInfo(
        session_id=session_id, env_id=None, env_kwargs={}, window=None, fps=fps, frame=SPEC, **{"game": "test", **info}
    )
    with SessionWriter(root, about, reserve_bytes=0) as writer:
        append(writer, *stretches)
    return Session(writer.path)


def append(writer: SessionWriter, *stretches: Ticks) -> None:
    """Append ticks to an open session."""
    t_ns = writer.ticks * PERIOD_NS
    for stretch in stretches:
        t_ns = stretch.t_ns if stretch.t_ns is not None else t_ns
        down: tuple[Action, ...] = ()
        for offset, word in enumerate(stretch.words):
            truth: dict[str, Any] = dict(stretch.info)
            if stretch.reached is None or stretch.reached:
                truth["goal_reached"] = bool(stretch.reached and stretch.reached[offset])
            if stretch.level:
                truth |= {"level": stretch.level, "split": stretch.level.split("/", maxsplit=1)[0]}
            keys: tuple[Action, ...] = () if word == NONE else tuple(parse_action(part) for part in word.split("+"))
            row = SessionRow(
                index=writer.ticks,
                t_ns=t_ns,
                frame=frame_name(writer.ticks),
                held=down,
                events=(
                    *(KeyEvent(t_ns, key, False) for key in down if key not in keys),
                    *(KeyEvent(t_ns, key, True) for key in keys if key not in down),
                ),
                end_t_ns=t_ns + PERIOD_NS,
                source="noise" if offset in stretch.noise else stretch.source,
                take=stretch.take,
                goal=stretch.goal,
                info=truth,
            )
            writer.append(encode_jpeg(frame(writer.ticks)), row)
            down = keys
            t_ns += PERIOD_NS


def frame(row: int) -> np.ndarray:
    """A frame of one colour that only this row has."""
    return np.full(SPEC.shape, (row % 256, row // 256 * 16 % 256, 128), np.uint8)


def holds_from(first: int, count: int) -> list[bool]:
    """The goal holds from one tick on."""
    return [offset >= first for offset in range(count)]
