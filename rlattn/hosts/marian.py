"""A small encoder-decoder of the Marian architecture (Junczys-Dowmunt et al., 2018)."""

from __future__ import annotations

from transformers import GenerationConfig, MarianConfig, MarianMTModel, PreTrainedTokenizerBase

from rlattn.hosts.config import BuiltinConfig


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
