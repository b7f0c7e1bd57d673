"""Tiny hosts with random weights, and sentences for them: quick, offline, and full of surprises.

The weights are such that what a host writes depends on what it reads, and the end-of-sequence token
comes up now and then; the other targets run into the length limit.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import torch
import transformers
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from tokenizers.processors import TemplateProcessing
from transformers import PreTrainedTokenizerFast

from rlattn.corpora import Pair
from rlattn.hosts import Seq2SeqHost

PAD, EOS, UNK = 0, 1, 2
WORDS = [consonant + vowel for consonant in "bdfghklmnrst" for vowel in "aeiou"]
VOCABULARY = {"<pad>": PAD, "</s>": EOS, "<unk>": UNK, **{w: i + 3 for i, w in enumerate(WORDS)}}
SOURCE, TARGET = 10, 12
"""Room for the longest sentence that `sentences` makes, and for a target, in tokens."""

_TOKENS = {"pad_token_id": PAD, "eos_token_id": EOS, "vocab_size": len(VOCABULARY)}
_BART = {
    **_TOKENS,
    "d_model": 32,
    "encoder_layers": 2,
    "decoder_layers": 2,
    "encoder_attention_heads": 2,
    "decoder_attention_heads": 2,
    "encoder_ffn_dim": 32,
    "decoder_ffn_dim": 32,
    "max_position_embeddings": 64,
    "bos_token_id": None,
    "forced_eos_token_id": None,
    "scale_embedding": True,
    "tie_word_embeddings": False,
    "init_std": 0.3,
}
CONFIGS: dict[str, dict[str, Any]] = {
    # Sinusoidal positions; starts with the padding token.
    "Marian": {**_BART, "decoder_start_token_id": PAD},
    # Learned positions, counted from 2; starts with the end-of-sequence token.
    "Bart": {**_BART, "decoder_start_token_id": EOS},
    # Relative positions.
    "T5": {
        **_TOKENS,
        "d_model": 32,
        "d_kv": 16,
        "d_ff": 32,
        "num_layers": 2,
        "num_decoder_layers": 2,
        "num_heads": 2,
        "decoder_start_token_id": PAD,
        "tie_word_embeddings": False,
        "initializer_factor": 2.0,
    },
}
_SEEDS = {"Marian": 19, "Bart": 7, "T5": 1}  # as good as others, and better than some


def tiny_host(family: str = "Marian", seed: int = 0, **config: Any) -> Seq2SeqHost:
    """A host of a family in `CONFIGS`, whose config can be changed."""
    settings = getattr(transformers, f"{family}Config")(**{**CONFIGS[family], **config})
    head = "MTModel" if family == "Marian" else "ForConditionalGeneration"
    with torch.random.fork_rng():
        torch.manual_seed(_SEEDS[family] + seed)
        model = getattr(transformers, f"{family}{head}")(settings)
    # No word stands out, but for the end; padding is never written.
    words = model.get_output_embeddings().weight.data
    words /= words.norm(dim=1, keepdim=True)
    words[EOS] *= 2
    words[PAD] = 0
    return Seq2SeqHost(model, tokenizer(), f"tiny-{family}")


def tokenizer() -> PreTrainedTokenizerFast:
    """One token for each of `WORDS`, and the end of the sequence."""
    words = Tokenizer(WordLevel(VOCABULARY, unk_token="<unk>"))
    words.pre_tokenizer = WhitespaceSplit()
    words.post_processor = TemplateProcessing(single="$A </s>", special_tokens=[("</s>", EOS)])
    return PreTrainedTokenizerFast(
        tokenizer_object=words, pad_token="<pad>", eos_token="</s>", unk_token="<unk>"
    )


def sentences(count: int, seed: int = 0) -> list[str]:
    """Sentences of 1 to 9 words."""
    rng = np.random.default_rng(seed)
    return [" ".join(rng.choice(WORDS, rng.integers(1, 10))) for _ in range(count)]


def pairs(count: int, seed: int = 0) -> list[Pair]:
    """Sentences with made-up translations."""
    sources, targets = sentences(count, 2 * seed), sentences(count, 2 * seed + 1)
    return [Pair(*pair) for pair in zip(sources, targets, strict=True)]


def generate(host: Seq2SeqHost, texts: list[str], **settings: Any) -> list[list[int]]:
    """What `model.generate()` writes greedily, without its start token and padding."""
    batch = host.tokenizer(texts, return_tensors="pt", padding=True)
    settings = {"max_new_tokens": TARGET, "num_beams": 1, "do_sample": False, **settings}
    ids, mask = batch.input_ids, batch.attention_mask
    rows = host.model.generate(input_ids=ids, attention_mask=mask, **settings)[:, 1:].tolist()
    return [row[: row.index(EOS) + 1] if EOS in row else row for row in rows]


def save(host: Seq2SeqHost, folder: Path) -> Path:
    """Writes a host as an ordinary folder."""
    host.model.save_pretrained(folder)
    host.tokenizer.save_pretrained(folder)
    return folder
