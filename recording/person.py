"""Records a person who plays: P starts and stops, each start is a take of its own.

The environment watches the screen and the keys; this joins it to a session. Knows nothing of the terminal's arguments.
"""

import contextlib
import shutil
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium as gym

from gameenv.errors import NoWindowError
from recording.loop import NOTE, episodes_begun
from recording.rows import frame_name
from recording.schedule import Schedule
from recording.status import Status
from recording.wrapper import RecordingWrapper

NEXT_LEVEL_KEY = "n"
"""In the built-in game: give this level up and go to the next."""


@dataclass(frozen=True, slots=True)
class PersonEnded:
    """How a recording of a person ended.

    Attributes:
        path: The session's folder; None if nothing was recorded and it was removed.
        reason: Why it ended by itself (``window-closed``, ``screen-lost`` ...), None if it was told to.
        finished: Whether as many ticks as asked for are there.
    """

    path: Path | None
    reason: str | None
    finished: bool


def record_person(
    env: gym.Env[Any, Any],
    plan: Schedule,
    status: Status,
    *,
    hotkey: str,
    goal: str | None = None,
    settings: Mapping[str, Any] | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> PersonEnded:
    """Record until told to stop, as many ticks are there as asked for, or the window is gone.

    Args:
        env: A live environment with ``control="human"`` that reports ``hotkey``; it is closed in the end.
        plan: Where to record to; with tasks, the levels to play in turn.
        status: Shows the person what goes on.
        hotkey: Starts and stops.
        goal: What the person is about, if it is one thing throughout.
        settings: What two recorders must agree on to share the session.
        should_stop: Asked at every tick.

    Raises:
        SessionError: If the session cannot be opened or written.
        DiskFullError: If the disk is full; what was recorded is kept.
        GameEnvError: If the window cannot be found or used.
    """
    try:
        env.reset(**_level(env, plan, 0, goal))  # before a session is made that would stay empty
        recorder = RecordingWrapper(
            env, plan.root, plan.session_id, plan.game, "human", plan.resume,
            settings=settings, reserve_bytes=plan.reserve_bytes,
        )  # fmt: skip
    except BaseException:
        env.close()
        raise
    with contextlib.closing(recorder):
        recorder.paused = True
        first = number = episodes_begun(recorder.writer.last_row)
        reason: str | None = None
        while reason is None and not (should_stop() or plan.is_done(recorder.writer.ticks, number)):
            if plan.tasks:
                recorder.notes = {NOTE: number, "task": plan.episode(number).task}
            _, info = recorder.reset(**_level(env, plan, number, goal))
            if number == first:  # not before: a key pressed while the level opens would not be heard
                status.say(f"{hotkey.upper()} in the game's window starts and stops recording; Ctrl-C here ends")
            if plan.tasks:
                status.say(f"goal: {info['goal']}   (hands off for a second when it is reached; N for the next level)")
            reason = _play(recorder, plan, status, hotkey, should_stop)
            number += 1
        finished = plan.is_done(recorder.writer.ticks, number)
    if recorder.writer.ticks == 0:
        shutil.rmtree(recorder.path, ignore_errors=True)
        return PersonEnded(None, reason, finished)
    return PersonEnded(recorder.path, reason, finished)


def _play(
    recorder: RecordingWrapper, plan: Schedule, status: Status, hotkey: str, should_stop: Callable[[], bool]
) -> str | None:
    """Play one episode; returns why the environment gave up, None if it did not."""
    while not should_stop():
        _, _, terminated, truncated, info = recorder.step(0)
        if hotkey in info["hotkeys"]:
            recorder.paused = not recorder.paused
            status.switched(not recorder.paused)
        ticks = recorder.writer.ticks
        frame = recorder.path / frame_name(max(0, ticks - 1))
        status.update(info, recording=not recorder.paused, ticks=ticks, folder=recorder.path, frame=frame)
        if truncated and "truncated_because" in info:
            return str(info["truncated_because"])
        if terminated or truncated or (plan.tasks and NEXT_LEVEL_KEY in info["hotkeys"]):
            return None
        if plan.frames is not None and ticks >= plan.frames:
            return None
    return None


def _level(env: gym.Env[Any, Any], plan: Schedule, number: int, goal: str | None) -> dict[str, Any]:
    """What to reset with for an episode; the window's environment is told the task here."""
    options = {} if goal is None else {"goal": goal}
    if not plan.tasks:
        return {"options": options}
    episode = plan.episode(number)
    return {"seed": episode.seed, "options": {"task": episode.task, **options}}


def wait_for_window(env: gym.Env[Any, Any], pause: Callable[[], object], should_stop: Callable[[], bool]) -> None:
    """Return when the window is there, or when told to stop; asks again after each ``pause``."""
    while not should_stop():
        try:
            env.reset()
        except NoWindowError:
            pause()
        else:
            return
