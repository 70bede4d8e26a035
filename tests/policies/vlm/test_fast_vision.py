from typing import Any

import numpy as np
import pytest
import torch

from policies.vlm import tiny
from policies.vlm.fast_vision import speed_up_vision
from policies.vlm.inputs import InputMaker

SIZES = {"one": [(96, 128)], "alike": [(96, 128)] * 3, "of all sizes": [(96, 128), (32, 64), (64, 64)]}


def seen(model: Any, images: list[tuple[np.ndarray, tuple[int, int, int]]]) -> tuple[list[torch.Tensor], torch.Tensor]:
    """The image tokens of both ways into the text part, and the gradient of the first layer's weights."""
    pixels = torch.from_numpy(np.concatenate([pixels for pixels, _ in images])).double()
    out = model.model.visual(pixels, grid_thw=torch.tensor([grid for _, grid in images]))
    tokens = [out.pooler_output, *out.deepstack_features]
    model.zero_grad()
    torch.stack([each.pow(2).sum() for each in tokens]).sum().backward()
    return [each.detach() for each in tokens], model.model.visual.patch_embed.proj.weight.grad.clone()


@pytest.mark.slow
@pytest.mark.parametrize("sizes", SIZES.values(), ids=SIZES)
def test_faster_is_not_other(maker: InputMaker, sizes: list[tuple[int, int]]) -> None:
    model = tiny.build_model(tiny.build_config(maker.tokenizer)).double()
    rng = np.random.default_rng(0)
    images = [maker.pixels(rng.integers(0, 256, (*size, 3), np.uint8)) for size in sizes]
    names = list(model.state_dict())
    before, gradient = seen(model, images)
    speed_up_vision(model)
    after, again = seen(model, images)
    assert all(torch.allclose(a, b, rtol=0, atol=1e-9) for a, b in zip(before, after, strict=True))
    assert torch.allclose(gradient, again, rtol=1e-9)
    assert list(model.state_dict()) == names


def test_images_of_one_size_attend_in_one_call(maker: InputMaker, monkeypatch: pytest.MonkeyPatch) -> None:
    model = tiny.build_model(tiny.build_config(maker.tokenizer, vision_layers=2)).double()
    calls: list[int] = []
    plain = torch.nn.functional.scaled_dot_product_attention

    def count(query: torch.Tensor, *rest: Any, **more: Any) -> torch.Tensor:
        calls.append(len(query))
        return plain(query, *rest, **more)

    speed_up_vision(model)
    monkeypatch.setattr(torch.nn.functional, "scaled_dot_product_attention", count)
    seen(model, [maker.pixels(np.zeros((32, 64, 3), np.uint8))] * 5)
    assert calls == [5, 5]
