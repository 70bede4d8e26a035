"""The command ``gameenv-review``: a page on this machine on which a person looks at labels and corrects them.

Opens the folders and serves; the work is in ``labeling.review.desk``.
"""

import secrets
import socket
import webbrowser
from dataclasses import dataclass
from pathlib import Path
from typing import NoReturn

from gameenv.cli import run_command
from gameenv.console import Console
from gameenv.errors import InvalidInputError, require
from gameenv.home import PathText
from gameenv.progress import Progress
from labeling.review.desk import Desk
from labeling.segment_folder import DEFAULT_ROOT as DEFAULT_OUT
from labeling.segments import DEFAULT_SECONDS
from recording.session import DEFAULT_ROOT


@dataclass(frozen=True, slots=True)
class Args:
    """Look at labeled clips on a page of your own, and accept, correct or reject them, all by keyboard.

    For example:
        gameenv-review --no-open
    """

    root: PathText = DEFAULT_ROOT
    """Where the recordings are (gameenv-record's folder)."""
    out: PathText = DEFAULT_OUT
    """Where the labeled segments are (gameenv-label's folder). Clips that have none yet are shown, too."""
    seconds: float = DEFAULT_SECONDS
    """Length of clips that nobody has labeled yet, in recordings of which nothing is labeled."""
    port: int = 8766
    """Port of the page; 0 takes one that is free."""
    host: str = "127.0.0.1"
    """Address of the page. Any other than this machine's own lets whoever has the link read the recordings from
    elsewhere, unencrypted."""
    open: bool = True
    """Open the page in a browser."""


def run(args: Args) -> None:
    """Serve the page until Ctrl-C.

    Raises:
        GameEnvError: If there is nothing to review, or the address cannot be served.
    """
    uvicorn = require("uvicorn", "review")
    require("starlette", "review")
    from labeling.review.web import make_app  # noqa: PLC0415 (loads the extra)

    console = Console(stderr=True, soft_wrap=True)
    with _listen(args.host, args.port) as listening:
        with Progress(console) as progress:
            work = progress.begin("reading", "sessions")

            def show(done: int, total: int) -> None:
                work.total = total
                work.update(done, before=0)

            desk = Desk(Path(args.root), Path(args.out), args.seconds, show)
        with desk:
            token = secrets.token_urlsafe(24)
            host = f"[{args.host}]" if ":" in args.host else args.host
            link = f"http://{host}:{listening.getsockname()[1]}/?token={token}"
            count = desk.progress()
            console.print(f"{count['all']} clips, {count['reviewed']} of them reviewed")
            for problem in desk.problems.values():
                console.print(problem)
            Console(soft_wrap=True).print(f"{link}\nCtrl-C ends it; what was decided is saved.")
            if args.open:
                webbrowser.open(link)
            config = uvicorn.Config(make_app(desk, token, args.host), log_level="warning", access_log=False)
            uvicorn.Server(config).run(sockets=[listening])


def main() -> NoReturn:
    """Run the command."""
    run_command(run, Args, "gameenv-review", stopped="stopped; every decision is saved.")


def _listen(host: str, port: int) -> socket.socket:
    try:
        family = socket.AF_INET6 if ":" in host else socket.AF_INET
        return socket.create_server((host, port), family=family)
    except (OSError, OverflowError) as error:
        raise InvalidInputError(
            f"cannot serve a page at {host}, port {port}: {error}. Name another --port, or 0 for one that is free."
        ) from error


if __name__ == "__main__":
    main()
