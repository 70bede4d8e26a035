"""Which proxy stands between here and an address, by the usual environment variables.

What is on this machine is never asked for through one. Knows nothing of HTTP.
"""

import ipaddress
import os
import urllib.request
from dataclasses import dataclass
from urllib.parse import urlsplit


@dataclass(frozen=True, slots=True)
class Proxy:
    """A proxy, and the variable (or the system's settings) that names it.

    Attributes:
        url: Its address, a password included.
        named_by: Such as ``HTTPS_PROXY``.
    """

    url: str
    named_by: str

    def __str__(self) -> str:
        """How it may be shown: without name and password."""
        scheme, mark, rest = self.url.rpartition("://")
        return f"{scheme}{mark}{rest.rpartition('@')[2]} ({self.named_by})"


def proxy_for(address: str) -> Proxy | None:
    """The proxy for an ``http`` or ``https`` address; None where it is asked directly.

    ``NO_PROXY`` is heeded, and this machine's own addresses need no such entry.
    """
    parts = urlsplit(address)
    host = parts.hostname or ""
    if is_loopback(host) or urllib.request.proxy_bypass(host):
        return None
    known = urllib.request.getproxies()
    for scheme in (parts.scheme, "all"):
        if url := known.get(scheme):
            return Proxy(url if "://" in url else f"http://{url}", _named_by(scheme))
    return None


def is_loopback(host: str) -> bool:
    """Whether a host is this machine by its name or number."""
    name = host.rstrip(".").lower()
    if name == "localhost" or name.endswith(".localhost"):
        return True
    try:
        number = ipaddress.ip_address(name)
    except ValueError:
        return False
    return number.is_loopback or number.is_unspecified


def _named_by(scheme: str) -> str:
    names = (f"{scheme}_proxy", f"{scheme.upper()}_PROXY")
    return next((name for name in names if os.environ.get(name)), "the system's settings")
