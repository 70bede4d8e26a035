"""The imitating network as an actor with a critic beside it, held near what it was.

Stable-Baselines3's PPO (https://stable-baselines3.readthedocs.io) subtracts ``ent_coef`` times what this module calls
entropy: minus the divergence from the network as it came (Schulman et al. 2017, https://arxiv.org/abs/1707.06347, for
PPO). Knows nothing of environments.
"""

import copy
from collections.abc import Callable
from typing import Any

import torch
from stable_baselines3.common.policies import ActorCriticPolicy
from stable_baselines3.common.torch_layers import FlattenExtractor
from torch import nn
from torch.nn import functional

_CRITIC = 128


class AnchoredActor(ActorCriticPolicy):
    """Words and a declaration by a ``bc`` network; a value by a critic on its hidden layer.

    The critic does not teach the network. Dropout is off: a step would otherwise be judged by another network than the
    one that took it.

    Args:
        imitation: Gives what ``policies.bc.build_network`` made, with a head for declarations; copied.
        more: As ``ActorCriticPolicy``.
    """

    def __init__(self, *more: Any, imitation: Callable[[], nn.Module], **options: Any) -> None:
        self._imitation = imitation
        super().__init__(*more, features_extractor_class=FlattenExtractor, **options)

    def _build(self, lr_schedule: Any) -> None:
        self.network: Any = copy.deepcopy(self._imitation())
        self.anchor: Any = copy.deepcopy(self._imitation()).requires_grad_(False)
        hidden = self.network.declaration.in_features
        last = nn.Linear(_CRITIC, 1)
        nn.init.zeros_(last.weight)
        self.critic = nn.Sequential(nn.Linear(hidden, _CRITIC), nn.ReLU(), last)
        self.set_training_mode(False)
        trained = [*self.network.parameters(), *self.critic.parameters()]
        make: Any = self.optimizer_class
        self.optimizer = make(trained, lr=lr_schedule(1), **self.optimizer_kwargs)

    def set_training_mode(self, mode: bool) -> None:
        """Dropout stays off, whatever ``mode``."""
        self.training = mode
        for module in (self.network, self.anchor):
            module.eval()

    def forward(self, obs: Any, deterministic: bool = False) -> tuple[Any, Any, Any]:
        """Actions, values and log probabilities of observations."""
        words, declares, values = self._answer(obs)
        actions = self._choose(words, declares, deterministic=deterministic)
        return actions, values, _log_probability(words, declares, actions)

    def evaluate_actions(self, obs: Any, actions: Any) -> tuple[Any, Any, Any]:
        """Values and log probabilities, and minus the divergence from the anchor, all seven words counted."""
        words, declares, values = self._answer(obs)
        with torch.no_grad():
            anchor_words, anchor_declares = self.anchor(*_inputs(obs))
        return (
            values,
            _log_probability(words, declares, actions),
            -_divergence(words, declares, anchor_words, anchor_declares),
        )

    def predict_values(self, obs: Any) -> Any:
        """Values alone."""
        return self._answer(obs)[2]

    def _predict(self, observation: Any, deterministic: bool = False) -> Any:
        words, declares, _ = self._answer(observation)
        return self._choose(words, declares, deterministic=deterministic)

    def _answer(self, obs: Any) -> tuple[Any, Any, Any]:
        hidden = self.network.see(*_inputs(obs))
        words, declares = self.network.say(hidden)
        return words, declares, self.critic(hidden.detach())

    def _choose(self, words: Any, declares: Any, *, deterministic: bool) -> Any:
        played = words[:, : self.action_space.shape[0] - 1]  # pyright: ignore[reportOptionalSubscript]
        if deterministic:
            return torch.cat([played.argmax(-1), (declares > 0).long()[:, None]], dim=1)
        drawn = torch.distributions.Categorical(logits=played).sample()
        return torch.cat([drawn, torch.bernoulli(declares.sigmoid()).long()[:, None]], dim=1)


def _inputs(obs: Any) -> tuple[Any, Any]:
    """Frames as the network takes them; Stable-Baselines3 hands them on with their channels last, in 0 to 255."""
    frames = obs["frame"]
    if frames.shape[1] != 3:
        frames = frames.permute(0, 3, 1, 2)
    return frames.float() / 255, obs["goal"].float()


def _log_probability(words: Any, declares: Any, actions: Any) -> Any:
    """Of what was done: the words count only where nothing was declared."""
    said, declared = actions[:, :-1].long(), actions[:, -1].float()
    odds = words[:, : said.shape[1]].log_softmax(-1).gather(-1, said[..., None]).squeeze(-1).sum(1)
    return odds * (1 - declared) - functional.binary_cross_entropy_with_logits(declares, declared, reduction="none")


def _divergence(words: Any, declares: Any, anchor_words: Any, anchor_declares: Any) -> Any:
    """Kullback-Leibler, from the anchor's view of what is said now, nats a decision."""
    now, then = words.log_softmax(-1), anchor_words.log_softmax(-1)
    spoken = (now.exp() * (now - then)).sum((1, 2))
    yes, no = functional.logsigmoid(declares), functional.logsigmoid(-declares)
    yes_then, no_then = functional.logsigmoid(anchor_declares), functional.logsigmoid(-anchor_declares)
    return spoken + yes.exp() * (yes - yes_then) + no.exp() * (no - no_then)
