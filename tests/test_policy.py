"""One network serves every source length, each lane on its own."""

from __future__ import annotations

from dataclasses import replace

import pytest
import torch
from torch import nn

from rlattn.errors import InputError
from rlattn.observation import Observation
from rlattn.policy import AttentionPolicy, PolicyConfig
from tests.actions.specs import SPECS, about_the_source, tokens_of

MODEL, STATE = 6, 8
EVERY_FAMILY = pytest.mark.parametrize("action", SPECS)


def policy(action: str) -> AttentionPolicy:
    """A network with wide random weights, whose outputs depend on all it sees."""
    network = AttentionPolicy(PolicyConfig(action, MODEL, STATE, width=16))
    for layer in network.modules():
        if isinstance(layer, nn.Linear):
            nn.init.normal_(layer.weight, std=0.5)
    return network


def observation(lengths: list[int], padding: int = 0) -> Observation:
    """A random observation of sources of the given lengths."""
    width = max(lengths) + padding
    mask = torch.arange(width) < torch.tensor(lengths)[:, None]
    return Observation(
        memory=torch.randn(sum(lengths), MODEL).half(),
        mask=mask,
        state=torch.randn(len(lengths), STATE),
        token=torch.randn(len(lengths), STATE),
        attention=torch.rand(mask.shape).masked_fill(~mask, 0.0),
        coverage=3 * torch.rand(mask.shape).masked_fill(~mask, 0.0),
        source=tokens_of(mask),
    )


def widen(seen: Observation, padding: int) -> Observation:
    """The same with more padding."""
    mask, attention, coverage = (
        nn.functional.pad(t, (0, padding)) for t in (seen.mask, seen.attention, seen.coverage)
    )
    source = tokens_of(mask)
    return Observation(seen.memory, mask, seen.state, seen.token, attention, coverage, source)


def lane(seen: Observation, index: int) -> Observation:
    """One lane of an observation, without padding."""
    lengths = seen.mask.sum(-1).tolist()
    here, length = slice(index, index + 1), lengths[index]
    start = sum(lengths[:index])
    return Observation(
        seen.memory[start : start + length],
        seen.mask[here, :length],
        seen.state[here],
        seen.token[here],
        seen.attention[here, :length],
        seen.coverage[here, :length],
        seen.source[here, :length],
    )


@EVERY_FAMILY
def test_padding_changes_nothing(action: str) -> None:
    network, seen = policy(action), observation([5, 2, 9])
    distribution, value = network(seen)
    wider, same = network(widen(seen, 7))
    taken = distribution.sample()
    mine = about_the_source(network.family, [5, 2, 9], 16)
    widened = network.family.widen(taken, 16).where(mine, 1.0)
    assert torch.allclose(value, same, atol=1e-5)
    ours, theirs = distribution.log_prob(taken), wider.log_prob(widened)
    assert torch.allclose(ours, theirs, rtol=1e-4, atol=1e-5)
    if "topk" not in action:  # whose entropy is estimated from a draw
        assert torch.allclose(distribution.entropy(), wider.entropy(), rtol=1e-4, atol=1e-5)


@EVERY_FAMILY
def test_lanes_may_share_rows_of_memory(action: str) -> None:
    network, seen = policy(action), observation([5, 2, 5], padding=1)
    rows = torch.tensor([3, 0, 1, 2, 4, 4, 4, 3, 0, 1, 2, 4])
    shared = replace(seen, memory=seen.memory[:5], rows=rows)
    spelled_out = replace(seen, memory=seen.memory[:5][rows])
    taken = network(spelled_out)[0].sample().detach()
    grads = []
    for given in (shared, spelled_out):
        distribution, value = network(given)
        network.zero_grad()
        (distribution.log_prob(taken) + value).sum().backward()
        grads.append([value, *(weight.grad.clone() for weight in network.parameters())])
    for ours, theirs in zip(*grads, strict=True):
        assert torch.allclose(ours, theirs, rtol=1e-4, atol=1e-4)


@EVERY_FAMILY
def test_a_lane_does_not_see_its_neighbours(action: str) -> None:
    network, seen = policy(action), observation([5, 2, 9], padding=2)
    distribution, value = network(seen)
    for index, length in enumerate([5, 2, 9]):
        alone, own = network(lane(seen, index))
        assert torch.allclose(own[0], value[index], atol=1e-5)
        mode = distribution.mode()[index, None]
        assert torch.allclose(alone.mode(), network.family.narrow(mode, length), atol=1e-5)
        assert not mode[~about_the_source(network.family, [length], 11)].any()


