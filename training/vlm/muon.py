"""Two optimizers as one: Muon for the matrices inside the model, AdamW for the rest.

Muon makes every step of a matrix orthogonal (Jordan et al. 2024, https://kellerjordan.github.io/posts/muon).
Embeddings, output heads, norms and biases are not what it is for.
"""

from collections.abc import Callable
from typing import Any

from gameenv.errors import require
from training.vlm.settings import VLMSettings

_NOT_HIDDEN = ("embed", "lm_head")


def build_optimizer(model: Any, settings: VLMSettings) -> Any:
    """Muon and AdamW over a model's trained weights, behind the interface of one optimizer."""
    torch: Any = require("torch", "train")
    matrices, rest, vectors = [], [], []
    for name, parameter in model.named_parameters():
        if not parameter.requires_grad:
            continue
        if parameter.ndim == 2 and not any(word in name for word in _NOT_HIDDEN):
            matrices.append(parameter)
        else:
            (vectors if parameter.ndim < 2 else rest).append(parameter)
    decay = settings.weight_decay
    groups = [{"params": rest, "weight_decay": decay}, {"params": vectors, "weight_decay": 0.0}]
    adamw = torch.optim.AdamW([group for group in groups if group["params"]], lr=settings.learning_rate)
    muon = torch.optim.Muon(matrices, lr=settings.muon_learning_rate, weight_decay=decay)

    class Pair(torch.optim.Optimizer):
        """Its groups are those of its parts, so that a schedule moves both rates."""

        def __init__(self) -> None:
            super().__init__([*muon.param_groups, *adamw.param_groups], {})

        def step(self, closure: Callable[[], float] | None = None) -> float | None:
            loss = None if closure is None else closure()
            muon.step()
            adamw.step()
            return loss

        def state_dict(self) -> dict[str, Any]:
            return {"muon": muon.state_dict(), "adamw": adamw.state_dict()}

        def load_state_dict(self, state_dict: dict[str, Any]) -> None:
            muon.load_state_dict(state_dict["muon"])
            adamw.load_state_dict(state_dict["adamw"])
            self.param_groups = [*muon.param_groups, *adamw.param_groups]  # loading makes new ones

    return Pair()
