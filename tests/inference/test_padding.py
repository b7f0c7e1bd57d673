"""Where the padding of a source stands does not matter to a policy."""

from __future__ import annotations

from typing import Any

import pytest
import torch
from torch import Tensor
from transformers.modeling_outputs import BaseModelOutput

from rlattn.hosts import Seq2SeqHost
from rlattn.inference.padding import Padding
from rlattn.steering import Allocation
from tests.hosts.tiny import EOS
from tests.inference.decoding import FAMILIES, LENGTHS, host_of, inputs, row, write, written
from tests.inference.policies import EVERY_ACTION, SENTENCES, strong

MASK = torch.tensor([[0, 0, 1, 1, 1], [1, 1, 1, 1, 1], [0, 1, 0, 1, 0], [1, 1, 1, 0, 0]]).bool()


def test_real_tokens_come_first_in_their_order() -> None:
    padding, places = Padding(MASK), torch.arange(20).view(4, 5)
    assert padding.mask.tolist() == (torch.arange(5) < MASK.sum(1, keepdim=True)).tolist()
    for lane, mask in enumerate(MASK):
        moved = padding.behind(places)[lane, : mask.sum()]
        assert moved.tolist() == places[lane, mask].tolist()


def test_there_and_back_is_no_change() -> None:
    padding, numbers = Padding(MASK), torch.randn(4, 5)
    assert torch.equal(padding.restored(padding.behind(numbers)), numbers)
    layers = torch.randn(4, 2, 3, 5)
    values = padding.allocated(Allocation("bias", layers)).values
    for layer in range(2):
        for head in range(3):
            assert torch.equal(values[:, layer, head], padding.restored(layers[:, layer, head]))


def test_what_is_padded_behind_stays_where_it_is() -> None:
    padding = Padding(MASK[[1, 3]])
    numbers, gate = torch.randn(2, 5), Allocation("gate", MASK[[1, 3]])
    assert padding.behind(numbers) is padding.restored(numbers) is numbers
    assert padding.allocated(gate) is gate


def in_front(rows: Tensor) -> Tensor:
    """Something ``[rows, source, ...]`` with the padding of its rows in front."""
    widest = max(LENGTHS)
    return torch.stack(
        [r.roll(widest - length, dims=0) for r, length in zip(rows, LENGTHS, strict=True)]
    )


def everything(output: Any, trace: Any, host: Seq2SeqHost) -> tuple[list[list[int]], list[float]]:
    return [written(host, row) for row in output.sequences], trace.reads_fraction.tolist()


@EVERY_ACTION
@pytest.mark.parametrize("settings", [{}, {"num_beams": 3}], ids=["greedy", "beams"])
def test_padding_in_front_is_padding_behind(action: str, settings: dict[str, Any]) -> None:
    host = host_of("T5")  # whose encoder counts from token to token
    policy, source = strong(host, action), inputs(host)
    other = {name: in_front(rows) for name, rows in source.items()}
    with policy.steer(host.model, trace=True) as trace:
        expected = everything(write(host, source, **settings), trace, host)
        attention, opened = trace.attention.copy(), trace.opened.copy()
        found = everything(write(host, other, **settings), trace, host)
    assert found[0] == expected[0]
    assert found[1] == pytest.approx(expected[1], abs=1e-6)
    for here, there in zip(attention, trace.attention, strict=True):
        assert torch.allclose(in_front(here), there, atol=1e-6)
    for here, there in zip(opened, trace.opened, strict=True):
        assert torch.equal(in_front(here), there)


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("action", ["gate:2", "per-layer:2:mix"])
def test_so_it_is_with_a_memory_that_is_given(family: str, action: str) -> None:
    host = host_of(family)
    policy, source = strong(host, action), inputs(host)
    memory = host.model.get_encoder()(**source)[0]
    mask = torch.arange(max(LENGTHS)) < torch.tensor(LENGTHS)[:, None]
    if "attention_mask" not in source:
        mask, place = torch.ones_like(mask), lambda rows: rows
    else:
        place = in_front
    given = {"encoder_outputs": BaseModelOutput(place(memory))}
    if "attention_mask" in source:
        given["attention_mask"] = place(mask).long()
    with policy.steer(host.model) as trace:
        expected = everything(write(host, source), trace, host)
        assert everything(write(host, given), trace, host) == expected


@pytest.mark.parametrize("family", FAMILIES)
@pytest.mark.parametrize("action", ["gate", "per-layer:2:gate", "gate:2", "topk:2", SENTENCES])
def test_a_batch_is_written_as_its_sources_are_alone(family: str, action: str) -> None:
    host = host_of(family)
    source = inputs(host)
    if action == SENTENCES and "input_ids" not in source:
        pytest.skip("sounds have no sentences")
    settings = {"num_beams": 3, "max_new_tokens": 8}
    with strong(host, action).steer(host.model) as trace:
        together, reads = everything(write(host, source, **settings), trace, host)
        for index, (tokens, fraction) in enumerate(zip(together, reads, strict=True)):
            alone, read = everything(write(host, row(source, index), **settings), trace, host)
            assert alone == [tokens]
            assert read == pytest.approx([fraction], abs=1e-6)


def test_some_of_it_ends() -> None:
    host = host_of("T5")
    with strong(host).steer(host.model):
        output = write(host, inputs(host), num_beams=3)
    assert EOS in output.sequences[:, 1:]
