"""Classifiers of Hugging Face as they are: what a gate shuts is kept from all rows and layers."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import torch
from torch import Tensor, nn

from rlattn.errors import InputError
from rlattn.hosts.classifier.base import ClassifierHost, own_share
from rlattn.hosts.classifier.encoded import EncodedTexts
from rlattn.hosts.classifier.probe import examine, run
from rlattn.hosts.classifier.taped import TapedTexts, taped
from rlattn.steering import Allocation
from rlattn.steering.beside import weights_beside, widened
from rlattn.steering.pooling import steered_pooling

_FEW = 0.7
"""Share of the columns up to which the open ones are computed alone."""

_TOGETHER = 16
"""How many texts a processor reads at once."""

_TINY = 1e-30
"""How much a row counts in a mean that is read and not pooled: too little for any sum to show."""


@dataclass(frozen=True)
class FramedTexts(EncodedTexts):
    """Texts between their special tokens; the memory is the tokens' embeddings alone.

    Attributes:
        ids: All token ids, ``[rows, columns]``.
        special: True at special tokens, ``[rows, columns]``.
    """

    ids: Tensor
    special: Tensor


class SequenceClassifierHost(ClassifierHost[FramedTexts]):
    """A frozen model with a classification head, such as BERT's, RoBERTa's or ModernBERT's.

    What a gate shuts is removed for all rows and layers, so nothing of it reaches the logits; a
    position is removed that is shut in all layers and heads. A gate that all layers and heads share
    and that is open in part is a factor on the attention of all rows, and gradients reach what it
    shuts. All else that an allocation does steers the pooled row, in all layers; where all rows are
    pooled, it steers how much each of them counts, in place of all alike. Special tokens keep their
    native weight. What a policy sees are the embeddings of tokens, which know nothing of each
    other.

    Args:
        model: A Hugging Face model with a head for sequence classification whose attention goes
            through transformers' attention interface. It is tried on a few made-up tokens.
        tokenizer: Its tokenizer.
        name: What to call it in files and messages; by default the model's own name.
        labels: In the order of its logits; by default those in its config.

    Raises:
        UnsupportedModelError: If gates do not keep what they shut from its logits, or its attention
            cannot be followed; names model and reason.
        InputError: If the number of labels is not that of its logits.
    """

    def __init__(
        self,
        model: nn.Module,
        tokenizer: Any,
        name: str | None = None,
        labels: Sequence[str] | None = None,
    ) -> None:
        config: Any = model.config
        own = [str(label) for _, label in sorted(config.id2label.items())]
        known = getattr(model, "name_or_path", "") or type(model).__name__
        super().__init__(model, tokenizer, own if labels is None else labels, name or known)
        self._config = config
        self._found = examine(model, self._framing, tokenizer, self.name)
        outputs = self.classify(self.encode([[self._framing.pad]])).shape[1]
        if outputs != len(self.labels):
            raise InputError(
                f"{self.name}: it has {outputs} outputs and was given {len(self.labels)} labels; "
                "give one label for each output"
            )
        self.usage.encoded = self.usage.forwards = 0

    @cached_property
    def _embed_tokens(self) -> nn.Module:
        embedding: nn.Module = self.model.get_input_embeddings()  # type: ignore[operator]
        return embedding

    @property
    def d_model(self) -> int:
        """Width of the memory."""
        weight: Tensor = self._embed_tokens.weight  # type: ignore[assignment]
        return weight.shape[1]

    @property
    def max_source(self) -> int | None:
        """How many tokens of a text the model's positions reach, or None without a limit."""
        limit = getattr(self._config, "max_position_embeddings", None)
        if not limit:
            return None
        return int(limit) - (self._found.first_position or 0) - len(self._framing)

    @torch.no_grad()
    def encode(self, sources: Sequence[Sequence[int]]) -> FramedTexts:
        """Prepares texts.

        Args:
            sources: Token ids of each, as `tokenize` gives them.

        Returns:
            The embeddings of their tokens, and the ids.
        """
        ids, mask, special = (t.to(self.device) for t in self._framing.framed(sources))
        self.usage.encoded += len(ids)
        memory: Tensor = self._embed_tokens(ids[:, self._own(mask)])
        return FramedTexts(memory, mask, ids, special)

    def classify(self, encoded: FramedTexts, allocation: Allocation | None = None) -> Tensor:
        """Labels texts from what is read of them.

        Args:
            encoded: The texts.
            allocation: What is read; None for everything. A gate may be shut everywhere: then the
                special tokens are all that is read.

        Returns:
            Logits, ``[rows, labels]``, float32.

        Raises:
            SteeringError: If the allocation does not fit.
            InputError: If the model pools all rows, and the allocation is not the same for all
                layers and heads.
        """
        self.usage.forwards += len(encoded.mask)
        if allocation is None:
            return self._read(encoded.ids, self._opened(encoded, encoded.mask))
        layers, heads = self._found.encoder.layers, self._found.encoder.heads
        allocation.check_shape(len(encoded.mask), layers, heads, encoded.mask.shape[1])
        if allocation.is_plain_gate:
            opened = self._opened(encoded, encoded.mask & allocation.values)
            return self._read(encoded.ids, opened)
        if allocation.mode == "gate" and allocation.values.ndim == 2:
            return self._read_in_part(encoded, allocation)
        if not self._found.encoder.first:
            return self._read_weighed(encoded, allocation)
        kept = encoded.mask
        if allocation.mode == "gate":
            kept = kept & allocation.values.amax((1, 2)).bool()
        wide, own = self._widened(encoded, allocation)
        with steered_pooling(self._found.encoder, wide, own):
            return run(self.model, encoded.ids, self._opened(encoded, kept)).float()

    @torch.enable_grad()
    def classify_taped(self, sources: Sequence[Sequence[int]]) -> TapedTexts:
        """Labels texts natively, such that gradients go back to their tokens' input embeddings."""
        encoded = self.encode(sources)
        self.usage.forwards += len(encoded.mask)
        with taped(self.model, self._framing, self.name) as tape:
            logits = self._read_together(encoded.ids, self._opened(encoded, encoded.mask))
        return TapedTexts(logits, tape.embeddings, encoded.mask)

    @torch.no_grad()
    def native_attention(self, encoded: FramedTexts) -> Tensor:
        """Where the pooled row looks in the last layer, ``[rows, source]``, the mean over heads.

        Where all rows are pooled, it is the mean over them. Each row sums to one over the text's
        own tokens.
        """
        opened = self._opened(encoded, encoded.mask)
        self.usage.forwards += len(opened)
        with steered_pooling(self._found.encoder, None, opened) as looked:
            run(self.model, encoded.ids, opened)
        real = opened[:, : looked[0].shape[1], None]
        weights = torch.where(real, looked[0], 0.0).sum(1)
        return own_share(weights[:, self._own(encoded.mask)], encoded.mask)

    def _own(self, mask: Tensor) -> slice:
        """Where among the columns the texts' positions are."""
        start = len(self._framing.before)
        return slice(start, start + mask.shape[1])

    def _opened(self, encoded: FramedTexts, positions: Tensor) -> Tensor:
        """The columns that are open, ``[rows, columns]``, where these positions are."""
        opened = encoded.special.clone()
        opened[:, self._own(encoded.mask)] |= positions
        return opened

    def _read(self, ids: Tensor, opened: Tensor) -> Tensor:
        """Logits over the columns that are open.

        On a processor, texts of which as much is open are read together: else most of the work
        would be padding. A GPU would rather have one batch.
        """
        if self.device.type != "cpu" or len(ids) <= _TOGETHER:
            return self._read_together(ids, opened)
        order = opened.sum(1).argsort(stable=True)
        parts = [
            self._read_together(ids[part], opened[part]) for part in torch.split(order, _TOGETHER)
        ]
        return torch.cat(parts)[order.argsort()]

    def _read_together(self, ids: Tensor, opened: Tensor) -> Tensor:
        """Logits over the columns that are open, which are gathered where they are few."""
        # Special tokens are always open, so there is a last column.
        last = int(opened.any(0).nonzero().max()) + 1
        ids, opened = ids[:, :last], opened[:, :last]
        positions, first = None, self._found.first_position
        if first is not None:
            width = int(opened.sum(1).max())
            if width <= _FEW * last:
                # Stable, so that columns stay in their order.
                order = opened.byte().argsort(dim=1, descending=True, stable=True)[:, :width]
                ids, opened = ids.gather(1, order), opened.gather(1, order)
                positions = order + first
        return run(self.model, ids, opened, positions).float()

    def _read_in_part(self, encoded: FramedTexts, allocation: Allocation) -> Tensor:
        """Logits where gates are factors on what all rows look at, and on what is pooled."""
        wide, own = self._widened(encoded, allocation)
        real = self._opened(encoded, encoded.mask)
        shown = real if self._found.encoder.first else _counting(wide.values, real)
        with steered_pooling(self._found.encoder, wide, own, every=True):
            return run(self.model, encoded.ids, shown).float()

    def _read_weighed(self, encoded: FramedTexts, allocation: Allocation) -> Tensor:
        """Logits where an allocation steers a mean over all rows, which natively are equal."""
        shared = allocation.weight is None or allocation.weight.ndim < 2
        if allocation.values.ndim > 2 or not shared:
            raise InputError(
                f"{self.name} pools all its rows, so there is no one row whose attention layers or "
                "heads could steer: give an allocation that all of them share"
            )
        wide, own = self._widened(encoded, allocation)
        real = self._opened(encoded, encoded.mask)
        equal = torch.zeros(real.shape, device=real.device)[:, None, None]
        weights = weights_beside(equal, real[:, None, None], wide, 0, own, check=True)[:, 0, 0]
        return run(self.model, encoded.ids, _counting(weights, real)).float()

    def _widened(self, encoded: FramedTexts, allocation: Allocation) -> tuple[Allocation, Tensor]:
        """An allocation over all columns, and which of these are its own."""
        own = self._opened(encoded, encoded.mask) & ~encoded.special
        return widened(allocation, own, len(self._framing.before)), own


def _counting(weights: Tensor, real: Tensor) -> Tensor:
    """How much each column counts in a mean, above 0 where it is real, ``[rows, columns]``."""
    return torch.where(real, weights + _TINY, 0.0)
