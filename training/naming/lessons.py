"""Labeled clips as questions with their answers: exactly what ``gameenv-label --labeler vlm`` will ask.

Knows nothing of weights or trainers.
"""

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np

from gameenv.errors import InvalidInputError, require
from labeling.labeler import Clip
from labeling.naming.here import BEGUN, Prepared, prepare
from labeling.naming.options import NamingOptions
from labeling.naming.question import CHANGES, COMPLETED, CONFIDENCE, EVIDENCE, GOAL, ask_about, read_goals
from labeling.segment_folder import read_record, segment_folders
from labeling.segments import segment_of
from policies.vlm.inputs import InputMaker
from recording.session import Session
from training.data import Data
from training.vlm.batches import IGNORED

_SURE = 0.9
"""The confidence that every answer is taught to give; what a model means by it is another matter."""


@dataclass(frozen=True, slots=True)
class Lesson:
    """A clip and what is to be said of it."""

    clip: Clip
    goal: str
    completed: bool

    @property
    def answer(self) -> str:
        """The answer, as JSON."""
        said = {CHANGES: "", GOAL: self.goal, COMPLETED: self.completed, CONFIDENCE: _SURE, EVIDENCE: ""}
        return json.dumps(said, ensure_ascii=False)


@dataclass(frozen=True, slots=True)
class Lessons:
    """What is learned from and what is held out, by level where there are levels, else by session."""

    training: list[Lesson]
    validation: list[Lesson]


def load_lessons(data: Data, recordings: Path, warn: Callable[[str], object]) -> Lessons:
    """Find the clips that samples come from, where their recordings are still there.

    Args:
        data: The samples; a clip with a held-out one among them is held out.
        recordings: The folder of the sessions.
        warn: Told what is left out.

    Raises:
        InvalidInputError: If no clip has its recording, or none is left on one side.
    """
    held_out = {(sample.session_id, sample.segment) for sample in data.validation}
    wanted = held_out | {(sample.session_id, sample.segment) for sample in data.training}
    sessions: dict[str, Session | None] = {}
    lessons = Lessons([], [])
    lost = 0
    for folder in segment_folders(Path(data.root)):
        record = read_record(folder)
        name = record.session_id, record.number
        if name not in wanted:
            continue
        if record.session_id not in sessions:
            path = recordings / record.session_id
            sessions[record.session_id] = Session(path) if path.is_dir() else None
        session = sessions[record.session_id]
        if session is None:
            lost += 1
            continue
        clip = Clip(session, segment_of(session, record.number, record.start, record.stop))
        side = lessons.validation if name in held_out else lessons.training
        side.append(Lesson(clip, record.goal, record.completed))
    if lost:
        warn(f"{lost} clips are left out: their recordings are not in {recordings}")
    if not lessons.training or not lessons.validation:
        raise InvalidInputError(
            f"of the clips in {data.root}, {len(lessons.training)} to learn from and {len(lessons.validation)} to hold "
            f"out have their recordings in {recordings}; name the folder of the recordings by --recordings"
        )
    return lessons


class Schoolbook:
    """Turns numbers of lessons into batches, for ``Trainer``'s ``data_collator``.

    Args:
        lessons: All of them.
        maker: The model's own.
        options: How the labeler will ask.
    """

    def __init__(self, lessons: Sequence[Lesson], maker: InputMaker, options: NamingOptions) -> None:
        self._lessons, self._maker, self._options = lessons, maker, options
        self._goals = () if options.goals_list is None else read_goals(options.goals_list)

    def __len__(self) -> int:
        return len(self._lessons)

    def read(self, number: int) -> tuple[Prepared, list[int]]:
        """A lesson's question, and the tokens of its answer from where the labeler begins it."""
        lesson, tokenizer = self._lessons[number], self._maker.tokenizer
        question = prepare(ask_about(lesson.clip, self._options, self._goals), self._maker)
        rest = lesson.answer.removeprefix(BEGUN)
        return question, [*tokenizer(rest, add_special_tokens=False)["input_ids"], self._maker.reply.end]

    def __call__(self, rows: Sequence[dict[str, int]]) -> dict[str, Any]:
        """A batch: the model's arguments, filled up on the left, and ``labels`` ``(B, L)``."""
        torch: Any = require("torch", "train")
        pages = [self.read(row["lesson"]) for row in rows]
        length = max(len(question.ids) + len(answer) for question, answer in pages)
        ids = np.full((len(pages), length), self._maker.pad_id, np.int64)
        labels = np.full((len(pages), length), IGNORED, np.int64)
        mask = np.zeros((len(pages), length), np.int64)
        for row, (question, answer) in enumerate(pages):
            whole = [*question.ids, *answer]
            ids[row, length - len(whole) :] = whole
            mask[row, length - len(whole) :] = 1
            labels[row, length - len(answer) :] = answer
        arrays = {
            "input_ids": ids,
            "attention_mask": mask,
            "mm_token_type_ids": ((ids == self._maker.image_id) & (mask == 1)).astype(np.int64),
            "pixel_values": np.concatenate([question.pixels for question, _ in pages]),
            "image_grid_thw": np.array([grid for question, _ in pages for grid in question.grids], np.int64),
            "labels": labels,
        }
        return {name: torch.from_numpy(array) for name, array in arrays.items()}
