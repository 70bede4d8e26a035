"""``gameenv-serve``: plays a policy for other machines: frames come, chunks go back.

Composes the parts of ``policies.remote``; what each does is written there.
"""

import ssl
import sys
import threading
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import tyro

from gameenv.cli import run_command
from gameenv.console import Console
from gameenv.errors import InvalidInputError, require
from gameenv.home import PathText
from policies.card import ModelCard
from policies.evaluation.config import fingerprint
from policies.load import card_of, load_policy
from policies.options import DEFAULT_OPTIONS, ModelOptions, threshold_of
from policies.remote.address import DEFAULT_PORT, TOKEN, Address, known_token, new_token, server_tls
from policies.server.proxies import is_loopback

PROG = "gameenv-serve"
_EVERYWHERE = ("0.0.0.0", "::")
_LIBRARIES = ("msgspec", "prometheus_client", "websockets")
_WAKE_S = 0.5  # on Windows a wait without an end hears no Ctrl-C


@dataclass(frozen=True, slots=True)
class Args:
    """Play a policy for games on other machines. There it is named remote://HOST:PORT, here by --model.

    For this machine, or for one that comes by ssh -L 8765:localhost:8765:
        gameenv-serve --model models/gameplay_agent_lora --token-file ~/.gameenv-token

    For the network, with a certificate (docs/remote.md says how to make one):
        gameenv-serve --model models/gameplay_agent_lora --host 0.0.0.0 --cert cert.pem --key key.pem

    On the gaming machine:
        gameenv-play --model remotes://gpu:8765 --remote-ca cert.pem --remote-token-file token --window "The Dark Mod"

    Health is at /healthz and numbers for Prometheus are at /metrics, on the same port. Ctrl-C ends it.
    """

    model: Annotated[PathText, tyro.conf.arg(aliases=("--policy",))] = "models/gameplay_agent_lora"
    """Who plays: as in gameenv-play, but for those that need the game itself (expert, replay)."""
    host: str = "127.0.0.1"
    """Where to listen: this machine only, unless told. 0.0.0.0 is every network that it is in."""
    port: int = DEFAULT_PORT
    """0 takes any that is free."""
    token_file: Path | None = None
    """File with the token that clients must know; made if it is not there. Without one, it is taken from the
    environment variable GAMEENV_TOKEN, or made anew at each start and printed."""
    cert: Path | None = None
    """PEM file with the certificate for TLS."""
    key: Path | None = None
    """PEM file with its private key, where that is not in the same file."""
    plain: bool = False
    """Listen on a network without TLS: token and frames can be read by whoever is on the way."""
    clients: int = 64
    """Connections at once."""
    batch: int = 8
    """Observations answered in one call of the policy, where it can."""
    copies: int = 16
    """A policy that draws or remembers (random; a model above temperature 0) answers one client a copy: how many are
    made, each with its own memory."""
    message_mb: float = 8.0
    """The longest message, in megabytes. A frame is at most 0.06, a lossless one of 512x288 at most 0.5."""
    options: Annotated[ModelOptions, tyro.conf.arg(name="")] = DEFAULT_OPTIONS


def serve(args: Args) -> None:
    """Serve until stopped.

    Raises:
        GameEnvError: If the policy, the token or the certificate cannot be used, or a network would be listened to
            without TLS.
        OSError: If the port cannot be listened to.
    """
    for library in _LIBRARIES:
        require(library, "remote")
    from policies.remote.service import About, Limits, PolicyServer  # noqa: PLC0415 (the transport loads here)

    tls = _tls(args)
    limits = Limits(args.clients, args.batch, args.copies, round(args.message_mb * 1e6))
    token, is_new = _token(args)
    console = Console(soft_wrap=True)
    console.print(f"loading {args.model}")
    card = card_of(args.model, args.options)
    about = About(
        args.model,
        None if card is None else card.to_json(),
        fingerprint(args.model, args.options),
        args.options.temperature,
        None if card is None and args.options.declare_at is None else threshold_of(card, args.options.declare_at),
    )
    server = PolicyServer(
        lambda: load_policy(args.model, args.options),
        about,
        token,
        host=args.host,
        port=args.port,
        tls=tls,
        limits=limits,
    )
    with server:
        _tell(server.address, card, args, token if is_new else None, console)
        stop = threading.Event()
        while not stop.wait(_WAKE_S):
            pass


def main() -> None:
    """Run the command."""
    run_command(serve, Args, PROG, stopped="stopped; clients call again until it is back")


def _tls(args: Args) -> ssl.SSLContext | None:
    if args.cert is not None:
        return server_tls(args.cert, args.key)
    if args.key is not None:
        raise InvalidInputError("--key is the key of a certificate: give --cert, too")
    is_here = is_loopback(args.host) and args.host not in _EVERYWHERE
    if not (is_here or args.plain):
        raise InvalidInputError(
            f"on {args.host} others can listen in: give --cert and --key for TLS, let clients come by ssh -L "
            f"{args.port}:localhost:{args.port} and leave --host out, or say --plain if you trust the network; see "
            "docs/remote.md"
        )
    return None


def _token(args: Args) -> tuple[str, bool]:
    """The token, and whether it was made just now."""
    if args.token_file is not None and not args.token_file.exists():
        return new_token(args.token_file), True
    known = known_token(args.token_file)
    return (new_token(), True) if known is None else (known, False)


def _tell(address: Address, card: ModelCard | None, args: Args, token: str | None, console: Console) -> None:
    learned = ""
    if card is not None:
        learned = f" (learned at {card.fps:g} a second from {card.recorded.width}x{card.recorded.height} frames)"
    console.print(f"serving {args.model}{learned} at {address}")
    if token is not None:
        kept = f", kept in {args.token_file}" if args.token_file else "; with --token-file it stays the same"
        console.print(f"token: {token} (for {TOKEN} over there{kept})")
    console.print(f"health: {address.http}/healthz  numbers: {address.http}/metrics")
    sys.stdout.flush()


if __name__ == "__main__":
    main()
