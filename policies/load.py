"""``load_policy``: from a few words on a command line to a policy.

The one place that knows the names of policies. Knows nothing of environments; loads no heavy module before its
policy is asked for.
"""

import os
import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from gameenv.errors import InvalidInputError, UnknownNameError, require
from gameenv.factories import NoModuleError, is_factory, load_object
from policies.base import Policy
from policies.baselines import NonePolicy, RandomPolicy, ReplayPolicy
from policies.card import CARD_FILE, ModelCard
from policies.options import DEFAULT_OPTIONS, ModelOptions
from policies.remote.address import is_remote

_HUB_ID = re.compile(r"[\w.-]+/[\w.-]+")
_NAME = re.compile(r"[\w.-]+")
_MODEL_KINDS = ("bc", "vlm")
_MODEL_FILES = (CARD_FILE, "config.json", "adapter_config.json")
CHOICES = (
    *("none", "random", "expert", "replay:<session>", "bc:<path>", "<model or adapter folder>"),
    *("<hub id of a Qwen3-VL>", "http://<host>:<port>/v1", "remote://<host>:<port>", "<package.module:factory>"),
)
_HEADS = ("none", "random", "expert", "replay", "bc")
API_KEY = "OPENAI_API_KEY"
"""The environment variable with the key of a server that wants one."""


@dataclass(frozen=True, slots=True)
class NamedSpec:
    """A policy as the command line names it: ``tuned=models/x`` is ``NamedSpec("tuned", "models/x")``."""

    name: str
    spec: str


def load_policy(spec: str, options: ModelOptions = DEFAULT_OPTIONS) -> Policy:
    """Make the policy that ``spec`` describes.

    Args:
        spec: ``none``, ``random``, ``expert``, ``replay:<session folder>``, ``bc:<model folder>``, a folder with a
            model or a LoRA adapter, the hub id of a Qwen3-VL, the address of an OpenAI-compatible server
            (``http://host:port/v1``, with ``#model`` behind it where it has several), the address of a policy that
            ``gameenv-serve`` plays (``remote://host:port``, ``remotes://`` with TLS), or ``package.module:factory``
            (anything importable, the current directory included: a function or class that takes no arguments, or a
            policy).
        options: How to run a Qwen3-VL; ``bc`` heeds the temperature and ``declare_at``, a server the temperature. Other
            policies have nothing to set.

    Raises:
        UnknownNameError: If it is none of these; says what it may have meant.
        InvalidInputError: If the folder or the module cannot be used.
        MissingExtraError: If an optional package is needed and missing.
        GameEnvError: If a model cannot be fetched or a server does not answer; says what to do.
    """
    head, _, rest = spec.partition(":")
    if spec in _SIMPLE:
        return _SIMPLE[spec]()
    if head in ("replay", "bc"):
        if not rest:
            raise InvalidInputError(f"{head!r} needs a folder behind a colon: {head}:<folder>")
        return ReplayPolicy(Path(rest)) if head == "replay" else _load_model("bc", Path(rest), options)
    if head in _SIMPLE:
        raise InvalidInputError(f"{head!r} takes nothing behind a colon, got {spec!r}")
    if "://" in spec:
        return _load_served(spec, options)
    if spec and Path(spec).is_dir():
        return _load_model(None, Path(spec), options)
    if is_factory(spec):
        return _load_own(spec)
    if _HUB_ID.fullmatch(spec) and not _misspelt(spec) and not spec.startswith(("models/", "dataset/", "runs/")):
        return _load_vlm(spec, options)
    raise _unknown(spec)


def card_of(spec: str, options: ModelOptions = DEFAULT_OPTIONS) -> ModelCard | None:
    """Read the card of the model that ``spec`` names, without loading the model; one that is served is asked for it.

    Returns:
        None for a policy that has no card: a baseline, a recording, a model as it was published, a server, anyone's
        own object.

    Raises:
        InvalidInputError: If ``spec`` names a model folder whose card cannot be read.
        GameEnvError: If the server of a ``remote://`` policy is not there, or refuses.
    """
    if is_remote(spec):
        from policies.remote.client import card_from, greet  # noqa: PLC0415 (its transport loads where it is used)

        return card_from(greet(spec, options), spec)
    folder = model_folder(spec)
    if folder is None or _is_plain_model(folder):
        return None
    return ModelCard.load(_check_folder(folder))


