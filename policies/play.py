"""``gameenv-play``: any policy plays, in any game's window or in the built-in game, goal after goal.

Composes environment, policy and the loops of ``run_episode`` and ``run_realtime``, which it leaves alone.
"""

import contextlib
import statistics
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Annotated, Any

import gymnasium as gym
import tyro
from rich.live import Live
from rich.text import Text

from gameenv import ARENA_ID, ARENA_WINDOW_ID, LIVE_ID
from gameenv.actions import CHUNK_LENGTH, Action, ActionChunk
from gameenv.arena.levels import Split
from gameenv.cli import run_command
from gameenv.clock import DEFAULT_FPS, pause
from gameenv.console import Console
from gameenv.desktop.keyboard import parse_keys
from gameenv.desktop.window import choose_window
from gameenv.errors import GameEnvError, InvalidInputError, WindowError
from gameenv.frames import Frame, FrameSpec
from gameenv.home import PathText
from gameenv.live.env import LiveEnv
from policies.base import Policy, check_goal
from policies.card import ModelCard, check_env
from policies.ledger import EpisodeResult
from policies.load import card_of, load_policy
from policies.options import DEFAULT_OPTIONS, ModelOptions
from policies.realtime import RealtimeOptions, Timing, run_realtime
from policies.realtime.minds import PolicyFailedError, ProcessMind
from policies.realtime.plan import Gap
from policies.rollout import run_episode
from recording import goals as labels
from recording.session import DEFAULT_ROOT
from recording.wrapper import RecordingWrapper, new_session_id

PROG = "gameenv-play"
SAFETY = (
    "{panic} in the game stops at once; any game key of yours takes over, {back} hands back. "
    "For single-player and offline games only."
)
STOPPED_BY_A_PERSON = 130
"""The exit code after the panic key, the same as after Ctrl-C."""
_LOOK_AGAIN_S = 1.0


@dataclass(frozen=True, slots=True)
class Args:
    """Let a policy play until it declares that the goal is reached, then ask for the next goal.

    In the built-in game's window, and in any game's:
        gameenv-play --model bc:models/bc
        gameenv-play --model bc:models/bc --window "The Dark Mod" --goal "Go to the lantern"

    Whatever ends a goal, on a terminal the next one is asked for; the model stays loaded. Exit code: that of the last
    goal played. 0 played to its end, 1 failed (window closed, focus lost, policy failed), 130 stopped by a person.
    """

    model: Annotated[PathText, tyro.conf.arg(aliases=("--policy",))] = "models/gameplay_agent_lora"
    """Who plays: none, random, expert, replay:<session>, bc:<path>, a folder with a model or an adapter, the hub id of
    a Qwen3-VL, the address of a server (http://host:port/v1) or of gameenv-serve (remote://host:port), or
    package.module:factory."""
    goal: tuple[str, ...] = ()
    """What to do, in words; several are played in order. The built-in game has a goal of its own for each level."""
    window: str | None = None
    """Play the window with this title, or part of one, or regular expression; without it, the built-in game."""
    process: str | None = None
    """... whose program's file name is or has this in it."""
    window_id: str | None = None
    """... or with this number, as gameenv-doctor --windows lists it."""
    lock_step: bool = False
    """Play the built-in game without a window, as fast as it goes."""
    execute: int = CHUNK_LENGTH
    """How many of a chunk's seven actions are played before looking again, at least."""
    stop_and_think: bool = False
    """Stand still while the policy thinks. Without this, in a window, it thinks ahead in a process of its own, and what
    it said before is played meanwhile."""
    gap: Gap = "none"
    """What is played where thinking takes too long and nothing is planned: none, or hold the last movement."""
    fps: float | None = None
    """Ticks a second; by default what the model learned at, else 10."""
    keys: tuple[str, ...] = ()
    """Words whose key is another in this game: enter=e c=ctrl."""
    max_steps: int | None = None
    """Most ticks a goal; by default none in a window, about three times the expert's need in the built-in game."""
    focus_timeout: float = 30.0
    """Seconds to wait for the window to get the focus (back)."""
    wait: bool = False
    """Wait until the window is there."""
    panic_key: str = "f12"
    """The key that stops at once; the game does not get it where the system allows."""
    hand_back_key: str = "f11"
    """The key that gives the control back after you took it; the game does not get it either."""
    reset_key: str | None = None
    """A key to press before each goal, such as the game's quick-load key: f9."""
    reset_wait: float = 2.0
    """Seconds the game needs after it."""
    record: bool = False
    """Record what is played, into --out. Goals are then 2 to 6 words, as gameenv-label takes them."""
    session: str | None = None
    """Name of the recording; by default the UTC time."""
    out: PathText = DEFAULT_ROOT
    """The folder recordings live in."""
    task: str = "go-to-lantern"
    """Task of the built-in game; all draws one for each level."""
    split: Split = "validation"
    """Levels of the built-in game: train, validation or test."""
    seed: int = 0
    """First level of the built-in game."""
    options: Annotated[ModelOptions, tyro.conf.arg(name="")] = DEFAULT_OPTIONS


