"""Tiny encoder-decoders with random weights, one of each family, and sources for them to read."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch
import transformers
from torch import Tensor
from transformers import PreTrainedModel

LAYERS, HEADS, WIDTH, WORDS = 2, 2, 16, 64
LANES, SOURCE, TARGET = 3, 7, 4
LENGTHS = (7, 4, 2)  # valid source positions of each lane

BART = {
    "d_model": WIDTH,
    "encoder_layers": LAYERS,
    "decoder_layers": LAYERS,
    "encoder_attention_heads": HEADS,
    "decoder_attention_heads": HEADS,
    "encoder_ffn_dim": 32,
    "decoder_ffn_dim": 32,
    "vocab_size": WORDS,
    "max_position_embeddings": 32,
    "pad_token_id": 0,
    "bos_token_id": 1,
    "eos_token_id": 2,
    "forced_eos_token_id": None,
    "decoder_start_token_id": 1,
    "init_std": 0.3,  # large enough that attention is far from uniform
}
T5 = {
    "d_model": WIDTH,
    "d_kv": 8,
    "d_ff": 32,
    "num_layers": LAYERS,
    "num_decoder_layers": LAYERS,
    "num_heads": HEADS,
    "vocab_size": WORDS,
    "decoder_start_token_id": 0,
}
BERT = {
    "hidden_size": WIDTH,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS,
    "intermediate_size": 32,
    "vocab_size": WORDS,
    "max_position_embeddings": 32,
    "initializer_range": 0.3,
}


def _bert2bert() -> PreTrainedModel:
    bert = transformers.BertConfig(**BERT)
    config = transformers.EncoderDecoderConfig.from_encoder_decoder_configs(bert, bert)
    config.decoder_start_token_id, config.pad_token_id = 1, 0
    return transformers.EncoderDecoderModel(config=config)


def _build(family: str, **settings: Any) -> Callable[[], PreTrainedModel]:
    def build() -> PreTrainedModel:
        config = getattr(transformers, f"{family}Config")(**settings)
        head = "MTModel" if family == "Marian" else "ForConditionalGeneration"
        return getattr(transformers, f"{family}{head}")(config)

    return build


SUPPORTED: dict[str, Callable[[], PreTrainedModel]] = {
    "Marian": _build("Marian", **BART),
    "Bart": _build("Bart", **BART),
    "MBart": _build("MBart", **BART),
    "M2M100": _build("M2M100", **BART),
    "Pegasus": _build("Pegasus", **BART),
    "PegasusX": _build("PegasusX", **BART),  # has no SDPA attention of its own
    "Blenderbot": _build("Blenderbot", **BART),
    "T5": _build("T5", **T5),
    "Whisper": _build(
        "Whisper", **BART, num_mel_bins=4, max_source_positions=SOURCE, max_target_positions=32
    ),
    "BERT2BERT": _bert2bert,
}
UNSUPPORTED: dict[str, Callable[[], PreTrainedModel]] = {
    "LED": _build("LED", **BART, attention_window=4),
    "Mvp": _build("Mvp", **BART),
    "FSMT": _build("FSMT", **BART, langs=["en", "de"], src_vocab_size=WORDS, tgt_vocab_size=WORDS),
    "ProphetNet": _build(
        "ProphetNet",
        hidden_size=WIDTH,
        num_encoder_layers=LAYERS,
        num_decoder_layers=LAYERS,
        num_encoder_attention_heads=HEADS,
        num_decoder_attention_heads=HEADS,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        vocab_size=WORDS,
    ),
    "GPT2": lambda: transformers.GPT2LMHeadModel(
        transformers.GPT2Config(
            n_embd=WIDTH, n_layer=1, n_head=2, vocab_size=WORDS, bos_token_id=1, eos_token_id=2
        )
    ),
    "Bert": lambda: transformers.BertModel(transformers.BertConfig(**BERT)),
}


@dataclass
class Reader:
    """A model, and how to make it read: whole targets, or sources into written tokens."""

    model: PreTrainedModel
    inputs: dict[str, Tensor]
    valid: Tensor  # bool, [lanes, source]
    target: Tensor

    def forward(self, **kwargs: Any) -> Any:
        """One teacher-forced forward over the whole target."""
        return self.model(**self.inputs, decoder_input_ids=self.target, **kwargs)

    def logits(self) -> Tensor:
        """Teacher-forced logits of the target, `[lanes, target, words]`, without gradient."""
        with torch.no_grad():
            return self.forward().logits

    def tokens(self, **kwargs: Any) -> Tensor:
        """What `generate()` writes, `[lanes, written]`; greedy unless told otherwise."""
        options = {"max_new_tokens": 6, "do_sample": False, "num_beams": 1, **kwargs}
        return self.model.generate(**self.inputs, **options)


def reader_of(model: PreTrainedModel) -> Reader:
    """The model in eval mode with a random batch, padded where the model knows padding."""
    model.eval()
    target = torch.randint(3, WORDS, (LANES, TARGET))
    if hasattr(model.config, "num_mel_bins"):  # sounds have no padding of their own
        frames = {"input_features": torch.randn(LANES, model.config.num_mel_bins, 2 * SOURCE)}
        return Reader(model, frames, torch.ones(LANES, SOURCE, dtype=torch.bool), target)
    valid = torch.arange(SOURCE) < torch.tensor(LENGTHS)[:, None]
    words = torch.randint(3, WORDS, (LANES, SOURCE)).where(valid, 0)
    return Reader(model, {"input_ids": words, "attention_mask": valid.long()}, valid, target)
