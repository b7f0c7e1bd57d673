"""How well a host translates on its own."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple

import torch
from sacrebleu import BLEU, CHRF
from transformers import PreTrainedModel, PreTrainedTokenizerBase

from rlattn.corpora import Pair


class Quality(NamedTuple):
    """Corpus scores of greedy translations, in percent.

    Attributes:
        bleu: BLEU (Papineni et al., 2002) as sacreBLEU computes it by default.
        chrf: chrF (Popović, 2015) as sacreBLEU computes it by default.
        signature: sacreBLEU's description of the BLEU settings.
    """

    bleu: float
    chrf: float
    signature: str


@torch.inference_mode()
def greedy_quality(
    model: PreTrainedModel,
    tokenizer: PreTrainedTokenizerBase,
    pairs: Sequence[Pair],
    lanes: int = 128,
) -> Quality:
    """Scores a model's greedy translations.

    Args:
        model: An encoder-decoder in evaluation mode.
        tokenizer: Its tokenizer.
        pairs: Sources to translate, and their references.
        lanes: How many sentences to translate at once.

    Returns:
        The scores over all pairs.
    """
    ordered = sorted(pairs, key=lambda pair: len(pair.source))
    written: list[str] = []
    for start in range(0, len(ordered), lanes):
        texts = [pair.source for pair in ordered[start : start + lanes]]
        inputs = tokenizer(texts, return_tensors="pt", padding=True, truncation=True)
        # A translation that runs away is cut: none is much longer than its source.
        most = min(2 * inputs.input_ids.shape[1] + 10, tokenizer.model_max_length - 1)
        ids = model.generate(  # type: ignore[operator]
            **inputs.to(model.device), num_beams=1, do_sample=False, max_new_tokens=most
        )
        written += tokenizer.batch_decode(ids, skip_special_tokens=True)
    references = [[pair.target for pair in ordered]]
    bleu = BLEU()
    return Quality(
        bleu=bleu.corpus_score(written, references).score,
        chrf=CHRF().corpus_score(written, references).score,
        signature=str(bleu.get_signature()),
    )
