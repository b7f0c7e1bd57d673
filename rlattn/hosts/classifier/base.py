"""What a classifier host is: a frozen model that labels a text from what was read of it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from typing import Any, Generic, TypeVar

import torch
from torch import Tensor, nn

from rlattn.errors import InputError
from rlattn.hosts.classifier.encoded import EncodedTexts
from rlattn.hosts.classifier.framing import Framing
from rlattn.hosts.classifier.taped import TapedTexts
from rlattn.hosts.fingerprint import fingerprint
from rlattn.hosts.seq2seq import Tokenized
from rlattn.hosts.usage import Usage
from rlattn.steering import Allocation

Texts = TypeVar("Texts", bound=EncodedTexts)


class ClassifierHost(ABC, Generic[Texts]):
    """A frozen classifier: its weights never change and never receive a gradient.

    Special tokens are no positions: they are always open, and a policy does not see them.

    Args:
        model: What is frozen; it is put into evaluation mode and its parameters stop requiring
            gradients.
        tokenizer: Its tokenizer.
        labels: What it tells apart, in the order of its logits.
        name: What to call it in files and messages.

    Attributes:
        name: As given.
        labels: As given.
        usage: How much work it has done.

    Raises:
        InputError: If there are fewer than two labels, or two of one name.
    """

    def __init__(self, model: nn.Module, tokenizer: Any, labels: Sequence[str], name: str) -> None:
        if len(labels) < 2 or len(set(labels)) < len(labels):
            raise InputError(
                f"{name}: its labels are {', '.join(labels) or 'none'}; a classifier needs at "
                "least two that differ"
            )
        self.name, self.labels = name, tuple(labels)
        self.model = model.train(False).requires_grad_(False)
        self.tokenizer = tokenizer
        self.usage = Usage()
        self._framing = Framing(tokenizer, name)
        self._weight = next(model.parameters())

    @property
    def device(self) -> torch.device:
        """Where the weights are."""
        return self._weight.device

    @property
    def dtype(self) -> torch.dtype:
        """What the weights are."""
        return self._weight.dtype

    @property
    def fingerprint(self) -> str:
        """A digest of the weights; a policy is bound to it."""
        return fingerprint(self.model)

    @property
    @abstractmethod
    def d_model(self) -> int:
        """Width of the memory."""

    @property
    @abstractmethod
    def max_source(self) -> int | None:
        """How many tokens of a text the model's positions reach, or None without a limit."""

    def tokenize(self, texts: Sequence[str], limit: int) -> Tokenized:
        """Turns texts into their own token ids, without special tokens.

        Args:
            texts: What to label.
            limit: The most tokens of a text; longer ones keep their beginning.

        Returns:
            The ids, at least one for each text, and how many texts were cut.
        """
        return self._framing.tokenize(texts, limit)

    def detokenize(self, ids: Sequence[Sequence[int]]) -> list[str]:
        """Turns token ids into text, without special tokens."""
        if not ids:
            return []  # The tokenizer would take no rows for one empty row.
        texts: list[str] = self.tokenizer.batch_decode(
            [list(row) for row in ids], skip_special_tokens=True
        )
        return [text.strip() for text in texts]

    @abstractmethod
    def encode(self, sources: Sequence[Sequence[int]]) -> Texts:
        """Prepares texts.

        Args:
            sources: Token ids of each, as `tokenize` gives them. A text may also be empty: then its
                special tokens are all that is read.

        Returns:
            Memory and mask, one row per text, and what else judging needs.
        """

    @abstractmethod
    def classify(self, encoded: Texts, allocation: Allocation | None = None) -> Tensor:
        """Labels texts from what is read of them.

        Args:
            encoded: The texts.
            allocation: What the attention follows; None for native attention.

        Returns:
            Logits, ``[rows, labels]``, float32.

        Raises:
            SteeringError: If the allocation does not fit.
            InputError: If this host does not take such allocations.
        """

    @abstractmethod
    def classify_taped(self, sources: Sequence[Sequence[int]]) -> TapedTexts:
        """Labels texts natively, such that gradients go back to their tokens' input embeddings.

        Args:
            sources: As for `encode`.

        Returns:
            Logits, and the embeddings that they depend on.

        Raises:
            UnsupportedModelError: If the model does not embed its tokens once in a forward.
        """

    @abstractmethod
    def native_attention(self, encoded: Texts) -> Tensor:
        """Where the host looks by itself, ``[rows, source]``; each row sums to one."""


def own_share(weights: Tensor, mask: Tensor) -> Tensor:
    """What attention gives to the texts' own tokens, so that it sums to one over them.

    Args:
        weights: ``[rows, source]``, not negative.
        mask: True at real tokens, ``[rows, source]``.

    Returns:
        ``[rows, source]``, float32; zero for an empty text.
    """
    kept = torch.where(mask, weights, 0.0).float()
    # Attention may lie on special tokens alone; then it is everywhere alike.
    total = kept.sum(1, keepdim=True)
    return torch.where(total > 0, kept, mask.float()) / torch.where(
        total > 0, total, mask.sum(1, keepdim=True).clamp(min=1)
    )
