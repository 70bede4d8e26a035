"""``docs/formats.md`` documents every key that the code really writes, with its type, and no other."""

import json
import re
import subprocess
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import gymnasium as gym
import pytest

from gameenv.actions import ActionChunk
from gameenv.live.env import LiveEnv
from policies.card import CARD_FILE, ModelCard
from policies.prompt import sample_messages
from recording import RecordingWrapper, Session
from recording.rows import MARK, REACHED
from tests.gameenv.live.display import Probe
from tests.policies.server.stub import say, serving

ROOT = Path(__file__).resolve().parent.parent
FORMATS = (ROOT / "docs" / "formats.md").read_text(encoding="utf-8")
ROW = re.compile(r"^\| (\*?)`([\w.\[\]]+)`\1 \| ([\w, ]+) \| .* ?\|$", re.MULTILINE)


@dataclass(frozen=True)
class Documented:
    """A row of a table."""

    types: frozenset[str]
    optional: bool


def documented(heading: str) -> dict[str, Documented]:
    """The keys in the tables between a heading and the next."""
    section = re.split(rf"^##+ {re.escape(heading)}$", FORMATS, flags=re.MULTILINE)[1]
    section = re.split(r"^##+ ", section, maxsplit=1, flags=re.MULTILINE)[0]
    table = {key: Documented(frozenset(types.split(", ")), bool(mark)) for mark, key, types in ROW.findall(section)}
    assert len(table) == len(re.findall(r"^\| \*?`", section, re.MULTILINE)), "a row of the table is not read"
    return table


def kind(value: object) -> str:
    for name, types in (("bool", bool), ("int", int), ("float", float), ("text", str), ("object", dict)):
        if isinstance(value, types):
            return name
    return "null" if value is None else "list"


def flat(value: object, known: dict[str, Documented], key: str = "") -> Iterator[tuple[str, str]]:
    """Every key and the type of its value, down to what the table calls an object or a list as a whole."""
    inner = [each for each in known if each.startswith((f"{key}.", f"{key}[]."))] if key else list(known)
    if isinstance(value, dict) and inner:
        for name, each in value.items():
            yield from flat(each, known, f"{key}.{name}" if key else name)
    elif isinstance(value, list) and inner and key not in known:
        for each in value:
            yield from flat(each, known, f"{key}[]")
    elif value is not None or key in known or not inner or not all(known[each].optional for each in inner):
        yield key, kind(value)


def check(known: dict[str, Documented], *contents: object) -> None:
    """Every key of the contents is in the table, with this type; every key of the table is there unless it may lack."""
    for content in contents:
        found = list(flat(content, known))
        for key, its_type in found:
            assert key in known, f"{key} is not documented"
            fits = known[key].types | ({"int"} if "float" in known[key].types else set())
            assert its_type in fits, f"{key} is {its_type}, documented as {', '.join(known[key].types)}"
        lacking = {key for key, each in known.items() if not each.optional} - {key for key, _ in found}
        assert not lacking, f"documented and not there: {sorted(lacking)}"


def lines(path: Path) -> list[Any]:
    return [json.loads(line) for line in path.read_text(encoding="utf-8").splitlines()]


def read(path: Path) -> Any:
    return json.loads(path.read_text(encoding="utf-8"))


def run(folder: Path, module: str, *words: str) -> None:
    ran = subprocess.run(
        [sys.executable, "-m", module, *words], cwd=folder, capture_output=True, text=True, timeout=240, check=False
    )
    assert ran.returncode == 0, ran.stdout + ran.stderr


