"""``run_episode``: the one loop that joins a policy and an environment.

It looks, plays what the policy says, and judges by the environment's own ``goal_reached``. It knows nothing of
tasks, models, files or real time.
"""

import time
from collections.abc import Sequence
from typing import Any

import gymnasium as gym

from gameenv.actions import CHUNK_LENGTH, NONE, Action, ActionChunk, action_index
from gameenv.errors import InvalidInputError, InvalidReply
from policies.base import AttachesToEnv, Policy, check_goal, history_of
from policies.ledger import EpisodeLedger, EpisodeResult, Observer, Setting


def run_episode(
    env: gym.Env[Any, Any],
    policy: Policy,
    goal: str | None = None,
    seed: int | None = None,
    execute: int = CHUNK_LENGTH,
    *,
    max_steps: int | None = None,
    observers: Sequence[Observer] = (),
) -> EpisodeResult:
    """Play one episode from a reset to its end.

    A chunk that is done (seven ``none``) is the policy's declaration. It is played whole, whatever ``execute`` is,
    and ends the episode: a success if the goal holds then, else a failure. A reply that cannot be read plays one
    filler ``none``, which is never part of a declaration. In an environment without a referee (no ``goal_reached``
    in its ``info``), ``success`` and ``reached`` are False.

    In a live game the rest of a chunk is dropped when play was interrupted (the focus was lost and is back, or a
    person took over), and the policy looks again; a declaration that was interrupted is none. While a person has the
    control the policy is not asked.

    Args:
        env: The environment; it is reset, and stays open.
        policy: Who plays. ``attach(env)`` is called before its ``reset`` if it has it.
        goal: The sentence to play for; the environment's own where None.
        seed: Number of the level, and seed of the policy; the environment's next level where None.
        execute: How many of the seven are played before the policy looks again, 1 to 7.
        max_steps: Most ticks to play; the environment's own limit where None.
        observers: Each is called before every tick and once at the end.

    Raises:
        InvalidInputError: If ``execute``, ``max_steps`` or the policy's ``history`` is out of range, there is no goal,
            or the policy returns something that is not an ``ActionChunk``.
        Exception: Whatever else the environment or the policy raises.
    """
    if isinstance(execute, bool) or not isinstance(execute, int) or not 1 <= execute <= CHUNK_LENGTH:
        raise InvalidInputError(f"execute is how many of the {CHUNK_LENGTH} actions to play, 1 to 7; got {execute!r}")
    if max_steps is not None and max_steps < 1:
        raise InvalidInputError(f"max_steps must be at least 1, got {max_steps}")
    started = time.perf_counter()
    history = history_of(policy)
    frame, info = env.reset(seed=seed, options=None if goal is None else {"goal": goal})
    level = getattr(env.unwrapped, "level", None)
    seed = getattr(level, "seed", None) if seed is None else seed
    setting = Setting(check_goal(goal or info.get("goal")), getattr(level, "task", None), seed)
    ledger = EpisodeLedger(setting, frame, info, max_steps=max_steps, history=history, observers=observers)
    if isinstance(policy, AttachesToEnv):
        policy.attach(env)
    policy.reset(setting.goal, seed=seed)
    while not ledger.over:
        chunk = None if ledger.person_has_control else _ask(policy, ledger)
        if chunk is None:
            _play(env, ledger, NONE, None)
        else:
            _play_chunk(env, ledger, chunk, execute)
    ledger.watch(None, None)
    return ledger.result(time.perf_counter() - started)


def _ask(policy: Policy, ledger: EpisodeLedger) -> ActionChunk | None:
    """The policy's chunk, None for a reply that cannot be read."""
    observation = ledger.observation()
    asked = time.perf_counter()
    try:
        chunk = policy.predict(observation)
    except InvalidReply:
        ledger.asked(time.perf_counter() - asked, invalid=True)
        return None
    ledger.asked(time.perf_counter() - asked, invalid=False)
    if not isinstance(chunk, ActionChunk):
        raise InvalidInputError(
            f"{type(policy).__name__}.predict must return an ActionChunk, it returned {chunk!r:.80}; "
            "build one with ActionChunk.of(words)"
        )
    return chunk


def _play_chunk(env: gym.Env[Any, Any], ledger: EpisodeLedger, chunk: ActionChunk, execute: int) -> None:
    for action in chunk.actions[: CHUNK_LENGTH if chunk.done else execute]:
        _play(env, ledger, action, chunk)
        if ledger.interrupted or ledger.over:
            break
    ledger.settle(chunk)


def _play(env: gym.Env[Any, Any], ledger: EpisodeLedger, action: Action, chunk: ActionChunk | None) -> None:
    ledger.watch(action, chunk)
    frame, _, terminated, truncated, info = env.step(action_index(action))
    ledger.tick(action, frame, info, terminated=bool(terminated), truncated=bool(truncated))
