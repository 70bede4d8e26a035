"""The evaluation report: what ``gameenv-evaluate`` measured, as one page that a person can judge by.

Writes ``report.html`` and ``media/*.mp4`` beside ``config.json``, ``episodes.jsonl`` and ``summary.json``, from these
alone: it knows nothing of how the episodes were played.
"""

import shlex
from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from importlib import resources
from pathlib import Path

from gameenv import ARENA_ID
from gameenv.actions import ACTIONS
from gameenv.errors import require
from gameenv.files import write_atomically
from gameenv.frames import DEFAULT_SIZE
from policies.evaluation.summary import POOL
from policies.options import DEFAULT_OPTIONS, settings
from policies.report import charts, prose
from policies.report.charts import Chart, Share
from policies.report.clips import RULE, Clip, Gallery, Stage, make_clips
from policies.report.findings import ORACLE, Findings, Json, Results, find, load_results

REPORT_FILE = "report.html"
_POOL_LABEL = "all tasks"

Played = Mapping[str, Sequence[Json]]
"""Each policy's episodes at the ``--execute`` at which the report shows it."""


def _played(results: Results, findings: Findings) -> Played:
    return {
        policy: [e for e in results.episodes if e.get("policy") == policy and e.get("execute", execute) == execute]
        for policy, execute in findings.shown.items()
    }


def _draw(results: Results, findings: Findings, played: Played) -> dict[str, Chart]:
    """Every chart the results allow, by name."""
    drawn = [_draw_rates(results, findings)]
    if len(results.executes) > 1:
        pooled = {(name, n): s for (name, n, task), s in results.shares("success").items() if task == POOL}
        alt = "; ".join(f"{name} at {n}: {prose.percent(share)}" for (name, n), share in sorted(pooled.items()))
        drawn.append(charts.rates_by_execute(results.policies, results.executes, pooled, f"Success by execute. {alt}."))
    if any(played.values()):
        ends = {p: [_ticks_to_goal(e) for e in episodes if e.get("success")] for p, episodes in played.items()}
        totals = {policy: len(episodes) for policy, episodes in played.items()}
        ended = {policy: dict(counts) for policy, counts in _outcomes(played).items()}
        alt = (
            "Share of episodes that had succeeded by each tick; the curves end at the success rates of the table above."
        )
        drawn.append(charts.success_by_time(list(played), ends, totals, alt))
        alt = "How the episodes of each policy ended; the table below has the counts."
        drawn.append(charts.outcomes(list(played), prose.OUTCOMES, ended, alt))
    return {chart.name: chart for chart in drawn}


def _ticks_to_goal(episode: Json) -> int:
    return int(episode.get("reached_step") or episode.get("steps") or 0)


def _draw_rates(results: Results, findings: Findings) -> Chart:
    tasks = {task: task for task in results.tasks}
    if POOL in tasks or len(tasks) > 1:
        tasks[POOL] = _POOL_LABEL

    def shown(field: str) -> dict[tuple[str, str], Share]:
        shares = results.shares(field)
        keys = [(policy, n, task) for policy, n in findings.shown.items() for task in tasks]
        return {
            (policy, tasks[task]): shares[policy, n, task] for policy, n, task in keys if (policy, n, task) in shares
        }

    success = shown("success")
    alt = "; ".join(f"{policy} on {label} {prose.percent(share)}" for (policy, label), share in success.items())
    alt = f"Success with 95% intervals. {alt}."
    return charts.rates_by_task(results.policies, list(tasks.values()), success, shown("reached"), alt)


def _outcomes(played: Played) -> dict[str, list[tuple[str, int]]]:
    counts = {policy: Counter(prose.outcome(e) for e in episodes) for policy, episodes in played.items()}
    return {policy: [(kind, count[kind]) for kind in prose.OUTCOMES] for policy, count in counts.items()}


def _action_shares(played: Played) -> dict[str, list[float]]:
    shares = {}
    for policy, episodes in played.items():
        count = Counter(str(word) for e in episodes for word in e.get("actions") or ())
        shares[policy] = [count[word] / max(1, count.total()) for word in ACTIONS]
    return shares


def _medians(results: Results) -> dict[tuple[str, int], str]:
    """Median ticks to the goal in successful episodes, by policy and execute, over all tasks."""
    found = {}
    for row in results.rows:
        middle = row.get("steps_to_goal")
        value = middle.get("median") if isinstance(middle, Mapping) else row.get("steps_median")
        if row.get("task") == POOL and isinstance(value, int | float):
            found[str(row.get("policy")), int(row.get("execute", 0))] = f"{value:.0f}"
    return found


def _latency(results: Results) -> list[dict[str, object]]:
    """Milliseconds by policy; the files hold seconds."""
    rows = []
    for row in results.summary.get("latency") or ():
        spans = {name: row.get(f"{name}_s") for name in ("p50", "p95", "p99")}
        in_ms = {n: 1e3 * s if isinstance(s, int | float) else row.get(f"{n}_ms") for n, s in spans.items()}
        rows.append({"policy": str(row.get("policy")), "n": row.get("n"), "error": row.get("error"), **in_ms})
    return rows


