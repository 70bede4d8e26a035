"""``~`` in what people type: the home folder in every option that is a path, and nothing in any other.

A shell expands a ``~`` at the beginning of a word only: not in ``--out=~/demos``, ``mine=~/models/x`` or
``bc:~/models/x``. Knows nothing of what the options are for.
"""

import dataclasses
import os
import re
from pathlib import Path
from typing import Annotated, Any, TypeVar, get_args, get_origin, get_type_hints

T = TypeVar("T")

_IS_PATH = object()
PathText = Annotated[str, _IS_PATH]
"""The type of an option that is, or may be, a path as people type it: a folder, or what stands for a policy."""
_PREFIX = re.compile(r"(?:[\w.-]+=)?(?:(?:bc|replay):)?(?=~)")
"""What may stand before a path in a policy's description: its name, its kind."""


def expand_home(args: T) -> T:
    """Put the home folder for the ``~`` in all paths of a dataclass, and of those in it.

    Paths are the fields of type ``Path`` or ``PathText``, and optional ones and tuples of them.

    Args:
        args: A dataclass; anything else is returned as it is.
    """
    if not dataclasses.is_dataclass(args) or isinstance(args, type):
        return args
    kinds = get_type_hints(type(args), include_extras=True)
    old = {field.name: getattr(args, field.name) for field in dataclasses.fields(args) if field.init}
    new = {name: _expand(value, is_path(kinds[name])) for name, value in old.items()}
    changed = {name: value for name, value in new.items() if value != old[name]}
    return dataclasses.replace(args, **changed) if changed else args


def is_path(kind: Any) -> bool:
    """Whether a field of this type holds a path or several."""
    if kind is Path:
        return True
    if get_origin(kind) is Annotated and _IS_PATH in kind.__metadata__:
        return True
    return any(is_path(part) for part in get_args(kind))


def _expand(value: Any, path: bool) -> Any:
    if dataclasses.is_dataclass(value):
        return expand_home(value)
    if not path:
        return value
    if isinstance(value, tuple):
        return tuple(_expand(each, path) for each in value)
    if isinstance(value, Path):
        return Path(os.path.expanduser(value))
    if isinstance(value, str):
        before = _PREFIX.match(value)
        end = before.end() if before else 0
        return value[:end] + os.path.expanduser(value[end:])
    return value
