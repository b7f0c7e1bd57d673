"""A task in files, whose native translations are mostly right, so that scores mean something."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from rlattn.corpora import Pair
from rlattn.experiments.translation import Config
from rlattn.hosts import Seq2SeqHost
from rlattn.inference import translate
from tests.hosts.tiny import SOURCE, TARGET, WORDS, save, sentences

LIMITS = {"max_source": SOURCE, "max_target": TARGET}


def taught(host: Seq2SeqHost, count: int = 400) -> list[Pair]:
    """Sentences with what the host makes of them; every third has another word in its middle."""
    sources = sorted(set(sentences(count)))
    pairs = []
    for number, text in enumerate(translate(host, sources, **LIMITS).texts):
        words = text.split()
        if words and number % 3 == 0:
            words[len(words) // 2] = WORDS[number % len(WORDS)]
        if words:
            pairs.append(Pair(sources[number], " ".join(words)))
    return pairs


def write_task(host: Seq2SeqHost, folder: Path) -> dict[str, Any]:
    """Puts host and corpus into a folder; returns what a `Config` is to say of them."""
    folder.mkdir(parents=True, exist_ok=True)
    lines = ("\t".join(pair) for pair in taught(host))
    (folder / "corpus.tsv").write_text("\n".join(lines) + "\n", encoding="utf-8")
    return {
        "corpus": f"tsv:{folder / 'corpus.tsv'}",
        "host": str(save(host, folder / "host")),
        **LIMITS,
    }


def short(task: dict[str, Any], **changes: Any) -> Config:
    """A run of a few seconds, with which a gate learns to shut most positions."""
    settings = {
        "steps": 512,
        "lanes": 4,
        "valid_sentences": 6,
        "validations": 2,
        "learning_rate": 0.3,
        "reward": ("fidelity=0.1", "reads=-4"),
    }
    return Config(**{**task, **settings, **changes})
