"""The command ``gameenv-train``: labeled samples in, a policy's folder out.

Chooses the policy; the rest is in ``training.bc.run`` and ``training.vlm.run``.
"""

import os
from typing import NoReturn

from gameenv.cli import run_command
from gameenv.console import Console
from training.args import Args


def run(args: Args) -> int:
    """Train and write the folder.

    Raises:
        GameEnvError: If the arguments, the data, the base or the output folder cannot be used.
    """
    args.check()
    console = Console(stderr=True, soft_wrap=True)
    table = Console(soft_wrap=True)
    if args.policy == "bc":
        # Threads that spin while they wait halve its speed when anything else wants a core. Read when torch loads.
        # Not for vlm: its training alone on the machine is a third slower with threads that do not spin.
        os.environ.setdefault("OMP_WAIT_POLICY", "PASSIVE")
        from training.bc import run as bc  # noqa: PLC0415 (each loads only what it needs)

        return bc.run(args, console, table)
    from training.vlm import run as vlm  # noqa: PLC0415

    return vlm.run(args, console, table)


def main() -> NoReturn:
    """Run the command."""
    run_command(run, Args, "gameenv-train")


if __name__ == "__main__":
    main()
