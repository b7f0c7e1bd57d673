"""What a comparison is about: a kind of host, and all that is done in another way for it."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from rlattn.corpora import Pair, ParallelCorpus
from rlattn.experiments.compare.judge import Judge
from rlattn.experiments.compare.method import Method, Methods
from rlattn.experiments.compare.scene import Found, Scene
from rlattn.experiments.compare.spaces import Space


@dataclass(frozen=True)
class Problem:
    """What is done in another way where a host translates, and where it labels.

    Attributes:
        methods: Every method there is.
        find: Corpus and host of what the program was asked for.
        test: Has a method read the test sentences once; what it gives is the run's ``test.json``.
        judge: Scores that, and says what tables hold.
        spaces: Settings of learners to try, by their methods' names.
        tuned: The settings that learners have by default, or None for their own.
    """

    methods: Methods
    find: Callable[[Any], tuple[ParallelCorpus, Any]]
    test: Callable[[Scene[Any], Method, Found, Sequence[Pair]], dict[str, Any]]
    judge: Judge[Any, Any]
    spaces: Mapping[str, Space]
    tuned: Path | None = None
