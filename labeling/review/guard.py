"""Who may ask the page: whoever has the link, from this very page, by an address that is this machine's.

The token comes once in the link and is then a cookie that scripts cannot read; a program may send it as a header. A
page elsewhere cannot ask in a browser's name: its Origin is another, and a name that was made to point here (DNS
rebinding) is no name of ours. Knows nothing of what is asked.
"""

import hmac
import ipaddress
import socket
from urllib.parse import parse_qs, urlsplit

from starlette.datastructures import Headers
from starlette.requests import cookie_parser
from starlette.responses import PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Message, Receive, Scope, Send

TOKEN_HEADER = "x-gameenv-token"
_HEADERS = {
    "content-security-policy": "default-src 'self'; img-src 'self' data:; frame-ancestors 'none'; base-uri 'none'",
    "referrer-policy": "no-referrer",
    "x-content-type-options": "nosniff",
    "cross-origin-resource-policy": "same-origin",
}
_SAFE = ("GET", "HEAD")


class Guard:
    """Lets through only what has the token and comes from the page.

    Args:
        app: What is guarded.
        token: The secret of the link.
        host: The address that is served, whose name is ours, too.
    """

    def __init__(self, app: ASGIApp, token: str, host: str) -> None:
        self._app = app
        self._token = token
        self._names = {"localhost", host.lower(), socket.gethostname().lower()}
        self._loopback_only = is_loopback(host)

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        if scope["type"] != "http":
            await self._app(scope, receive, send)
            return
        answer = self._refusal(scope)

        async def send_with_headers(message: Message) -> None:
            if message["type"] == "http.response.start":
                added = [(key.encode(), value.encode()) for key, value in _HEADERS.items()]
                message = {**message, "headers": [*message["headers"], *added]}
            await send(message)

        await (answer or self._app)(scope, receive, send_with_headers)

    def _refusal(self, scope: Scope) -> Response | None:
        headers = Headers(scope=scope)
        host = headers.get("host", "")
        if not self._is_ours(host):
            return PlainTextResponse("This page is not known by that name. Use the link that was printed.\n", 421)
        origin = headers.get("origin")
        if origin is not None and origin not in (f"http://{host}", f"https://{host}"):
            return PlainTextResponse("Another page may not ask here.\n", 403)
        cookie = f"gameenv_review_{(scope.get('server') or ('', 0))[1]}"
        given = parse_qs(scope["query_string"].decode("latin-1")).get("token", [""])[0]
        if scope["path"] == "/" and scope["method"] in _SAFE and self._is_token(given):
            redirect = RedirectResponse("/", 303)
            redirect.set_cookie(cookie, self._token, httponly=True, samesite="strict", path="/")
            return redirect
        by_header = self._is_token(headers.get(TOKEN_HEADER, ""))
        if not by_header and not self._is_token(cookie_parser(headers.get("cookie", "")).get(cookie, "")):
            return PlainTextResponse(
                "Open the link that gameenv-review printed: it carries the token that lets you in. After a restart "
                "there is a new one.\n",
                403,
            )
        if scope["method"] not in _SAFE and origin is None and not by_header:
            return PlainTextResponse("A browser must say which page it asks from.\n", 403)
        return None

    def _is_token(self, given: str) -> bool:
        return hmac.compare_digest(given.encode(), self._token.encode())

    def _is_ours(self, host: str) -> bool:
        try:
            name = urlsplit(f"//{host}").hostname or ""
        except ValueError:
            return False
        if name in self._names:
            return True
        return is_address(name) and (is_loopback(name) or not self._loopback_only)


def is_loopback(host: str) -> bool:
    """Whether only this machine can reach an address."""
    return host == "localhost" or (is_address(host) and ipaddress.ip_address(host).is_loopback)


def is_address(host: str) -> bool:
    """Whether it is an IP address, and no name."""
    try:
        ipaddress.ip_address(host)
    except ValueError:
        return False
    return True