@EVERY_FAMILY
@pytest.mark.parametrize("name", ["memory", "state", "token", "attention", "coverage"])
def test_everything_that_is_seen_matters(action: str, name: str) -> None:
    network, seen, other = policy(action), observation([6, 6]), observation([6, 6])
    changed = Observation(**{**vars(seen), name: getattr(other, name)})
    here, there = network(seen), network(changed)
    assert not torch.allclose(here[1], there[1], atol=1e-3)
    assert not torch.allclose(here[0].entropy(), there[0].entropy(), atol=1e-3) or not torch.equal(
        here[0].mode(), there[0].mode()
    )


@EVERY_FAMILY
@pytest.mark.parametrize("length", [1, 2, 300])
def test_any_source_length_goes(action: str, length: int) -> None:
    network, seen = policy(action), observation([length])
    taken = network.act(seen)
    shape = network.family.space(length).shape or (1,)
    assert taken.shape == (1, *shape)
    assert network.family.on(seen.before).allocation(taken, seen.mask).values.isfinite().all()


@EVERY_FAMILY
def test_acting_is_greedy_unless_told_otherwise(action: str) -> None:
    network, seen = policy(action), observation([30, 7])
    assert torch.equal(network.act(seen), network.act(seen))
    assert torch.equal(network.act(seen), network(seen)[0].mode())
    drawn = [network.act(seen, deterministic=False) for _ in range(5)]
    assert any(not torch.equal(drawn[0], other) for other in drawn[1:])


@EVERY_FAMILY
def test_keys_that_are_known_already_are_not_made_again(action: str) -> None:
    network, seen = policy(action), observation([3, 5])
    keys = network.keys(seen)
    unread = replace(seen, memory=torch.full_like(seen.memory, torch.nan))
    assert torch.equal(network.act(unread, keys=keys), network.act(seen))


def test_segments_of_one_position_are_positions() -> None:
    seen = observation([5, 2, 9])
    alone, tied = policy("gate"), policy("gate:1")
    tied.load_state_dict(alone.state_dict())
    (ours, value), (theirs, same) = alone(seen), tied(seen)
    taken = ours.sample()
    assert torch.allclose(value, same, atol=1e-5)
    assert torch.allclose(ours.log_prob(taken), theirs.log_prob(taken), atol=1e-5)


def test_a_segment_is_the_mean_of_what_it_holds_and_the_sum_of_what_was_looked_at() -> None:
    network, seen = policy("gate:3"), observation([6])
    within = torch.tensor([2, 0, 1, 5, 4, 3])  # other places in the same segments
    moved = replace(
        seen,
        memory=seen.memory[within],
        attention=seen.attention[:, within],
        coverage=seen.coverage[:, within],
    )
    (ours, value), (theirs, same) = network(seen), network(moved)
    taken = ours.sample()
    assert torch.allclose(value, same, atol=1e-4)
    assert torch.allclose(ours.log_prob(taken), theirs.log_prob(taken), atol=1e-4)


@EVERY_FAMILY
def test_learning_reaches_every_weight(action: str) -> None:
    network, seen = policy(action), observation([5, 2, 9])
    distribution, value = network(seen)
    taken = distribution.sample().detach()
    (distribution.log_prob(taken).sum() + distribution.entropy().sum() + value.sum()).backward()
    for name, weight in network.named_parameters():
        assert weight.grad is not None, name
        assert weight.grad.abs().sum() > 0, name


def test_before_learning_gates_are_open_and_biases_near_zero() -> None:
    seen = observation([20, 4])
    gates = AttentionPolicy(PolicyConfig("gate", MODEL, STATE)).act(seen)
    assert torch.equal(gates.bool(), seen.mask)
    bias = AttentionPolicy(PolicyConfig("bias", MODEL, STATE)).act(seen)
    assert bias.abs().max() < 0.5


def test_an_unknown_family_is_refused() -> None:
    with pytest.raises(InputError, match="unknown action 'stare'"):
        AttentionPolicy(PolicyConfig("stare", MODEL, STATE))
