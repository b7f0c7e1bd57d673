"""Per layer: what a family does for lanes, done for each layer of each lane."""

from __future__ import annotations

from typing import Any

import gymnasium
import pytest
import torch
from gymnasium.spaces import Box, Discrete, MultiBinary, MultiDiscrete, Text

from rlattn.actions import make_family
from rlattn.actions.gate import Gate
from rlattn.actions.per_layer import PerLayer
from rlattn.actions.position import Position
from rlattn.errors import InputError
from rlattn.hosts import Seq2SeqHost
from rlattn.steering import steer
from tests.hosts.tiny import tiny_host

LAYERS, SOURCE = 3, 4
MASK = torch.arange(SOURCE) < torch.tensor([[4], [2]])
EVERY_INSIDE = pytest.mark.parametrize(
    "inside", ["bias", "gate", "mix", "position", "sharpness", "simplex", "topk:2", "window"]
)


@EVERY_INSIDE
def test_densities_entropies_and_modes_are_those_of_the_layers(inside: str) -> None:
    family, each = make_family(f"per-layer:3:{inside}"), make_family(inside)
    numbers = len(each.initial)
    assert len(family.initial) == LAYERS * numbers
    parameters = torch.randn(2, SOURCE, LAYERS * numbers)
    ours = family.distribution(parameters, MASK)
    action = ours.sample()
    size = each.size(SOURCE)
    log_prob, entropy = torch.zeros(2), torch.zeros(2)
    for layer in range(LAYERS):
        own = parameters[..., layer * numbers : (layer + 1) * numbers]
        theirs = each.distribution(own, MASK)
        part = slice(layer * size, (layer + 1) * size)
        log_prob += theirs.log_prob(action[:, part])
        entropy += theirs.entropy()
        assert torch.allclose(ours.mode()[:, part], theirs.mode())
    assert torch.allclose(ours.log_prob(action), log_prob, atol=1e-5)
    if "topk" not in inside:  # whose entropy is estimated from a draw
        assert torch.allclose(ours.entropy(), entropy, atol=1e-5)


@EVERY_INSIDE
def test_each_layer_gets_the_allocation_of_its_action(inside: str) -> None:
    family, each = make_family(f"per-layer:3:{inside}"), make_family(inside)
    parameters = torch.randn(2, SOURCE, len(family.initial))
    action = family.distribution(parameters, MASK).sample()
    allocation, opened = family.allocation(action, MASK), torch.zeros_like(MASK)
    assert allocation.mode == each.mode == family.mode
    for layer, part in enumerate(action.chunk(LAYERS, dim=1)):
        own = each.allocation(part, MASK)
        assert torch.equal(allocation.for_layer(layer), own.for_layer(layer))
        if own.weight is not None:
            assert torch.equal(allocation.weight_for_layer(layer), own.weight_for_layer(layer))
        opened |= each.opened(part, MASK)
    assert torch.equal(family.opened(action, MASK), opened)
    assert torch.equal(family.reads(action, MASK), opened.sum(-1).float())


@EVERY_INSIDE
def test_layers_that_do_the_same_are_one_family(host: Seq2SeqHost, inside: str) -> None:
    each = make_family(inside)
    family = make_family(f"per-layer:{inside}").fit(host)
    action = each.distribution(torch.randn(2, SOURCE, len(each.initial)), MASK).sample()
    batch = {"input_ids": torch.full((2, SOURCE), 5), "attention_mask": MASK.long()}
    logits = []
    for one, taken in ((each, action), (family, action.repeat(1, 2))):
        with torch.no_grad(), steer(host.model, one.allocation(taken, MASK)):
            logits.append(host.model(**batch, decoder_input_ids=torch.tensor([[0], [0]])).logits)
    assert torch.allclose(*logits, atol=1e-5)


@pytest.mark.parametrize(
    ("inside", "space"),
    [
        ("gate", MultiBinary(12)),
        ("bias", Box(-1, 1, (12,))),
        ("mix", Box(-1, 1, (15,))),
        ("window", Box(-1, 1, (6,))),
        ("position", MultiDiscrete([4, 4, 4])),
        ("topk:2", MultiDiscrete([4] * 6)),
    ],
)
def test_the_space_is_that_of_one_layer_repeated(inside: str, space: gymnasium.Space[Any]) -> None:
    assert make_family(f"per-layer:3:{inside}").space(SOURCE) == space


def test_a_space_that_cannot_be_repeated_is_refused() -> None:
    class Odd(Position):
        def space(self, source: int) -> gymnasium.Space[Any]:
            return Text(source)

    with pytest.raises(InputError, match="cannot repeat a Text for each layer"):
        PerLayer(Odd(), 2).space(SOURCE)
    assert isinstance(PerLayer(Position(), 1).space(SOURCE), MultiDiscrete)
    assert isinstance(Position().space(SOURCE), Discrete)


def test_the_host_says_how_many_layers_there_are() -> None:
    family = make_family("per-layer:gate")
    assert family.spec == "per-layer:gate"
    with pytest.raises(InputError, match=r"depends on the host: use fit\(host\)"):
        family.space(SOURCE)
    for layers in (1, 3):
        fitted = family.fit(tiny_host(decoder_layers=layers))
        assert fitted.spec == f"per-layer:{layers}:gate"
        assert fitted.space(SOURCE).n == layers * SOURCE


def test_another_hosts_layers_are_refused(host: Seq2SeqHost) -> None:
    assert make_family("per-layer:2:gate").fit(host).spec == "per-layer:2:gate"
    with pytest.raises(InputError, match="host tiny-Marian has 2 cross-attention layers"):
        make_family("per-layer:3:gate").fit(host)


def test_what_decides_how_much_is_read_still_does() -> None:
    assert PerLayer(Gate(), 2).chooses_reads
    assert not PerLayer(Position(), 2).chooses_reads


@pytest.mark.parametrize(
    ("spec", "reason"),
    [
        ("per-layer", "expected a family"),
        ("per-layer:", "expected a family"),
        ("per-layer:2", "expected a family"),
        ("per-layer:2:", "expected a family"),
        ("per-layer:0:gate", "at least one layer"),
        ("per-layer:1001:gate", "at most 1,000 layers"),
        ("per-layer:1000000000:gate", "at most 5 digits"),
        ("per-layer:stare", "unknown action 'stare'"),
        ("per-layer:per-layer:gate", "no layers yet"),
        ("per-layer:2:window:3", "takes nothing"),
    ],
)
def test_what_is_no_family_of_layers_is_refused(spec: str, reason: str) -> None:
    with pytest.raises(InputError, match=reason):
        make_family(spec)
