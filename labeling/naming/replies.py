"""Every reply that a model ever gave, by a hash of what it was asked: no question is asked twice.

A line is written as soon as its reply is there, so that whoever is killed loses no more than what was on its way. Knows
nothing of what questions and replies mean.
"""

import hashlib
import json
import os
import threading
from collections import defaultdict
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Self

from gameenv.errors import InvalidInputError
from gameenv.files import full_disk_named
from policies.server.answers import Reply
from policies.server.client import Question

REPLIES_FILE = "replies.jsonl"


@dataclass(frozen=True, slots=True)
class Said:
    """What came back for a question.

    Attributes:
        text: What the model said, empty where that cannot be read.
        error: Why it cannot be read, or what went wrong.
        failed: No reply came: asking again may bring one.
        cut_off: The tokens allowed were used up before the end.
        asked_tokens, said_tokens: Tokens of question and reply, 0 where nobody counted.
        seconds: From question to reply, retries included; 0 where nobody measured.
    """

    text: str = ""
    error: str | None = None
    failed: bool = False
    cut_off: bool = False
    asked_tokens: int = 0
    said_tokens: int = 0
    seconds: float = field(default=0.0, compare=False)

    @classmethod
    def of(cls, reply: Reply, seconds: float = 0.0) -> Self:
        """What a server's reply says."""
        return cls(
            reply.text,
            cut_off=reply.cut_off,
            asked_tokens=reply.asked_tokens,
            said_tokens=reply.said_tokens,
            seconds=round(seconds, 3),
        )


def key_of(question: Question, model: str, max_tokens: int, think: bool) -> str:
    """Hash of all that a reply depends on; where the model runs is not of it."""
    content = {
        "text": question.text,
        "plain": question.plain_text,
        "captions": question.captions,
        "pictures": [hashlib.sha256(each).hexdigest() for each in question.pictures],
        "schema": question.schema,
        "temperature": question.temperature,
        "seed": question.seed,
        "model": model,
        "max_tokens": max_tokens,
        "think": think,
    }
    return hashlib.sha256(json.dumps(content, sort_keys=True).encode()).hexdigest()


@dataclass(slots=True)
class Experience:
    """What a model's replies took so far: how many of them said so, and the sums."""

    counted: int = 0
    asked_tokens: int = 0
    said_tokens: int = 0
    timed: int = 0
    seconds: float = 0.0

    def add(self, said: Said) -> None:
        """One more."""
        if said.asked_tokens:
            self.counted += 1
            self.asked_tokens += said.asked_tokens
            self.said_tokens += said.said_tokens
        if said.seconds:
            self.timed += 1
            self.seconds += said.seconds


class Replies:
    """The replies so far, in a file that only grows.

    Args:
        path: The file; made when the first reply is put into it.

    Attributes:
        experience: What the replies of each model took.
        unreadable: Lines that are no reply: cut short when their writer was killed, or changed since. They stay.
    """

    def __init__(self, path: Path) -> None:
        self.path = path
        self._places: dict[str, tuple[int, int]] = {}
        self._lock = threading.Lock()
        self._fd: int | None = None
        self.unreadable = 0
        self.experience: defaultdict[str, Experience] = defaultdict(Experience)
        self._read()

    def __len__(self) -> int:
        return len(self._places)

    def __contains__(self, key: str) -> bool:
        return key in self._places

    def get(self, key: str) -> Said | None:
        """What was said, None if that was not asked yet."""
        place = self._places.get(key)
        if place is None:
            return None
        with self.path.open("rb") as file:
            file.seek(place[0])
            content = json.loads(file.read(place[1]))
        del content["key"], content["model"]
        return Said(**content)

    def put(self, key: str, model: str, said: Said) -> None:
        """Keep what a model said; a failure is not kept. May be called by several threads.

        Raises:
            DiskFullError: If there is no room.
        """
        if said.failed:
            return
        line = (
            json.dumps({"key": key, "model": model, **asdict(said)}, ensure_ascii=False).encode("utf-8", "replace")
            + b"\n"
        )
        with self._lock, full_disk_named(self.path):
            fd = self._open()
            start = os.lseek(fd, 0, os.SEEK_END)
            os.write(fd, line)
            self._places[key] = (start, len(line))
            self.experience[model].add(said)

    def close(self) -> None:
        """Close the file. May be called twice."""
        with self._lock:
            if self._fd is not None:
                os.close(self._fd)
                self._fd = None

    def _open(self) -> int:
        if self._fd is None:
            self.path.parent.mkdir(parents=True, exist_ok=True)
            self._fd = os.open(self.path, os.O_RDWR | os.O_CREAT | os.O_APPEND | getattr(os, "O_BINARY", 0), 0o666)
            end = os.lseek(self._fd, 0, os.SEEK_END)
            if end:
                os.lseek(self._fd, end - 1, os.SEEK_SET)
                if os.read(self._fd, 1) != b"\n":  # its last writer was killed within a line
                    os.write(self._fd, b"\n")
        return self._fd

    def _read(self) -> None:
        try:
            file = self.path.open("rb")
        except FileNotFoundError:
            return
        except OSError as error:
            raise InvalidInputError(f"cannot read {self.path}: {error}") from error
        with file:
            start = 0
            for line in file:
                if found := _decode(line):
                    key, model, said = found
                    self._places[key] = (start, len(line))
                    self.experience[model].add(said)
                elif line.strip():
                    self.unreadable += 1
                start += len(line)


def _decode(line: bytes) -> tuple[str, str, Said] | None:
    """Key, model and what was said; None if the line is none."""
    try:
        content = json.loads(line)
        key, model = content.pop("key"), content.pop("model")
        said = Said(**content)
        Experience().add(said)
    except (ValueError, TypeError, KeyError, AttributeError):
        return None
    return (key, model, said) if isinstance(key, str) and isinstance(model, str) else None
