"""The terminal as every command writes to it: text is text, whoever typed it.

Rich reads ``[bold]`` as a style and ``:key:`` as a picture wherever it is given a string. Goals, paths, window titles,
names, replies and errors may hold either, so nothing here reads them; what is styled says so by ``style=`` or ``Text``.
The only module that imports rich's own console.
"""

from typing import Any

from rich import console
from rich.status import Status
from rich.text import Text


class Console(console.Console):
    """Rich's console, for which no string is markup: printed, asked, in a table's cell or beside a spinner.

    Args:
        options: As rich's, but without ``markup`` and ``emoji``; ``highlight`` (numbers and paths in colours) is off.
    """

    def __init__(self, **options: Any) -> None:
        super().__init__(**{"highlight": False, **options, "markup": False, "emoji": False})

    def input(self, prompt: Any = "", **options: Any) -> str:
        """Ask for a line, as rich does."""
        return super().input(prompt, **{**options, "markup": False, "emoji": False})

    def status(self, status: Any, **options: Any) -> Status:
        """Show a spinner beside what is being done, as rich does."""
        return super().status(Text(status) if isinstance(status, str) else status, **options)
