"""One vector for all steps finds the letters that alone are asked for."""

from __future__ import annotations

import numpy as np
import torch

from rlattn.agents import Meter, Validator, WeightsSettings, WeightVector, learn_weights
from rlattn.agents.weight_vector import weighed
from rlattn.corpora import Pair
from tests.learning.local_host import EOS, LETTERS, POSITIONS, VOCABULARY, local_host

VOWELS = [letter for letter in LETTERS if letter in "aei"]


def strings(count: int, seed: int) -> list[Pair]:
    """Strings with a vowel somewhere, which is all that is to be written."""
    rng, others = np.random.default_rng(seed), sorted(set(LETTERS) - set(VOWELS))
    pairs = []
    for _ in range(count):
        vowel = str(rng.choice(VOWELS))
        string = rng.permutation([vowel, *rng.permutation(others)[:6]])
        pairs.append(Pair(" ".join(string), vowel))
    return pairs


def test_what_the_targets_hold_is_what_is_looked_at() -> None:
    host, limits = local_host(None), {"max_source": POSITIONS, "max_target": POSITIONS}
    validator = Validator[WeightVector](
        strings(2, seed=3),
        Meter(host),
        native_bleu=100.0,
        translate=lambda texts, vector: vector(texts),
    )
    budget = {"steps": 4_000, "every": 4_000, "lanes": 16, "progress": False, **limits}
    settings = WeightsSettings(learning_rate=0.1)
    learned = learn_weights(host, strings(500, seed=1), settings, validator=validator, **budget)
    ids = host.tokenize([pair.source for pair in strings(50, seed=2)], POSITIONS).ids
    shares = weighed(host.encode(ids), learned.vector).values
    asked = torch.tensor([VOCABULARY.index(token) for token in (*VOWELS, EOS)])
    found = torch.isin(torch.tensor(ids), asked)
    assert found.sum(-1).tolist() == [2] * 50
    assert (shares * found).sum(-1).min() > 0.9
