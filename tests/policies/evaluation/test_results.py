"""An evaluation's folder: round trips, half-written lines, and what is refused by name."""

import json
import os
from dataclasses import replace
from pathlib import Path

import pytest

from gameenv.actions import ActionChunk
from gameenv.arena import sets
from gameenv.errors import InvalidInputError
from policies.card import ModelCard
from policies.evaluation.config import CONFIG_FILE
from policies.evaluation.plan import EvaluationPlan
from policies.evaluation.results import EPISODES_FILE, EpisodeRow, ResultsFolder
from policies.load import NamedSpec
from policies.options import ModelOptions, ServerOptions
from policies.rollout import EpisodeResult

RANDOM = NamedSpec("random", "random")
PLAN = EvaluationPlan((RANDOM,), ("go-to-lantern",), "validation", 3)
RESULT = EpisodeResult(
    success=True,
    reached=True,
    declared=True,
    steps=9,
    reached_step=2,
    actions=("w", "w", *ActionChunk.of(["none"] * 7)),
    chunk_seconds=(0.2, 0.1, 0.4),
    invalid=0,
    goal="Geh zur Tür",
    level="validation/go-to-lantern/0/g1",
    task="go-to-lantern",
    split="validation",
    seed=0,
    terminated=True,
    truncated=False,
    reason="success",
    error=None,
    seconds=1.25,
)


def begin(out: Path, plan: EvaluationPlan) -> None:
    """Play the first episode of an evaluation."""
    with ResultsFolder(out, plan) as folder:
        folder.append(EpisodeRow.of(next(plan.jobs(plan.policies[0])), RESULT))


def test_a_row_comes_back_as_it_was_written(tmp_path: Path) -> None:
    job, other, _ = PLAN.jobs(RANDOM)
    with ResultsFolder(tmp_path, PLAN) as folder:
        folder.append(EpisodeRow.of(job, RESULT))
        folder.append(EpisodeRow.failed(other, "ValueError: boom"))
        written = list(folder.rows)
    with ResultsFolder(tmp_path, PLAN) as folder:
        assert folder.rows == written
    played, failed = written
    assert played.key == job.key
    assert played.chunk_seconds == {"n": 3, "mean": pytest.approx(0.7 / 3, abs=1e-5), "p50": 0.2, "max": 0.4}
    assert played.actions == RESULT.actions
    assert (failed.success, failed.reached, failed.reason, failed.error) == (False, False, "error", "ValueError: boom")
    assert failed.level is None


def test_a_last_line_that_was_cut_off_is_dropped_and_can_be_written_again(tmp_path: Path) -> None:
    jobs = list(PLAN.jobs(RANDOM))
    with ResultsFolder(tmp_path, PLAN) as folder:
        for job in jobs[:2]:
            folder.append(EpisodeRow.of(job, RESULT))
    path = tmp_path / EPISODES_FILE
    whole = path.read_bytes()
    for cut in (1, 10, len(whole) // 2 - 5):
        path.write_bytes(whole[:-cut])
        with ResultsFolder(tmp_path, PLAN) as folder:
            assert [row.key for row in folder.rows] == [jobs[0].key]
            folder.append(EpisodeRow.of(jobs[1], RESULT))
        assert path.read_bytes() == whole


def test_a_line_in_the_middle_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    begin(tmp_path, PLAN)
    path = tmp_path / EPISODES_FILE
    good = path.read_text()
    for bad in ("{not json\n", '{"policy": "random"}\n', "[]\n"):
        path.write_text(good + bad + good)
        with pytest.raises(InvalidInputError, match=r"line 2 of .*episodes\.jsonl"):
            ResultsFolder(tmp_path, PLAN)


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("policies", (RANDOM, NamedSpec("none", "none"))),
        ("policies", (NamedSpec("dice", "random"),)),
        ("tasks", ("climb-stairs",)),
        ("split", "test"),
        ("episodes", 4),
        ("execute", (1,)),
        ("seed", 1),
        ("frame_size", (256, 144)),
        ("fit", "stretch"),
        ("fps", 5.0),
        ("levels", "arena-val-v1"),
        ("model", ModelOptions(declare_at=0.8)),
    ],
)
def test_another_evaluation_in_the_same_folder_is_refused_by_name(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, name: str, value: object
) -> None:
    monkeypatch.setattr(sets, "FOLDER", tmp_path / "level_sets")
    if name == "levels":
        sets.write_set(str(value), levels=3)
    begin(tmp_path, PLAN)
    with pytest.raises(InvalidInputError, match=f"its {name} was .*give another --out"):
        ResultsFolder(tmp_path, replace(PLAN, **{name: value}))
    ResultsFolder(tmp_path, PLAN).close()  # the same is welcome


