"""What the indexer keeps becomes what native attention likes best."""

from __future__ import annotations

from functools import partial

import numpy as np
import pytest
import torch

from rlattn.agents import IndexerSettings, Meter, Validator, learn_indexer
from rlattn.inference import TrainedPolicy, translate
from rlattn.policy import AttentionPolicy, PolicyConfig
from tests.learning.local_host import POSITIONS, local_host
from tests.learning.tasks import TASKS

LIMITS = {"max_source": POSITIONS, "max_target": POSITIONS}


@pytest.mark.slow
@pytest.mark.parametrize("warm_up", [0.3, 0.0])
def test_its_top_position_is_that_of_native_attention(warm_up: float) -> None:
    task = TASKS["copy"]
    host = local_host(task.aligned)
    torch.manual_seed(0)
    policy = AttentionPolicy(PolicyConfig("topk:1", host.d_model, host.d_state))
    write = partial(translate, host, **LIMITS)
    validator = Validator(task.pairs(2, seed=3), Meter(host), native_bleu=100.0, translate=write)
    steps, settings = 8_000, IndexerSettings(warm_up=warm_up)
    budget = {"steps": steps, "every": steps, "lanes": 16, "progress": False, **LIMITS}
    learn_indexer(host, task.pairs(1000, seed=1), policy, settings, validator=validator, **budget)
    sources = [pair.source for pair in task.pairs(100, seed=2)]
    trained = TrainedPolicy(policy, host.name, host.fingerprint)
    kept, native = (write(sources, given, trace=True) for given in (trained, None))
    same = [
        ours.opened.argmax(-1) == theirs.attention.argmax(-1)
        for ours, theirs in zip(kept.alignments, native.alignments, strict=True)
        if ours.opened.shape == theirs.opened.shape
    ]
    assert len(same) > 90
    assert np.mean(np.concatenate(same)) > 0.95
