"""A model's server that dies in the middle of an evaluation: no result, no success, no failure, and played again."""

import json
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from policies.evaluation.results import NO_SERVER
from policies.evaluation.summary import Summary
from tests.policies.evaluation.players import Unserved
from tests.policies.evaluation.test_pool import play
from tests.policies.server.stub import say, serving

pytestmark = pytest.mark.slow

WORDS = say(json.dumps({"actions": ["w"] * 7}))
HANGS_UP = (0, "")
EPISODES = 5
OPTIONS = ("--split", "validation", "--frame-size", "256", "144", "--workers", "1", "--retries", "0")


def evaluate(out: Path, *policies: str, report: bool = False) -> "subprocess.CompletedProcess[str]":
    command = [sys.executable, "-m", "policies.evaluation", "--policies", *policies, "--out", str(out)]
    command += ["--episodes", str(EPISODES), *OPTIONS, "--report" if report else "--no-report"]
    return subprocess.run(command, capture_output=True, text=True, check=False, timeout=280)


def rows(out: Path) -> list[dict[str, Any]]:
    return [json.loads(line) for line in (out / "episodes.jsonl").read_text().splitlines()]


def dies_at(times: Callable[[int], bool]) -> tuple[Callable[[dict[str, Any]], tuple[int, str]], list[int]]:
    """A server's answers that fail in the episodes ``times`` says; an episode's goal and level tell them apart."""
    asked: list[int] = []

    def answer(question: dict[str, Any]) -> tuple[int, str]:
        asked.append(question["seed"])
        return HANGS_UP if times(question["seed"]) else (200, WORDS)

    return answer, asked


def test_three_lost_episodes_in_a_row_end_it_and_the_same_command_plays_just_those(tmp_path: Path) -> None:
    answer, asked = dies_at(lambda seed: seed >= 2)
    with serving(answer) as server:
        policies = ("random", f"served={server.address}")
        stopped = evaluate(tmp_path, *policies)
        assert stopped.returncode == 1
        assert "policy 'served', 3 episodes in a row" in stopped.stderr
        assert "the same command plays the rest" in stopped.stderr
        assert "Traceback" not in stopped.stderr
        lost = [row["seed"] for row in rows(tmp_path) if row["reason"] == NO_SERVER]
        assert lost == [2, 3, 4]
        assert not (tmp_path / "summary.json").exists()

        asked.clear()
        server.answer = lambda question: (asked.append(question["seed"]), (200, WORDS))[1]
        again = evaluate(tmp_path, *policies)
        assert again.returncode == 0, again.stderr
        assert "lost for want of a server: 3" in again.stdout
    played = [row["seed"] for row in rows(tmp_path) if row["policy"] == "served"]
    assert sorted(played) == list(range(EPISODES))
    assert len(rows(tmp_path)) == 2 * EPISODES
    assert not [row for row in rows(tmp_path) if row["error"]]
    assert Summary.read(tmp_path / "summary.json").complete


def test_lost_episodes_count_nowhere_and_the_report_says_so_on_top(tmp_path: Path) -> None:
    """A server that stumbles: at the end everything else has been played."""
    failed: list[int] = []

    def answer(question: dict[str, Any]) -> tuple[int, str]:
        if question["seed"] in (1, 3) and question["seed"] not in failed:
            failed.append(question["seed"])
            return HANGS_UP
        return 200, WORDS

    with serving(answer) as server:
        policies = ("random", f"served={server.address}")
        done = evaluate(tmp_path, *policies, report=True)
        assert done.returncode == 1
        assert "2 episodes of 'served' could not be played" in done.stdout
        summary = Summary.read(tmp_path / "summary.json")
        (result,) = [each for each in summary.results if (each.policy, each.task) == ("served", "all")]
        assert (result.n, result.success.n, result.errors, result.unplayed) == (EPISODES - 2, EPISODES - 2, 0, 2)
        assert {pair.n for pair in summary.pairs} == {EPISODES - 2}
        assert not summary.complete
        page = (tmp_path / "report.html").read_text()
        top = page[: page.index('<nav aria-label="Contents"')]
        assert "2 episodes of &#39;served&#39; could not be played, as its server was not there" in top
        again = evaluate(tmp_path, *policies, report=True)
        assert again.returncode == 0, again.stderr
    page = (tmp_path / "report.html").read_text()
    assert "could not be played" not in page
    assert Summary.read(tmp_path / "summary.json").complete


def test_a_folder_of_an_earlier_version_has_them_played_again_too(tmp_path: Path) -> None:
    """It knew one reason for all errors; a server's began with the name of the exception."""
    with serving(lambda question: (200, WORDS)) as server:
        policies = (f"served={server.address}",)
        assert evaluate(tmp_path, *policies).returncode == 0
        old = rows(tmp_path)
        old[2] |= {"reason": "error", "success": False, "error": "ServerError: it does not answer (transport.py:157)"}
        old[3] |= {"reason": "error", "success": False, "error": "ValueError: a bug (own.py:1)"}
        (tmp_path / "episodes.jsonl").write_text("".join(json.dumps(row) + "\n" for row in old))
        done = evaluate(tmp_path, *policies)
        assert done.returncode == 0, done.stderr
    errors = [row["error"] for row in rows(tmp_path) if row["error"]]
    assert errors == ["ValueError: a bug (own.py:1)"]
    assert "1 episode of 'served' failed with an error, counted as failures" in done.stdout.replace("\n", " ")


def test_a_server_that_dies_before_the_timing_is_no_result_either(tmp_path: Path) -> None:
    answers: list[int] = []

    def answer(question: dict[str, Any]) -> tuple[int, str]:
        answers.append(question["seed"])
        return HANGS_UP if answers.count(0) > first else (200, WORDS)

    first = 10_000
    with serving(answer) as server:
        assert evaluate(tmp_path, server.address).returncode == 0
        (tmp_path / "summary.json").unlink()
        first = 0
        done = evaluate(tmp_path, server.address)
    assert done.returncode == 1
    assert "timing" in done.stderr
    assert "the same command plays the rest" in done.stderr
    assert not (tmp_path / "summary.json").exists()


def test_a_policy_that_answers_from_the_parent_loses_its_server_likewise() -> None:
    lost = play("Unserved", Unserved(), episodes=2)
    assert {row.reason for row in lost.values()} == {NO_SERVER}
    assert not any(row.is_result for row in lost.values())
    assert all(row.error and row.error.startswith("ServerError: the box is off (players.py:") for row in lost.values())


def test_what_a_policy_or_a_game_raises_is_a_failure() -> None:
    for player in ("Raising", "Garbage"):
        raised = [row for row in play(player, episodes=2).values() if row.error]
        assert raised
        assert all(row.reason == "error" and row.is_result and not row.success for row in raised)
