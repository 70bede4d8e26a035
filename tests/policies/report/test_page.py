import json
import math
import re
import subprocess
import sys
from collections.abc import Sequence
from dataclasses import asdict, replace
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import pytest

from gameenv.arena import sets
from gameenv.arena.levels import GENERATOR_VERSION
from gameenv.errors import InvalidInputError
from policies.evaluation.config import config_of
from policies.evaluation.plan import EvaluationPlan
from policies.evaluation.results import EpisodeRow, write_json
from policies.evaluation.statistics import p_text
from policies.load import NamedSpec
from policies.options import ModelOptions
from policies.report import charts, prose
from policies.report.charts import Share
from policies.report.clips import choose
from policies.report.findings import find, load_results
from policies.report.page import write_report

pytestmark = pytest.mark.slow

pytest.importorskip("vizdoom")
av = pytest.importorskip("av")
pytest.importorskip("jinja2")
matplotlib = pytest.importorskip("matplotlib")
summary = pytest.importorskip("policies.evaluation.summarize")
statistics = pytest.importorskip("policies.evaluation.statistics")
latency = pytest.importorskip("policies.evaluation.latency")

TASKS = ("go-to-lantern", "climb-stairs")
POLICIES = (NamedSpec("random", "random"), NamedSpec("expert", "expert"), NamedSpec("tuned", "bc:models/bc"))
VOID = {"meta", "link", "img", "br", "hr", "path", "use", "rect", "input", "source"}


class Page(HTMLParser):
    """What the tests ask of the page: balanced tags, ids, attributes and text."""

    def __init__(self, html: str) -> None:
        super().__init__(convert_charrefs=True)
        self.open: list[str] = []
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.text = ""
        self.feed(html)
        self.close()

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))
        if tag not in VOID:
            self.open.append(tag)

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.tags.append((tag, dict(attrs)))

    def handle_endtag(self, tag: str) -> None:
        if tag not in VOID:
            assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if not self.open or self.open[-1] not in ("style", "script"):
            self.text += data

    def all(self, name: str) -> list[dict[str, str | None]]:
        return [attributes for tag, attributes in self.tags if tag == name]


def row(policy: NamedSpec, task: str, seed: int, *, success: bool, **more: object) -> EpisodeRow:
    """An episode of 6 ticks that walks and stands; a failure never reaches the goal unless told."""
    plain = EpisodeRow(
        policy=policy.name,
        spec=policy.spec,
        execute=7,
        task=task,
        split="test",
        seed=seed,
        level=f"test/{task}/{seed}/g{GENERATOR_VERSION}",
        goal="Go to the lantern",
        success=success,
        reached=success,
        declared=success,
        steps=6,
        reached_step=4 if success else None,
        actions=("w", "w", "left", "none", "none", "none"),
        chunk_seconds=None,
        invalid=0,
        terminated=success,
        truncated=not success,
        reason="success" if success else "time-limit",
        error=None,
        seconds=0.1,
    )
    return replace(plain, **more)  # pyright: ignore[reportArgumentType]


def played(levels: int = 8, execute: Sequence[int] = (7,)) -> list[EpisodeRow]:
    """``tuned`` succeeds on all levels but the last, ``expert`` on all, ``random`` on none."""
    wins = {"random": 0, "expert": levels, "tuned": levels - 1}
    return [
        row(policy, task, seed, success=seed < wins[policy.name], execute=n)
        for policy in POLICIES
        for n in execute
        for task in TASKS
        for seed in range(levels)
    ]


def write_folder(
    out: Path, rows: Sequence[EpisodeRow], episodes: int = 8, execute: tuple[int, ...] = (7,), **asked: Any
) -> Path:
    """Write an evaluation folder through the evaluation's own code."""
    plan = EvaluationPlan(POLICIES, TASKS, "test", episodes, execute, 0, (128, 72), **asked)
    timed = {policy.name: latency.Latency(30, 0.012, 0.0112, 0.0204, 0.0301) for policy in POLICIES}
    out.mkdir(parents=True, exist_ok=True)
    write_json(out / "config.json", config_of(plan))
    (out / "episodes.jsonl").write_text("".join(json.dumps(asdict(each)) + "\n" for each in rows))
    write_json(out / "summary.json", summary.summarize(plan, rows, timed).to_json())
    return out


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return write_folder(tmp_path / "first", played())


def read(out: Path, examples: int = 0) -> tuple[str, Page]:
    html = write_report(out, examples).read_text(encoding="utf-8")
    return html, Page(html)


