"""Which tokens of a text are asked for, where other parts stand beside them."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import torch
from torch import Tensor

from rlattn.corpora import Pair
from rlattn.corpora.noise import NoisyPair
from rlattn.hosts.classifier.drops import opened_at_random

_FEW = 4
"""Of the share of other tokens that is open: a power of a uniform number, so that it is mostly
small, and now and then most of them."""


def asked_tokens(tokenizer: Any, pairs: Sequence[Pair]) -> list[tuple[int, int]]:
    """Where the tokens that are asked for begin and end, among each text's own.

    Args:
        tokenizer: A fast one.
        pairs: Texts with labels; all of a text is asked for unless it is a `NoisyPair`.
    """
    texts = [pair.source for pair in pairs]
    read = tokenizer(texts, add_special_tokens=False, return_offsets_mapping=True, verbose=False)
    found = []
    for pair, places in zip(pairs, read["offset_mapping"], strict=True):
        first, last = 0, max(len(places), 1)
        if isinstance(pair, NoisyPair):
            start, stop = pair.asked.start, pair.asked.stop
            inside = [at for at, (begin, end) in enumerate(places) if begin < stop and end > start]
            first, last = inside[0], inside[-1] + 1
        found.append((first, last))
    return found


def opened_around(mask: Tensor, asked: Tensor, shut: float) -> Tensor:
    """Opens what to learn from: of what is asked for as `opened_at_random` does, and little else.

    So a label is what the asked part says, and the less certain, the more else is open.

    Args:
        mask: True at real tokens, ``[rows, source]``.
        asked: True at tokens that are asked for, ``[rows, source]``.
        shut: The largest share of these that is shut.

    Returns:
        True at what stays open, ``[rows, source]``.
    """
    share = torch.rand(len(mask), 1, device=mask.device) ** _FEW
    others = mask & (torch.rand(mask.shape, device=mask.device) < share)
    return torch.where(asked, opened_at_random(mask, shut), others)
