"""The verdict on a trained policy: test scores, pictures and samples."""

from __future__ import annotations

from collections.abc import Sequence
from functools import partial
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from rlattn.agents.rules import TopK, translate_by_rule
from rlattn.corpora import Pair
from rlattn.drawing import any_glyph
from rlattn.experiments.outputs import save_figure
from rlattn.experiments.samples import Sample, write_samples
from rlattn.experiments.statistics import Bootstrap, corpus_scores
from rlattn.experiments.table import MethodResult, print_table
from rlattn.hosts import Seq2SeqHost
from rlattn.inference import Alignment, TrainedPolicy, Translations, translate
from rlattn.plots import attention_map

_PICTURES, _SAMPLES = 3, 20
_SHORT, _LONG = 8, 14
"""Source lengths, in tokens, whose attention fits into a picture."""


def judge(
    host: Seq2SeqHost,
    pairs: Sequence[Pair],
    policy: TrainedPolicy,
    out: Path,
    console: Console,
    *,
    max_source: int,
    max_target: int,
    seed: int,
) -> dict[str, Any]:
    """Compares a policy with native attention, and with the native top k at the same reads.

    Writes ``attention.png`` and ``samples.md``, and prints the table.

    Args:
        host: The frozen translator.
        pairs: The test sentences.
        policy: What was learned.
        out: The run's folder.
        console: Where to print.
        max_source: Longer sources are cut, in tokens.
        max_target: The most tokens to write.
        seed: Seed of the bootstrap.

    Returns:
        What goes into ``results.json``.
    """
    sources, references = [p.source for p in pairs], [p.target for p in pairs]
    write = partial(translate, host, sources, max_source=max_source, max_target=max_target)
    outputs: dict[str, Translations] = {}
    with console.status("translating the test sentences natively"):
        outputs["native"] = write()
    with console.status("translating the test sentences under the policy"):
        outputs["policy"] = write(policy)
    reads = float(np.mean(outputs["policy"].reads_fraction))
    with console.status("translating the test sentences with the native top k"):
        outputs["topk"] = translate_by_rule(
            host, sources, TopK(reads), max_source=max_source, max_target=max_target
        )
    bootstrap = Bootstrap(references, seed=seed)
    baseline = outputs["native"].texts
    rows = [
        MethodResult(
            name,
            bootstrap.bleu(output.texts),
            bootstrap.chrf(output.texts),
            bootstrap.mean(output.reads_fraction),
            None if name == "native" else bootstrap.p_value(output.texts, baseline),
        )
        for name, output in outputs.items()
    ]
    scores = corpus_scores(baseline, references)
    signatures = {"bleu": scores.bleu_signature, "chrf": scores.chrf_signature}
    write_samples(
        out / "samples.md",
        [
            Sample(
                pair.source,
                pair.target,
                baseline[i],
                outputs["policy"].texts[i],
                outputs["policy"].reads_fraction[i],
            )
            for i, pair in enumerate(pairs[:_SAMPLES])
        ],
    )
    examples = attention_examples(
        host, sources, policy, max_source=max_source, max_target=max_target
    )
    if examples["policy"]:
        with any_glyph():
            save_figure(out / "attention.png", attention_map(examples))
    print_table(console, rows, list(signatures.values()))
    return {
        **{row.method: row.to_json() for row in rows},
        "p_value": rows[1].p_value,
        "p_value_topk": bootstrap.p_value(outputs["policy"].texts, outputs["topk"].texts),
        "signatures": signatures,
        "test_sentences": len(pairs),
        "truncated_test_sentences": outputs["native"].truncated,
    }


def attention_examples(
    host: Seq2SeqHost,
    sentences: Sequence[str],
    policy: TrainedPolicy,
    *,
    max_source: int,
    max_target: int,
) -> dict[str, list[Alignment]]:
    """Native and learned attention on the first few sentences of a length that fits a picture."""
    ids = host.tokenize(sentences, max_source).ids
    fitting = [
        text for text, row in zip(sentences, ids, strict=True) if _SHORT <= len(row) <= _LONG
    ]
    shown = (fitting or sentences)[:_PICTURES]
    watch = partial(
        translate, host, shown, max_source=max_source, max_target=max_target, trace=True
    )
    return {"native": watch().alignments, "policy": watch(policy).alignments}
