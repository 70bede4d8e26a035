"""The evaluation report: what ``gameenv-evaluate`` measured, as one page that a person can judge by.

Writes ``report.html`` and ``media/*.mp4`` beside ``config.json``, ``episodes.jsonl`` and ``summary.json``, from these
alone: it knows nothing of how the episodes were played.
"""

import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from pathlib import Path

from gameenv.actions import ACTIONS
from gameenv.errors import require
from gameenv.files import write_atomically
from policies.evaluation.config import Config
from policies.evaluation.results import EpisodeRow
from policies.evaluation.statistics import p_text
from policies.evaluation.summary import POOL, Pair
from policies.options import DEFAULT_OPTIONS, settings
from policies.report import charts, prose
from policies.report.charts import Chart, Share
from policies.report.clips import RULE, Clip, Gallery, Stage, make_clips
from policies.report.findings import ORACLE, Findings, Results, find, load_results

REPORT_FILE = "report.html"
_POOL_LABEL = "all tasks"

Played = Mapping[str, Sequence[EpisodeRow]]
"""Each policy's episodes at the ``--execute`` at which the report shows it."""


def _played(results: Results, findings: Findings) -> Played:
    return {
        policy: [each for each in results.episodes if (each.policy, each.execute) == (policy, execute)]
        for policy, execute in findings.shown.items()
    }


def _draw(results: Results, findings: Findings, played: Played) -> dict[str, Chart]:
    """Every chart the results allow, by name."""
    drawn = [_draw_rates(results, findings)]
    if len(results.executes) > 1:
        pooled = {(name, n): s for (name, n, task), s in results.success().items() if task == POOL}
        alt = "; ".join(f"{name} at {n}: {prose.percent(share)}" for (name, n), share in sorted(pooled.items()))
        drawn.append(charts.rates_by_execute(results.policies, results.executes, pooled, f"Success by execute. {alt}."))
    if any(played.values()):
        ends = {p: [e.reached_step or e.steps for e in episodes if e.success] for p, episodes in played.items()}
        totals = {policy: len(episodes) for policy, episodes in played.items()}
        ended = {policy: dict(counts) for policy, counts in _outcomes(played).items()}
        alt = (
            "Share of episodes that had succeeded by each tick; the curves end at the success rates of the table above."
        )
        drawn.append(charts.success_by_time(list(played), ends, totals, alt))
        alt = "How the episodes of each policy ended; the table below has the counts."
        drawn.append(charts.outcomes(list(played), prose.OUTCOMES, ended, alt))
    return {chart.name: chart for chart in drawn}


def _draw_rates(results: Results, findings: Findings) -> Chart:
    tasks = {task: task for task in results.tasks}
    if len(tasks) > 1:
        tasks[POOL] = _POOL_LABEL

    def shown(shares: Mapping[tuple[str, int, str], Share]) -> dict[tuple[str, str], Share]:
        keys = [(policy, n, task) for policy, n in findings.shown.items() for task in tasks]
        return {
            (policy, tasks[task]): shares[policy, n, task] for policy, n, task in keys if (policy, n, task) in shares
        }

    success = shown(results.success())
    alt = "; ".join(f"{policy} on {label} {prose.percent(share)}" for (policy, label), share in success.items())
    alt = f"Success with 95% intervals. {alt}."
    return charts.rates_by_task(results.policies, list(tasks.values()), success, shown(results.reached()), alt)


def _outcomes(played: Played) -> dict[str, list[tuple[str, int]]]:
    counts = {policy: Counter(prose.outcome(e) for e in episodes) for policy, episodes in played.items()}
    return {policy: [(kind, count[kind]) for kind in prose.OUTCOMES] for policy, count in counts.items()}


def _action_shares(played: Played) -> dict[str, list[float]]:
    shares = {}
    for policy, episodes in played.items():
        count = Counter(word for each in episodes for word in each.actions)
        shares[policy] = [count[word] / max(1, count.total()) for word in ACTIONS]
    return shares


def _medians(results: Results) -> dict[tuple[str, int], str]:
    """Median ticks to the goal in successful episodes, by policy and execute, over all tasks."""
    rows = [row for row in results.summary.results if row.task == POOL]
    return {
        (row.policy, row.execute): f"{row.steps_to_goal.median:.0f}"
        for row in rows
        if row.steps_to_goal.median is not None
    }


def _pair_tables(results: Results, findings: Findings) -> list[tuple[str, list[Pair]]]:
    """Paired tests as captioned tables; first all tasks at the execute that the report shows."""
    tables: dict[tuple[str, int], list[Pair]] = {}
    for pair in results.summary.pairs:
        tables.setdefault((pair.task, pair.execute), []).append(pair)
    several = len(results.executes) > 1
    shown = set(findings.shown.values())
    ordered = sorted(tables, key=lambda key: (key[0] != POOL, key[1] not in shown))
    return [
        ((_POOL_LABEL if task == POOL else task) + (f", execute {execute}" if several else ""), tables[task, execute])
        for task, execute in ordered
    ]


def _levels(episodes: Iterable[EpisodeRow]) -> dict[str, tuple[str, str]]:
    """For each task: its seeds in short, and every level's id."""
    found: dict[str, dict[int, str]] = {}
    for episode in episodes:
        if episode.level is not None:
            found.setdefault(episode.task, {})[episode.seed] = episode.level
    return {task: (prose.ranges(list(ids)), " ".join(ids[n] for n in sorted(ids))) for task, ids in found.items()}


