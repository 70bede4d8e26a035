"""The card every saved model carries, ``gameenv.json``: what it was trained to see and to say.

Checks that a model and an environment belong together. Knows nothing of weights or of how a model is loaded.
"""

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import gymnasium as gym

from gameenv.actions import ACTIONS, CHUNK_LENGTH
from gameenv.errors import GameEnvError, InvalidInputError
from gameenv.files import write_atomically
from gameenv.frames import FrameSpec
from recording import chords

CARD_FILE = "gameenv.json"
CARD_VERSION = 2


@dataclass(frozen=True, slots=True)
class ModelCard:
    """What a model was trained on, in the terms an environment can be compared with.

    Attributes:
        kind: Which loader reads the folder, such as ``"bc"``.
        fps: Ticks a second of the recordings it learned from.
        recorded: Size and fit of the recordings, before anything of the model's own; environments are built so.
        seen: What the model brings every frame to before it looks.
        vocabulary: The action words in index order.
        chunk_length: Actions in a reply.
        prompt_version: Version of the prompt text, None for a model without a prompt.
        chord_method: How several held keys became one word.
        base_model: What was fine-tuned, None for a model trained from nothing.
        trained_tasks: Names of the tasks in the training data, where known.
        extra: Anything else the model's own loader needs (JSON values only).

    Raises:
        InvalidInputError: If the vocabulary or the chunk length is not this version's, or ``fps`` is not above zero.
    """

    kind: str
    fps: float
    recorded: FrameSpec = field(default_factory=FrameSpec)
    seen: FrameSpec = field(default_factory=FrameSpec)
    vocabulary: tuple[str, ...] = ACTIONS
    chunk_length: int = CHUNK_LENGTH
    prompt_version: int | str | None = None
    chord_method: str = chords.DEFAULT
    base_model: str | None = None
    trained_tasks: tuple[str, ...] = ()
    extra: Mapping[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        object.__setattr__(self, "vocabulary", tuple(self.vocabulary))
        object.__setattr__(self, "trained_tasks", tuple(self.trained_tasks))
        if self.vocabulary != ACTIONS:
            raise InvalidInputError(
                f"the model speaks the vocabulary {list(self.vocabulary)}, this version speaks {list(ACTIONS)}; "
                "retrain the model or use the version that made it"
            )
        if self.chunk_length != CHUNK_LENGTH:
            raise InvalidInputError(
                f"the model answers {self.chunk_length} actions, this version plays chunks of {CHUNK_LENGTH}; "
                "retrain the model or use the version that made it"
            )
        if not isinstance(self.fps, int | float) or not self.fps > 0:
            raise InvalidInputError(f"fps must be a number above 0, got {self.fps!r}")

    def save(self, folder: Path) -> Path:
        """Write ``<folder>/gameenv.json`` atomically and return its path. Makes the folder where it is missing."""
        folder = Path(folder)
        folder.mkdir(parents=True, exist_ok=True)
        path = folder / CARD_FILE
        write_atomically(path, json.dumps(self.to_json(), indent=2) + "\n")
        return path

    def to_json(self) -> dict[str, Any]:
        """The content of ``gameenv.json``, in JSON values."""
        return json.loads(json.dumps({"card_version": CARD_VERSION, **asdict(self)}))

    @classmethod
    def load(cls, folder: Path) -> "ModelCard":
        """Read ``<folder>/gameenv.json``.

        Raises:
            InvalidInputError: If it is missing, truncated, lacks a field, or is of another vocabulary or chunk length.
        """
        path = Path(folder) / CARD_FILE
        try:
            content = json.loads(path.read_text(encoding="utf-8"))
        except FileNotFoundError:
            raise InvalidInputError(
                f"{Path(folder)} has no {CARD_FILE}, so it is not a model saved by this project; "
                "train one with gameenv-train"
            ) from None
        except OSError as error:
            raise InvalidInputError(f"cannot read {path}: {error}") from error
        except ValueError as error:
            raise InvalidInputError(f"{path} is truncated or not JSON ({error}); save the model again") from error
        return cls.from_json(content, path)

    @classmethod
    def from_json(cls, content: object, path: Path | str) -> "ModelCard":
        """Read the content of a ``gameenv.json``; ``path`` says in errors where it is from.

        Raises:
            InvalidInputError: If it lacks a field, or is of another vocabulary or chunk length.
        """
        if not isinstance(content, dict):
            raise InvalidInputError(f"{path} must hold a JSON object, it holds {type(content).__name__}")
        if content.get("card_version") not in (1, CARD_VERSION):
            raise InvalidInputError(
                f"{path} is a card of version {content.get('card_version')!r}, this version reads 1 to {CARD_VERSION}"
            )
        try:
            if content["card_version"] == 1 and "frame" in content:
                content = {**content, **_frames_of_version_1(content)}
            if wanted := [name for name in cls.__slots__ if name not in content]:
                raise InvalidInputError(f"it lacks {', '.join(wanted)}; save the model again")
            values = {name: content[name] for name in cls.__slots__}
            return cls(**{**values, **{name: FrameSpec(**content[name]) for name in ("recorded", "seen")}})
        except GameEnvError as error:
            raise InvalidInputError(f"{path}: {error}") from error
        except TypeError as error:
            raise InvalidInputError(f"{path} has a field of the wrong type: {error}") from error


def _frames_of_version_1(content: Mapping[str, Any]) -> dict[str, Any]:
    """Version 1 had one ``frame``: what was recorded for ``bc``, what the model sees for a VLM.

    A VLM's recordings were of the default size then, unless somebody chose another, which its card did not say.
    """
    frame = FrameSpec(**content["frame"])
    if content.get("kind") == "vlm":
        return {"recorded": asdict(FrameSpec(fit=frame.fit)), "seen": asdict(frame)}
    seen = FrameSpec(*content.get("extra", {}).get("input_size", frame.size), fit=frame.fit)
    return {"recorded": asdict(frame), "seen": asdict(seen)}


def check_env(card: ModelCard, env: gym.Env[Any, Any]) -> list[str]:
    """Compare a model's card with the environment it is about to play in.

    Returns:
        One sentence for each difference the model can live with (frame size), and for what the environment does
        not tell. Empty when all agrees.

    Raises:
        InvalidInputError: If the vocabulary, the chunk length, the fps or the fit differs: what the model learned
            would mean something else here. The message names every such difference.
    """
    wrong: list[str] = []
    warnings: list[str] = []
    words = getattr(env.action_space, "n", None)
    if words != len(card.vocabulary):
        wrong.append(f"actions: the model has {len(card.vocabulary)}, the environment {words}")
    fps = getattr(env.unwrapped, "fps", None)
    if fps is None:
        warnings.append("the environment does not say its fps, so it is not compared with the model's")
    elif abs(fps - card.fps) > 1e-6:
        wrong.append(f"fps: the model learned at {card.fps:g}, the environment runs at {fps:g}")
    spec = getattr(env.unwrapped, "frame_spec", None)
    if spec is None:
        warnings.append("the environment does not say its frame size and fit, so they are not compared")
    else:
        if spec.fit != card.recorded.fit:
            wrong.append(f"fit: the model learned on {card.recorded.fit} frames, the environment gives {spec.fit}")
        if spec.size != card.recorded.size:
            warnings.append(
                f"frame size: the model learned from recordings of {card.recorded.width}x{card.recorded.height}, the "
                f"environment gives {spec.width}x{spec.height}; after resizing, it sees slightly other pixels"
            )
    if wrong:
        raise InvalidInputError(f"the model does not fit this environment: {'; '.join(wrong)}")
    return warnings
