"""The Windows libraries as ctypes sees them: loaded on demand, every function with its types declared.

The types matter: without them ctypes cuts a 64-bit handle to 32 bits. Knows nothing of what the functions are for.
"""

import ctypes
import sys
from typing import Any

from gameenv.errors import DisplayError

Callback = ctypes.WINFUNCTYPE if sys.platform == "win32" else ctypes.CFUNCTYPE
"""Makes the type of a function that Windows calls back."""


def load(library: str) -> Any:
    """Load a system library, as an object of our own: declarations of other packages for the same one do not mix.

    Raises:
        DisplayError: Elsewhere than on Windows.
        OSError: If this Windows does not have it.
    """
    if sys.platform != "win32":
        raise DisplayError(f"{library} is a library of Windows, and this is {sys.platform}")
    return ctypes.WinDLL(library, use_last_error=True)


def declare(library: Any, name: str, result: Any, *arguments: Any) -> Any:
    """Return a library's function with the types of its result and its arguments declared.

    Raises:
        AttributeError: If this Windows does not have the function.
    """
    function = getattr(library, name)
    function.restype = result
    function.argtypes = arguments
    return function


def last_error() -> int:
    """The system's number for why the last call failed."""
    return ctypes.get_last_error() if sys.platform == "win32" else ctypes.get_errno()
