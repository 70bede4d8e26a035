"""One recorder a session. Knows nothing of what a session holds."""

from pathlib import Path

from gameenv.errors import SessionError
from gameenv.files import LOCK_FILE, FileLock, LockedError


def lock_session(folder: Path) -> FileLock:
    """Be the only one that writes a session; close what is returned afterwards.

    Args:
        folder: The session's folder, which must exist.

    Raises:
        SessionError: If another recorder holds it, in this process or another.
    """
    try:
        return FileLock(folder / LOCK_FILE)
    except LockedError as error:
        raise SessionError(
            f"another recorder{error} is writing the session {folder}; stop it, or record under another name"
        ) from None
    except PermissionError as error:
        raise SessionError(
            f"the session {folder} may not be written ({error.strerror}: {error.filename}); record under another name"
        ) from error
    except OSError as error:
        raise SessionError(
            f"cannot lock the session {folder} ({error}); record to a disk that has file locks"
        ) from error
