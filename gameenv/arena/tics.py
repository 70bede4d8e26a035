"""The engine's own clock, 35 tics a second, and how ticks share them: 3 or 4 each at 10 ticks a second."""

TICS_PER_S = 35


def tics_until(tick: int, fps: float) -> int:
    """Engine tics from the first frame until a tick."""
    return int(tick * TICS_PER_S / fps)


def tics_in(tick: int, fps: float) -> int:
    """Engine tics that the action of a tick is held for."""
    return tics_until(tick + 1, fps) - tics_until(tick, fps)
