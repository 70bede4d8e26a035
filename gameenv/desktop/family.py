"""Which processes we were started by: their windows are ours, the terminal that holds the command above all.

Knows nothing of windows.
"""

import sys

from gameenv.processes import ancestors


def own_processes() -> frozenset[int]:
    """Numbers of this process and of those it was started by, as far as the system tells."""
    if sys.platform == "win32":
        from gameenv.desktop.win32.programs import Processes  # noqa: PLC0415 (Windows only)

        return Processes().ancestors()
    return ancestors()