def test_an_evaluation_begun_before_an_option_of_models_existed_goes_on(tmp_path: Path) -> None:
    begin(tmp_path, PLAN)
    config = json.loads((tmp_path / CONFIG_FILE).read_text())
    del config["model"]["declare_at"]
    (tmp_path / CONFIG_FILE).write_text(json.dumps(config))
    with ResultsFolder(tmp_path, PLAN) as folder:
        assert len(folder.rows) == 1


def test_a_model_trained_again_is_noticed(tmp_path: Path) -> None:
    model = tmp_path / "model"
    ModelCard(kind="bc", fps=10).save(model)
    (model / "weights.bin").write_bytes(b"a" * 3_000_000)
    plan = replace(PLAN, policies=(NamedSpec("mine", f"bc:{model}"),))
    begin(tmp_path / "out", plan)
    ResultsFolder(tmp_path / "out", plan).close()
    (model / "weights.bin").write_bytes(b"a" * 2_999_999 + b"b")
    with pytest.raises(InvalidInputError, match="another model in 'bc:"):
        ResultsFolder(tmp_path / "out", plan)


def test_a_damaged_or_missing_config_is_refused(tmp_path: Path) -> None:
    begin(tmp_path, PLAN)
    config = tmp_path / CONFIG_FILE
    assert json.loads(config.read_text())["tasks"] == ["go-to-lantern"]
    config.write_text("{")
    with pytest.raises(InvalidInputError, match="not JSON"):
        ResultsFolder(tmp_path, PLAN)
    config.unlink()
    with pytest.raises(InvalidInputError, match=r"no config\.json"):
        ResultsFolder(tmp_path, PLAN)


def test_a_folder_that_cannot_be_made_is_one_error(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    with pytest.raises(InvalidInputError, match="cannot write"):
        ResultsFolder(tmp_path / "file" / "out", PLAN)


def test_a_folder_without_episodes_may_be_asked_anything(tmp_path: Path) -> None:
    with ResultsFolder(tmp_path, replace(PLAN, episodes=1)):
        pass
    with ResultsFolder(tmp_path, PLAN) as folder:
        assert folder.rows == []
    assert json.loads((tmp_path / CONFIG_FILE).read_text())["episodes"] == PLAN.episodes


def test_an_evaluation_from_before_there_were_frozen_sets_goes_on(tmp_path: Path) -> None:
    begin(tmp_path, PLAN)
    config = json.loads((tmp_path / CONFIG_FILE).read_text())
    del config["levels"]
    (tmp_path / CONFIG_FILE).write_text(json.dumps(config))
    with ResultsFolder(tmp_path, PLAN) as folder:
        assert len(folder.rows) == 1


def test_a_second_evaluation_of_one_folder_is_refused_by_name(tmp_path: Path) -> None:
    with ResultsFolder(tmp_path, PLAN):
        with pytest.raises(InvalidInputError, match=rf"another gameenv-evaluate \(process {os.getpid()}\) is writing"):
            ResultsFolder(tmp_path, PLAN)
        assert {path.name for path in tmp_path.iterdir()} == {CONFIG_FILE, EPISODES_FILE, ".lock"}
    ResultsFolder(tmp_path, PLAN).close()


def test_an_evaluation_from_before_there_were_options_for_servers_goes_on(tmp_path: Path) -> None:
    begin(tmp_path, PLAN)
    config = json.loads((tmp_path / CONFIG_FILE).read_text())
    del config["model"]["max_tokens"]
    (tmp_path / CONFIG_FILE).write_text(json.dumps(config))
    with ResultsFolder(tmp_path, PLAN) as folder:
        assert len(folder.rows) == 1


def test_how_a_server_is_asked_belongs_to_an_evaluation_and_how_long_it_is_waited_for_does_not(tmp_path: Path) -> None:
    begin(tmp_path, PLAN)
    patient = ModelOptions(server=ServerOptions(timeout_s=90, first_timeout_s=900, retries=9))
    ResultsFolder(tmp_path, replace(PLAN, model=patient)).close()
    with pytest.raises(InvalidInputError, match="its model was"):
        ResultsFolder(tmp_path, replace(PLAN, model=ModelOptions(server=ServerOptions(max_tokens=500))))
