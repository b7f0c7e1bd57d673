"""What it means that a mode works in a model: three properties, each a function that asserts it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from typing import Any, NamedTuple, get_args

import torch
from torch import Tensor
from transformers import AttentionInterface, PreTrainedModel
from transformers.integrations.sdpa_attention import repeat_kv
from transformers.modeling_utils import ALL_ATTENTION_FUNCTIONS

from rlattn.steering import Allocation, Steering, SteeringMode, steer
from rlattn.steering.probe import anatomy
from rlattn.steering.registry import NAME
from tests.steering.readers import Reader
from tests.steering.subjects import Subject

MODES: tuple[SteeringMode, ...] = get_args(SteeringMode)


def leaves_native_alone(subject: Subject, mode: SteeringMode) -> None:
    """The allocation that is native in this mode gives the model's own logits and tokens."""
    reader, logits, bound = subject.reader, subject.logits, 2 * subject.rounding
    if mode == "replace":
        # Native weights hold for one query alone, so the target is its first token.
        reader = replace(reader, target=reader.target[:, :1])
        with watched(reader.model) as calls, steer(reader.model, None, record=True):
            logits = reader.logits()
        allocation = Allocation(mode, torch.stack([call.weights[:, :, 0] for call in calls], 1))
        with steer(reader.model, allocation):
            assert (reader.logits() - logits).abs().max() <= bound
        return
    with steer(reader.model, native_allocation(mode, reader.valid)):
        assert (reader.logits() - logits).abs().max() <= bound
        written = reader.tokens()
    if reader.model.dtype == torch.float32:
        assert torch.equal(written, subject.tokens)
    elif subject.writes_words:
        assert is_greedy(reader, written, 2 * bound)


def reads_what_is_open(subject: Subject, mode: SteeringMode) -> None:
    """An allocation to one position reads that alone; `scale`, near 0, reads all alike."""
    reader, bound = subject.reader, 2 * subject.rounding
    weights = one_position(reader.valid) if mode != "scale" else reader.valid.float()
    weights = weights / weights.sum(1, keepdim=True)
    with (
        watched(reader.model) as calls,
        steer(reader.model, sharp_allocation(mode, weights), record=True) as steering,
    ):
        logits = reader.logits()
    assert len(calls) == steering.layers_count
    for call in calls:
        expected = torch.einsum("ls,lhsd->lhd", weights, call.value.float())
        tolerance = torch.finfo(call.value.dtype).eps * call.value.abs().max()
        assert (call.output - expected[:, None]).abs().max() <= 2 * tolerance
    assert torch.allclose(steering.attention, weights[:, None].expand_as(steering.attention))
    with steer(reader.model, Allocation("replace", weights)):
        assert (reader.logits() - logits).abs().max() <= bound
    assert (subject.logits - logits).abs().max() > 2 * bound


def writes_what_it_says(subject: Subject, mode: SteeringMode) -> None:
    """What `generate()` writes under an allocation is the best by the steered logits."""
    reader = subject.reader
    with steer(reader.model, random_allocation(mode, reader.valid)):
        written = reader.tokens()
        if subject.writes_words:
            assert is_greedy(reader, written, 4 * subject.rounding)
        else:
            assert torch.equal(written, reader.tokens())


PROPERTIES: tuple[Callable[[Subject, SteeringMode], None], ...] = (
    leaves_native_alone,
    reads_what_is_open,
    writes_what_it_says,
)


def native_allocation(mode: SteeringMode, valid: Tensor) -> Allocation:
    """What leaves the attention as it is, in any mode but `replace`."""
    values = torch.full(valid.shape, 0.0 if mode == "bias" else 1.0)
    weight = torch.zeros(len(valid)) if mode == "mix" else None
    return Allocation(mode, values.bool() if mode == "gate" else values, weight)


def sharp_allocation(mode: SteeringMode, weights: Tensor) -> Allocation:
    """What gives each position its weight, where all weights above 0 are equal."""
    if mode == "gate":
        return Allocation("gate", weights > 0)
    if mode == "bias":
        return Allocation("bias", torch.where(weights > 0, 0.0, -1e4))
    if mode == "scale":
        return Allocation("scale", torch.full(weights.shape, 1e-9))
    return Allocation(mode, weights, torch.ones(len(weights)) if mode == "mix" else None)


def random_allocation(mode: SteeringMode, valid: Tensor) -> Allocation:
    """A strong allocation that leaves one valid position of every lane open."""
    draw = torch.Generator().manual_seed(1)
    noise = torch.randn(valid.shape, generator=draw)
    if mode == "gate":
        return Allocation("gate", (noise > 0.5) | one_position(valid).bool())
    if mode == "bias":
        return Allocation("bias", 3 * noise)
    weight = torch.rand(len(valid), generator=draw) if mode == "mix" else None
    return Allocation(mode, noise.exp(), weight)


def one_position(valid: Tensor, position: int = 1) -> Tensor:
    """One at some valid position of each lane, or its last if it has fewer; zero elsewhere."""
    number = valid.sum(1, keepdim=True).clamp(max=position + 1)
    return (valid & (valid.cumsum(1) == number)).float()


def is_greedy(reader: Reader, written: Tensor, bound: float) -> bool:
    """Whether no token's logit, along what was written, is below the best by more than `bound`."""
    rules = reader.model.generation_config
    start = rules.decoder_start_token_id
    start = rules.bos_token_id if start is None else start
    if not (written[:, 0] == start).all():  # Whisper keeps it to itself
        written = torch.cat([torch.full((len(written), 1), start), written], 1)
    logits = replace(reader, target=written).logits()[:, :-1]
    chosen = logits.gather(-1, written[:, 1:, None])[..., 0]
    return bool((logits.amax(-1) - chosen).max() <= bound)


class Call(NamedTuple):
    """What a cross-attention was given and gave; heads that share values have them each."""

    value: Tensor  # [lanes, heads, source, head_dim]
    output: Tensor  # [lanes, queries, heads, head_dim]
    weights: Any  # [lanes, heads, queries, source], where they were made


@contextmanager
def watched(model: PreTrainedModel) -> Iterator[list[Call]]:
    """The calls of a steered model's cross-attention, as transformers makes them."""
    Steering(model)  # which registers our attention
    attend, sites, calls = ALL_ATTENTION_FUNCTIONS[NAME], anatomy(model).cross_attentions, []

    def watch(module: Any, query: Tensor, key: Tensor, value: Tensor, *args: Any, **kwargs: Any):
        output, weights = attend(module, query, key, value, *args, **kwargs)
        if module in sites:
            groups = getattr(module, "num_key_value_groups", 1)
            calls.append(Call(repeat_kv(value, groups), output, weights))
        return output, weights

    AttentionInterface.register(NAME, watch)
    try:
        yield calls
    finally:
        AttentionInterface.register(NAME, attend)
