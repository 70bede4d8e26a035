"""Whether a model that is not a folder here can be had at all: from the cache, or from the hub, asked once and briefly.

The libraries would ask the hub six times for each file, half a minute, before they say that it cannot be reached, or
take what was fetched before. Knows nothing of models.
"""

import logging
import threading
from pathlib import Path
from typing import Any

from gameenv.errors import require

PATIENCE_S = 1.5
"""How long the hub may take to answer anything at all. Looking up its name counts, which no HTTP time-out covers."""
_CONFIG = "config.json"
log = logging.getLogger(__name__)


def check_at_hand(base: str) -> None:
    """Return if the libraries will find a model, or at least someone to ask for it.

    A model that was fetched before is taken as it is where the hub cannot be reached: from then on nobody in this
    process asks it, as if ``HF_HUB_OFFLINE`` were set.

    Args:
        base: A folder or a hub id.

    Raises:
        OSError: If it is neither here nor can be asked for; says why.
    """
    if Path(base).is_dir():
        return
    hub: Any = require("huggingface_hub", "vlm")
    if base.startswith(("/", "\\", ".", "~")) or base.count("/") > 1:
        raise FileNotFoundError("there is no such folder")
    fetched = isinstance(hub.try_to_load_from_cache(base, _CONFIG), str)
    if hub.constants.HF_HUB_OFFLINE:
        if not fetched:
            raise ConnectionError("HF_HUB_OFFLINE is set, and it was not fetched before")
        return
    endpoint = hub.constants.ENDPOINT
    said = _why_silent(hub, endpoint)
    if said and not fetched:
        raise ConnectionError(f"{endpoint} cannot be reached: {said}; and it was not fetched before")
    if said:
        log.warning("%s cannot be reached (%s): %s is taken as it was fetched before", endpoint, said, base)
        hub.constants.HF_HUB_OFFLINE = True


def _why_silent(hub: Any, endpoint: str) -> str | None:
    """Why an address does not answer; None if it does, whatever it says."""
    said: list[str | None] = []

    def ask() -> None:
        try:
            hub.get_session().head(endpoint, timeout=PATIENCE_S)
        except Exception as error:  # proxies, certificates, names: each library below has its own
            said.append(str(error) or type(error).__name__)
        else:
            said.append(None)

    asking = threading.Thread(target=ask, daemon=True)
    asking.start()
    asking.join(PATIENCE_S)
    return said[0] if said else f"no answer within {PATIENCE_S:g} s"
