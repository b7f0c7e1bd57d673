"""Random policies that act strongly, and what they are tried on."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import nn

from rlattn.actions import make_family
from rlattn.hosts import Seq2SeqHost
from rlattn.hosts.classifier import ClassifierHost
from rlattn.inference import TrainedPolicy
from rlattn.policy import AttentionPolicy, PolicyConfig
from rlattn.reading import Reading
from tests.hosts.tiny import sentences

# A window of a network that has not learned opens nearly everything.
ACTIONS = ["gate", "bias", "mix", "position", "sharpness", "simplex", "topk:2"]
# Some of the words end a sentence.
SENTENCES = f"gate:sentence:{','.join(map(str, range(3, 63, 5)))}"
TIED = ["gate:2", SENTENCES]
LAYERED = ["per-layer:2:gate", "per-layer:2:mix", f"per-layer:2:{SENTENCES}"]
EVERY_ACTION = pytest.mark.parametrize("action", [*ACTIONS, *TIED, *LAYERED])
TEXTS = sorted(set(sentences(60)))[:50]


def strong(host: Seq2SeqHost, action: str = "gate", seed: int = 0) -> TrainedPolicy:
    """A random policy that acts strongly: gates about half open, biases of either sign."""
    torch.manual_seed(seed)
    spec = make_family(action).fit(host).spec
    network = AttentionPolicy(PolicyConfig(spec, host.d_model, host.d_state, width=16))
    return TrainedPolicy(_strong(network, 0.4), host.name, host.fingerprint)


def strong_reader(host: ClassifierHost[Any], reading: Reading, seed: int = 0) -> TrainedPolicy:
    """The same for a classifier: some gates open at once, some later, and some never."""
    torch.manual_seed(seed)
    network = AttentionPolicy(
        PolicyConfig("gate", host.d_model, reading.d_state(len(host.labels)), width=16)
    )
    return TrainedPolicy(_strong(network, 0.5), host.name, host.fingerprint, reading=reading)


def _strong(network: AttentionPolicy, std: float) -> AttentionPolicy:
    for layer in network.modules():
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=std)
    nn.init.zeros_(network.score.bias)
    return network


def hooks(host: Seq2SeqHost) -> int:
    return sum(
        len(module._forward_hooks) + len(module._forward_pre_hooks)
        for module in host.model.modules()
    )
