"""A prompt, token by token: what a policy looks at depends on what it saw one token earlier."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from typing import Any

import torch
from torch import Tensor


def one_by_one(kwargs: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """What a model's forward is given for each of the target tokens that it was to take at once.

    Args:
        kwargs: What it was given for all of them, with ``decoder_input_ids``, ``[rows, tokens]``.
    """
    fed: Tensor = kwargs["decoder_input_ids"]
    mask: Tensor | None = kwargs.get("decoder_attention_mask")
    places: Tensor | None = kwargs.get("decoder_position_ids")
    for index in range(fed.shape[1]):
        later = fed.shape[1] - 1 - index
        one = {**kwargs, "decoder_input_ids": fed[:, index : index + 1]}
        if places is not None:
            one["decoder_position_ids"] = places[..., index : index + 1]
        if mask is not None:
            # Of shape [rows, past + tokens], or [rows, 1, tokens, columns] for a static cache.
            one["decoder_attention_mask"] = (
                mask[:, : mask.shape[1] - later]
                if mask.ndim == 2
                else mask[..., index : index + 1, :]
            )
        yield one


def join(outputs: Sequence[Any]) -> Any:
    """The output of one forward over all tokens, from those of one token each.

    Args:
        outputs: In their order; the last is changed and returned.
    """
    whole = outputs[-1]
    whole.logits = torch.cat([output.logits for output in outputs], dim=1)
    for name, dim in (("decoder_hidden_states", 1), ("cross_attentions", 2)):
        if getattr(whole, name, None) is not None:
            layers = zip(*(getattr(output, name) for output in outputs), strict=True)
            setattr(whole, name, tuple(torch.cat(layer, dim=dim) for layer in layers))
    return whole