def play(args: Args) -> int:
    """Play as told and return the exit code.

    Raises:
        GameEnvError: If an argument cannot be used, or the policy failed.
    """
    console = Console()
    for goal in args.goal:
        _check_goal(goal, args)
    is_live = any(name is not None for name in (args.window, args.process, args.window_id))
    if is_live and args.lock_step:
        raise InvalidInputError("--lock-step plays the built-in game; leave out --window, --process and --window-id")
    if args.session and not args.record:
        raise InvalidInputError("--session names a recording: add --record")
    if not is_live and (args.wait or args.reset_key):
        raise InvalidInputError("--wait and --reset-key are for --window; the built-in game opens its own levels")
    goals = _Goals(args, is_live, console)
    goal = goals.next(stopped=False)
    if goal is None:
        raise InvalidInputError('say what to do: --goal "Go to the lantern"')
    with contextlib.ExitStack() as stack:
        player = _Player(args, stack)
        card = card_of(args.model, args.options)
        env = _make_env(args, card, is_live, console)
        recorded = stack.enter_context(contextlib.closing(_Recorded(env, args, is_live)))
        if card is not None:
            for warning in check_env(card, env):
                console.print(warning)
        if not args.lock_step:
            console.print(SAFETY.format(panic=args.panic_key.upper(), back=args.hand_back_key.upper()))
        return _play_goals(recorded.env, player, args, goal, goals)


def _play_goals(env: gym.Env[Any, Any], player: "_Player", args: Args, goal: str | None, goals: "_Goals") -> int:
    """Play one goal after the other; returns the exit code."""
    console, number, code = goals.console, args.seed, 0
    while goal is not None:
        if args.wait:
            _wait_for_window(env, console)
        try:
            with Live(console=console, refresh_per_second=8, transient=True) as line:
                last = player.play(env, (goal or None, None if goals.is_live else number), line)
        except WindowError as error:  # not there, closed just now, no focus: ends as in the middle of a goal
            if not goals.can_ask and error.reason != "panic-key":
                raise
            said, reason = str(error), error.reason or "no-window"
        else:
            said, reason = describe(last) + player.pace(), last.truncated_because
        console.print(said)
        code = exit_code(reason)
        number += reason is None
        goal = goals.next(stopped=reason is not None)
    return code


def _check_goal(goal: str, args: Args) -> str:
    """Return the goal if it can be played for and, where it is recorded, labeled afterwards.

    Raises:
        InvalidInputError: If it cannot.
    """
    return labels.check_goal(check_goal(goal)) if args.record else check_goal(goal)


def exit_code(stopped_because: str | None) -> int:
    """The command's exit code if this was how its last goal ended; None is by itself."""
    if stopped_because is None:
        return 0
    return STOPPED_BY_A_PERSON if stopped_because == "panic-key" else 1


