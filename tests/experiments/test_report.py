"""The verdict on a policy: three methods on the same sentences, pictures and samples."""

from __future__ import annotations

import io
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from rich.console import Console

from rlattn.experiments.report import attention_examples, judge
from rlattn.experiments.statistics import corpus_scores
from rlattn.hosts import Seq2SeqHost
from rlattn.inference import TrainedPolicy, translate
from tests.experiments.small import LIMITS, taught
from tests.hosts.tiny import generate
from tests.inference.policies import strong

PAIRS = 24
EVERY_ACTION = pytest.mark.parametrize("action", ["gate", "bias"])


def verdict(
    host: Seq2SeqHost, policy: TrainedPolicy, out: Path, **settings: Any
) -> tuple[dict[str, Any], str]:
    """Judges on a small test set; returns the results and what was printed."""
    console = Console(file=io.StringIO(), width=100)
    results = judge(
        host, taught(host)[:PAIRS], policy, out, console, **{**LIMITS, "seed": 0, **settings}
    )
    return results, console.file.getvalue()  # type: ignore[attr-defined]


@EVERY_ACTION
def test_every_method_is_scored_on_the_same_sentences(
    host: Seq2SeqHost, action: str, tmp_path: Path
) -> None:
    policy, pairs = strong(host, action), taught(host)[:PAIRS]
    results, printed = verdict(host, policy, tmp_path)
    sources, references = [p.source for p in pairs], [p.target for p in pairs]
    for name, steering in (("native", None), ("policy", policy)):
        output = translate(host, sources, steering, **LIMITS)
        scores = corpus_scores(output.texts, references)
        assert results[name]["bleu"] == pytest.approx(scores.bleu)
        assert results[name]["chrf"] == pytest.approx(scores.chrf)
        assert results[name]["reads_fraction"] == pytest.approx(np.mean(output.reads_fraction))
    assert results["signatures"] == {"bleu": scores.bleu_signature, "chrf": scores.chrf_signature}
    assert results["test_sentences"] == PAIRS
    assert results["truncated_test_sentences"] == 0
    assert {path.name for path in tmp_path.iterdir()} == {"attention.png", "samples.md"}
    assert all(name in printed for name in ("native", "policy", "topk", scores.bleu_signature))


def test_the_native_rule_reads_hardly_more_than_the_policy(
    host: Seq2SeqHost, tmp_path: Path
) -> None:
    results, _ = verdict(host, strong(host), tmp_path)
    policy, topk = (results[name]["reads_fraction"] for name in ("policy", "topk"))
    assert 0.2 < policy < 0.8
    assert policy <= topk + 1e-6
    assert topk < policy + 0.1


def test_a_policy_that_ruins_the_translation_differs_beyond_chance(
    host: Seq2SeqHost, tmp_path: Path
) -> None:
    results, _ = verdict(host, strong(host), tmp_path)
    assert results["policy"]["bleu"] < results["native"]["bleu"] - 10
    assert results["p_value"] < 0.01
    assert 0 < results["p_value_topk"] <= 1


def test_an_allocation_that_changes_nothing_is_no_difference(
    host: Seq2SeqHost, tmp_path: Path
) -> None:
    policy = strong(host)
    policy.policy.score.bias.fill_(1e6)  # everything is open
    results, _ = verdict(host, policy, tmp_path)
    keys = ("bleu", "chrf", "reads_fraction")
    for name in ("policy", "topk"):
        assert [results[name][key] for key in keys] == [results["native"][key] for key in keys]
    assert results["policy"]["reads_fraction"] == 1
    assert results["p_value"] == results["p_value_topk"] == 1


def test_sentences_that_are_cut_are_counted(host: Seq2SeqHost, tmp_path: Path) -> None:
    pairs = taught(host)[:PAIRS]
    results, _ = verdict(host, strong(host), tmp_path, max_source=5)
    longer = sum(len(pair.source.split()) + 1 > 5 for pair in pairs)
    assert results["truncated_test_sentences"] == longer


def test_samples_pair_what_was_written_with_its_sentence(host: Seq2SeqHost, tmp_path: Path) -> None:
    policy, pairs = strong(host), taught(host)[:PAIRS]
    verdict(host, policy, tmp_path)
    page = (tmp_path / "samples.md").read_text(encoding="utf-8")
    output = translate(host, [pair.source for pair in pairs], policy, **LIMITS)
    blocks = page.split("## ")[1:]
    assert len(blocks) == 20
    for block, pair, text, reads in zip(
        blocks, pairs, output.texts, output.reads_fraction, strict=False
    ):
        assert f"| source | {pair.source} |" in block
        assert f"| reference | {pair.target} |" in block
        assert f"| policy, {reads:.0%} reads | {text} |" in block


class TestAttentionExamples:
    WORDS = "ba de fi go hu ka le mi no"

    @pytest.fixture
    def texts(self) -> list[str]:
        words = self.WORDS.split()
        return [" ".join(words[:count]) for count in (1, 9, 3, 8, 7, 6)]

    @EVERY_ACTION
    def test_they_show_what_generate_writes(
        self, host: Seq2SeqHost, action: str, texts: list[str]
    ) -> None:
        policy = strong(host, action)
        examples = attention_examples(host, texts, policy, **LIMITS)
        for alignment in examples["native"]:
            (row,) = generate(host, [" ".join(alignment.source[:-1])])
            assert alignment.target == host.tokenizer.convert_ids_to_tokens(row)
        for alignment in examples["policy"]:
            with policy.steer(host.model):
                (row,) = generate(host, [" ".join(alignment.source[:-1])])
            assert alignment.target == host.tokenizer.convert_ids_to_tokens(row)

    def test_nothing_is_looked_at_where_a_gate_is_shut(
        self, host: Seq2SeqHost, texts: list[str]
    ) -> None:
        examples = attention_examples(host, texts, strong(host), **LIMITS)
        for alignment in examples["policy"]:
            assert (alignment.attention[~alignment.opened] == 0).all()
            assert alignment.opened.any(-1).all()
            assert not alignment.opened.all()
        assert all(alignment.opened.all() for alignment in examples["native"])

    def test_a_bias_shuts_nothing(self, host: Seq2SeqHost, texts: list[str]) -> None:
        examples = attention_examples(host, texts, strong(host, "bias"), **LIMITS)
        assert all(alignment.opened.all() for alignment in examples["policy"])

    def test_the_first_sentences_that_fit_are_shown(
        self, host: Seq2SeqHost, texts: list[str]
    ) -> None:
        for shown in attention_examples(host, texts, strong(host), **LIMITS).values():
            assert [len(alignment.source) for alignment in shown] == [10, 9, 8]

    def test_when_none_fits_others_are_shown(self, host: Seq2SeqHost) -> None:
        texts = ["ba", "ba de"]
        for shown in attention_examples(host, texts, strong(host), **LIMITS).values():
            assert [" ".join(alignment.source[:-1]) for alignment in shown] == texts

    def test_a_long_source_is_cut_as_it_was_translated(self, host: Seq2SeqHost) -> None:
        limits = {"max_source": 5, "max_target": 12}
        examples = attention_examples(host, [self.WORDS], strong(host), **limits)
        for (alignment,) in examples.values():
            assert alignment.source == [*self.WORDS.split()[:4], "</s>"]
