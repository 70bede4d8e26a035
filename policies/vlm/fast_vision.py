"""Makes a Qwen3-VL's vision part faster, changing nothing but last bits: many small products become one large."""

from typing import Any

from gameenv.errors import require


def speed_up_vision(model: Any) -> None:
    """Change how a model's vision part computes, in place; the weights stay as they are."""
    visual = model.model.visual
    _flatten_patches(visual.patch_embed)
    for block in visual.blocks:
        _attend_at_once(block.attn)


def _flatten_patches(embed: Any) -> None:
    """Let the first layer be the matrix product that it is.

    A convolution whose kernel is its stride sees each patch once. As such, torch computes it several times slower.
    """
    torch: Any = require("torch", "vlm")
    layer = embed.proj
    if type(layer) is torch.nn.Conv3d and layer.kernel_size == layer.stride and layer.padding == (0, 0, 0):

        def forward(patches: Any) -> Any:
            return torch.nn.functional.linear(patches.to(layer.weight.dtype), layer.weight.flatten(1), layer.bias)

        embed.forward = forward


def _attend_at_once(attention: Any) -> None:
    """Let images of one size attend in one call, not in one for each image."""
    torch: Any = require("torch", "vlm")
    rotary: Any = require("transformers.models.qwen3_vl.modeling_qwen3_vl", "vlm").apply_rotary_pos_emb_vision
    one_by_one = attention.forward

    def forward(hidden_states: Any, cu_seqlens: Any, position_embeddings: Any = None, **more: Any) -> Any:
        count, total = len(cu_seqlens) - 1, len(hidden_states)
        alike = count > 1 and bool((cu_seqlens.diff() * count == total).all())
        if not alike or attention.config._attn_implementation != "sdpa":
            return one_by_one(hidden_states, cu_seqlens, position_embeddings=position_embeddings, **more)
        query, key, value = attention.qkv(hidden_states).view(total, 3, attention.num_heads, -1).unbind(1)
        query, key = rotary(query, key, *position_embeddings)
        parts = [each.reshape(count, -1, *each.shape[1:]).transpose(1, 2) for each in (query, key, value)]
        seen = torch.nn.functional.scaled_dot_product_attention(*parts, scale=attention.scaling)
        return attention.proj(seen.transpose(1, 2).reshape(total, -1))

    attention.forward = forward
