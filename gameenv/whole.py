"""Whole numbers as people and libraries write them, Python's or NumPy's, and the seeds among them."""

import operator
from typing import Any

import numpy as np

from gameenv.errors import InvalidInputError


def whole(value: Any) -> int | None:
    """Return a whole number of any kind as Python's own, None for anything else; a truth value is no number."""
    if isinstance(value, bool | np.bool_):
        return None
    try:
        return operator.index(value)
    except TypeError:
        return None


def check_seed(seed: object) -> int:
    """Return ``seed`` as Python's own number if it is a whole one from 0; there is no largest.

    Raises:
        InvalidInputError: If it is not.
    """
    number = whole(seed)
    if number is None or number < 0:
        raise InvalidInputError(f"a seed is a whole number from 0, got {seed!r}")
    return number
