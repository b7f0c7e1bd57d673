"""Short trainings on a tiny host, and what watches them."""

from __future__ import annotations

from collections.abc import Callable
from functools import partial
from typing import Any

import torch

from rlattn.actions import make_family
from rlattn.agents import Meter, Validator
from rlattn.hosts import Seq2SeqHost
from rlattn.inference import translate
from rlattn.policy import AttentionPolicy, PolicyConfig
from tests.hosts.tiny import SOURCE, TARGET, pairs

LIMITS = {"max_source": SOURCE, "max_target": TARGET}
STEPS, EVERY, LANES = 150, 60, 4
BUDGET: dict[str, Any] = {
    "steps": STEPS,
    "every": EVERY,
    "lanes": LANES,
    "progress": False,
    **LIMITS,
}


def learned(
    learn: Callable[..., None], host: Seq2SeqHost, action: str, settings: Any = None
) -> tuple[AttentionPolicy, Validator]:
    """A policy that has learned, and what watched it."""
    torch.manual_seed(0)
    spec = make_family(action).fit(host).spec
    policy = AttentionPolicy(PolicyConfig(spec, host.d_model, host.d_state, width=16))
    validator = Validator(
        pairs(5, seed=1), Meter(host), native_bleu=1.0, translate=partial(translate, host, **LIMITS)
    )
    learn(host, pairs(40), policy, settings, validator=validator, **BUDGET)
    return policy, validator