def _facts(results: Results) -> list[str]:
    """The line below the verdict."""
    config, total = results.config, len(results.episodes)
    temperature = config.model["temperature"]
    facts = [
        f"{config.split} levels",
        f"frozen set {config.levels}" if config.levels else "",
        f"{config.episodes} episodes a task",
        f"{total:,} episodes in all" if total else "",
        f"temperature {temperature:g}" if temperature else "",
        results.date,
    ]
    return [fact for fact in facts if fact]


def _circumstances(results: Results) -> list[tuple[str, str]]:
    """Everything the files say about models, versions and machine, flat."""
    config = results.config
    rows = [(f"{each.name}, model files", each.fingerprint) for each in config.policies if each.fingerprint]
    rows += [(key, _flat(value)) for key, value in {**results.summary.versions, **results.summary.machine}.items()]
    rows += [("frame size", _flat(config.frame_size)), ("fit", config.fit), ("fps", f"{config.fps:g}")]
    return [(key.replace("_", " "), value) for key, value in [*rows, ("seed", str(config.seed))]]


def _flat(value: object) -> str:
    return " \N{MULTIPLICATION SIGN} ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _command(results: Results, out: Path) -> str:
    """The command that gives these results again."""
    config = results.config
    named = [each.name if each.name == each.spec else f"{each.name}={each.spec}" for each in config.policies]
    parts = ["gameenv-evaluate", "--policies", *named, "--tasks", *config.tasks]
    if config.levels is None:
        parts += ["--split", config.split, "--seed", str(config.seed)]
    else:
        parts += ["--levels", config.levels]
    parts += ["--episodes", str(config.episodes), "--frame-size", *map(str, config.frame_size)]
    parts += ["--fps", f"{config.fps:g}", "--execute", *map(str, config.execute), *_model_options(config)]
    return shlex.join([*parts, "--out", str(out)])


def _model_options(config: Config) -> list[str]:
    """How the models were run, where it was not as usual."""
    usual = settings(DEFAULT_OPTIONS)
    changed = {f"--{name.replace('_', '-')}": value for name, value in config.model.items() if value != usual[name]}
    return [word for option, value in changed.items() for word in ([option] if value is True else [option, str(value)])]


def _clip_notes(clips: Sequence[Clip]) -> list[str]:
    """What went wrong with clips, one line a cause."""
    troubles: dict[str, list[str]] = {}
    for clip in clips:
        if clip.trouble:
            troubles.setdefault(clip.trouble, []).append(f"{clip.policy} on {clip.level}")
    return [f"Film of {', '.join(who)}: {why}" for why, who in troubles.items()]


def render(out: Path, results: Results, clips: Sequence[Clip]) -> str:
    """Return the page as HTML text.

    Args:
        out: The evaluation folder, for its name and the commands.
        results: What was measured.
        clips: Episodes to show.

    Raises:
        MissingExtraError: If jinja2 or matplotlib is not installed.
    """
    jinja2 = require("jinja2", "evaluate")
    looks = resources.files("policies.report")
    page = jinja2.Environment(autoescape=True, undefined=jinja2.StrictUndefined, trim_blocks=True, lstrip_blocks=True)
    page.filters["percent"], page.filters["interval"] = prose.percent, prose.interval
    page.filters["p_value"], page.filters["ms"], page.filters["reading"] = (
        p_text,
        prose.milliseconds,
        prose.pair_reading,
    )
    findings = find(results)
    played = _played(results, findings)
    return page.from_string((looks / "report.html").read_text(encoding="utf-8")).render(
        style=(looks / "report.css").read_text(encoding="utf-8"),
        name=out.resolve().name,
        out=out,
        facts=_facts(results),
        notes=[*results.notes, *_clip_notes(clips)],
        results=results,
        findings=findings,
        success=results.success(),
        reached=results.reached(),
        medians=_medians(results),
        charts=_draw(results, findings, played),
        pairs=_pair_tables(results, findings),
        latency=results.summary.latency,
        outcomes=_outcomes(played),
        invalid={policy: sum(each.invalid for each in episodes) for policy, episodes in played.items()},
        kinds=prose.OUTCOMES,
        actions=ACTIONS,
        action_shares=_action_shares(played),
        galleries={policy: Gallery(tuple(clip for clip in clips if clip.policy == policy)) for policy in played},
        shown_executes={policy: [execute] for policy, execute in findings.shown.items()},
        every_execute=dict.fromkeys(results.policies, results.executes),
        some_clips=bool(clips),
        rule=RULE,
        command=_command(results, out),
        circumstances=_circumstances(results),
        levels=_levels(results.episodes),
        pool=POOL,
        oracle=ORACLE,
    )


def write_report(out: Path, examples: int = 1, *, progress: bool = False) -> Path:
    """Write ``report.html`` and ``media/`` into an evaluation folder.

    A clip that cannot be made (a missing extra, another generator version) is noted in the report and does not stop it.

    Args:
        out: The folder given to ``gameenv-evaluate --out``.
        examples: Good and bad episodes to show for each policy and task; 0 for none, which takes seconds.
        progress: Show a bar on standard error while filming.

    Returns:
        The page's path.

    Raises:
        InvalidInputError: If there is no ``summary.json`` or ``config.json``, or they cannot be read.
        MissingExtraError: If jinja2 or matplotlib is not installed.
    """
    for module in ("jinja2", "matplotlib"):
        require(module, "evaluate")  # before minutes of filming, not after
    results = load_results(out)
    episodes = [episode for group in _played(results, find(results)).values() for episode in group]
    config = results.config
    stage = Stage(config.env_id, config.frame_size, config.fit, config.fps)
    page = render(out, results, make_clips(episodes, out, examples, stage, progress=progress))
    path = out / REPORT_FILE
    write_atomically(path, page)
    return path
