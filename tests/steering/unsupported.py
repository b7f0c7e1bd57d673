"""Tiny models that cannot be steered; what is said of them is in docs/models.md."""

from __future__ import annotations

import transformers

from tests.steering.builders import (
    BART,
    BERT,
    GEMMA,
    GPT2,
    HEADS,
    LAYERS,
    PARAKEET,
    VIT,
    WIDTH,
    WORDS,
    Build,
    build,
    config_of,
    pair,
)

CAPPED = {**GEMMA, "attn_logit_softcapping": 50.0}
DECODER = {name: value for name, value in BART.items() if not name.startswith("encoder")}
SERIES = {"d_model": WIDTH, "prediction_length": 3, "context_length": 8, "lags_sequence": [1, 2]}
T5_TEXT = {"model_type": "t5", "d_model": WIDTH, "num_layers": 1, "vocab_size": WORDS}
ENCODEC = {"model_type": "encodec", "num_filters": 4, "hidden_size": 8, "codebook_dim": 8}
MELODY = {"hidden_size": WIDTH, "num_hidden_layers": 1, "num_attention_heads": HEADS}

UNSUPPORTED: dict[str, Build] = {
    "LED": build("LED", **BART, attention_window=4),
    "MVP": build("Mvp", **BART),
    "FSMT": build("FSMT", **BART, langs=["en", "de"], src_vocab_size=WORDS, tgt_vocab_size=WORDS),
    "ProphetNet": build(
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
    "TrOCR": pair(
        "VisionEncoderDecoder",
        config_of("ViT", **VIT),
        config_of("TrOCR", **DECODER, cross_attention_hidden_size=VIT["hidden_size"]),
    ),
    "SpeechT5": build(
        "SpeechT5",
        "ForSpeechToText",
        hidden_size=WIDTH,
        encoder_layers=1,
        decoder_layers=1,
        encoder_attention_heads=HEADS,
        decoder_attention_heads=HEADS,
        encoder_ffn_dim=32,
        decoder_ffn_dim=32,
        vocab_size=WORDS,
        conv_dim=(8, 8),
        conv_stride=(5, 4),
        conv_kernel=(5, 4),
        num_feat_extract_layers=2,
    ),
    "T5Gemma, capped": build("T5Gemma", encoder=CAPPED, decoder=CAPPED, vocab_size=WORDS),
    "T5Gemma2": build(
        "T5Gemma2",
        encoder={
            "text_config": GEMMA,
            "vision_config": {**VIT, "model_type": "siglip_vision_model"},
        },
        decoder=GEMMA,
    ),
    "RAG": lambda: transformers.RagSequenceForGeneration(
        config=transformers.RagConfig.from_question_encoder_generator_configs(
            config_of("DPR", **BERT), config_of("Bart", **BART), n_docs=2
        )
    ),
    "MusicgenMelody": build(
        "MusicgenMelody",
        text_encoder=T5_TEXT,
        audio_encoder=ENCODEC,
        decoder={**MELODY, "vocab_size": WORDS, "ffn_dim": 32},
    ),
    "FastSpeech2Conformer": build(
        "FastSpeech2Conformer",
        "Model",
        hidden_size=WIDTH,
        vocab_size=WORDS,
        encoder_layers=1,
        decoder_layers=1,
    ),
    "Parakeet, TDT": lambda: transformers.ParakeetForTDT(
        transformers.ParakeetTDTConfig(
            encoder_config=PARAKEET,
            vocab_size=WORDS,
            decoder_hidden_size=WIDTH,
            num_decoder_layers=1,
        )
    ),
    "TimeSeriesTransformer": build("TimeSeriesTransformer", "ForPrediction", **SERIES),
    "Informer": build("Informer", "ForPrediction", **SERIES),
    "Autoformer": build("Autoformer", "ForPrediction", **SERIES),
    "GPT2": lambda: transformers.GPT2LMHeadModel(config_of("GPT2", **GPT2)),
    "Bert": lambda: transformers.BertModel(config_of("Bert", **BERT)),
}
