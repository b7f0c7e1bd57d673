"""A classifier with random weights and texts of made-up words, as `synthetic` has translators."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import torch
from tokenizers import Tokenizer
from tokenizers.models import WordLevel
from tokenizers.pre_tokenizers import WhitespaceSplit
from tokenizers.processors import TemplateProcessing
from transformers import BertConfig, BertForSequenceClassification, PreTrainedTokenizerFast

from rlattn.experiments.throughput.synthetic import LONGEST, Size, draw_lengths, made_up_words
from rlattn.hosts.quiet import without_progress_bars

_PAD, _CLS, _SEP, _UNK = "<pad>", "<s>", "</s>", "<unk>"
_SPECIAL = (_PAD, _CLS, _SEP, _UNK)
_LABELS = ("bad", "good")


def write_labelled_task(
    folder: Path, size: Size, *, source_length: int, texts: int, seed: int
) -> tuple[str, str]:
    """Writes a classifier of BERT's build and a labelled corpus to files.

    Args:
        folder: Where to; it exists.
        size: The host's shape.
        source_length: Mean length of the texts in tokens, without the two special ones.
        texts: How many there are.
        seed: Fixes weights and texts.

    Returns:
        The names of host and corpus.
    """
    rng = np.random.default_rng(seed)
    words = made_up_words(size.vocabulary - len(_SPECIAL))
    _write_host(folder / "host", size, words, seed)
    lengths = draw_lengths(texts, source_length, rng)[:, 0]
    lines = (f"{' '.join(rng.choice(words, n))}\t{rng.choice(_LABELS)}\n" for n in lengths)
    corpus = folder / "corpus.tsv"
    corpus.write_text("".join(lines), encoding="utf-8")
    return str(folder / "host"), f"tsv:{corpus}"


def _write_host(folder: Path, size: Size, words: list[str], seed: int) -> None:
    config = BertConfig(
        vocab_size=size.vocabulary,
        hidden_size=size.d_model,
        num_hidden_layers=size.layers,
        num_attention_heads=size.heads,
        intermediate_size=size.ffn,
        max_position_embeddings=LONGEST + 2,  # the special tokens stand beside the longest text
        initializer_range=size.d_model**-0.5,
        pad_token_id=0,
        id2label=dict(enumerate(_LABELS)),
        label2id={label: number for number, label in enumerate(_LABELS)},
    )
    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(seed)
        model = BertForSequenceClassification(config)
    with without_progress_bars():
        model.save_pretrained(folder)
    _tokenizer(words).save_pretrained(folder)


def _tokenizer(words: list[str]) -> PreTrainedTokenizerFast:
    vocabulary = {word: number for number, word in enumerate([*_SPECIAL, *words])}
    tokenizer = Tokenizer(WordLevel(vocabulary, unk_token=_UNK))
    tokenizer.pre_tokenizer = WhitespaceSplit()
    tokenizer.post_processor = TemplateProcessing(
        single=f"{_CLS} $A {_SEP}",
        special_tokens=[(token, vocabulary[token]) for token in (_CLS, _SEP)],
    )
    return PreTrainedTokenizerFast(  # type: ignore[no-untyped-call]
        tokenizer_object=tokenizer,
        pad_token=_PAD,
        cls_token=_CLS,
        sep_token=_SEP,
        unk_token=_UNK,
        clean_up_tokenization_spaces=False,
    )
