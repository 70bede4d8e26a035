"""Build the API reference from the docstrings: a page a public module of the five packages.

    python docs/build_api.py             # docs/api/index.html

Every module is imported. The backends of one system are left out, and so are the commands, whose ``--help`` says all.
A warning (a name that cannot be resolved, a module that cannot be imported) ends it with an error.
"""

import sys
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pdoc
import pdoc.render
import tyro

ROOT = Path(__file__).resolve().parent.parent
PACKAGES = ("gameenv", "recording", "policies", "labeling", "training")
ONE_SYSTEM_ONLY = ("gameenv.desktop.macos", "gameenv.desktop.win32", "gameenv.desktop.x11")


@dataclass(frozen=True)
class Args:
    """Build the API reference."""

    out: Path = ROOT / "docs" / "api"
    """The folder to write."""


def public_modules() -> Iterator[str]:
    """Their names, each package before its parts."""
    for package in PACKAGES:
        for file in sorted((ROOT / package).rglob("*.py")):
            name = ".".join(file.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")
            if not name.endswith(".__main__") and not name.startswith(ONE_SYSTEM_ONLY):
                yield name


def main(args: Args) -> None:
    """Write the pages."""
    sys.path.insert(0, str(ROOT))
    warnings.simplefilter("error")
    # pdoc walks a package without __all__ by itself, and says so of each of its modules that is named, too.
    warnings.filterwarnings("ignore", "The module specification .* already been added")
    pdoc.render.configure(docformat="google", show_source=False)
    pdoc.pdoc(*public_modules(), *(f"!{name}" for name in ONE_SYSTEM_ONLY), output_directory=args.out)
    print(f"wrote {args.out / 'index.html'}")


if __name__ == "__main__":
    main(tyro.cli(Args))
