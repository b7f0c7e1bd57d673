"""The verdict on a policy that reads for a classifier: test scores, rationales and pictures."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
from rich.console import Console

from rlattn.agents.rules.counts import counts_for
from rlattn.corpora import Pair
from rlattn.experiments.label_report import label_report
from rlattn.experiments.label_scores import LabelBootstrap
from rlattn.experiments.label_table import (
    ExplanationResult,
    LabelResult,
    print_explanations,
    print_labels,
)
from rlattn.explanation import (
    Rationale,
    attention_scores,
    faithfulness_by_name,
    gradient_scores,
    random_scores,
    top,
)
from rlattn.hosts.classifier import ClassifierHost
from rlattn.hosts.seq2seq import Tokenized
from rlattn.inference import Readings, TrainedPolicy
from rlattn.inference.classification import classify_parts, classify_texts
from rlattn.plots import rationales_page
from rlattn.storage.files import write_file

PAGE, REPORT = "rationales.html", "report.txt"


def judge_labels(
    host: ClassifierHost[Any],
    pairs: Sequence[Pair],
    policy: TrainedPolicy,
    out: Path,
    console: Console,
    *,
    max_source: int,
    seed: int,
) -> dict[str, Any]:
    """Compares a policy with native attention, and with others that read as much.

    Those are the native top k and tokens that are drawn. Where the policy leaves tokens unread,
    what it read is judged as a rationale, beside others of the same size. Writes ``report.txt`` and
    ``rationales.html``, and prints the tables.

    Args:
        host: The frozen classifier.
        pairs: The test texts and their labels.
        policy: What was learned.
        out: The run's folder.
        console: Where to print.
        max_source: Longer texts are cut, in tokens.
        seed: Seed of the bootstrap, and of what is drawn.

    Returns:
        What goes into ``results.json``.
    """
    texts, gold = [pair.source for pair in pairs], [pair.target for pair in pairs]
    with console.status("labelling the test texts natively"):
        native = classify_texts(host, texts, max_source=max_source)
    with console.status("labelling the test texts under the policy"):
        read = policy.classify(texts, host, max_source=max_source)
    sources = Tokenized(native.tokens, native.truncated)
    outputs = {"native": native, "policy": read}
    explanations: dict[str, ExplanationResult] = {}
    bootstrap = LabelBootstrap(gold, host.labels, seed=seed)
    if min(read.reads_fraction) < 1:
        with console.status("labelling the test texts from as much by other rules"):
            scores = {
                "topk": attention_scores(host, sources.ids),
                "random": random_scores(sources.ids, seed),
            }
            lengths = np.array([len(row) for row in sources.ids])
            counts = counts_for(lengths, float(np.mean(read.reads_fraction))).tolist()
            for name, ranking in scores.items():
                outputs[name] = classify_parts(host, sources, top(ranking, counts))
        with console.status("taking rationales out of the test texts"):
            sizes = [sum(step > 0 for step in opened) for opened in read.opened]
            rationales: dict[str, Sequence[Rationale]] = {
                "policy": read.opened,
                "native attention": top(scores["topk"], sizes),
                "gradient x input": top(gradient_scores(host, sources.ids), sizes),
                "random": top(scores["random"], sizes),
            }
            found = faithfulness_by_name(host, sources.ids, rationales)
            explanations = {
                name: ExplanationResult.of(name, drops, bootstrap) for name, drops in found.items()
            }
    rows = [LabelResult.of(name, output, native, bootstrap) for name, output in outputs.items()]
    print_labels(console, rows)
    if explanations:
        print_explanations(console, list(explanations.values()))
    _write(out, host, outputs, gold)
    return {
        **{row.method: row.to_json() for row in rows},
        "explanations": {name: row.to_json() for name, row in explanations.items()},
        "test_texts": len(pairs),
        "truncated_test_texts": native.truncated,
    }


def _write(
    out: Path, host: ClassifierHost[Any], outputs: Mapping[str, Readings], gold: Sequence[str]
) -> None:
    """Writes the report of every label and the page of rationales."""
    native, read = outputs["native"], outputs["policy"]
    parts = (f"{name}\n\n{label_report(gold, outputs[name])}" for name in ("native", "policy"))
    write_file(out / REPORT, "\n".join(parts))
    page = rationales_page(host, read, gold, native=native)
    write_file(out / PAGE, page)
