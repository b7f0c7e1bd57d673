"""How a built-in host is shaped and trained."""

from __future__ import annotations

from dataclasses import dataclass, replace

from rlattn.corpora import ParallelCorpus
from rlattn.errors import InputError
from rlattn.hosts.settings import check_above_0, check_rates, check_shares
from rlattn.hosts.tokenizer import SMALLEST_VOCABULARY

# What a host of documents of some lengths begins with, and its optimizer steps.
_DOCUMENTS = {
    "60-150": ("locale:{}", 1500),
    "150-400": ("documents:{}:60-150", 1000),
    "": ("documents:{}:150-400", 1800),
}


@dataclass(frozen=True)
class BuiltinConfig:
    """Shape and training of a small Transformer; the defaults suit a few ten thousand sentences.

    Training ends at whichever of `max_steps` and `max_minutes` is used up first, and the learning
    rate follows the fraction of it that is used: a straight line up from 0 during `warmup`, then a
    straight line down to 0.

    Attributes:
        vocab_size: The most tokens of the joint vocabulary.
        d_model: Width of the model.
        encoder_layers: Number of encoder layers.
        decoder_layers: Number of decoder layers.
        heads: Attention heads in every layer.
        ffn: Width of the feed-forward layers.
        max_length: The most tokens of a source or target; longer training pairs are left out.
        dropout: Probability with which an activation is dropped in training.
        label_smoothing: Share of the target probability that is spread over the vocabulary.
        batch_tokens: Positions of a batch, padding included, on its longer side.
        learning_rate: Highest learning rate of Adam.
        warmup: Fraction of the budget after which the highest learning rate is reached.
        max_steps: Budget in optimizer steps, or None for no such limit.
        max_minutes: Budget in minutes of wall-clock time, or None for no such limit.
        seed: Seed of the initial weights, the order of the batches, dropout and shifts.
        start: Name of a corpus whose built-in host gives the vocabulary and the first weights; it
            is trained first where it is not there yet. None begins with random weights.
        shift: Whether each training source stands at a random place among the positions, so that
            short ones teach all of them.

    Raises:
        InputError: If a value is out of its range, or the budget has no limit.
    """

    vocab_size: int = 4000
    d_model: int = 128
    encoder_layers: int = 2
    decoder_layers: int = 2
    heads: int = 4
    ffn: int = 512
    max_length: int = 256
    dropout: float = 0.1
    label_smoothing: float = 0.1
    batch_tokens: int = 1000
    learning_rate: float = 2e-3
    warmup: float = 0.1
    max_steps: int | None = None
    max_minutes: float | None = 15.0
    seed: int = 0
    start: str | None = None
    shift: bool = False

    def __post_init__(self) -> None:
        check_above_0(self, "d_model", "encoder_layers", "decoder_layers", "heads", "ffn")
        check_shares(self, "dropout", "label_smoothing")
        check_rates(self)
        if self.vocab_size < SMALLEST_VOCABULARY:
            raise InputError(
                f"vocab_size is {self.vocab_size}; it must be at least {SMALLEST_VOCABULARY}"
            )
        if self.d_model % (2 * self.heads):
            raise InputError(
                f"d_model is {self.d_model}; it must be a multiple of twice heads={self.heads}"
            )
        if not 2 <= self.max_length <= self.batch_tokens:
            raise InputError(
                f"max_length is {self.max_length}; it must be at least 2 and at most "
                f"batch_tokens={self.batch_tokens}"
            )

    @classmethod
    def for_corpus(cls, corpus: ParallelCorpus) -> BuiltinConfig:
        """Returns what suits a corpus.

        Locale phrases need fewer tokens and minutes. A host of documents begins with one of shorter
        documents, and the first of these with one of sentences: so the phrases, the marks and the
        length are learned one after the other.
        """
        family, _, pair = corpus.name.partition(":")
        phrases = cls(vocab_size=1500, max_length=512, dropout=0.0, max_minutes=8.0)
        if family == "locale":
            return phrases
        if family == "documents":
            pair, _, lengths = pair.partition(":")
            start, steps = _DOCUMENTS.get(lengths, _DOCUMENTS[""])
            return replace(
                phrases,
                # With sources ten times as long as targets, layers are cheap in the decoder.
                decoder_layers=6,
                max_length=1024,
                batch_tokens=4096,
                learning_rate=1.5e-3,
                max_steps=steps,
                max_minutes=None,
                start=start.format(pair),
                shift=True,
            )
        return cls()

    @property
    def bytes_on_disk(self) -> int:
        """Room for a trained host in bytes, at most: float32 weights and tokenizer files."""
        width, layers = self.d_model, self.encoder_layers + 2 * self.decoder_layers
        weights = width * (self.vocab_size + 2 * self.max_length + 4 * layers * width)
        weights += 2 * (self.encoder_layers + self.decoder_layers) * width * self.ffn
        return round(1.1 * 4 * weights) + 300 * self.vocab_size + 1_000_000