def test_the_page_leads_with_the_verdict_and_has_the_numbers(folder: Path):
    _, page = read(folder)
    text = " ".join(page.text.split())
    assert "tuned beats random" in text
    assert "tuned succeeds in 14 of 16 episodes (88%, 95% interval 64" in text
    assert "p < 0.001" in text
    assert "tuned is better: of the 14 levels that only one of them solved, it solved all 14." in text
    assert "11.2" in text  # the median latency, in milliseconds
    assert "gameenv-evaluate --policies random expert tuned=bc:models/bc" in text
    assert "--frame-size 128 72" in text
    assert f"test/climb-stairs/7/g{GENERATOR_VERSION}" in text
    assert not page.open


def test_what_is_not_as_usual_is_named_in_the_facts_and_the_command(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, folder: Path
):
    monkeypatch.setattr(sets, "FOLDER", tmp_path)
    sets.write_set("arena-test-v1", levels=8)
    drawn = ModelOptions(temperature=0.5, four_bit=True)
    _, page = read(write_folder(tmp_path / "drawn", played(), model=drawn, levels="arena-test-v1"))
    for said in ("frozen set arena-test-v1", "temperature 0.5", "--levels arena-test-v1"):
        assert said in page.text
    assert "--temperature 0.5 --four-bit --out" in page.text
    _, page = read(folder)
    assert "temperature" not in page.text
    assert "--levels" not in page.text


def test_the_page_stands_alone(folder: Path):
    html, page = read(folder, examples=1)
    assert not page.all("script")
    assert not page.all("link")[1:]
    for _, attributes in page.tags:
        for name in ("src", "href", "poster", "xlink:href"):
            value = attributes.get(name) or ""
            assert not re.match(r"(https?:)?//", value), value
            if value.startswith("media/"):
                assert (folder / value).is_file()
    assert "@import" not in html
    assert "url(http" not in html


def test_the_page_can_be_heard(folder: Path):
    html, page = read(folder, examples=1)
    assert page.all("html")[0]["lang"] == "en"
    assert all(image.get("alt") for image in page.all("img"))
    assert all(video.get("aria-label") for video in page.all("video"))
    assert all(cell.get("scope") in ("row", "col") for cell in page.all("th"))
    assert len(page.all("caption")) == len(page.all("table"))
    assert all(figure.get("aria-label") for figure in page.all("figure"))
    ids = [attributes["id"] for _, attributes in page.tags if "id" in attributes]
    assert len(ids) == len(set(ids))
    for target in re.findall(r'(?:href="|url\()#([^")]+)', html):
        assert target in ids


def test_colours_of_charts_follow_the_page(folder: Path):
    html, _ = read(folder)
    for chart in re.findall(r"<svg.*?</svg>", html, re.DOTALL):
        assert "var(--ink)" in chart
        assert not re.search(r"(fill|stroke): #(?!fff)[0-9a-f]{6}", chart)


def test_what_files_say_is_escaped(tmp_path: Path):
    goal = "<script>alert('x')</script> & \"more\" Иди к фонарю 走到灯笼那里"
    rows = [replace(each, goal=goal, level="test/<b>/1") for each in played()]
    html, page = read(write_folder(tmp_path, rows), examples=1)
    assert not page.all("script")
    assert "<b>/1" not in html
    assert goal in page.text


@pytest.mark.parametrize("odd", ["_$x^2$ <i>", 'id="2" [/e]', "url(#3)", f"see {charts.SERIES[0]}"])
def test_odd_policy_names_are_shown_as_they_are(tmp_path: Path, odd: str):
    out = write_folder(tmp_path, played())
    for name in ("config.json", "summary.json", "episodes.jsonl"):
        path = out / name
        path.write_text(path.read_text().replace('"tuned"', json.dumps(odd)))
    html, page = read(out)
    assert page.text.count(odd) > 5
    assert not page.all("i")
    drawn = [Page(chart).text for chart in re.findall(r"<svg.*?</svg>", html, re.DOTALL)]
    assert drawn
    assert all(odd in text for text in drawn)


def test_each_policy_and_task_shows_a_good_and_a_bad_episode_with_every_frame(folder: Path):
    _, page = read(folder, examples=1)
    videos = [str(video["src"]) for video in page.all("video")]
    assert len(videos) == 8  # random fails, expert succeeds, tuned does both; two tasks
    assert len(page.all("img")) == 8
    for video in videos:
        with av.open(str(folder / video)) as container:
            assert sum(1 for _ in container.decode(video=0)) == 7
    assert "No success on any task." in page.text


def test_examples_are_chosen_by_a_rule():
    tuned = POLICIES[2]
    rows = [row(tuned, TASKS[0], seed, success=seed % 2 == 0) for seed in range(8)]
    rows[5] = replace(rows[5], declared=True, reason="wrong-declaration")
    chosen = choose([*reversed(rows)], 2)
    assert [episode.seed for episode in chosen] == [0, 2, 1, 5]


def test_a_second_report_is_the_same(folder: Path):
    assert read(folder)[0] == read(folder)[0]


