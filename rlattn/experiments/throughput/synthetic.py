"""A host with random weights and sentences of made-up words: of any size, in a moment, offline.

How fast a host is does not depend on what its weights say, and sentences of any length can be asked
for. It never ends a sentence by itself: references say how long targets are.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import product
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from tokenizers.processors import TemplateProcessing
from torch import nn
from transformers import (
    GenerationConfig,
    MarianConfig,
    MarianMTModel,
    PreTrainedModel,
    PreTrainedTokenizerFast,
)

from rlattn.hosts.quiet import without_progress_bars

_PAD, _EOS, _UNK = "<pad>", "</s>", "<unk>"
_SPECIAL = (_PAD, _EOS, _UNK)
LONGEST = 1024
"""Positions that the host knows, in tokens."""

LONGEST_MEAN = LONGEST // 2
"""The longest mean length of sources, in tokens."""

SHORTEST = 3
"""Tokens of the shortest sentence, its end included."""

_SD = 0.3  # of the source length, relative to its mean
_FACTORS = 0.85, 1.25  # target length over source length

SizeName = Literal["tiny", "small", "medium", "large"]


@dataclass(frozen=True)
class Size:
    """The shape of a host.

    Attributes:
        d_model: Width.
        layers: Of the encoder, and as many of the decoder.
        heads: Attention heads in each layer.
        ffn: Hidden units of each feed-forward block.
        vocabulary: Tokens.
    """

    d_model: int
    layers: int
    heads: int
    ffn: int
    vocabulary: int = 6000


SIZES: dict[SizeName, Size] = {
    "tiny": Size(32, 1, 2, 64, vocabulary=100),
    "small": Size(128, 2, 4, 512),
    "medium": Size(192, 3, 4, 768),
    "large": Size(512, 6, 8, 2048),
}
"""Hosts to choose from; `tiny` is there to try the program itself."""


def write_task(
    folder: Path, size: Size, *, source_length: int, sentences: int, seed: int
) -> tuple[str, str]:
    """Writes a host and a corpus to files, so that every face of the environment finds them.

    Args:
        folder: Where to; it exists.
        size: The host's shape.
        source_length: Mean length of the source sentences in tokens, their end included.
        sentences: How many pairs there are.
        seed: Fixes weights and sentences.

    Returns:
        The names of host and corpus.
    """
    rng = np.random.default_rng(seed)
    words = made_up_words(size.vocabulary - len(_SPECIAL))
    _write_host(folder / "host", size, words, seed)
    lengths = draw_lengths(sentences, source_length, rng)
    lines = ["\t".join(" ".join(rng.choice(words, n - 1)) for n in pair) for pair in lengths]
    corpus = folder / "corpus.tsv"
    corpus.write_text("\n".join(lines) + "\n", encoding="utf-8")
    return str(folder / "host"), f"tsv:{corpus}"


def draw_lengths(count: int, mean: int, rng: np.random.Generator) -> np.ndarray:
    """Lengths of sources and targets in tokens, their ends included, int64, ``[count, 2]``.

    Source lengths follow a gamma distribution, as those of captions roughly do; both kinds are at
    least 3 and at most twice the mean.
    """
    drawn = rng.gamma(_SD**-2, mean * _SD**2, count)
    lengths = np.stack([drawn, drawn * rng.uniform(*_FACTORS, count)], axis=1)
    return np.clip(np.rint(lengths), SHORTEST, longest_length(mean)).astype(np.int64)


def longest_length(mean: int) -> int:
    """The most tokens of a sentence where sources have `mean` on average."""
    return 2 * mean


def made_up_words(count: int) -> list[str]:
    """Up to 6480 words of one or two syllables."""
    syllables = ["".join(letters) for letters in product("bcdfghklmnprstvz", "aeiou")]
    return [*syllables, *("".join(pair) for pair in product(syllables, syllables))][:count]


def random_model(size: Size, seed: int) -> PreTrainedModel:
    """A host with random weights, in eval mode; it never ends a sentence by itself."""
    tokens: dict[str, Any] = {"pad_token_id": 0, "eos_token_id": 1, "decoder_start_token_id": 0}
    config = MarianConfig(
        vocab_size=size.vocabulary,
        d_model=size.d_model,
        encoder_layers=size.layers,
        decoder_layers=size.layers,
        encoder_attention_heads=size.heads,
        decoder_attention_heads=size.heads,
        encoder_ffn_dim=size.ffn,
        decoder_ffn_dim=size.ffn,
        max_position_embeddings=LONGEST,
        activation_function="relu",
        init_std=size.d_model**-0.5,
        scale_embedding=True,
        bos_token_id=None,
        forced_eos_token_id=None,
        **tokens,
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model: PreTrainedModel = MarianMTModel(config)
    # Words of random directions: among thousands, some always beats a special token's zero.
    embedding: nn.Embedding = model.get_input_embeddings()  # type: ignore[assignment]
    embedding.weight.data[: len(_SPECIAL)] = 0.0
    model.generation_config = GenerationConfig(  # type: ignore[no-untyped-call]
        max_new_tokens=LONGEST - 1, num_beams=1, do_sample=False, **tokens
    )
    model.train(False)
    return model


def _write_host(folder: Path, size: Size, words: list[str], seed: int) -> None:
    model = random_model(size, seed)
    with without_progress_bars():
        model.save_pretrained(folder)
    _tokenizer(words).save_pretrained(folder)


def _tokenizer(words: list[str]) -> PreTrainedTokenizerFast:
    vocabulary = {word: number for number, word in enumerate([*_SPECIAL, *words])}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token=_UNK))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    tokenizer.post_processor = TemplateProcessing(
        single=f"$A {_EOS}", special_tokens=[(_EOS, vocabulary[_EOS])]
    )
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        pad_token=_PAD,
        eos_token=_EOS,
        unk_token=_UNK,
        model_max_length=LONGEST,
        clean_up_tokenization_spaces=False,
    )