def describe(result: EpisodeResult) -> str:
    """Say in a line how a goal went."""
    after = f"after {result.steps} actions, {result.seconds:.1f} s"
    said = {
        "success": "the policy says that the goal is reached, and the referee agrees",
        "wrong-declaration": "the policy says that the goal is reached; the referee does not agree",
        "declared": "the policy says that the goal is reached",
        "undeclared": "the goal was reached, and the policy did not say so",
        "lost": "lost",
        "time-limit": "out of time",
        "interrupted": f"stopped: {result.truncated_because}",
    }.get(result.reason, result.reason)
    invalid = f"; {result.invalid} replies could not be read" if result.invalid else ""
    return f"{result.goal}: {said} ({after}{invalid})"


def main() -> None:
    """Run the command."""
    run_command(play, Args, PROG)


class _Recorded:
    """The environment, recorded if that is wanted; both are closed together."""

    def __init__(self, env: gym.Env[Any, Any], args: Args, is_live: bool) -> None:
        self.env: gym.Env[Any, Any] = env
        if args.record:
            game = (args.window or args.process or args.window_id or "") if is_live else "arena"
            try:
                self.env = RecordingWrapper(
                    env, args.out, args.session or new_session_id(), game, "policy", settings={"player": args.model}
                )
            except BaseException:
                env.close()
                raise

    def close(self) -> None:
        self.env.close()


def _make_env(args: Args, card: ModelCard | None, is_live: bool, console: Console) -> gym.Env[Any, Any]:
    spec = FrameSpec() if card is None else card.recorded
    fps = args.fps or (card.fps if card is not None else DEFAULT_FPS)
    common: dict[str, Any] = {"frame_size": spec.size, "fit": spec.fit, "fps": fps, "disable_env_checker": True}
    arena: dict[str, Any] = {"task": args.task, "split": args.split, "max_steps": args.max_steps}
    if args.lock_step:
        return gym.make(ARENA_ID, **arena, **common)
    common |= {"keys": parse_keys(args.keys), "focus_timeout_s": args.focus_timeout}
    common |= {"panic_key": args.panic_key, "hand_back_key": args.hand_back_key}
    if is_live:
        window = choose_window(args.window, args.process, args.window_id)
        common |= {"reset_key": args.reset_key, "reset_wait_s": args.reset_wait}
        env = gym.make(LIVE_ID, window=window, process=args.process, **common)
    else:
        env = gym.make(ARENA_WINDOW_ID, **arena, **common)
    env.unwrapped.notify = console.print  # type: ignore[attr-defined]
    return env


class _Goals:
    """The goals to play for: those given, then those asked for on a terminal; an empty one is the level's own."""

    def __init__(self, args: Args, is_live: bool, console: Console) -> None:
        self._args = args
        self._given = list(args.goal or (() if is_live else ("",)))
        self.is_live = is_live
        self.console = console
        self.can_ask = sys.stdin.isatty()
        """Whether there is a person to ask."""

    def next(self, *, stopped: bool) -> str | None:
        """The next goal, None to end. After one that was stopped, a person is asked before any other."""
        if self._given and not stopped:
            return self._given.pop(0)
        if not self.can_ask:
            if self._given:
                self.console.print(f"not played: {', '.join(self._given)}")
            return None
        own = "" if self.is_live else ", = for the next level's own goal"
        hint = f"Enter goes on with {self._given[0]!r}, Ctrl-D ends" if self._given else "Enter ends"
        goal = self._ask(Text(f"next goal ({hint}{own}): "))
        if goal is None:
            return None
        if not goal:
            return self._given.pop(0) if self._given else None
        return "" if goal == "=" and not self.is_live else goal

    def _ask(self, question: Text) -> str | None:
        """What the person types, until it can be played for (and recorded); None for the end."""
        while True:
            try:
                goal = self.console.input(question).strip()
            except EOFError:
                return None
            try:
                return goal if not goal or (goal == "=" and not self.is_live) else _check_goal(goal, self._args)
            except InvalidInputError as error:
                self.console.print(str(error))


