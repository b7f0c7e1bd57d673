"""A small encoder-decoder of the Marian architecture (Junczys-Dowmunt et al., 2018)."""

from __future__ import annotations

from pathlib import Path

import torch
from torch import nn
from transformers import GenerationConfig, MarianConfig, MarianMTModel, PreTrainedTokenizerBase

from rlattn.errors import InputError
from rlattn.hosts.config import BuiltinConfig
from rlattn.hosts.quiet import without_progress_bars

_SHAPE = (
    "d_model",
    "encoder_layers",
    "encoder_attention_heads",
    "encoder_ffn_dim",
    "vocab_size",
)


def untrained_model(config: BuiltinConfig, tokenizer: PreTrainedTokenizerBase) -> MarianMTModel:
    """Returns a model with random weights that generates greedily and never writes padding.

    Args:
        config: Its shape.
        tokenizer: Its vocabulary and special tokens.
    """
    special = {
        "pad_token_id": tokenizer.pad_token_id,
        "eos_token_id": tokenizer.eos_token_id,
        "decoder_start_token_id": tokenizer.pad_token_id,
    }
    model = MarianMTModel(
        MarianConfig(
            vocab_size=len(tokenizer),
            d_model=config.d_model,
            encoder_layers=config.encoder_layers,
            decoder_layers=config.decoder_layers,
            encoder_attention_heads=config.heads,
            decoder_attention_heads=config.heads,
            encoder_ffn_dim=config.ffn,
            decoder_ffn_dim=config.ffn,
            max_position_embeddings=config.max_length,
            dropout=config.dropout,
            attention_dropout=config.dropout,
            activation_dropout=config.dropout,
            activation_function="relu",
            init_std=config.d_model**-0.5,
            scale_embedding=True,
            bos_token_id=None,
            forced_eos_token_id=None,
            **special,
        )
    )
    # The fused kernel is the slower one for short sequences with masks on a CPU.
    model.set_attn_implementation("eager")
    model.generation_config = GenerationConfig(  # type: ignore[no-untyped-call]
        max_new_tokens=config.max_length - 1,
        num_beams=1,
        do_sample=False,
        bad_words_ids=[[tokenizer.pad_token_id]],
        **special,
    )
    return model


def begin_with(model: MarianMTModel, start: Path) -> None:
    """Gives a model the weights of another, made perhaps for fewer positions or decoder layers.

    Decoder layers that the other does not have come last and begin by adding nothing to what they
    are given, so that the deeper model is about the same function (Chen et al., 2016, "Net2Net:
    Accelerating Learning via Knowledge Transfer").

    Args:
        model: Has the other's vocabulary.
        start: Folder of the other, which was trained here too.

    Raises:
        InputError: If the shapes differ otherwise.
    """
    with without_progress_bars():
        first = MarianMTModel.from_pretrained(
            start, dtype=torch.float32, use_safetensors=True, trust_remote_code=False
        )
    ours, theirs = ({name: getattr(m.config, name) for name in _SHAPE} for m in (model, first))
    known = first.config.decoder_layers
    if ours != theirs or model.config.decoder_layers < known:
        raise InputError(
            "a host can only begin with the weights of one of its shape: "
            f"expected {theirs} and at least {known} decoder layers, and the configuration gives "
            f"{ours} and {model.config.decoder_layers}"
        )
    # Positions are no weights: they are computed, as many as there are.
    kept = {k: v for k, v in first.state_dict().items() if "embed_positions" not in k}
    model.load_state_dict(kept, strict=False)
    for layer in model.model.decoder.layers[known:]:
        for last in (layer.self_attn.out_proj, layer.encoder_attn.out_proj, layer.fc2):
            nn.init.zeros_(last.weight)
            nn.init.zeros_(last.bias)
