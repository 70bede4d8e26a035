"""Rate, size and fit of the frames that an evaluation plays at: those that its models learned from.

Knows models' cards; nothing of environments.
"""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, TypeVar

from gameenv.clock import DEFAULT_FPS
from gameenv.errors import InvalidInputError
from gameenv.frames import Fit, FrameSpec
from policies.card import ModelCard
from policies.load import NamedSpec, card_of
from policies.options import DEFAULT_OPTIONS, ModelOptions

T = TypeVar("T")


@dataclass(frozen=True, slots=True)
class Setting:
    """How the game is shown to every policy of an evaluation: ticks a second, and what frames are like."""

    fps: float = DEFAULT_FPS
    frame: FrameSpec = FrameSpec()  # noqa: RUF009 (frozen)


def find_setting(
    policies: Sequence[NamedSpec],
    fps: float | None = None,
    frame_size: tuple[int, int] | None = None,
    options: ModelOptions = DEFAULT_OPTIONS,
) -> Setting:
    """Read the cards of the models among ``policies``; without one it is the usual setting.

    Args:
        policies: Who is to play.
        fps: Ticks a second wanted; None takes the models'.
        frame_size: Width and height wanted; None takes those that the models' recordings had.
        options: How to run the models; a served one is asked for its card with them.

    Raises:
        InvalidInputError: If a card cannot be read, or two models learned at different rates, from frames fitted in
            different ways or, without ``frame_size``, of different sizes; names them and says what to do.
    """
    cards = [(policy.name, card) for policy in policies if (card := card_of(policy.spec, options)) is not None]
    learned_fps = _common(cards, "rates", lambda card: float(card.fps), "{:g} ticks a second".format)
    fit: Fit | None = _common(cards, "fits", lambda card: card.recorded.fit, str)
    if frame_size is None:
        also = ", or give --frame-size, to which the frames of all are brought"
        frame_size = _common(cards, "frame sizes", lambda card: card.recorded.size, "{0[0]}x{0[1]}".format, also)
    usual = Setting()
    width, height = frame_size or usual.frame.size
    return Setting(fps or learned_fps or usual.fps, FrameSpec(width, height, fit or usual.frame.fit))


def _common(
    cards: Sequence[tuple[str, ModelCard]],
    what: str,
    read: Callable[[ModelCard], T],
    show: Callable[[Any], str],
    also: str = "",
) -> T | None:
    values = {name: read(card) for name, card in cards}
    if len(set(values.values())) > 1:
        told = ", ".join(f"{name!r} {show(value)}" for name, value in values.items())
        raise InvalidInputError(
            f"the models learned at different {what}: {told}. Every policy of an evaluation plays in one and the same "
            f"environment: evaluate those that differ by themselves, with an --out of their own{also}"
        )
    return next(iter(values.values()), None)
