"""The worker processes: real arenas, players that raise, mumble, hang and die."""

import os
import signal
import time
from collections.abc import Callable
from dataclasses import replace
from functools import partial
from pathlib import Path

import numpy as np
import pytest

from gameenv.errors import GameEnvError, InvalidInputError
from policies.base import Observation, Policy, batching
from policies.evaluation import host, worker
from policies.evaluation.plan import EvaluationPlan
from policies.evaluation.pool import WorkerPool
from policies.evaluation.results import EpisodeRow
from policies.load import NamedSpec
from tests.policies.evaluation import players


def plan(player: str, **changes: object) -> EvaluationPlan:
    asked = EvaluationPlan((named(player),), ("go-to-lantern",), "validation", 4, frame_size=(256, 144))
    return replace(asked, **changes)  # type: ignore[arg-type]


def named(player: str) -> NamedSpec:
    return NamedSpec(player, f"tests.policies.evaluation.players:{player}")


def play(player: str, policy: Policy | None = None, workers: int = 2, **changes: object) -> dict[int, EpisodeRow]:
    """Play a plan; with ``policy`` it answers from this process."""
    together = batching(policy) if policy else None
    answerer = partial(host.answer, together) if together else None
    asked = plan(player, **changes)
    with WorkerPool(workers) as pool:
        rows = list(pool.run(asked.jobs(asked.policies[0]), answerer))
    assert len(rows) == asked.size
    return {row.seed: row for row in rows}


@pytest.mark.slow
def test_a_policy_that_batches_lives_in_this_process_only() -> None:
    policy = players.Batched()
    rows = play("Batched", policy)
    assert policy.pids == {os.getpid()}
    assert all(row.error is None and set(row.actions) == {"w"} for row in rows.values())
    assert sum(policy.sizes) == sum(row.chunk_seconds["n"] for row in rows.values() if row.chunk_seconds)


@pytest.mark.slow
def test_both_ways_play_the_same_episodes() -> None:
    ours, theirs = play("Batched", players.Batched()), play("Single")
    assert {seed: row.actions for seed, row in ours.items()} == {seed: row.actions for seed, row in theirs.items()}
    assert {seed: row.level for seed, row in ours.items()} == {seed: row.level for seed, row in theirs.items()}


@pytest.mark.slow
def test_replies_that_cannot_be_read_are_counted_and_played_as_fillers() -> None:
    for row in play("Mumbling", players.Mumbling(), episodes=2).values():
        assert (row.error, row.declared, row.success) == (None, False, False)
        assert row.invalid == row.steps > 7
        assert set(row.actions) == {"none"}


def test_one_request_that_raises_does_not_spoil_its_batch() -> None:
    policy = players.FussyAboutGoals()
    frame = np.zeros((16, 16, 3), np.uint8)
    goals = ["Go to the lantern", "Climb the stairs", "Open the door"]
    answers = host.answer(policy, [Observation(frame, goal) for goal in goals])
    assert [answers[0], answers[2]] == [players.WALK.actions] * 2
    assert isinstance(answers[1], worker.Refused)
    assert answers[1].error.startswith("ZeroDivisionError: no stairs please (players.py:")


@pytest.mark.slow
def test_a_batch_of_the_wrong_length_is_an_error_of_each_episode() -> None:
    rows = play("ShortBatch", players.ShortBatch(), episodes=2)
    assert all("ShortBatch.predict_batch must return 1 chunks in a list" in str(row.error) for row in rows.values())


@pytest.mark.slow
def test_a_policy_that_raises_fails_those_episodes_and_no_others() -> None:
    rows = play("Raising")
    for seed, row in rows.items():
        if seed % 2:
            assert str(row.error).startswith("ValueError: odd levels are beneath me (players.py:")
            assert (row.success, row.reason) == (False, "error")
        else:
            assert row.error is None


@pytest.mark.slow
def test_garbage_is_an_error_that_says_what_to_return() -> None:
    assert all("must return an ActionChunk" in str(row.error) for row in play("Garbage", episodes=2).values())


@pytest.mark.slow
def test_an_environment_that_raises_fails_those_episodes_and_no_others() -> None:
    rows = play("Single", env_id="tests.policies.evaluation.players:Crashing-v0")
    assert "level 1 is cursed" in str(rows[1].error)
    assert "the engine gave up" in str(rows[2].error)
    assert rows[0].error is None
    assert rows[3].error is None


@pytest.mark.slow
def test_a_worker_that_dies_is_replaced_and_its_episode_failed() -> None:
    rows = play("Suicidal", workers=1)
    assert rows[1].error == "the worker process died (exit code 3)"
    assert all(rows[seed].error is None for seed in (0, 2, 3))


@pytest.mark.slow
def test_a_worker_killed_from_outside_is_replaced_and_its_episode_failed() -> None:
    asked = plan("Slow", episodes=5)
    killed: list[int] = []
    rows: list[EpisodeRow] = []
    with WorkerPool(2) as pool:
        for row in pool.run(asked.jobs(asked.policies[0])):
            rows.append(row)
            if not killed:
                killed.append(pool.pids[0])
                os.kill(killed[0], signal.SIGKILL)
        assert killed[0] not in pool.pids
        pids = pool.pids
    assert sorted(row.seed for row in rows) == [0, 1, 2, 3, 4]
    assert [row.error for row in rows if row.error] == ["the worker process died (exit code -9)"]
    assert gone(*pids, *killed)


@pytest.mark.slow
def test_a_worker_that_hangs_is_killed_and_its_episode_failed() -> None:
    asked = plan("Hanging", episodes=3)
    with WorkerPool(1, stall_s=4.0) as pool:
        rows = {row.seed: row for row in pool.run(asked.jobs(asked.policies[0]))}
    assert rows[1].error == "the worker process said nothing for 4 s and was killed"
    assert rows[0].error is None
    assert rows[2].error is None


def test_workers_that_cannot_start_are_an_error_and_not_a_thousand_failures(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(worker, "serve", os._exit)
    asked = plan("Single", episodes=50)
    with WorkerPool(2) as pool, pytest.raises(GameEnvError, match="before they could play"):
        list(pool.run(asked.jobs(asked.policies[0])))


@pytest.mark.slow
def test_a_pool_can_be_closed_twice_and_in_the_middle() -> None:
    asked = plan("Slow")
    pool = WorkerPool(2)
    next(pool.run(asked.jobs(asked.policies[0])))
    pids = pool.pids
    pool.close()
    pool.close()
    assert gone(*pids)


def test_a_pool_needs_a_worker() -> None:
    with pytest.raises(InvalidInputError, match="at least 1"):
        WorkerPool(0)


def gone(*pids: int) -> bool:
    """Whether these processes have ended, the games that they had started included."""
    return within(5.0, lambda: not any(Path(f"/proc/{pid}").exists() for pid in pids) and not games_of(pids))


def games_of(pids: tuple[int, ...]) -> list[int]:
    """Engines whose session was made by one of these workers."""
    found = []
    for stat in Path("/proc").glob("[0-9]*/stat"):
        try:
            pid, rest = stat.read_text().split(" ", 1)
        except OSError:
            continue
        session = int(rest.rpartition(")")[2].split()[3])
        if session in pids and int(pid) not in pids:
            found.append(int(pid))
    return found


def within(seconds: float, holds: Callable[[], bool]) -> bool:
    deadline = time.monotonic() + seconds
    while not holds():
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)
    return True