def _wait_for_window(env: gym.Env[Any, Any], console: Console) -> None:
    live = env.unwrapped
    assert isinstance(live, LiveEnv)
    if not live.is_there():
        console.print("waiting for the window; Ctrl-C ends")
        while not live.is_there():
            pause(_LOOK_AGAIN_S)


class _Player:
    """Who plays: a policy that thinks ahead in a process of its own, or one that the game's loop waits for.

    Args:
        args: Say which.
        stack: Ends the process.

    Raises:
        GameEnvError: If the policy cannot be loaded.
    """

    def __init__(self, args: Args, stack: contextlib.ExitStack) -> None:
        self._args = args
        self._mind: ProcessMind | None = None
        self._policy: Policy | None = None
        self._timing: Timing | None = None
        if not args.lock_step and not args.stop_and_think:
            self._mind = stack.enter_context(contextlib.closing(ProcessMind(args.model, args.options)))
            if self._mind.attaches:  # it has to see the environment itself
                self._mind.close()
                self._mind = None
        if self._mind is None:
            self._policy = load_policy(args.model, args.options)

    def play(self, env: gym.Env[Any, Any], what: tuple[str | None, int | None], line: Live) -> EpisodeResult:
        """Play for one goal on one level; what the policy raises is told with its name."""
        (goal, seed), args = what, self._args
        observers = [_Line(line.update, args.hand_back_key)]
        self._timing = None
        try:
            if self._policy is not None:
                return run_episode(
                    env, self._policy, goal, seed, args.execute, max_steps=args.max_steps, observers=observers
                )
            assert self._mind is not None
            options = RealtimeOptions(every=args.execute, gap=args.gap)
            result, self._timing = run_realtime(
                env, self._mind, goal, seed, options, max_steps=args.max_steps, observers=observers
            )
        except PolicyFailedError as error:
            raise GameEnvError(f"the policy {args.model} failed: {error}") from error
        except (GameEnvError, OSError):
            raise
        except Exception as error:
            raise GameEnvError(f"the policy {args.model} failed: {type(error).__name__}: {error}") from error
        return result

    def pace(self) -> str:
        """How thinking went, to be added to how the goal went; nothing where the game waited."""
        if self._timing is None or not self._timing.delays:
            return ""
        timing = self._timing
        gaps = f", nothing was planned on {timing.unplanned / timing.ticks:.1%} of them" if timing.unplanned else ""
        return f"; an answer took {statistics.median(timing.delays):g} ticks{gaps}"


class _Line:
    """Shows each tick as it is played."""

    def __init__(self, show: Callable[[Text], object], hand_back_key: str) -> None:
        self._show = show
        self._back = hand_back_key.upper()
        self._chunk: ActionChunk | None = None
        self._began = time.perf_counter()
        self._ticks = 0

    def __call__(self, frame: Frame, info: dict[str, Any], action: Action | None, chunk: ActionChunk | None) -> None:
        self._ticks += action is not None
        rate = self._ticks / max(time.perf_counter() - self._began, 1e-6)
        if info.get("control") == "human":
            doing = f"you have the control, {self._back} hands back"
        else:
            doing = f"{action or '-':<6} of {' '.join(chunk) if chunk else '(nothing planned)' if action else '-'}"
        skipped = f"  thinking skipped {info['skipped']} ticks" if info.get("skipped") else ""
        problem = f"  {info['problem']}" if info.get("problem") else ""
        text = f"{info['goal']}  tick {info['tick']}  {rate:4.1f}/s  {doing}{skipped}{problem}"
        self._show(Text(text, no_wrap=True, overflow="ellipsis"))


if __name__ == "__main__":
    main()
