"""Models that are looked at from many sides: the same weights in both precisions, made once."""

from __future__ import annotations

from copy import deepcopy
from functools import cache
from typing import NamedTuple

import torch
from torch import Tensor

from tests.steering.models import SUPPORTED
from tests.steering.readers import Reader, reader_of

DTYPES = ("float32", "bfloat16")


class Subject(NamedTuple):
    """A reader of some family in some precision, and what it does unsteered."""

    reader: Reader
    logits: Tensor
    tokens: Tensor
    rounding: float  # how far its logits may be from those of exact arithmetic
    writes_words: bool  # whether `generate()` returns what the decoder wrote, as it wrote it


@cache
def subject(family: str, dtype: str) -> Subject:
    """Whoever uses a subject leaves it as it was."""
    rounded, exact = _twins(family)
    logits, rounding = exact.logits(), 5e-6
    reader = exact
    if dtype == "bfloat16":
        reader, truth, logits = rounded, logits, rounded.logits()
        rounding = (logits - truth).abs().max().item()
    writes_words = family not in ("Dia", "Musicgen")  # which write codes, and make sounds of them
    return Subject(reader, logits, reader.tokens(), rounding, writes_words)


@cache
def _twins(family: str) -> tuple[Reader, Reader]:
    """Readers of the same weights and inputs, in bfloat16 and in float32."""
    with torch.random.fork_rng():
        torch.manual_seed(0)
        rounded = reader_of(SUPPORTED[family]().bfloat16())
    exact = deepcopy(rounded)
    exact.model.float()
    for inputs in (exact.inputs, exact.raw or {}):
        for name, value in inputs.items():
            inputs[name] = value.float() if value.is_floating_point() else value
    return rounded, exact