def _pair_tables(results: Results, findings: Findings) -> list[tuple[str, list[Json]]]:
    """Paired tests as captioned tables; first all tasks at the execute that the report shows."""
    tables: dict[tuple[str, int], list[Json]] = {}
    for pair in results.pairs:
        tables.setdefault((str(pair.get("task", POOL)), int(pair.get("execute", 0))), []).append(pair)
    several = len(results.executes) > 1
    shown = set(findings.shown.values())
    ordered = sorted(tables, key=lambda key: (key[0] != POOL, key[1] not in shown))
    return [
        ((_POOL_LABEL if task == POOL else task) + (f", execute {execute}" if several else ""), tables[task, execute])
        for task, execute in ordered
    ]


def _levels(episodes: Iterable[Json]) -> dict[str, tuple[str, str]]:
    """For each task: its seeds in short, and every level's id."""
    found: dict[str, dict[int, str]] = {}
    for episode in episodes:
        if episode.get("level") is not None:
            found.setdefault(str(episode.get("task")), {})[int(episode.get("seed") or 0)] = str(episode["level"])
    return {task: (prose.ranges(list(ids)), " ".join(ids[n] for n in sorted(ids))) for task, ids in found.items()}


def _facts(results: Results) -> list[str]:
    """The line below the verdict."""
    config, total = results.config, len(results.episodes)
    temperature = (config.get("model") or {}).get("temperature")
    facts = [
        f"{config['split']} levels" if config.get("split") else "",
        f"frozen set {config['levels']}" if config.get("levels") else "",
        f"{config['episodes']} episodes a task" if config.get("episodes") else "",
        f"{total:,} episodes in all" if total else "",
        f"temperature {temperature:g}" if temperature else "",
        results.date,
    ]
    return [fact for fact in facts if fact]


def _circumstances(results: Results) -> list[tuple[str, str]]:
    """Everything the files say about models, versions and machine, flat."""
    named = [policy for policy in results.config.get("policies", ()) if isinstance(policy, Mapping)]
    rows = [(f"{p.get('name')}, model files", str(p["fingerprint"])) for p in named if p.get("fingerprint")]
    for source in (results.config, results.summary):
        for part in ("versions", "machine"):
            value = source.get(part)
            if isinstance(value, Mapping):
                rows += [(str(key), _flat(inner)) for key, inner in value.items()]
            elif value:
                rows.append((part, _flat(value)))
    rows += [(key, _flat(results.config[key])) for key in ("frame_size", "seed", "workers") if key in results.config]
    return list(dict.fromkeys((key.replace("_", " "), value) for key, value in rows))


def _flat(value: object) -> str:
    if isinstance(value, Mapping):
        return ", ".join(f"{key} {inner}" for key, inner in value.items())
    return " \N{MULTIPLICATION SIGN} ".join(map(str, value)) if isinstance(value, list | tuple) else str(value)


def _command(results: Results, out: Path) -> str:
    """The command that gives these results again."""
    config = results.config
    known = config.get("command") or config.get("argv")
    if known:
        return known if isinstance(known, str) else shlex.join(map(str, known))
    named = [p if results.spec(p) == p else f"{p}={results.spec(p)}" for p in results.policies]
    parts = ["gameenv-evaluate", "--policies", *named, "--tasks", *results.tasks]
    for option in ("split", "levels", "episodes", "seed", "frame_size", "fps"):
        value = config.get(option)
        if value is not None:
            parts += [f"--{option.replace('_', '-')}", *map(str, value if isinstance(value, list) else [value])]
    executes = config.get("execute") or results.executes
    return shlex.join([*parts, "--execute", *map(str, executes), *_model_options(config), "--out", str(out)])


def _model_options(config: Json) -> list[str]:
    """How the models were run, where it was not as usual."""
    usual, asked = settings(DEFAULT_OPTIONS), config.get("model") or {}
    changed = {f"--{name.replace('_', '-')}": value for name, value in asked.items() if value != usual.get(name)}
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
        prose.p_value,
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
        success=results.shares("success"),
        reached=results.shares("reached"),
        medians=_medians(results),
        charts=_draw(results, findings, played),
        pairs=_pair_tables(results, findings),
        latency=_latency(results),
        outcomes=_outcomes(played),
        invalid={policy: sum(int(e.get("invalid") or 0) for e in episodes) for policy, episodes in played.items()},
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
        InvalidInputError: If there is no ``summary.json``, or it cannot be read.
        MissingExtraError: If jinja2 or matplotlib is not installed.
    """
    for module in ("jinja2", "matplotlib"):
        require(module, "evaluate")  # before minutes of filming, not after
    results = load_results(out)
    episodes = [episode for group in _played(results, find(results)).values() for episode in group]
    config = results.config
    width, height = config.get("frame_size") or DEFAULT_SIZE
    how = {name: config[name] for name in ("fit", "fps") if name in config}
    stage = Stage(str(config.get("env_id", ARENA_ID)), (int(width), int(height)), **how)
    page = render(out, results, make_clips(episodes, out, examples, stage, progress=progress))
    path = out / REPORT_FILE
    write_atomically(path, page)
    return path
