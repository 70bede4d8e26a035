"""Labeled segments as a ``datasets.Dataset``, in the form TRL's ``SFTTrainer`` takes for vision.

The specification's message format mixes a string with a list under ``content``, which Arrow cannot hold: ``datasets``
4.0 refuses it and 4.8 turns the assistant's string into a dictionary. Here every content is a list of typed parts, and
pictures are a column of their own, opened when a row is read. Knows nothing of models.
"""

from collections.abc import Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

from gameenv.errors import require
from labeling.reader import Sample, load_samples
from policies.prompt import reply_text, user_text

if TYPE_CHECKING:
    from datasets import Dataset


def to_hf_dataset(source: str | Path | Sequence[Sample]) -> "Dataset":
    """Return samples as a dataset with the columns ``images``, ``prompt`` and ``completion``.

    ``images`` is a list of one picture, decoded when its row is read; ``prompt`` is one user message, an image part
    (which TRL 1.14 fills from ``images``) and a text part; ``completion`` is one assistant message whose text is the
    reply exactly as in ``samples.jsonl``. Arrow gives the image part a ``text`` of None.

    Args:
        source: The folder ``gameenv-label`` wrote, or samples from ``load_samples`` or ``split_samples``.

    Raises:
        MissingExtraError: If ``datasets`` is not installed.
        InvalidInputError: As ``load_samples``.
    """
    datasets = require("datasets", "train")
    samples = load_samples(source) if isinstance(source, str | Path) else source
    text = datasets.Value("string")
    messages = [{"role": text, "content": [{"type": text, "text": text}]}]
    features = datasets.Features(
        {"images": datasets.List(datasets.Image()), "prompt": messages, "completion": messages}
    )
    columns: dict[str, list[Any]] = {
        "images": [[str(sample.image)] for sample in samples],
        "prompt": [_prompt(sample) for sample in samples],
        "completion": [_completion(sample) for sample in samples],
    }
    return datasets.Dataset.from_dict(columns, features=features)


def _prompt(sample: Sample) -> list[dict[str, Any]]:
    parts = [{"type": "image", "text": None}, {"type": "text", "text": user_text(sample.goal)}]
    return [{"role": "user", "content": parts}]


def _completion(sample: Sample) -> list[dict[str, Any]]:
    return [{"role": "assistant", "content": [{"type": "text", "text": reply_text(sample.chunk)}]}]
