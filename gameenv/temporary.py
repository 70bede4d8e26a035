"""Where things are kept that are only for now: folders whose paths are short, and files that are one user's own.

The folder of temporary files is a person's to name (``TMPDIR``), and others use it, too. Knows nothing of what is kept.
"""

import os
import sys
import tempfile
from pathlib import Path

from gameenv.errors import GameEnvError
from gameenv.users import own_tag

_RANDOM_BYTES = 8
_SHORT = ("/tmp", "/var/tmp")


def folders() -> list[Path]:
    """Where ``make_folder`` makes folders, the best first: the folder of temporary files, then those of short names."""
    short = () if sys.platform == "win32" else _SHORT
    return [Path(each) for each in dict.fromkeys((tempfile.gettempdir(), *short))]


def make_folder(prefix: str, longest: int) -> Path:
    """Make a fresh folder that only this user may enter, and whose path is not too long for what goes into it.

    Args:
        prefix: What its name begins with.
        longest: Bytes that its path may have.

    Raises:
        GameEnvError: If it cannot be made anywhere; says what to set.
    """
    room = longest - len(os.fsencode(prefix)) - _RANDOM_BYTES - 1
    said = []
    for folder in folders():
        if len(os.fsencode(folder)) > room:
            said.append(f"the path of {folder} is longer than {room} bytes")
            continue
        try:
            return Path(tempfile.mkdtemp(prefix=prefix, dir=folder))
        except OSError as error:
            said.append(f"{folder}: {error.strerror}")
    raise GameEnvError(
        f"there is no folder for temporary files ({'; '.join(said)}). Name one of your own with a short path, such as "
        "TMPDIR=/tmp"
    )


def own_path(name: str) -> Path:
    """A path in the folder of temporary files that is this user's own: another's would be refused, by the system."""
    return Path(tempfile.gettempdir()) / f"gameenv{own_tag()}-{name}"
