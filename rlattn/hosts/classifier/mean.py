"""A frozen encoder with a linear head on the mean of its states."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F
from torch import Tensor, nn
from transformers import PreTrainedConfig, PreTrainedModel
from transformers.modeling_outputs import SequenceClassifierOutput

from rlattn.corpora import ParallelCorpus, labels_of
from rlattn.errors import InputError
from rlattn.hosts.classifier.drops import opened_at_random
from rlattn.hosts.classifier.framing import Framing
from rlattn.hosts.classifier.head import HeadConfig, shuffled
from rlattn.hosts.classifier.pooled import reach
from rlattn.hosts.descent import Budget, descend

_TOGETHER = 64  # texts that the encoder reads at once


class MeanClassifier(nn.Module):
    """Labels a text by the mean of the states at its open tokens, special ones included.

    Args:
        encoder: A Hugging Face encoder.
        output: From a mean to logits.

    Raises:
        InputError: If these are for means of another width.
    """

    def __init__(self, encoder: PreTrainedModel, output: nn.Linear) -> None:
        super().__init__()
        width = encoder.config.hidden_size
        if output.in_features != width:
            raise InputError(
                f"the head is for states of width {output.in_features}, and the encoder's have "
                f"{width}; train a head on this encoder"
            )
        self.encoder, self.output = encoder, output

    @property
    def config(self) -> PreTrainedConfig:
        """The encoder's."""
        return self.encoder.config

    @property
    def name_or_path(self) -> str:
        """Where the encoder came from."""
        return str(self.encoder.name_or_path)

    def get_input_embeddings(self) -> nn.Module:
        """The encoder's embedding of tokens."""
        return self.encoder.get_input_embeddings()

    def forward(
        self, input_ids: Tensor, attention_mask: Tensor, position_ids: Tensor | None = None
    ) -> SequenceClassifierOutput:
        """Logits of texts; arguments as those of Hugging Face's encoders.

        A mask of floats says how much each row counts in the mean; all above 0 are read.
        """
        mean = _mean(self.encoder, input_ids, attention_mask, position_ids)
        return SequenceClassifierOutput(logits=self.output(mean))


def train_mean(
    encoder: PreTrainedModel,
    tokenizer: Any,
    corpus: ParallelCorpus,
    config: HeadConfig | None = None,
    progress: bool = True,
) -> MeanClassifier:
    """Trains a linear head on the mean of an encoder's states, with tokens kept from the encoder.

    Args:
        encoder: A frozen Hugging Face encoder, in evaluation mode.
        tokenizer: Its tokenizer.
        corpus: Texts, and their labels as targets; the training split is learned from.
        config: Training of the head.
        progress: Whether to draw a progress bar.

    Returns:
        Encoder and head, frozen, for labels in the order of `labels_of`.

    Raises:
        InputError: If `labels_of` refuses the corpus.
        RlattnError: If training diverges.
    """
    settings, labels = config or HeadConfig(), labels_of(corpus)
    framing = Framing(tokenizer, type(encoder).__name__)
    limit = min(settings.max_length, reach(encoder, tokenizer, framing) or settings.max_length)
    texts, named = zip(*corpus.train, strict=True)
    sources = framing.tokenize(texts, limit).ids
    targets = torch.tensor([labels.index(label) for label in named])
    device = encoder.device
    targets = targets.to(device).repeat(1 + settings.views)
    with torch.random.fork_rng([device] if device.type == "cuda" else []):
        torch.manual_seed(settings.seed)
        means = torch.cat(
            [_means(encoder, framing, sources, 0.0)]
            + [_means(encoder, framing, sources, settings.shut) for _ in range(settings.views)]
        )
        centre, scale = means.mean(0), means.std(0) + 1e-6
        means = (means - centre) / scale
        output = nn.Linear(means.shape[1], len(labels)).to(device)
        rows = shuffled(len(means), settings.texts, settings.seed)

        def loss_of_next() -> tuple[Tensor, int]:
            chosen = next(rows).to(device)
            return F.cross_entropy(output(means[chosen]), targets[chosen]), len(chosen)

        budget = Budget(settings)
        descend(output.parameters(), loss_of_next, settings, budget, "the head", progress)
    with torch.no_grad():
        # What was learned of standardised means becomes weights for means as they are.
        output.weight.div_(scale)
        output.bias.sub_(output.weight @ centre)
    return MeanClassifier(encoder, output.requires_grad_(False)).eval()


@torch.no_grad()
def _means(
    encoder: PreTrainedModel, framing: Framing, sources: Sequence[Sequence[int]], shut: float
) -> Tensor:
    """Mean states of texts of which some tokens are shut, ``[texts, width]``."""
    order = torch.from_numpy(np.argsort([len(row) for row in sources], kind="stable"))
    means = []
    for rows in torch.split(order, _TOGETHER):
        ids, mask, opened = framing.framed([sources[row] for row in rows])
        start = len(framing.before)
        opened[:, start : start + mask.shape[1]] |= opened_at_random(mask, shut)
        means.append(_mean(encoder, ids.to(encoder.device), opened.to(encoder.device)))
    return torch.cat(means)[order.argsort().to(encoder.device)]


def _mean(
    encoder: PreTrainedModel, ids: Tensor, opened: Tensor, positions: Tensor | None = None
) -> Tensor:
    """The mean of the states at open tokens, ``[rows, width]``."""
    given = {} if positions is None else {"position_ids": positions}
    kept = opened > 0
    states: Tensor = encoder(input_ids=ids, attention_mask=kept.long(), **given)[0]
    weights = opened.to(states.dtype)[..., None]
    return torch.where(kept[..., None], states * weights, 0.0).sum(1) / weights.sum(1)
