"""Settings of tiny models, and how models are made of them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any, TypeAlias

import transformers
from transformers import PreTrainedConfig, PreTrainedModel

Build: TypeAlias = Callable[[], PreTrainedModel]

LAYERS, HEADS, WIDTH, WORDS = 2, 2, 16, 64
WIDER = 24  # width of encoders that may differ from their decoder
BINS = 8  # of a sound's spectrum
PIXELS, PATCH = 8, 4  # of a picture

TOKENS = {"vocab_size": WORDS, "pad_token_id": 0, "bos_token_id": 1, "eos_token_id": 2}
START = {"decoder_start_token_id": 1}
BART = {
    **TOKENS,
    **START,
    "d_model": WIDTH,
    "encoder_layers": LAYERS,
    "decoder_layers": LAYERS,
    "encoder_attention_heads": HEADS,
    "decoder_attention_heads": HEADS,
    "encoder_ffn_dim": 32,
    "decoder_ffn_dim": 32,
    "max_position_embeddings": 32,
    "forced_eos_token_id": None,
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
BLOCKS = {
    "hidden_size": WIDTH,
    "num_hidden_layers": LAYERS,
    "num_attention_heads": HEADS,
    "intermediate_size": 32,
    "initializer_range": 0.3,
}
BERT = {**BLOCKS, **TOKENS, "max_position_embeddings": 32}
GPT2 = {
    **TOKENS,
    "n_embd": WIDTH,
    "n_layer": LAYERS,
    "n_head": HEADS,
    "n_positions": 32,
    "initializer_range": 0.3,
}
VIT = {**BLOCKS, "hidden_size": WIDER, "image_size": PIXELS, "patch_size": PATCH}
SWIN = {
    "image_size": PIXELS,
    "patch_size": 2,
    "embed_dim": WIDTH,
    "depths": [1, 1],
    "num_heads": [HEADS, HEADS],
    "window_size": 2,
}
WAV2VEC2 = {
    **BLOCKS,
    "hidden_size": WIDER,
    "conv_dim": (8, 8),
    "conv_stride": (5, 4),
    "conv_kernel": (5, 4),
    "num_feat_extract_layers": 2,
    "num_conv_pos_embeddings": 2,
    "num_conv_pos_embedding_groups": 2,
    "feat_extract_norm": "layer",
}
PARAKEET = {
    **BLOCKS,
    "hidden_size": WIDER,
    "conv_kernel_size": 3,
    "subsampling_factor": 2,
    "subsampling_conv_channels": 4,
    "num_mel_bins": BINS,
    "max_position_embeddings": 32,
}
GROUPED = {**BLOCKS, **TOKENS, "num_key_value_heads": 1, "head_dim": 8}
GEMMA = {**GROUPED, "query_pre_attn_scalar": 8, "attn_logit_softcapping": None}
SEAMLESS = {
    **{name: value for name, value in BART.items() if name not in ("d_model", "init_std")},
    "hidden_size": WIDTH,
    "initializer_range": 0.3,
    "t2u_vocab_size": WORDS,
    "speech_encoder_layers": 1,
    "speech_encoder_attention_heads": HEADS,
    "speech_encoder_intermediate_size": 32,
    "feature_projection_input_dim": BINS,
    "conv_depthwise_kernel_size": 3,
    "adaptor_kernel_size": 2,
    "adaptor_stride": 2,
}


def config_of(family: str, **settings: Any) -> PreTrainedConfig:
    """The config of a family, which a composite model takes for one of its parts."""
    config: PreTrainedConfig = getattr(transformers, f"{family}Config")(**settings)
    return config


def build(family: str, head: str = "ForConditionalGeneration", **settings: Any) -> Build:
    """How to make a model of a family."""
    return lambda: getattr(transformers, f"{family}{head}")(config_of(family, **settings))


def pair(kind: str, encoder: PreTrainedConfig, decoder: PreTrainedConfig) -> Build:
    """How to make a model of any encoder and any decoder; `kind` is what is before `Model`."""

    def make() -> PreTrainedModel:
        wrapper = getattr(transformers, f"{kind}Config")
        config = wrapper.from_encoder_decoder_configs(encoder, decoder)
        config.decoder_start_token_id, config.pad_token_id = 1, 0
        config.initializer_range = 0.3  # of what lies between the two
        model: PreTrainedModel = getattr(transformers, f"{kind}Model")(config=config)
        return model

    return make


def bert_pair(family: str) -> Build:
    """How to make a pair of two models of a family of BERT's build."""
    encoder = config_of(family, **{**BERT, "hidden_size": WIDER})
    return pair("EncoderDecoder", encoder, config_of(family, **BERT))
