"""``package.module:factory``: anyone's own policy, labeler ... by its name in their code.

Knows no protocol: whoever loads says what the object must be.
"""

import importlib
import inspect
import re
import sys
from pathlib import Path
from typing import Any, TypeVar

from gameenv.errors import InvalidInputError, UnknownNameError

T = TypeVar("T")
_SPEC = re.compile(r"[A-Za-z_]\w*(\.[A-Za-z_]\w*)*:[A-Za-z_]\w*(\.[A-Za-z_]\w*)*")


def is_factory(spec: str) -> bool:
    """Whether it has the form ``package.module:name``."""
    return _SPEC.fullmatch(spec) is not None


def load_object(spec: str, protocol: type[T], kind: str, needs: str) -> T:
    """Import what ``spec`` names, and call it without arguments if it is not the object itself.

    Args:
        spec: ``package.module:name``; the current directory counts as importable.
        protocol: A runtime-checkable protocol that the object must fit.
        kind: What it is, for messages: ``policy``.
        needs: What one must have, for messages.

    Raises:
        NoModuleError: If there is no such module.
        UnknownNameError: If the module has no such name.
        InvalidInputError: If what comes is not one.
    """
    module_name, _, attribute = spec.partition(":")
    here = str(Path.cwd())
    if here not in sys.path:
        sys.path.append(here)  # a console script does not search the current directory by itself
    try:
        found: Any = importlib.import_module(module_name)
    except ModuleNotFoundError as error:
        missing = error.name or ""
        if missing != module_name and not module_name.startswith(f"{missing}."):
            raise  # the module is there; something that it imports is not
        raise NoModuleError(
            f"no module {module_name!r} for the {kind} {spec!r}; it must be importable or lie in {here}"
        ) from error
    for part in attribute.split("."):
        if not hasattr(found, part):
            own = [name for name, value in vars(found).items() if getattr(value, "__module__", None) == module_name]
            raise UnknownNameError(f"name in {module_name}:", part, own)
        found = getattr(found, part)
    made = found if isinstance(found, protocol) and not isinstance(found, type) else _call(found, spec, kind)
    if not isinstance(made, protocol):
        raise InvalidInputError(f"{spec!r} gave a {type(made).__name__}, which is not a {kind}: it needs {needs}")
    return made


class NoModuleError(InvalidInputError):
    """The module that a factory's name begins with is not there."""


def _call(factory: object, spec: str, kind: str) -> object:
    if not callable(factory):
        raise InvalidInputError(f"{spec!r} is a {type(factory).__name__}; name a {kind}, or a function that makes one")
    try:
        inspect.signature(factory).bind()
    except TypeError as error:
        raise InvalidInputError(f"{spec!r} must be callable without arguments to make a {kind}: {error}") from error
    except ValueError:
        pass  # some built-ins have no signature; calling tells
    return factory()
