"""What a check found. Knows nothing of the checks."""

from dataclasses import dataclass
from typing import Literal

Level = Literal["green", "yellow", "red"]


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of the doctor's.

    Attributes:
        name: What was looked at.
        level: green: works; yellow: works without something; red: does not work.
        text: What was found.
        remedy: What to do; empty where nothing is to be done, or where the text says it.
    """

    name: str
    level: Level
    text: str
    remedy: str = ""
