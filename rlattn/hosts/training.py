"""Training an encoder-decoder by gradient, within a budget of steps or minutes.

The Transformer of Vaswani et al. (2017), "Attention Is All You Need", with Adam (Kingma and Ba,
2015), label smoothing (Szegedy et al., 2016) and bfloat16 products where the hardware has them.
"""

from __future__ import annotations

from collections.abc import Iterator
from functools import cache

import torch
import torch.nn.functional as F
from torch import Tensor
from transformers import MarianMTModel

from rlattn.hosts.batches import Batch
from rlattn.hosts.config import BuiltinConfig
from rlattn.hosts.descent import Budget, Training, descend

_LONG = 300  # source positions from which the fused attention is the faster one on a CPU


def fit(
    model: MarianMTModel,
    batches: Iterator[Batch],
    config: BuiltinConfig,
    budget: Budget,
    progress: bool = True,
) -> Training:
    """Trains a model in place until the budget is used up, and leaves it in evaluation mode.

    Args:
        model: What to train, on the device to train on.
        batches: Batches without end.
        config: Learning rate, its warm-up and the label smoothing.
        budget: When to end.
        progress: Whether to draw a progress bar on the terminal.

    Returns:
        What it took.

    Raises:
        RlattnError: If the loss is not a finite number many times in a row.
    """
    model.train()

    def loss_of_next() -> tuple[Tensor, int]:
        batch = Batch(*(t.to(model.device) for t in next(batches)))
        model.set_attn_implementation("sdpa" if batch.sources.shape[1] > _LONG else "eager")
        loss = smoothed_loss(model, batch, config.label_smoothing, config.shift)
        return loss, batch.targets.numel()

    training = descend(model.parameters(), loss_of_next, config, budget, "the host", progress)
    model.eval()  # type: ignore[no-untyped-call]
    return training


def smoothed_loss(
    model: MarianMTModel, batch: Batch, smoothing: float, shift: bool = False
) -> Tensor:
    """Returns the label-smoothed cross-entropy of a batch, the mean over its target tokens.

    Args:
        model: What is trained.
        batch: Sources and targets.
        smoothing: Share of the target probability that is spread over the vocabulary.
        shift: Whether each source stands at a random place among the model's positions.
    """
    pad, device = model.config.pad_token_id, model.device.type
    assert isinstance(pad, int)
    real, readable = batch.targets.ne(pad), batch.sources.ne(pad)
    read = {"input_ids": batch.sources}
    if shift:
        read = {"inputs_embeds": shifted(model, batch.sources, readable.sum(1))}
    with torch.autocast(device, torch.bfloat16, enabled=fast_bfloat16(device)):
        states = model.model(
            **read,
            attention_mask=readable.long(),
            decoder_input_ids=F.pad(batch.targets[:, :-1], (1, 0), value=pad),
            use_cache=False,
        ).last_hidden_state
        logits = model.lm_head(states[real])
    return F.cross_entropy(logits.float(), batch.targets[real], label_smoothing=smoothing)


def shifted(model: MarianMTModel, sources: Tensor, lengths: Tensor) -> Tensor:
    """Returns embeddings that make the encoder see each source at a random place.

    A sinusoid means nothing to a model that has not met it. Short sources at random places meet all
    of them, in the spirit of Ruoss et al. (2023), "Randomized Positional Encodings Boost Length
    Generalization of Transformers", but without gaps, for neighbours are what attention looks for.

    Args:
        model: Whose embeddings; it will add the positions from 0 on.
        sources: Token ids, ``[pairs, source]``.
        lengths: Tokens of each source, ``[pairs]``.

    Returns:
        ``[pairs, source, d_model]``.
    """
    encoder = model.model.encoder
    table = encoder.embed_positions.weight
    free = len(table) - lengths[:, None] + 1
    place = (torch.rand(free.shape, device=free.device) * free).long()
    columns = torch.arange(sources.shape[1], device=sources.device)
    moved = table[(place + columns).clamp(max=len(table) - 1)]
    embedded: Tensor = encoder.embed_tokens(sources) * encoder.embed_scale
    embedded += moved - table[columns]
    return embedded


@cache
def fast_bfloat16(device: str) -> bool:
    """Whether a kind of device has hardware for products in bfloat16."""
    if device == "cuda":
        return bool(torch.cuda.is_bf16_supported())
    able = torch.cpu.get_capabilities()
    return device == "cpu" and any(able.get(name) for name in ("avx512_bf16", "amx_bf16"))
