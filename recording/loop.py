"""The recorder's own loop: plays a plan's episodes tick by tick into one session.

Knows nothing of processes, signals or the terminal.
"""

from collections.abc import Callable
from dataclasses import dataclass
from itertools import count
from typing import Any

import gymnasium as gym

from gameenv import ARENA_ID
from gameenv.actions import action_index
from recording.info import Totals
from recording.players import Player, make_player
from recording.rows import SessionRow
from recording.schedule import Episode, Schedule
from recording.session_writer import SessionWriter
from recording.wrapper import RecordingWrapper, session_info

NOTE = "episode"
"""Name of the episode's number in a row's ``info``: how a resumed recording knows where it stood."""


@dataclass(frozen=True, slots=True)
class RecordedSession:
    """What a worker leaves behind.

    Attributes:
        path: The session's folder.
        totals: What it holds now, earlier runs included; None where a full disk kept it from being closed.
        new_ticks: Ticks recorded by this run.
        finished: Whether the plan's share is all there.
    """

    path: str
    totals: Totals | None
    new_ticks: int
    finished: bool


def record_plan(
    plan: Schedule,
    on_tick: Callable[[int], object] = lambda ticks: None,
    should_stop: Callable[[], bool] = lambda: False,
) -> RecordedSession:
    """Record a plan's share into its session and close it.

    Args:
        plan: What to play.
        on_tick: Called after the session is opened and after every tick, with the session's number of ticks.
        should_stop: Asked at every tick; once it says True, the session is closed in order.

    Raises:
        SessionError: If the session cannot be opened or written.
        DiskFullError: If the disk is full; what was recorded is kept.
    """
    player = make_player(plan.player, plan.noise)
    envs: dict[str, gym.Env[Any, Any]] = {}
    try:
        for task in plan.tasks:
            envs[task] = gym.make(ARENA_ID, task=task, split=plan.split, frame_size=plan.frame_size)
        info = session_info(envs[plan.tasks[0]], plan.session_id, plan.game, plan.settings, task=list(plan.tasks))
        with SessionWriter(plan.root, info, resume=plan.resume, reserve_bytes=plan.reserve_bytes) as writer:
            before = writer.ticks
            on_tick(before)
            recorders = {task: RecordingWrapper(env, writer=writer) for task, env in envs.items()}
            episodes = episodes_begun(writer.last_row)
            for number in count(episodes):
                if plan.is_done(writer.ticks, number) or should_stop():
                    break
                episode = plan.episode(number)
                _play(recorders[episode.task], player, episode, on_tick, should_stop)
                episodes = number + 1
        finished = plan.is_done(writer.ticks, episodes)
        return RecordedSession(str(writer.path), writer.info.totals, writer.ticks - before, finished)
    finally:
        for env in envs.values():
            env.close()


def _play(
    env: RecordingWrapper,
    player: Player,
    episode: Episode,
    on_tick: Callable[[int], object],
    should_stop: Callable[[], bool],
) -> None:
    env.notes = {NOTE: episode.number, "task": episode.task}
    _, info = env.reset(seed=episode.seed)
    player.attach(env)
    player.reset(info["goal"], seed=episode.seed)
    over = False
    while not over and not should_stop():
        action, env.source = player.act()
        _, _, terminated, truncated, _ = env.step(action_index(action))
        on_tick(env.writer.ticks)
        over = terminated or truncated


def episodes_begun(last: SessionRow | None) -> int:
    """Where a resumed session goes on: after the last episode of which it has a row, whole or not."""
    return 0 if last is None else int(last.info.get(NOTE, -1)) + 1
