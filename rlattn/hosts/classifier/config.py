"""How a built-in classifier is shaped and trained."""

from __future__ import annotations

from dataclasses import dataclass

from rlattn.corpora import ParallelCorpus
from rlattn.errors import InputError
from rlattn.hosts.settings import check_above_0, check_rates, check_shares
from rlattn.hosts.tokenizer import SMALLEST_VOCABULARY


@dataclass(frozen=True)
class ClassifierConfig:
    """Shape and training of a small encoder; the defaults suit a few thousand short texts.

    Training ends at whichever of `max_steps` and `max_minutes` is used up first, and the learning
    rate follows the fraction of it that is used, as in `BuiltinConfig`.

    Attributes:
        vocab_size: The most tokens of the vocabulary.
        d_model: Width of the model.
        layers: Number of layers.
        heads: Attention heads in every layer.
        ffn: Width of the feed-forward layers.
        max_length: The most tokens of a text; longer ones keep their beginning.
        dropout: Probability with which an activation is dropped in training.
        shut: Largest share of the tokens that is shut in a training text; each text draws its own
            share below it, so that parts are learned from as well as wholes.
        batch_tokens: Positions of a batch, padding included.
        learning_rate: Highest learning rate of Adam.
        warmup: Fraction of the budget after which the highest learning rate is reached.
        max_steps: Budget in optimizer steps, or None for no such limit.
        max_minutes: Budget in minutes of wall-clock time, or None for no such limit.
        seed: Seed of the initial weights, the order of the batches, dropout and what is shut.

    Raises:
        InputError: If a value is out of its range, or the budget has no limit.
    """

    vocab_size: int = 4000
    d_model: int = 64
    layers: int = 2
    heads: int = 4
    ffn: int = 128
    max_length: int = 256
    dropout: float = 0.2
    shut: float = 0.8
    batch_tokens: int = 2000
    learning_rate: float = 1e-3
    warmup: float = 0.1
    max_steps: int | None = None
    max_minutes: float | None = 1.0
    seed: int = 0

    def __post_init__(self) -> None:
        check_above_0(self, "d_model", "layers", "heads", "ffn")
        check_shares(self, "dropout", "shut")
        check_rates(self)
        if self.vocab_size < SMALLEST_VOCABULARY:
            raise InputError(
                f"vocab_size is {self.vocab_size}; it must be at least {SMALLEST_VOCABULARY}"
            )
        if self.d_model % self.heads:
            raise InputError(
                f"d_model is {self.d_model}; it must be a multiple of heads={self.heads}"
            )
        if not 2 <= self.max_length <= self.batch_tokens:
            raise InputError(
                f"max_length is {self.max_length}; it must be at least 2 and at most "
                f"batch_tokens={self.batch_tokens}"
            )

    @classmethod
    def for_corpus(cls, corpus: ParallelCorpus) -> ClassifierConfig:
        """What suits a corpus: locale phrases need few tokens, and each of those that they have."""
        if not corpus.name.startswith("kinds:"):
            return cls()
        return cls(
            vocab_size=1000,
            dropout=0.05,
            shut=0.2,
            batch_tokens=3000,
            learning_rate=3e-3,
            max_minutes=1.5,
        )

    @property
    def bytes_on_disk(self) -> int:
        """Room for a trained classifier in bytes, at most: float32 weights and tokenizer files."""
        width = self.d_model
        weights = width * (self.vocab_size + self.max_length + 100)
        weights += self.layers * (4 * width * width + 2 * width * self.ffn + 20 * width + self.ffn)
        return round(1.1 * 4 * weights) + 300 * self.vocab_size + 1_000_000
