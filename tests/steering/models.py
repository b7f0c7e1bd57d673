"""Tiny encoder-decoders with random weights, one of each family that can be steered."""

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


def pop2piano() -> PreTrainedModel:
    """A model that writes in the manner of its only composer."""
    model = build("Pop2Piano", **T5, composer_vocab_size=1)()
    model.generation_config.composer_to_feature_token = {"composer1": 3}
    return model


WORDS_IN: dict[str, Build] = {
    "Marian": build("Marian", "MTModel", **BART),
    "Bart": build("Bart", **BART),
    "MBart": build("MBart", **BART),
    "M2M100": build("M2M100", **BART),
    "Pegasus": build("Pegasus", **BART),
    # Has no SDPA attention of its own.
    "PegasusX": build("PegasusX", **BART, block_size=4, num_global_tokens=2),
    "BigBirdPegasus": build("BigBirdPegasus", **BART, attention_type="original_full"),
    "BigBirdPegasus, sparse": build("BigBirdPegasus", **BART, block_size=2, num_random_blocks=1),
    "NllbMoe": build(
        "NllbMoe", **BART, num_experts=2, encoder_sparse_step=2, decoder_sparse_step=2
    ),
    "Blenderbot": build("Blenderbot", **BART),
    "BlenderbotSmall": build("BlenderbotSmall", **BART),
    "PLBart": build("PLBart", **BART),
    "SeamlessM4T": build("SeamlessM4T", "ForTextToText", **SEAMLESS),
    "SeamlessM4Tv2": build("SeamlessM4Tv2", "ForTextToText", **SEAMLESS),
    "T5": build("T5", **T5),
    "MT5": build("MT5", **T5),
    "UMT5": build("UMT5", **T5),
    "LongT5, local": build("LongT5", **T5, local_radius=3),
    "LongT5, transient-global": build(
        "LongT5",
        **T5,
        encoder_attention_type="transient-global",
        local_radius=3,
        global_block_size=2,
    ),
    "SwitchTransformers": build(
        "SwitchTransformers",
        **T5,
        num_experts=2,
        num_sparse_encoder_layers=1,
        num_sparse_decoder_layers=1,
    ),
    "T5Gemma, uncapped": build(
        "T5Gemma", encoder={**GEMMA, "hidden_size": WIDER}, decoder=GEMMA, vocab_size=WORDS
    ),
    "BERT2BERT": bert_pair("Bert"),
    "BertGeneration": bert_pair("BertGeneration"),
    "Roberta2Roberta": bert_pair("Roberta"),
    "BERT2GPT2": pair("EncoderDecoder", config_of("Bert", **BERT), config_of("GPT2", **GPT2)),
    "Dia": build(
        "Dia",
        encoder_config={**GROUPED, "hidden_size": WIDER, "num_key_value_heads": HEADS},
        decoder_config={
            **GROUPED,
            "cross_num_attention_heads": HEADS,
            "cross_num_key_value_heads": 1,
            "cross_head_dim": 8,
            "cross_hidden_size": WIDER,
            "num_channels": 2,
        },
        delay_pattern=[0, 1],
        initializer_range=0.3,
    ),
    "Musicgen": build(
        "Musicgen",
        text_encoder={"model_type": "t5", **T5, "d_model": WIDER},
        audio_encoder={
            "model_type": "encodec",
            "num_filters": 4,
            "hidden_size": 8,
            "codebook_size": WORDS,
            "codebook_dim": 8,
        },
        decoder={
            **BLOCKS,
            "vocab_size": WORDS,
            "pad_token_id": WORDS,
            "bos_token_id": WORDS,
            "ffn_dim": 32,
            "num_codebooks": 2,
            "initializer_factor": 0.3,
        },
        initializer_factor=0.3,
    ),
}
SOUNDS_IN: dict[str, Build] = {
    "Whisper": build(
        "Whisper", **BART, num_mel_bins=BINS, max_source_positions=7, max_target_positions=32
    ),
    "Speech2Text": build(
        "Speech2Text",
        **BART,
        max_source_positions=32,
        max_target_positions=32,
        num_conv_layers=1,
        conv_kernel_sizes=(3,),
        conv_channels=8,
        input_feat_per_channel=BINS,
    ),
    "Moonshine": build(
        "Moonshine",
        **TOKENS,
        **START,
        hidden_size=WIDTH,
        intermediate_size=32,
        encoder_num_hidden_layers=LAYERS,
        decoder_num_hidden_layers=LAYERS,
        encoder_num_attention_heads=HEADS,
        decoder_num_attention_heads=HEADS,
        initializer_range=0.3,
    ),
    "MoonshineStreaming": build(
        "MoonshineStreaming",
        **{**BLOCKS, **TOKENS, **START},
        num_key_value_heads=HEADS,
        encoder_config={
            **BLOCKS,
            "hidden_size": WIDER,
            "num_key_value_heads": HEADS,
            "sliding_windows": ((4, 1), (4, 1)),
        },
    ),
    "SeamlessM4T, speech": build(
        "SeamlessM4T",
        "ForSpeechToText",
        **SEAMLESS,
        num_conv_pos_embeddings=2,
        num_conv_pos_embedding_groups=2,
    ),
    "SeamlessM4Tv2, speech": build("SeamlessM4Tv2", "ForSpeechToText", **SEAMLESS),
    "Canary": build(
        "Canary",
        **TOKENS,
        **START,
        encoder_config={**PARAKEET, "hidden_size": WIDTH},
        decoder_config={**GROUPED, "num_key_value_heads": HEADS},
    ),
    "CohereAsr": build("CohereAsr", **{**GROUPED, **START}, encoder_config=PARAKEET),
    "Pop2Piano": pop2piano,
    "Wav2Vec2 and BERT": pair(
        "SpeechEncoderDecoder", config_of("Wav2Vec2", **WAV2VEC2), config_of("Bert", **BERT)
    ),
    "Wav2Vec2 and MBart": pair(
        "SpeechEncoderDecoder", config_of("Wav2Vec2", **WAV2VEC2), config_of("MBart", **BART)
    ),
}
PICTURES_IN: dict[str, Build] = {
    "ViT and BERT": pair(
        "VisionEncoderDecoder", config_of("ViT", **VIT), config_of("Bert", **BERT)
    ),
    "ViT and GPT2": pair(
        "VisionEncoderDecoder", config_of("ViT", **VIT), config_of("GPT2", **GPT2)
    ),
    "Donut": pair(
        "VisionEncoderDecoder", config_of("DonutSwin", **SWIN), config_of("MBart", **BART)
    ),
    "Pix2Struct": build(
        "Pix2Struct",
        text_config={
            "hidden_size": WIDTH,
            "d_kv": 8,
            "d_ff": 32,
            "num_layers": LAYERS,
            "num_heads": HEADS,
            "vocab_size": WORDS,
        },
        vision_config={
            **BLOCKS,
            "patch_embed_hidden_size": BINS,
            "d_ff": 32,
            "d_kv": 8,
            "seq_len": 16,
        },
    ),
    "Udop": build("Udop", **T5, image_size=PIXELS, patch_size=PATCH, max_2d_position_embeddings=64),
    "Florence2": build(
        "Florence2",
        text_config={"model_type": "bart", **BART},
        vision_config={
            "depths": (1,),
            "patch_size": (PATCH,),
            "patch_stride": (PATCH,),
            "patch_padding": (0,),
            "patch_prenorm": (False,),
            "embed_dim": (WIDER,),
            "num_heads": (HEADS,),
            "num_groups": (HEADS,),
            "window_size": 2,
            "projection_dim": WIDTH,
        },
        image_token_id=3,
    ),
    "PPFormulaNet": build(
        "PPFormulaNet",
        text_config={**BART, "initializer_range": 0.3},
        vision_config={
            **BLOCKS,
            "hidden_size": WIDER,
            "image_size": 4 * PIXELS,
            "patch_size": PATCH,
            "window_size": 2,
            "global_attn_indexes": [1],
            "mlp_dim": 32,
            "output_channels": 8,
            "post_conv_in_channels": 8,
            "post_conv_mid_channels": 8,
            "post_conv_out_channels": 8,
            "decoder_hidden_size": WIDTH,
        },
    ),
}
SUPPORTED: dict[str, Build] = {**WORDS_IN, **SOUNDS_IN, **PICTURES_IN}
