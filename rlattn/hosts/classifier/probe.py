"""What a model with a classification head does under gates: found by trying, when it is loaded."""

from __future__ import annotations

from inspect import signature
from typing import Any, NamedTuple

import torch
from torch import Tensor, nn

from rlattn.errors import InputError, UnsupportedModelError
from rlattn.hosts.classifier.framing import Framing
from rlattn.steering.pooling import PooledEncoder, pooled_encoder
from rlattn.steering.probe import configs_of

_TOKENS = 12  # of the text that is tried
_LOCAL = ("attention_window", "local_attention", "sliding_window")


class Findings(NamedTuple):
    """What is known of a model once it was tried.

    Attributes:
        encoder: Its self-attention, and what is pooled.
        first_position: The position id of its first column; None where positions cannot be given
            to it, or attention looks at where keys lie, so that columns cannot be left out.
    """

    encoder: PooledEncoder
    first_position: int | None


def run(model: nn.Module, ids: Tensor, opened: Tensor, positions: Tensor | None = None) -> Tensor:
    """The model's logits over the columns that are open.

    Args:
        model: Has a classification head.
        ids: Token ids, ``[rows, columns]``.
        opened: True at what may be read, ``[rows, columns]``; or, for a model that pools all rows,
            how much each of them counts, above 0 where it may be read.
        positions: Position ids, ``[rows, columns]``; None for the model's own.

    Returns:
        ``[rows, labels]``.
    """
    given: dict[str, Tensor] = {} if positions is None else {"position_ids": positions}
    mask = opened if opened.is_floating_point() else opened.long()
    logits: Tensor = model(input_ids=ids, attention_mask=mask, **given).logits
    return logits


def examine(model: nn.Module, framing: Framing, tokenizer: Any, name: str) -> Findings:
    """Tries a model on made-up texts.

    Args:
        model: In evaluation mode, its weights frozen.
        framing: Its special tokens.
        tokenizer: Its tokenizer.
        name: What to call it in messages.

    Returns:
        What was found.

    Raises:
        UnsupportedModelError: If it is not a classifier of texts that a gate can keep tokens from;
            names model and reason.
    """
    device = next(model.parameters()).device
    try:
        special = set(tokenizer.all_special_ids)
        words = torch.tensor([i for i in range(len(tokenizer)) if i not in special])
        drawn = torch.randint(len(words), (2, _TOKENS), generator=torch.Generator().manual_seed(0))
        ids, _, added = (t.to(device) for t in framing.framed(words[drawn].tolist()))
        every = torch.ones_like(added[:1])
        encoder = pooled_encoder(model, lambda: run(model, ids[:1], every), name)
        opened, start = added[:1].clone(), len(framing.before)
        opened[:, start : start + _TOKENS] = torch.arange(_TOKENS, device=device) % 3 == 1
        other = torch.where(opened, ids[:1], ids[1:])
        with torch.no_grad():
            logits, leaked = run(model, ids[:1], opened), run(model, other, opened)
            longer = nn.functional.pad(ids[:1], (0, 3), value=framing.pad)
            padded = run(model, longer, nn.functional.pad(opened, (0, 3)))
            tolerance = max(1e-4, 8 * torch.finfo(logits.dtype).eps)
            scale = tolerance * float(logits.abs().max()) + 1e-7
            if not _alike(leaked, logits, scale):
                raise _refused(name, "what is shut still changes its logits")
            if not _alike(padded, logits, scale):
                raise _refused(name, "padding changes its logits")
            first = _first_position(model, framing, ids[:1], opened, logits, scale)
        return Findings(encoder, first)
    except (UnsupportedModelError, InputError):
        raise
    except Exception as error:  # whatever a strange model raises, the answer is the same
        raise _refused(name, f"trying it failed with {type(error).__name__}: {error}") from error


def _first_position(
    model: nn.Module, framing: Framing, ids: Tensor, opened: Tensor, masked: Tensor, scale: float
) -> int | None:
    """The first column's position id with which the open columns alone lead to the same logits."""
    # A window over keys would be another one where columns are left out, and the probe is short.
    local = any(getattr(config, name, None) for config in configs_of(model) for name in _LOCAL)
    if local or "position_ids" not in signature(model.forward).parameters:
        return None
    places = opened[0].nonzero().T
    everything = torch.ones_like(places, dtype=torch.bool)
    for first in (0, framing.pad + 1):
        alone = run(model, ids[:, places[0]], everything, places + first)
        if _alike(alone, masked, scale):
            return first
    return None


def _alike(found: Tensor, expected: Tensor, scale: float) -> bool:
    return torch.allclose(found, expected, rtol=0.0, atol=scale)


def _refused(name: str, reason: str) -> UnsupportedModelError:
    return UnsupportedModelError(f"{name} cannot serve as a classifier: {reason}")
