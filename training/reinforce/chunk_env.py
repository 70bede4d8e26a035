"""The arena as a reinforcement learner takes it: one decision is a few words, or the declaration that ends the episode.

The reward is the referee's, by the rules of ``policies.ledger``. Knows nothing of networks.
"""

from collections.abc import Sequence
from typing import Any

import gymnasium as gym
import numpy as np

from gameenv.actions import ACTIONS, CHUNK_LENGTH, NONE, Action, ActionChunk, action_index, parse_action
from gameenv.frames import Frame, FrameSpec, fit_frame
from policies.bc import bag_of_words
from policies.ledger import EpisodeLedger, Setting

DECISION_COST = 0.002
"""Taken off the reward at every decision, so that dawdling costs something; an episode has 20 to 100."""
_DECLARATION = ActionChunk.of([NONE] * CHUNK_LENGTH)


class ChunkEnv(gym.Wrapper):
    """An arena environment, decision by decision.

    Observation: ``{"frame": (height, width, 3) uint8, "goal": (words,) float32}``. Action: ``MultiDiscrete``: a word
    for each of the ``execute`` ticks, and 1 to declare the goal reached instead, which plays seven ``none`` and ends
    the episode. Reward: 1 for a declaration that is right, less ``DECISION_COST`` for every decision. An episode that
    ends by itself, by a loss or by the step limit, is worth nothing.

    Args:
        env: ``gameenv/Arena-v0``.
        tasks: Families; each reset draws one.
        spec: What frames are brought to.
        words: The word list of the goals.
        execute: Ticks a decision.
    """

    def __init__(
        self, env: gym.Env[Frame, int], tasks: Sequence[str], spec: FrameSpec, words: Sequence[str], execute: int
    ) -> None:
        super().__init__(env)
        self._tasks, self._spec, self._words, self._execute = tuple(tasks), spec, tuple(words), execute
        self.observation_space = gym.spaces.Dict(
            {
                "frame": gym.spaces.Box(0, 255, spec.shape, np.uint8),
                "goal": gym.spaces.Box(0.0, 1.0, (len(self._words),), np.float32),
            }
        )
        self.action_space = gym.spaces.MultiDiscrete([len(ACTIONS)] * execute + [2])
        self._task = ""
        self._goal = np.zeros(len(self._words), np.float32)

    def reset(self, *, seed: int | None = None, options: dict[str, Any] | None = None) -> tuple[Any, dict[str, Any]]:
        """Open a level of a family that is drawn."""
        if seed is not None:
            self.np_random = np.random.default_rng(seed)
        self._task = self._tasks[int(self.np_random.integers(len(self._tasks)))]
        level = int(self.np_random.integers(2**31))
        frame, info = self.env.reset(seed=level, options={**(options or {}), "task": self._task})
        self._goal = bag_of_words([info["goal"]], self._words)[0]
        self._ledger = EpisodeLedger(Setting(info["goal"], self._task, level), frame, info)
        return self._seen(frame), info

    def step(self, action: np.ndarray) -> tuple[Any, float, bool, bool, dict[str, Any]]:
        """Play a decision."""
        ledger, declares = self._ledger, bool(action[-1])
        chosen: Sequence[Action] = [parse_action(ACTIONS[int(index)]) for index in action[:-1]]
        for word in _DECLARATION.actions if declares else chosen:
            frame, _, terminated, truncated, info = self.env.step(action_index(word))
            ledger.tick(word, frame, info, terminated=bool(terminated), truncated=bool(truncated))
            if ledger.over:
                break
        if declares:
            ledger.settle(_DECLARATION)
        info = dict(ledger.info)
        reward, over = -DECISION_COST, ledger.over
        if over:
            result = ledger.result(0.0)
            reward += float(result.success)
            info |= {"outcome": result.reason, "task": self._task, "success": result.success}
        return self._seen(ledger.frame), reward, over, False, info

    def _seen(self, frame: Frame) -> dict[str, np.ndarray]:
        return {"frame": fit_frame(frame, self._spec), "goal": self._goal}
