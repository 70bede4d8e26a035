"""What a full disk looks like to a program. Knows nothing of what is written."""

import errno

_FULL = frozenset(getattr(errno, name) for name in ("ENOSPC", "EDQUOT") if hasattr(errno, name))


def is_full(error: OSError) -> bool:
    """Whether there was no room left: on the disk, or in the user's share of it."""
    return error.errno in _FULL
