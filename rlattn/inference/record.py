"""What a policy's folder tells of its training, and of how good it is."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Training:
    """How a policy came about.

    Attributes:
        command: The command line of the process, as a shell takes it apart.
        seed: Seed of the training, if it had one.
        env_steps: Environment steps up to this policy.
        versions: Versions of packages by name.
        corpus: What it was trained on, where that has a name.
    """

    command: tuple[str, ...]
    seed: int | None
    env_steps: int
    versions: dict[str, str]
    corpus: str | None = None


@dataclass(frozen=True)
class Score:
    """How one method did on one split of the corpus.

    Attributes:
        split: ``validation`` or ``test``.
        method: ``native``, ``policy``, or a rule to compare with.
        sentences: How many.
        bleu: Corpus BLEU, 0 to 100.
        chrf: Corpus chrF, 0 to 100.
        reads_fraction: Mean fraction of the source that was open, 0 to 1.
        bleu_interval: The bounds of its 95 % interval; None where that was not measured.
        chrf_interval: Likewise.
        reads_fraction_interval: Likewise.
    """

    split: str
    method: str
    sentences: int
    bleu: float
    chrf: float
    reads_fraction: float
    bleu_interval: tuple[float, float] | None = None
    chrf_interval: tuple[float, float] | None = None
    reads_fraction_interval: tuple[float, float] | None = None


@dataclass(frozen=True)
class Scores:
    """What was measured of a policy.

    Attributes:
        rows: One for each method on each split.
        signatures: What makes a measure reproducible, by its name: sacreBLEU's signatures.
    """

    rows: tuple[Score, ...]
    signatures: dict[str, str]


@dataclass(frozen=True)
class LabelScore:
    """How one method labelled one split of the corpus.

    Attributes:
        split: ``validation`` or ``test``.
        method: ``native``, ``policy``, or a rule to compare with.
        texts: How many.
        accuracy: Texts that are labelled rightly, 0 to 100.
        macro_f1: Mean of the labels' F1, 0 to 100; None where that was not measured.
        reads_fraction: How much of a text was read, mean over texts, 0 to 1.
        accuracy_interval: The bounds of its 95 % interval; None where that was not measured.
        macro_f1_interval: Likewise.
        reads_fraction_interval: Likewise.
    """

    split: str
    method: str
    texts: int
    accuracy: float
    macro_f1: float | None
    reads_fraction: float
    accuracy_interval: tuple[float, float] | None = None
    macro_f1_interval: tuple[float, float] | None = None
    reads_fraction_interval: tuple[float, float] | None = None


@dataclass(frozen=True)
class LabelScores:
    """What was measured of a policy that reads for a classifier.

    Attributes:
        rows: One for each method on each split.
    """

    rows: tuple[LabelScore, ...]
