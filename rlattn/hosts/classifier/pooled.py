"""Classifiers whose encoder reads each text once, and whose pooling is what is steered."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn

from rlattn.errors import InputError
from rlattn.hosts.classifier.base import ClassifierHost, own_share
from rlattn.hosts.classifier.encoded import EncodedTexts
from rlattn.hosts.classifier.framing import Framing
from rlattn.hosts.classifier.pool import AttentionPool
from rlattn.hosts.classifier.taped import TapedTexts, taped
from rlattn.steering import Allocation


@dataclass(frozen=True)
class ScoredTexts(EncodedTexts):
    """Texts whose encoder states are the memory.

    Attributes:
        scores: How much the pool's queries are for each state, ``[rows, source, heads]``.
    """

    scores: Tensor


class PooledClassifierHost(ClassifierHost[ScoredTexts]):
    """A frozen encoder and a frozen head that pools its states by attention.

    An allocation steers the pooling, which costs one small matrix product; all modes work. A state
    knows of its neighbours: what one position tells is more than its token.

    Args:
        encoder: Any Hugging Face encoder whose first output is a state for each token.
        tokenizer: Its tokenizer.
        pool: The head, as `train_head` gives it.
        labels: In the order of its logits.
        name: What to call it in files and messages; by default the encoder's own name.

    Raises:
        InputError: If the head is for another number of labels, or states of another width.
    """

    def __init__(
        self,
        encoder: nn.Module,
        tokenizer: Any,
        pool: AttentionPool,
        labels: Sequence[str],
        name: str | None = None,
    ) -> None:
        known = getattr(encoder, "name_or_path", "") or type(encoder).__name__
        both = nn.ModuleDict({"encoder": encoder, "pool": pool})
        super().__init__(both, tokenizer, labels, name or f"pooled:{known}")
        self._encoder, self._pool = encoder, pool
        if pool.output.out_features != len(self.labels):
            raise InputError(
                f"{self.name}: its head has {pool.output.out_features} outputs and was given "
                f"{len(self.labels)} labels; give one label for each output"
            )
        width = states_of(encoder, self._framing, [[self._framing.pad]])[0].shape[-1]
        if pool.query.in_features != width:
            raise InputError(
                f"{self.name}: its head is for states of width {pool.query.in_features}, and the "
                f"encoder's have {width}; train a head on this encoder"
            )

    @property
    def d_model(self) -> int:
        """Width of the memory."""
        return self._pool.query.in_features

    @property
    def max_source(self) -> int | None:
        """How many tokens of a text the model's positions reach, or None without a limit."""
        return reach(self._encoder, self.tokenizer, self._framing)

    @torch.no_grad()
    def encode(self, sources: Sequence[Sequence[int]]) -> ScoredTexts:
        """Reads texts: the work is done here.

        Args:
            sources: Token ids of each, as `tokenize` gives them.

        Returns:
            The encoder's states, and the scores of the pool's queries.
        """
        self.usage.encoded += len(sources)
        states, mask = states_of(self._encoder, self._framing, sources)
        return ScoredTexts(states, mask, self._pool.scores(states))

    def classify(self, encoded: ScoredTexts, allocation: Allocation | None = None) -> Tensor:
        """Labels texts from what is read of them.

        Args:
            encoded: The texts.
            allocation: What the pooling follows; None for native attention. A gate may be shut
                everywhere: then all that is read is what the head learned to say of nothing.

        Returns:
            Logits, ``[rows, labels]``, float32.

        Raises:
            SteeringError: If the allocation does not fit.
        """
        self.usage.forwards += len(encoded.mask)
        weights = self._pool.weights(encoded.scores, encoded.mask, allocation)
        logits: Tensor = self._pool(encoded.memory, weights)
        return logits.float()

    @torch.enable_grad()
    def classify_taped(self, sources: Sequence[Sequence[int]]) -> TapedTexts:
        """Labels texts natively, such that gradients go back to their tokens' input embeddings.

        They go through head and encoder.
        """
        self.usage.encoded += len(sources)
        with taped(self._encoder, self._framing, self.name) as tape:
            states, mask = _read(self._encoder, self._framing, sources)
        logits = self.classify(ScoredTexts(states, mask, self._pool.scores(states)))
        return TapedTexts(logits, tape.embeddings, mask)

    @torch.no_grad()
    def native_attention(self, encoded: ScoredTexts) -> Tensor:
        """Where the pool looks by itself, ``[rows, source]``, the mean over heads.

        Each row sums to one over the text's own tokens.
        """
        weights = self._pool.weights(encoded.scores, encoded.mask, None)
        return own_share(weights[:, :, 1:].mean(1), encoded.mask)


@torch.no_grad()
def states_of(
    encoder: nn.Module, framing: Framing, sources: Sequence[Sequence[int]]
) -> tuple[Tensor, Tensor]:
    """Reads texts.

    Args:
        encoder: In evaluation mode.
        framing: Its special tokens.
        sources: Each text's own token ids.

    Returns:
        The states of the texts' own tokens, ``[rows, source, d_model]``, zero behind each text; and
        True at real tokens, ``[rows, source]``.
    """
    return _read(encoder, framing, sources)


def reach(encoder: Any, tokenizer: Any, framing: Framing) -> int | None:
    """How many of a text's own tokens an encoder's positions reach, or None without a limit."""
    limit = getattr(encoder.config, "max_position_embeddings", None)
    if not limit:
        return None
    # Some count positions from behind the padding's; then their tokenizers know the right number.
    return int(min(limit, tokenizer.model_max_length)) - len(framing)


def _read(
    encoder: nn.Module, framing: Framing, sources: Sequence[Sequence[int]]
) -> tuple[Tensor, Tensor]:
    """What `states_of` gives, with gradients where they are wanted."""
    device = next(encoder.parameters()).device
    ids, mask, special = (t.to(device) for t in framing.framed(sources))
    start, real = len(framing.before), special
    real[:, start : start + mask.shape[1]] |= mask
    states: Tensor = encoder(input_ids=ids, attention_mask=real.long())[0]
    own = states[:, start : start + mask.shape[1]]
    return torch.where(mask[..., None], own, 0.0), mask