def test_matplotlib_settings_stay_the_callers(folder: Path):
    before = dict(matplotlib.rcParams)
    read(folder)
    assert dict(matplotlib.rcParams) == before


def test_several_executes_are_compared(tmp_path: Path):
    out = write_folder(tmp_path, played(execute=(7, 1)), execute=(7, 1))
    _, page = read(out)
    assert "Looking again sooner" in page.text
    assert "Every policy at every execute" in page.text


def test_without_a_summary_it_says_what_to_run(tmp_path: Path):
    with pytest.raises(InvalidInputError, match=r"no summary.json.*gameenv-evaluate --out"):
        write_report(tmp_path)
    (tmp_path / "summary.json").write_text('{"results": [')
    with pytest.raises(InvalidInputError, match=r"cannot read .*summary.json"):
        write_report(tmp_path)
    (tmp_path / "summary.json").write_text("[]")
    with pytest.raises(InvalidInputError, match="must hold a JSON object"):
        write_report(tmp_path)
    assert not (tmp_path / "report.html").exists()


def test_a_line_cut_off_is_left_out_and_said(folder: Path):
    path = folder / "episodes.jsonl"
    path.write_bytes(path.read_bytes()[:-40])
    _, page = read(folder)
    assert "1 unreadable line(s) of episodes.jsonl left out (line 48)" in page.text
    assert "counts 48 episodes, episodes.jsonl has 47" in page.text


def test_episodes_that_are_missing_are_said_and_stop_nothing(folder: Path):
    (folder / "episodes.jsonl").unlink()
    _, page = read(folder, examples=1)
    assert "holds no episode" in page.text
    assert "tuned beats random" in page.text


@pytest.mark.parametrize("name", ["config.json", "summary.json"])
def test_a_file_that_is_missing_damaged_or_foreign_is_named_with_the_remedy(folder: Path, name: str):
    path = folder / name
    content = json.loads(path.read_text())
    first = next(key for key, value in content.items() if isinstance(value, list))
    for wrong in ({}, {**content, first: [{"another": "thing"}]}, {**content, "odd": 1}):
        path.write_text(json.dumps(wrong))
        with pytest.raises(InvalidInputError, match=rf"{name} is not what gameenv-evaluate writes.*--out again"):
            load_results(folder)
    path.unlink()
    with pytest.raises(InvalidInputError, match=rf"(cannot read|has no) .*{name}"):
        load_results(folder)


def test_an_evaluation_of_the_first_version_still_gives_a_report(folder: Path):
    path = folder / "config.json"
    content = json.loads(path.read_text())
    for key in ("fit", "fps"):
        del content[key]
    content["model"] = {
        name: content["model"][name] for name in ("temperature", "dtype", "four_bit", "device", "backend")
    }
    path.write_text(json.dumps(content))
    _, page = read(folder)
    assert "tuned beats random" in page.text


def test_levels_of_another_generator_are_not_passed_off_as_these(tmp_path: Path):
    rows = [replace(each, level=str(each.level).replace(f"g{GENERATOR_VERSION}", "g0")) for each in played()]
    _, page = read(write_folder(tmp_path, rows), examples=1)
    assert not page.all("video")
    assert "another generator version" in page.text


def test_an_environment_that_cannot_be_made_costs_the_films_only(folder: Path):
    config = json.loads((folder / "config.json").read_text())
    write_json(folder / "config.json", {**config, "env_id": "gameenv/Nowhere-v0"})
    _, page = read(folder, examples=1)
    assert not page.all("video")
    assert "Nowhere" in page.text
    assert "tuned beats random" in page.text


def test_failed_episodes_are_told_apart(tmp_path: Path):
    rows = played()
    tuned = [index for index, each in enumerate(rows) if each.policy == "tuned"]
    rows[tuned[0]] = EpisodeRow.failed(_job(rows[tuned[0]]), "EngineDied: <gone>")
    rows[tuned[1]] = replace(rows[tuned[1]], success=False, reason="wrong-declaration", reached=True, invalid=2)
    _, page = read(write_folder(tmp_path, rows), examples=2)
    assert "EngineDied: <gone>" in page.text
    assert "It had held earlier, and was left again." in page.text
    assert "2 replies could not be read as a chunk." in page.text


def _job(each: EpisodeRow):
    plan = EvaluationPlan(POLICIES, TASKS, "test", 8, (7,), 0, (128, 72))
    return next(job for policy in POLICIES for job in plan.jobs(policy) if job.key == each.key)


def test_the_command_names_what_is_missing_in_one_line(tmp_path: Path):
    done = subprocess.run(
        [sys.executable, "-m", "policies.report", str(tmp_path / "nowhere")],
        capture_output=True,
        text=True,
        check=False,
    )
    assert done.returncode == 1
    assert "has no summary.json" in done.stderr
    assert done.stderr.count("\n") == 1


