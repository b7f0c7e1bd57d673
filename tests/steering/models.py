"""Tiny encoder-decoders with random weights, one of each family that can be steered."""

from __future__ import annotations

from transformers import PreTrainedModel

from tests.steering.builders import (
    BART,
    BERT,
    BINS,
    BLOCKS,
    GEMMA,
    GPT2,
    GROUPED,
    HEADS,
    LAYERS,
    PARAKEET,
    PATCH,
    PIXELS,
    SEAMLESS,
    START,
    SWIN,
    T5,
    TOKENS,
    VIT,
    WAV2VEC2,
    WIDER,
    WIDTH,
    WORDS,
    Build,
    bert_pair,
    build,
    config_of,
    pair,
)


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
