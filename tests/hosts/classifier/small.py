"""Tiny classifiers with random weights, and a tokenizer that puts special tokens around texts."""

from __future__ import annotations

from typing import Any

import torch
import transformers
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from tokenizers.processors import TemplateProcessing
from transformers import PreTrainedModel, PreTrainedTokenizerFast

from rlattn.hosts.classifier import (
    AttentionPool,
    PooledClassifierHost,
    SequenceClassifierHost,
)
from tests.hosts.tiny import WORDS

CLS, PAD, SEP, UNK = 0, 1, 2, 3
LABELS = ("bad", "fair", "good")
SOURCE = 10
"""More tokens than any sentence of `tests.hosts.tiny` has."""

_VOCABULARY = {"<s>": CLS, "<pad>": PAD, "</s>": SEP, "<unk>": UNK}
_VOCABULARY |= {word: number + 4 for number, word in enumerate(WORDS)}
_SHAPE = {
    "vocab_size": len(_VOCABULARY),
    "hidden_size": 32,
    "num_hidden_layers": 2,
    "num_attention_heads": 2,
    "intermediate_size": 32,
    "max_position_embeddings": 64,
    "pad_token_id": PAD,
    "bos_token_id": CLS,
    "eos_token_id": SEP,
    "initializer_range": 0.3,
}
_MODERN = {**_SHAPE, "cls_token_id": CLS, "sep_token_id": SEP, "local_attention": 6}
CONFIGS: dict[str, dict[str, Any]] = {
    "Bert": _SHAPE,
    "Roberta": {**_SHAPE, "type_vocab_size": 1},  # counts its positions from behind the padding's
    "DistilBert": {
        "vocab_size": len(_VOCABULARY),
        "dim": 32,
        "n_layers": 2,
        "n_heads": 2,
        "hidden_dim": 32,
        "max_position_embeddings": 64,
        "pad_token_id": PAD,
        "initializer_range": 0.3,
    },
    "Electra": {**_SHAPE, "embedding_size": 16},
    "Albert": {**_SHAPE, "embedding_size": 16, "classifier_dropout_prob": 0.0},
    # Relative positions, and attention over near keys alone.
    "ModernBert": {**_MODERN, "classifier_pooling": "cls"},
    # Pools all rows.
    "ModernBertMean": {**_MODERN, "classifier_pooling": "mean"},
}
STEERABLE = [family for family in CONFIGS if family != "ModernBertMean"]


def small_model(family: str = "Bert", **config: Any) -> PreTrainedModel:
    """A model of a family in `CONFIGS`, whose config can be changed."""
    kind = family.removesuffix("Mean")
    settings = getattr(transformers, f"{kind}Config")(**{**CONFIGS[family], **config})
    settings.id2label = dict(enumerate(LABELS))
    settings.label2id = {label: number for number, label in enumerate(LABELS)}
    with torch.random.fork_rng():
        torch.manual_seed(1)
        model: PreTrainedModel = getattr(transformers, f"{kind}ForSequenceClassification")(settings)
    return model.eval()


def small_tokenizer() -> PreTrainedTokenizerFast:
    """One token for each word, between `<s>` and `</s>`."""
    words = Tokenizer(WordLevel(_VOCABULARY, unk_token="<unk>"))
    words.pre_tokenizer = WhitespaceSplit()
    words.post_processor = TemplateProcessing(
        single="<s> $A </s>", special_tokens=[("<s>", CLS), ("</s>", SEP)]
    )
    special = {"pad_token": "<pad>", "unk_token": "<unk>", "cls_token": "<s>", "sep_token": "</s>"}
    return PreTrainedTokenizerFast(tokenizer_object=words, **special)


def small_classifier(family: str = "Bert", **config: Any) -> SequenceClassifierHost:
    """A frozen host of a family in `CONFIGS`."""
    model = small_model(family, **config)
    return SequenceClassifierHost(model, small_tokenizer(), f"tiny-{family}")


def small_encoder(family: str = "Bert", **config: Any) -> PreTrainedModel:
    """An encoder of a family in `CONFIGS`, whose config can be changed, without a head."""
    with torch.random.fork_rng():
        torch.manual_seed(2)
        settings = getattr(transformers, f"{family}Config")(**{**CONFIGS[family], **config})
        model: PreTrainedModel = getattr(transformers, f"{family}Model")(settings)
    return model.eval()


def small_pooled(family: str = "Bert") -> PooledClassifierHost:
    """A frozen encoder with a head whose weights are random."""
    encoder = small_encoder(family)
    with torch.random.fork_rng():
        torch.manual_seed(3)
        pool = AttentionPool(encoder.config.hidden_size, len(LABELS), heads=3)
        for weight in pool.parameters():
            torch.nn.init.normal_(weight)
    return PooledClassifierHost(encoder, small_tokenizer(), pool, LABELS, f"tiny-pooled-{family}")


def telling_tokenizer() -> PreTrainedTokenizerFast:
    """The same, with the words of `tests.hosts.classifier.labelled` in the place of two others."""
    tokenizer = small_tokenizer()
    vocabulary = {**_VOCABULARY}
    vocabulary["joy"], vocabulary["woe"] = vocabulary.pop("tu"), vocabulary.pop("to")
    tokenizer.backend_tokenizer.model = WordLevel(vocabulary, unk_token="<unk>")
    return tokenizer
