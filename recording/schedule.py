"""What one recording process is to play: which levels in which order, and when it has done its share.

Pure. Knows nothing of environments, files or processes.
"""

from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True, slots=True)
class Episode:
    """One level to play, ``number`` counted from 0 within the plan."""

    number: int
    task: str
    seed: int


@dataclass(frozen=True, slots=True)
class Schedule:
    """One worker's share.

    Attributes:
        root: The folder sessions live in.
        session_id: The session this worker writes.
        game: Name of the game.
        player: Name of the player.
        tasks: The tasks, played in turn.
        split: The levels' split.
        seed: First level number of all workers together.
        noise: Share of the ticks that the expert explores.
        frame_size: Width, height.
        frames: Ticks after which no other episode begins; None for no such limit.
        episodes: Episodes to play; None for no such limit.
        worker: Number of this worker, from 0.
        workers: How many there are.
        resume: Go on with the session if it exists.
        reserve_bytes: Free disk to leave.
    """

    root: str
    session_id: str
    game: str
    player: str
    tasks: tuple[str, ...]
    split: str
    seed: int
    noise: float
    frame_size: tuple[int, int]
    frames: int | None
    episodes: int | None
    worker: int
    workers: int
    resume: bool
    reserve_bytes: int

    @property
    def settings(self) -> dict[str, Any]:
        """What two recorders must agree on to share the session (JSON values)."""
        return {
            "player": self.player,
            "tasks": list(self.tasks),
            "split": self.split,
            "seed": self.seed,
            "noise": self.noise,
            "worker": self.worker,
            "workers": self.workers,
        }

    def episode(self, number: int) -> Episode:
        """Return the ``number``-th episode: each of this worker's level numbers is played in every task.

        Worker k has the level numbers ``seed + k``, ``seed + k + workers`` and so on, so no two workers ever
        play one level.
        """
        lap, turn = divmod(number, len(self.tasks))
        return Episode(number, self.tasks[turn], self.seed + self.worker + lap * self.workers)

    def is_done(self, ticks: int, episodes: int) -> bool:
        """Whether so many recorded ticks and begun episodes are this worker's share."""
        return (self.frames is not None and ticks >= self.frames) or (
            self.episodes is not None and episodes >= self.episodes
        )


def share_of(total: int | None, worker: int, workers: int) -> int | None:
    """Return a worker's part of ``total``; the parts differ by at most one and add up to it."""
    return None if total is None else total // workers + (worker < total % workers)
