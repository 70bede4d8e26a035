"""What the libraries say when something fails, in a line; and whether it was memory.

Knows nothing of models.
"""

_SHOWN = 300
_MEMORY = ("out of memory", "can't allocate memory", "not enough memory", "alloc_failed")


def one_line(error: BaseException) -> str:
    """An error's text without its line breaks, cut where it grows long."""
    return " ".join((str(error) or type(error).__name__).split())[:_SHOWN]


def out_of_memory(error: BaseException) -> str | None:
    """What was said, None if the error is of another kind.

    torch has a class of its own only for a GPU; where the machine's memory ends it raises a plain ``RuntimeError``.
    """
    said = one_line(error)
    full = isinstance(error, RuntimeError) and any(words in said.lower() for words in _MEMORY)
    return said if full or isinstance(error, MemoryError) else None