def test_the_command_writes_the_page_again(folder: Path):
    command = [sys.executable, "-m", "policies.report", str(folder), "--examples", "0"]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    assert done.stdout.strip() == str(folder / "report.html")


def test_the_one_that_sees_the_state_is_never_the_best(folder: Path):
    assert find(load_results(folder)).headline == "tuned beats random"


def test_a_difference_that_is_not_shown_is_not_claimed(tmp_path: Path):
    rows = [replace(each, success=False) if each.seed != 0 else each for each in played()]
    findings = find(load_results(write_folder(tmp_path, rows)))
    assert findings.headline == "No policy is shown to beat random"
    assert findings.sentence.startswith("No policy is shown to beat the control. tuned succeeds in 2 of 16")


def share(k: int, n: int) -> Share:
    counted = statistics.wilson(k, n)
    return Share(counted.k, counted.n, counted.rate, counted.low, counted.high)


@pytest.mark.parametrize(("k", "other"), [(30, 20), (24, 25), (40, 10), (50, 25)])
def test_uncorrelated_pairs_give_newcombes_interval_for_two_groups(k: int, other: int):
    both = k * other // 50  # exactly independent: both x neither = only one x only the other
    neither = 50 - k - other + both
    difference, low, high = prose.paired_difference(share(k, 50), share(other, 50), both, neither)
    assert difference == pytest.approx((k - other) / 50)
    one, two = share(k, 50), share(other, 50)  # method 10 of Newcombe 1998, Statistics in Medicine 17, 873-890
    assert low == pytest.approx(difference - math.hypot(one.rate - one.low, two.high - two.rate))
    assert high == pytest.approx(difference + math.hypot(one.high - one.rate, two.rate - two.low))


def paired(both: int, first: int, second: int, neither: int) -> tuple[float, ...]:
    n = both + first + second + neither
    return prose.paired_difference(share(both + first, n), share(both + second, n), both, neither)


@pytest.mark.parametrize(
    ("table", "expected"),
    [
        # ad - bc = 296 of 50 pairs; less n/2, phi = 271 / sqrt(32 x 18 x 22 x 28) = 0.455
        ((20, 12, 2, 16), (0.2, 0.0562, 0.3292)),
        # ad - bc = 5 of 21 pairs, below n/2: phi = 0
        ((1, 1, 7, 12), (-0.2857, -0.5069, -0.0256)),
        # ad - bc = -24: negative correlation is not corrected
        ((36, 12, 2, 0), (0.2, 0.0569, 0.3404)),
    ],
)
def test_newcombes_interval_for_pairs_is_continuity_corrected(table: tuple[int, ...], expected: tuple[float, ...]):
    assert paired(*table) == pytest.approx(expected, abs=5e-5)


def test_pairing_narrows_the_interval_and_swapping_mirrors_it():
    _, low, high = prose.paired_difference(share(30, 50), share(20, 50), 20, 20)
    _, loose_low, loose_high = prose.paired_difference(share(30, 50), share(20, 50), 12, 12)
    assert loose_low < low < 0.2 < high < loose_high
    _, other_low, other_high = prose.paired_difference(share(20, 50), share(30, 50), 20, 20)
    assert (other_low, other_high) == pytest.approx((-high, -low))


@pytest.mark.parametrize(
    ("episode", "kind"),
    [
        ({"success": True, "reason": "success"}, "success"),
        ({"declared": True, "reason": "wrong-declaration"}, "wrong declaration"),
        ({"reason": "lost"}, "caught or died"),
        ({"reached": True, "reason": "undeclared"}, "reached, never declared"),
        ({"reached": True, "reason": "time-limit"}, "reached, never declared"),
        ({"reason": "time-limit"}, "never reached"),
        ({"error": "it broke", "reason": "error"}, "error"),
    ],
)
def test_how_an_episode_ended(episode: dict[str, object], kind: str):
    told = row(POLICIES[2], TASKS[0], 0, **{"success": False, **episode})  # pyright: ignore[reportArgumentType]
    assert prose.outcome(told) == kind
    assert prose.story(told)


def test_no_two_policies_look_alike():
    looks = [(charts.SERIES[number % len(charts.SERIES)], charts.marker_of(number)) for number in range(64)]
    assert len(set(looks)) == 64


def test_numbers_are_written_in_short():
    assert prose.ranges([3, 1, 2, 7, 2]) == "1\N{EN DASH}3, 7"
    assert prose.ranges([]) == ""
    assert p_text(0.0) == "< 0.001"
    assert p_text(0.0304) == "0.030"
    assert prose.milliseconds(None) == "\N{EN DASH}"
    assert prose.milliseconds(0.0000312) == "0.03"
    assert prose.milliseconds(1.2345) == "1,234"
