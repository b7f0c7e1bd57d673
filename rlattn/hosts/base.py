"""What every frozen model offers, whether it writes a sentence or labels it."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Protocol

import torch
from torch import nn

from rlattn.hosts.seq2seq import Tokenized
from rlattn.hosts.usage import Usage


class Host(Protocol):
    """A frozen model that reads a source: what environments, actions and agents ask of any.

    Attributes:
        usage: How much work it has done.
    """

    usage: Usage

    @property
    def name(self) -> str:
        """What it is called in files and messages."""

    @property
    def model(self) -> nn.Module:
        """What is frozen."""

    @property
    def tokenizer(self) -> Any:
        """Its tokenizer."""

    @property
    def device(self) -> torch.device:
        """Where the weights are."""

    @property
    def fingerprint(self) -> str:
        """A digest of the weights; a policy is bound to it."""

    @property
    def d_model(self) -> int:
        """Width of the memory."""

    @property
    def max_source(self) -> int | None:
        """How many tokens of a source the model's positions reach, or None without a limit."""

    def tokenize(self, texts: Sequence[str], limit: int) -> Tokenized:
        """Turns sources into token ids, at most `limit` of each."""

    def detokenize(self, ids: Sequence[Sequence[int]]) -> list[str]:
        """Turns token ids into text, without special tokens."""