def model_folder(spec: str) -> Path | None:
    """Return the folder of the model that ``spec`` names, None where it names no model."""
    head, _, rest = spec.partition(":")
    if head == "bc" and rest:
        return Path(rest)
    return Path(spec) if spec and head not in _HEADS and Path(spec).is_dir() else None


def parse_named_specs(texts: Sequence[str]) -> tuple[NamedSpec, ...]:
    """Read ``name=spec`` or plain ``spec`` (its own name) from each text.

    Raises:
        InvalidInputError: If a spec is empty, or two policies have one name.
    """
    named = tuple(_parse_named(text) for text in texts)
    names = [each.name for each in named]
    twice = [each for each in named if names.count(each.name) > 1]
    if twice:
        first, second = twice[0], next(each for each in twice[1:] if each.name == twice[0].name)
        raise InvalidInputError(
            f"two policies are called {first.name!r}; give each its own name, as in first={first.spec} "
            f"second={second.spec}"
        )
    return named


def _parse_named(text: str) -> NamedSpec:
    name, equals, spec = text.partition("=")
    if not equals or not _NAME.fullmatch(name):
        name = spec = text
    if not spec:
        raise InvalidInputError(f"{text!r} names no policy; write name=spec, with a spec from: {', '.join(CHOICES)}")
    return NamedSpec(name, spec)


def _load_expert() -> Policy:
    require("vizdoom", "arena")
    from gameenv.arena.player.expert import Expert  # noqa: PLC0415 (the engine loads where it is used)

    return Expert()


_SIMPLE: dict[str, Callable[[], Policy]] = {"none": NonePolicy, "random": RandomPolicy, "expert": _load_expert}


def _check_folder(folder: Path) -> Path:
    if not folder.is_dir():
        raise InvalidInputError(f"there is no model folder '{folder}' here; train a model with gameenv-train")
    return folder


def _is_plain_model(folder: Path) -> bool:
    """Whether it is a model in the Hugging Face format that this project did not train."""
    return not (folder / CARD_FILE).is_file() and any((folder / name).is_file() for name in _MODEL_FILES)


def _load_model(kind: str | None, folder: Path, options: ModelOptions) -> Policy:
    if kind is None and _is_plain_model(folder):
        return _load_vlm(str(folder), options)
    card = ModelCard.load(_check_folder(folder))
    if card.kind not in _MODEL_KINDS:
        raise UnknownNameError(f"kind of model in {folder / CARD_FILE}:", card.kind, _MODEL_KINDS)
    if kind is not None and kind != card.kind:
        raise InvalidInputError(f"{folder} holds a model of kind {card.kind!r}, not {kind!r}")
    if card.kind == "vlm":
        return _load_vlm(str(folder), options)
    require("torch", "train")
    from policies.bc import BCPolicy  # noqa: PLC0415 (torch loads where it is used)

    return BCPolicy.load(folder, temperature=options.temperature, declare_at=options.declare_at)


def _load_vlm(spec: str, options: ModelOptions) -> Policy:
    from policies.vlm.loading import load_vlm  # noqa: PLC0415 (torch loads where it is used)

    return load_vlm(spec, options)


def _load_served(spec: str, options: ModelOptions) -> Policy:
    if is_remote(spec):
        from policies.remote import PolicyClient  # noqa: PLC0415 (its transport loads where it is used)

        return PolicyClient(spec, options)
    from policies.server import ServerPolicy  # noqa: PLC0415 (its HTTP library loads where it is used)

    return ServerPolicy(spec, options.server, temperature=options.temperature, api_key=os.environ.get(API_KEY))


def _load_own(spec: str) -> Policy:
    try:
        return load_object(
            spec,
            Policy,
            "policy",
            "reset(goal, *, seed=None) and predict(observation); see docs/plug-in-a-policy.md",
        )
    except NoModuleError:
        if misspelt := _misspelt(spec):
            raise misspelt from None
        raise


def _misspelt(spec: str) -> UnknownNameError | None:
    error = UnknownNameError("policy", spec.partition(":")[0], _HEADS)
    return error if error.suggestion else None


def _unknown(spec: str) -> InvalidInputError | UnknownNameError:
    misspelt = _misspelt(spec)
    if misspelt:
        return misspelt
    if any(mark in spec for mark in "/\\") or Path(spec).is_absolute():
        return InvalidInputError(f"there is no model folder '{spec}' here; train a model with gameenv-train")
    return UnknownNameError("policy", spec, CHOICES)
