"""Tasks with a known optimum: what to write, and where to look for it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np

from rlattn.corpora import Pair
from tests.learning.local_host import LETTERS, POSITIONS


@dataclass(frozen=True)
class Task:
    """What to do with strings of letters, and which source position each step is about.

    No letter comes twice in a string: no other position holds what the aligned one does.
    """

    lengths: Sequence[int]
    write: Callable[[list[str]], list[str]]
    aligned: Sequence[int]

    def pairs(self, count: int, seed: int) -> list[Pair]:
        rng = np.random.default_rng(seed)
        strings = [
            rng.permutation(list(LETTERS))[: rng.choice(self.lengths)].tolist()
            for _ in range(count)
        ]
        return [Pair(" ".join(string), " ".join(self.write(string))) for string in strings]


TASKS = {
    "copy": Task(range(4, 11), lambda string: string, range(POSITIONS)),
    # A memory that is position-local does not tell where its source ends: one length for all.
    "reversal": Task([8], lambda string: string[::-1], [7, 6, 5, 4, 3, 2, 1, 0, 8]),
}
