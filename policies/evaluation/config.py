"""What an evaluation was asked: ``config.json``, which a second run there must ask again.

Knows nothing of episodes or results.
"""

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from gameenv import ARENA_ID
from gameenv.clock import DEFAULT_FPS
from gameenv.errors import InvalidInputError
from gameenv.frames import Fit, FrameSpec
from policies.evaluation.plan import EvaluationPlan
from policies.evaluation.summary import foreign, read_object
from policies.load import model_folder
from policies.options import DEFAULT_OPTIONS, ModelOptions, settings
from policies.realtime import Pace
from policies.remote.address import is_remote

CONFIG_FILE = "config.json"
FORMAT_VERSION = 1
_FINGERPRINT_BYTES = 1 << 20


@dataclass(frozen=True, slots=True)
class AskedPolicy:
    """Who was asked to play: its name there, what ``load_policy`` was given, a short hash of its model's files."""

    name: str
    spec: str
    fingerprint: str | None


@dataclass(frozen=True, slots=True)
class Config:
    """``config.json`` as a report reads it; the names are ``EvaluationPlan``'s."""

    format_version: int
    policies: tuple[AskedPolicy, ...]
    tasks: tuple[str, ...]
    split: str
    episodes: int
    execute: tuple[int, ...]
    seed: int
    frame_size: tuple[int, int]
    model: Mapping[str, Any]
    fit: Fit = FrameSpec().fit
    fps: float = DEFAULT_FPS
    env_id: str = ARENA_ID
    levels: str | None = None
    pace: Pace | None = None

    @classmethod
    def read(cls, path: Path) -> "Config":
        """Read ``config.json``, of earlier versions too, which did not ask for rate, fit and some options of models.

        Raises:
            InvalidInputError: If it cannot be read, or is not what ``gameenv-evaluate`` writes.
        """
        content = read_object(path)
        try:
            width, height = content["frame_size"]
            parts = {
                "policies": tuple(AskedPolicy(**each) for each in content["policies"]),
                "tasks": tuple(content["tasks"]),
                "execute": tuple(content["execute"]),
                "frame_size": (width, height),
                "model": {**settings(DEFAULT_OPTIONS), **content.get("model", {})},
                "pace": None if content.get("pace") is None else Pace(**content["pace"]),
            }
            return cls(**{**content, **parts})
        except (TypeError, KeyError, ValueError) as error:
            raise foreign(path, error) from error


def config_of(plan: EvaluationPlan) -> dict[str, Any]:
    """What a second run in the same folder must ask too, as JSON values."""
    config = {"format_version": FORMAT_VERSION, **json.loads(json.dumps(asdict(plan), default=str))}
    config["model"] = settings(plan.model)
    for policy in config["policies"]:
        policy["fingerprint"] = fingerprint(policy["spec"], plan.model)
    return config


def fingerprint(spec: str, options: ModelOptions = DEFAULT_OPTIONS) -> str | None:
    """A short hash of the files of the model that ``spec`` names, None where it names no model.

    A server tells that of the model that it plays.

    Names, sizes, and the first and last mebibyte of each file: enough to notice a model that was trained again.
    """
    if is_remote(spec):
        from policies.remote.client import greet  # noqa: PLC0415 (its transport loads where it is used)

        return greet(spec, options).fingerprint
    folder = model_folder(spec)
    if folder is None or not folder.is_dir():
        return None
    digest = hashlib.sha256()
    for path in sorted(each for each in folder.iterdir() if each.is_file() and not each.name.startswith(".")):
        size = path.stat().st_size
        digest.update(f"{path.name}\0{size}\0".encode())
        with path.open("rb") as file:
            digest.update(file.read(_FINGERPRINT_BYTES))
            file.seek(max(0, size - _FINGERPRINT_BYTES))
            digest.update(file.read(_FINGERPRINT_BYTES))
    return digest.hexdigest()[:16]


def read_config(path: Path) -> dict[str, Any] | None:
    """The content of ``config.json``, None where there is none.

    Raises:
        InvalidInputError: If it is not a JSON object.
    """
    try:
        content = json.loads(path.read_text(encoding="utf-8"))
    except FileNotFoundError:
        return None
    except ValueError as error:
        raise InvalidInputError(f"{path} is not JSON ({error}); give another --out") from error
    if not isinstance(content, dict):
        raise InvalidInputError(f"{path} must hold a JSON object; give another --out")
    return content


def check_same(out: Path, known: Mapping[str, Any], asked: Mapping[str, Any]) -> None:
    """Refuse to go on with an evaluation that asked something else.

    Raises:
        InvalidInputError: If it did; says what.
    """
    differing = [name for name in asked if known.get(name) != asked[name]]
    if not differing:
        return
    name = differing[0]
    if name == "policies" and isinstance(known.get(name), list):
        was = {policy.get("name"): policy for policy in known[name]}
        for policy in asked[name]:
            old = was.get(policy["name"])
            if old and old.get("spec") == policy["spec"] and old.get("fingerprint") != policy["fingerprint"]:
                raise InvalidInputError(
                    f"{out} was begun with another model in {policy['spec']!r} (its files have changed); "
                    "give another --out"
                )
        short = [[_shown(policy) for policy in each] for each in (known[name], asked[name])]
    else:
        short = [known.get(name), asked[name]]
    raise InvalidInputError(
        f"{out} holds another evaluation: its {name} was {short[0]}, now {short[1]} is asked; "
        "give another --out, or the same settings to go on"
    )


def _shown(policy: Mapping[str, Any]) -> str:
    name, spec = policy.get("name"), policy.get("spec")
    return str(spec) if name == spec else f"{name}={spec}"
