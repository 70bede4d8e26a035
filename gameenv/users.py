"""Whose a file is, on a machine with several users, and after a command that was once run with sudo.

Knows nothing of what is in the files.
"""

import os
import sys
from pathlib import Path


def own_tag() -> str:
    """What sets a user's names apart in a folder that all share, such as ``-1000``; empty on Windows, which has one
    folder of temporary files for each user.
    """
    return "" if sys.platform == "win32" else f"-{os.getuid()}"


def belongs_to(path: Path) -> str:
    """What to add to the message that a file or folder cannot be used; empty unless it is another user's.

    Such as `` /data belongs to root (was a command run with sudo?): sudo chown -R ann /data``.
    """
    if sys.platform == "win32":
        return ""
    try:
        owner = path.lstat().st_uid
    except OSError:
        return ""
    if owner == os.getuid():
        return ""
    sudo = " (was a command run with sudo?)" if owner == 0 else ""
    return f" {path} belongs to {_name(owner)}{sudo}: sudo chown -R {_name(os.getuid())} {path}"


def _name(number: int) -> str:
    import pwd  # noqa: PLC0415 (not on Windows)

    try:
        return pwd.getpwuid(number).pw_name
    except KeyError:
        return str(number)