@pytest.fixture(scope="module")
def written(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder in which a short recording was made and labeled by the commands."""
    folder = tmp_path_factory.mktemp("written")
    words = ("--player", "expert", "--frames", "60", "--tasks", "press-switch", "--frame-size", "64", "48")
    run(folder, "recording", *words, "--session", "first")
    run(folder, "labeling")
    return folder


def test_the_check_sees_what_is_undocumented_missing_or_of_another_type() -> None:
    known = {"a": Documented(frozenset({"int"}), False), "b.c": Documented(frozenset({"text"}), False)}
    check(known, {"a": 1, "b": {"c": "x"}})
    for wrong in ({"a": 1, "b": {"c": "x", "d": 1}}, {"a": 1, "b": {}}, {"a": "1", "b": {"c": "x"}}, {"b": {"c": "x"}}):
        with pytest.raises(AssertionError):
            check(known, wrong)


@pytest.mark.slow
def test_sessions(written: Path) -> None:
    session = written / "dataset" / "raw_playthrough" / "first"
    table = documented("`session.json`")
    check(table, read(session / "session.json"))
    assert any(each.startswith("totals.") for each, _ in flat(read(session / "session.json"), table))
    rows = lines(session / "steps.jsonl")
    table = documented("`steps.jsonl`")
    own = {key.removeprefix("info."): value for key, value in table.items() if key.startswith("info.")}
    check({key: value for key, value in table.items() if not key.startswith("info.")}, *rows)
    environment = documented("The arena adds") | {"tick": documented("Every environment")["tick"]}
    check(environment | own, *(row["info"] for row in rows))
    assert {"reward", "ended"} <= set(rows[-1]["info"])


@pytest.mark.slow
def test_goals_set_afterwards(written: Path) -> None:
    session = written / "dataset" / "raw_playthrough" / "first"
    run(written, "recording.sessions", "goal", "first", "Open the door", "--rows", "0-9", "--reached")
    run(written, "recording.sessions", "goal", "first", "--not-reached")
    table = documented("`goals.json`")
    check(table, read(session / "goals.json"))
    row = Session(session)[0]
    assert row.goal == "Open the door"
    for _ in range(2):
        run(written, "recording.sessions", "goal", "first", "--undo")
    assert Session(session)[0].goal != row.goal


def test_a_mark_is_documented_as_it_is_written() -> None:
    assert documented("`steps.jsonl`")[f"info.{MARK}"] == Documented(frozenset({"text"}), True)
    assert f"| *`info.{MARK}`* | text | `{REACHED}`" in FORMATS


def test_segments(written: Path) -> None:
    segments = sorted((written / "dataset" / "labeled_segments").glob("first_seg*"))
    assert segments
    for segment in segments:
        check(documented("`segment.json`"), read(segment / "segment.json"))
        assert len(lines(segment / "samples.jsonl")) == len(read(segment / "segment.json")["rows"])


@pytest.mark.slow
def test_what_labelers_said(written: Path) -> None:
    def answer(question: dict[str, Any]) -> tuple[int, str]:
        goal = "unclear" if len(server.asked) == 1 else "Press the switch"
        return 200, say(json.dumps({"goal": goal, "completed": True, "confidence": 0.9}))

    with serving(answer) as server:
        model = ("--model", server.address)
        run(written, "labeling", "--labeler", "server", *model, "--out", "named")
        run(written, "labeling", "--score", *model, "--out", "named", "--passes", "2")
    labels = written / "named" / "labels"
    entries = lines(labels / "server.jsonl")
    assert {"goal", "set_aside"} <= {key for entry in entries for key in entry}
    check(documented("`labels/<labeler>.jsonl`"), *entries)
    check(documented("`labels/replies.jsonl`"), *lines(labels / "replies.jsonl"))
    check(documented("`labels/score-<labeler>.json`"), read(labels / "score-server.json"))


def test_a_sample_is_the_one_that_the_specification_prints() -> None:
    (printed,) = re.findall(
        r"```json\n(.*?)```", (ROOT / "docs" / "pipeline.md").read_text(encoding="utf-8"), re.DOTALL
    )
    chunk = ActionChunk.of(["w", "right", "w", "w", "none", "none", "none"])
    assert json.loads(printed) == sample_messages("frame_0000.jpg", "Go to the lantern", chunk)


def test_cards(tmp_path: Path) -> None:
    ModelCard("bc", 10.0).save(tmp_path)
    check(documented(f"`{CARD_FILE}`"), read(tmp_path / CARD_FILE), read(ROOT / "models" / "arena-base" / CARD_FILE))


@pytest.mark.slow
@pytest.mark.slow
def test_evaluations(tmp_path: Path) -> None:
    words = ("--policies", "random", "expert", "--tasks", "press-switch", "--episodes", "1", "--frame-size", "64", "48")
    run(tmp_path, "policies.evaluation", *words, "--no-report", "--out", "first")
    check(documented("`config.json`"), read(tmp_path / "first" / "config.json"))
    episodes = lines(tmp_path / "first" / "episodes.jsonl")
    assert len(episodes) == 2
    check(documented("`episodes.jsonl`"), *episodes)
    check(documented("`summary.json`"), read(tmp_path / "first" / "summary.json"))


def test_info_of_the_arena() -> None:
    table = documented("Every environment") | documented("The arena adds")
    with gym.make("gameenv/Arena-v0", task="press-switch", frame_size=(64, 48)) as env:
        _, first = env.reset(seed=0)
        check(table, first, env.step(1)[4])


@pytest.mark.slow
def test_info_of_a_live_window_and_what_of_it_is_recorded(
    make_env: Callable[..., LiveEnv], probe: Probe, tmp_path: Path
) -> None:
    adds = documented("A live window adds")
    table = documented("Every environment") | adds
    with RecordingWrapper(make_env(), tmp_path, "live", "probe", reserve_bytes=0) as env:
        _, first = env.reset(options={"goal": "Look around here"})
        check(table, first, env.step(1)[4], env.step(0)[4])
        probe.close()
        *_, truncated, last = env.step(0)
        assert truncated
        check(table, last)
        assert "truncated_because" in last
    recorded = {"tick": table["tick"], **{key: value for key, value in adds.items() if key != "hotkeys"}}
    check(recorded, *(row["info"] for row in lines(tmp_path / "live" / "steps.jsonl")))
