"""Records a person who plays: P starts and stops, each start is a take of its own, and so is each goal.

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
from recording.agenda import Agenda
from recording.loop import NOTE, episodes_begun
from recording.schedule import Schedule
from recording.status import Status
from recording.wrapper import RecordingWrapper

NEXT_LEVEL_KEY = "n"
"""In the built-in game: give this level up and go to the next."""


@dataclass(frozen=True, slots=True)
class PersonKeys:
    """What a person presses to be heard; none of it is recorded.

    Attributes:
        switch: Starts and stops recording.
        reached: The goal is reached; None where the game knows.
        next_goal: On to the next goal; None where there is no other.
        stop_means_reached: To stop recording says that the goal is reached, too.
    """

    switch: str
    reached: str | None = None
    next_goal: str | None = None
    stop_means_reached: bool = False

    @property
    def all(self) -> tuple[str, ...]:
        """Every one of them."""
        return tuple(key for key in (self.switch, self.reached, self.next_goal) if key is not None)

    @property
    def saying_reached(self) -> tuple[str, ...]:
        """Those that say that the goal is reached."""
        keys = (self.reached, self.switch if self.stop_means_reached else None)
        return tuple(key for key in keys if key is not None)


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
    keys: PersonKeys,
    agenda: Agenda | None = None,
    settings: Mapping[str, Any] | None = None,
    should_stop: Callable[[], bool] = lambda: False,
) -> PersonEnded:
    """Record until told to stop, as many ticks are there as asked for, or the window is gone.

    Args:
        env: A live environment with ``control="human"`` that reports ``keys``; it is closed in the end.
        plan: Where to record to; with tasks, the levels to play in turn.
        status: Shows the person what goes on.
        keys: What the person presses to be heard.
        agenda: What the person is about.
        settings: What two recorders must agree on to share the session.
        should_stop: Asked at every tick.

    Raises:
        SessionError: If the session cannot be opened or written.
        DiskFullError: If the disk is full; what was recorded is kept.
        GameEnvError: If the window cannot be found or used.
    """
    agenda = agenda or Agenda()
    try:
        env.reset(**_level(env, plan, 0, agenda))  # before a session is made that would stay empty
        recorder = RecordingWrapper(
            env, plan.root, plan.session_id, plan.game, "human", plan.resume,
            settings=settings, reserve_bytes=plan.reserve_bytes,
        )  # fmt: skip
    except BaseException:
        env.close()
        raise
    with contextlib.closing(recorder):
        recorder.paused = True
        recorder.reached_keys = keys.saying_reached
        recorder.goal = agenda.current
        run = _Run(recorder, plan, status, keys, agenda)
        first = number = episodes_begun(recorder.writer.last_row)
        reason: str | None = None
        while reason is None and not (should_stop() or plan.is_done(recorder.writer.ticks, number)):
            if plan.tasks:
                recorder.notes = {NOTE: number, "task": plan.episode(number).task}
            _, info = recorder.reset(**_level(env, plan, number, agenda))
            if number == first:  # not before: a key pressed while the level opens would not be heard
                run.explain()
            if plan.tasks:
                status.say(f"goal: {info['goal']}   (hands off for a second when it is reached; N for the next level)")
            reason = run.play(should_stop)
            number += 1
        finished = plan.is_done(recorder.writer.ticks, number)
    if recorder.writer.ticks == 0:
        shutil.rmtree(recorder.path, ignore_errors=True)
        return PersonEnded(None, reason, finished)
    return PersonEnded(recorder.path, reason, finished)


@dataclass(frozen=True, slots=True)
class _Run:
    """A recording on its way."""

    recorder: RecordingWrapper
    plan: Schedule
    status: Status
    keys: PersonKeys
    agenda: Agenda

    def explain(self) -> None:
        """Say what there is, and which keys are heard."""
        keys, writer, say = self.keys, self.recorder.writer, self.status.say
        if writer.ticks:
            say(f"going on after {writer.ticks:,} ticks, {writer.takes:,} takes")
        more = f", {keys.reached.upper()} says that the goal is reached" if keys.reached else ""
        more += f", {keys.next_goal.upper()} goes on to the next goal" if keys.next_goal else ""
        say(f"{keys.switch.upper()} in the game's window starts and stops recording{more}; Ctrl-C here ends")
        if len(self.agenda):
            say(f"goal: {self.agenda}")

    def play(self, should_stop: Callable[[], bool]) -> str | None:
        """Play one episode; returns why the environment gave up, None if it did not."""
        recorder = self.recorder
        while not should_stop():
            marked = recorder.marked
            _, _, terminated, truncated, info = recorder.step(0)
            self._obey(info["hotkeys"], recorder.marked > marked)
            self.status.update(info, recorder, self.agenda if len(self.agenda) else info["goal"] or "no goal")
            if truncated and "truncated_because" in info:
                return str(info["truncated_because"])
            if terminated or truncated or (self.plan.tasks and NEXT_LEVEL_KEY in info["hotkeys"]):
                return None
            if self.plan.frames is not None and recorder.writer.ticks >= self.plan.frames:
                return None
        return None

    def _obey(self, pressed: tuple[str, ...], marked: bool) -> None:
        """Do what the person's hotkeys say; ``marked`` if the tick's row says that the goal is reached.

        A goal that is reached makes room for the next. Behind the last one recording pauses, for what a person does
        then, walking back or loading a saved game, is about no goal at all.
        """
        recorder, say = self.recorder, self.status.say
        was_recording = not recorder.paused
        onward = marked or self.keys.next_goal in pressed
        if marked:
            say(f"reached: {self.agenda}")
        elif self.keys.reached in pressed:
            say("nothing is being recorded, so nothing is marked as reached")
        another = self.agenda.advance() if onward else True
        if self.keys.switch in pressed:
            recorder.paused = was_recording
        elif marked and not another:
            recorder.paused = True
        if onward:
            recorder.end_take()
            recorder.goal = self.agenda.current
            say(f"goal: {self.agenda}")
        if recorder.paused == was_recording:
            self.status.switched(not recorder.paused)


def _level(env: gym.Env[Any, Any], plan: Schedule, number: int, agenda: Agenda) -> dict[str, Any]:
    """What to reset with for an episode; the window's environment is told the task here."""
    options = {} if agenda.current is None else {"goal": agenda.current}
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
